/* SPDX-License-Identifier: MIT */
/* ISA-L (igzip). It allocates nothing and keeps the last 32 KiB itself. */
#include <isa-l.h>
#include <isa-l/igzip_lib.h>
#include <string.h>

#include "stages/codec/deflate_backend.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

/* avail_in and avail_out are 32 bits wide. */
#define MOST_AT_ONCE (1u << 30)

/* The AVX2 code of ISA-L 2.30 enters the third byte of a stream under a hash of the stream's address, not of
 * what is there: which matches with the first bytes are found differs from place to place. The code for the
 * last bytes before a flush does not, and bytes so few are left to it: a stream begins with a flush. That
 * costs 15 bytes. */
#define FIRST_BYTES 8u

struct isal_deflater {
    struct deflater base;
    uint8_t *out;
    size_t out_bytes;
    uint8_t first[FIRST_BYTES];
    size_t first_count;
    struct isal_zstream stream;
};

struct isal_inflater {
    struct inflater base;
    bool begun;
    struct inflate_state state;
};

/* ISA-L holds a stream to a window only where it is told its size, and then only blocks that bring their own
 * codes: for the fixed ones it copies tables made beforehand (igzip_inflate.c, setup_static_header), as a
 * whole. The end of a table, which no block's own codes reach, then has another value than this. */
#define NO_FIXED_CODES 0xffffu

static uint16_t *end_of_codes(struct inflate_state *state)
{
    uint16_t *codes = state->dist_huff_code.long_code_lookup;
    return codes + sizeof state->dist_huff_code.long_code_lookup / sizeof *codes - 1;
}

/* The first byte of a stream says how far back its matches may reach: to 2^(8 + its upper half). */
static void keep_to_window(struct inflate_state *state, unsigned first_byte)
{
    state->hist_bits = 8 + (first_byte >> 4);
    *end_of_codes(state) = NO_FIXED_CODES;
}

static bool kept_to_window(struct inflate_state *state)
{
    return state->hist_bits >= 15 || *end_of_codes(state) == NO_FIXED_CODES;
}

/* ISA-L 2.30 leaves the upper halves of AVX registers in use, after which every SSE instruction waits for the
 * one before; undoing filters took 2.5 times as long. */
#ifdef __x86_64__
__attribute__((target("avx"))) static void clear_upper_halves(void)
{
    _mm256_zeroupper();
}

static void leave_library(void)
{
    if (__builtin_cpu_supports("avx"))
        clear_upper_halves();
}
#else
static void leave_library(void)
{
}
#endif

static uint32_t level_bytes(int level)
{
    return level == 0 ? ISAL_DEF_LVL0_DEFAULT : level == 1 ? ISAL_DEF_LVL1_DEFAULT : ISAL_DEF_LVL2_DEFAULT;
}

static size_t scratch_for_deflate(int level)
{
    return scratch_add(scratch_need(1, sizeof(struct isal_deflater)), scratch_need(1, level_bytes(level)));
}

static struct deflater *begin_deflate(int level, uint8_t *out, size_t out_bytes, struct scratch *scratch)
{
    struct isal_deflater *deflater = scratch_alloc(scratch, 1, sizeof *deflater);
    uint8_t *level_buffer = scratch_alloc(scratch, 1, level_bytes(level));
    if (!deflater || !level_buffer)
        return NULL;
    deflater->out = out;
    deflater->out_bytes = out_bytes;
    deflater->first_count = 0;
    isal_deflate_init(&deflater->stream);
    deflater->stream.level = (uint32_t)level;
    deflater->stream.level_buf = level_buffer;
    deflater->stream.level_buf_size = level_bytes(level);
    deflater->stream.gzip_flag = IGZIP_ZLIB;
    return &deflater->base;
}

static bool deflate_bytes(struct isal_deflater *deflater, const uint8_t *bytes, size_t count, bool last,
                          uint16_t flush)
{
    struct isal_zstream *stream = &deflater->stream;
    size_t left_bytes = deflater->out_bytes - deflater->base.length_bytes;
    stream->next_in = (uint8_t *)(uintptr_t)bytes; /* read only, whatever its type says */
    stream->avail_in = (uint32_t)count;
    stream->next_out = deflater->out + deflater->base.length_bytes;
    stream->avail_out = (uint32_t)(left_bytes < MOST_AT_ONCE ? left_bytes : MOST_AT_ONCE);
    stream->end_of_stream = last;
    stream->flush = flush;
    int code = isal_deflate(stream);
    leave_library();
    if (code != COMP_OK || stream->avail_in > 0)
        return false;
    deflater->base.length_bytes = (size_t)(stream->next_out - deflater->out);
    if (last)
        return stream->internal_state.state == ZSTATE_END;
    return flush == NO_FLUSH || stream->internal_state.state == ZSTATE_NEW_HDR;
}

