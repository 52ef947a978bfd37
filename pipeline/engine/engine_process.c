/* SPDX-License-Identifier: MIT */
/* The product: workers are processes, forked by a fork server. A death costs an item an attempt and nothing
 * else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "pipeline/engine/batch_class.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/fork_server.h"
#include "pipeline/engine/sandbox.h"
#include "pipeline/engine/worker.h"

struct crew {
    struct fork_server server;
    struct machine *machine;
    struct sandbox sandbox;
    char confinement[160];
};

/* In each worker. */
static int work(void *context, uint32_t place)
{
    const struct crew *crew = context;
    const struct job *job = crew->machine->job;
    batch_class_enter(); /* not a call that the sandbox allows */
    const bool free_pool = job->pools[crew->machine->worker_pool[place]].unconfined;
    if (job->settings.sandbox != SANDBOX_OFF && !free_pool && !sandbox_enter(&crew->sandbox, job->observed))
        return WORKER_NO_SANDBOX;
    return worker_run(crew->machine, place);
}

/* What is said of the sandbox. */
static void describe(struct crew *crew)
{
    const bool off = crew->machine->job->settings.sandbox == SANDBOX_OFF;
    if (crew->sandbox.filter)
        snprintf(crew->confinement, sizeof crew->confinement,
                 "sandbox: workers may make no system calls but those that computing needs");
    else
        snprintf(crew->confinement, sizeof crew->confinement, "no sandbox for workers: %s",
                 off ? "it is off" : crew->sandbox.lacks);
}

static int process_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                        struct error *error)
{
    (void)turns;
    *crew = calloc(1, sizeof **crew);
    if (!*crew)
        return error_set(error, ERROR_MEMORY, "out of memory");
    (*crew)->machine = machine;
    int code = 0;
    if (machine->job->settings.sandbox != SANDBOX_OFF)
        code = sandbox_open(&(*crew)->sandbox, error);
    describe(*crew);
    if (code == 0)
        code = fork_server_start(&(*crew)->server, machine->worker_count, work, *crew, error);
    if (code < 0) {
        sandbox_close(&(*crew)->sandbox);
        free(*crew);
        *crew = NULL;
    }
    return code;
}

static bool process_start(struct crew *crew, uint32_t place)
{
    return fork_server_spawn(&crew->server, place);
}

static bool process_kill(struct crew *crew, uint32_t place)
{
    return fork_server_kill(&crew->server, place);
}

static void process_destroy(struct crew *crew)
{
    fork_server_destroy(&crew->server);
}

static int process_descriptor(const struct crew *crew)
{
    return crew->server.socket;
}

static int process_next(struct crew *crew, struct engine_report *report)
{
    struct fork_report fork_report;
    int got = fork_server_next(&crew->server, &fork_report);
    if (got <= 0)
        return got;
    *report = (struct engine_report){.place = fork_report.worker,
                                     .killed = fork_report.killed,
                                     .stopped = fork_report.stopped,
                                     .start_errno = fork_report.fork_errno};
    if (!fork_report.fork_errno && WIFSIGNALED(fork_report.status))
        report->signal = WTERMSIG(fork_report.status);
    report->exit_code =
        !fork_report.fork_errno && WIFEXITED(fork_report.status) ? WEXITSTATUS(fork_report.status) : -1;
    return 1;
}

static const char *process_confinement(const struct crew *crew, bool *lacking)
{
    *lacking = *crew->sandbox.lacks && !crew->sandbox.by_build;
    return crew->confinement;
}

static void process_close(struct crew *crew)
{
    if (!crew)
        return;
    fork_server_stop(&crew->server);
    sandbox_close(&crew->sandbox);
    free(crew);
}

const struct engine engine_process = {
    .name = "process",
    .summary = "forked workers over shared memory; survives any of them",
    .apart = true,
    .can_kill = true,
    .open = process_open,
    .start = process_start,
    .kill = process_kill,
    .destroy = process_destroy,
    .descriptor = process_descriptor,
    .next = process_next,
    .confinement = process_confinement,
    .close = process_close,
};
