/* SPDX-License-Identifier: MIT */
#include "pipeline/files/outname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool can_clash(const struct outname_rule *rule, const char *name)
{
    return !rule->kept || codec_stands_in(codec_for_name(name));
}

static int assign(const struct outname_rule *rule, unsigned form, const char *rel, struct error *error)
{
    char name[PATH_MAX];
    TRY(outname_make(&rule->forms[form], rel, 0, 0, name, sizeof name, error));
    TRY(outname_check_own(name, error));
    for (char *const *reserved = rule->reserved; reserved && *reserved; reserved++) {
        const size_t length = strlen(*reserved);
        if (length > 0 && (*reserved)[length - 1] == '/' && strncmp(*reserved, name, length) == 0)
            return error_set(error, ERROR_USAGE, "its output would lie in the quarantine");
        if (strcmp(*reserved, name) == 0)
            return error_set(error, ERROR_USAGE,
                             "its output would be the file that collect or aggregate writes");
    }
    int fresh = rule->taken && can_clash(rule, name) ? outname_set_add(rule->taken, name) : 1;
    if (fresh < 0)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return fresh ? 0 : error_set(error, ERROR_USAGE, "an earlier input already makes this output");
}

int outname_assign(const struct outname_rule *rule, const char *rel, struct error *error)
{
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
    char name[PATH_MAX + 64];
};

static int names_open(struct names *names, const struct scan_options *options,
                      const struct outname_rule *rule, struct error *error)
{
    *names = (struct names){.rule = rule, .form = rule->form_count};
    return scan_open(&names->scan, options, error);
}

/* The next name that can clash; false at the end. Names that cannot be made are left to the run. */
static bool names_next(struct names *names)
{
    for (;;) {
        while (names->form < names->rule->form_count) {
            if (outname_make(&names->rule->forms[names->form++], names->entry.rel, 0, 0, names->name,
                             sizeof names->name, NULL) == 0 &&
                can_clash(names->rule, names->name))
                return true;
        }
        do {
            if (!scan_next(names->scan, &names->entry))
                return false;
        } while (names->entry.kind != SCAN_FILE);
        names->form = 0;
    }
}

/* A second listing finds the first of the two, which the set could not remember. */
static int find_first(const struct scan_options *options, const struct outname_rule *rule,
                      struct outname_clash *clash, struct error *error)
{
    struct names names;
    int code = names_open(&names, options, rule, error);
    if (code)
        return code;
    while (!clash->first && names_next(&names)) {
        if (strcmp(names.name, clash->output) == 0)
            clash->first = strdup(names.entry.shown);
    }
    scan_close(names.scan);
    /* The input may have changed since: then one name is all that can be said. */
    return error_set(error, ERROR_USAGE, "two inputs would make the same output %s: %s and %s", clash->output,
                     clash->first ? clash->first : "another", clash->second);
}

int outname_check(const struct scan_options *options, const struct outname_rule *rule,
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
        added = outname_set_add(set, names.name);
    if (added == 0) {
        clash->second = strdup(names.entry.shown);
        clash->output = strdup(names.name);
        if (!clash->second || !clash->output) {
            outname_clash_free(clash);
            added = ERROR_MEMORY;
        }
    }
    scan_close(names.scan);
    outname_set_free(set);
    if (added < 0)
        return error_set(error, ERROR_MEMORY, "no memory to compare the names of outputs");
    return added ? 0 : find_first(options, rule, clash, error);
}
