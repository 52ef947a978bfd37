/* SPDX-License-Identifier: MIT */
/* Ancillary chunks travel as they are. Read after the pixels were found sound, straight from the file's
 * bytes: a chunk is kept when its CRC holds, its place is legal and its content is what the specification
 * (PNG third edition, section 11.3) says; the others are left behind with a warning, as libpng does. */
#include <string.h>
#include <zlib.h>

#include "stages/codec/keep.h"
#include "stages/codec/png_private.h"

/* libpng's limit for what one compressed chunk may inflate to; readers would refuse a larger one. And a limit
 * for all of an image together, sound or not, since inflating costs time and is only done to see if they are.
 */
#define INFLATED_MAX_BYTES     8000000u
#define INFLATED_SUM_MAX_BYTES (4u * INFLATED_MAX_BYTES)

#define PROFILE_HEADER_BYTES 132u /* ICC.1:2022, 7.2, with the count of tags */
#define PROFILE_TAG_BYTES    12u
#define PROFILE_TAGS_LOOKED  100u

/* Where in the file a chunk may be, and where one is: a chunk may come no later than its rule says. */
enum place { BEFORE_PALETTE, BEFORE_PIXELS, ANYWHERE };

struct reading {
    struct png_session *session;
    const struct png_header *header;
    z_stream zlib; /* started when it is first needed */
    bool zlib_started;
    size_t inflated_bytes; /* so far, at most INFLATED_SUM_MAX_BYTES */
    bool profile;          /* one of iCCP and sRGB was kept */
};

struct rule {
    char type[5];
    enum place place;
    bool once;
    uint32_t length_bytes; /* 0: any */
    png_uint_32 valid;     /* PNG_INFO_* where libpng has checked it, else 0 and `check` does */
    bool (*check)(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags);
};

static void *zlib_take(void *memory, unsigned count, unsigned size)
{
    return png_memory_take(memory, (size_t)count * size);
}

static void zlib_give(void *memory, void *block)
{
    png_memory_give(memory, block);
}

/* Inflates a whole zlib stream to see if it is sound, and keeps its beginning. The sum, or SIZE_MAX where it
 * is damaged or has more than is left of the limits. */
static size_t inflated(struct reading *reading, const uint8_t *data, size_t length_bytes, uint8_t *kept,
                       size_t kept_bytes)
{
    uint8_t lost[4096];
    const size_t left_bytes = INFLATED_SUM_MAX_BYTES - reading->inflated_bytes;
    const size_t most_bytes = left_bytes < INFLATED_MAX_BYTES ? left_bytes : INFLATED_MAX_BYTES;
    if (left_bytes == 0)
        return SIZE_MAX;
    z_stream *zlib = &reading->zlib;
    if (!reading->zlib_started) {
        *zlib = (z_stream){.zalloc = zlib_take, .zfree = zlib_give, .opaque = &reading->session->memory};
        if (inflateInit(zlib) != Z_OK)
            png_session_fail(reading->session, ERROR_MEMORY, "more scratch needed than was planned");
        reading->zlib_started = true;
    } else if (inflateReset(zlib) != Z_OK) {
        return SIZE_MAX;
    }
    zlib->next_in = (Bytef *)(uintptr_t)data; /* zlib reads only, whatever its type says */
    zlib->avail_in = (unsigned)length_bytes;
    int code = Z_OK;
    while (code == Z_OK && zlib->total_out <= most_bytes) {
        bool keep = zlib->total_out < kept_bytes;
        zlib->next_out = keep ? kept + zlib->total_out : lost;
        zlib->avail_out = keep ? (unsigned)(kept_bytes - zlib->total_out) : (unsigned)sizeof lost;
        code = inflate(zlib, Z_NO_FLUSH);
    }
    reading->inflated_bytes += zlib->total_out < left_bytes ? zlib->total_out : left_bytes;
    return code == Z_STREAM_END && zlib->total_out <= most_bytes ? zlib->total_out : SIZE_MAX;
}

/* Bytes of a keyword and its NUL, or 0. */
static size_t keyword_bytes(const struct png_chunk *chunk)
{
    size_t most = chunk->length_bytes < 80 ? chunk->length_bytes : 80;
    const uint8_t *end = most ? memchr(chunk->data, 0, most) : NULL;
    return end && end > chunk->data ? (size_t)(end - chunk->data) + 1 : 0;
}

