/* SPDX-License-Identifier: MIT */
/* One name from a form. */
#include <stdio.h>
#include <string.h>

#include "pipeline/files/outname.h"

static const char *const fields[] = {"dir", "stem", "ext", "name", "row", "col"};
enum { FIELD_DIR, FIELD_STEM, FIELD_EXT, FIELD_NAME, FIELD_ROW, FIELD_COL, FIELDS };

/* The field that begins at the brace, and what follows it; -1: none does. */
static int field_at(const char *brace, const char **rest)
{
    for (int i = 0; i < FIELDS; i++) {
        size_t length = strlen(fields[i]);
        if (strncmp(brace + 1, fields[i], length) == 0 && brace[1 + length] == '}') {
            *rest = brace + length + 2;
            return i;
        }
    }
    return -1;
}

/* What an input is called, taken apart, and the extension that its output gets. */
struct parts {
    const char *rel;
    size_t dir, stem; /* lengths */
    char extension[64];
};

/* Text being put together; `used` beyond `size` says it did not fit. */
struct text {
    char *out;
    size_t size, used;
};

static void put(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        /* A field may be empty: no slash in front, none doubled. */
        if (bytes[i] == '/' &&
            (text->used == 0 || (text->used < text->size && text->out[text->used - 1] == '/')))
            continue;
        if (text->used < text->size)
            text->out[text->used] = bytes[i];
        text->used++;
    }
}

static void put_number(struct text *text, uint32_t number)
{
    char digits[16];
    put(text, digits, (size_t)snprintf(digits, sizeof digits, "%u", number));
}

static void put_extension(struct text *text, const struct parts *parts)
{
    /* Where there is none, its dot goes too. */
    if (!*parts->extension && text->used > 0 && text->used <= text->size && text->out[text->used - 1] == '.')
        text->used--;
    put(text, parts->extension, strlen(parts->extension));
}

static void put_field(struct text *text, int field, const struct parts *parts, uint32_t row, uint32_t col)
{
    switch (field) {
    case FIELD_DIR:
        put(text, parts->rel, parts->dir);
        break;
    case FIELD_NAME:
    case FIELD_STEM:
        put(text, parts->rel + parts->dir, parts->stem);
        if (field == FIELD_NAME) {
            put(text, ".", 1);
            put_extension(text, parts);
        }
        break;
    case FIELD_EXT:
        put_extension(text, parts);
        break;
    default:
        put_number(text, field == FIELD_ROW ? row : col);
    }
}

/* The length of `name` without the extension behind its last dot; a name may begin with a dot. */
static size_t without_extension(const char *name, size_t length)
{
    for (size_t i = length; i-- > 1;) {
        if (name[i] == '.')
            return i;
    }
    return length;
}

static void take_apart(const struct outname_form *form, const char *rel, const struct codec *in,
                       struct parts *parts)
{
    const struct codec *out = form->format ? form->format : codec_written(in);
    const bool packed_in = in && codec_gzip_name(rel);
    const char *slash = strrchr(rel, '/'), *name = slash ? slash + 1 : rel;
    const size_t length = strlen(name), bare = packed_in ? length - 3 : length;
    *parts = (struct parts){.rel = rel, .dir = (size_t)(name - rel), .stem = without_extension(name, bare)};
    const char *extension = name + parts->stem + (parts->stem < bare);
    size_t extension_bytes = bare - parts->stem - (parts->stem < bare);
    if (out && out != in) {
        extension = out->extensions;
        extension_bytes = strcspn(extension, "|");
    }
    const bool packed_out = out && out->gzip && !form->tiles &&
                            (form->gzip == CODEC_GZIP_YES || (form->gzip == CODEC_GZIP_SAME && packed_in));
    /* What is too long for an extension stays part of the stem. */
    if (extension_bytes + 4 > sizeof parts->extension) {
        parts->stem = length;
        return;
    }
    snprintf(parts->extension, sizeof parts->extension, "%.*s%s", (int)extension_bytes, extension,
             packed_out ? packed_in && out == in ? name + bare : ".gz" : "");
}

static void put_form(struct text *text, const struct outname_form *form, const struct parts *parts,
                     uint32_t row, uint32_t col)
{
    const char *name = form->name    ? form->name
                       : form->tiles ? "{dir}{stem}_{row}_{col}.{ext}"
                                     : "{dir}{stem}.{ext}";
    while (*name) {
        const char *rest;
        int field = *name == '{' ? field_at(name, &rest) : -1;
        if (field < 0) {
            put(text, name++, 1);
        } else {
            put_field(text, field, parts, row, col);
            name = rest;
        }
    }
}

struct outname_form outname_form_of(const struct codec_save *save, bool tiles)
{
    return (struct outname_form){.name = save->name,
                                 .format = save->format ? codec_all()[save->format - 1] : NULL,
                                 .gzip = save->gzip,
                                 .tiles = tiles};
}

int outname_make(const struct outname_form *form, const char *rel, uint32_t row, uint32_t col, char *out,
                 size_t size, struct error *error)
{
    const struct codec *codec = codec_for_name(rel);
    struct text text = {out, size, 0};
    if (!form->name && !form->format && form->gzip == CODEC_GZIP_SAME && !form->tiles &&
        codec_written(codec) == codec) {
        put(&text, rel, strlen(rel));
    } else {
        struct parts parts;
        take_apart(form, rel, codec, &parts);
        put_form(&text, form, &parts, row, col);
    }
    if (text.used > 0 && text.used <= size && out[text.used - 1] == '.')
        text.used--; /* of an extension that is not there */
    if (text.used >= size)
        return error_set(error, ERROR_LIMIT, "the output's path would be longer than %zu bytes", size - 1);
    out[text.used] = '\0';
    return 0;
}

