/* SPDX-License-Identifier: MIT */
/* A whole scan as one text, for tests to compare. */
#ifndef TESTS_PIPELINE_SCANNED_H
#define TESTS_PIPELINE_SCANNED_H

#include "tree.h"

#include <strings.h>

#include "pipeline/files/scan.h"

static inline bool known(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".pgm") == 0);
}

struct seen {
    char text[1 << 20]; /* "F rel|shown\n", "N shown\n", "H shown\n", "E shown\n" in order */
    struct scan_counts counts;
    char reason[228]; /* of the last note, hint or error */
    int code;
};

static struct seen seen;

static inline int scan_all(struct scan_options *options)
{
    struct scan *scan;
    struct scan_entry entry;
    struct error error = {0};
    memset(&seen, 0, sizeof seen);
    options->known = known;
    options->stop_fd = -1;
    int code = scan_open(&scan, options, &error);
    if (code) {
        assert_null(scan);
        strcpy(seen.reason, error.reason);
        return code;
    }
    char *at = seen.text;
    while (scan_next(scan, &entry)) {
        size_t left = (size_t)(seen.text + sizeof seen.text - at);
        assert_true(left > 16384);
        if (entry.kind == SCAN_FILE) {
            struct stat st;
            int fd = scan_open_file(scan, entry.root, entry.path, &st, &error);
            assert_true(fd >= 0);
            close(fd);
            at += snprintf(at, left, "F %s|%s\n", entry.rel, entry.shown);
        } else {
            assert_string_not_equal(entry.reason.reason, "");
            strcpy(seen.reason, entry.reason.reason);
            seen.code = entry.reason.code;
            at += snprintf(at, left, "%c %s\n", "FNHE"[entry.kind], entry.shown);
        }
    }
    assert_int_equal(scan_next(scan, &entry), 0);
    seen.counts = scan_counts(scan);
    scan_close(scan);
    return 0;
}

/* A scan of some inputs (NULL-terminated), nothing else set. */
static inline int scan_inputs(int recursive, ...)
{
    char *texts[8];
    struct param_list inputs = {texts, 0};
    va_list args;
    va_start(args, recursive);
    for (char *text; (text = va_arg(args, char *));)
        texts[inputs.count++] = text;
    va_end(args);
    return scan_all(&(struct scan_options){.inputs = &inputs, .recursive = recursive});
}

#endif
