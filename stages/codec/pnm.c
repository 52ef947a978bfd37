/* SPDX-License-Identifier: MIT */
/* Netpbm's portable anymaps: PBM, PGM, PPM, plain and raw, and PAM. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/pnm_private.h"

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool pnm_sniff(const uint8_t *head, size_t head_bytes)
{
    return head_bytes >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' &&
           (is_space(head[2]) || head[2] == '#');
}

size_t pnm_skip(const uint8_t *bytes, size_t length_bytes, size_t position)
{
    while (position < length_bytes && (is_space(bytes[position]) || bytes[position] == '#')) {
        if (bytes[position] == '#') {
            while (position < length_bytes && bytes[position] != '\n')
                position++;
        } else {
            position++;
        }
    }
    return position;
}

/* One run of the header's parser; stays failed once it failed. */
struct parser {
    const uint8_t *bytes;
    size_t length_bytes, position;
    uint64_t file_bytes;
    int code;
    struct error *error;
};

__attribute__((format(printf, 2, 3))) static void parser_fail(struct parser *parser, const char *format, ...)
{
    if (parser->code < 0)
        return;
    char text[sizeof parser->error->reason];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    parser->code = error_set(parser->error, ERROR_CORRUPT, "%s", text);
}

static void fail_at_end(struct parser *parser)
{
    if (parser->length_bytes < parser->file_bytes)
        parser_fail(parser, "header is longer than %zu bytes", parser->length_bytes);
    else
        parser_fail(parser, "file ends early, in the header");
}

/* A decimal number that fits 31 bits. What follows it must not be part of a word. */
static uint64_t parse_number(struct parser *parser, const char *name)
{
    size_t at = pnm_skip(parser->bytes, parser->length_bytes, parser->position), from = at;
    uint64_t value = 0;
    for (; at < parser->length_bytes && parser->bytes[at] >= '0' && parser->bytes[at] <= '9'; at++) {
        value = value * 10 + (parser->bytes[at] - '0');
        if (value > INT32_MAX)
            parser_fail(parser, "%s is too large a number", name);
        if (parser->code < 0)
            return 0;
    }
    if (at == parser->length_bytes)
        fail_at_end(parser);
    else if (at == from)
        parser_fail(parser, "%s is not a number", name);
    else if (!is_space(parser->bytes[at]) && parser->bytes[at] != '#')
        parser_fail(parser, "%s is followed by something else than white space", name);
    parser->position = at;
    return value;
}

/* Raw pixels start behind exactly one white space, which a comment may come before. */
static void parse_one_space(struct parser *parser)
{
    while (parser->position < parser->length_bytes && !is_space(parser->bytes[parser->position])) {
        /* Only a comment can stand here; its end of line is the white space. */
        while (parser->position < parser->length_bytes && parser->bytes[parser->position] != '\n')
            parser->position++;
    }
    if (parser->position == parser->length_bytes)
        fail_at_end(parser);
    parser->position++;
}

static const struct tuple {
    const char *name;
    uint8_t channels;
} tuples[] = {
    {"BLACKANDWHITE", 1}, {"GRAYSCALE", 1},       {"BLACKANDWHITE_ALPHA", 2},
    {"RGB", 3},           {"GRAYSCALE_ALPHA", 2}, {"RGB_ALPHA", 4},
};
#define TUPLES (sizeof tuples / sizeof *tuples)

static void parse_tuple_type(struct parser *parser, const char *type, const struct pnm_header *header)
{
    for (size_t i = 0; i < TUPLES; i++) {
        if (strcmp(tuples[i].name, type) != 0)
            continue;
        if (tuples[i].channels != header->channels)
            parser_fail(parser, "TUPLTYPE %s does not go with DEPTH %" PRIu64, type, header->channels);
        else if (type[0] == 'B' && header->maxval != 1)
            parser_fail(parser, "TUPLTYPE %s does not go with MAXVAL %" PRIu32, type, header->maxval);
        return;
    }
    if (parser->code == 0)
        parser->code = error_set(parser->error, ERROR_UNSUPPORTED,
                                 "TUPLTYPE %s is not black and white, grey or RGB", type);
}

