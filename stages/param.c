/* SPDX-License-Identifier: MIT */
#include "stages/param.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *value_at(const struct param *param, void *values)
{
    return (char *)values + param->offset;
}

/* Index of `text` among the words "a|b|c", or -1. */
static int word_index(const char *text, const char *words)
{
    size_t length = strlen(text);
    for (int index = 0; words; index++) {
        size_t word_length = strcspn(words, "|");
        if (word_length == length && strncmp(words, text, length) == 0)
            return index;
        words = words[word_length] == '|' ? words + word_length + 1 : NULL;
    }
    return -1;
}

/* The words of `choices` as many others write them. */
static const char *our_spelling(const char *text, const char *choices)
{
    static const char *const spellings[][2] = {{"center", "centre"}, {"jpg", "jpeg"}};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings && word_index(text, choices) < 0; i++) {
        if (strcmp(text, spellings[i][0]) == 0)
            return spellings[i][1];
    }
    return text;
}

static const char *word_at(const char *words, int index, size_t *length)
{
    for (; words; index--) {
        *length = strcspn(words, "|");
        if (index == 0)
            return words;
        words = words[*length] == '|' ? words + *length + 1 : NULL;
    }
    *length = 0;
    return "";
}

struct unit {
    const char *suffix;
    double factor;
};

static const struct unit byte_units[] = {
    {"", 1},       {"B", 1},         {"k", 1e3},          {"K", 1e3},
    {"M", 1e6},    {"G", 1e9},       {"T", 1e12},         {"kB", 1e3},
    {"KB", 1e3},   {"MB", 1e6},      {"GB", 1e9},         {"TB", 1e12},
    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776.0},
    {NULL, 0},
};
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60000}, {"m", 60000}, {"h", 3600000}, {"", 1000}, {NULL, 0},
};
static const struct unit count_units[] = {
    {"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0},
};

static int wrong(const struct param *param, const char *text, struct error *error)
{
    char nearest[64];
    switch (param->type) {
    case PARAM_CHOICE:
    case PARAM_INT:
    case PARAM_REAL:
        if (!param->choices)
            break;
        const char *near = param_nearest(text, param->choices, nearest, sizeof nearest);
        return error_set(error, ERROR_USAGE, "%s: '%.40s' is not %s%s%s%s%s", param->name, text,
                         param->type == PARAM_INT    ? "a whole number or "
                         : param->type == PARAM_REAL ? "a number or "
                                                     : "one of ",
                         param->choices, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    case PARAM_BOOL:
        return error_set(error, ERROR_USAGE, "%s: '%.40s' is not true or false", param->name, text);
    case PARAM_BYTES:
        return error_set(error, ERROR_USAGE, "%s: '%.40s' is not a size like 512MiB", param->name, text);
    case PARAM_DURATION:
        return error_set(error, ERROR_USAGE, "%s: '%.40s' is not a duration like 30s", param->name, text);
    case PARAM_COLOUR:
        return error_set(error, ERROR_USAGE, "%s: '%.40s' is not a colour like #ff8800 or white%s%s",
                         param->name, text, param->choices ? ", or " : "",
                         param->choices ? param->choices : "");
    default:
        break;
    }
    char *end;
    const double percent = strtod(text, &end);
    if (param->type == PARAM_REAL && end != text && strcmp(end, "%") == 0 && isfinite(percent))
        return error_set(error, ERROR_USAGE, "%s: '%.40s' is not a number; write %.15g", param->name, text,
                         percent / 100);
    return error_set(error, ERROR_USAGE, "%s: '%.40s' is not %s", param->name, text,
                     param->type == PARAM_REAL ? "a number" : "a whole number");
}

static bool ranged(const struct param *param)
{
    return param->min != 0 || param->max != 0;
}

static int out_of_range(const struct param *param, const char *text, struct error *error)
{
    if (!ranged(param))
        return error_set(error, ERROR_USAGE, "%s: %.40s is out of range; allowed is 0 or more", param->name,
                         text);
    return error_set(error, ERROR_USAGE, "%s: %.40s is out of range; allowed is %.15g to %.15g%s%s",
                     param->name, text, param->min, param->max, *param->unit ? " " : "", param->unit);
}

/* What the first word of an int stands for; the next ones count down from it. */
static int64_t first_word(const struct param *param)
{
    return param->min < 0 ? (int64_t)param->min - 1 : -1;
}

static int parse_int(const struct param *param, const char *text, int64_t *value, struct error *error)
{
    int word = param->choices ? word_index(text, param->choices) : -1;
    if (word >= 0) {
        *value = first_word(param) - word;
        return 0;
    }
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0')
        return wrong(param, text, error);
    if (errno == ERANGE || (ranged(param) && ((double)number < param->min || (double)number > param->max)))
        return out_of_range(param, text, error);
    *value = number;
    return 0;
}

static int parse_real(const struct param *param, const char *text, double *value, struct error *error)
{
    char *end;
    double number = strtod(text, &end);
    if (param->choices && word_index(text, param->choices) == 0) {
        *value = (double)NAN;
        return 0;
    }
    if (end == text || *end != '\0' || !isfinite(number))
        return wrong(param, text, error);
    if (ranged(param) && (number < param->min || number > param->max))
        return out_of_range(param, text, error);
    *value = number;
    return 0;
}

static int parse_scaled(const struct param *param, const char *text, const struct unit *units,
                        uint64_t *value, struct error *error)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || !isfinite(number) || strpbrk(text, "xX"))
        return wrong(param, text, error);
    while (units->suffix && strcmp(end, units->suffix) != 0)
        units++;
    if (!units->suffix)
        return wrong(param, text, error);
    number = round(number * units->factor);
    if (number < 0 || number > 9e18 || (ranged(param) && (number < param->min || number > param->max)))
        return out_of_range(param, text, error);
    *value = (uint64_t)number;
    return 0;
}

