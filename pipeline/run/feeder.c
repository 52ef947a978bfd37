/* SPDX-License-Identifier: MIT */
#include "pipeline/run/feeder.h"

#include <sys/resource.h>
#include <unistd.h>

#include "pipeline/engine/batch_class.h"
#include "pipeline/run/arrival.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/event.h"
#include "pipeline/shared/stall.h"

static struct feed_shared *shared_of(const struct feeder *feeder, const struct feeder_file *file)
{
    return &feeder->machine->slots[file->slot].feed;
}

static void publish(struct feeder *feeder, const struct feeder_file *file)
{
    struct feed_shared *shared = shared_of(feeder, file);
    atomic_store(&shared->filled, file->filled);
    atomic_store(&shared->end, (uint32_t)file->end);
    event_signal(&shared->news, &shared->news_sleepers, 1);
}

static void close_file(struct feeder_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void forget(struct feeder *feeder, struct feeder_file *file)
{
    close_file(file);
    file->used = false;
    feeder->used--;
}

static struct feeder_file *file_of(struct feeder *feeder, uint32_t slot)
{
    for (unsigned i = 0; feeder->used > 0 && i < FEEDER_MOST; i++) {
        if (feeder->files[i].used && feeder->files[i].slot == slot)
            return &feeder->files[i];
    }
    return NULL;
}

/* How many bytes may be read into the ring at one go; 0: not enough to be worth it. What the worker claims
 * never makes that more than the ring has room for. */
static size_t room(const struct feeder *feeder, struct feeder_file *file)
{
    const uint64_t claimed = atomic_load(&shared_of(feeder, file)->taken);
    if (claimed > file->taken && claimed <= file->filled)
        file->taken = claimed;
    const uint64_t left = file->size_bytes - file->filled;
    const size_t empty = FEED_WINDOW_BYTES - (size_t)(file->filled - file->taken);
    const size_t to_end = FEED_WINDOW_BYTES - (size_t)(file->filled % FEED_WINDOW_BYTES);
    size_t count = empty < to_end ? empty : to_end;
    count = count < FEED_PIECE_BYTES ? count : FEED_PIECE_BYTES;
    if (left <= count)
        return (size_t)left;
    return empty < FEED_PIECE_BYTES ? 0 : count;
}

/* Reads what there is room for, without the lock. */
static void fill(struct feeder *feeder, struct feeder_file *file, size_t count)
{
    uint8_t *ring = machine_part(feeder->machine, file->slot, SLOT_BUFFER_0);
    struct error error = {0};
    file->reading = true;
    pthread_mutex_unlock(&feeder->lock);
    stall(STALL_FEED);
    const uint64_t since_ns = clock_ns();
    const int code = arrival_read_part(file->fd, ring + file->filled % FEED_WINDOW_BYTES, file->filled, count,
                                       file->size_bytes, &error);
    const uint64_t read_ns = clock_ns() - since_ns;
    pthread_mutex_lock(&feeder->lock);
    feeder->reading_ns += read_ns;
    file->reading = false;
    if (file->left) {
        const uint32_t slot = file->slot;
        const uint64_t seen = file->seen;
        forget(feeder, file);
        pthread_mutex_unlock(&feeder->lock);
        admission_leave(feeder->admission, slot, seen);
        pthread_mutex_lock(&feeder->lock);
        return;
    }
    if (code < 0) {
        file->end = FEED_BROKEN;
        file->error = error;
    } else {
        file->filled += count;
        file->end = file->filled == file->size_bytes ? FEED_SOUND : FEED_GOES_ON;
    }
    if (file->end != FEED_GOES_ON)
        close_file(file);
    publish(feeder, file);
}

/* A piece for each file that has room. False: none has. */
static bool serve_all(struct feeder *feeder)
{
    bool any = false;
    for (unsigned i = 0; i < FEEDER_MOST && !feeder->stopped; i++) {
        struct feeder_file *file = &feeder->files[i];
        const size_t count = file->used && file->end == FEED_GOES_ON ? room(feeder, file) : 0;
        if (count == 0)
            continue;
        fill(feeder, file, count);
        any = true;
    }
    return any;
}

static void *feed(void *context)
{
    struct feeder *feeder = context;
    struct feed_bell *bell = feeder->machine->feed_bell;
    batch_class_enter();
    pthread_mutex_lock(&feeder->lock);
    while (!feeder->stopped) {
        const uint32_t seen = atomic_load(&bell->rung);
        if (serve_all(feeder))
            continue;
        pthread_mutex_unlock(&feeder->lock);
        event_sleep(&bell->rung, &bell->sleepers, seen);
        pthread_mutex_lock(&feeder->lock);
    }
    for (unsigned i = 0; i < FEEDER_MOST; i++) {
        struct feeder_file *file = &feeder->files[i];
        if (!file->used || file->end != FEED_GOES_ON)
            continue;
        file->end = FEED_BROKEN;
        error_set(&file->error, ERROR_IO, "the run ended before it was read");
        close_file(file);
        publish(feeder, file);
    }
    pthread_mutex_unlock(&feeder->lock);
    return NULL;
}

static void ring_bell(const struct feeder *feeder)
{
    struct feed_bell *bell = feeder->machine->feed_bell;
    event_signal(&bell->rung, &bell->sleepers, 1);
}

/* Is the thread reading into the slot? Then it is left as soon as that is over. */
static bool keeps(void *context, uint32_t slot, uint64_t seen)
{
    struct feeder *feeder = context;
    pthread_mutex_lock(&feeder->lock);
    struct feeder_file *file = file_of(feeder, slot);
    const bool kept = file && file->reading;
    if (kept) {
        file->left = true;
        file->seen = seen;
    } else if (file) {
        forget(feeder, file);
    }
    pthread_mutex_unlock(&feeder->lock);
    return kept;
}

void feeder_open(struct feeder *feeder, struct machine *machine, struct admission *admission)
{
    struct rlimit limit;
    *feeder = (struct feeder){.machine = machine, .admission = admission, .most = FEEDER_MOST};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / FEEDER_DESCRIPTOR_SHARE < FEEDER_MOST)
        feeder->most = (uint32_t)(limit.rlim_cur / FEEDER_DESCRIPTOR_SHARE);
    pthread_mutex_init(&feeder->lock, NULL);
    admission->keeps = keeps;
    admission->keeps_context = feeder;
}

