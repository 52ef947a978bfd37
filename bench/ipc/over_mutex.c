/* SPDX-License-Identifier: MIT */
/* The textbook's bounded buffer: a ring under a process-shared mutex, one condition variable for each side.
 * It signals only when the other side may be asleep, at the edges; it does not survive a killed process. */
#include "transport.h"

#include <pthread.h>

#define OVER_MUTEX_CELLS 64u

struct over_mutex {
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    unsigned first, count, waiting_filled, waiting_emptied;
    uint64_t cells[OVER_MUTEX_CELLS];
};

static void over_mutex_open(struct channel *channel)
{
    struct over_mutex *over = transport_share(sizeof *over);
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    if (channel->capacity > OVER_MUTEX_CELLS || pthread_mutexattr_init(&mutex) ||
        pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED) || pthread_condattr_init(&cond) ||
        pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED) ||
        pthread_mutex_init(&over->mutex, &mutex) || pthread_cond_init(&over->filled, &cond) ||
        pthread_cond_init(&over->emptied, &cond))
        transport_die("pthread");
    pthread_mutexattr_destroy(&mutex);
    pthread_condattr_destroy(&cond);
    channel->state = over;
}

static void over_mutex_send(struct channel *channel, uint64_t value)
{
    struct over_mutex *over = channel->state;
    pthread_mutex_lock(&over->mutex);
    while (over->count == channel->capacity) {
        over->waiting_emptied++;
        pthread_cond_wait(&over->emptied, &over->mutex);
        over->waiting_emptied--;
    }
    over->cells[(over->first + over->count++) % channel->capacity] = value;
    const unsigned waiting = over->waiting_filled;
    pthread_mutex_unlock(&over->mutex);
    if (waiting)
        pthread_cond_signal(&over->filled);
}

static unsigned over_mutex_receive(struct channel *channel, uint64_t *values, unsigned most)
{
    struct over_mutex *over = channel->state;
    unsigned taken = 0;
    pthread_mutex_lock(&over->mutex);
    while (over->count == 0) {
        over->waiting_filled++;
        pthread_cond_wait(&over->filled, &over->mutex);
        over->waiting_filled--;
    }
    for (; taken < most && over->count > 0; over->count--) {
        values[taken++] = over->cells[over->first];
        over->first = (over->first + 1) % channel->capacity;
    }
    const unsigned waiting = over->waiting_emptied;
    pthread_mutex_unlock(&over->mutex);
    if (waiting)
        pthread_cond_signal(&over->emptied);
    return taken;
}

static void over_mutex_close(struct channel *channel)
{
    struct over_mutex *over = channel->state;
    pthread_cond_destroy(&over->filled);
    pthread_cond_destroy(&over->emptied);
    pthread_mutex_destroy(&over->mutex);
    transport_unshare(over, sizeof *over);
}

const struct transport transport_mutex = {
    .name = "mutex + condvar",
    .open = over_mutex_open,
    .send = over_mutex_send,
    .receive = over_mutex_receive,
    .close = over_mutex_close,
};