/* The next line of a PAM header without its comment lines, cut at `size`; false at the end. */
static bool next_line(struct parser *parser, char *line, size_t size)
{
    const uint8_t *from, *end;
    do {
        from = parser->bytes + parser->position;
        end = memchr(from, '\n', parser->length_bytes - parser->position);
        if (!end) {
            fail_at_end(parser);
            return false;
        }
        parser->position = (size_t)(end - parser->bytes) + 1;
    } while (from == end || *from == '#');
    size_t length = (size_t)(end - from);
    while (length > 0 && is_space(from[length - 1]))
        length--;
    if (length >= size || memchr(from, 0, length)) {
        parser_fail(parser, "header has a line that no PAM has");
        return false;
    }
    memcpy(line, from, length);
    line[length] = '\0';
    return true;
}

/* The lines of a PAM header may come in any order, each once. */
static void parse_pam(struct parser *parser, struct pnm_header *header)
{
    static const char *const names[] = {"WIDTH", "HEIGHT", "DEPTH", "MAXVAL", "TUPLTYPE"};
    uint64_t values[4] = {0};
    char type[64] = "", line[128];
    unsigned seen = 0;
    while (next_line(parser, line, sizeof line) && strcmp(line, "ENDHDR") != 0) {
        size_t word = strcspn(line, " \t"), i = 0;
        const char *rest = line + word + strspn(line + word, " \t");
        while (i < 5 && (strlen(names[i]) != word || memcmp(names[i], line, word) != 0))
            i++;
        if (i == 5 || (seen & 1u << i)) {
            parser_fail(parser, i == 5 ? "header has an unknown line" : "header has a line twice");
            return;
        }
        seen |= 1u << i;
        if (i == 4) {
            snprintf(type, sizeof type, "%s", rest);
        } else {
            size_t digits = strspn(rest, "0123456789");
            if (digits == 0 || digits > 9 || rest[digits] != '\0')
                parser_fail(parser, "%s is not a number of up to 9 digits", names[i]);
            for (size_t d = 0; d < digits && parser->code == 0; d++)
                values[i] = values[i] * 10 + (uint64_t)(rest[d] - '0');
        }
    }
    if (parser->code == 0 && (seen & 15u) != 15u)
        parser_fail(parser, "header lacks WIDTH, HEIGHT, DEPTH or MAXVAL");
    header->width = values[0];
    header->height = values[1];
    header->channels = values[2];
    header->maxval = (uint32_t)values[3];
    if (parser->code == 0 && (seen & 16u))
        parse_tuple_type(parser, type, header);
}

static void parse_classic(struct parser *parser, struct pnm_header *header)
{
    bool bits = header->kind == '1' || header->kind == '4';
    header->width = parse_number(parser, "width");
    header->height = parse_number(parser, "height");
    header->maxval = bits ? 1 : (uint32_t)parse_number(parser, "maxval");
    header->channels = header->kind == '3' || header->kind == '6' ? 3 : 1;
    parse_one_space(parser);
}

bool pnm_plain(const struct pnm_header *header)
{
    return header->kind <= '3';
}

size_t pnm_row_bytes(const struct pnm_header *header)
{
    if (header->kind == '4')
        return (size_t)(header->width + 7) / 8;
    return (size_t)(header->width * header->channels * (header->maxval > 255 ? 2 : 1));
}

struct shape pnm_shape(const struct pnm_header *header)
{
    uint8_t bits = header->maxval > 255 ? 16 : 8;
    if (header->channels == 1 && (header->maxval == 1 || header->maxval == 3 || header->maxval == 15))
        bits = header->maxval == 1 ? 1 : header->maxval == 3 ? 2 : 4;
    return (struct shape){.width = (uint32_t)header->width,
                          .height = (uint32_t)header->height,
                          .channels = (uint8_t)header->channels,
                          .sample = bits == 16 ? SAMPLE_U16 : SAMPLE_U8,
                          .bits = bits};
}

