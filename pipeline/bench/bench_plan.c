/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_plan.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/config/allotted.h"
#include "pipeline/engine/engine.h"

#define MOST_REPEAT 1000
#define MOST_WARMUP 100

/* The next word of a list "a,b,c", copied to word[size]; false at its end. */
static bool next_word(const char **list, char *word, size_t size)
{
    if (!*list)
        return false;
    size_t length = strcspn(*list, ",");
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), *list);
    *list = (*list)[length] ? *list + length + 1 : NULL;
    return true;
}

static int engine_index(const char *word)
{
    const char *names = SETTINGS_ENGINES;
    for (int index = 0; *names; index++) {
        size_t length = strcspn(names, "|");
        if (strlen(word) == length && strncmp(names, word, length) == 0)
            return index;
        names += length + (names[length] == '|');
    }
    return -1;
}

static int engine_count(void)
{
    int count = 1;
    for (const char *at = SETTINGS_ENGINES; (at = strchr(at, '|')); at++)
        count++;
    return count;
}

struct engines {
    int index[8];
    unsigned count;
};

static void add_engine(struct engines *engines, int index)
{
    for (unsigned i = 0; i < engines->count; i++) {
        if (engines->index[i] == index)
            return;
    }
    engines->index[engines->count++] = index;
}

static void named_engines(struct engines *engines, const char *list, struct diag *diag)
{
    char word[64], nearest[32];
    while (next_word(&list, word, sizeof word)) {
        int index = engine_index(word);
        if (index < 0) {
            const char *near = param_nearest(word, SETTINGS_ENGINES, nearest, sizeof nearest);
            diag_error(diag, "--engines: unknown engine '%s'%s%s%s", word, near ? "; did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
            diag_allowed(diag, "engines", SETTINGS_ENGINES);
        } else if (!engine_built(engine_at(index))) {
            diag_error(diag, "--engines: engine %s is not in this build", word);
        } else {
            add_engine(engines, index);
        }
    }
}

static void all_engines(struct engines *engines, struct diag *diag)
{
    for (int index = 0; index < engine_count(); index++) {
        if (engine_built(engine_at(index)))
            add_engine(engines, index);
        else
            diag_warning(diag, "engine %s is not in this build and is left out", engine_at(index)->name);
    }
}

/* A number of workers, as the setting takes it. 0: wrong, and reported. */
static unsigned worker_count(const char *word, struct diag *diag)
{
    struct settings settings = {0};
    struct error error = {0};
    char why[256];
    if (param_parse(param_find(settings_table, "workers"), word, &settings, &error) < 0) {
        diag_error(diag, "--workers: %s", error.reason);
        return 0;
    }
    return (unsigned)(settings.workers < 0 ? allotted_workers("", why, sizeof why) : settings.workers);
}

static unsigned worker_counts(const char *list, const struct job *job, unsigned counts[], struct diag *diag)
{
    char word[64], initial[32];
    unsigned found = 0;
    snprintf(initial, sizeof initial, "1,%lld", (long long)job->settings.workers);
    for (list = list ? list : initial; next_word(&list, word, sizeof word);) {
        unsigned count = worker_count(word, diag);
        bool known = count == 0;
        for (unsigned i = 0; i < found; i++)
            known = known || counts[i] == count;
        if (!known && found == BENCH_MAX_WORKER_COUNTS) {
            diag_error(diag, "--workers: more than %u numbers", BENCH_MAX_WORKER_COUNTS);
            return found;
        }
        if (!known)
            counts[found++] = count;
    }
    return found;
}

static unsigned whole_number(const char *flag, const char *text, unsigned initial, int least, int most,
                             struct diag *diag)
{
    int64_t value = initial;
    struct error error = {0};
    const struct param param = {.name = flag, .type = PARAM_INT, .min = least, .max = most, .unit = ""};
    if (text && param_parse(&param, text, &value, &error) < 0)
        diag_error(diag, "--%s", error.reason);
    return (unsigned)value;
}

static void add_cells(struct bench_plan *plan, const struct engines *engines, const unsigned counts[],
                      unsigned count)
{
    /* Serial comes first in every table, as what the others are measured by. */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < engines->count; i++) {
            const struct engine *engine = engine_at(engines->index[i]);
            for (unsigned j = 0; j < (engine->one_worker ? 1 : count); j++) {
                if (engine->one_worker == (pass == 0))
                    plan->cells[plan->cell_count++] = (struct bench_cell){engines->index[i], engine->name,
                                                                          engine->one_worker ? 1 : counts[j]};
            }
        }
    }
}

int bench_plan_make(struct bench_plan *plan, const struct bench_request *request, const struct job *job,
                    struct diag *diag)
{
    const unsigned before = diag->errors;
    unsigned counts[BENCH_MAX_WORKER_COUNTS];
    struct engines engines = {.count = 0};
    *plan = (struct bench_plan){.cell_count = 0};
    if (request->engines)
        named_engines(&engines, request->engines, diag);
    else
        all_engines(&engines, diag);
    unsigned count = worker_counts(request->workers, job, counts, diag);
    plan->repeat = whole_number("repeat", request->repeat, 5, 1, MOST_REPEAT, diag);
    plan->warmup = whole_number("warmup", request->warmup, 1, 0, MOST_WARMUP, diag);
    if (request->cache && strcmp(request->cache, "warm") != 0 && strcmp(request->cache, "cold") != 0) {
        diag_error(diag, "--cache: '%.60s' is not one of warm|cold", request->cache);
    }
    plan->cold = request->cache && strcmp(request->cache, "cold") == 0;
    add_cells(plan, &engines, counts, count);
    return diag->errors == before ? 0 : ERROR_USAGE;
}

const char *bench_plan_name(const struct bench_cell *cell, char *text, size_t size)
{
    snprintf(text, size, "%s, %u worker%s", cell->name, cell->workers, cell->workers == 1 ? "" : "s");
    return text;
}
