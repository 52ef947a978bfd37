/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/png_private.h"

/* Before each block: its class, or PNG_MEMORY_CLASSES for a block too large to be kept when freed. Class k is
 * for blocks of 64 << k bytes with this header. The largest class holds what libpng frees and asks again for
 * (its buffer of compressed bytes grows with the largest chunk so far, up to 8 KiB); rows and windows are
 * larger or taken once. A class therefore never holds more than the few blocks alive at once. */
struct png_block {
    size_t class;
    size_t padding; /* keeps what follows aligned as malloc would */
};

/* The class for a request, and what its block takes with header and rounding. */
static size_t class_of(size_t size_bytes, size_t *block_bytes)
{
    size_t class = 0;
    *block_bytes = scratch_add(size_bytes, sizeof(struct png_block));
    while (class < PNG_MEMORY_CLASSES && ((size_t)64 << class) < *block_bytes)
        class ++;
    if (class < PNG_MEMORY_CLASSES)
        *block_bytes = (size_t)64 << class;
    return class;
}

void *png_memory_take(struct png_memory *memory, size_t size_bytes)
{
    size_t block_bytes;
    size_t class = class_of(size_bytes, &block_bytes);
    struct png_block *block;
    if (class < PNG_MEMORY_CLASSES && memory->freed[class]) {
        block = memory->freed[class];
        memcpy(&memory->freed[class], block + 1, sizeof(void *));
        return block + 1;
    }
    block = scratch_alloc(memory->scratch, 1, block_bytes);
    if (!block) {
        memory->exhausted = true;
        return NULL;
    }
    block->class = class;
    return block + 1;
}

void png_memory_give(struct png_memory *memory, void *block)
{
    if (!block)
        return;
    struct png_block *header = (struct png_block *)block - 1;
    if (header->class >= PNG_MEMORY_CLASSES)
        return;
    memcpy(block, &memory->freed[header->class], sizeof(void *));
    memory->freed[header->class] = header;
}

static void *take(png_structp png, png_alloc_size_t size_bytes)
{
    return png_memory_take(png_get_mem_ptr(png), size_bytes);
}

static void give(png_structp png, void *block)
{
    png_memory_give(png_get_mem_ptr(png), block);
}

size_t png_session_scratch(size_t fixed_bytes, size_t rows, size_t row_bytes)
{
    /* A row buffer of libpng has a filter byte, room to align it and up to 8 pixels more than the row. */
    size_t row;
    class_of(scratch_add(row_bytes, 256), &row);
    row = scratch_need(1, row);
    for (size_t i = 0; i < rows; i++)
        fixed_bytes = scratch_add(fixed_bytes, row);
    return fixed_bytes;
}

void png_session_warn(struct png_session *session, const char *format, ...)
{
    if ((*session->warnings)++ > 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(session->warning, session->warning_size, format, args);
    va_end(args);
}

void png_session_fail(struct png_session *session, enum error_code code, const char *format, ...)
{
    char text[sizeof session->error->reason];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    session->code = error_set(session->error, code, "%s", text);
    longjmp(session->failed, 1);
}

static void on_error(png_structp png, png_const_charp text)
{
    struct png_session *session = png_get_error_ptr(png);
    if (session->memory.exhausted)
        png_session_fail(session, ERROR_MEMORY, "more scratch needed than was planned: %s", text);
    /* The limit is libpng's own, on one chunk: 8,000,000 bytes, or what the image's pixels may take. */
    if (session->code_else == ERROR_CORRUPT && strstr(text, "chunk data is too large"))
        png_session_fail(session, ERROR_LIMIT, "%s", text);
    png_session_fail(session, (enum error_code)session->code_else, "%s", text);
}

static void on_warning(png_structp png, png_const_charp text)
{
    png_session_warn(png_get_error_ptr(png), "%s", text);
}

const uint8_t png_empty_idat[PNG_EMPTY_IDAT_BYTES] = {0, 0, 0, 8, 'I', 'D', 'A',  'T',  0x78, 0x9c,
                                                      3, 0, 0, 0, 0,   1,   0x48, 0x06, 0x89, 0xd2};

static void read_bytes(png_structp png, png_bytep data, size_t length_bytes)
{
    struct png_session *session = png_get_io_ptr(png);
    if (session->skip_to && session->position == session->skip_from) {
        /* libpng reads a chunk's header, data and CRC separately. */
        if (length_bytes > sizeof png_empty_idat - session->stub_position)
            png_session_fail(session, ERROR_INTERNAL, "libpng reads beyond a chunk");
        memcpy(data, png_empty_idat + session->stub_position, length_bytes);
        session->stub_position += length_bytes;
        if (session->stub_position == sizeof png_empty_idat)
            session->position = session->skip_to;
        return;
    }
    if (length_bytes > session->size_bytes - session->position)
        png_session_fail(session, ERROR_CORRUPT, "file ends early, after %zu bytes", session->size_bytes);
    memcpy(data, session->in + session->position, length_bytes);
    session->position += length_bytes;
}

static void write_bytes(png_structp png, png_bytep data, size_t length_bytes)
{
    struct png_session *session = png_get_io_ptr(png);
    if (length_bytes > session->size_bytes - session->position)
        png_session_fail(session, ERROR_INTERNAL, "the file came out larger than planned");
    memcpy(session->out + session->position, data, length_bytes);
    session->position += length_bytes;
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void start(struct png_session *session)
{
    if (session->png)
        session->info = png_create_info_struct(session->png);
    if (!session->info)
        png_session_fail(session, session->memory.exhausted ? ERROR_MEMORY : ERROR_INTERNAL,
                         "libpng does not start");
    /* The limits were checked already; these are the format's own. */
    png_set_user_limits(session->png, PNG_CHUNK_MAX, PNG_CHUNK_MAX);
}

void png_session_start_read(struct png_session *session)
{
    session->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, session, on_error, on_warning,
                                            &session->memory, take, give);
    start(session);
    png_set_read_fn(session->png, session, read_bytes);
}

void png_session_start_write(struct png_session *session)
{
    session->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, session, on_error, on_warning,
                                             &session->memory, take, give);
    start(session);
    png_set_write_fn(session->png, session, write_bytes, flush_nothing);
}

struct png_session png_session_of(struct codec_decode *job, struct error *error)
{
    job->warnings = 0;
    job->warning[0] = '\0';
    return (struct png_session){.memory = {.scratch = job->scratch},
                                .error = error,
                                .code_else = ERROR_CORRUPT,
                                .warnings = &job->warnings,
                                .warning = job->warning,
                                .warning_size = sizeof job->warning,
                                .in = job->bytes,
                                .size_bytes = job->length_bytes};
}

int png_session_run(struct png_session *session, void (*steps)(struct png_session *, void *), void *job)
{
    session->code = 0;
    /* Nothing local changes between setjmp and longjmp, so nothing needs to be volatile. */
    if (setjmp(session->failed))
        return session->code;
    steps(session, job);
    return 0;
}
