/* SPDX-License-Identifier: MIT */
#include "stages/codec/keep.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "stages/codec/exif.h"

static const char profile_name[] = "ICC Profile";            /* a NUL and the method 0 follow */
static const char xmp_start[] = "XML:com.adobe.xmp\0\0\0\0"; /* keyword, not compressed, no language */
#define PROFILE_START_BYTES (sizeof profile_name + 1)
#define XMP_START_BYTES     (sizeof xmp_start)

/* A zlib stream of stored blocks (RFC 1950; RFC 1951, 3.2.4). */
#define STORED_BLOCK_BYTES 65535u
#define STORED_EXTRA_BYTES 5u

#define PROFILE_HEADER_BYTES 132u /* ICC.1:2022, 7.2, with the count of tags */
#define PROFILE_TAG_BYTES    12u

void keep_warn(unsigned *warnings, char *warning, size_t size, const char *format, ...)
{
    if ((*warnings)++ > 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(warning, size, format, args);
    va_end(args);
}

struct keep_start keep_start(const struct codec_decode *job)
{
    return (struct keep_start){job->scratch->used_bytes, job->meta ? job->meta->used_bytes : 0};
}

void keep_begin_again(struct codec_decode *job, const struct keep_start *start)
{
    job->scratch->used_bytes = start->scratch_bytes;
    if (job->meta)
        job->meta->used_bytes = start->meta_bytes;
}

void keep_salvaged(struct codec_decode *job, uint64_t rows_read, uint64_t rows, const struct error *reason)
{
    snprintf(job->warning, sizeof job->warning, "salvaged %u %% of the rows: %.100s",
             (unsigned)(rows_read * 100 / rows), reason->reason);
    job->warnings++;
}

#define WARN(job, ...) keep_warn(&(job)->warnings, (job)->warning, sizeof(job)->warning, __VA_ARGS__)

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

size_t keep_need(size_t plain_bytes)
{
    const size_t blocks = plain_bytes / STORED_BLOCK_BYTES + 1;
    return scratch_need(1, meta_need(scratch_add(plain_bytes, blocks * STORED_EXTRA_BYTES + 64)));
}

int keep_limit(const struct codec_decode *job, size_t length_bytes, struct error *error)
{
    const uint64_t most_bytes = job->limits->max_metadata_bytes;
    const size_t need_bytes = meta_need(length_bytes);
    if (job->meta->used_bytes > most_bytes || need_bytes > most_bytes - job->meta->used_bytes)
        return error_set(error, ERROR_LIMIT,
                         "%zu bytes of metadata or more, over max_metadata %zu; raise it with --max-metadata",
                         scratch_add(job->meta->used_bytes, need_bytes), (size_t)most_bytes);
    return 0;
}

static int no_room(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "more room for metadata needed than was planned");
}

static int put(struct codec_decode *job, const char tag[4], uint32_t flags, const uint8_t *data,
               size_t length_bytes, struct error *error)
{
    TRY(keep_limit(job, length_bytes, error));
    return meta_put(job->meta, tag, flags, data, length_bytes) < 0 ? no_room(error) : 0;
}

/* The profile says how long it is, is one, and has its tags inside. */
static bool profile_sound(const uint8_t *profile, size_t length_bytes)
{
    if (length_bytes < PROFILE_HEADER_BYTES || read32(profile) != length_bytes ||
        memcmp(profile + 36, "acsp", 4) != 0)
        return false;
    const size_t count = read32(profile + 128);
    if (count > (length_bytes - PROFILE_HEADER_BYTES) / PROFILE_TAG_BYTES)
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *tag = profile + PROFILE_HEADER_BYTES + i * PROFILE_TAG_BYTES;
        const size_t start = read32(tag + 4), length = read32(tag + 8);
        if (start > length_bytes || length > length_bytes - start)
            return false;
    }
    return true;
}