static int parse_bool(const struct param *param, const char *text, bool *value, struct error *error)
{
    int word = word_index(text, "false|true|no|yes|off|on|0|1");
    if (word < 0)
        return wrong(param, text, error);
    *value = word % 2 == 1;
    return 0;
}

static int parse_colour(const struct param *param, const char *text, struct colour *value,
                        struct error *error)
{
    static const char *const names = "black|white|grey|gray|red|green|blue|transparent";
    static const uint32_t values[] = {0, 0xffffff, 0x808080, 0x808080, 0xff0000, 0x00ff00, 0x0000ff, 0};
    uint32_t rgb;
    if (param->choices && strcmp(text, param->choices) == 0) {
        *value = (struct colour){.none = true};
        return 0;
    }
    int name = word_index(text, names);
    size_t digits = *text == '#' ? strspn(text + 1, "0123456789abcdefABCDEF") : 0;
    if (name >= 0) {
        rgb = values[name];
    } else if ((digits == 3 || digits == 6) && text[1 + digits] == '\0') {
        rgb = (uint32_t)strtoul(text + 1, NULL, 16);
        if (digits == 3)
            rgb = (rgb >> 8 & 15) * 0x110000 + (rgb >> 4 & 15) * 0x1100 + (rgb & 15) * 0x11;
    } else {
        return wrong(param, text, error);
    }
    *value = (struct colour){.red = (uint16_t)((rgb >> 16 & 255) * 257),
                             .green = (uint16_t)((rgb >> 8 & 255) * 257),
                             .blue = (uint16_t)((rgb & 255) * 257)};
    return 0;
}

static int parse_list(const char *text, struct param_list *list, struct error *error)
{
    char **texts = realloc(list->texts, (list->count + 1) * sizeof *texts);
    if (!texts)
        return error_set(error, ERROR_MEMORY, "out of memory");
    list->texts = texts;
    if (!(texts[list->count] = strdup(text)))
        return error_set(error, ERROR_MEMORY, "out of memory");
    list->count++;
    return 0;
}

int param_parse(const struct param *param, const char *text, void *values, struct error *error)
{
    void *value = value_at(param, values);
    switch (param->type) {
    case PARAM_INT:
        return parse_int(param, text, value, error);
    case PARAM_REAL:
        return parse_real(param, text, value, error);
    case PARAM_BOOL:
        return parse_bool(param, text, value, error);
    case PARAM_CHOICE:
        *(int *)value = word_index(our_spelling(text, param->choices), param->choices);
        return *(int *)value < 0 ? wrong(param, text, error) : 0;
    case PARAM_BYTES:
        return parse_scaled(param, text, byte_units, value, error);
    case PARAM_DURATION:
        return parse_scaled(param, text, duration_units, value, error);
    case PARAM_COUNT:
        return parse_scaled(param, text, count_units, value, error);
    case PARAM_COLOUR:
        return parse_colour(param, text, value, error);
    case PARAM_LIST:
        return parse_list(text, value, error);
    case PARAM_FILE:
        param_free((const struct param[]){*param, PARAM_END}, values);
        ((struct param_file *)value)->path = strdup(text);
        return ((struct param_file *)value)->path ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    case PARAM_TEXT:
        free(*(char **)value);
        *(char **)value = strdup(text);
        return *(char **)value ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    }
    return error_set(error, ERROR_INTERNAL, "%s: unknown type", param->name);
}

int param_defaults(const struct param *table, void *values)
{
    int code = 0;
    for (const struct param *param = table; param->name; param++) {
        if (param->initial && param_parse(param, param->initial, values, NULL) == ERROR_MEMORY)
            code = ERROR_MEMORY;
    }
    return code;
}

/* The largest unit that divides the value, so that 2147483648 reads 2GiB. */
static void scaled_text(uint64_t value, const struct unit *units, char *text, size_t size)
{
    const struct unit *best = NULL;
    for (const struct unit *unit = units; unit->suffix; unit++) {
        uint64_t factor = (uint64_t)unit->factor;
        if (value % factor == 0 && (value != 0 || *unit->suffix) &&
            (!best || (value == 0 ? unit->factor < best->factor : unit->factor > best->factor)))
            best = unit;
    }
    if (best)
        snprintf(text, size, "%llu%s", (unsigned long long)(value / (uint64_t)best->factor), best->suffix);
    else
        snprintf(text, size, "%llu", (unsigned long long)value);
}

