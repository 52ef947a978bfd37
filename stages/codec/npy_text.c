/* SPDX-License-Identifier: MIT */
/* The dictionary in the header of .npy files: a Python literal with the keys descr, fortran_order and shape.
 * Takes what numpy writes and, as far as numbers, strings and white space go, what Python takes. Nothing is
 * evaluated. */
#include <limits.h>
#include <string.h>

#include "stages/codec/npy_private.h"

struct parser {
    const uint8_t *at, *end;
    unsigned version;
    struct error *error;
};

static int corrupt(const struct parser *parser, const char *what)
{
    return error_set(parser->error, ERROR_CORRUPT, "header: %s", what);
}

/* The next byte, or -1 at the end. */
static int next(const struct parser *parser)
{
    return parser->at < parser->end ? *parser->at : -1;
}

static bool take(struct parser *parser, char byte)
{
    if (next(parser) != byte)
        return false;
    parser->at++;
    return true;
}

static bool is_word(int byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte >= 128;
}

static bool take_word(struct parser *parser, const char *word)
{
    const size_t length = strlen(word), left = (size_t)(parser->end - parser->at);
    if (left < length || memcmp(parser->at, word, length) != 0 ||
        (left > length && is_word(parser->at[length])))
        return false;
    parser->at += length;
    return true;
}

/* White space, and comments up to the end of their line. */
static void skip(struct parser *parser)
{
    for (bool comment = false; parser->at < parser->end; parser->at++) {
        const uint8_t byte = *parser->at;
        if (comment || byte == '#')
            comment = byte != '\n';
        else if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f')
            return;
    }
}

static int digit_of(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if ((byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'))
        return (byte & ~0x20) - 'A' + 10;
    return INT_MAX;
}

/* `least` to `most` digits of a base; -1 where there are fewer. */
static int take_code(struct parser *parser, int base, int least, int most)
{
    int value = 0, count = 0;
    for (; count < most && digit_of(next(parser)) < base; count++)
        value = value * base + digit_of(*parser->at++);
    return count >= least ? value : -1;
}

/* What stands behind a backslash; -1 for what no header needs. */
static int take_escape(struct parser *parser)
{
    if (take(parser, 'x'))
        return take_code(parser, 16, 2, 2);
    if (take(parser, 'u'))
        return take_code(parser, 16, 4, 4);
    if (take(parser, '\\') || take(parser, '\'') || take(parser, '"'))
        return parser->at[-1];
    return take_code(parser, 8, 1, 3);
}

static bool take_quotes(struct parser *parser, uint8_t quote, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((size_t)(parser->end - parser->at) <= i || parser->at[i] != quote)
            return false;
    }
    parser->at += count;
    return true;
}

/* A string in single, double or triple quotes, cut at `size`. */
static int parse_string(struct parser *parser, char *text, size_t size)
{
    const int quote = next(parser);
    size_t length = 0;
    if (quote != '\'' && quote != '"')
        return corrupt(parser, "a string is missing");
    const size_t quotes = take_quotes(parser, (uint8_t)quote, 3) ? 3 : 1;
    parser->at += quotes == 1;
    while (!take_quotes(parser, (uint8_t)quote, quotes)) {
        int byte = next(parser);
        if (byte < 0 || (byte == '\n' && quotes == 1))
            return corrupt(parser, "a string without an end");
        parser->at++;
        if (byte == '\\')
            byte = take_escape(parser);
        if (byte <= 0 || byte > 255)
            return corrupt(parser, "a string with a character that none has");
        if (length + 1 < size)
            text[length++] = (char)byte;
    }
    text[length] = '\0';
    return 0;
}

/* A whole number of Python: 12, -1, 0x1f, 1_000, and, until version 3, Python 2's 12L. Saturates. */
static int parse_number(struct parser *parser, int64_t *value)
{
    bool negative = false, over = false, zero_first = next(parser) == '0';
    int base = 10, digits = 0;
    uint64_t number = 0;
    for (; next(parser) == '-' || next(parser) == '+'; zero_first = next(parser) == '0') {
        negative ^= *parser->at++ == '-';
        skip(parser);
    }
    if (zero_first && parser->end - parser->at > 1) {
        const int letter = parser->at[1] | 0x20;
        base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
        parser->at += base != 10 ? 2 : 0;
    }
    for (;; digits++) {
        const uint8_t *before = parser->at;
        parser->at += (digits > 0 || base != 10) && next(parser) == '_';
        const int digit = digit_of(next(parser));
        if (digit >= base) {
            parser->at = before;
            break;
        }
        over = over || __builtin_mul_overflow(number, (uint64_t)base, &number) ||
               __builtin_add_overflow(number, (uint64_t)digit, &number);
        parser->at++;
    }
    if (digits == 0 || (base == 10 && zero_first && number > 0))
        return corrupt(parser, "shape holds something else than whole numbers");
    if (parser->version < 3) {
        skip(parser);
        take_word(parser, "L");
    }
    *value = over || number > INT64_MAX ? INT64_MAX : (int64_t)number;
    *value = negative ? -*value : *value;
    return 0;
}

static int parse_shape(struct parser *parser, struct shape *shape, int *open)
{
    unsigned rank = 0;
    bool comma = false;
    *open = -1;
    memset(shape->dims, 0, sizeof shape->dims);
    if (!take(parser, '('))
        return corrupt(parser, "shape is not a tuple");
    for (skip(parser); !take(parser, ')'); skip(parser)) {
        int64_t value = 0;
        if (rank > 0 && !comma)
            return corrupt(parser, "shape is not a tuple of whole numbers");
        TRY(parse_number(parser, &value));
        if (value == INT64_MAX || value == -INT64_MAX)
            return corrupt(parser, "a dimension is larger than any array's");
        if (value < 0 && *open >= 0)
            return corrupt(parser, "more than one dimension is negative");
        if (value < 0)
            *open = (int)rank;
        if (rank < SHAPE_MAX_RANK)
            shape->dims[rank] = value < 0 ? 1 : (uint64_t)value;
        rank++;
        skip(parser);
        comma = take(parser, ',');
    }
    if (rank == 1 && !comma)
        return corrupt(parser, "shape is not a tuple");
    if (rank > SHAPE_MAX_RANK)
        return error_set(parser->error, ERROR_UNSUPPORTED, "%u dimensions, and %d are the most", rank,
                         SHAPE_MAX_RANK);
    shape->rank = (uint8_t)rank;
    return 0;
}

static const struct {
    const char *name;
    uint8_t sample;
} types[] = {
    {"u1", SAMPLE_U8},  {"u2", SAMPLE_U16},  {"f4", SAMPLE_F32}, {"i1", SAMPLE_I8},  {"i2", SAMPLE_I16},
    {"i4", SAMPLE_I32}, {"i8", SAMPLE_I64},  {"u4", SAMPLE_U32}, {"u8", SAMPLE_U64}, {"f2", SAMPLE_F16},
    {"f8", SAMPLE_F64}, {"b1", SAMPLE_BOOL}, {"?", SAMPLE_BOOL},
};

/* "<f8": byte order, kind and bytes. '|' and none are '=', this machine's. */
static int parse_type(struct parser *parser, struct array_layout *layout)
{
    char text[32];
    if (next(parser) == '[' || next(parser) == '(')
        return error_set(parser->error, ERROR_UNSUPPORTED,
                         "holds records or arrays (a structured dtype), not numbers");
    if (next(parser) != '\'' && next(parser) != '"')
        return corrupt(parser, "descr is not a string");
    TRY(parse_string(parser, text, sizeof text));
    const char order = text[0], *name = text + (order != '\0' && strchr("<>|=", order) != NULL);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        layout->shape.sample = types[i].sample;
        layout->shape.bits = shape_sample_bits(types[i].sample);
        layout->swapped = order == (ARRAY_LITTLE_ENDIAN ? '>' : '<');
        return 0;
    }
    if (name[0] == 'O')
        return error_set(parser->error, ERROR_UNSUPPORTED,
                         "holds Python objects (dtype object), which are pickled; nothing is ever unpickled");
    /* Complex, text, bytes, times, and floats of more than 8 bytes. */
    if ((name[0] != '\0' && strchr("cSaUVMm", name[0])) || strcmp(name, "f12") == 0 ||
        strcmp(name, "f16") == 0)
        return error_set(parser->error, ERROR_UNSUPPORTED, "holds dtype '%s', not integers, floats or bools",
                         text);
    return error_set(parser->error, ERROR_CORRUPT, "header: '%s' is no dtype", text);
}

