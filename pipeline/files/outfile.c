/* SPDX-License-Identifier: MIT */
#include "pipeline/files/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pipeline/files/beneath.h"
#include "pipeline/files/copy.h"
#include "pipeline/files/newfile.h"

#define MOST_DIRTY 16u

/* Is the time of change of files in a directory this machine's clock's? The first file there shows. */
enum clock { CLOCK_UNTRIED, CLOCK_OWN, CLOCK_NOT_OWN };

struct directory {
    int fd;        /* -1: none */
    bool dirty;    /* is it among `dirty`? */
    bool local;    /* on a file system of this machine's own */
    bool nameless; /* are files there made without a name? */
    enum clock clock;
};

struct outfile {
    struct directory root, last; /* the output directory, and the one that the last file went to */
    char last_path[PATH_MAX];
    struct newfile_maker maker;
    bool durable;
    int dirty[MOST_DIRTY]; /* directories whose new names are not on the disk yet */
    unsigned dirty_count;
};

/* A directory that was just opened. Files of servers may fail when they are closed, which must be known
 * before they get their name; only others are made without one. */
static struct directory directory_of(int fd)
{
    static const uint32_t own[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
                                   TMPFS_MAGIC};
    struct statfs about;
    struct directory directory = {.fd = fd};
    if (fd < 0 || fstatfs(fd, &about) < 0)
        return directory;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        directory.local |= (uint32_t)about.f_type == own[i];
    directory.nameless = directory.local;
    return directory;
}

/* Opens the directory `path`, making what is missing. A descriptor, or -1 and errno. Symbolic links are
 * followed, as this is the path the user gave. */
