/* SPDX-License-Identifier: MIT */
#include "pipeline/files/outname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pipeline/files/siphash.h"

int outname_make(const char *rel, const struct codec *format, char *out, size_t size, struct error *error)
{
    const char *slash = strrchr(rel, '/');
    const char *name = slash ? slash + 1 : rel;
    const char *dot = strrchr(name, '.');
    size_t kept = strlen(rel), extension = 0;
    if (format) {
        if (dot && dot > name)
            kept = (size_t)(dot - rel);
        extension = strcspn(format->extensions, "|");
    }
    if (kept + 1 + extension >= size)
        return error_set(error, ERROR_LIMIT, "the output's path would be longer than %zu bytes", size - 1);
    memcpy(out, rel, kept);
    if (format) {
        out[kept++] = '.';
        memcpy(out + kept, format->extensions, extension);
        kept += extension;
    }
    out[kept] = '\0';
    return 0;
}

struct hash {
    uint64_t word[2]; /* both 0: a free place */
};

struct outname_set {
    struct hash *places;
    size_t size, count; /* size is a power of two */
    uint64_t keys[2][2];
};

struct outname_set *outname_set_new(void)
{
    struct outname_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->size = 1024;
    set->places = calloc(set->size, sizeof *set->places);
    if (!set->places || getrandom(set->keys, sizeof set->keys, 0) != (ssize_t)sizeof set->keys) {
        outname_set_free(set);
        return NULL;
    }
    return set;
}

void outname_set_free(struct outname_set *set)
{
    if (set)
        free(set->places);
    free(set);
}

/* The place that holds the hash, or the free one where it belongs. */
static struct hash *set_find(struct hash *places, size_t size, struct hash hash)
{
    size_t i = (size_t)hash.word[0] & (size - 1);
    while ((places[i].word[0] | places[i].word[1]) &&
           (places[i].word[0] != hash.word[0] || places[i].word[1] != hash.word[1]))
        i = (i + 1) & (size - 1);
    return &places[i];
}

static int set_grow(struct outname_set *set)
{
    struct hash *places = calloc(2 * set->size, sizeof *places);
    if (!places)
        return ERROR_MEMORY;
    for (size_t i = 0; i < set->size; i++) {
        if (set->places[i].word[0] | set->places[i].word[1])
            *set_find(places, 2 * set->size, set->places[i]) = set->places[i];
    }
    free(set->places);
    set->places = places;
    set->size *= 2;
    return 0;
}

int outname_set_add(struct outname_set *set, const char *name)
{
    const size_t length = strlen(name);
    struct hash hash = {{siphash(set->keys[0], name, length), siphash(set->keys[1], name, length)}};
    hash.word[1] |= (hash.word[0] | hash.word[1]) == 0;
    if (set->count >= set->size / 4 * 3)
        TRY(set_grow(set));
    struct hash *place = set_find(set->places, set->size, hash);
    if (place->word[0] | place->word[1])
        return 0;
    *place = hash;
    set->count++;
    return 1;
}

int outname_assign(const struct outname_rule *rule, const char *rel, char *out, size_t size,
                   struct error *error)
{
    TRY(outname_make(rel, rule->format, out, size, error));
    int fresh = rule->taken ? outname_set_add(rule->taken, out) : 1;
    if (fresh < 0)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return fresh ? 0 : error_set(error, ERROR_USAGE, "an earlier input already makes this output");
}

bool outname_may_clash(const struct scan_options *options, const struct codec *format)
{
    return format || options->files_from || (options->inputs && options->inputs->count > 1);
}

bool outname_can_look(const struct scan_options *options)
{
    if (!options->files_from)
        return true;
    struct stat st;
    return strcmp(options->files_from, "-") != 0 && stat(options->files_from, &st) == 0 &&
           S_ISREG(st.st_mode);
}

void outname_clash_free(struct outname_clash *clash)
{
    free(clash->first);
    free(clash->second);
    free(clash->output);
    *clash = (struct outname_clash){0};
}

/* The next file's output name into name[PATH_MAX + 64]; false at the end. Names that cannot be made are left
 * to the run. */
static bool next_name(struct scan *scan, struct scan_entry *entry, const struct codec *format, char *name)
{
    while (scan_next(scan, entry)) {
        if (entry->kind == SCAN_FILE && outname_make(entry->rel, format, name, PATH_MAX + 64, NULL) == 0)
            return true;
    }
    return false;
}

/* A second listing finds the first of the two, which the set could not remember. */
static int find_first(const struct scan_options *options, const struct codec *format,
                      struct outname_clash *clash, struct error *error)
{
    struct scan *scan;
    struct scan_entry entry;
    char name[PATH_MAX + 64];
    int code = scan_open(&scan, options, error);
    if (code)
        return code;
    while (!clash->first && next_name(scan, &entry, format, name)) {
        if (strcmp(name, clash->output) == 0)
            clash->first = strdup(entry.shown);
    }
    scan_close(scan);
    /* The input may have changed since: then one name is all that can be said. */
    return error_set(error, ERROR_USAGE, "two inputs would make the same output %s: %s and %s", clash->output,
                     clash->first ? clash->first : "another", clash->second);
}

int outname_check(const struct scan_options *options, const struct codec *format, struct outname_clash *clash,
                  struct error *error)
{
    *clash = (struct outname_clash){0};
    struct scan *scan;
    struct scan_entry entry;
    char name[PATH_MAX + 64];
    int code = scan_open(&scan, options, error);
    if (code)
        return code;
    struct outname_set *set = outname_set_new();
    int added = set ? 1 : ERROR_MEMORY;
    while (added == 1 && next_name(scan, &entry, format, name))
        added = outname_set_add(set, name);
    if (added == 0) {
        clash->second = strdup(entry.shown);
        clash->output = strdup(name);
        if (!clash->second || !clash->output) {
            outname_clash_free(clash);
            added = ERROR_MEMORY;
        }
    }
    scan_close(scan);
    outname_set_free(set);
    if (added < 0)
        return error_set(error, ERROR_MEMORY, "no memory to compare the names of outputs");
    return added ? 0 : find_first(options, format, clash, error);
}
