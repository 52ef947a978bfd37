/* SPDX-License-Identifier: MIT */
#include "pipeline/report/json_put.h"
#include "pipeline/report/summary.h"

static json_t *items_json(const struct summary *s, bool *failed)
{
    json_t *items = json_object();
    json_put_count(items, "found", s->found, failed);
    json_put_count(items, "done", s->done, failed);
    json_put_count(items, "failed", s->failed, failed);
    json_put_count(items, "skipped", s->skipped, failed);
    json_put_count(items, "remembered", s->remembered, failed);
    json_t *left = json_object();
    json_put_count(left, "extension", s->listing.left_names, failed);
    json_put_count(left, "rules", s->listing.left_rules, failed);
    json_put_count(left, "hidden", s->listing.left_hidden, failed);
    json_put_count(left, "subdirectories", s->listing.left_directories, failed);
    json_put_count(left, "not_regular", s->listing.notes, failed);
    json_put(items, "left_out", left, failed);
    return items;
}

static json_t *reader_json(const struct summary_reader *reader, bool *failed)
{
    json_t *object = json_object();
    json_put_count(object, "busy_ns", reader->busy_ns, failed);
    json_put_count(object, "listing_ns", reader->listing_ns, failed);
    json_put_count(object, "memory_ns", reader->memory_ns, failed);
    json_put_count(object, "blocked_ns", reader->blocked_ns, failed);
    return object;
}

static json_t *writer_json(const struct summary_writer *writer, bool *failed)
{
    json_t *object = json_object();
    json_put_count(object, "busy_ns", writer->busy_ns, failed);
    json_put_count(object, "starved_ns", writer->starved_ns, failed);
    return object;
}

static json_t *pools_json(const struct summary *s, bool *failed)
{
    json_t *pools = json_array();
    for (unsigned i = 0; i < s->pool_count; i++) {
        const struct summary_pool *p = &s->pools[i];
        json_t *pool = json_object();
        json_put_text(pool, "name", p->name, failed);
        json_put_count(pool, "workers", p->workers, failed);
        json_put_count(pool, "items", p->items, failed);
        json_put_count(pool, "busy_ns", p->busy_ns, failed);
        json_put_count(pool, "starved_ns", p->starved_ns, failed);
        json_put_count(pool, "blocked_ns", p->blocked_ns, failed);
        json_put_count(pool, "deaths", p->deaths, failed);
        json_put_count(pool, "recycled", p->recycled, failed);
        *failed |= json_array_append_new(pools, pool) < 0;
    }
    return pools;
}

static json_t *steps_json(const struct summary *s, bool *failed)
{
    json_t *steps = json_array();
    for (unsigned i = 0; i < s->step_count; i++) {
        json_t *step = json_object();
        json_put_text(step, "name", s->steps[i].name, failed);
        json_put_count(step, "ns", s->steps[i].ns, failed);
        *failed |= json_array_append_new(steps, step) < 0;
    }
    return steps;
}

/* A point as an array, as there may be hundreds: the time, then busy, starved and blocked of each pool. */
static json_t *series_json(const struct series *series, bool *failed)
{
    json_t *points = json_array();
    for (unsigned i = 0; i < series->count; i++) {
        json_t *point = json_array();
        *failed |= json_array_append_new(point, json_integer((json_int_t)series->at_ns[i])) < 0;
        for (unsigned j = 0; j < series->pool_count; j++) {
            const struct series_pool *pool = &series->pools[(size_t)i * series->pool_count + j];
            const uint64_t values[] = {pool->busy_ns, pool->starved_ns, pool->blocked_ns};
            for (unsigned k = 0; k < 3; k++)
                *failed |= json_array_append_new(point, json_integer((json_int_t)values[k])) < 0;
        }
        *failed |= json_array_append_new(points, point) < 0;
    }
    return points;
}

static json_t *failures_json(const struct summary *s, bool *failed)
{
    json_t *failures = json_array();
    for (size_t i = 0; i < s->failure_count; i++) {
        const struct summary_failure *f = &s->failures[i];
        json_t *failure = json_object();
        json_put_text(failure, "path", f->path, failed);
        json_put_text(failure, "stage", f->error.stage[0] ? f->error.stage : NULL, failed);
        json_put_text(failure, "kind", error_name(f->error.code), failed);
        json_put_text(failure, "reason", f->error.reason, failed);
        json_put_count(failure, "attempts", f->attempts, failed);
        *failed |= json_array_append_new(failures, failure) < 0;
    }
    return failures;
}

static json_t *summary_json(const struct summary *s, bool *failed)
{
    static const char *const bounds[] = {"unknown", "cpu",     "reader",  "writer",
                                         "memory",  "listing", "balanced"};
    char verdict[256];
    const enum summary_bound bound = summary_verdict(s, verdict, sizeof verdict);
    json_t *root = json_object();
    json_put_text(root, "version", FORKMILL_VERSION, failed);
    json_put_text(root, "engine", s->engine, failed);
    json_put_text(root, "remark", s->remark, failed);
    json_put_text(root, "output", s->output, failed);
    json_put_count(root, "exit_code", (uint64_t)s->exit_code, failed);
    json_put(root, "items", items_json(s, failed), failed);
    json_put_count(root, "warnings", s->warnings, failed);
    json_put_count(root, "wall_ns", s->wall_ns, failed);
    json_put_count(root, "cpu_ns", s->cpu_ns, failed);
    json_put_count(root, "bytes_in", s->bytes_in, failed);
    json_put_count(root, "bytes_out", s->bytes_out, failed);
    json_put_count(root, "pixels", s->pixels, failed);
    json_put_count(root, "retries", s->retries, failed);
    json_put_count(root, "deaths", s->deaths, failed);
    json_put_count(root, "recycled", s->recycled, failed);
    json_put_count(root, "peak_in_flight_bytes", s->peak_in_flight_bytes, failed);
    json_put_count(root, "memory_bytes", s->memory_bytes, failed);
    json_put_count(root, "cpus", s->cpus, failed);
    json_put_text(root, "workers_from", s->workers_from, failed);
    json_put(root, "reader", reader_json(&s->reader, failed), failed);
    json_put(root, "pools", pools_json(s, failed), failed);
    json_put(root, "writer", writer_json(&s->writer, failed), failed);
    json_put(root, "steps", steps_json(s, failed), failed);
    json_put(root, "series", series_json(&s->series, failed), failed);
    json_put_text(root, "bound", bounds[bound], failed);
    json_put_text(root, "verdict", verdict, failed);
    json_put(root, "failures", failures_json(s, failed), failed);
    json_put_count(root, "failures_omitted", s->failed > s->failure_count ? s->failed - s->failure_count : 0,
                   failed);
    return root;
}

int summary_print_json(const struct summary *summary, FILE *to)
{
    bool failed = false;
    json_t *root = summary_json(summary, &failed);
    int code = failed || !root ? ERROR_MEMORY : 0;
    if (code == 0 &&
        (json_dumpf(root, to, JSON_INDENT(2)) < 0 || fputc('\n', to) == EOF || fflush(to) == EOF))
        code = ERROR_IO;
    json_decref(root);
    return code;
}
