/* SPDX-License-Identifier: MIT */
/* What outputs are called, and whether two inputs would make one output or an output would replace an input:
 * found out before any work, from names alone. */
#ifndef PIPELINE_OUTNAME_H
#define PIPELINE_OUTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/files/scan.h"
#include "stages/stage.h"

/* How an output is named. */
struct outname_form {
    /* A template, NULL: as the input. {dir} is the input's directory with its slash, or nothing; {stem} its
     * name without extension; {ext} the extension of the output; {name} is {stem}.{ext}; {row} and {col} are
     * a tile's. */
    const char *name;
    const struct codec *format; /* NULL: the same as the input */
    int gzip;                   /* enum codec_gzip */
    bool tiles;                 /* each input makes several, by row and column; they are never packed */
};

/* How outputs saved like that are named; `save` must outlive it. */
struct outname_form outname_form_of(const struct codec_save *save, bool tiles);

/* Writes the output's path, relative to the output directory, of an input that the scan calls `rel`. The
 * extension is the input's where the format is the same, else the first one of the format. ERROR_LIMIT where
 * it does not fit `size`. */
int outname_make(const struct outname_form *form, const char *rel, uint32_t row, uint32_t col, char *out,
                 size_t size, struct error *error);

/* ERROR_USAGE where the file would be called like the journal or a temporary file: it would be taken for one,
 * or take its place. */
int outname_check_own(const char *path, struct error *error);

/* Is the template sound? ERROR_USAGE with a text that says what is not. In one for tiles, row and column can
 * be read back from every name: so two tiles are called alike only where the first ones of their items are.
 */
int outname_check_template(const char *name, bool tiles, struct error *error);

/* Does the template take its extension from the format, ending in {ext} or {name}? */
bool outname_template_open(const char *name);

/* The codec that the template's extension chooses; NULL: there is none, or it is open. *gzip: it says .gz. */
const struct codec *outname_template_codec(const char *name, bool *gzip);

/* A set of names, 16 bytes for each: a keyed 128-bit hash, so that nobody can choose names that collide and
 * none will by chance. */
struct outname_set;

/* NULL where memory or random numbers ran out. */
struct outname_set *outname_set_new(void);

/* 1 where the name is new, 0 where it was there already, ERROR_MEMORY. */
int outname_set_add(struct outname_set *set, const char *name);

bool outname_set_has(const struct outname_set *set, const char *name);

/* Accepts NULL. */
void outname_set_free(struct outname_set *set);

/* What else a run writes below the output directory. */
struct outname_reserved {
    char *name;      /* with a slash at the end it is a directory for such files */
    const char *who; /* the setting that says so */
};

/* How a run names its outputs: each input makes one of each form. */
struct outname_rule {
    const struct outname_form *forms;
    unsigned form_count;
    struct outname_set *taken;               /* names so far; NULL: not watched */
    const struct outname_reserved *reserved; /* ended by one without a name; NULL: none */
    bool kept;                               /* see outname_kept: few names have to be compared */
};

/* Makes the names of an input's outputs and throws them away; where `taken` is watched, a name that was given
 * before is ERROR_USAGE. Also ERROR_LIMIT, ERROR_MEMORY. One thread for each rule. */
int outname_assign(const struct outname_rule *rule, const char *rel, struct error *error);

/* Are the inputs one tree whose names are kept? Then two can make one output only where a format is read and
 * not written: x.npz becomes x.npy, which may be there, too. */
bool outname_kept(const struct scan_options *options, const struct outname_rule *rule);

/* Can the inputs be listed twice? Not where the list is standard input, a pipe or the like: then an item
 * whose output is taken fails alone, while the names stream. */
bool outname_can_look(const struct scan_options *options);

/* Two inputs, as a user would write them, and the output both would make; or one input, and the output that
 * would be what else the run writes. */
struct outname_clash {
    char *first, *second, *output; /* raw bytes, owned; NULL where there is no clash */
    const char *who;               /* instead of `second`; see struct outname_reserved */
};

void outname_clash_free(struct outname_clash *clash);

/* Lists the inputs (names only) and looks for two that would make one output, and for one that would make
 * what is reserved. 0, with the number of inputs in *count, those that cannot be listed or opened among them;
 * ERROR_USAGE where there are, with *clash filled; SCAN_NO_INPUT and errors as scan_open. Entries that are
 * notes or errors are ignored: the run meets them again. */
int outname_check(const struct scan_options *options, const struct outname_rule *rule, uint64_t *count,
                  struct outname_clash *clash, struct error *error);

/* Compares the places given, creating nothing; the output directory need not exist. ERROR_USAGE where an
 * input directory (or the fixed part of a glob) is the output directory or lies inside it, or where the
 * output of a file given by name would replace that file. An output inside an input is fine: the scan leaves
 * it out. */
int outname_check_places(const struct scan_options *options, const char *output,
                         const struct outname_rule *rule, struct error *error);

/* May the run write this file, beside its outputs? ERROR_USAGE where it is an input, the list of them, or
 * would be an input of the next run, lying among inputs with an extension that is taken; or where it is
 * called like forkmill's own. */
int outname_check_extra(const struct scan_options *options, const char *output, const char *path,
                        struct error *error);

/* May the run set inputs that failed aside in this directory, which exists? ERROR_USAGE where it is the
 * output directory or around it, or an input directory, inside one or around one: a copy would replace
 * others. */
int outname_check_aside(const struct scan_options *options, const char *output, const char *directory,
                        struct error *error);

/* The name of that file below the output directory, neither of which need exist; the caller's to free. NULL:
 * it lies elsewhere. */
char *outname_of_extra(const char *output, const char *path);

#endif
