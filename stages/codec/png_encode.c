/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <zlib.h>

#include "stages/codec/png_private.h"

/* Size of an IDAT chunk and of libpng's buffer for it: few chunks, little memory. */
#define IDAT_BYTES 65536u

/* libpng's rows: the one at work, the one above, and two for trying filters. */
#define ROWS 4u

struct setting {
    int level, strategy, filters;
};

/* What libpng does alone, where the fast path does not apply. Speed in MP/s on one core and size against
 * libpng's own choice, on photographs (and on flat art):
 *   fastest    31  1.20  (135  1.49)   Huffman codes alone; where neighbours are equal, run lengths as OpenCV
 *   fast       24  1.13  ( 94  1.14)   run lengths, and the better of two filters, row by row
 *   balanced    8  1.03  ( 42  1.00)
 *   small       3  1.00  ( 39  1.00)   libpng's own choice
 *   smallest  0.6  0.97  ( 15  0.95)
 * Huffman codes alone would make flat art nine times as large. Matching at levels 1 to 3 is both slower and
 * larger than run lengths on photographs. */
static const struct setting settings[] = {
    [COMPRESSION_FASTEST] = {1, Z_RLE, PNG_FILTER_SUB},
    [COMPRESSION_FAST] = {1, Z_RLE, PNG_FILTER_SUB | PNG_FILTER_UP},
    [COMPRESSION_BALANCED] = {4, Z_FILTERED, PNG_ALL_FILTERS},
    [COMPRESSION_SMALL] = {6, Z_FILTERED, PNG_ALL_FILTERS},
    [COMPRESSION_SMALLEST] = {9, Z_FILTERED, PNG_ALL_FILTERS},
};

static inline size_t count_runs(const uint8_t *row, size_t row_bytes, size_t pixel_bytes)
{
    size_t equal = 0;
    for (size_t at = pixel_bytes; at < row_bytes; at += pixel_bytes)
        equal += memcmp(row + at, row + at - pixel_bytes, pixel_bytes) == 0;
    return equal;
}

unsigned png_runs(const struct shape *shape, const uint8_t *pixels)
{
    size_t pixel_bytes = shape_pixel_bytes(shape), row_bytes = shape_row_bytes(shape);
    size_t equal = 0, all = 0;
    for (size_t y = 0; y < shape->height; y += 16) {
        const uint8_t *row = pixels + y * row_bytes;
        /* Sizes that compilers know make this several times as fast. */
        equal += pixel_bytes == 4   ? count_runs(row, row_bytes, 4)
                 : pixel_bytes == 3 ? count_runs(row, row_bytes, 3)
                 : pixel_bytes == 1 ? count_runs(row, row_bytes, 1)
                                    : count_runs(row, row_bytes, pixel_bytes);
        all += shape->width - 1;
    }
    return all ? (unsigned)(equal * 100 / all) : 0;
}

int png_compression_word(const struct codec_save *save)
{
    return save->compression >= COMPRESSION_FASTEST && save->compression <= COMPRESSION_SMALLEST
               ? save->compression
               : COMPRESSION_FAST;
}

static struct setting setting_of(const struct codec_save *save, const struct shape *shape, bool indexed,
                                 const uint8_t *pixels)
{
    int word = png_compression_word(save);
    struct setting setting = settings[word];
    if (shape->bits < 8 || indexed) {
        /* Filters work on bytes; on packed samples and numbers of colours they do harm (section 12.7 of the
         * specification). These rows are short, so that matching is cheap. */
        setting.filters = PNG_FILTER_NONE;
        setting.strategy = Z_DEFAULT_STRATEGY;
        if (word != COMPRESSION_FASTEST && setting.level < 6)
            setting.level = 6;
    } else if (word == COMPRESSION_FASTEST && png_runs(shape, pixels) < 12) {
        setting.strategy = Z_HUFFMAN_ONLY;
    }
    if (save->level >= 0) {
        setting.level = save->level < 9 ? (int)save->level : 9;
        if (shape->bits >= 8 && !indexed) {
            setting.strategy = Z_FILTERED;
            setting.filters = setting.level == 0 ? PNG_FILTER_NONE : PNG_ALL_FILTERS;
        }
    }
    return setting;
}

#define SMALL_RAW_BYTES 65536u

/* PLTE and tRNS. */
#define PALETTE_BYTES (4u * PNG_MAX_PALETTE_LENGTH + 2u * PNG_CHUNK_EXTRA)

