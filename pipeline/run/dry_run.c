/* SPDX-License-Identifier: MIT */
#include "pipeline/run/dry_run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/run/arrival.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/run/run_parts.h"

static int examine(struct run *run, const struct scan_entry *entry, uint8_t *head, struct error *error)
{
    const struct settings *settings = &run->job.settings;
    const struct codec_limits limits = settings_limits(settings);
    struct arrival arrival = {.fd = -1, .reference_fd = -1, .head = head};
    int code = arrival_examine(&arrival, &run->job, &limits, &run->reader.places, entry->root, entry->path,
                               entry->rel, error);
    if (code == 0)
        code = chain_need_check(&arrival.need, settings->memory_bytes, error);
    arrival_close(&arrival);
    return code;
}

/* The item and each of its outputs; of tiles the first. */
static void tell(const struct run *run, const struct scan_entry *entry, int code, const struct error *error)
{
    char name[PATH_MAX], output[2 * PATH_MAX];
    if (code < 0 || run->job.output_count == 0)
        run->options.would(entry->shown, code < 0 ? NULL : "(no output)", error);
    for (unsigned i = 0; code >= 0 && i < run->job.output_count; i++) {
        outname_make(&run->names[i], entry->rel, 0, 0, name, sizeof name, NULL);
        snprintf(output, sizeof output, "%s/%s", run->job.settings.output, name);
        run->options.would(entry->shown, output, error);
    }
}

int dry_run(struct run *run)
{
    bool any = false, any_failed = false;
    struct scan_entry entry;
    uint8_t *head = malloc(CODEC_HEAD_BYTES + 1);
    if (!head)
        return EXIT_RESOURCES;
    while (scan_next(run->scan, &entry) == 1) {
        struct error error = entry.reason;
        if (entry.kind == SCAN_NOTE)
            continue;
        int code =
            entry.kind == SCAN_ERROR ? ERROR_IO : outname_assign(&run->reader.names, entry.rel, &error);
        if (code == 0)
            code = examine(run, &entry, head, &error);
        tell(run, &entry, code, &error);
        any = true;
        any_failed = any_failed || code < 0;
    }
    free(head);
    return !any ? EXIT_NO_INPUT : any_failed ? EXIT_FAILED_ITEMS : EXIT_DONE;
}
