/* SPDX-License-Identifier: MIT */
/* What io_uring opens and reads ahead is what plain calls give, or nothing; it leaves no descriptor behind,
 * keeps to limits and fence, and says why where it cannot be had. ctest labels: native */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "pipeline/files/fence.h"
#include "pipeline/run/ahead_ring.h"

static uint8_t bytes[3 * CODEC_HEAD_BYTES];

static char input[] = "in";
static char *inputs[] = {input};
static const struct param_list list = {.texts = inputs, .count = 1};

/* Names below root 1, the directory `in`. */
static char too_long[PATH_MAX + 10];
static const char *const names[] = {"small",    "head",      "more",     "large",   "empty",
                                    "absent",   "fifo",      "link-out", "link-in", "circle",
                                    "absolute", "directory", too_long};
#define NAMES (sizeof names / sizeof *names)

static struct scan *open_scan(void)
{
    const struct scan_options options = {.inputs = &list, .recursive = true, .stop_fd = -1};
    struct scan *scan;
    struct error error = {0};
    assert_int_equal(scan_open(&scan, &options, &error), 0);
    return scan;
}

static struct ahead_ring *open_ring(void)
{
    struct ahead_ring *ring = NULL;
    struct error error = {0};
    assert_int_equal(ahead_ring_open(&ring, &error), 0);
    return ring;
}

static void put(const char *path, size_t length)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

static int enter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    memset(too_long, 'x', sizeof too_long - 1);
    tree_enter();
    tree_dir("in");
    tree_dir("in/directory");
    put("in/small", 500);
    put("in/head", CODEC_HEAD_BYTES);
    put("in/more", CODEC_HEAD_BYTES + 1);
    put("in/large", sizeof bytes);
    put("in/empty", 0);
    put("outside", 10);
    assert_int_equal(mkfifo("in/fifo", 0600), 0);
    assert_int_equal(symlink("../outside", "in/link-out"), 0);
    assert_int_equal(symlink("/etc/passwd", "in/absolute"), 0);
    assert_int_equal(symlink("small", "in/link-in"), 0);
    assert_int_equal(symlink("circle", "in/circle"), 0);
    return 0;
}

static unsigned descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* As the reader goes on with what it got: `read` says that the head was to be read. */
static void compare(const struct scan *scan, const char *path, const struct ahead_file *file, bool read)
{
    struct stat st;
    struct error error = {0};
    const int fd = scan_open_file(scan, 1, path, &st, &error);
    if (fd < 0) {
        assert_int_equal(file->fd, -1);
        return;
    }
    assert_true(file->fd >= 0);
    assert_int_equal(file->st.st_ino, st.st_ino);
    assert_int_equal(file->st.st_size, st.st_size);
    assert_int_equal(fcntl(file->fd, F_GETFL), fcntl(fd, F_GETFL));
    assert_true(fcntl(file->fd, F_GETFD) & FD_CLOEXEC);
    const size_t size = (size_t)st.st_size;
    const size_t head = !read ? 0 : size < CODEC_HEAD_BYTES ? size : CODEC_HEAD_BYTES;
    assert_int_equal(file->head_bytes, head);
    assert_memory_equal(file->head, bytes, head);
    assert_int_equal(lseek(file->fd, 0, SEEK_CUR), (off_t)head);
    close(fd);
}

static void begin_all(struct ahead_ring *ring, const struct scan *scan)
{
    for (unsigned i = 0; i < NAMES; i++)
        ahead_ring_begin(ring, i, scan, 1, names[i]);
}

