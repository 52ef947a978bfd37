/* SPDX-License-Identifier: MIT */
/* The main process dies, and with it the run: the fork server and the workers have to go too, at whatever
 * instruction of the reader or the writer it was. */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operations.h"
#include "pipeline/engine/fork_server.h"
#include "pipeline/shared/clock.h"

/* Who is still there after this long stays. */
#define GONE_NS 2000000000u

static struct fork_server server;

static void start_workers(struct world *world)
{
    if (fork_server_start(&server, WORLD_WORKERS, worker_run, &world->machine, NULL) < 0)
        world_die("fork server");
    for (uint32_t i = 0; i < WORLD_WORKERS; i++)
        fork_server_spawn(&server, i);
    for (uint32_t i = 0; i < WORLD_WORKERS; i++) {
        while (atomic_load(&world->machine.workers[i].doing) != WORKER_IDLE)
            usleep(100);
    }
}

/* Orphans become ours, so that none can hide. */
static void nobody_is_left(struct world *world)
{
    const uint64_t start = clock_ns();
    pid_t got;
    while ((got = waitpid(-1, NULL, WNOHANG)) >= 0 && clock_ns() - start < GONE_NS) {
        if (got == 0)
            usleep(100);
    }
    atomic_fetch_add(&world->told->stuck, got >= 0);
}

static void one_to_write(struct world *world)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    world_move(world, world_add(world), SLOT_CLAIMED, SLOT_OWNER_WRITER);
}

static void one_to_queue(struct world *world)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    world_add(world);
}

static void retire(struct world *world)
{
    admission_leave(&world->admission, world->slots[0], world->seen[0]);
}

static void push(struct world *world)
{
    world_push(world, 0, 0, SLOT_OWNER_READER);
}

/* No survivor has anything to finish. */
static void nothing(struct world *world)
{
    (void)world;
}

const struct operation operations_of_main[] = {
    {.name = "retire: admission_leave",
     .side = "main",
     .prepare = one_to_write,
     .before = start_workers,
     .act = retire,
     .bury = nobody_is_left,
     .finish = nothing},
    {.name = "push: announce, place, doorbell",
     .side = "main",
     .prepare = one_to_queue,
     .before = start_workers,
     .act = push,
     .bury = nobody_is_left,
     .finish = nothing},
};
const unsigned operations_of_main_count = sizeof operations_of_main / sizeof *operations_of_main;
