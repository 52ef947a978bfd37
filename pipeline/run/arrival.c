/* SPDX-License-Identifier: MIT */
#include "pipeline/run/arrival.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/engine/chain_bands.h"
#include "pipeline/files/beneath.h"
#include "pipeline/files/cause.h"

/* Reads until `length` bytes are there or the file ends; where it ends as `expected` and a call gives less
 * than it was asked for, that is the end, and not asked for again. The number read, or -1 and errno. */
static ssize_t read_fully(int fd, uint8_t *bytes, size_t length, size_t expected)
{
    size_t have = 0;
    while (have < length) {
        ssize_t got = read(fd, bytes + have, length - have);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        have += (size_t)got;
        if (have == expected)
            break;
    }
    return (ssize_t)have;
}

static int unreadable(struct error *error)
{
    return error_set(error, cause_code(errno), "cannot be read: %s", strerror(errno));
}

static int changed(bool grew, struct error *error)
{
    return error_set(error, ERROR_IO, "the file %s while it was read", grew ? "grew" : "shrank");
}

static int check_size(uint64_t size, uint64_t max_bytes, struct error *error)
{
    if (size == 0)
        return error_set(error, ERROR_CORRUPT, "the file is empty");
    if (size > max_bytes)
        return error_set(error, ERROR_LIMIT, "%llu bytes, over max_file %llu; raise it with --max-file",
                         (unsigned long long)size, (unsigned long long)max_bytes);
    return 0;
}

static int read_head(int fd, uint64_t size, uint8_t *head, size_t *head_bytes, struct error *error)
{
    /* Asking for a byte more than a small file has shows that it grew. */
    bool whole = size <= CODEC_HEAD_BYTES;
    ssize_t got = read_fully(fd, head, whole ? (size_t)size + 1 : CODEC_HEAD_BYTES, (size_t)size);
    if (got < 0)
        return unreadable(error);
    if (whole && (uint64_t)got != size)
        return changed((uint64_t)got > size, error);
    if (!whole && (size_t)got != CODEC_HEAD_BYTES)
        return changed(false, error);
    *head_bytes = (size_t)got;
    return 0;
}

/* What is in the file, by its name and its first bytes, which must agree. */
static int know_codec(const uint8_t *head, size_t head_bytes, const char *path, const struct codec **codec,
                      bool *packed, struct error *error)
{
    const struct codec *named = codec_for_name(path), *found = codec_sniff(head, head_bytes);
    *packed = gzip_sniff(head, head_bytes);
    *codec = found ? found : named;
    if (*packed && (!named || !codec_gzip_name(path)))
        return error_set(error, ERROR_CORRUPT, "is gzip%s%s",
                         named ? ", not what its name says: "
                               : "; its name must say what is in it, as in x.npy.gz",
                         named ? named->name : "");
    if (named && codec_gzip_name(path)) {
        *codec = named;
        return *packed ? 0 : error_set(error, ERROR_CORRUPT, "is not gzip, as its name says");
    }
    if (!found && (!named || named->sniff))
        return error_set(error, ERROR_CORRUPT, "is not %s%s",
                         named ? named->name : "a file of a known format", named ? ", as its name says" : "");
    if (named && found && named != found)
        return error_set(error, ERROR_CORRUPT, "is %s, not %s as its name says", found->name, named->name);
    return 0;
}

static uint8_t index_of(const struct codec *codec)
{
    uint8_t index = 0;
    while (codec_all()[index] != codec)
        index++;
    return index;
}

/* How each output is to be written. */
static void choose_outputs(struct slot_ticket *ticket, const struct job *job, const struct codec *in)
{
    for (unsigned i = 0; i < job->output_count; i++) {
        const struct codec_save *save = &job->outputs[i].save;
        const struct codec *out = save->format ? codec_all()[save->format - 1] : codec_written(in);
        ticket->codec_out[i] = index_of(out);
        ticket->packed_out[i] =
            out->gzip && !job_tiles(job, i) &&
            (save->gzip == CODEC_GZIP_YES || (save->gzip == CODEC_GZIP_SAME && ticket->packed_in));
    }
}

/* What a packed file says at its end of how much is in it. A hint: of several members it is the last one's.
 */
static uint64_t promised_bytes(const struct arrival *arrival)
{
    uint8_t tail[4];
    const uint64_t size = (uint64_t)arrival->st.st_size;
    if (size < 18 || pread(arrival->fd, tail, 4, arrival->st.st_size - 4) != 4)
        return size;
    uint64_t said = (uint64_t)tail[3] << 24 | (uint64_t)tail[2] << 16 | (uint64_t)tail[1] << 8 | tail[0];
    return said > size ? said : size;
}