/* The most that zlib makes of `raw_bytes`: the larger of its two formulas (deflateBound in deflate.c
 * of 1.2.13), since libpng may choose a smaller window for a small image, and a little more for other
 * versions. */
static size_t deflated_most(size_t raw_bytes)
{
    size_t more = raw_bytes <= SMALL_RAW_BYTES ? raw_bytes / 4 : raw_bytes / 256;
    return scratch_add(raw_bytes, more + 1024);
}

static size_t plan_scratch(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                           size_t room_after)
{
    size_t bytes = png_session_scratch(PNG_WRITE_SCRATCH, ROWS, shape_row_bytes(shape));
    /* A copy of EXIF, where its orientation changes. */
    bytes = scratch_add(bytes, save->strip ? 0 : scratch_need(1, meta_bytes));
    if (shape->bits < 8 || save->reduce)
        bytes = scratch_add(bytes, scratch_need(shape->width, 1));
    const size_t fast_bytes = png_fast_encode_scratch(save, shape, room_after);
    bytes = bytes < fast_bytes ? fast_bytes : bytes;
    return save->reduce ? scratch_add(bytes, scratch_need(1, shape_bytes(shape))) : bytes;
}

int png_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
             struct codec_plan *plan, struct error *error)
{
    if (shape->sample == SAMPLE_F32)
        return error_set(error, ERROR_UNSUPPORTED, "png holds 8 or 16 bits a sample; put cast:type=u16 last");
    if (shape->width > PNG_CHUNK_MAX || shape->height > PNG_CHUNK_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "png holds up to %u pixels a side", PNG_CHUNK_MAX);
    /* Each entry of metadata takes more of its block than its chunk takes of the file. */
    unsigned pixel_bits = (unsigned)shape->channels * shape->bits;
    size_t raw_bytes = png_raw_bytes(shape->width, shape->height, pixel_bits, save->interlace);
    size_t deflated = deflated_most(raw_bytes);
    if (save->reduce) /* fewer bytes, of which more may be made by that formula; and a palette */
        deflated = scratch_add(deflated, SMALL_RAW_BYTES / 4 + PALETTE_BYTES);
    size_t chunks = deflated / IDAT_BYTES + 1;
    plan->out_bytes = scratch_add(scratch_add(deflated, chunks * PNG_CHUNK_EXTRA),
                                  scratch_add(PNG_IHDR_END + PNG_CHUNK_EXTRA, save->strip ? 0 : meta_bytes));
    if (plan->out_bytes == SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "the file could be larger than this machine can address");
    plan->tells_room = png_fast_encodes(save, shape);
    plan->room_after = png_fast_room_after(save, shape);
    plan->scratch_bytes = plan_scratch(save, shape, meta_bytes, 0);
    plan->spoiling_scratch_bytes = plan_scratch(save, shape, meta_bytes, plan->room_after);
    plan->rows_scratch_bytes = png_put_scratch(save, shape, plan->scratch_bytes);
    return 0;
}

bool png_is_colour(const struct png_session *session, const struct codec_encode *job)
{
    return job->shape.channels >= 3 || session->palette.count > 0;
}

static void set_palette(struct png_session *session)
{
    struct png_palette *palette = &session->palette;
    png_set_PLTE(session->png, session->info, palette->colours, (int)palette->count);
    if (palette->alpha_count > 0)
        png_set_tRNS(session->png, session->info, palette->alphas, (int)palette->alpha_count, NULL);
}

/* Everything before the image data. */
static void write_header(struct png_session *session, const struct codec_encode *job)
{
    static const int colours[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                  PNG_COLOR_TYPE_RGB_ALPHA};
    png_structp png = session->png;
    png_set_IHDR(png, session->info, job->shape.width, job->shape.height, job->shape.bits,
                 session->palette.count ? PNG_COLOR_TYPE_PALETTE : colours[job->shape.channels],
                 job->save->interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (session->palette.count)
        set_palette(session);
    png_write_info_before_PLTE(png, session->info);
    if (job->meta && !job->save->strip)
        png_meta_write(session, job);
    png_write_info(png, session->info);
}

static void set_up(struct png_session *session, const struct codec_encode *job)
{
    png_structp png = session->png;
    const struct setting setting =
        setting_of(job->save, &job->shape, session->palette.count > 0, job->pixels);
    png_set_compression_buffer_size(png, IDAT_BYTES);
    png_set_compression_level(png, setting.level);
    png_set_compression_strategy(png, setting.strategy);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, setting.filters);
    write_header(session, job);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (job->shape.bits == 16)
        png_set_swap(png);
#endif
    if (job->shape.bits < 8)
        png_set_packing(png);
}