static int make_directories(int at, const char *path)
{
    char name[PATH_MAX];
    int owned = -1;
    while (*path) {
        const size_t slashes = strspn(path, "/");
        const size_t length = slashes ? slashes : strcspn(path, "/");
        if (length >= sizeof name) {
            if (owned >= 0)
                close(owned);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        if (slashes && owned >= 0)
            continue; /* between two names; at the beginning it is the root directory */
        int next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (next < 0 && errno == ENOENT && (mkdirat(at, name, 0777) == 0 || errno == EEXIST))
            next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        const int cause = errno;
        if (owned >= 0)
            close(owned);
        errno = cause;
        if (next < 0)
            return -1;
        at = owned = next;
    }
    return owned;
}

int outfile_sync(struct outfile *root, struct error *error)
{
    int cause = 0;
    for (unsigned i = 0; i < root->dirty_count; i++) {
        /* Some file systems cannot force a directory, and need not. */
        if (fsync(root->dirty[i]) < 0 && errno != EINVAL && errno != EROFS && cause == 0)
            cause = errno;
        close(root->dirty[i]);
    }
    root->dirty_count = 0;
    root->root.dirty = root->last.dirty = false;
    return cause ? newfile_failed(error, cause, "forcing a directory to the disk") : 0;
}

/* Something got a name in the directory `path` below `directory`. 0, or -1 and errno. */
static int mark_dirty(struct outfile *root, int directory, const char *path)
{
    struct error error;
    if (!root->durable)
        return 0;
    if (root->dirty_count == MOST_DIRTY && outfile_sync(root, &error) < 0) {
        errno = EIO;
        return -1;
    }
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        root->dirty[root->dirty_count++] = fd;
    return fd < 0 ? -1 : 0;
}

void outfile_make_durable(struct outfile *root)
{
    root->durable = true;
    mark_dirty(root, root->root.fd, "..");
}

/* The same for a directory of the tree of outputs. Links are followed only where they stay beneath the output
 * directory: a link that leads to an input would have it replaced. EXDEV otherwise. */
static int make_beneath(struct outfile *outfile, const char *path)
{
    const int root = outfile->root.fd;
    char prefix[PATH_MAX];
    int directory = beneath_open(root, path, O_PATH | O_DIRECTORY, true);
    if (directory >= 0 || errno != ENOENT)
        return directory;
    for (const char *end = path; *end; end += strspn(end, "/")) {
        end += strcspn(end, "/");
        memcpy(prefix, path, (size_t)(end - path));
        prefix[end - path] = '\0';
        const int parent = directory;
        directory = beneath_open(root, prefix, O_PATH | O_DIRECTORY, true);
        if (directory < 0 && errno == ENOENT) {
            const char *slash = strrchr(prefix, '/');
            const int made = mkdirat(parent >= 0 ? parent : root, slash ? slash + 1 : prefix, 0777);
            if (made == 0 && mark_dirty(outfile, parent >= 0 ? parent : root, ".") < 0)
                directory = -1;
            else if (made == 0 || errno == EEXIST)
                directory = beneath_open(root, prefix, O_PATH | O_DIRECTORY, true);
        }
        const int cause = errno;
        if (parent >= 0)
            close(parent);
        errno = cause;
        if (directory < 0)
            return -1;
    }
    return directory;
}

/* Can files be made here? 0 or an errno. Best without a name, so that nothing can be left; where that cannot
 * be, no signal may end the program between making one and removing it. */
static int try_directory(struct outfile *root)
{
    struct newfile file;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    bool nameless = true;
    int cause = newfile_open(&root->maker, root->root.fd, &nameless, &file) < 0 ? errno : 0;
    if (cause == 0 && close(file.fd) < 0)
        cause = errno;
    newfile_drop(&file, root->root.fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return cause;
}

int outfile_open(struct outfile **out, const char *path, struct error *error)
{
    char what[160];
    *out = NULL;
    snprintf(what, sizeof what, "cannot write to %s", path);
    struct outfile *root = calloc(1, sizeof *root);
    if (!root)
        return error_set(error, ERROR_MEMORY, "out of memory");
    root->last.fd = -1;
    newfile_maker_open(&root->maker);
    errno = ENOENT; /* for an empty path */
    root->root = directory_of(make_directories(AT_FDCWD, path));
    if (root->root.fd < 0) {
        const int cause = errno;
        newfile_maker_close(&root->maker);
        free(root);
        return newfile_failed(error, cause, what);
    }
    const int cause = try_directory(root);
    if (cause != 0) {
        outfile_close(root);
        return newfile_failed(error, cause, what);
    }
    *out = root;
    return 0;
}

int outfile_directory(const struct outfile *root, struct stat *st)
{
    if (st)
        fstat(root->root.fd, st);
    return root->root.fd;
}

static void forget_last(struct outfile *root)
{
    if (root->last.fd >= 0)
        close(root->last.fd);
    root->last = (struct directory){.fd = -1};
}

/* The directory for `rel` (its first `length` bytes, without the slash); mostly the one of the last file.
 * NULL and errno where it cannot be. */
static struct directory *target_directory(struct outfile *root, const char *rel, size_t length)
{
    if (length == 0)
        return &root->root;
    if (root->last.fd >= 0 && strlen(root->last_path) == length && memcmp(root->last_path, rel, length) == 0)
        return &root->last;
    forget_last(root);
    memcpy(root->last_path, rel, length);
    root->last_path[length] = '\0';
    root->last = directory_of(make_beneath(root, root->last_path));
    return root->last.fd < 0 ? NULL : &root->last;
}

/* What becomes a file: bytes, or another file. */
struct source {
    const char *bytes;
    size_t length;
    int fd; /* -1: bytes */
};

static int write_bytes(int fd, const char *bytes, size_t length)
{
    int cause = 0;
    while (length > 0 && cause == 0) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote > 0) {
            bytes += wrote;
            length -= (size_t)wrote;
        } else if (wrote < 0 && errno != EINTR) {
            cause = errno;
        } else if (wrote == 0) {
            cause = EIO;
        }
    }
    return cause;
}

static int64_t between_ns(const struct timespec *from, const struct timespec *to)
{
    return ((int64_t)to->tv_sec - from->tv_sec) * 1000000000 + (to->tv_nsec - from->tv_nsec);
}

/* Just after the last of `length` bytes was written: what the file is now. 0 or an errno. Where the clock is
 * the file system's it need not be asked, which is one system call in nine. */
static int describe(int fd, size_t length, const struct timespec *began, struct directory *directory,
                    struct outfile_made *made)
{
    struct timespec now;
    struct stat st;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t took_ns = between_ns(began, &now);
    const bool quick = took_ns >= 0 && took_ns <= OUTFILE_WRITE_NS;
    if (directory->clock == CLOCK_OWN && quick) {
        *made = (struct outfile_made){.size_bytes = length, .changed = now, .about = true};
        return 0;
    }
    if (fstat(fd, &st) < 0)
        return errno;
    *made = (struct outfile_made){.size_bytes = (uint64_t)st.st_size, .changed = st.st_mtim};
    const int64_t since_ns = between_ns(&st.st_mtim, &now);
    if (directory->clock == CLOCK_UNTRIED && quick) /* some round times */
        directory->clock =
            since_ns >= 0 && since_ns <= OUTFILE_ABOUT_NS && directory->local ? CLOCK_OWN : CLOCK_NOT_OWN;
    return 0;
}