static size_t stored(uint8_t *to, const uint8_t *from, size_t length_bytes)
{
    uint8_t *at = to;
    *at++ = 0x78;
    *at++ = 0x01;
    for (size_t done = 0; done < length_bytes;) {
        const size_t left = length_bytes - done;
        const unsigned part = left < STORED_BLOCK_BYTES ? (unsigned)left : STORED_BLOCK_BYTES;
        at[0] = part == left;
        at[1] = (uint8_t)part;
        at[2] = (uint8_t)(part >> 8);
        at[3] = (uint8_t)~at[1];
        at[4] = (uint8_t)~at[2];
        memcpy(at + STORED_EXTRA_BYTES, from + done, part);
        at += STORED_EXTRA_BYTES + part;
        done += part;
    }
    write32(at, (uint32_t)adler32_z(adler32_z(0, NULL, 0), from, length_bytes));
    return (size_t)(at - to) + 4;
}

int keep_profile(struct codec_decode *job, const uint8_t *profile, size_t length_bytes, struct error *error)
{
    if (!profile_sound(profile, length_bytes)) {
        WARN(job, "colour profile: invalid");
        return 0;
    }
    const bool colour = job->shape.channels >= 3;
    if (memcmp(profile + 16, colour ? "RGB " : "GRAY", 4) != 0) {
        WARN(job, "dropped a colour profile that is not for %s", colour ? "RGB" : "grey");
        return 0;
    }
    TRY(keep_limit(job, length_bytes, error));
    uint8_t *chunk = scratch_alloc(job->scratch, 1, keep_need(length_bytes));
    if (!chunk)
        return no_room(error);
    memcpy(chunk, profile_name, sizeof profile_name);
    chunk[sizeof profile_name] = 0;
    const size_t packed_bytes = stored(chunk + PROFILE_START_BYTES, profile, length_bytes);
    return put(job, "iCCP", colour ? META_RGB_ONLY : META_GREY_ONLY, chunk,
               PROFILE_START_BYTES + packed_bytes, error);
}

int keep_exif(struct codec_decode *job, const uint8_t *tiff, size_t length_bytes, struct error *error)
{
    if (exif_sound(tiff, length_bytes))
        return put(job, "eXIf", 0, tiff, length_bytes, error);
    WARN(job, "EXIF: invalid");
    return 0;
}

int keep_xmp(struct codec_decode *job, const uint8_t *packet, size_t length_bytes, struct error *error)
{
    TRY(keep_limit(job, length_bytes, error));
    uint8_t *chunk = scratch_alloc(job->scratch, 1, keep_need(length_bytes));
    if (!chunk)
        return no_room(error);
    memcpy(chunk, xmp_start, XMP_START_BYTES);
    memcpy(chunk + XMP_START_BYTES, packet, length_bytes);
    return put(job, "iTXt", 0, chunk, XMP_START_BYTES + length_bytes, error);
}

int keep_resources(struct codec_decode *job, const uint8_t *resources, size_t length_bytes,
                   struct error *error)
{
    return put(job, KEEP_RESOURCES_TAG, 0, resources, length_bytes, error);
}

int keep_resolution(struct codec_decode *job, uint32_t x, uint32_t y, bool per_metre, struct error *error)
{
    uint8_t data[9];
    write32(data, x);
    write32(data + 4, y);
    data[8] = per_metre;
    return put(job, "pHYs", 0, data, sizeof data, error);
}

const uint8_t *keep_oriented(const uint8_t *tiff, size_t length_bytes, const struct shape *shape,
                             struct scratch *scratch)
{
    const uint8_t orientation = exif_orientation(tiff, length_bytes);
    if (shape->orientation == 0 || orientation == 0 || orientation == shape->orientation)
        return tiff;
    uint8_t *copy = scratch_alloc(scratch, 1, length_bytes);
    if (!copy)
        return NULL;
    memcpy(copy, tiff, length_bytes);
    exif_orient(copy, length_bytes, shape->orientation);
    return copy;
}

/* inflate's state and window take under 48 KiB (zlib's README); and what alignment adds. */
#define INFLATE_SCRATCH (64u << 10)

size_t keep_blocks_bytes(size_t meta_bytes)
{
    size_t total = meta_bytes; /* what is not packed */
    for (unsigned i = 0; i < KEEP_RATIO; i++)
        total = scratch_add(total, meta_bytes);
    return total;
}

size_t keep_blocks_scratch(size_t meta_bytes)
{
    /* The profile in plain and a copy of EXIF, each rounded up. */
    return meta_bytes ? scratch_add(keep_blocks_bytes(meta_bytes), INFLATE_SCRATCH + 2 * SCRATCH_ALIGN) : 0;
}

