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
#include "pipeline/files/cause.h"
#include "pipeline/files/copy.h"
#include "pipeline/files/scan.h"
#include "pipeline/files/sweep.h"
#include "pipeline/shared/digits.h"

/* Directories whose new names are not on the disk yet, at most. */
#define MOST_DIRTY 16u

#define WRITING "writing the output"

/* Is the time of change of files in a directory this machine's clock's? The first file there shows. */
enum clock { CLOCK_UNTRIED, CLOCK_OWN, CLOCK_NOT_OWN };

struct outfile {
    int fd;
    int last_fd; /* the directory that the last file went to; -1: none */
    char last[PATH_MAX];
    char temp[64]; /* what its temporary files are called, up to `temp_bytes`, then `counter`; see sweep.h */
    size_t temp_bytes;
    uint64_t counter;
    bool durable;
    int dirty[MOST_DIRTY];
    unsigned dirty_count;
    bool fd_dirty, last_dirty; /* are the two above among them? */
    enum clock fd_clock, last_clock;
};

/* What stands in the way may be gone next time: ERROR_IO. A name stays too long. */
static int failed(struct error *error, int cause, const char *what)
{
    switch (cause) {
    case EXDEV:
        return error_set(error, ERROR_IO, "%s: a link leads out of the output directory", what);
    case ENAMETOOLONG:
        return error_set(error, ERROR_UNSUPPORTED, "%s: %s", what, strerror(cause));
    default:
        return error_set(error, cause_code(cause), "%s: %s", what, strerror(cause));
    }
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
    root->fd_dirty = root->last_dirty = false;
    return cause ? failed(error, cause, "forcing a directory to the disk") : 0;
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
    mark_dirty(root, root->fd, "..");
}

/* The same for a directory of the tree of outputs. Links are followed only where they stay beneath the output
 * directory: a link that leads to an input would have it replaced. EXDEV otherwise. */
static int make_beneath(struct outfile *outfile, const char *path)
{
    const int root = outfile->fd;
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

/* A new, empty temporary file in the directory; its name to temp[64]. */
static int temp_open(struct outfile *root, int directory, char *temp)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        memcpy(temp, root->temp, root->temp_bytes);
        char *end = digits_put(temp + root->temp_bytes, root->counter++);
        memcpy(end, SCAN_TEMP_SUFFIX, sizeof SCAN_TEMP_SUFFIX);
        int fd = openat(directory, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd >= 0 || (errno != EEXIST && errno != EINTR))
            return fd;
    }
    return -1;
}

/* Can files be made here? 0 or an errno. Best without a name, so that nothing can be left; where that cannot
 * be, no signal may end the program between making one and removing it. */
