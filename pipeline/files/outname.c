/* SPDX-License-Identifier: MIT */
#include "pipeline/files/outname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a name and its NUL. */
#define NAME_BYTES PATH_MAX

static bool can_clash(const struct outname_rule *rule, const char *name)
{
    return !rule->kept || codec_stands_in(codec_for_name(name));
}

/* Is the output called like its input, and can no other be called so? Of a tree whose names are kept nearly
 * all are, and need not be made to be compared. */
static bool is_plain(const struct outname_rule *rule, const char *rel)
{
    const size_t length = strlen(rel);
    if (!rule->kept || rule->reserved || length == 0 || length >= NAME_BYTES || rel[length - 1] == '.')
        return false;
    const struct codec *codec = codec_for_name(rel);
    return codec_written(codec) == codec && !codec_stands_in(codec);
}

/* A name as it is to be compared; with `tiles` each run of digits is one 0: what all tiles of an item have in
 * common. */
static void common(const char *name, bool tiles, char *out)
{
    bool within = false;
    for (; *name; name++) {
        const bool digit = tiles && *name >= '0' && *name <= '9';
        if (!digit || !within)
            *out++ = digit ? '0' : *name;
        within = digit;
    }
    *out = '\0';
}

/* Takes the name of an output, of a tile the first one. 1; 0 where it was taken already; ERROR_MEMORY.
 * Between two outputs of which one makes tiles, what all tiles have in common decides: how many there will be
 * is not known yet. */
static int claim(const struct outname_rule *rule, struct outname_set *set, unsigned form, const char *name)
{
    char key[NAME_BYTES + 2]; /* no name begins with a slash */
    int fresh = outname_set_add(set, name);
    bool tiles = false;
    for (unsigned i = 0; i < rule->form_count; i++)
        tiles = tiles || rule->forms[i].tiles;
    if (fresh != 1 || !tiles || rule->form_count == 1)
        return fresh;
    key[0] = '/';
    common(name, true, key + 2);
    for (unsigned i = 0; i < rule->form_count; i++) {
        key[1] = (char)('A' + i);
        if (i != form && (rule->forms[i].tiles || rule->forms[form].tiles) && outname_set_has(set, key))
            return 0;
    }
    key[1] = (char)('A' + form);
    return outname_set_add(set, key) < 0 ? ERROR_MEMORY : 1;
}

static bool lies_in(const struct outname_reserved *reserved)
{
    const size_t length = strlen(reserved->name);
    return length > 0 && reserved->name[length - 1] == '/';
}

/* What else the run writes that the name is, or that it lies in; NULL: nothing. */
static const struct outname_reserved *reserved_by(const struct outname_rule *rule, unsigned form,
                                                  const char *name)
{
    char ours[NAME_BYTES], other[NAME_BYTES];
    const bool tiles = rule->forms[form].tiles;
    for (const struct outname_reserved *reserved = rule->reserved; reserved && reserved->name; reserved++) {
        if (strlen(reserved->name) >= sizeof other)
            continue;
        common(name, tiles, ours);
        common(reserved->name, tiles, other);
        if (lies_in(reserved) ? strncmp(other, ours, strlen(other)) == 0 : strcmp(other, ours) == 0)
            return reserved;
    }
    return NULL;
}

static int assign(const struct outname_rule *rule, unsigned form, const char *rel, struct error *error)
{
    char name[NAME_BYTES];
    TRY(outname_make(&rule->forms[form], rel, 0, 0, name, sizeof name, error));
    TRY(outname_check_own(name, error));
    const struct outname_reserved *reserved = reserved_by(rule, form, name);
    if (reserved)
        return error_set(error, ERROR_USAGE, "its output would %s %s%s",
                         lies_in(reserved) ? "lie in the" : "be the file that", reserved->who,
                         lies_in(reserved) ? "" : " writes");
    int fresh = rule->taken && can_clash(rule, name) ? claim(rule, rule->taken, form, name) : 1;
    if (fresh < 0)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return fresh ? 0
                 : error_set(error, ERROR_USAGE,
                             "an earlier input already makes this output, or is the same file");
}

int outname_assign(const struct outname_rule *rule, const char *rel, struct error *error)
{
    if (is_plain(rule, rel))
        return outname_check_own(rel, error);
    for (unsigned i = 0; i < rule->form_count; i++)
        TRY(assign(rule, i, rel, error));
    return 0;
}