/* Tags lie within the profile. */
static bool tags_sound(const uint8_t *profile, size_t kept_bytes, size_t profile_bytes)
{
    size_t count = png_get_uint_32(profile + 128);
    if (count > (profile_bytes - PROFILE_HEADER_BYTES) / PROFILE_TAG_BYTES)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t at = PROFILE_HEADER_BYTES + i * PROFILE_TAG_BYTES;
        if (at + PROFILE_TAG_BYTES > kept_bytes)
            break;
        size_t start = png_get_uint_32(profile + at + 4), length = png_get_uint_32(profile + at + 8);
        if (start > profile_bytes || length > profile_bytes - start)
            return false;
    }
    return true;
}

static bool check_profile(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    uint8_t kept[PROFILE_HEADER_BYTES + PROFILE_TAGS_LOOKED * PROFILE_TAG_BYTES];
    size_t name = keyword_bytes(chunk);
    if (reading->profile || name == 0 || chunk->length_bytes <= name || chunk->data[name] != 0)
        return false;
    size_t length =
        inflated(reading, chunk->data + name + 1, chunk->length_bytes - name - 1, kept, sizeof kept);
    if (length == SIZE_MAX || length < PROFILE_HEADER_BYTES || png_get_uint_32(kept) != length ||
        memcmp(kept + 36, "acsp", 4) != 0 ||
        !tags_sound(kept, length < sizeof kept ? length : sizeof kept, length))
        return false;
    /* A profile of the wrong model would be refused by whoever reads the output. */
    bool colour = reading->header->colour & PNG_COLOR_MASK_COLOR;
    if (memcmp(kept + 16, colour ? "RGB " : "GRAY", 4) != 0)
        return false;
    *flags = colour ? META_RGB_ONLY : META_GREY_ONLY;
    reading->profile = true;
    return true;
}

static bool check_srgb(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    (void)chunk, (void)flags;
    if (reading->profile || !png_get_valid(reading->session->png, reading->session->info, PNG_INFO_sRGB))
        return false;
    reading->profile = true;
    return true;
}

/* Primaries, transfer, matrix (always RGB in a PNG), full or narrow range; ITU-T H.273 numbers. */
static bool check_cicp(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    (void)reading, (void)flags;
    return chunk->data[2] == 0 && chunk->data[3] <= 1;
}

static bool check_exif(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    (void)reading, (void)flags;
    return chunk->length_bytes >= 8 &&
           (memcmp(chunk->data, "II*\0", 4) == 0 || memcmp(chunk->data, "MM\0*", 4) == 0);
}

static bool check_text(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    (void)reading, (void)flags;
    return keyword_bytes(chunk) > 0;
}

static bool check_deflated(struct reading *reading, const struct png_chunk *chunk, size_t start)
{
    return inflated(reading, chunk->data + start, chunk->length_bytes - start, NULL, 0) != SIZE_MAX;
}

static bool check_ztxt(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    (void)flags;
    size_t key = keyword_bytes(chunk);
    return key && chunk->length_bytes > key && chunk->data[key] == 0 &&
           check_deflated(reading, chunk, key + 1);
}

/* Keyword, flag, method, language, translated keyword, text. */
static bool check_itxt(struct reading *reading, const struct png_chunk *chunk, uint32_t *flags)
{
    (void)flags;
    size_t at = keyword_bytes(chunk);
    if (at == 0 || chunk->length_bytes - at < 2)
        return false;
    uint8_t deflated = chunk->data[at], method = chunk->data[at + 1];
    at += 2;
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *end =
            at < chunk->length_bytes ? memchr(chunk->data + at, 0, chunk->length_bytes - at) : NULL;
        if (!end)
            return false;
        at = (size_t)(end - chunk->data) + 1;
    }
    return deflated == 0 || (deflated == 1 && method == 0 && check_deflated(reading, chunk, at));
}

static const struct rule rules[] = {
    {"iCCP", BEFORE_PALETTE, true, 0, 0, check_profile},
    {"sRGB", BEFORE_PALETTE, true, 1, 0, check_srgb},
    {"gAMA", BEFORE_PALETTE, true, 4, PNG_INFO_gAMA, NULL},
    {"cHRM", BEFORE_PALETTE, true, 32, PNG_INFO_cHRM, NULL},
    {"cICP", BEFORE_PALETTE, true, 4, 0, check_cicp},
    {"pHYs", BEFORE_PIXELS, true, 9, PNG_INFO_pHYs, NULL},
    {"eXIf", ANYWHERE, true, 0, 0, check_exif},
    {"tEXt", ANYWHERE, false, 0, 0, check_text},
    {"zTXt", ANYWHERE, false, 0, 0, check_ztxt},
    {"iTXt", ANYWHERE, false, 0, 0, check_itxt},
};
#define RULES (sizeof rules / sizeof *rules)

