/* SPDX-License-Identifier: MIT */
/* "Trace Event Format", Google, 2016: events of phase X (a slice with ts and dur), i (a moment), C (a
 * counter) and M (names); times in microseconds. */
#include "pipeline/report/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/report/escape.h"
#include "pipeline/shared/clock.h"

#define BUFFER_BYTES   ((size_t)256 << 10)
#define FLUSH_EVERY_NS 1000000000u
/* How every trace begins; a file that begins otherwise is somebody's. */
#define OPENING "[\n{\"name\":\"process_name\",\"ph\":\"M\""

struct trace {
    FILE *file;
    int failure; /* errno of the first write that failed */
    struct trace_limits limits;
    struct trace_result result;
    uint64_t flushed_ns;
    struct {
        uint64_t value;
        bool known;
    } counters[TRACE_COUNTERS];
};

static const struct {
    const char *name, *category; /* name NULL: that of the step */
} kinds[TRACE_KINDS] = {
    [TRACE_STEP] = {NULL, "stage"},        [TRACE_ROWS] = {"rows", "stage"},
    [TRACE_PLACE] = {"wait-room", "wait"}, [TRACE_LIST] = {"list", "reader"},
    [TRACE_OPEN] = {"open", "reader"},     [TRACE_ADMIT] = {"admit-wait", "wait"},
    [TRACE_READ] = {"read", "reader"},     [TRACE_QUEUE] = {"queue-wait", "wait"},
    [TRACE_RETRY] = {"retry", "reader"},   [TRACE_WRITE] = {"write", "writer"},
    [TRACE_REFUSE] = {"failed", "writer"},
};

/* Is this a file that may be replaced: new, empty, a trace, or no regular file at all? */
static bool replaceable(int fd)
{
    struct stat st;
    char head[sizeof OPENING - 1];
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return true;
    return pread(fd, head, sizeof head, 0) == sizeof head && memcmp(head, OPENING, sizeof head) == 0;
}

static int open_file(struct trace *trace, const char *path, struct error *error)
{
    /* Read as well, to look at what is there; without waiting for the other end of a pipe. */
    int flags = O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, O_RDWR | flags, 0666);
    if (fd < 0 && errno == EACCES)
        fd = open(path, O_WRONLY | flags, 0666);
    if (fd < 0)
        return error_set(error, ERROR_IO, "trace: %.120s: %s", path, strerror(errno));
    if (!replaceable(fd)) {
        close(fd);
        return error_set(error, ERROR_USAGE, "trace: %.120s holds something else, which is not replaced",
                         path);
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    if (ftruncate(fd, 0) < 0 && errno != EINVAL) {
        close(fd);
        return error_set(error, ERROR_IO, "trace: %.120s: %s", path, strerror(errno));
    }
    trace->file = fdopen(fd, "w");
    if (!trace->file) {
        close(fd);
        return error_set(error, ERROR_MEMORY, "out of memory");
    }
    setvbuf(trace->file, NULL, _IOFBF, BUFFER_BYTES);
    return 0;
}

int trace_open(struct trace **trace, const char *path, struct error *error)
{
    *trace = calloc(1, sizeof **trace);
    if (!*trace)
        return error_set(error, ERROR_MEMORY, "out of memory");
    int code = open_file(*trace, path, error);
    if (code < 0) {
        free(*trace);
        *trace = NULL;
    }
    return code;
}

static void keep_failure(struct trace *trace)
{
    if (!trace->failure && ferror(trace->file))
        trace->failure = errno ? errno : EIO;
}

/* A JSON string (RFC 8259). Bytes that are no UTF-8 appear as the text \xNN. */
static void put_text(FILE *file, const char *text)
{
    uint32_t point;
    putc('"', file);
    while (*text) {
        size_t length = escape_sequence(text, &point);
        if (length == 0)
            fprintf(file, "\\\\x%02x", (unsigned char)*text);
        else if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if (point < 0x20 || point == 0x7f)
            fprintf(file, "\\u%04x", point);
        else
            fwrite(text, 1, length, file);
        text += length ? length : 1;
    }
    putc('"', file);
}

static void put_member(FILE *file, const char *comma, const char *name, const char *text)
{
    fprintf(file, "%s\"%s\":", comma, name);
    put_text(file, text);
}

/* Microseconds to the nanosecond. */
static void put_time(FILE *file, const char *name, uint64_t ns)
{
    fprintf(file, ",\"%s\":%" PRIu64 ".%03u", name, ns / 1000, (unsigned)(ns % 1000));
}

/* An event up to its args, which the caller writes and ends with "}}". Returns the file, or NULL when nothing
 * is written any more. */
static FILE *begin_event(struct trace *trace, char phase, unsigned track, const char *name)
{
    if (!trace || trace->failure)
        return NULL;
    FILE *file = trace->file;
    errno = 0;
    fprintf(file, "%s{\"name\":", trace->result.events++ ? ",\n" : "[\n");
    put_text(file, name);
    fprintf(file, ",\"ph\":\"%c\",\"pid\":1,\"tid\":%u", phase, track);
    return file;
}

static uint64_t since_began(const struct trace *trace, uint64_t ns)
{
    return ns > trace->limits.began_ns ? ns - trace->limits.began_ns : 0;
}

static void put_span(const struct trace *trace, uint64_t begin_ns, uint64_t end_ns)
{
    put_time(trace->file, "ts", since_began(trace, begin_ns));
    put_time(trace->file, "dur", end_ns - begin_ns);
}

/* Metadata: `member` of the track's, or of the whole, is `text`. */
static void put_name(struct trace *trace, const char *what, unsigned track, const char *text)
{
    FILE *file = begin_event(trace, 'M', track, what);
    if (!file)
        return;
    fputs(",\"ts\":0,\"args\":{\"name\":", file);
    put_text(file, text);
    fputs("}}", file);
    keep_failure(trace);
}

