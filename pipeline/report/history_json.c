/* SPDX-License-Identifier: MIT */
#include "pipeline/report/history.h"
#include "pipeline/report/json_put.h"

static json_t *runs_json(const struct history *h, bool *failed)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < h->run_count; i++) {
        const struct history_run *r = &h->runs[i];
        json_t *run = json_object();
        json_put_count(run, "began_ns", (uint64_t)r->began_ns, failed);
        json_put(run, "ended_ns", r->ended_ns ? json_integer(r->ended_ns) : json_null(), failed);
        json_put_text(run, "end", r->how, failed);
        if (r->counted) {
            json_put(run, "exit_code", json_integer(r->exit_code), failed);
            json_put_count(run, "found", r->found, failed);
            json_put_count(run, "done", r->done, failed);
            json_put_count(run, "skipped", r->skipped, failed);
            json_put_count(run, "failed", r->failed, failed);
        }
        *failed |= json_array_append_new(runs, run) < 0;
    }
    return runs;
}

static json_t *failures_json(const struct history *h, bool *failed)
{
    json_t *failures = json_array();
    for (size_t i = 0; i < h->failure_count; i++) {
        const struct history_failure *f = &h->failures[i];
        json_t *failure = json_object();
        json_put_text(failure, "path", f->path, failed);
        json_put_text(failure, "stage", *f->stage ? f->stage : NULL, failed);
        json_put_text(failure, "kind", f->kind, failed);
        json_put_text(failure, "reason", f->reason, failed);
        json_put_count(failure, "attempts", f->attempts, failed);
        *failed |= json_array_append_new(failures, failure) < 0;
    }
    return failures;
}

static json_t *slowest_json(const struct history *h, bool *failed)
{
    json_t *slowest = json_array();
    for (unsigned i = 0; i < HISTORY_SLOWEST && h->slowest[i].path; i++) {
        json_t *item = json_object();
        json_put_text(item, "path", h->slowest[i].path, failed);
        json_put_count(item, "ns", h->slowest[i].ns, failed);
        json_put_text(item, "step", h->slowest[i].step, failed);
        *failed |= json_array_append_new(slowest, item) < 0;
    }
    return slowest;
}

static json_t *steps_json(const struct history *h, bool *failed)
{
    json_t *steps = json_array();
    for (unsigned i = 0; i < h->step_count; i++) {
        json_t *step = json_object();
        json_put_text(step, "name", h->steps[i].name, failed);
        json_put_count(step, "ns", h->steps[i].ns, failed);
        json_put_count(step, "items", h->steps[i].items, failed);
        *failed |= json_array_append_new(steps, step) < 0;
    }
    return steps;
}

static json_t *items_json(const struct history *h, bool *failed)
{
    json_t *items = json_object(), *kinds = json_object();
    json_put_count(items, "done", h->done, failed);
    json_put_count(items, "failed", h->failed, failed);
    json_put_count(items, "warnings", h->warnings, failed);
    json_put_count(items, "bytes_in", h->bytes_in, failed);
    json_put_count(items, "outputs", h->outputs, failed);
    json_put_count(items, "bytes_out", h->bytes_out, failed);
    for (int code = 0; code >= ERROR_LAST; code--) {
        if (h->classes[-code].count)
            json_put_count(kinds, h->classes[-code].name, h->classes[-code].count, failed);
    }
    json_put(items, "failed_by_kind", kinds, failed);
    return items;
}

int history_print_json(const struct history *history, const char *output, bool failures_only, FILE *to)
{
    bool failed = false;
    json_t *root = json_object();
    json_put_text(root, "output", output, &failed);
    if (!failures_only) {
        json_put(root, "items", items_json(history, &failed), &failed);
        json_put(root, "runs", runs_json(history, &failed), &failed);
        json_put(root, "steps", steps_json(history, &failed), &failed);
        json_put(root, "slowest", slowest_json(history, &failed), &failed);
    }
    json_put(root, "failures", failures_json(history, &failed), &failed);
    int code = failed ? ERROR_MEMORY : 0;
    if (code == 0 &&
        (json_dumpf(root, to, JSON_INDENT(2)) < 0 || fputc('\n', to) == EOF || fflush(to) == EOF))
        code = ERROR_IO;
    json_decref(root);
    return code;
}
