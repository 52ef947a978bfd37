/* SPDX-License-Identifier: MIT */
/* Fails on purpose, in the ways that real stages fail by accident, so that recovery can be tested and shown.
 * Which items fail is a matter of their name alone: the same ones on every run, engine and worker count.
 *
 * This is the one stage that may know a signal (it sends itself one) and allocate outside its scratch: that
 * is its purpose. Where stages run inside the main process (engines serial, thread and openmp), segv, kill
 * and exit end the whole run. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "stages/synthetic/pass.h"

enum fail_kind { FAIL_ERROR, FAIL_SEGV, FAIL_KILL, FAIL_EXIT, FAIL_HANG, FAIL_OOM };

struct fail_params {
    int kind; /* enum fail_kind */
    double rate;
    int64_t attempts;
    uint64_t limit_bytes;
};

static const struct param fail_table[] = {
    {.name = "kind",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct fail_params, kind),
     .initial = "error",
     .choices = "error|segv|kill|exit|hang|oom",
     .unit = "",
     .help =
         "Report an error, touch a bad address, be killed (-9), exit, never return, or run out of memory"},
    {.name = "rate",
     .type = PARAM_REAL,
     .offset = offsetof(struct fail_params, rate),
     .min = 0,
     .max = 1,
     .initial = "1",
     .unit = "",
     .help = "Share of the items that fail; the same items each time"},
    {.name = "attempts",
     .type = PARAM_INT,
     .offset = offsetof(struct fail_params, attempts),
     .min = 0,
     .max = 1000000,
     .initial = "0",
     .unit = "",
     .help = "Fail only the first so many attempts at an item; 0 is all"},
    {.name = "limit",
     .type = PARAM_BYTES,
     .offset = offsetof(struct fail_params, limit_bytes),
     .initial = "64MiB",
     .unit = "bytes",
     .help = "How much kind=oom takes before it gives up, so that the machine survives it"},
    PARAM_END,
};

static int fail_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, true);
    return 0;
}

__attribute__((no_sanitize("address", "undefined"))) static void touch_bad_address(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static void hang(void)
{
    const struct timespec hour = {.tv_sec = 3600};
    for (;;)
        nanosleep(&hour, NULL);
}

/* Takes memory and writes to it until none is left or the limit is reached, then gives it back. */
static int run_out(uint64_t limit_bytes, struct error *error)
{
    struct block {
        struct block *next;
        volatile uint8_t bytes[(1u << 20) - sizeof(struct block *)];
    } *blocks = NULL;
    uint64_t taken_bytes = 0;
    while (limit_bytes - taken_bytes >= sizeof *blocks) {
        struct block *block = malloc(sizeof *block);
        if (!block)
            break;
        for (size_t i = 0; i < sizeof block->bytes; i += 4096)
            block->bytes[i] = 1;
        block->next = blocks;
        blocks = block;
        taken_bytes += sizeof *block;
    }
    while (blocks) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
    return error_set(error, ERROR_MEMORY, "out of memory on purpose, after %llu MiB",
                     (unsigned long long)(taken_bytes >> 20));
}

static int fail_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch;
    const struct fail_params *params = run->params;
    const bool spared = params->attempts > 0 && run->attempt > params->attempts;
    if (spared || pass_lot(run->item) >= params->rate) {
        pass_rows(run, first, last);
        return 0;
    }
    switch ((enum fail_kind)params->kind) {
    case FAIL_SEGV:
        touch_bad_address();
        break;
    case FAIL_KILL:
        kill(getpid(), SIGKILL);
        break;
    case FAIL_EXIT:
        _exit(0);
    case FAIL_HANG:
        hang();
        break;
    case FAIL_OOM:
        return run_out(params->limit_bytes, error);
    case FAIL_ERROR:
        break;
    }
    return error_set(error, ERROR_STAGE, "failed on purpose, attempt %u", run->attempt);
}

const struct stage fail_stage = {
    .name = "fail",
    .group = "synthetic",
    .summary = "Fail on purpose, for some items or all; others pass unchanged",
    .params = fail_table,
    .params_bytes = sizeof(struct fail_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .arrays = STAGE_ARRAYS,
    .plan = fail_plan,
    .rows = fail_rows,
};
