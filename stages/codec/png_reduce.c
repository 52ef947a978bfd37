/* SPDX-License-Identifier: MIT */
/* Fewer channels, bits or colours where the pixels stay what they are (section 12.4 of the PNG specification,
 * third edition, says what may be left out). */
#include <string.h>

#include "stages/codec/png_private.h"

/* Of the hash table that finds a colour's number; four times as many as there are colours. */
#define SLOT_BITS 10u

/* A palette must save this many times its own bytes of pixels, which compression makes fewer than it makes
 * those of the palette. Measured on icons, where the sum of their files is then the least. */
#define WORTH 8u

/* What the pixels have in common, as far as they were looked at. */
struct finding {
    bool halves; /* the two bytes of each 16-bit sample are equal */
    bool grey, opaque, few;
    unsigned count; /* of colours, while they are few */
    uint32_t colours[PNG_MAX_PALETTE_LENGTH];
    uint16_t slots[1u << SLOT_BITS]; /* a colour's number + 1; 0: free */
};

/* The colour's number, which is finding->count where it is new and a palette has no more room. */
static unsigned number_of(struct finding *finding, uint32_t colour)
{
    uint32_t slot = colour * 2654435761u >> (32 - SLOT_BITS); /* Knuth, TAOCP 3, 6.4 */
    for (; finding->slots[slot]; slot = (slot + 1) % (1u << SLOT_BITS))
        if (finding->colours[finding->slots[slot] - 1] == colour)
            return finding->slots[slot] - 1u;
    if (finding->count == PNG_MAX_PALETTE_LENGTH)
        return finding->count;
    finding->colours[finding->count++] = colour;
    finding->slots[slot] = (uint16_t)finding->count;
    return finding->count - 1;
}

/* A sample in 8 bits: of 16 the upper ones. */
static inline uint32_t sample_at(const uint8_t *pixel, size_t channel, size_t sample_bytes)
{
    uint16_t sample;
    if (sample_bytes == 1)
        return pixel[channel];
    memcpy(&sample, pixel + 2 * channel, sizeof sample);
    return sample >> 8;
}

static inline uint32_t colour_at(const uint8_t *pixel, size_t channels, size_t sample_bytes)
{
    uint32_t red = sample_at(pixel, 0, sample_bytes), alpha = 255;
    if (channels % 2 == 0)
        alpha = sample_at(pixel, channels - 1, sample_bytes);
    if (channels < 3)
        return (red << 16 | red << 8 | red) << 8 | alpha;
    return red << 24 | sample_at(pixel, 1, sample_bytes) << 16 | sample_at(pixel, 2, sample_bytes) << 8 |
           alpha;
}

static inline bool row_few(struct finding *finding, const uint8_t *row, size_t width, size_t channels,
                           size_t sample_bytes)
{
    uint32_t last = ~colour_at(row, channels, sample_bytes);
    for (size_t x = 0; x < width; x++) {
        uint32_t colour = colour_at(row + x * channels * sample_bytes, channels, sample_bytes);
        if (colour != last && number_of(finding, colour) == PNG_MAX_PALETTE_LENGTH)
            return false;
        last = colour;
    }
    return true;
}

static inline bool row_grey(const uint8_t *row, size_t width, size_t channels, size_t sample_bytes)
{
    for (size_t x = 0; x < width; x++, row += channels * sample_bytes)
        if (memcmp(row, row + sample_bytes, 2 * sample_bytes) != 0)
            return false;
    return true;
}

static inline bool row_opaque(const uint8_t *row, size_t width, size_t channels, size_t sample_bytes)
{
    for (size_t x = 0; x < width; x++, row += channels * sample_bytes)
        if (memcmp(row + (channels - 1) * sample_bytes, "\377\377", sample_bytes) != 0)
            return false;
    return true;
}

static bool row_halves(const uint8_t *row, size_t row_bytes)
{
    for (size_t i = 0; i < row_bytes; i += 2)
        if (row[i] != row[i + 1])
            return false;
    return true;
}

/* Looks for what is still possible; false where that is nothing. */
static inline bool look_at(struct finding *finding, const uint8_t *row, size_t width, size_t channels,
                           size_t sample_bytes)
{
    finding->halves = finding->halves && row_halves(row, width * channels * sample_bytes);
    finding->grey = finding->grey && row_grey(row, width, channels, sample_bytes);
    finding->opaque = finding->opaque && row_opaque(row, width, channels, sample_bytes);
    finding->few = finding->few && (sample_bytes == 1 || finding->halves) &&
                   row_few(finding, row, width, channels, sample_bytes);
    return finding->halves || finding->grey || finding->opaque || finding->few;
}

static void look(struct finding *finding, const struct codec_encode *job, bool may_grey)
{
    const struct shape *shape = &job->shape;
    size_t row_bytes = shape_row_bytes(shape), sample_bytes = shape_sample_bytes(shape->sample);
    *finding = (struct finding){.halves = sample_bytes == 2,
                                .grey = shape->channels >= 3 && may_grey,
                                .opaque = shape->channels % 2 == 0,
                                .few = true};
    bool more = true;
    for (size_t y = 0; y < shape->height && more; y++) {
        const uint8_t *row = job->pixels + y * row_bytes;
        /* What compilers know of is several times as fast. */
        if (sample_bytes == 1 && shape->channels == 4)
            more = look_at(finding, row, shape->width, 4, 1);
        else if (sample_bytes == 1 && shape->channels == 3)
            more = look_at(finding, row, shape->width, 3, 1);
        else
            more = look_at(finding, row, shape->width, shape->channels, sample_bytes);
    }
}

