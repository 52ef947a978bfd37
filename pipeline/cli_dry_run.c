/* SPDX-License-Identifier: MIT */
#include "pipeline/cli_dry_run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/arrival.h"
#include "pipeline/cli.h"
#include "pipeline/escape.h"
#include "pipeline/run_parts.h"

/* Room for any path when every byte of it is escaped. */
#define SHOWN_BYTES (4 * PATH_MAX + 4)

struct tally {
    unsigned long long would_do, would_fail;
};

static int examine(struct run *run, const struct scan_entry *entry, uint8_t *head, struct error *error)
{
    const struct settings *settings = &run->job.settings;
    struct codec_limits limits = {settings->max_pixels, settings->max_width, settings->max_height,
                                  settings->max_metadata_bytes};
    struct arrival arrival = {.fd = -1, .head = head};
    int code = arrival_examine(&arrival, &run->job, &limits, run->scan, entry->root, entry->path, error);
    arrival_close(&arrival);
    return code;
}

static void tell(struct run *run, const struct scan_entry *entry, uint8_t *head, struct tally *tally)
{
    static char from[SHOWN_BYTES], to[SHOWN_BYTES];
    char rel[PATH_MAX];
    struct error error = entry->reason;
    int code = entry->kind == SCAN_ERROR ? ERROR_IO : 0;
    if (code == 0)
        code = outname_make(entry->rel, run->reader.format, rel, sizeof rel, &error);
    if (code == 0 && run->reader.taken && outname_set_add(run->reader.taken, rel) == 0)
        code = error_set(&error, ERROR_USAGE, "an earlier input already makes this output");
    if (code == 0)
        code = examine(run, entry, head, &error);
    escape_text(entry->shown, from, sizeof from);
    if (code < 0) {
        escape_text(error.reason, to, sizeof to);
        fprintf(stderr, "would fail: %s: %s%s%s\n", from, error.stage, *error.stage ? ": " : "", to);
        tally->would_fail++;
    } else {
        printf("%s -> %s/", from, escape_text(run->job.settings.output, to, sizeof to));
        printf("%s\n", escape_text(rel, to, sizeof to));
        tally->would_do++;
    }
}

int cli_dry_run(struct run *run)
{
    struct tally tally = {0};
    struct scan_entry entry;
    uint8_t *head = malloc(CODEC_HEAD_BYTES + 1);
    if (!head)
        return EXIT_RESOURCES;
    while (scan_next(run->scan, &entry) == 1) {
        if (entry.kind != SCAN_NOTE)
            tell(run, &entry, head, &tally);
    }
    free(head);
    if (run->options.verbosity >= 0)
        fprintf(stderr, "dry run: %llu would be done, %llu would fail; nothing was created\n", tally.would_do,
                tally.would_fail);
    if (tally.would_do + tally.would_fail == 0)
        return EXIT_NO_INPUT;
    return tally.would_fail ? EXIT_FAILED_ITEMS : EXIT_DONE;
}
