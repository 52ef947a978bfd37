/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/thread_crew.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pipeline/engine/worker.h"

struct member {
    struct crew *crew;
    pthread_t thread;
    uint32_t place;
    bool started;  /* and not yet joined */
    int exit_code; /* good once `ended` is set */
    bool ended;    /* guarded by the crew's lock */
};

struct crew {
    struct machine *machine;
    const struct engine_turns *turns;
    int (*body)(struct crew *, uint32_t);
    int event_fd;
    pthread_mutex_t lock;
    struct member *members;
};

int thread_crew_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                     int (*body)(struct crew *, uint32_t), struct error *error)
{
    struct crew *made = calloc(1, sizeof *made);
    struct member *members = calloc(machine->worker_count, sizeof *members);
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!made || !members || event_fd < 0) {
        free(made);
        free(members);
        if (event_fd >= 0)
            close(event_fd);
        return error_set(error, ERROR_MEMORY, "out of memory or descriptors");
    }
    *made = (struct crew){
        .machine = machine, .turns = turns, .body = body, .event_fd = event_fd, .members = members};
    pthread_mutex_init(&made->lock, NULL);
    for (uint32_t i = 0; i < machine->worker_count; i++)
        members[i] = (struct member){.crew = made, .place = i};
    *crew = made;
    return 0;
}

struct machine *thread_crew_machine(const struct crew *crew)
{
    return crew->machine;
}

const struct engine_turns *thread_crew_turns(const struct crew *crew)
{
    return crew->turns;
}

static void *member_main(void *context)
{
    struct member *member = context;
    struct crew *crew = member->crew;
    int exit_code = crew->body(crew, member->place);
    pthread_mutex_lock(&crew->lock);
    member->exit_code = exit_code;
    member->ended = true;
    pthread_mutex_unlock(&crew->lock);
    eventfd_write(crew->event_fd, 1);
    return NULL;
}

bool thread_crew_start(struct crew *crew, uint32_t place)
{
    struct member *member = &crew->members[place];
    member->ended = false;
    member->started = pthread_create(&member->thread, NULL, member_main, member) == 0;
    return member->started;
}

bool thread_crew_kill(struct crew *crew, uint32_t place)
{
    (void)crew, (void)place;
    return true;
}

int thread_crew_descriptor(const struct crew *crew)
{
    return crew->event_fd;
}

int thread_crew_next(struct crew *crew, struct engine_report *report)
{
    eventfd_t count;
    eventfd_read(crew->event_fd, &count);
    for (uint32_t i = 0; i < crew->machine->worker_count; i++) {
        struct member *member = &crew->members[i];
        pthread_mutex_lock(&crew->lock);
        bool over = member->started && member->ended;
        pthread_mutex_unlock(&crew->lock);
        if (!over)
            continue;
        pthread_join(member->thread, NULL);
        member->started = false;
        *report = (struct engine_report){.place = i, .exit_code = member->exit_code};
        return 1;
    }
    return 0;
}

void thread_crew_close(struct crew *crew)
{
    if (!crew)
        return;
    for (uint32_t i = 0; i < crew->machine->worker_count; i++) {
        if (crew->members[i].started)
            pthread_join(crew->members[i].thread, NULL);
    }
    pthread_mutex_destroy(&crew->lock);
    close(crew->event_fd);
    free(crew->members);
    free(crew);
}