const char *param_text(const struct param *param, const void *values, char *text, size_t size)
{
    const void *value = (const char *)values + param->offset;
    size_t length;
    const char *word;
    text[0] = '\0';
    switch (param->type) {
    case PARAM_INT:
        if (param->choices && *(const int64_t *)value <= first_word(param)) {
            word = word_at(param->choices, (int)(first_word(param) - *(const int64_t *)value), &length);
            snprintf(text, size, "%.*s", (int)length, word);
        } else {
            snprintf(text, size, "%lld", (long long)*(const int64_t *)value);
        }
        break;
    case PARAM_REAL: /* as short as it can be and still read back as the same number */
        snprintf(text, size, "%.15g", *(const double *)value);
        if (param->choices && isnan(*(const double *)value))
            snprintf(text, size, "%s", param->choices);
        else if (strtod(text, NULL) != *(const double *)value)
            snprintf(text, size, "%.17g", *(const double *)value);
        break;
    case PARAM_BOOL:
        snprintf(text, size, "%s", *(const bool *)value ? "true" : "false");
        break;
    case PARAM_CHOICE:
        word = word_at(param->choices, *(const int *)value, &length);
        snprintf(text, size, "%.*s", (int)length, word);
        break;
    case PARAM_BYTES:
        scaled_text(*(const uint64_t *)value, byte_units, text, size);
        break;
    case PARAM_DURATION:
        scaled_text(*(const uint64_t *)value, duration_units, text, size);
        break;
    case PARAM_COUNT:
        scaled_text(*(const uint64_t *)value, count_units, text, size);
        break;
    case PARAM_COLOUR: {
        const struct colour *colour = value;
        snprintf(text, size, "#%02x%02x%02x", (unsigned)colour->red >> 8, (unsigned)colour->green >> 8,
                 (unsigned)colour->blue >> 8);
        if (param->choices && colour->none)
            snprintf(text, size, "%s", param->choices);
        break;
    }
    case PARAM_TEXT:
        snprintf(text, size, "%s", *(char *const *)value ? *(char *const *)value : "");
        break;
    case PARAM_FILE: {
        const struct param_file *file = value;
        snprintf(text, size, "%s", file->path ? file->path : "");
        break;
    }
    case PARAM_LIST: {
        const struct param_list *list = value;
        size_t used = 0;
        for (size_t i = 0; i < list->count && used < size; i++)
            used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", list->texts[i]);
        break;
    }
    }
    return text;
}

void param_free(const struct param *table, void *values)
{
    for (const struct param *param = table; param->name; param++) {
        void *value = value_at(param, values);
        if (param->type == PARAM_TEXT) {
            free(*(char **)value);
            *(char **)value = NULL;
        } else if (param->type == PARAM_LIST) {
            struct param_list *list = value;
            for (size_t i = 0; i < list->count; i++)
                free(list->texts[i]);
            free(list->texts);
            *list = (struct param_list){0};
        } else if (param->type == PARAM_FILE) {
            struct param_file *file = value;
            free(file->path);
            free(file->bytes);
            *file = (struct param_file){0};
        }
    }
}

bool param_required(const struct param *param)
{
    return !param->initial && param->type != PARAM_TEXT && param->type != PARAM_LIST &&
           param->type != PARAM_FILE;
}

const struct param *param_find(const struct param *table, const char *name)
{
    for (const struct param *param = table; param->name; param++) {
        if (strcmp(param->name, name) == 0)
            return param;
    }
    return NULL;
}

const char *param_type_name(enum param_type type)
{
    static const char *const names[] = {"int",   "real",   "bool", "choice", "size", "duration",
                                        "count", "colour", "text", "list",   "file"};
    return (size_t)type < sizeof names / sizeof *names ? names[type] : "?";
}

/* Optimal string alignment distance of two words of at most 63 bytes. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t row[3][65];
    for (size_t j = 0; j <= b_length; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *before_that = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before_that[j - 2] + 1 < best)
                best = before_that[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a_length % 3][b_length];
}

const char *param_nearest(const char *text, const char *words, char *word, size_t size)
{
    size_t length = strlen(text), best = SIZE_MAX;
    if (length == 0 || length > 63)
        return NULL;
    while (words) {
        size_t word_length = strcspn(words, "|");
        size_t allowed = (word_length > length ? word_length : length) / 3;
        size_t apart = word_length <= 63 ? distance(text, length, words, word_length) : SIZE_MAX;
        if (apart <= (allowed ? allowed : 1) && apart < best && word_length < size) {
            best = apart;
            memcpy(word, words, word_length);
            word[word_length] = '\0';
        }
        words = words[word_length] == '|' ? words + word_length + 1 : NULL;
    }
    return best == SIZE_MAX ? NULL : word;
}