/* A guess that must not be what an item fails for: what is really needed is found out in the worker. */
static void guess(struct arrival *arrival, const struct job *job)
{
    uint64_t bytes = arrival->ticket.packed_in ? promised_bytes(arrival) : (uint64_t)arrival->st.st_size;
    do {
        chain_guess(job, &arrival->ticket, bytes, &arrival->need);
        bytes /= 2;
    } while (chain_need_total(&arrival->need) > job->settings.memory_bytes / 2 && bytes > 65536);
}

/* The counterpart of the item, where a stage wants one. */
static int examine_reference(struct arrival *arrival, const struct job *job,
                             const struct codec_limits *limits, int directory, const char *rel,
                             struct error *error)
{
    unsigned stage = 0;
    const char *place = job_reference(job, &stage);
    uint8_t head[CODEC_HEAD_BYTES + 1];
    size_t head_bytes;
    struct stat st;
    bool packed;
    const struct codec *codec;
    if (!place || directory < 0 || (arrival->ticket.skipped >> stage & 1))
        return 0;
    arrival->reference_fd = beneath_open(directory, rel, O_RDONLY | O_NONBLOCK | O_NOCTTY, true);
    if (arrival->reference_fd < 0)
        return error_set(error, ERROR_IO, "its counterpart in %.100s cannot be opened: %s", place,
                         strerror(errno));
    if (fstat(arrival->reference_fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(error, ERROR_UNSUPPORTED, "its counterpart in %.100s is no file", place);
    arrival->ticket.reference_bytes = (uint64_t)st.st_size;
    TRY(check_size(arrival->ticket.reference_bytes, limits->max_file_bytes, error));
    TRY(read_head(arrival->reference_fd, (uint64_t)st.st_size, head, &head_bytes, error));
    TRY(know_codec(head, head_bytes, rel, &codec, &packed, error));
    if (packed || codec->late)
        return error_set(error, ERROR_UNSUPPORTED,
                         "its counterpart in %.100s is of a format that cannot be compared", place);
    arrival->ticket.reference_codec = index_of(codec);
    return codec->peek(head, head_bytes, (uint64_t)st.st_size, limits, &arrival->ticket.reference, error);
}

static bool fits(const struct arrival *arrival, const struct job *job)
{
    return chain_need_check(&arrival->need, job->settings.memory_bytes, NULL) == 0;
}

/* May it be read while it is decoded? Not again, where a decoder has asked for all of it. */
static bool can_feed(const struct arrival *arrival)
{
    return arrival->may_feed && arrival->info.by_pieces && arrival->ticket.file_bytes >= FEED_LEAST_BYTES &&
           arrival->found.part_bytes[SLOT_BUFFER_0] <= FEED_WINDOW_BYTES;
}

/* Over bands of rows, where the item can be taken so and then needs less. */
static void plan_bands(struct arrival *arrival, const struct job *job, bool fed)
{
    struct slot_need need;
    struct slot_ticket ticket = arrival->ticket;
    if (!chain_bands_choose(job, &arrival->info, &ticket))
        return;
    ticket.fed = fed;
    if (chain_plan(job, &ticket, &arrival->info, &need, NULL) < 0)
        return;
    chain_need_raise(&need, &arrival->found);
    if (chain_need_total(&need) >= chain_need_total(&arrival->need))
        return;
    arrival->ticket = ticket;
    arrival->need = need;
}

/* Workers that have nothing else to do may share the rows of a whole image, where there is room for that: no
 * item is refused for what others would need beside the one that has it. */
static int plan_known(struct arrival *arrival, const struct job *job, struct error *error)
{
    struct slot_ticket *ticket = &arrival->ticket;
    TRY(chain_plan(job, ticket, &arrival->info, &arrival->need, error));
    chain_need_raise(&arrival->need, &arrival->found);
    if (ticket->members > 1 && !fits(arrival, job)) {
        ticket->members = 1;
        TRY(chain_plan(job, ticket, &arrival->info, &arrival->need, error));
        chain_need_raise(&arrival->need, &arrival->found);
    }
    if ((!arrival->among_few && !job->whole_first) || !fits(arrival, job))
        plan_bands(arrival, job, can_feed(arrival) && !arrival->rather_whole);
    if (arrival->rather_whole && can_feed(arrival) && !fits(arrival, job))
        plan_bands(arrival, job, true);
    return 0;
}

static int plan(struct arrival *arrival, const struct job *job, const struct codec_limits *limits,
                const struct codec *codec, struct error *error)
{
    const uint64_t size = arrival->ticket.file_bytes;
    int code = ERROR_ROOM;
    if (!arrival->ticket.packed_in && !codec->late)
        code = codec->peek(arrival->head, arrival->head_bytes, size, limits, &arrival->info, error);
    if (code == ERROR_ROOM) {
        arrival->ticket.late = true;
        guess(arrival, job);
        chain_need_raise(&arrival->need, &arrival->found);
        return 0;
    }
    TRY(code);
    if (codec->shrinks && job->settings.load.shrink)
        arrival->ticket.shrink =
            (uint8_t)chain_shrink(job, &arrival->ticket, &arrival->info.shape, codec->shrinks);
    const struct shape decoded = codec_shrunk(&arrival->info.shape, arrival->ticket.shrink);
    arrival->ticket.raw_bytes = shape_bytes(&decoded);
    return plan_known(arrival, job, error);
}

int arrival_open(struct arrival *arrival, const struct arrival_places *places, unsigned root,
                 const char *path, struct error *error)
{
    arrival->reference_fd = -1;
    if (arrival->fd >= 0)
        return 0;
    arrival->fd = scan_open_file(places->scan, root, path, &arrival->st, error);
    return arrival->fd < 0 ? arrival->fd : 0;
}

int arrival_examine(struct arrival *arrival, const struct job *job, const struct codec_limits *limits,
                    const struct arrival_places *places, const char *path, const char *rel,
                    struct error *error)
{
    const struct codec *codec;
    struct slot_ticket *ticket = &arrival->ticket;
    *ticket = (struct slot_ticket){.file_bytes = (uint64_t)arrival->st.st_size, .members = job->row_members};
    TRY(check_size(ticket->file_bytes, job->settings.max_file_bytes, error));
    if (arrival->head_bytes == 0)
        TRY(read_head(arrival->fd, ticket->file_bytes, arrival->head, &arrival->head_bytes, error));
    TRY(know_codec(arrival->head, arrival->head_bytes, path, &codec, &ticket->packed_in, error));
    ticket->codec_in = index_of(codec);
    ticket->skipped = job_skipped(job, rel, ticket->file_bytes);
    choose_outputs(ticket, job, codec);
    TRY(examine_reference(arrival, job, limits, places->reference_fd, rel, error));
    return plan(arrival, job, limits, codec, error);
}

static ssize_t read_at(int fd, uint8_t *bytes, size_t count, uint64_t at)
{
    ssize_t got;
    do
        got = pread(fd, bytes, count, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

int arrival_read_part(int fd, uint8_t *bytes, uint64_t from, size_t count, uint64_t size, struct error *error)
{
    uint8_t more;
    ssize_t got = 0;
    for (size_t have = 0; have < count; have += (size_t)got) {
        got = read_at(fd, bytes + have, count - have, from + have);
        if (got < 0)
            return unreadable(error);
        if (got == 0)
            return changed(false, error);
    }
    got = from + count == size ? read_at(fd, &more, 1, size) : 0;
    if (got < 0)
        return unreadable(error);
    return got > 0 ? changed(true, error) : 0;
}

void arrival_foretell(const struct arrival *arrival)
{
    posix_fadvise(arrival->fd, 0, 0, POSIX_FADV_WILLNEED);
    if (arrival->reference_fd >= 0)
        posix_fadvise(arrival->reference_fd, 0, 0, POSIX_FADV_WILLNEED);
}

int arrival_read(const struct arrival *arrival, uint8_t *bytes, struct error *error)
{
    size_t size = (size_t)arrival->st.st_size, head = arrival->head_bytes;
    memcpy(bytes, arrival->head, head);
    if (size <= CODEC_HEAD_BYTES || arrival->ticket.fed)
        return 0;
    return arrival_read_part(arrival->fd, bytes + head, head, size - head, size, error);
}

int arrival_read_reference(const struct arrival *arrival, uint8_t *bytes, struct error *error)
{
    if (arrival->reference_fd < 0)
        return 0;
    const size_t size = arrival->ticket.reference_bytes;
    return arrival_read_part(arrival->reference_fd, bytes, 0, size, size, error);
}

void arrival_close(struct arrival *arrival)
{
    if (arrival->fd >= 0)
        close(arrival->fd);
    if (arrival->reference_fd >= 0)
        close(arrival->reference_fd);
    arrival->fd = arrival->reference_fd = -1;
}
