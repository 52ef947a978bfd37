/* SPDX-License-Identifier: MIT */
/* Arrays as numpy.savez and savez_compressed write them: .npy files in a zip file, of which one is read.
 * zip.c finds it, zlib inflates it in scratch: a library for zip files would allocate for itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/npy_private.h"
#include "stages/codec/zip.h"
#include "stages/codec/zmemory.h"

#define SUFFIX       ".npy"
#define SUFFIX_BYTES 4
#define NAMES_BYTES  96

/* zlib's window holds what earlier calls gave. Of a header that is the prelude, so a small one suffices. */
#define PEEK_WINDOW_BITS 9
#define WINDOW_BITS      15

/* Small members may always unpack to this much, or they would be refused for their ratio. */
#define RATIO_FROM_BYTES ((uint64_t)1 << 20)

/* A member whose name ends in .npy; `stem_bytes` without that. */
static bool is_array(const struct zip_member *member, size_t *stem_bytes)
{
    *stem_bytes = member->name_bytes >= SUFFIX_BYTES ? member->name_bytes - SUFFIX_BYTES : 0;
    return member->name_bytes > SUFFIX_BYTES && memcmp(member->name + *stem_bytes, SUFFIX, SUFFIX_BYTES) == 0;
}

/* Any zip file begins as an .npz does; its first member must be an array. An empty one has none. */
static bool npz_sniff(const uint8_t *head, size_t head_bytes)
{
    if (head_bytes < 30 || memcmp(head, "PK\3\4", 4) != 0)
        return head_bytes >= 4 && memcmp(head, "PK\5\6", 4) == 0;
    const struct zip_member first = {.name = head + 30, .name_bytes = head[26] + 256u * head[27]};
    size_t stem_bytes;
    return head_bytes - 30 >= first.name_bytes && is_array(&first, &stem_bytes);
}

static bool is_called(const uint8_t *name, size_t name_bytes, const char *wanted)
{
    return strlen(wanted) == name_bytes && memcmp(name, wanted, name_bytes) == 0;
}

/* The names of a file's arrays for an error's text, as far as there is room. */
struct names {
    char text[NAMES_BYTES];
    size_t used, count;
};

static void names_add(struct names *names, const uint8_t *name, size_t name_bytes)
{
    static const char more[] = " ...";
    const size_t separator = names->count++ > 0 ? 2 : 0;
    if (names->used + separator + name_bytes + sizeof more > sizeof names->text) {
        memcpy(names->text + names->used, more, names->used < sizeof names->text ? sizeof more : 0);
        names->used = sizeof names->text;
        return;
    }
    memcpy(names->text + names->used, ", ", separator);
    memcpy(names->text + names->used + separator, name, name_bytes);
    names->used += separator + name_bytes;
    names->text[names->used] = '\0';
}

/* The array called `wanted`, with or without .npy; NULL: the only one. */
static int choose(struct zip *zip, const char *wanted, struct zip_member *chosen, struct error *error)
{
    struct names names = {.used = 0};
    struct zip_member member;
    size_t stem_bytes, matches = 0;
    int more;
    while ((more = zip_next(zip, &member, error)) > 0) {
        if (!is_array(&member, &stem_bytes))
            continue;
        names_add(&names, member.name, stem_bytes);
        if (wanted && !is_called(member.name, member.name_bytes, wanted) &&
            !is_called(member.name, stem_bytes, wanted))
            continue;
        *chosen = member;
        matches++;
    }
    TRY(more);
    if (names.count == 0)
        return error_set(error, ERROR_UNSUPPORTED, "holds no array");
    if (!wanted && matches > 1)
        return error_set(error, ERROR_UNSUPPORTED, "holds %zu arrays: %s; load.array says which to read",
                         names.count, names.text);
    if (matches == 0)
        return error_set(error, ERROR_UNSUPPORTED, "holds no array called '%.60s', but: %s", wanted,
                         names.text);
    if (matches > 1)
        return error_set(error, ERROR_CORRUPT, "holds %zu arrays called '%.60s'", matches, wanted);
    return 0;
}