int outname_check_own(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (strncmp(name, SCAN_TEMP_PREFIX, strlen(SCAN_TEMP_PREFIX)) == 0)
        return error_set(error, ERROR_USAGE,
                         "%.80s: names that begin with " SCAN_TEMP_PREFIX " are for forkmill's own files",
                         name);
    return 0;
}

/* Where in a template a field is first and last; NULL: nowhere. */
struct span {
    const char *first, *last;
};

static void widen(struct span *span, const char *at)
{
    span->first = span->first ? span->first : at;
    span->last = at;
}

/* May a number stand here? Where texts of any kind stand on either side of it, nobody could say where it
 * begins. */
static bool well_placed(const char *at, const struct span *dir, const struct span *stem, const char *ext)
{
    const bool behind = at > stem->last && (!dir->last || at > dir->last);
    const bool ahead = at < stem->first && (!ext || at < ext);
    return behind || (ahead && !(dir->first && dir->first < at && at < dir->last));
}

/* Can row and column be read back from any tile's name? */
static int check_tiles(const char *name, const struct span *dir, const struct span *stem, const char *ext,
                       struct error *error)
{
    int before = -1; /* the field before, with nothing but digits since */
    bool numbered = false;
    for (const char *at = name, *rest; *at; at = rest) {
        rest = at + 1;
        const int field = *at == '{' ? field_at(at, &rest) : -1;
        if (field < 0) {
            before = *at >= '0' && *at <= '9' ? before : -1;
            continue;
        }
        const bool number = field >= FIELD_ROW;
        if (before >= 0 && (number || before >= FIELD_ROW))
            return error_set(error, ERROR_USAGE,
                             "'%.80s' could call two tiles alike: something other than a digit must stand "
                             "between {row} or {col} and the next field",
                             name);
        /* An extension has no dot in it. */
        numbered = numbered || (number && at > stem->last);
        if ((number && !well_placed(at, dir, stem, ext)) || (field == FIELD_EXT && numbered && at[-1] != '.'))
            return error_set(error, ERROR_USAGE,
                             "'%.80s' could call two tiles alike: {row} and {col} must stand before or "
                             "behind all other fields, as in {dir}{stem}_{row}_{col}.{ext}",
                             name);
        /* A directory ends in a slash. */
        before = field == FIELD_DIR && (at == name || at[-1] == '/') ? -1 : field;
    }
    return 0;
}

/* Would each output be called like one of forkmill's own files? */
static int check_prefix(const char *name, struct error *error)
{
    const char *last = name;
    for (const char *at = name; *at; at++) {
        if (*at == '/')
            last = at + 1;
        else if (strncmp(at, "{dir}", 5) == 0) /* which ends in a slash, where there is anything in it */
            last = at + 5;
    }
    return outname_check_own(last, error);
}

int outname_check_template(const char *name, bool tiles, struct error *error)
{
    unsigned seen = 0;
    struct span dir = {0}, stem = {0}, ext = {0};
    for (const char *at = name, *rest; *at; at = rest) {
        rest = at + 1;
        int field = *at == '{' ? field_at(at, &rest) : -1;
        if ((*at == '{' || *at == '}') && field < 0)
            return error_set(error, ERROR_USAGE,
                             "'%.80s' has a brace that is none of {dir}, {stem}, {ext}, {name}, "
                             "{row} and {col}",
                             name);
        seen |= field < 0 ? 0 : 1u << field;
        if (field == FIELD_DIR || field == FIELD_STEM || field == FIELD_NAME || field == FIELD_EXT)
            widen(field == FIELD_DIR ? &dir : field == FIELD_EXT ? &ext : &stem, at);
    }
    const bool placed = seen & (1u << FIELD_ROW) && seen & (1u << FIELD_COL);
    if (!(seen & (1u << FIELD_STEM | 1u << FIELD_NAME)))
        return error_set(error, ERROR_USAGE,
                         "'%.80s' has neither {stem} nor {name}: all items would be called the same", name);
    if (tiles && !placed)
        return error_set(error, ERROR_USAGE,
                         "'%.80s' lacks {row} or {col}: all tiles of an image would be called the same",
                         name);
    if (!tiles && seen & (1u << FIELD_ROW | 1u << FIELD_COL))
        return error_set(error, ERROR_USAGE, "'%.80s' has {row} or {col}, which only tile gives", name);
    if (*name == '/' || strstr(name, "../") || strcmp(name, "..") == 0)
        return error_set(error, ERROR_USAGE, "'%.80s' leads out of the output directory", name);
    TRY(check_prefix(name, error));
    return tiles ? check_tiles(name, &dir, &stem, ext.first, error) : 0;
}

static bool ends_in(const char *name, const char *end)
{
    const size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

bool outname_template_open(const char *name)
{
    return ends_in(name, "{ext}") || ends_in(name, "{name}");
}

const struct codec *outname_template_codec(const char *name, bool *gzip)
{
    *gzip = codec_gzip_name(name);
    return outname_template_open(name) ? NULL : codec_for_name(name);
}
