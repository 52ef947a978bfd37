/* SPDX-License-Identifier: MIT */
/* Inputs from a list: a file or standard input, one path per line or per NUL. */
#include "pipeline/files/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int scan_list_open(struct scan *scan, struct error *error)
{
    struct scan_list *list = &scan->list;
    const char *path = scan->options.files_from;
    if (strcmp(path, "-") == 0) {
        list->fd = STDIN_FILENO;
        return 0;
    }
    list->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (list->fd < 0) {
        const int cause = errno;
        error_set(error, ERROR_IO, "%s: cannot open the list of files: %s", path, strerror(cause));
        return cause == ENOENT || cause == ENOTDIR ? SCAN_NO_INPUT : ERROR_IO;
    }
    list->close = true;
    return 0;
}

/* More bytes into the buffer: 1, 0 at the end, -1 and errno. */
static int fill(struct scan *scan)
{
    struct scan_list *list = &scan->list;
    list->from = list->to = 0;
    for (;;) {
        if (scan->options.stop_fd >= 0) {
            struct pollfd waits[] = {{.fd = list->fd, .events = POLLIN},
                                     {.fd = scan->options.stop_fd, .events = POLLIN}};
            if (poll(waits, 2, -1) < 0 && errno != EINTR)
                return -1;
            if (waits[1].revents)
                return 0;
            if (!waits[0].revents)
                continue;
        }
        ssize_t got = read(list->fd, list->buffer, sizeof list->buffer);
        if (got >= 0) {
            list->to = (size_t)got;
            return got > 0;
        }
        if (errno != EINTR && errno != EAGAIN)
            return -1;
        if (errno == EAGAIN) /* someone made our standard input non-blocking */
            poll(&(struct pollfd){.fd = list->fd, .events = POLLIN}, 1, -1);
    }
}

bool scan_list_ready(const struct scan *scan, int wait_ms)
{
    const struct scan_list *list = &scan->list;
    if (list->fd < 0 || list->end || list->from < list->to)
        return true;
    struct pollfd waits[] = {{.fd = list->fd, .events = POLLIN},
                             {.fd = scan->options.stop_fd, .events = POLLIN}};
    return poll(waits, 2, wait_ms) != 0;
}

enum line_result { LINE_OK, LINE_END, LINE_FAILED, LINE_TOO_LONG, LINE_NUL };

/* The next line into list->path, cut where it is too long. */
static enum line_result read_line(struct scan *scan)
{
    struct scan_list *list = &scan->list;
    const char end = scan->options.null_separated ? '\0' : '\n';
    enum line_result result = LINE_OK;
    size_t length = 0;
    bool any = false;
    for (;; any = true) {
        if (list->from == list->to) {
            int got = fill(scan);
            if (got <= 0) {
                list->end = true;
                if (got < 0 || !any)
                    return got < 0 ? LINE_FAILED : LINE_END;
                break;
            }
        }
        const char byte = list->buffer[list->from++];
        if (byte == end)
            break;
        if (byte == '\0')
            result = LINE_NUL;
        if (length < PATH_MAX - 1)
            list->path[length++] = byte;
        else if (result == LINE_OK)
            result = LINE_TOO_LONG;
    }
    list->path[length] = '\0';
    list->line++;
    return result;
}

/* The path below the output directory that mirrors `path`: no leading slash, no "." component, no doubled
 * slash. False where a component is "..". */
static bool make_rel(const char *path, char *rel)
{
    size_t used = 0;
    for (;;) {
        path += strspn(path, "/");
        const size_t length = strcspn(path, "/");
        if (length == 0)
            break;
        if (length == 2 && path[0] == '.' && path[1] == '.')
            return false;
        if (length != 1 || path[0] != '.') {
            if (used)
                rel[used++] = '/';
            memcpy(rel + used, path, length);
            used += length;
        }
        path += length;
    }
    rel[used] = '\0';
    return true;
}

static int give_line(struct scan *scan, struct scan_entry *entry)
{
    struct scan_list *list = &scan->list;
    const bool inside = make_rel(list->path, list->rel);
    struct stat st;
    if (fstatat(scan->roots[0].fd, list->path, &st, 0) < 0) {
        scan_give_error(scan, entry, list->path, errno, "looking for the listed file");
        entry->path = list->path;
        entry->rel = inside ? list->rel : "";
        return 1;
    }
    if (S_ISDIR(st.st_mode))
        return scan_give_note(scan, entry, list->path, "a directory; a list names files");
    if (!S_ISREG(st.st_mode))
        return scan_give_note(scan, entry, list->path, "%s", scan_kind_text(st.st_mode));
    if (!inside) {
        scan_give_error(scan, entry, list->path, 0, "");
        error_set(&entry->reason, ERROR_UNSUPPORTED,
                  "a listed path with \"..\" would put its output outside the output directory");
        return 1;
    }
    if (!scan_wants(scan, list->rel, true))
        return 0;
    return scan_give_file(scan, entry, 0, list->path, list->rel, list->path);
}

int scan_list_next(struct scan *scan, struct scan_entry *entry)
{
    struct scan_list *list = &scan->list;
    while (list->fd >= 0 && !list->end) {
        const enum line_result result = read_line(scan);
        if (result == LINE_END)
            break;
        if (result == LINE_FAILED)
            return scan_give_error(scan, entry, scan->options.files_from, errno, "reading the list of files");
        if (result == LINE_OK) {
            if (list->path[0] && give_line(scan, entry))
                return 1;
            continue;
        }
        snprintf(list->shown, sizeof list->shown, "line %llu: %s", (unsigned long long)list->line,
                 list->path);
        scan_give_error(scan, entry, list->shown, ENAMETOOLONG, "reading the list of files");
        if (result == LINE_NUL)
            error_set(&entry->reason, ERROR_UNSUPPORTED,
                      "the line holds a NUL byte; say that the list is separated by them (null)");
        return 1;
    }
    return 0;
}
