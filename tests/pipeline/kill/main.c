/* SPDX-License-Identifier: MIT */
/* Kills a worker at every instruction of every operation on queues, slots and boards, and lets the survivors
 * finish the run with the program's own recovery: nothing may be stuck, lost or done twice.
 *
 *   kill_everywhere                every operation, at every instruction (whole turns: every 41st or 127th)
 *   kill_everywhere --seconds N    and on, at random instructions, until N seconds are over
 *   kill_everywhere --self-test    operations that are wrong on purpose: exit 0 if each was found out
 *
 * With FORKMILL_QUICK in the environment, as in the suite, it is every fifth instruction of these.
 *
 * Exit 0: none stuck, lost or duplicated; 1: some; 2: it could not be tried. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operations.h"
#include "pipeline/shared/clock.h"
#include "step.h"
#include "tests/quick.h"

/* A survivor that needs longer than this is stuck. */
#define STUCK_NS  1000000000u
#define RANDOM_NS 1000000000u
#define PLENTY    8u

struct tally {
    uint32_t instructions;   /* of the operation */
    uint32_t killed, asleep; /* of these, within a system call that sleeps */
    uint32_t stuck, lost, duplicated;
};

static pid_t fork_survivor(const struct operation *operation, struct world *world)
{
    const pid_t survivor = fork();
    if (survivor < 0)
        world_die("fork");
    if (survivor > 0)
        return survivor;
    if (operation->watch)
        operation->watch(world);
    while (!atomic_load(&world->told->dead))
        usleep(20);
    (operation->finish ? operation->finish : world_finish)(world);
    _exit(0);
}

/* False: it did not end by itself. */
static bool await_end(pid_t survivor)
{
    const uint64_t start = clock_ns();
    int status;
    for (;;) {
        const pid_t got = waitpid(survivor, &status, WNOHANG);
        if (got == survivor)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (clock_ns() - start > STUCK_NS)
            break;
        usleep(20);
    }
    kill(survivor, SIGKILL);
    waitpid(survivor, &status, 0);
    return false;
}

/* What became of the items. */
struct verdict {
    bool stuck, lost, duplicated;
};

static struct verdict let_finish(const struct operation *operation, struct world *world, pid_t survivor)
{
    struct told *told = world->told;
    if (operation->bury)
        operation->bury(world);
    atomic_store(&told->dead, true);
    for (unsigned i = 0; i < 2; i++)
        queue_wake_all(&world->machine.queues[i]);
    if (!survivor)
        survivor = fork_survivor(operation, world);
    const bool ended = await_end(survivor);
    return (struct verdict){!ended || told->stuck > 0, told->lost > 0, told->duplicated > 0};
}

/* One death, and its consequences. What survivors make of the memory that a death leaves depends on nothing
 * else, so the same bytes as after the death before have the same verdict, unless survivors were at work
 * meanwhile. Returns how the victim ended. */
static enum step_end trial(const struct operation *operation, struct world *world, uint32_t instructions,
                           bool asleep, bool *call, struct tally *tally)
{
    static struct verdict verdict;
    world_restore(world);
    const pid_t survivor = operation->watch ? fork_survivor(operation, world) : 0;
    while (survivor && !operation->watching(world))
        usleep(20);
    const enum step_end end = step_kill(world, operation->before, operation->act, instructions, asleep, call);
    if (world_changed(world) || survivor || operation->bury)
        verdict = let_finish(operation, world, survivor);
    tally->asleep += end == STEP_KILLED_ASLEEP;
    tally->killed += end != STEP_OVER;
    tally->stuck += verdict.stuck;
    tally->lost += verdict.lost;
    tally->duplicated += verdict.duplicated;
    return end;
}

static void open_for(const struct operation *operation, struct world *world)
{
    world_open(world, operation->room ? operation->room : PLENTY,
               operation->writers_room ? operation->writers_room : PLENTY);
    operation->prepare(world);
    world_keep(world);
}

/* Has the mistake of an operation that is wrong on purpose shown? */
static bool found_out(const struct operation *operation, const struct tally *tally)
{
    return operation->fault == FAULT_STUCK        ? tally->stuck > 0
           : operation->fault == FAULT_LOST       ? tally->lost > 0
           : operation->fault == FAULT_DUPLICATED ? tally->duplicated > 0
                                                  : false;
}

