/* SPDX-License-Identifier: MIT */
/* PNG: as it is, and with the checksums of its chunks made good, so that damage reaches what is behind them.
 * The fast way must give libpng's verdict and pixels, piece by piece too; salvage must live. */
#include <zlib.h>

#include "fuzz_codec.h"
#include "stages/codec/png_private.h"

extern const struct codec png_codec;

static void mend_checksums(uint8_t *bytes, size_t size)
{
    for (size_t at = PNG_SIGNATURE_BYTES; at + PNG_CHUNK_EXTRA <= size;) {
        const size_t length = png_get_uint_32(bytes + at);
        if (length > size - at - PNG_CHUNK_EXTRA)
            return;
        png_save_uint_32(bytes + at + 8 + length, (png_uint_32)crc32(0, bytes + at + 4, (uInt)length + 4));
        at += length + PNG_CHUNK_EXTRA;
    }
}

/* Does zlib refuse the image data for sets of code lengths that leave codes unused? ISA-L does not
 * (stages/codec/deflate.h). */
static bool unused_codes(const uint8_t *bytes, size_t size)
{
    z_stream stream = {0};
    size_t at = PNG_IHDR_END;
    struct png_chunk chunk;
    int code = Z_OK;
    FUZZ_CHECK(inflateInit(&stream) == Z_OK);
    while (code == Z_OK && png_chunk_next(bytes, size, &at, &chunk)) {
        if (!chunk.data || memcmp(chunk.type, "IDAT", 4) != 0)
            continue;
        uint8_t out[4096];
        stream.next_in = (uint8_t *)(uintptr_t)chunk.data;
        stream.avail_in = (uInt)chunk.length_bytes;
        do {
            stream.next_out = out;
            stream.avail_out = sizeof out;
            code = inflate(&stream, Z_NO_FLUSH);
        } while (code == Z_OK && stream.avail_out == 0);
        code = code == Z_BUF_ERROR ? Z_OK : code;
    }
    const bool unused = code == Z_DATA_ERROR && stream.msg && strstr(stream.msg, "s set");
    inflateEnd(&stream);
    return unused;
}

/* A fast decode that does not leave it to libpng agrees with it. */
static void compare_ways(const uint8_t *bytes, size_t size)
{
    struct fuzz_image fast = {0}, slow;
    if (!size || !fuzz_peek(&png_codec, bytes, size, &fuzz_limits, &fast.info))
        return;
    slow = fast;
    if (fuzz_decode_once(png_decode_fast, bytes, size, &fuzz_limits, 0xa5, &fast) < 0)
        return;
    if (fuzz_decode_once(png_decode_by_libpng, bytes, size, &fuzz_limits, 0x5a, &slow) < 0) {
        FUZZ_CHECK(unused_codes(bytes, size));
        fuzz_free(&fast);
        return;
    }
    FUZZ_CHECK(shape_bytes(&fast.shape) == shape_bytes(&slow.shape));
    FUZZ_CHECK(memcmp(fast.pixels, slow.pixels, shape_bytes(&fast.shape)) == 0);
    fuzz_free(&fast);
    fuzz_free(&slow);
}

/* What is left of the file, in pieces of a few lengths, each in memory of its own. */
struct pieces {
    const uint8_t *bytes;
    size_t left_bytes;
    uint8_t *piece;
};

static int next_piece(void *context, const uint8_t **piece, size_t *piece_bytes, struct error *error)
{
    struct pieces *pieces = context;
    (void)error;
    free(pieces->piece);
    pieces->piece = NULL;
    *piece_bytes = 1 + pieces->left_bytes % 61;
    *piece_bytes = *piece_bytes < pieces->left_bytes ? *piece_bytes : pieces->left_bytes;
    if (*piece_bytes > 0) {
        pieces->piece = fuzz_take(*piece_bytes, 0);
        memcpy(pieces->piece, pieces->bytes, *piece_bytes);
    }
    pieces->bytes += *piece_bytes;
    pieces->left_bytes -= *piece_bytes;
    *piece = pieces->piece;
    return 0;
}

static int decode_pieces(struct codec_decode *job, struct error *error)
{
    struct pieces pieces = {.bytes = job->bytes, .left_bytes = job->length_bytes};
    const struct codec_feed feed = {next_piece, &pieces};
    job->feed = &feed;
    fuzz_rows_codec = &png_codec;
    const int code = fuzz_decode_rows(job, error);
    FUZZ_CHECK(code < 0 || pieces.left_bytes == 0);
    free(pieces.piece);
    return code;
}

/* Piece by piece it is the same image, or the whole file is asked for. */
static void compare_pieces(const uint8_t *bytes, size_t size)
{
    struct fuzz_image pieces = {0}, whole;
    if (!size || !fuzz_peek(&png_codec, bytes, size, &fuzz_limits, &pieces.info))
        return;
    whole = pieces;
    pieces.info.scratch_bytes += png_rows_scratch() + png_pieces_scratch(); /* not planned for small images */
    const int code = fuzz_decode_once(decode_pieces, bytes, size, &fuzz_limits, 0xa5, &pieces);
    FUZZ_CHECK(code == 0 || code == ERROR_ROOM);
    if (code < 0)
        return;
    FUZZ_CHECK(fuzz_decode_once(png_codec.decode, bytes, size, &fuzz_limits, 0x5a, &whole) == 0);
    fuzz_same_shape(&pieces.shape, &whole.shape);
    FUZZ_CHECK(memcmp(pieces.pixels, whole.pixels, shape_bytes(&pieces.shape)) == 0);
    FUZZ_CHECK(pieces.meta.used_bytes == whole.meta.used_bytes &&
               memcmp(pieces.meta.block, whole.meta.block, pieces.meta.used_bytes) == 0);
    fuzz_free(&pieces);
    fuzz_free(&whole);
}

static void look(const uint8_t *bytes, size_t size)
{
    static const struct codec_load load = {.on_corrupt = CODEC_SALVAGE};
    struct codec_limits lenient = fuzz_limits;
    struct fuzz_image image;
    lenient.load = &load;
    compare_ways(bytes, size);
    compare_pieces(bytes, size);
    if (fuzz_decode(&png_codec, bytes, size, &fuzz_limits, &image) == 0)
        fuzz_round_trip(&png_codec, &fuzz_limits, &image);
    else if (fuzz_decode(&png_codec, bytes, size, &lenient, &image) < 0)
        return;
    fuzz_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    look(data, size);
    uint8_t *mended = fuzz_take(size, 0);
    if (size)
        memcpy(mended, data, size);
    mend_checksums(mended, size);
    look(mended, size);
    free(mended);
    return 0;
}