static int check_member(const struct zip_member *member, const struct codec_limits *limits,
                        struct error *error)
{
    if (member->encrypted)
        return error_set(error, ERROR_UNSUPPORTED, "the array is encrypted");
    if (member->method != ZIP_STORED && member->method != ZIP_DEFLATED)
        return error_set(error, ERROR_UNSUPPORTED, "the array is compressed by method %u, and not deflated",
                         member->method);
    if (member->method == ZIP_STORED && member->packed_bytes != member->unpacked_bytes)
        return error_set(error, ERROR_CORRUPT, "zip: a stored member of two sizes");
    if (member->unpacked_bytes > limits->max_file_bytes)
        return error_set(error, ERROR_LIMIT,
                         "unpacks to %" PRIu64 " bytes, over max_file %" PRIu64 "; raise it with --max-file",
                         member->unpacked_bytes, limits->max_file_bytes);
    if (limits->max_ratio > 0 && member->unpacked_bytes > RATIO_FROM_BYTES &&
        member->unpacked_bytes / limits->max_ratio > member->packed_bytes)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " bytes that unpack to %" PRIu64 ", over max_ratio %" PRIu64
                         "; raise it with --max-ratio",
                         member->packed_bytes, member->unpacked_bytes, limits->max_ratio);
    return 0;
}

static int find_member(const uint8_t *bytes, size_t length_bytes, const struct codec_limits *limits,
                       struct zip_member *member, size_t *packed_at, struct error *error)
{
    struct zip zip;
    TRY(zip_open(&zip, bytes, length_bytes, error));
    TRY(choose(&zip, limits->load ? limits->load->array : NULL, member, error));
    TRY(check_member(member, limits, error));
    return zip_find(&zip, member, packed_at, error);
}

/* A deflated member on its way out. */
struct inflation {
    z_stream stream;
    const uint8_t *packed;
    size_t packed_bytes; /* not given to zlib yet */
    bool ended;
    uint32_t crc; /* of what came out */
};

static int no_scratch(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "more scratch needed than was planned to unpack");
}

static int inflation_begin(struct inflation *run, const struct zip_member *member, const uint8_t *packed,
                           int window_bits, struct scratch *scratch, struct error *error)
{
    *run = (struct inflation){.packed = packed, .packed_bytes = (size_t)member->packed_bytes};
    zmemory_use(&run->stream, scratch);
    return inflateInit2(&run->stream, -window_bits) == Z_OK ? 0
                                                            : no_scratch(error); /* negative: bare deflate */
}

/* Up to `most` bytes more, fewer only where the stream ends. */
static int inflation_read(struct inflation *run, uint8_t *to, size_t most, size_t *got, struct error *error)
{
    z_stream *stream = &run->stream;
    for (*got = 0; *got < most && !run->ended;) {
        const uInt given = zmemory_piece(run->packed_bytes), room = zmemory_piece(most - *got);
        stream->next_in = (z_const Bytef *)run->packed;
        stream->avail_in = given;
        stream->next_out = to + *got;
        stream->avail_out = room;
        const int code = inflate(stream, Z_NO_FLUSH);
        run->packed += given - stream->avail_in;
        run->packed_bytes -= given - stream->avail_in;
        *got += room - stream->avail_out;
        run->ended = code == Z_STREAM_END;
        if (code == Z_MEM_ERROR)
            return no_scratch(error);
        if (code == Z_BUF_ERROR) /* no progress, though there was room */
            return error_set(error, ERROR_CORRUPT, "zip: the array ends early");
        if (code != Z_OK && code != Z_STREAM_END)
            return error_set(error, ERROR_CORRUPT, "zip: %s", stream->msg ? stream->msg : "damaged");
    }
    run->crc = (uint32_t)crc32_z(run->crc, to, *got);
    return 0;
}

static int inflation_read_all(struct inflation *run, uint8_t *to, size_t count, struct error *error)
{
    size_t got;
    TRY(inflation_read(run, to, count, &got, error));
    if (got < count)
        return error_set(error, ERROR_CORRUPT, "zip: the array ends early");
    return 0;
}

static int check_crc(uint32_t crc, const struct zip_member *member, struct error *error)
{
    if (crc != member->crc)
        return error_set(error, ERROR_CORRUPT, "zip: wrong checksum");
    return 0;
}

/* What is behind the samples, through `room`; and then the stream must end, and with it the packed bytes. */
static int inflation_end(struct inflation *run, const struct zip_member *member, uint64_t rest_bytes,
                         uint8_t *room, size_t room_bytes, struct error *error)
{
    size_t got;
    for (uint64_t left = rest_bytes; left > 0; left -= got) {
        got = left < room_bytes ? (size_t)left : room_bytes;
        TRY(inflation_read_all(run, room, got, error));
    }
    TRY(inflation_read(run, room, 1, &got, error));
    if (got > 0 || run->packed_bytes > 0)
        return error_set(error, ERROR_CORRUPT, "zip: the array is longer than the directory says");
    return check_crc(run->crc, member, error);
}

