/* SPDX-License-Identifier: MIT */
/* Tells a hash of each item, and passes the item on.
 *
 * content: SHA-256 of a line of text and the samples. The line is the sample type, the dimensions as numpy
 * has them, and a newline: "u8 480 640 3\n", "f32 100\n"; an image of one channel has two dimensions. The
 * samples follow in C order, little endian. Whatever file they came from, the same samples have the same
 * hash, which Python gives for an array `a` as hashlib.sha256(" ".join(["u8", *map(str, a.shape)]).encode() +
 * b"\n" + a.tobytes()).hexdigest()
 *
 * ahash, dhash, phash: 64 bits of what an image looks like, as the imagehash package for Python makes and
 * prints them (average_hash, dhash, phash; after Neal Krawetz, "Looks Like It", 2011, and "Kind of Like
 * That", 2013). The image becomes a grey picture of a few pixels, resampled as Pillow's LANCZOS does; a bit,
 * the first one topmost, is set where a pixel is ahash  above the mean of all 8 x 8 dhash  above its
 * neighbour on the left, of 9 x 8 phash  not a pixel, but one of the 8 x 8 lowest coefficients of the DCT-II
 * of 32 x 32: above their median
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "stages/image/sha256.h"
#include "stages/image/thumbnail.h"
#include "stages/stage.h"
#include "stages/synthetic/pass.h"

#define KINDS "content|ahash|dhash|phash"
enum hash_kind { HASH_CONTENT, HASH_AVERAGE, HASH_DIFFERENCE, HASH_DCT };
static const char *const names[] = {"content", "ahash", "dhash", "phash"};

/* The grey pictures. */
static const struct {
    uint32_t width, height;
} pictures[] = {[HASH_AVERAGE] = {8, 8}, [HASH_DIFFERENCE] = {9, 8}, [HASH_DCT] = {32, 32}};
#define DCT_SIZE 32

struct hash_params {
    int kind; /* enum hash_kind */
};

static const struct param hash_table[] = {
    {.name = "kind",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct hash_params, kind),
     .initial = "content",
     .choices = KINDS,
     .unit = "",
     .help = "SHA-256 of shape and samples, or 64 bits of what an image looks like"},
    PARAM_END,
};

static int hash_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    const int kind = ((const struct hash_params *)params)->kind;
    if (kind != HASH_CONTENT && in->kind == SHAPE_ARRAY)
        return error_set(error, ERROR_UNSUPPORTED,
                         "%s is of images; take kind=content, or put to_image before it", names[kind]);
    pass_plan(in, plan, true);
    plan->whole = true;
    plan->record_bytes = RECORD_TEXT_BYTES;
    if (kind != HASH_CONTENT)
        plan->rows_scratch_bytes = thumbnail_need(in, pictures[kind].width, pictures[kind].height);
    return 0;
}

static void add_shape(struct sha256 *sha, const struct shape *shape)
{
    const uint64_t sizes[] = {shape->height, shape->width, shape->channels};
    const bool array = shape->kind == SHAPE_ARRAY;
    const unsigned rank = array ? shape->rank : shape->channels == 1 ? 2 : 3;
    char text[32];
    const char *name = shape_sample_name(shape->sample);
    sha256_add(sha, name, strlen(name));
    for (unsigned i = 0; i < rank; i++) {
        const int length =
            snprintf(text, sizeof text, " %llu", (unsigned long long)(array ? shape->dims[i] : sizes[i]));
        sha256_add(sha, text, (size_t)length);
    }
    sha256_add(sha, "\n", 1);
}

static void content_hash(const struct shape *shape, const uint8_t *samples, char hex[65])
{
    const size_t size = shape_sample_bytes(shape->sample), bytes = shape_bytes(shape);
    struct sha256 sha;
    sha256_begin(&sha);
    add_shape(&sha, shape);
#if __BYTE_ORDER == __LITTLE_ENDIAN
    (void)size;
    sha256_add(&sha, samples, bytes);
#else
    for (size_t i = 0; i < bytes; i++)
        sha256_add(&sha, samples + (i / size + 1) * size - 1 - i % size, 1);
#endif
    sha256_end(&sha, hex);
}