/* Grey of few bits is stored scaled to a byte; its value is the upper bits. */
static void unscale(uint8_t *to, const uint8_t *from, size_t count, unsigned bits)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(from[i] >> (8 - bits));
}

static void write_steps(struct png_session *session, void *argument)
{
    struct codec_encode *job = argument;
    const struct shape *shape = &job->shape;
    uint8_t *unscaled = NULL;
    if (shape->bits < 8 && !(unscaled = scratch_alloc(job->scratch, shape->width, 1)))
        png_session_fail(session, ERROR_MEMORY, "more scratch needed than was planned");
    png_session_start_write(session);
    set_up(session, job);
    size_t row_bytes = shape_row_bytes(shape);
    int passes = png_set_interlace_handling(session->png);
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < shape->height; y++) {
            const uint8_t *row = job->pixels + y * row_bytes;
            if (unscaled)
                unscale(unscaled, row, shape->width, shape->bits);
            png_write_row(session->png, unscaled ? unscaled : row);
        }
    }
    png_write_end(session->png, NULL);
}

/* libpng is done with its memory when the header is written. */
static void write_fast_steps(struct png_session *session, void *argument)
{
    struct codec_encode *job = argument;
    size_t used_bytes = job->scratch->used_bytes;
    png_session_start_write(session);
    write_header(session, job);
    job->scratch->used_bytes = used_bytes;
    if (!png_fast_encode(job, session))
        png_session_fail(session, ERROR_INTERNAL, "left to libpng");
}

/* A session that writes to `to`. */
static struct png_session session_to(struct codec_encode *job, uint8_t *to, size_t size_bytes,
                                     struct error *error)
{
    job->warnings = 0;
    job->warning[0] = '\0';
    return (struct png_session){.memory = {.scratch = job->scratch},
                                .error = error,
                                .code_else = ERROR_INTERNAL,
                                .warnings = &job->warnings,
                                .warning = job->warning,
                                .warning_size = sizeof job->warning,
                                .out = to,
                                .size_bytes = size_bytes};
}

static void write_header_steps(struct png_session *session, void *argument)
{
    png_session_start_write(session);
    write_header(session, argument);
}

int png_encode_header(struct codec_encode *job, uint8_t *to, size_t size_bytes, size_t *length_bytes,
                      struct error *error)
{
    struct png_session session = session_to(job, to, size_bytes, error);
    TRY(png_session_run(&session, write_header_steps, job));
    *length_bytes = session.position;
    return 0;
}

static int run(struct codec_encode *job, void (*steps)(struct png_session *, void *), struct error *error)
{
    struct png_session session = session_to(job, job->bytes, job->bytes_size, error);
    struct codec_encode reduced = *job;
    if (job->save->reduce && !png_reduce(&reduced, &session.palette))
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    TRY(png_session_run(&session, steps, &reduced));
    job->length_bytes = session.position;
    return 0;
}

int png_encode_by_libpng(struct codec_encode *job, struct error *error)
{
    return run(job, write_steps, error);
}

int png_encode_fast(struct codec_encode *job, struct error *error)
{
    if (!png_fast_encodes(job->save, &job->shape))
        return error_set(error, ERROR_UNSUPPORTED, "left to libpng");
    return run(job, write_fast_steps, error);
}

/* Less than it could come to? */
static bool has_less(const struct codec_encode *job)
{
    struct codec_plan plan;
    return png_plan(job->save, &job->shape, job->meta ? job->meta->used_bytes : 0, &plan, NULL) == 0 &&
           plan.tells_room && job->bytes_size < plan.out_bytes;
}

int png_encode(struct codec_encode *job, struct error *error)
{
    size_t used_bytes = job->scratch->used_bytes;
    job->length_bytes = 0;
    if (!shape_valid(&job->shape) || job->shape.sample == SAMPLE_F32)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    if (png_encode_fast(job, error) == 0)
        return 0;
    if (has_less(job))
        return error_set(error, ERROR_ROOM, "takes more room than most");
    /* What libpng would need may be gone; the plan leaves room for all that comes. */
    if (png_fast_spoils(job))
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    job->scratch->used_bytes = used_bytes;
    return png_encode_by_libpng(job, error);
}