static void *zlib_take(void *scratch, unsigned count, unsigned size)
{
    return scratch_alloc(scratch, count, size);
}

/* Nothing is given back before the run ends. */
static void zlib_give(void *scratch, void *block)
{
    (void)scratch, (void)block;
}

static int unpack_profile(struct codec_encode *job, const struct meta_entry *entry,
                          struct keep_block *profile, struct error *error)
{
    const bool colour = job->shape.channels >= 3;
    if (entry->flags & (colour ? META_GREY_ONLY : META_RGB_ONLY)) {
        WARN(job, "dropped a colour profile that is for %s images", colour ? "grey" : "RGB");
        return 0;
    }
    const size_t most = entry->length_bytes < 80 ? entry->length_bytes : 80;
    const uint8_t *end = most ? memchr(entry->data, 0, most) : NULL;
    const size_t start = end ? (size_t)(end - entry->data) + 2 : most;
    const size_t room = entry->length_bytes * KEEP_RATIO;
    if (!end || start >= entry->length_bytes || entry->length_bytes > UINT32_MAX / KEEP_RATIO)
        return error_set(error, ERROR_INTERNAL, "metadata is not a valid list");
    uint8_t *plain = scratch_alloc(job->scratch, 1, room);
    z_stream zlib = {.zalloc = zlib_take, .zfree = zlib_give, .opaque = job->scratch};
    if (!plain || inflateInit(&zlib) != Z_OK)
        return no_room(error);
    zlib.next_in = (Bytef *)(uintptr_t)(entry->data + start); /* zlib reads only, whatever its type says */
    zlib.avail_in = (unsigned)(entry->length_bytes - start);
    zlib.next_out = plain;
    zlib.avail_out = (unsigned)room;
    const int code = inflate(&zlib, Z_FINISH);
    if (code == Z_MEM_ERROR)
        return no_room(error);
    if (code == Z_STREAM_END && profile_sound(plain, zlib.total_out))
        *profile = (struct keep_block){plain, zlib.total_out};
    else
        WARN(job, code == Z_BUF_ERROR ? "dropped a colour profile that unpacks to more than 8 times its size"
                                      : "dropped a colour profile that is invalid");
    return 0;
}

static int take_up(struct codec_encode *job, const struct meta_entry *entry, struct keep_blocks *blocks,
                   struct error *error)
{
    if (memcmp(entry->tag, "iCCP", 4) == 0 && !blocks->profile.bytes)
        return unpack_profile(job, entry, &blocks->profile, error);
    if (memcmp(entry->tag, "eXIf", 4) == 0 && !blocks->exif.bytes) {
        const uint8_t *tiff = keep_oriented(entry->data, entry->length_bytes, &job->shape, job->scratch);
        if (!tiff)
            return no_room(error);
        blocks->exif = (struct keep_block){tiff, entry->length_bytes};
    } else if (memcmp(entry->tag, "iTXt", 4) == 0 && entry->length_bytes > XMP_START_BYTES &&
               memcmp(entry->data, xmp_start, XMP_START_BYTES) == 0 && !blocks->xmp.bytes) {
        blocks->xmp =
            (struct keep_block){entry->data + XMP_START_BYTES, entry->length_bytes - XMP_START_BYTES};
    } else if (memcmp(entry->tag, KEEP_RESOURCES_TAG, 4) == 0) {
        if (blocks->resource_count < KEEP_RESOURCES)
            blocks->resources[blocks->resource_count++] =
                (struct keep_block){entry->data, entry->length_bytes};
    } else if (memcmp(entry->tag, "pHYs", 4) == 0 && entry->length_bytes == 9) {
        blocks->x_density = read32(entry->data);
        blocks->y_density = read32(entry->data + 4);
        blocks->per_metre = entry->data[8] == 1;
    }
    return 0;
}

int keep_blocks(struct codec_encode *job, struct keep_blocks *blocks, struct error *error)
{
    *blocks = (struct keep_blocks){0};
    if (!job->meta || job->save->strip)
        return 0;
    size_t position = 0;
    struct meta_entry entry;
    int more;
    while ((more = meta_next(job->meta, &position, &entry)) > 0)
        TRY(take_up(job, &entry, blocks, error));
    return more < 0 ? error_set(error, ERROR_INTERNAL, "metadata is not a valid list") : 0;
}