static void it_gives_what_plain_calls_give_or_nothing(void **state)
{
    (void)state;
    struct scan *scan = open_scan();
    struct ahead_ring *ring = open_ring();
    struct ahead_file file;
    const unsigned before = descriptors();
    assert_true(ahead_ring_places(ring) >= NAMES);
    for (unsigned round = 0; round < 4; round++) {
        ahead_ring_read_heads(ring, round < 2);
        begin_all(ring, scan);
        for (unsigned i = 0; i < NAMES; i++) {
            ahead_ring_take(ring, i, &file);
            compare(scan, names[i], &file, round < 2);
            if (file.fd >= 0)
                ahead_ring_give_back(ring, file.fd);
            ahead_ring_take(ring, i, &file);
            assert_int_equal(file.fd, -1); /* once */
        }
    }
    ahead_ring_close(ring);
    assert_int_equal(descriptors(), before - 1); /* the ring's own */
    scan_close(scan);
}

/* A run that stops takes nothing more. */
static void what_is_not_taken_is_closed(void **state)
{
    (void)state;
    struct scan *scan = open_scan();
    const unsigned before = descriptors();
    for (unsigned taken = 0; taken < NAMES; taken++) {
        struct ahead_ring *ring = open_ring();
        struct ahead_file file;
        begin_all(ring, scan);
        for (unsigned i = 0; i < taken; i++) {
            ahead_ring_take(ring, i, &file);
            if (file.fd >= 0)
                close(file.fd);
        }
        ahead_ring_close(ring);
        assert_int_equal(descriptors(), before);
    }
    ahead_ring_close(NULL);
    scan_close(scan);
}

static void a_file_that_changed_since_it_was_looked_at_is_left_to_the_reader(void **state)
{
    (void)state;
    struct scan *scan = open_scan();
    struct ahead_ring *ring = open_ring();
    struct ahead_file file;
    /* In /proc files say that they are empty, whatever is in them: nothing is read of such a one. */
    ahead_ring_begin(ring, 0, scan, 0, "/proc/self/status");
    ahead_ring_take(ring, 0, &file);
    assert_true(file.fd >= 0);
    assert_int_equal(file.head_bytes, 0);
    close(file.fd);
    /* In /sys they say that they hold a page, and hold less. */
    ahead_ring_begin(ring, 1, scan, 0, "/sys/kernel/mm/transparent_hugepage/enabled");
    ahead_ring_take(ring, 1, &file);
    if (file.fd >= 0) {
        assert_int_equal(file.head_bytes, 0);
        assert_int_equal(lseek(file.fd, 0, SEEK_CUR), 0);
        close(file.fd);
    }
    ahead_ring_close(ring);
    scan_close(scan);
}

/* In a child, as there is no way back; a failed assertion ends it through the parent's cmocka. */
static void in_child(void (*act)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        act();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void limit(rlim_t soft, rlim_t hard)
{
    const struct rlimit both = {.rlim_cur = soft, .rlim_max = hard};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &both), 0);
}

static void open_with_room_above(void)
{
    struct rlimit now;
    limit(100, 400);
    struct ahead_ring *ring = open_ring();
    assert_int_equal(ahead_ring_places(ring), AHEAD_RING_PLACES);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_int_equal(now.rlim_cur, 100 + 2 * AHEAD_RING_PLACES); /* others keep what they had */
    ahead_ring_close(ring);
}

static void open_with_little_room(void)
{
    limit(100, 100);
    struct ahead_ring *ring = open_ring();
    assert_in_range(ahead_ring_places(ring), 1, 9);
    ahead_ring_close(ring);
}