void trace_begin(struct trace *trace, const char *title, const struct trace_limits *limits)
{
    if (!trace)
        return;
    trace->limits = *limits;
    put_name(trace, "process_name", TRACE_SUPERVISOR, title);
}

void trace_name(struct trace *trace, unsigned track, const char *name)
{
    put_name(trace, "thread_name", track, name);
    FILE *file = begin_event(trace, 'M', track, "thread_sort_index");
    if (!file)
        return;
    fprintf(file, ",\"ts\":0,\"args\":{\"sort_index\":%u}}", track);
    keep_failure(trace);
}

/* Records come out of shared memory, where any worker can write anything. */
static bool sound(const struct trace *trace, const struct trace_record *record, uint64_t now_ns)
{
    return record->kind < TRACE_KINDS && record->begin_ns >= trace->limits.began_ns &&
           record->begin_ns <= record->end_ns && record->end_ns <= now_ns &&
           record->step < trace->limits.step_count &&
           (record->slot < trace->limits.slots || record->slot == TRACE_NO_SLOT);
}

static void put_record(struct trace *trace, const struct trace_record *record, unsigned track)
{
    const char *step = trace->limits.steps[record->step], *name = kinds[record->kind].name;
    bool moment = record->kind == TRACE_RETRY;
    FILE *file = begin_event(trace, moment ? 'i' : 'X', track, name ? name : step);
    if (!file)
        return;
    fprintf(file, ",\"cat\":\"%s\"", kinds[record->kind].category);
    if (moment) {
        put_time(file, "ts", since_began(trace, record->begin_ns));
        fputs(",\"s\":\"t\"", file);
    } else {
        put_span(trace, record->begin_ns, record->end_ns);
    }
    const char *comma = "";
    fputs(",\"args\":{", file);
    if (*record->label) {
        put_member(file, comma, "item", record->label);
        comma = ",";
    }
    if (record->item) {
        fprintf(file, "%s\"id\":\"%016" PRIx64 "\"", comma, record->item);
        comma = ",";
    }
    if (record->attempt) {
        fprintf(file, "%s\"attempt\":%u", comma, record->attempt);
        comma = ",";
    }
    if (record->kind == TRACE_ROWS) {
        put_member(file, comma, "stage", step);
        comma = ",";
    }
    if (record->slot != TRACE_NO_SLOT)
        fprintf(file, "%s\"slot\":%u", comma, record->slot);
    fputs("}}", file);
    keep_failure(trace);
}

void trace_drain(struct trace *trace, struct trace_ring *ring, unsigned track)
{
    struct trace_record record;
    if (!trace)
        return;
    uint32_t waiting = trace_ring_waiting(ring);
    uint64_t now_ns = clock_ns();
    for (; waiting > 0; waiting--) {
        trace_ring_take(ring, &record);
        if (sound(trace, &record, now_ns))
            put_record(trace, &record, track);
        else
            trace->result.damaged++;
    }
}

void trace_count(struct trace *trace, unsigned counter, const char *name, const char *unit, uint64_t value)
{
    if (!trace || counter >= TRACE_COUNTERS ||
        (trace->counters[counter].known && trace->counters[counter].value == value))
        return;
    trace->counters[counter].known = true;
    trace->counters[counter].value = value;
    FILE *file = begin_event(trace, 'C', TRACE_SUPERVISOR, name);
    if (!file)
        return;
    put_time(file, "ts", since_began(trace, clock_ns()));
    fprintf(file, ",\"args\":{\"%s\":%" PRIu64 "}}", unit, value);
    keep_failure(trace);
}

void trace_tell(struct trace *trace, unsigned track, const struct trace_event *event)
{
    FILE *file = begin_event(trace, event->end_ns ? 'X' : 'i', track, event->name);
    if (!file)
        return;
    fprintf(file, ",\"cat\":\"%s\"", event->category);
    if (event->end_ns) {
        put_span(trace, event->begin_ns, event->end_ns);
    } else {
        put_time(file, "ts", since_began(trace, event->begin_ns));
        fputs(",\"s\":\"t\"", file);
    }
    const char *const members[][2] = {
        {"item", event->item}, {"stage", event->stage}, {"reason", event->reason}};
    const char *comma = "";
    fputs(",\"args\":{", file);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (!members[i][1])
            continue;
        put_member(file, comma, members[i][0], members[i][1]);
        comma = ",";
    }
    if (event->attempt)
        fprintf(file, "%s\"attempt\":%u", comma, event->attempt);
    fputs("}}", file);
    keep_failure(trace);
}

void trace_flush(struct trace *trace)
{
    if (!trace || trace->failure)
        return;
    uint64_t now = clock_ns();
    if (now - trace->flushed_ns < FLUSH_EVERY_NS)
        return;
    trace->flushed_ns = now;
    errno = 0;
    fflush(trace->file);
    keep_failure(trace);
}

int trace_close(struct trace *trace, struct trace_result *result, struct error *error)
{
    *result = (struct trace_result){0};
    if (!trace)
        return 0;
    if (!trace->failure) {
        errno = 0;
        fputs(trace->result.events ? "\n]\n" : "[]\n", trace->file);
        fflush(trace->file);
        keep_failure(trace);
    }
    errno = 0;
    if (fclose(trace->file) != 0 && !trace->failure)
        trace->failure = errno ? errno : EIO;
    *result = trace->result;
    int failure = trace->failure;
    free(trace);
    return failure ? error_set(error, ERROR_IO, "%s", strerror(failure)) : 0;
}