static int try_directory(struct outfile *root)
{
    char temp[64];
    sigset_t all, before;
    int cause = 0;
    int nameless = openat(root->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (nameless >= 0)
        return close(nameless) < 0 ? errno : 0;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int fd = temp_open(root, root->fd, temp);
    if (fd < 0) {
        cause = errno;
    } else {
        close(fd);
        unlinkat(root->fd, temp, 0);
    }
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
    root->last_fd = -1;
    root->temp_bytes = (size_t)snprintf(root->temp, sizeof root->temp, SCAN_TEMP_PREFIX "%ld-%08x-",
                                        (long)getpid(), sweep_mark());
    errno = ENOENT; /* for an empty path */
    root->fd = make_directories(AT_FDCWD, path);
    if (root->fd < 0) {
        const int cause = errno;
        free(root);
        return failed(error, cause, what);
    }
    const int cause = try_directory(root);
    if (cause != 0) {
        outfile_close(root);
        return failed(error, cause, what);
    }
    *out = root;
    return 0;
}

int outfile_directory(const struct outfile *root, struct stat *st)
{
    if (st)
        fstat(root->fd, st);
    return root->fd;
}

/* The directory for `rel` (its first `length` bytes, without the slash); mostly the one of the last file. */
static int target_directory(struct outfile *root, const char *rel, size_t length)
{
    if (length == 0)
        return root->fd;
    if (root->last_fd >= 0 && strlen(root->last) == length && memcmp(root->last, rel, length) == 0)
        return root->last_fd;
    if (root->last_fd >= 0)
        close(root->last_fd);
    memcpy(root->last, rel, length);
    root->last[length] = '\0';
    root->last_fd = make_beneath(root, root->last);
    root->last_clock = CLOCK_UNTRIED;
    root->last_dirty = false;
    return root->last_fd;
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

/* Does the file's file system take times from the clock that clock_gettime reads? So do those that are no
 * server's. */
static bool own_clock(int fd)
{
    static const uint32_t own[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
                                   TMPFS_MAGIC};
    struct statfs about;
    if (fstatfs(fd, &about) < 0)
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if ((uint32_t)about.f_type == own[i])
            return true;
    }
    return false;
}

/* Just after the last of `length` bytes was written: what the file is now. 0 or an errno. Where the clock is
 * the file system's it need not be asked, which is one system call in nine. */
static int describe(int fd, size_t length, const struct timespec *began, enum clock *clock,
                    struct outfile_made *made)
{
    struct timespec now;
    struct stat st;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t took_ns = between_ns(began, &now);
    const bool quick = took_ns >= 0 && took_ns <= OUTFILE_WRITE_NS;
    if (*clock == CLOCK_OWN && quick) {
        *made = (struct outfile_made){.size_bytes = length, .changed = now, .about = true};
        return 0;
    }
    if (fstat(fd, &st) < 0)
        return errno;
    *made = (struct outfile_made){.size_bytes = (uint64_t)st.st_size, .changed = st.st_mtim};
    const int64_t since_ns = between_ns(&st.st_mtim, &now);
    if (*clock == CLOCK_UNTRIED && quick) /* some round times */
        *clock = since_ns >= 0 && since_ns <= OUTFILE_ABOUT_NS && own_clock(fd) ? CLOCK_OWN : CLOCK_NOT_OWN;
    return 0;
}

/* All of it, and what the file system may say at the end. 0 or an errno. */
static int write_and_close(int fd, const struct source *source, bool durable, enum clock *clock,
                           struct outfile_made *made)
{
    struct timespec began = {0};
    if (made)
        clock_gettime(CLOCK_REALTIME, &began);
    int cause = source->fd < 0 ? write_bytes(fd, source->bytes, source->length) : copy_file(source->fd, fd);
    if (cause == 0 && made)
        cause = describe(fd, source->length, &began, clock, made);
    if (cause == 0 && durable && fsync(fd) < 0)
        cause = errno;
    if (close(fd) < 0 && cause == 0 && errno != EINTR)
        cause = errno;
    return cause;
}

/* The directory, the root's or the last one, has a new name in it. 0 or an errno. */
static int note_name(struct outfile *root, int directory)
{
    bool *noted = directory == root->fd ? &root->fd_dirty : &root->last_dirty;
    if (*noted || !root->durable)
        return 0;
    if (mark_dirty(root, directory, ".") < 0)
        return errno;
    *noted = true;
    return 0;
}

/* May `name` be replaced? 0 or an error. */
static int check_target(int directory, const char *name, const struct stat *input, struct error *error)
{
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(error, errno, WRITING);
    if (S_ISDIR(st.st_mode))
        return error_set(error, ERROR_IO, "a directory is in the place of the output");
    if (input && st.st_dev == input->st_dev && st.st_ino == input->st_ino)
        return error_set(error, ERROR_IO, "the output would replace the input");
    return 0;
}

/* The temporary file gets its name. Mostly nothing has that name yet, and one call does; where something has,
 * or the file system cannot tell, or a container's filter does not know the call (EPERM), it is looked at
 * first. */
static int give_name(int directory, const char *temp, const char *name, const struct stat *input,
                     struct error *error)
{
    if (renameat2(directory, temp, directory, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EEXIST && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
        return failed(error, errno, WRITING);
    TRY(check_target(directory, name, input, error));
    return renameat(directory, temp, directory, name) < 0 ? failed(error, errno, WRITING) : 0;
}

static int write_in(struct outfile *root, int directory, const char *name, const struct source *source,
                    const struct stat *input, struct outfile_made *made, struct error *error)
{
    char temp[64];
    int fd = temp_open(root, directory, temp);
    if (fd < 0)
        return failed(error, errno, "making a temporary file for the output");
    enum clock *clock = directory == root->fd ? &root->fd_clock : &root->last_clock;
    int cause = write_and_close(fd, source, root->durable, clock, made);
    const int code = cause ? failed(error, cause, WRITING) : give_name(directory, temp, name, input, error);
    if (code < 0) {
        unlinkat(directory, temp, 0);
        return code;
    }
    cause = note_name(root, directory);
    return cause ? failed(error, cause, WRITING) : 0;
}

static int put(struct outfile *root, const char *rel, const struct source *source, const struct stat *input,
               struct outfile_made *made, struct error *error)
{
    if (!beneath_sound(rel))
        return error_set(error, ERROR_UNSUPPORTED, "the output's path leads out of the output directory");
    const char *slash = strrchr(rel, '/');
    const size_t parent = slash ? (size_t)(slash - rel) : 0;
    if (parent >= PATH_MAX)
        return failed(error, ENAMETOOLONG, "making the output's directory");
    int code = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        int directory = target_directory(root, rel, parent);
        if (directory < 0)
            return failed(error, errno, "making the output's directory");
        code = write_in(root, directory, slash ? slash + 1 : rel, source, input, made, error);
        if (code == 0 || root->last_fd < 0)
            break;
        /* Someone may have removed the directory since it was opened: look for it anew, and once more now. */
        close(root->last_fd);
        root->last_fd = -1;
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
        return failed(error, errno, "copying the file");
    return put(root, rel, &(struct source){.fd = fd}, &st, NULL, error);
}

void outfile_close(struct outfile *root)
{
    if (!root)
        return;
    outfile_sync(root, NULL);
    if (root->last_fd >= 0)
        close(root->last_fd);
    close(root->fd);
    free(root);
}
