/* SPDX-License-Identifier: MIT */
/* Files with known verdicts: FORKMILL_CORPUS names a directory with tables, expected-*.tsv, of files in it.
 */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The bytes of a file, with room for one more; the caller frees them. */
static inline uint8_t *corpus_load(const char *directory, const char *name, size_t *length_bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    fseek(file, 0, SEEK_END);
    *length_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length_bytes + 1);
    assert_int_equal(fread(bytes, 1, *length_bytes, file), *length_bytes);
    fclose(file);
    return bytes;
}

/* Calls `check` with the directory and the columns of each line, "" where a line has fewer. */
#define CORPUS_COLUMNS 11
static inline void corpus_each(const char *table, void (*check)(const char *directory, char **columns))
{
    const char *directory = getenv("FORKMILL_CORPUS");
    if (!directory) {
        print_message("skipped: FORKMILL_CORPUS is not set, no corpus was read\n");
        skip();
    }
    size_t length, files = 0;
    char none[] = "", *text = (char *)corpus_load(directory, table, &length), *rest = text;
    text[length] = '\0';
    for (char *line; (line = strsep(&rest, "\n")) && *line; files++) {
        char *columns[CORPUS_COLUMNS];
        for (unsigned i = 0; i < CORPUS_COLUMNS; i++)
            columns[i] = line ? strsep(&line, "\t") : none;
        check(directory, columns);
    }
    print_message("%zu files of the corpus were checked\n", files);
    assert_true(files > 0);
    free(text);
}

#endif
