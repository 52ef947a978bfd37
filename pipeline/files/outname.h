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

/* Writes the output's path, relative to the output directory, of an input that the scan calls `rel`. With
 * `format` NULL (the same as the input) that is `rel`; else the part of the last name behind its last dot is
 * replaced by the first extension of the format, or the extension is added where there is none. ERROR_LIMIT
 * where it does not fit `size`. */
int outname_make(const char *rel, const struct codec *format, char *out, size_t size, struct error *error);

/* A set of names, 16 bytes for each: a keyed 128-bit hash, so that nobody can choose names that collide and
 * none will by chance. */
struct outname_set;

/* NULL where memory or random numbers ran out. */
struct outname_set *outname_set_new(void);

/* 1 where the name is new, 0 where it was there already, ERROR_MEMORY. */
int outname_set_add(struct outname_set *set, const char *name);

/* Accepts NULL. */
void outname_set_free(struct outname_set *set);

/* How a run names its outputs. */
struct outname_rule {
    const struct codec *format; /* NULL: each the same as its input */
    struct outname_set *taken;  /* names so far, where two inputs may clash unseen; else NULL */
};

/* outname_make by the rule; where `taken` is watched, a name that was given before is ERROR_USAGE. Also
 * ERROR_MEMORY. One thread for each rule. */
int outname_assign(const struct outname_rule *rule, const char *rel, char *out, size_t size,
                   struct error *error);

/* Can two inputs of such a run make one output at all? One tree whose names are kept cannot. */
bool outname_may_clash(const struct scan_options *options, const struct codec *format);

/* Can the inputs be listed twice? Not where the list is standard input, a pipe or the like: then the names
 * have to be watched with a set while they stream, and an item whose output is taken fails alone. */
bool outname_can_look(const struct scan_options *options);

/* Two inputs, as a user would write them, and the output both would make. */
struct outname_clash {
    char *first, *second, *output; /* raw bytes, owned; NULL where there is no clash */
};

void outname_clash_free(struct outname_clash *clash);

/* Lists the inputs (names only) and looks for two that would make one output. 0; ERROR_USAGE where there are,
 * with *clash filled; SCAN_NO_INPUT and errors as scan_open. Entries that are notes or errors are ignored:
 * the run meets them again. */
int outname_check(const struct scan_options *options, const struct codec *format, struct outname_clash *clash,
                  struct error *error);

/* Compares the places given, creating nothing; the output directory need not exist. ERROR_USAGE where an
 * input directory (or the fixed part of a glob) is the output directory or lies inside it, or where the
 * output of a file given by name would replace that file. An output inside an input is fine: the scan leaves
 * it out. */
int outname_check_places(const struct scan_options *options, const char *output, const struct codec *format,
                         struct error *error);

#endif
