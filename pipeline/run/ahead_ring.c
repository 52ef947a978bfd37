/* SPDX-License-Identifier: MIT */
#include "pipeline/run/ahead_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Each place has one operation under way at most, and may have a file to be closed. */
#define RING_ENTRIES (2 * AHEAD_RING_PLACES)
/* Descriptors that all others may still open: the directories of a deep tree are open on the way down. */
#define SPARE_DESCRIPTORS 32u

enum operation { OPERATION_OPEN, OPERATION_READ, OPERATION_CLOSE };

enum state {
    PLACE_NOTHING, /* not begun, or left to plain calls */
    PLACE_OPENING,
    PLACE_READING,
    PLACE_OPENED,
};

struct place {
    enum state state;
    struct open_how how;
    struct ahead_file file;
    size_t wanted; /* bytes of the head */
};

struct ahead_ring {
    struct io_uring uring;
    struct place places[AHEAD_RING_PLACES];
    unsigned place_count;
    unsigned underway; /* operations asked for that have not ended */
    unsigned closing;  /* of those */
    bool broken;       /* the kernel takes no more */
    bool unread;       /* heads are not wanted */
    bool fresh;        /* something was asked for that the kernel was not told yet; to close can wait */
    uint8_t *heads;
};

/* NULL: the kernel takes no more now. */
static struct io_uring_sqe *next_entry(struct ahead_ring *ring, enum operation operation, unsigned place)
{
    struct io_uring_sqe *entry = ring->broken ? NULL : io_uring_get_sqe(&ring->uring);
    if (entry) {
        ring->underway++;
        ring->fresh = ring->fresh || operation != OPERATION_CLOSE;
        entry->user_data = (uint64_t)operation << 32 | place;
    }
    return entry;
}

static void opened(struct ahead_ring *ring, unsigned index, int fd)
{
    struct place *place = &ring->places[index];
    struct ahead_file *file = &place->file;
    place->state = PLACE_NOTHING;
    if (fd < 0)
        return;
    if (fstat(fd, &file->st) < 0 || !scan_takes(&file->st)) {
        close(fd);
        return;
    }
    file->fd = fd;
    place->state = PLACE_OPENED;
    const uint64_t size = (uint64_t)file->st.st_size;
    struct io_uring_sqe *entry = size > 0 && !ring->unread ? next_entry(ring, OPERATION_READ, index) : NULL;
    if (!entry)
        return;
    /* A byte more than a small file has shows that it grew, as the reader's own reading does. */
    const size_t asked = size <= CODEC_HEAD_BYTES ? (size_t)size + 1 : CODEC_HEAD_BYTES;
    place->wanted = size <= CODEC_HEAD_BYTES ? (size_t)size : CODEC_HEAD_BYTES;
    io_uring_prep_read(entry, fd, file->head, (unsigned)asked, (uint64_t)-1); /* from where it stands */
    place->state = PLACE_READING;
}

static void read_head(struct place *place, int got)
{
    struct ahead_file *file = &place->file;
    place->state = PLACE_OPENED;
    if (got > 0 && (size_t)got == place->wanted)
        file->head_bytes = (size_t)got;
    else
        lseek(file->fd, 0, SEEK_SET); /* the reader reads it again, and finds out */
}

static void reap(struct ahead_ring *ring)
{
    struct io_uring_cqe *end;
    while (io_uring_peek_cqe(&ring->uring, &end) == 0) {
        const enum operation operation = (enum operation)(end->user_data >> 32);
        const unsigned index = (unsigned)end->user_data;
        const int result = end->res;
        io_uring_cqe_seen(&ring->uring, end);
        ring->underway--;
        if (operation == OPERATION_OPEN)
            opened(ring, index, result);
        else if (operation == OPERATION_READ)
            read_head(&ring->places[index], result);
        else
            ring->closing--;
    }
}

/* Hands over what was asked for, waits for the end of so many operations, and looks at all that have ended.
 */
static void enter(struct ahead_ring *ring, unsigned ends)
{
    const int result =
        ends > 0 ? io_uring_submit_and_wait(&ring->uring, ends) : io_uring_submit(&ring->uring);
    ring->fresh = false;
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY)
        ring->broken = true;
    reap(ring);
}

unsigned ahead_ring_places(const struct ahead_ring *ring)
{
    return ring->place_count;
}

void ahead_ring_begin(struct ahead_ring *ring, unsigned index, const struct scan *scan, unsigned root,
                      const char *path)
{
    struct place *place = &ring->places[index];
    place->file = (struct ahead_file){.fd = -1, .head = place->file.head};
    const int directory = scan_open_how(scan, root, &place->how);
    struct io_uring_sqe *entry = directory >= 0 ? next_entry(ring, OPERATION_OPEN, index) : NULL;
    if (!entry)
        return;
    io_uring_prep_openat2(entry, directory, path, &place->how);
    place->state = PLACE_OPENING;
}

void ahead_ring_read_heads(struct ahead_ring *ring, bool read)
{
    ring->unread = !read;
}

static bool is_underway(const struct place *place)
{
    return place->state == PLACE_OPENING || place->state == PLACE_READING;
}