/* `head` holds NPY_HEADER_MOST bytes. */
static int inflate_header(struct inflation *run, uint8_t *head, uint64_t file_bytes,
                          const struct codec_limits *limits, struct npy_header *header, struct error *error)
{
    size_t at = file_bytes < NPY_PRELUDE_BYTES ? (size_t)file_bytes : NPY_PRELUDE_BYTES, text_at, text_end;
    TRY(inflation_read_all(run, head, at, error));
    TRY(npy_header_span(head, at, file_bytes, &text_at, &text_end, error));
    if (text_end > at) {
        TRY(inflation_read_all(run, head + at, text_end - at, error));
        at = text_end;
    }
    return npy_header_read(head, at, file_bytes, limits, header, error);
}

static int npz_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    /* Peek is given no scratch, so this is on the stack: 27 KiB. */
    uint8_t memory[ZMEMORY_INFLATE_BYTES(PEEK_WINDOW_BITS)] __attribute__((aligned(SCRATCH_ALIGN)));
    uint8_t text[NPY_HEADER_MOST];
    struct scratch scratch = {.base = memory, .size_bytes = sizeof memory};
    struct zip_member member;
    struct npy_header header;
    struct inflation run;
    size_t packed_at;
    (void)file_bytes;
    TRY(find_member(head, head_bytes, limits, &member, &packed_at, error));
    *info = (struct codec_info){.scratch_bytes = 0};
    if (member.method == ZIP_STORED) {
        TRY(npy_header_read(head + packed_at, (size_t)member.unpacked_bytes, member.unpacked_bytes, limits,
                            &header, error));
    } else {
        TRY(inflation_begin(&run, &member, head + packed_at, PEEK_WINDOW_BITS, &scratch, error));
        TRY(inflate_header(&run, text, member.unpacked_bytes, limits, &header, error));
        info->scratch_bytes =
            scratch_add(ZMEMORY_INFLATE_BYTES(WINDOW_BITS), scratch_need(1, NPY_HEADER_MOST));
        if (!array_in_order(&header.layout))
            info->scratch_bytes =
                scratch_add(info->scratch_bytes, scratch_need(1, shape_bytes(&header.layout.shape)));
    }
    info->shape = header.layout.shape;
    return 0;
}

static int decode_deflated(struct codec_decode *job, const struct zip_member *member, size_t packed_at,
                           struct error *error)
{
    struct inflation run;
    struct npy_header header;
    uint8_t *head = scratch_alloc(job->scratch, 1, NPY_HEADER_MOST), *samples = job->pixels;
    if (!head)
        return no_scratch(error);
    TRY(inflation_begin(&run, member, job->bytes + packed_at, WINDOW_BITS, job->scratch, error));
    TRY(inflate_header(&run, head, member->unpacked_bytes, job->limits, &header, error));
    TRY(array_begin(job, &header.layout, error));
    const size_t bytes = shape_bytes(&job->shape);
    if (!array_in_order(&header.layout))
        samples = scratch_alloc(job->scratch, 1, bytes);
    if (!samples)
        return no_scratch(error);
    TRY(inflation_read_all(&run, samples, bytes, error));
    const uint64_t rest = member->unpacked_bytes - header.data_at - bytes;
    TRY(inflation_end(&run, member, rest, head, NPY_HEADER_MOST, error));
    if (!array_ready(&header.layout, samples))
        array_unpack(&header.layout, samples, job->pixels);
    array_warn_of_rest(job, rest);
    return 0;
}

static int npz_decode(struct codec_decode *job, struct error *error)
{
    struct zip_member member;
    struct npy_header header;
    size_t at;
    TRY(find_member(job->bytes, job->length_bytes, job->limits, &member, &at, error));
    if (member.method == ZIP_DEFLATED)
        return decode_deflated(job, &member, at, error);
    const size_t bytes = (size_t)member.unpacked_bytes;
    TRY(npy_header_read(job->bytes + at, bytes, bytes, job->limits, &header, error));
    TRY(check_crc((uint32_t)crc32_z(0, job->bytes + at, bytes), &member, error));
    return array_take(job, &header.layout, at + header.data_at, at + bytes, error);
}

const struct codec npz_codec = {
    .name = "npz",
    .summary = "Archives of numpy, one array of each; load.array says which of several",
    .extensions = "npz",
    .kinds = CODEC_ARRAYS,
    .read_only = true,
    .late = true,
    .sniff = npz_sniff,
    .peek = npz_peek,
    .decode = npz_decode,
};
