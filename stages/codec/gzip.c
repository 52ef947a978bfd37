/* SPDX-License-Identifier: MIT */
#include "stages/gzip.h"

#include <inttypes.h>
#include <string.h>

#include "stages/codec/zmemory.h"

#define WINDOW_BITS   15
#define AS_GZIP       16    /* zlib's way to ask for gzip: added to the window bits */
#define DISCARD_BYTES 32768 /* where output goes that is only counted */

/* Packed files may always unpack to this much, or small ones would be refused for their ratio. */
#define RATIO_FROM_BYTES ((uint64_t)1 << 20)

size_t gzip_scratch_bytes(void)
{
    const size_t unpack = scratch_add(ZMEMORY_INFLATE_BYTES(WINDOW_BITS), scratch_need(1, DISCARD_BYTES));
    return unpack > ZMEMORY_DEFLATE_BYTES ? unpack : ZMEMORY_DEFLATE_BYTES;
}

bool gzip_sniff(const uint8_t *head, size_t head_bytes)
{
    return head_bytes >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

/* One run of gzip_unpack. */
struct unpacking {
    struct gzip_unpack *job;
    z_stream stream;
    size_t read_bytes; /* of the file */
    uint64_t most_bytes;
    uint8_t *discard; /* DISCARD_BYTES */
};

static uint64_t most_of(const struct gzip_unpack *job)
{
    uint64_t most = UINT64_MAX;
    if (job->max_ratio > 0 && __builtin_mul_overflow((uint64_t)job->length_bytes, job->max_ratio, &most))
        most = UINT64_MAX;
    if (most < RATIO_FROM_BYTES)
        most = RATIO_FROM_BYTES;
    return most < job->max_bytes ? most : job->max_bytes;
}

static int too_much(const struct unpacking *run, struct error *error)
{
    const struct gzip_unpack *job = run->job;
    if (run->most_bytes == job->max_bytes)
        return error_set(error, ERROR_LIMIT,
                         "unpacks to more than %" PRIu64 " bytes, over max_file %" PRIu64
                         "; raise it with --max-file",
                         run->most_bytes, job->max_bytes);
    return error_set(error, ERROR_LIMIT,
                     "%zu bytes that unpack to more than %" PRIu64 ", over max_ratio %" PRIu64
                     "; raise it with --max-ratio",
                     job->length_bytes, run->most_bytes, job->max_ratio);
}

/* Sets where the next output goes: to `out` while there is room, then where it is only counted; never more
 * than one byte over the limit. */
static void next_output(struct unpacking *run)
{
    struct gzip_unpack *job = run->job;
    const bool fits = job->unpacked_bytes < job->out_bytes;
    const uint64_t left = run->most_bytes - job->unpacked_bytes;
    size_t room = fits ? job->out_bytes - job->unpacked_bytes : DISCARD_BYTES;
    if (left < room)
        room = (size_t)left + 1;
    run->stream.next_out = fits ? job->out + job->unpacked_bytes : run->discard;
    run->stream.avail_out = zmemory_piece(room);
}

static int stream_error(int code, const z_stream *stream, struct error *error)
{
    if (code == Z_MEM_ERROR)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned to unpack");
    return error_set(error, ERROR_CORRUPT, "gzip: %s", stream->msg ? stream->msg : "damaged");
}

/* One member, from its header to its sums, which zlib checks. */
static int unpack_member(struct unpacking *run, struct error *error)
{
    struct gzip_unpack *job = run->job;
    z_stream *stream = &run->stream;
    for (int code = Z_OK; code != Z_STREAM_END;) {
        const uInt given = zmemory_piece(job->length_bytes - run->read_bytes);
        stream->next_in = (z_const Bytef *)(job->bytes + run->read_bytes);
        stream->avail_in = given;
        next_output(run);
        const uInt room = stream->avail_out;
        code = inflate(stream, Z_NO_FLUSH);
        run->read_bytes += given - stream->avail_in;
        job->unpacked_bytes += room - stream->avail_out;
        if (job->unpacked_bytes > run->most_bytes)
            return too_much(run, error);
        if (code == Z_BUF_ERROR) /* no progress, though there was room */
            return error_set(error, ERROR_CORRUPT, "gzip: the file ends early");
        if (code != Z_OK && code != Z_STREAM_END)
            return stream_error(code, stream, error);
    }
    return 0;
}

static int unpack_all(struct unpacking *run, struct error *error)
{
    const struct gzip_unpack *job = run->job;
    for (size_t at = 0; at < job->length_bytes; at = run->read_bytes) {
        if (!gzip_sniff(job->bytes + at, job->length_bytes - at)) {
            while (at > 0 && at < job->length_bytes && job->bytes[at] == 0)
                at++;
            if (at == job->length_bytes)
                return 0;
            if (at == 0)
                return error_set(error, ERROR_CORRUPT, "not a gzip file");
            return error_set(error, ERROR_CORRUPT, "gzip: neither a member nor zeros at byte %zu", at);
        }
        const int code = inflateReset(&run->stream);
        if (code != Z_OK)
            return stream_error(code, &run->stream, error);
        TRY(unpack_member(run, error));
    }
    return 0;
}

int gzip_unpack(struct gzip_unpack *job, struct error *error)
{
    struct unpacking run = {.job = job, .most_bytes = most_of(job)};
    const size_t used_bytes = job->scratch->used_bytes;
    job->unpacked_bytes = 0;
    if (job->length_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "file is empty");
    run.discard = scratch_alloc(job->scratch, 1, DISCARD_BYTES);
    zmemory_use(&run.stream, job->scratch);
    int code = run.discard ? inflateInit2(&run.stream, WINDOW_BITS + AS_GZIP) : Z_MEM_ERROR;
    code = code == Z_OK ? unpack_all(&run, error) : stream_error(code, &run.stream, error);
    job->scratch->used_bytes = used_bytes;
    if (code == 0 && job->unpacked_bytes > job->out_bytes)
        return error_set(error, ERROR_ROOM, "unpacks to %zu bytes, and there is room for %zu",
                         job->unpacked_bytes, job->out_bytes);
    return code;
}

/* zlib's bound for its usual window and memory (deflate.c): 5 bytes for each block that stays as it is, and
 * the header and sums. */
size_t gzip_bound(size_t length_bytes)
{
    const size_t blocks = (length_bytes >> 12) + (length_bytes >> 14) + (length_bytes >> 25);
    return scratch_add(length_bytes, blocks + 64);
}

int gzip_pack(const uint8_t *bytes, size_t length_bytes, int level, uint8_t *out, size_t out_bytes,
              size_t *packed_bytes, struct scratch *scratch, struct error *error)
{
    z_stream stream;
    gz_header header = {.os = 255}; /* unknown, as RFC 1952 numbers systems; no time, no name */
    const size_t used_bytes = scratch->used_bytes;
    size_t read_bytes = 0;
    *packed_bytes = 0;
    zmemory_use(&stream, scratch);
    int code = deflateInit2(&stream, level, Z_DEFLATED, WINDOW_BITS + AS_GZIP, 8, Z_DEFAULT_STRATEGY);
    if (code == Z_OK)
        code = deflateSetHeader(&stream, &header);
    while (code == Z_OK) {
        const uInt given = zmemory_piece(length_bytes - read_bytes),
                   room = zmemory_piece(out_bytes - *packed_bytes);
        stream.next_in = (z_const Bytef *)(bytes + read_bytes);
        stream.avail_in = given;
        stream.next_out = out + *packed_bytes;
        stream.avail_out = room;
        code = deflate(&stream, given == length_bytes - read_bytes ? Z_FINISH : Z_NO_FLUSH);
        read_bytes += given - stream.avail_in;
        *packed_bytes += room - stream.avail_out;
    }
    scratch->used_bytes = used_bytes;
    if (code == Z_MEM_ERROR)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned to pack");
    if (code != Z_STREAM_END)
        return error_set(error, ERROR_INTERNAL, "the packed file came out larger than planned");
    return 0;
}