static struct tally try_all(const struct operation *operation)
{
    struct world world;
    struct tally tally = {0};
    enum step_end end = STEP_KILLED;
    const uint32_t stride = (operation->stride ? operation->stride : 1) * (quick() ? 5 : 1);
    open_for(operation, &world);
    for (uint32_t i = 0; end != STEP_OVER && !found_out(operation, &tally); i += stride) {
        bool call, unused;
        end = trial(operation, &world, i, false, &call, &tally);
        tally.instructions = i;
        if (call)
            trial(operation, &world, i, true, &unused, &tally);
    }
    world_close(&world);
    return tally;
}

static void print_heading(void)
{
    printf("%-32s %-9s %13s %7s %7s %6s %6s %11s\n", "operation", "side", "instructions", "killed", "asleep",
           "stuck", "lost", "duplicated");
}

static void print_row(const struct operation *operation, const struct tally *tally)
{
    printf("%-32s %-9s %13u %7u %7u %6u %6u %11u\n", operation->name, operation->side, tally->instructions,
           tally->killed, tally->asleep, tally->stuck, tally->lost, tally->duplicated);
    fflush(stdout);
}

static bool sound(const struct tally *tally)
{
    return tally->stuck + tally->lost + tally->duplicated == 0;
}

static bool try_each(const struct operation *operations, unsigned count)
{
    bool all = true;
    for (unsigned i = 0; i < count; i++) {
        const struct tally tally = try_all(&operations[i]);
        print_row(&operations[i], &tally);
        all = all && sound(&tally) && tally.killed > 0;
    }
    return all;
}

/* At random instructions, for a second each; those of the whole turns get as many as the rest. */
static bool try_random(const struct operation *operations, unsigned count, uint64_t end_ns)
{
    bool all = true;
    for (unsigned which = 0; which < count && clock_ns() < end_ns; which++) {
        const struct operation *operation = &operations[which];
        struct tally tally = {0};
        struct world world;
        uint32_t length = 64;
        const uint64_t until = clock_ns() + RANDOM_NS;
        open_for(operation, &world);
        while (clock_ns() < until && clock_ns() < end_ns) {
            bool call;
            const uint32_t at = (uint32_t)rand() % (2 * length);
            const enum step_end step = trial(operation, &world, at, rand() % 8 == 0, &call, &tally);
            if (step != STEP_OVER && at > length)
                length = at;
        }
        tally.instructions = length;
        print_row(operation, &tally);
        world_close(&world);
        all = all && sound(&tally);
    }
    return all;
}

static bool self_test(void)
{
    bool all = true;
    print_heading();
    for (unsigned i = 0; i < operations_wrong_count; i++) {
        const struct operation *operation = &operations_wrong[i];
        const struct tally tally = try_all(operation);
        print_row(operation, &tally);
        if (!found_out(operation, &tally))
            printf("not found out: %s\n", operation->name);
        all = all && found_out(operation, &tally);
    }
    return all;
}

int main(int argc, char **argv)
{
    const uint64_t start = clock_ns();
    if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
        return self_test() ? 0 : 1;
    if (argc != 1 && !(argc == 3 && strcmp(argv[1], "--seconds") == 0)) {
        fprintf(stderr, "Usage: kill_everywhere [--seconds N | --self-test]\n");
        return 2;
    }
    print_heading();
    bool all = try_each(operations_of_queues, operations_of_queues_count);
    all = try_each(operations_of_boards, operations_of_boards_count) && all;
    all = try_each(operations_of_main, operations_of_main_count) && all;
    if (argc == 3) {
        const uint64_t end = start + (uint64_t)atoi(argv[2]) * 1000000000u;
        while (clock_ns() < end) {
            all = try_random(operations_of_queues, operations_of_queues_count, end) && all;
            all = try_random(operations_of_boards, operations_of_boards_count, end) && all;
        }
    }
    printf("%s after %.0f s\n", all ? "none stuck, lost or duplicated" : "NOT SOUND",
           (double)(clock_ns() - start) / 1e9);
    return all ? 0 : 1;
}