bool feeder_begins(struct feeder *feeder)
{
    if (!feeder->started && !feeder->cannot_start) {
        feeder->started = feeder->most > 0 && pthread_create(&feeder->thread, NULL, feed, feeder) == 0;
        feeder->cannot_start = !feeder->started;
    }
    return feeder->started;
}

bool feeder_has_place(struct feeder *feeder)
{
    pthread_mutex_lock(&feeder->lock);
    const bool place = feeder->started && feeder->used < feeder->most;
    pthread_mutex_unlock(&feeder->lock);
    return place;
}

void feeder_add(struct feeder *feeder, uint32_t slot, int fd, uint64_t size_bytes, uint64_t filled)
{
    struct feeder_file *file = feeder->files;
    struct feed_shared *shared = &feeder->machine->slots[slot].feed;
    pthread_mutex_lock(&feeder->lock);
    while (file->used)
        file++;
    *file = (struct feeder_file){
        .fd = fd, .used = true, .slot = slot, .size_bytes = size_bytes, .filled = filled};
    feeder->used++;
    atomic_store(&shared->taken, 0);
    publish(feeder, file);
    pthread_mutex_unlock(&feeder->lock);
    ring_bell(feeder);
}

int feeder_verdict(struct feeder *feeder, uint32_t slot, bool success, struct error *error)
{
    int code = 0;
    pthread_mutex_lock(&feeder->lock);
    const struct feeder_file *file = file_of(feeder, slot);
    if (file && file->end == FEED_BROKEN) {
        *error = file->error;
        code = error->code;
    } else if (file && success && file->end != FEED_SOUND) {
        code = error_set(error, ERROR_INTERNAL, "the worker handed back an impossible result");
    }
    pthread_mutex_unlock(&feeder->lock);
    return code;
}

void feeder_close(struct feeder *feeder)
{
    if (!feeder->machine)
        return;
    pthread_mutex_lock(&feeder->lock);
    feeder->stopped = true;
    pthread_mutex_unlock(&feeder->lock);
    if (feeder->started) {
        ring_bell(feeder);
        pthread_join(feeder->thread, NULL);
    }
    for (unsigned i = 0; i < FEEDER_MOST; i++) {
        if (feeder->files[i].used)
            forget(feeder, &feeder->files[i]);
    }
    pthread_mutex_destroy(&feeder->lock);
    feeder->machine = NULL;
}