static void open_with_no_room(void)
{
    struct ahead_ring *ring = NULL;
    struct error error = {0};
    limit(20, 20);
    assert_int_equal(ahead_ring_open(&ring, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "too few descriptors (ulimit -n)");
    assert_null(ring);
}

/* Whoever lets descriptors be raised may raise the hard limit, too: root only goes down here. */
static void few_descriptors_make_few_places(void **state)
{
    (void)state;
    in_child(open_with_room_above);
    in_child(open_with_little_room);
    in_child(open_with_no_room);
}

/* The system call fails with this error from now on. */
static void refuse(long call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* the number of the call */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void open_refused(long call, int refusal, const char *says)
{
    struct ahead_ring *ring = NULL;
    struct error error = {0};
    refuse(call, refusal);
    assert_int_equal(ahead_ring_open(&ring, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, says);
    assert_null(ring);
}

static void open_without_setup(void)
{
    open_refused(SYS_io_uring_setup, ENOSYS, "Function not implemented");
}

static void open_with_setup_forbidden(void)
{
    open_refused(SYS_io_uring_setup, EPERM,
                 "Operation not permitted, by kernel.io_uring_disabled or a filter of calls");
}

static void open_without_locked_memory(void)
{
    open_refused(SYS_io_uring_setup, ENOMEM, "Cannot allocate memory");
}

static void open_with_enter_forbidden(void)
{
    const unsigned before = descriptors();
    open_refused(SYS_io_uring_enter, EPERM,
                 "Operation not permitted, by kernel.io_uring_disabled or a filter of calls");
    assert_int_equal(descriptors(), before);
}

static void where_it_is_refused_it_says_why(void **state)
{
    (void)state;
    in_child(open_without_setup);
    in_child(open_with_setup_forbidden);
    in_child(open_without_locked_memory);
    in_child(open_with_enter_forbidden);
}

/* Calls are refused to a ring that worked so far: nothing is opened by it any more, and it still ends. */
static void use_after_refusal(void)
{
    struct scan *scan = open_scan();
    struct ahead_ring *ring = open_ring();
    struct ahead_file file;
    refuse(SYS_io_uring_enter, EPERM);
    begin_all(ring, scan);
    for (unsigned i = 0; i < NAMES; i++) {
        ahead_ring_take(ring, i, &file);
        assert_int_equal(file.fd, -1);
    }
    begin_all(ring, scan);
    ahead_ring_take(ring, 0, &file);
    assert_int_equal(file.fd, -1);
    ahead_ring_give_back(ring, open("in/small", O_RDONLY));
    ahead_ring_close(ring);
}

static void a_ring_that_fails_later_leaves_all_to_plain_calls(void **state)
{
    (void)state;
    in_child(use_after_refusal);
}

/* Made before the fence is closed, as in a run, and used behind it. */
static void open_behind_the_fence(void)
{
    struct scan *scan = open_scan();
    struct ahead_ring *ring = open_ring();
    struct ahead_file file;
    struct fence fence;
    assert_true(fence_open(&fence) > 0);
    fence_let_read(&fence, scan_directory(scan, 0));
    assert_true(fence_enter(&fence, false));
    ahead_ring_begin(ring, 0, scan, 0, "outside"); /* root 0: paths lead anywhere */
    ahead_ring_begin(ring, 1, scan, 0, "/etc/passwd");
    ahead_ring_begin(ring, 2, scan, 0, "in/small");
    for (unsigned i = 0; i < 3; i++) {
        ahead_ring_take(ring, i, &file);
        assert_int_equal(file.fd >= 0, i == 2);
    }
    ahead_ring_close(ring);
}

static void the_fence_holds_for_the_ring(void **state)
{
    (void)state;
    struct fence fence;
    const bool there = fence_open(&fence) > 0;
    fence_close(&fence);
    if (there)
        in_child(open_behind_the_fence);
    else
        print_message("not tried: %s\n", fence.lacks);
}

int main(void)
{
    struct ahead_ring *ring = NULL;
    struct error error = {0};
    if (ahead_ring_open(&ring, &error) < 0) {
        print_message("skipped: no io_uring: %s\n", error.reason);
        return 77;
    }
    ahead_ring_close(ring);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_what_plain_calls_give_or_nothing),
        cmocka_unit_test(what_is_not_taken_is_closed),
        cmocka_unit_test(a_file_that_changed_since_it_was_looked_at_is_left_to_the_reader),
        cmocka_unit_test(few_descriptors_make_few_places),
        cmocka_unit_test(where_it_is_refused_it_says_why),
        cmocka_unit_test(a_ring_that_fails_later_leaves_all_to_plain_calls),
        cmocka_unit_test(the_fence_holds_for_the_ring),
    };
    return cmocka_run_group_tests(tests, enter, tree_teardown);
}