static bool more_deflate(struct deflater *base, const uint8_t *piece, size_t piece_bytes, bool last)
{
    struct isal_deflater *deflater = (struct isal_deflater *)base;
    if (piece_bytes > MOST_AT_ONCE)
        return false;
    if (deflater->first_count < FIRST_BYTES) {
        const size_t wanted = FIRST_BYTES - deflater->first_count;
        const size_t count = piece_bytes < wanted ? piece_bytes : wanted;
        memcpy(deflater->first + deflater->first_count, piece, count);
        deflater->first_count += count;
        piece += count;
        piece_bytes -= count;
        const bool full = deflater->first_count == FIRST_BYTES;
        if (!full && !last)
            return true;
        if (!full || (last && piece_bytes == 0))
            return deflate_bytes(deflater, deflater->first, deflater->first_count, true, NO_FLUSH);
        if (!deflate_bytes(deflater, deflater->first, FIRST_BYTES, false, SYNC_FLUSH))
            return false;
    }
    return deflate_bytes(deflater, piece, piece_bytes, last, NO_FLUSH);
}

static size_t scratch_for_inflate(void)
{
    return scratch_need(1, sizeof(struct isal_inflater));
}

static struct inflater *begin_inflate(const struct inflate_source *source, struct scratch *scratch)
{
    (void)source;
    struct isal_inflater *inflater = scratch_alloc(scratch, 1, sizeof *inflater);
    if (!inflater)
        return NULL;
    isal_inflate_init(&inflater->state);
    inflater->state.crc_flag = ISAL_ZLIB;
    inflater->state.avail_in = 0;
    inflater->begun = false;
    return &inflater->base;
}

/* Gives the library its next piece of the source when it has used up the last one. */
static bool feed(struct isal_inflater *inflater)
{
    const struct inflate_source *source = inflater->base.source;
    const uint8_t *piece;
    size_t piece_bytes;
    if (inflater->state.avail_in > 0)
        return true;
    if (!source->next(source->context, &piece, &piece_bytes) || piece_bytes > UINT32_MAX)
        return false;
    if (!inflater->begun && piece_bytes > 0) {
        keep_to_window(&inflater->state, piece[0]);
        inflater->begun = true;
    }
    inflater->state.next_in = (uint8_t *)(uintptr_t)piece;
    inflater->state.avail_in = (uint32_t)piece_bytes;
    return true;
}

/* Is there nothing left but the end of the stream, and nothing after it? Not in the bytes either that the
 * library has taken ahead. */
static bool finish(struct isal_inflater *inflater)
{
    struct inflate_state *state = &inflater->state;
    uint8_t beyond;
    state->next_out = &beyond;
    state->avail_out = 1;
    while (state->block_state != ISAL_BLOCK_FINISH) {
        if (isal_inflate(state) != ISAL_DECOMP_OK || state->avail_out == 0)
            return false;
        if (state->block_state != ISAL_BLOCK_FINISH && (state->avail_in > 0 || !feed(inflater)))
            return false;
    }
    return state->avail_in == 0 && state->read_in_length < 8 && !feed(inflater) && kept_to_window(state);
}

static bool inflate_piece(struct isal_inflater *inflater, uint8_t *piece, size_t piece_bytes, bool last)
{
    struct inflate_state *state = &inflater->state;
    if (piece_bytes > MOST_AT_ONCE)
        return false;
    state->next_out = piece;
    state->avail_out = (uint32_t)piece_bytes;
    while (state->avail_out > 0) {
        if (state->block_state == ISAL_BLOCK_FINISH || isal_inflate(state) != ISAL_DECOMP_OK)
            return false;
        if (state->avail_out > 0 && state->block_state != ISAL_BLOCK_FINISH && !feed(inflater))
            return false;
    }
    return !last || finish(inflater);
}

static bool more_inflate(struct inflater *base, uint8_t *piece, size_t piece_bytes, bool last)
{
    bool sound = inflate_piece((struct isal_inflater *)base, piece, piece_bytes, last);
    leave_library();
    return sound;
}

const struct deflate_backend deflate_isal = {
    .whole = false,
    .version = "ISA-L " TEXT(ISAL_MAJOR_VERSION) "." TEXT(ISAL_MINOR_VERSION) "." TEXT(ISAL_PATCH_VERSION),
    .deflate_scratch = scratch_for_deflate,
    .deflate_begin = begin_deflate,
    .deflate_more = more_deflate,
    .inflate_scratch = scratch_for_inflate,
    .inflate_begin = begin_inflate,
    .inflate_more = more_inflate,
};
