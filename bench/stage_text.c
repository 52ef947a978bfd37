/* SPDX-License-Identifier: MIT */
#include "stage_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

void *bench_take(size_t size_bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, SCRATCH_ALIGN, size_bytes + SCRATCH_ALIGN))
        bench_give_up("memory", "there is none left");
    memset(block, 1, size_bytes + SCRATCH_ALIGN);
    return block;
}

double bench_cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct stage_text stage_text_parse(char *text)
{
    struct error error = {0};
    char *rest = strchr(text, ':');
    if (rest)
        *rest++ = '\0';
    struct stage_text of = {.stage = stage_find(text)};
    if (!of.stage)
        bench_give_up(text, "no such stage");
    of.values = calloc(1, of.stage->params_bytes + 1);
    param_defaults(of.stage->params, of.values);
    for (char *word = rest ? strtok(rest, ",") : NULL; word; word = strtok(NULL, ",")) {
        char *equals = strchr(word, '=');
        if (equals)
            *equals = '\0';
        const struct param *param = param_find(of.stage->params, word);
        if (!equals || !param)
            bench_give_up(word, "no such parameter");
        if (param_parse(param, equals + 1, of.values, &error) < 0)
            bench_give_up(text, error.reason);
    }
    return of;
}

void stage_text_free(struct stage_text *of)
{
    param_free(of->stage->params, of->values);
    free(of->values);
}