void ahead_ring_take(struct ahead_ring *ring, unsigned index, struct ahead_file *file)
{
    struct place *place = &ring->places[index];
    reap(ring);
    /* What is in memory is opened at once, and read by the second call. */
    for (int i = 0; i < 2 && ring->fresh; i++)
        enter(ring, 0);
    while (is_underway(place) && !ring->broken)
        enter(ring, 1);
    *file = (struct ahead_file){.fd = -1};
    if (place->state == PLACE_OPENED)
        *file = place->file;
    if (!is_underway(place))
        place->state = PLACE_NOTHING;
}

void ahead_ring_give_back(struct ahead_ring *ring, int fd)
{
    struct io_uring_sqe *entry =
        ring->closing < ring->place_count ? next_entry(ring, OPERATION_CLOSE, 0) : NULL;
    if (!entry) {
        close(fd);
        return;
    }
    io_uring_prep_close(entry, fd);
    ring->closing++;
}

/* Room for descriptors: above the limit that others have, where it may be raised, else a part of theirs. */
static unsigned descriptors(int any)
{
    struct rlimit limit;
    const int lowest = fcntl(any, F_DUPFD_CLOEXEC, 0);
    if (lowest < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    close(lowest);
    const rlim_t before = limit.rlim_cur, most = RING_ENTRIES;
    if (before == RLIM_INFINITY)
        return RING_ENTRIES;
    limit.rlim_cur = limit.rlim_max - before < most ? limit.rlim_max : before + most;
    if (limit.rlim_cur == before + most && setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return RING_ENTRIES;
    const rlim_t others = (rlim_t)lowest + SPARE_DESCRIPTORS;
    const rlim_t part = before > others ? (before - others) / 4 : 0;
    return (unsigned)(part < most ? part : most);
}

/* Does the kernel do all that is wanted, and may it be asked? */
static int try_out(struct ahead_ring *ring, const struct io_uring_params *params)
{
    const unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_RW_CUR_POS;
    if ((params->features & needed) != needed)
        return -ENOSYS;
    struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->uring);
    const bool there = probe && io_uring_opcode_supported(probe, IORING_OP_OPENAT2) &&
                       io_uring_opcode_supported(probe, IORING_OP_READ) &&
                       io_uring_opcode_supported(probe, IORING_OP_CLOSE);
    io_uring_free_probe(probe);
    struct io_uring_sqe *entry = there ? io_uring_get_sqe(&ring->uring) : NULL;
    if (!entry)
        return -ENOSYS;
    io_uring_prep_nop(entry);
    const int result = io_uring_submit_and_wait(&ring->uring, 1);
    struct io_uring_cqe *end;
    if (result < 0)
        return result;
    if (io_uring_peek_cqe(&ring->uring, &end) < 0)
        return -ENOSYS;
    io_uring_cqe_seen(&ring->uring, end);
    return 0;
}

static int set_up(struct ahead_ring *ring)
{
    /* Ends are looked at when the thread comes by; no other thread need be interrupted for them. Not known
     * to Linux before 5.19. */
    struct io_uring_params params = {.flags = IORING_SETUP_COOP_TASKRUN};
    int result = io_uring_queue_init_params(RING_ENTRIES, &ring->uring, &params);
    if (result == -EINVAL) {
        params = (struct io_uring_params){0};
        result = io_uring_queue_init_params(RING_ENTRIES, &ring->uring, &params);
    }
    if (result < 0)
        return result;
    result = try_out(ring, &params);
    if (result < 0)
        io_uring_queue_exit(&ring->uring);
    return result;
}

int ahead_ring_open(struct ahead_ring **out, struct error *error)
{
    const size_t room = CODEC_HEAD_BYTES + 64;
    struct ahead_ring *ring = calloc(1, sizeof *ring);
    uint8_t *heads = ring ? malloc(AHEAD_RING_PLACES * room) : NULL;
    if (!heads) {
        free(ring);
        return error_set(error, ERROR_MEMORY, "out of memory");
    }
    ring->heads = heads;
    for (unsigned i = 0; i < AHEAD_RING_PLACES; i++)
        ring->places[i].file = (struct ahead_file){.fd = -1, .head = heads + i * room};
    const int result = set_up(ring);
    if (result < 0) {
        free(heads);
        free(ring);
        return error_set(error, ERROR_UNSUPPORTED, "%s%s", strerror(-result),
                         result == -EPERM ? ", by kernel.io_uring_disabled or a filter of calls" : "");
    }
    ring->place_count = descriptors(ring->uring.ring_fd) / 2;
    if (ring->place_count == 0) {
        ahead_ring_close(ring);
        return error_set(error, ERROR_UNSUPPORTED, "too few descriptors (ulimit -n)");
    }
    *out = ring;
    return 0;
}

void ahead_ring_close(struct ahead_ring *ring)
{
    if (!ring)
        return;
    while (ring->underway > 0 && !ring->broken)
        enter(ring, 1);
    for (unsigned i = 0; i < AHEAD_RING_PLACES; i++) {
        if (ring->places[i].state == PLACE_OPENED)
            close(ring->places[i].file.fd);
    }
    if (ring->broken)
        return; /* the kernel may yet write to it */
    io_uring_queue_exit(&ring->uring);
    free(ring->heads);
    free(ring);
}

const char *ahead_ring_library(void)
{
    return URING_VERSION;
}