static int check_values(const struct pnm_header *header, const struct codec_limits *limits,
                        struct error *error)
{
    if (header->width == 0 || header->height == 0)
        return error_set(error, ERROR_CORRUPT, "impossible size %" PRIu64 "x%" PRIu64, header->width,
                         header->height);
    if (header->maxval == 0 || header->maxval > 65535)
        return error_set(error, ERROR_CORRUPT, "maxval %" PRIu32 " is not 1 to 65535", header->maxval);
    if (header->channels == 0 || header->channels > SHAPE_MAX_CHANNELS)
        return error_set(error, ERROR_UNSUPPORTED, "%" PRIu64 " samples a pixel are not 1 to 4",
                         header->channels);
    if (header->width > limits->max_width)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " pixels wide, over max_width %" PRIu64 "; raise it with --max-width",
                         header->width, limits->max_width);
    if (header->height > limits->max_height)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " pixels high, over max_height %" PRIu64 "; raise it with --max-height",
                         header->height, limits->max_height);
    uint64_t pixels = header->width * header->height;
    if (pixels > limits->max_pixels)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " pixels, over max_pixels %" PRIu64 "; raise it with --max-pixels",
                         pixels, limits->max_pixels);
    if (pixels > SIZE_MAX / 16) /* 4 channels, 2 bytes, and a factor 2 for the sums that follow */
        return error_set(error, ERROR_LIMIT, "%" PRIu64 " pixels are more than this machine can address",
                         pixels);
    return 0;
}

int pnm_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct pnm_header *header, struct error *error)
{
    if (length_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "file is empty");
    if (!pnm_sniff(bytes, length_bytes))
        return error_set(error, ERROR_CORRUPT, "not a PNM file");
    struct parser parser = {.bytes = bytes,
                            .length_bytes = length_bytes,
                            .position = 2,
                            .file_bytes = file_bytes,
                            .error = error};
    *header = (struct pnm_header){.kind = (char)bytes[1]};
    if (header->kind == '7' && bytes[2] != '\n')
        return error_set(error, ERROR_UNSUPPORTED, "neither PNM nor PAM, though it starts with P7");
    if (header->kind == '7')
        parse_pam(&parser, header);
    else
        parse_classic(&parser, header);
    TRY(parser.code);
    header->pixels_from = parser.position;
    TRY(check_values(header, limits, error));

    /* Refused before memory is set aside. Each plain sample is a digit and, but for bits, a white space. */
    uint64_t samples = header->width * header->height * header->channels;
    uint64_t least = (uint64_t)pnm_row_bytes(header) * header->height;
    if (pnm_plain(header))
        least = header->kind == '1' ? samples : 2 * samples - 1;
    uint64_t left = file_bytes > header->pixels_from ? file_bytes - header->pixels_from : 0;
    if (least > left)
        return error_set(error, ERROR_CORRUPT,
                         "file ends early: %" PRIu64 " bytes of pixels, at least %" PRIu64 " promised", left,
                         least);
    return 0;
}

static int pnm_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    struct pnm_header header;
    TRY(pnm_header_read(head, head_bytes, file_bytes, limits, &header, error));
    *info = (struct codec_info){.shape = pnm_shape(&header)};
    info->by_rows = !pnm_plain(&header) && shape_bytes(&info->shape) > CODEC_ROWS_LEAST_BYTES;
    if (info->by_rows)
        info->scratch_bytes = pnm_rows_scratch();
    return 0;
}

const struct codec pnm_codec = {
    .name = "pnm",
    .summary = "Netpbm's portable anymaps: PBM, PGM, PPM, plain and raw, and PAM",
    .extensions = "pnm|pgm|ppm|pbm|pam",
    .kinds = CODEC_IMAGES,
    .sniff = pnm_sniff,
    .peek = pnm_peek,
    .decode = pnm_decode,
    .open = pnm_rows_open,
    .rows = pnm_rows_next,
    .close = pnm_rows_close,
    .plan = pnm_plan,
    .encode = pnm_encode,
    .begin = pnm_put_begin,
    .put = pnm_put_rows,
    .finish = pnm_put_finish,
};
