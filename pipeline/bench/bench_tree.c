/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/files/siphash.h"

#define OWN_PREFIX ".forkmill"

static const uint64_t key[2] = {0x666f726b6d696c6cu, 0x62656e6368u};

static int hash_file(const char *path, struct bench_tree_file *file, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        int code = error_set(error, ERROR_IO, "%.120s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return code;
    }
    file->bytes = (uint64_t)st.st_size;
    void *bytes = file->bytes ? mmap(NULL, (size_t)file->bytes, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (bytes == MAP_FAILED)
        return error_set(error, ERROR_IO, "%.120s: mmap: %s", path, strerror(errno));
    file->hash = siphash(key, bytes ? bytes : "", (size_t)file->bytes);
    if (bytes)
        munmap(bytes, (size_t)file->bytes);
    return 0;
}

static int add(struct bench_tree *tree, const char *path, const char *relative, struct error *error)
{
    if ((tree->count & (tree->count - 1)) == 0) {
        size_t room = tree->count ? 2 * tree->count : 1;
        struct bench_tree_file *files = realloc(tree->files, room * sizeof *files);
        if (!files)
            return error_set(error, ERROR_MEMORY, "out of memory");
        tree->files = files;
    }
    struct bench_tree_file file = {0};
    TRY(hash_file(path, &file, error));
    file.path = strdup(relative);
    if (!file.path)
        return error_set(error, ERROR_MEMORY, "out of memory");
    tree->files[tree->count++] = file;
    tree->bytes += file.bytes;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct bench_tree_file *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static void hash_all(struct bench_tree *tree)
{
    qsort(tree->files, tree->count, sizeof *tree->files, by_path);
    for (size_t i = 0; i < tree->count; i++) {
        const struct bench_tree_file *file = &tree->files[i];
        const uint64_t parts[] = {tree->hash, siphash(key, file->path, strlen(file->path)), file->bytes,
                                  file->hash};
        tree->hash = siphash(key, parts, sizeof parts);
    }
}

int bench_tree_read(struct bench_tree *tree, const char *directory, struct error *error)
{
    char *paths[] = {(char *)(uintptr_t)directory, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int code = walk ? 0 : error_set(error, ERROR_IO, "%.120s: %s", directory, strerror(errno));
    for (FTSENT *entry; code == 0 && walk && (errno = 0, entry = fts_read(walk));) {
        if (entry->fts_level > 0 && strncmp(entry->fts_name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
            fts_set(walk, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            code = error_set(error, ERROR_IO, "%.120s: %s", entry->fts_path, strerror(entry->fts_errno));
        else if (entry->fts_info == FTS_F)
            code = add(tree, entry->fts_path, entry->fts_path + strlen(directory) + 1, error);
    }
    if (walk)
        fts_close(walk);
    if (code == 0)
        hash_all(tree);
    return code;
}

bool bench_tree_same(const struct bench_tree *a, const struct bench_tree *b, const char **path,
                     const char **how)
{
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        const struct bench_tree_file *x = i < a->count ? &a->files[i] : NULL;
        const struct bench_tree_file *y = i < b->count ? &b->files[i] : NULL;
        const int order = !x ? 1 : !y ? -1 : strcmp(x->path, y->path);
        if (order == 0 && x->bytes == y->bytes && x->hash == y->hash)
            continue;
        *path = order <= 0 ? x->path : y->path;
        *how = order < 0              ? "is missing"
               : order > 0            ? "is there and should not be"
               : x->bytes != y->bytes ? "has another length"
                                      : "has other bytes";
        return false;
    }
    return true;
}

void bench_tree_free(struct bench_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->files[i].path);
    free(tree->files);
    *tree = (struct bench_tree){0};
}

int bench_tree_remove(const char *directory, struct error *error)
{
    char *paths[] = {(char *)(uintptr_t)directory, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int code = walk ? 0 : error_set(error, ERROR_IO, "%.120s: %s", directory, strerror(errno));
    for (FTSENT *entry; walk && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_D)
            continue;
        bool is_directory = entry->fts_info == FTS_DP || entry->fts_info == FTS_DNR;
        if ((is_directory ? rmdir(entry->fts_accpath) : unlink(entry->fts_accpath)) < 0 && code == 0)
            code = error_set(error, ERROR_IO, "%.120s: %s", entry->fts_path, strerror(errno));
    }
    if (walk)
        fts_close(walk);
    return code;
}
