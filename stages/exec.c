/* SPDX-License-Identifier: MIT */
/* Hands the item to a command and goes on with what comes back. What the stage says is all here; who runs
 * commands is the pipeline's business. */
#include <string.h>

#include "stages/stage.h"

struct exec_params {
    char *command;
    int exchange; /* enum stage_exchange */
    uint64_t timeout_ms;
};

static const struct param exec_table[] = {
    {.name = "command",
     .type = PARAM_TEXT,
     .offset = offsetof(struct exec_params, command),
     .unit = "",
     .help = "What sh -c runs: reads the item from standard input and writes it to standard output"},
    {.name = "exchange",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct exec_params, exchange),
     .initial = "auto",
     .choices = "auto|pam|npy|raw",
     .unit = "",
     .help = "How: images as PNM or PAM, arrays as .npy, or the bare samples, which come back in the same "
             "number"},
    {.name = "timeout",
     .type = PARAM_DURATION,
     .offset = offsetof(struct exec_params, timeout_ms),
     .initial = "1min",
     .unit = "ms",
     .help = "How long the command may take for one item"},
    PARAM_END,
};

static int exec_check(const void *params, struct error *error)
{
    const struct exec_params *exec = params;
    if (!exec->command || !*exec->command)
        return error_set(error, ERROR_USAGE, "command must be given");
    if (exec->timeout_ms == 0)
        return error_set(error, ERROR_USAGE, "timeout must be more than 0");
    return 0;
}

static int exec_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    const int exchange = ((const struct exec_params *)params)->exchange;
    if (in->kind == SHAPE_ARRAY && exchange == STAGE_EXCHANGE_PAM)
        return error_set(error, ERROR_UNSUPPORTED, "an array is not exchanged as pam; take npy or raw");
    if (in->kind == SHAPE_IMAGE && exchange == STAGE_EXCHANGE_NPY)
        return error_set(error, ERROR_UNSUPPORTED,
                         "an image is not exchanged as npy; put to_array before it");
    plan->whole = true;
    return 0;
}

static void exec_command(const void *params, struct stage_command *command)
{
    const struct exec_params *exec = params;
    *command = (struct stage_command){exec->command, (enum stage_exchange)exec->exchange, exec->timeout_ms};
}

const struct stage exec_stage = {
    .name = "exec",
    .group = "outside",
    .summary = "Pipe the item through a command; runs outside the sandbox",
    .params = exec_table,
    .params_bytes = sizeof(struct exec_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .check = exec_check,
    .plan = exec_plan,
    .command = exec_command,
};