static uint64_t average_bits(const uint8_t *grey)
{
    uint64_t bits = 0;
    unsigned sum = 0;
    for (int i = 0; i < 64; i++)
        sum += grey[i];
    for (int i = 0; i < 64; i++)
        bits = bits << 1 | (64u * grey[i] > sum);
    return bits;
}

static uint64_t difference_bits(const uint8_t *grey)
{
    uint64_t bits = 0;
    for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 8; x++)
            bits = bits << 1 | (grey[9 * y + x + 1] > grey[9 * y + x]);
    }
    return bits;
}

/* cos(pi m / 64) in units of 2^-20: whole numbers, so that what is 0 for a flat picture is exactly 0. */
static int64_t cosine(unsigned m)
{
    static const int32_t table[] = {
        1048576, 1047313, 1043527, 1037227, 1028428, 1017151, 1003425, 987281, 968758, 947901, 924761,
        899394,  871859,  842224,  810560,  776944,  741455,  704181,  665210, 624636, 582558, 539076,
        494295,  448324,  401273,  353255,  304386,  254783,  204567,  153858, 102778, 51451,  0};
    m %= 128;
    m = m > 64 ? 128 - m : m;
    return m > 32 ? -table[64 - m] : table[m];
}

/* The 8 x 8 lowest coefficients, times 2^40 / 4. Below 2^8 x 2^10 x 2^40 = 2^58. */
static void transform(const uint8_t *grey, int64_t low[64])
{
    for (unsigned u = 0; u < 8; u++) {
        int64_t across[DCT_SIZE]; /* of each row, coefficient u */
        for (unsigned y = 0; y < DCT_SIZE; y++) {
            across[y] = 0;
            for (unsigned x = 0; x < DCT_SIZE; x++)
                across[y] += grey[y * DCT_SIZE + x] * cosine(u * (2 * x + 1));
        }
        for (unsigned v = 0; v < 8; v++) {
            low[v * 8 + u] = 0;
            for (unsigned y = 0; y < DCT_SIZE; y++)
                low[v * 8 + u] += across[y] * cosine(v * (2 * y + 1));
        }
    }
}

static uint64_t dct_bits(const uint8_t *grey)
{
    int64_t low[64], sorted[64];
    uint64_t bits = 0;
    transform(grey, low);
    for (int i = 0; i < 64; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > low[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = low[i];
    }
    for (int i = 0; i < 64; i++)
        bits = bits << 1 | (2 * low[i] > sorted[31] + sorted[32]);
    return bits;
}

static int tell_hash(const struct stage_run *run, struct scratch *scratch)
{
    const int kind = ((const struct hash_params *)run->params)->kind;
    char hex[65];
    if (kind == HASH_CONTENT) {
        content_hash(&run->in, run->src, hex);
    } else {
        uint8_t grey[DCT_SIZE * DCT_SIZE];
        TRY(thumbnail_make(&run->in, run->src, pictures[kind].width, pictures[kind].height, grey, scratch));
        const uint64_t bits = kind == HASH_AVERAGE      ? average_bits(grey)
                              : kind == HASH_DIFFERENCE ? difference_bits(grey)
                                                        : dct_bits(grey);
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)bits);
    }
    return record_text(run->record, names[kind], hex);
}

static int hash_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    if (run->record && tell_hash(run, scratch) < 0)
        return error_set(error, ERROR_INTERNAL, "scratch or record is smaller than planned");
    pass_rows(run, first, last);
    return 0;
}

const struct stage hash_stage = {
    .name = "hash",
    .group = "image",
    .summary = "Tell a hash of the samples, or of what an image looks like, and change nothing",
    .params = hash_table,
    .params_bytes = sizeof(struct hash_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .records = true,
    .plan = hash_plan,
    .rows = hash_rows,
};
