/* SPDX-License-Identifier: MIT */
/* forkmill without supervision, for safety.sh to compare with: linked with the rest of the program, this
 * takes the place of its process engine. Workers are forked by the main process itself, in no sandbox; none
 * is ever killed or watched, and what one that dies had in hand waits for ever. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/engine/batch_class.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/worker.h"

struct crew {
    struct machine *machine;
    int event_fd; /* a worker that ends counts it up */
    pid_t *workers;
};

static int open_crew(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                     struct error *error)
{
    (void)turns;
    struct crew *made = malloc(sizeof *made);
    pid_t *workers = calloc(machine->worker_count, sizeof *workers);
    const int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!made || !workers || event_fd < 0) {
        free(made);
        free(workers);
        if (event_fd >= 0)
            close(event_fd);
        return error_set(error, ERROR_MEMORY, "out of memory or descriptors");
    }
    *made = (struct crew){machine, event_fd, workers};
    *crew = made;
    return 0;
}

static bool start(struct crew *crew, uint32_t place)
{
    crew->workers[place] = fork();
    if (crew->workers[place] == 0) {
        batch_class_enter();
        const int code = worker_run(crew->machine, place);
        eventfd_write(crew->event_fd, 1);
        _exit(code);
    }
    return crew->workers[place] > 0;
}

static bool never(struct crew *crew, uint32_t place)
{
    (void)crew, (void)place;
    return true;
}

static int descriptor(const struct crew *crew)
{
    return crew->event_fd;
}

static int next(struct crew *crew, struct engine_report *report)
{
    eventfd_t count;
    if (eventfd_read(crew->event_fd, &count) < 0)
        return 0;
    if (count > 1)
        eventfd_write(crew->event_fd, count - 1);
    int status;
    const pid_t ended = waitpid(-1, &status, 0);
    for (uint32_t i = 0; ended > 0 && i < crew->machine->worker_count; i++) {
        if (crew->workers[i] != ended)
            continue;
        crew->workers[i] = 0;
        *report = (struct engine_report){.place = i, .exit_code = WEXITSTATUS(status)};
        return 1;
    }
    return -1;
}

static void close_crew(struct crew *crew)
{
    if (!crew)
        return;
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    close(crew->event_fd);
    free(crew->workers);
    free(crew);
}

const struct engine engine_process = {
    .name = "process",
    .summary = "forked workers that nobody watches",
    .apart = true,
    .open = open_crew,
    .start = start,
    .kill = never,
    .descriptor = descriptor,
    .next = next,
    .close = close_crew,
};