bool outname_kept(const struct scan_options *options, const struct outname_rule *rule)
{
    const struct outname_form *form = rule->forms;
    return rule->form_count == 1 && !form->format && !form->name && !form->gzip && !form->tiles &&
           !options->files_from && !(options->inputs && options->inputs->count > 1);
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

/* A listing, and the names that its files make. */
struct names {
    const struct outname_rule *rule;
    struct scan *scan;
    struct scan_entry entry;
    unsigned form; /* the next to make of the entry */
    char name[NAME_BYTES];
    const struct outname_reserved *reserved; /* what the name would be; NULL: no such thing */
};

static int names_open(struct names *names, const struct scan_options *options,
                      const struct outname_rule *rule, struct error *error)
{
    *names = (struct names){.rule = rule, .form = rule->form_count};
    return scan_open(&names->scan, options, error);
}

/* The next name that can clash, or is reserved; false at the end. Names that cannot be made are left to the
 * run.
 */
static bool names_next(struct names *names)
{
    for (;;) {
        while (names->form < names->rule->form_count) {
            const unsigned form = names->form++;
            if (outname_make(&names->rule->forms[form], names->entry.rel, 0, 0, names->name,
                             sizeof names->name, NULL) < 0)
                continue;
            names->reserved = reserved_by(names->rule, form, names->name);
            if (names->reserved || can_clash(names->rule, names->name))
                return true;
        }
        do {
            if (!scan_next(names->scan, &names->entry))
                return false;
        } while (names->entry.kind != SCAN_FILE || is_plain(names->rule, names->entry.rel));
        names->form = 0;
    }
}

/* Is the listing at a name that could be the output `made` of that form, too? */
static bool same_output(const struct names *names, const char *made, unsigned form)
{
    char ours[NAME_BYTES], other[NAME_BYTES];
    const struct outname_form *forms = names->rule->forms;
    const unsigned own = names->form - 1;
    const bool tiles = own != form && (forms[own].tiles || forms[form].tiles);
    common(names->name, tiles, ours);
    common(made, tiles, other);
    return strcmp(ours, other) == 0;
}

/* A second listing finds the first of the two, which the set could not remember. */
static int find_first(const struct scan_options *options, const struct outname_rule *rule, unsigned form,
                      struct outname_clash *clash, struct error *error)
{
    struct names names;
    int code = names_open(&names, options, rule, error);
    if (code)
        return code;
    while (!clash->first && names_next(&names)) {
        if (same_output(&names, clash->output, form))
            clash->first = strdup(names.entry.shown);
    }
    /* Which tile it would be is not known: better the other's whole name. */
    char *whole = clash->first && !rule->forms[names.form - 1].tiles ? strdup(names.name) : NULL;
    if (whole) {
        free(clash->output);
        clash->output = whole;
    }
    scan_close(names.scan);
    /* The input may have changed since: then one name is all that can be said. */
    return error_set(error, ERROR_USAGE, "two inputs would make the same output %s: %s and %s", clash->output,
                     clash->first ? clash->first : "another", clash->second);
}

/* The listing is at a name that is reserved. */
static int refuse_reserved(const struct names *names, struct outname_clash *clash, struct error *error)
{
    clash->first = strdup(names->entry.shown);
    clash->output = strdup(names->reserved->name);
    clash->who = names->reserved->who;
    if (!clash->first || !clash->output)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return error_set(error, ERROR_USAGE, "%s would make %s, which %s writes", clash->first, clash->output,
                     clash->who);
}

/* The listing is at a name that another input makes, too. */
static int refuse_twin(const struct names *names, const struct scan_options *options,
                       struct outname_clash *clash, struct error *error)
{
    clash->second = strdup(names->entry.shown);
    clash->output = strdup(names->name);
    if (!clash->second || !clash->output)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return find_first(options, names->rule, names->form - 1, clash, error);
}

int outname_check(const struct scan_options *options, const struct outname_rule *rule, uint64_t *count,
                  struct outname_clash *clash, struct error *error)
{
    *clash = (struct outname_clash){0};
    struct names names;
    int code = names_open(&names, options, rule, error);
    if (code)
        return code;
    struct outname_set *set = outname_set_new();
    int added = set ? 1 : ERROR_MEMORY;
    while (added == 1 && names_next(&names))
        added = names.reserved ? 0 : claim(rule, set, names.form - 1, names.name);
    outname_set_free(set);
    if (added < 0)
        code = error_set(error, ERROR_MEMORY, "no memory to compare the names of outputs");
    else if (added == 0)
        code = names.reserved ? refuse_reserved(&names, clash, error)
                              : refuse_twin(&names, options, clash, error);
    const struct scan_counts counts = scan_counts(names.scan);
    *count = counts.files + counts.errors;
    scan_close(names.scan);
    if (code == ERROR_MEMORY)
        outname_clash_free(clash);
    return code;
}
