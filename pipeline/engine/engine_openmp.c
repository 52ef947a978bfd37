/* SPDX-License-Identifier: MIT */
/* The same job by an OpenMP team, for comparison; the only file with `omp parallel`. Two splits:
 *
 *   items  each thread of the team takes items as they come: the worker loop, as the thread engine runs it
 *   rows   one item at a time; the team shares the rows of each stage, while decoding and encoding are done
 *          by one thread
 *
 * `auto` looks at what waits when the work begins: enough items for the team are worked on side by side; a
 * few large ones are shared by rows. */
#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/team.h"
#include "pipeline/engine/thread_crew.h"
#include "pipeline/engine/worker.h"
#include "pipeline/shared/clock.h"

/* How long `auto` waits for a team's worth of items before it decides on what there is. */
#define DECIDE_NS 200000000u

struct openmp {
    char remark[96];
};

/* One run at a time in a process, as the OpenMP runtime itself is. */
static struct openmp state;

static void deal(void (*work)(void *context, unsigned member, unsigned index), void *context,
                 unsigned members, unsigned count)
{
#pragma omp parallel for num_threads(members) schedule(dynamic, 1)
    for (unsigned i = 0; i < count; i++)
        work(context, (unsigned)omp_get_thread_num(), i);
}

static bool decide_rows(const struct machine *machine)
{
    const struct queue *queue = &machine->queues[0];
    uint32_t team = machine->worker_count, wanted = team < queue->capacity ? team : queue->capacity, waiting;
    uint64_t began = clock_ns();
    while ((waiting = queue_fill(queue)) < wanted && clock_ns() - began < DECIDE_NS) {
        if (atomic_load(&queue->shared->closed) || atomic_load(&machine->all_listed)) {
            waiting = queue_fill(queue);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    bool rows = waiting < wanted;
    snprintf(state.remark, sizeof state.remark, "split: %s, as %u item%s waited for a team of %u",
             rows ? "rows" : "items", waiting, waiting == 1 ? "" : "s", team);
    return rows;
}

static int work_by_rows(struct machine *machine)
{
    struct team team = {machine, machine->worker_count, deal};
    struct worker *worker = worker_open(machine, 0);
    if (!worker)
        return WORKER_NO_MEMORY;
    worker_share_rows(worker, team_sharing(&team));
    enum worker_end end;
    while ((end = worker_step(worker)) == WORKER_GOES_ON)
        ;
    worker_close(worker);
    return (int)end;
}

static int work_by_items(struct machine *machine)
{
    int end = WORKER_FINISHED;
#pragma omp parallel num_threads(machine->worker_count)
    {
        int mine = worker_run(machine, (uint32_t)omp_get_thread_num());
        if (mine != WORKER_FINISHED) {
#pragma omp atomic write
            end = mine;
        }
    }
    return end;
}

static int openmp_body(struct crew *crew, uint32_t place)
{
    (void)place;
    struct machine *machine = thread_crew_machine(crew);
    int split = machine->job->settings.split;
    omp_set_dynamic(0);
    state.remark[0] = '\0';
    if (split == SPLIT_ROWS || (split == SPLIT_AUTO && decide_rows(machine)))
        return work_by_rows(machine);
    return work_by_items(machine);
}

/* LLVM's runtime makes a file in /dev/shm when it begins, to know a second copy of itself in one process by,
 * and removes it in a destructor: it would stay of a process that is killed or leaves by _exit. So it goes at
 * once, as shared memory of our own does. */
static void *begin_runtime(void *unused)
{
    char name[64];
    omp_get_max_threads();
    snprintf(name, sizeof name, "/__KMP_REGISTERED_LIB_%d_%d", (int)getpid(), (int)getuid());
    shm_unlink(name);
    return unused;
}

/* Before anything is given up (run_fence), as that file could not be made then. In a thread of its own, which
 * the runtime may bind to a processor; nothing that is started later inherits that. */
static int begin(struct error *error)
{
    pthread_t thread;
    int cause = pthread_create(&thread, NULL, begin_runtime, NULL);
    if (cause == 0)
        cause = pthread_join(thread, NULL);
    return cause ? error_set(error, ERROR_MEMORY, "the OpenMP runtime: %s", strerror(cause)) : 0;
}

static void *pass(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* Can so many threads be there at once? libgomp ends the process where it cannot create one. */
static int rehearse(uint32_t count, struct error *error)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *threads = calloc(count, sizeof *threads);
    uint32_t begun = 0;
    int cause = threads ? 0 : ENOMEM;
    pthread_mutex_lock(&gate);
    while (cause == 0 && begun < count) {
        cause = pthread_create(&threads[begun], NULL, pass, &gate);
        begun += cause == 0;
    }
    pthread_mutex_unlock(&gate);
    for (uint32_t i = 0; i < begun; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return cause ? error_set(error, ERROR_MEMORY, "a thread could not be started: %s", strerror(cause)) : 0;
}

static int openmp_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                       struct error *error)
{
    *crew = NULL;
    TRY(begin(error));
    TRY(rehearse(machine->worker_count + 2, error)); /* the team, the reader and the writer */
    return thread_crew_open(crew, machine, turns, openmp_body, error);
}

static const char *openmp_remark(const struct crew *crew)
{
    (void)crew;
    return state.remark;
}

/* The specification's date, as the compiler gives it. */
static const char *openmp_runtime(void)
{
    static char text[96];
    begin(NULL);
    int most = omp_get_max_threads(), limit = omp_get_thread_limit();
    snprintf(text, sizeof text, "specification of %d, %d thread%s by itself", _OPENMP, most,
             most == 1 ? "" : "s");
    if (limit < (int)MACHINE_MAX_WORKERS)
        snprintf(text + strlen(text), sizeof text - strlen(text), ", never more than %d", limit);
    return text;
}

const struct engine engine_openmp = {
    .name = "openmp",
    .summary = "an OpenMP team shares items or the rows of one image; a crash ends the run",
    .one_pool = true,
    .one_member = true,
    .shares_rows = true,
    .open = openmp_open,
    .start = thread_crew_start,
    .kill = thread_crew_kill,
    .descriptor = thread_crew_descriptor,
    .next = thread_crew_next,
    .remark = openmp_remark,
    .runtime = openmp_runtime,
    .close = thread_crew_close,
};
