/* SPDX-License-Identifier: MIT */
#include "pipeline/run/dry_run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/run/arrival.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/run/run_parts.h"

/* What the journal says, else what a look at the file says. */
static int examine(struct run *run, const struct scan_entry *entry, uint8_t *head, enum run_would *would,
                   struct error *error)
{
    const struct settings *settings = &run->job.settings;
    struct resume *resume = &run->reader.resume;
    enum journal_fate fate = JOURNAL_NOTHING;
    const struct codec_limits limits = settings_limits(settings);
    struct arrival arrival = {.fd = -1, .reference_fd = -1, .head = head};
    int code = arrival_open(&arrival, &run->reader.places, entry->root, entry->path, error);
    arrival.may_feed = !run->engine->turns;
    if (code == 0)
        code = resume_judge(resume, entry->shown, entry->rel, &arrival.st, &fate, error);
    if (code == 0 && fate == JOURNAL_FAILED) {
        *error = resume->found.error;
        code = resume->found.error.code;
    }
    if (fate == JOURNAL_DONE)
        *would = RUN_WOULD_SKIP;
    if (code == 0 && fate == JOURNAL_NOTHING)
        code = arrival_examine(&arrival, &run->job, &limits, &run->reader.places, entry->path, entry->rel,
                               error);
    if (code == 0 && fate == JOURNAL_NOTHING)
        code = chain_need_check(&arrival.need, settings->memory_bytes, error);
    arrival_close(&arrival);
    return code;
}

/* The item and each of its outputs; of tiles the first. */
static void tell(const struct run *run, const struct scan_entry *entry, enum run_would what,
                 const struct error *error)
{
    char name[PATH_MAX], output[2 * PATH_MAX];
    if (what != RUN_WOULD_DO || run->job.output_count == 0)
        run->options.would(what, entry->shown, what == RUN_WOULD_DO ? "(no output)" : NULL, error);
    for (unsigned i = 0; what == RUN_WOULD_DO && i < run->job.output_count; i++) {
        outname_make(&run->names[i], entry->rel, 0, 0, name, sizeof name, NULL);
        snprintf(output, sizeof output, "%s/%s", run->job.settings.output, name);
        run->options.would(i == 0 ? RUN_WOULD_DO : RUN_WOULD_DO_MORE, entry->shown, output, error);
    }
}

static void tell_hint(const struct run *run, const struct scan_entry *entry)
{
    char *text;
    if (asprintf(&text, "warning: %s %s", entry->shown, entry->reason.reason) < 0)
        return;
    run->options.complain(text);
    free(text);
}

int dry_run(struct run *run)
{
    bool any_failed = false;
    struct scan_entry entry;
    uint8_t *head = malloc(CODEC_HEAD_BYTES + 1);
    if (!head)
        return EXIT_RESOURCES;
    while (scan_next(run->scan, &entry) == 1) {
        struct error error = entry.reason;
        enum run_would would = RUN_WOULD_DO;
        if (entry.kind == SCAN_HINT)
            tell_hint(run, &entry);
        if (entry.kind == SCAN_NOTE || entry.kind == SCAN_HINT)
            continue;
        int code =
            entry.kind == SCAN_ERROR ? ERROR_IO : outname_assign(&run->reader.names, entry.rel, &error);
        if (code == 0)
            code = examine(run, &entry, head, &would, &error);
        tell(run, &entry, code < 0 ? RUN_WOULD_FAIL : would, &error);
        any_failed = any_failed || code < 0;
    }
    free(head);
    resume_free(&run->reader.resume);
    const struct scan_counts counts = scan_counts(run->scan);
    if (!scan_found(&counts)) {
        run->options.complain("no input matched");
        return EXIT_NO_INPUT;
    }
    return any_failed ? EXIT_FAILED_ITEMS : EXIT_DONE;
}