static size_t rule_of(const char type[4])
{
    size_t i = 0;
    while (i < RULES && memcmp(rules[i].type, type, 4) != 0)
        i++;
    return i;
}

bool png_meta_kept(const char type[4])
{
    return rule_of(type) < RULES;
}

static void keep(struct reading *reading, struct codec_decode *job, const struct png_chunk *chunk,
                 uint32_t flags)
{
    struct meta *meta = job->meta;
    uint64_t most_bytes = job->limits->max_metadata_bytes;
    size_t need_bytes = meta_need(chunk->length_bytes);
    if (meta->used_bytes > most_bytes || need_bytes > most_bytes - meta->used_bytes)
        png_session_fail(reading->session, ERROR_LIMIT,
                         "%zu bytes of metadata or more, over max_metadata %zu; raise it with --max-metadata",
                         meta->used_bytes + need_bytes, (size_t)most_bytes);
    if (meta_put(meta, chunk->type, flags, chunk->data, chunk->length_bytes) < 0)
        png_session_fail(reading->session, ERROR_MEMORY, "more room for metadata needed than was planned");
}

static void look_at(struct reading *reading, struct codec_decode *job, const struct png_chunk *chunk,
                    enum place place, bool seen[RULES])
{
    size_t number = rule_of(chunk->type);
    if (number == RULES || !chunk->data)
        return;
    const struct rule *rule = &rules[number];
    uLong crc = crc32(crc32(0, Z_NULL, 0), chunk->data - 4, chunk->length_bytes + 4);
    if (crc != png_get_uint_32(chunk->data + chunk->length_bytes))
        return; /* libpng has warned */
    struct png_session *session = reading->session;
    if ((rule->once && seen[number]) || place > rule->place) {
        if (!rule->valid)
            png_session_warn(session, "%s: %s", rule->type,
                             seen[number] ? "duplicate, dropped" : "out of place, dropped");
        return;
    }
    uint32_t flags = 0;
    bool length_good = rule->length_bytes == 0 || rule->length_bytes == chunk->length_bytes;
    if (rule->valid) {
        if (!length_good || !png_get_valid(session->png, session->info, rule->valid))
            return;
    } else if (!length_good || !rule->check(reading, chunk, &flags)) {
        png_session_warn(session, "%s: invalid", rule->type);
        return;
    }
    seen[number] = true;
    keep(reading, job, chunk, flags);
}

void png_meta_read(struct png_session *session, const struct png_header *header, struct codec_decode *job)
{
    struct reading reading = {.session = session, .header = header};
    bool seen[RULES] = {false};
    bool palette = false, pixels = false;
    struct png_chunk chunk;
    size_t at = PNG_SIGNATURE_BYTES;
    /* Up to where libpng stopped, which is the end of IEND. */
    while (png_chunk_next(session->in, session->position, &at, &chunk)) {
        palette |= memcmp(chunk.type, "PLTE", 4) == 0;
        pixels |= memcmp(chunk.type, "IDAT", 4) == 0;
        look_at(&reading, job, &chunk, pixels ? ANYWHERE : palette ? BEFORE_PIXELS : BEFORE_PALETTE, seen);
    }
}

void png_meta_write(struct png_session *session, const struct codec_encode *job)
{
    bool colour = png_is_colour(session, job), warned = false;
    size_t position = 0;
    struct meta_entry entry;
    int more;
    while ((more = meta_next(job->meta, &position, &entry)) > 0) {
        if (memcmp(entry.tag, KEEP_RESOURCES_TAG, 4) == 0 && !warned) {
            png_session_warn(session, "%s", KEEP_NO_RESOURCES);
            warned = true;
        }
        if (!png_meta_kept(entry.tag) || entry.length_bytes > PNG_CHUNK_MAX)
            continue; /* another format's */
        if (entry.flags & (colour ? META_GREY_ONLY : META_RGB_ONLY)) {
            png_session_warn(session, "dropped a colour profile that is for %s images",
                             colour ? "grey" : "RGB");
            continue;
        }
        const uint8_t *data = entry.data;
        if (memcmp(entry.tag, "eXIf", 4) == 0)
            data = keep_oriented(data, entry.length_bytes, &job->shape, job->scratch);
        if (!data)
            png_session_fail(session, ERROR_MEMORY, "more scratch needed than was planned");
        png_write_chunk(session->png, (png_const_bytep)entry.tag, data, entry.length_bytes);
    }
    if (more < 0)
        png_session_fail(session, ERROR_INTERNAL, "metadata is not a valid list");
}
