/* SPDX-License-Identifier: MIT */
/* A tree of outputs as a list of hashes, so that the trees of many runs can be compared and only one has to
 * be on the disk at a time. Names that begin with ".forkmill" are the program's own and not looked at. */
#ifndef PIPELINE_BENCH_TREE_H
#define PIPELINE_BENCH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

struct bench_tree_file {
    char *path; /* relative to the tree */
    uint64_t bytes, hash;
};

/* Zero it to start. */
struct bench_tree {
    struct bench_tree_file *files; /* sorted by path */
    size_t count;
    uint64_t bytes, hash; /* of all: sum, and a hash over paths, lengths and hashes */
};

/* Reads every file beneath `directory`. Hashes are SipHash-2-4 with a fixed key: equal bytes make equal
 * hashes, and different bytes equal ones with a chance of 2^-64. ERROR_IO or ERROR_MEMORY. Free it either
 * way. */
int bench_tree_read(struct bench_tree *tree, const char *directory, struct error *error);

/* Do both hold the same files with the same bytes? If not, in `path` the first that differs (raw bytes, lives
 * as long as the trees) and in `how` a few words about it, from the view of `b`. */
bool bench_tree_same(const struct bench_tree *a, const struct bench_tree *b, const char **path,
                     const char **how);

void bench_tree_free(struct bench_tree *tree);

/* Removes a directory and all beneath it; follows no link. */
int bench_tree_remove(const char *directory, struct error *error);

#endif