/* All of it. 0 or an errno. */
static int fill(int fd, const struct source *source, bool durable, struct directory *directory,
                struct outfile_made *made)
{
    struct timespec began = {0};
    if (made)
        clock_gettime(CLOCK_REALTIME, &began);
    int cause = source->fd < 0 ? write_bytes(fd, source->bytes, source->length) : copy_file(source->fd, fd);
    if (cause == 0 && made)
        cause = describe(fd, source->length, &began, directory, made);
    if (cause == 0 && durable && fsync(fd) < 0)
        cause = errno;
    return cause;
}

/* What the file system may say at the end. 0 or an errno. */
static int close_file(int fd)
{
    return close(fd) < 0 && errno != EINTR ? errno : 0;
}

/* The directory has a new name in it. 0 or an errno. */
static int note_name(struct outfile *root, struct directory *directory)
{
    if (directory->dirty || !root->durable)
        return 0;
    if (mark_dirty(root, directory->fd, ".") < 0)
        return errno;
    directory->dirty = true;
    return 0;
}

/* As newfile_name. */
static int make(struct outfile *root, struct directory *directory, const char *name,
                const struct source *source, const struct stat *input, struct outfile_made *made,
                struct error *error)
{
    struct newfile file;
    if (newfile_open(&root->maker, directory->fd, &directory->nameless, &file) < 0)
        return newfile_failed(error, errno, "making a temporary file for the output");
    const bool named = file.temp[0];
    int code = 0, cause = fill(file.fd, source, root->durable, directory, made);
    if (named) {
        const int last = close_file(file.fd);
        cause = cause ? cause : last;
    }
    if (cause)
        code = newfile_failed(error, cause, NEWFILE_WRITING);
    else
        code = newfile_name(&root->maker, &file, directory->fd, name, input, &directory->nameless, error);
    if (!named)
        close_file(file.fd);
    if (code != 0)
        newfile_drop(&file, directory->fd);
    return code;
}

static int make_in(struct outfile *root, struct directory *directory, const char *name,
                   const struct source *source, const struct stat *input, struct outfile_made *made,
                   struct error *error)
{
    int code = make(root, directory, name, source, input, made, error);
    if (code > 0) /* the next has a name from the beginning */
        code = make(root, directory, name, source, input, made, error);
    if (code < 0)
        return code;
    const int cause = note_name(root, directory);
    return cause ? newfile_failed(error, cause, NEWFILE_WRITING) : 0;
}

static int put(struct outfile *root, const char *rel, const struct source *source, const struct stat *input,
               struct outfile_made *made, struct error *error)
{
    if (!beneath_sound(rel))
        return error_set(error, ERROR_UNSUPPORTED, "the output's path leads out of the output directory");
    const char *slash = strrchr(rel, '/');
    const size_t parent = slash ? (size_t)(slash - rel) : 0;
    if (parent >= PATH_MAX)
        return newfile_failed(error, ENAMETOOLONG, "making the output's directory");
    int code = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        struct directory *directory = target_directory(root, rel, parent);
        if (!directory)
            return newfile_failed(error, errno, "making the output's directory");
        code = make_in(root, directory, slash ? slash + 1 : rel, source, input, made, error);
        if (code == 0 || root->last.fd < 0)
            break;
        /* Someone may have removed the directory since it was opened: look for it anew, and once more now. */
        forget_last(root);
        if (code != ERROR_IO && code != ERROR_PASSING)
            break;
    }
    return code;
}

int outfile_write(struct outfile *root, const char *rel, const void *bytes, size_t length,
                  const struct stat *input, struct outfile_made *made, struct error *error)
{
    return put(root, rel, &(struct source){bytes, length, -1}, input, made, error);
}

int outfile_copy(struct outfile *root, const char *rel, int fd, struct error *error)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return newfile_failed(error, errno, "copying the file");
    return put(root, rel, &(struct source){.fd = fd}, &st, NULL, error);
}

void outfile_close(struct outfile *root)
{
    if (!root)
        return;
    outfile_sync(root, NULL);
    forget_last(root);
    newfile_maker_close(&root->maker);
    close(root->root.fd);
    free(root);
}