/* The fewest bits that hold all values of a grey image as PNG scales them. */
static uint8_t grey_bits(const struct finding *finding, uint8_t bits)
{
    uint8_t least = 1;
    for (unsigned i = 0; i < finding->count; i++)
        while (least < bits && (finding->colours[i] >> 24) % (255u / ((1u << least) - 1)) != 0)
            least = (uint8_t)(2 * least);
    return least;
}

static uint8_t index_bits(unsigned count)
{
    return count <= 2 ? 1 : count <= 4 ? 2 : count <= 16 ? 4 : 8;
}

/* The shape without a palette. */
static struct shape plain_shape(const struct finding *finding, const struct shape *shape)
{
    struct shape plain = *shape;
    plain.channels = (uint8_t)(shape->channels - (finding->opaque ? 1 : 0) - (finding->grey ? 2 : 0));
    if (finding->halves) {
        plain.sample = SAMPLE_U8;
        plain.bits = 8;
    }
    if (plain.channels == 1 && plain.bits <= 8 && finding->few)
        plain.bits = grey_bits(finding, plain.bits);
    return plain;
}

static bool palette_pays(const struct finding *finding, const struct shape *plain)
{
    size_t pixel_bits = (size_t)plain->channels * plain->bits, bits = index_bits(finding->count);
    size_t chunk_bytes = PNG_CHUNK_EXTRA + (size_t)finding->count * (finding->opaque ? 3 : 4);
    return bits < pixel_bits &&
           (uint64_t)plain->width * plain->height * (pixel_bits - bits) / 8 > WORTH * chunk_bytes;
}

/* Those with alpha first, so that tRNS need not name the others; numbers[i] is where colour i went. */
static void fill_palette(const struct finding *finding, struct png_palette *palette, uint8_t *numbers)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < finding->count; i++) {
            uint32_t colour = finding->colours[i];
            if (((colour & 255) == 255) != (turn == 1))
                continue;
            numbers[i] = (uint8_t)palette->count;
            palette->colours[palette->count] = (png_color){
                (png_byte)(colour >> 24), (png_byte)(colour >> 16 & 255), (png_byte)(colour >> 8 & 255)};
            palette->alphas[palette->count++] = (png_byte)(colour & 255);
        }
        if (turn == 0)
            palette->alpha_count = palette->count;
    }
}

static void write_numbers(struct finding *finding, const struct codec_encode *job, const uint8_t *numbers,
                          uint8_t bits, uint8_t *to)
{
    const struct shape *shape = &job->shape;
    size_t sample_bytes = shape_sample_bytes(shape->sample), pixel_bytes = shape_pixel_bytes(shape);
    size_t count = shape_bytes(shape) / pixel_bytes;
    uint32_t last = 0;
    uint8_t number = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t colour = colour_at(job->pixels + i * pixel_bytes, shape->channels, sample_bytes);
        if (i == 0 || colour != last)
            number = (uint8_t)(numbers[number_of(finding, colour)] << (8 - bits)); /* as grey lies */
        to[i] = number;
        last = colour;
    }
}

/* The channels that stay are the first ones, or in grey the first and alpha. */
static void write_samples(const struct codec_encode *job, const struct shape *plain, uint8_t *to)
{
    const struct shape *shape = &job->shape;
    size_t from_bytes = shape_sample_bytes(shape->sample), to_bytes = shape_sample_bytes(plain->sample);
    size_t pixel_bytes = shape_pixel_bytes(shape), count = shape_bytes(shape) / pixel_bytes;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixel = job->pixels + i * pixel_bytes;
        for (size_t channel = 0; channel < plain->channels; channel++, to += to_bytes) {
            size_t source = channel == 1 && plain->channels == 2 ? shape->channels - 1u : channel;
            memcpy(to, pixel + source * from_bytes, to_bytes); /* of equal halves either */
        }
    }
}

/* A profile that fits the image as it is. */
static bool profile_kept(const struct codec_encode *job)
{
    struct meta_entry entry;
    size_t position = 0;
    while (job->meta && !job->save->strip && meta_next(job->meta, &position, &entry) > 0)
        if (entry.flags & META_RGB_ONLY)
            return true;
    return false;
}

bool png_reduce(struct codec_encode *job, struct png_palette *palette)
{
    struct finding finding;
    look(&finding, job, !profile_kept(job));
    struct shape reduced = plain_shape(&finding, &job->shape);
    uint8_t numbers[PNG_MAX_PALETTE_LENGTH];
    /* What is grey for others stays grey. */
    bool indexed = job->shape.channels >= 3 && finding.few && palette_pays(&finding, &reduced);
    if (indexed) {
        fill_palette(&finding, palette, numbers);
        reduced.channels = 1;
        reduced.sample = SAMPLE_U8;
        reduced.bits = index_bits(finding.count);
    }
    if (indexed || reduced.channels != job->shape.channels || reduced.sample != job->shape.sample) {
        uint8_t *pixels = scratch_alloc(job->scratch, 1, shape_bytes(&reduced));
        if (!pixels)
            return false;
        if (indexed)
            write_numbers(&finding, job, numbers, reduced.bits, pixels);
        else
            write_samples(job, &reduced, pixels);
        job->pixels = pixels;
    }
    job->shape = reduced;
    return true;
}
