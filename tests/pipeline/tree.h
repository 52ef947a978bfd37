/* SPDX-License-Identifier: MIT */
/* A temporary tree of files for a test. */
#ifndef TESTS_PIPELINE_TREE_H
#define TESTS_PIPELINE_TREE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

/* Makes an empty directory and goes there. */
static inline void tree_enter(void)
{
    char path[] = "/tmp/forkmill-test-XXXXXX";
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
}

/* Removes it again. */
static inline void tree_leave(void)
{
    char here[4096], command[4200];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(strncmp(here, "/tmp/forkmill-test-", 19), 0);
    assert_int_equal(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", here);
    assert_int_equal(system(command), 0);
}

/* The same as fixtures of cmocka. */
static inline int tree_setup(void **state)
{
    (void)state;
    tree_enter();
    return 0;
}

static inline int tree_teardown(void **state)
{
    (void)state;
    tree_leave();
    return 0;
}

static inline void tree_dir(const char *path)
{
    assert_int_equal(mkdir(path, 0777), 0);
}

static inline void tree_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* The file holds this and no more. */
static inline void tree_holds(const char *path, const char *text)
{
    char bytes[4096];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t got = read(fd, bytes, sizeof bytes);
    close(fd);
    assert_int_equal(got, (ssize_t)strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

/* Number of names in a directory, "." and ".." aside. */
static inline int tree_names(const char *path)
{
    int count = -2;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

#endif
