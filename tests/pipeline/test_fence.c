/* SPDX-License-Identifier: MIT */
/* What a process behind a fence can still open: tried by children, since there is no way back.
 * ctest labels: native */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/files/fence.h"

static char place[] = "/tmp/forkmill-fence-XXXXXX";
static int root = -1;

static void put(const char *name)
{
    const int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static int directory(const char *name)
{
    const int fd = openat(root, name, O_PATH | O_DIRECTORY);
    assert_true(fd >= 0);
    return fd;
}

/* 0, or why it could not be opened. */
static int opening(const char *name, int flags)
{
    const int fd = openat(root, name, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : errno;
}

static int connecting(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in nowhere = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int error = connect(fd, (const struct sockaddr *)&nowhere, sizeof nowhere) == 0 ? 0 : errno;
    close(fd);
    return error;
}

static void inputs_are_read_only(void)
{
    assert_int_equal(opening("in/file", O_RDONLY), 0);
    assert_int_equal(opening("in/deep/file", O_RDONLY), 0);
    assert_int_equal(opening("in/deep", O_RDONLY | O_DIRECTORY), 0);
    assert_int_equal(opening("in/file", O_WRONLY), EACCES);
    assert_int_equal(opening("in/new", O_WRONLY | O_CREAT), EACCES);
    assert_int_equal(unlinkat(root, "in/file", 0), -1);
}

static void outputs_can_be_made_and_replaced(void)
{
    assert_int_equal(mkdirat(root, "out/sub", 0700), 0);
    assert_int_equal(opening("out/sub/temp", O_WRONLY | O_CREAT | O_EXCL), 0);
    assert_int_equal(opening("out/sub/file", O_WRONLY | O_CREAT | O_TRUNC), 0);
    assert_int_equal(renameat(root, "out/sub/temp", root, "out/sub/file"), 0);
    assert_int_equal(opening("out/sub/file", O_RDONLY), 0);
    assert_int_equal(unlinkat(root, "out/sub/file", 0), 0);
}

static void all_else_is_closed(void)
{
    assert_int_equal(opening("else/file", O_RDONLY), EACCES);
    assert_int_equal(opening("else", O_RDONLY | O_DIRECTORY), EACCES);
    assert_int_equal(opening("new", O_WRONLY | O_CREAT), EACCES);
    assert_int_equal(opening("/etc/passwd", O_RDONLY), EACCES);
    assert_int_equal(execl("/bin/true", "true", (char *)NULL), -1);
    assert_int_equal(errno, EACCES);
}

/* A failed assertion in the child ends it through the parent's cmocka; its status says so. */
static void behind_the_fence(int interface)
{
    struct fence fence;
    assert_int_equal(fence_open(&fence), interface);
    fence_let_read(&fence, directory("in"));
    fence_let_write(&fence, directory("out"));
    assert_true(fence_enter(&fence, false));
    inputs_are_read_only();
    outputs_can_be_made_and_replaced();
    all_else_is_closed();
    if (interface >= 4)
        assert_int_equal(connecting(), EACCES);
}

static void test_what_is_left(void **state)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        behind_the_fence(*(const int *)*state);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(opening("else/file", O_RDONLY), 0); /* the one that forked it is free */
}

static int enter(void **state)
{
    (void)state;
    if (!mkdtemp(place) || (root = open(place, O_PATH | O_DIRECTORY)) < 0)
        return -1;
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[] = {"in", "in/deep", "out", "else"};
        assert_int_equal(mkdirat(root, names[i], 0700), 0);
    }
    put("in/file");
    put("in/deep/file");
    put("else/file");
    return 0;
}

static int leave(void **state)
{
    (void)state;
    static const char *const files[] = {"in/file", "in/deep/file", "else/file"};
    static const char *const directories[] = {"in/deep", "in", "out/sub", "out", "else"};
    for (unsigned i = 0; i < 3; i++)
        unlinkat(root, files[i], 0);
    for (unsigned i = 0; i < 5; i++)
        unlinkat(root, directories[i], AT_REMOVEDIR);
    return rmdir(place);
}

int main(void)
{
    struct fence fence;
    int interface = fence_open(&fence);
    fence_close(&fence);
    if (!interface) {
        print_message("skipped: %s\n", fence.lacks);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(test_what_is_left, NULL, NULL, &interface)};
    return cmocka_run_group_tests(tests, enter, leave);
}