static int parse_value(struct parser *parser, unsigned key, struct array_layout *layout, int *open)
{
    if (key == 0)
        return parse_type(parser, layout);
    if (key == 2)
        return parse_shape(parser, &layout->shape, open);
    layout->fortran = take_word(parser, "True");
    if (!layout->fortran && !take_word(parser, "False"))
        return corrupt(parser, "fortran_order is neither True nor False");
    return 0;
}

int npy_text_parse(const uint8_t *text, size_t length_bytes, unsigned version, struct array_layout *layout,
                   int *open, struct error *error)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    struct parser parser = {.at = text, .end = text + length_bytes, .version = version, .error = error};
    unsigned seen = 0;
    char word[16];
    *layout = (struct array_layout){.shape.kind = SHAPE_ARRAY};
    *open = -1;
    if (length_bytes > 0 && memchr(text, 0, length_bytes))
        return corrupt(&parser, "a zero byte");
    skip(&parser);
    if (!take(&parser, '{'))
        return corrupt(&parser, "not a dictionary");
    for (skip(&parser); !take(&parser, '}'); skip(&parser)) {
        unsigned key = 0;
        TRY(parse_string(&parser, word, sizeof word));
        while (key < 3 && strcmp(keys[key], word) != 0)
            key++;
        if (key == 3)
            return corrupt(&parser, "a key that is none of descr, fortran_order and shape");
        skip(&parser);
        if (!take(&parser, ':'))
            return corrupt(&parser, "a colon is missing");
        skip(&parser);
        TRY(parse_value(&parser, key, layout, open));
        seen |= 1u << key; /* the last of equal keys counts, as in Python */
        skip(&parser);
        if (!take(&parser, ',') && next(&parser) != '}')
            return corrupt(&parser, "a comma is missing");
    }
    skip(&parser);
    if (parser.at < parser.end)
        return corrupt(&parser, "something stands behind the dictionary");
    if (seen != 7)
        return corrupt(&parser, "descr, fortran_order or shape is missing");
    return 0;
}
