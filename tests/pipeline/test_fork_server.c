/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/engine/fork_server.h"

/* What workers tell, in memory shared with them. */
struct told {
    _Atomic int32_t pid[64];
    _Atomic int32_t descriptors;
    _Atomic int command; /* what workers do; see below */
};

enum { WAIT, EXIT_7, COUNT_DESCRIPTORS, STOP_AT_BIRTH, LEAVE_A_CHILD };

static int work(void *context, uint32_t worker)
{
    struct told *told = context;
    atomic_store(&told->pid[worker], getpid());
    for (;;) {
        int command = atomic_load(&told->command);
        if (command == EXIT_7)
            return 7;
        if (command == COUNT_DESCRIPTORS) {
            int count = 0;
            for (int fd = 3; fd < 256; fd++)
                count += dup2(fd, fd) == fd;
            atomic_store(&told->descriptors, count);
            return 0;
        }
        if (command == STOP_AT_BIRTH) {
            prctl(PR_SET_PDEATHSIG, 0); /* as if it had not come to asking for it */
            raise(SIGSTOP);
        }
        if (command == LEAVE_A_CHILD) {
            const pid_t child = fork();
            while (child == 0 && atomic_load(&told->command) == LEAVE_A_CHILD)
                usleep(1000);
            if (child == 0)
                _exit(0);
            atomic_store(&told->pid[worker + 1], child);
            return 0;
        }
        usleep(1000);
    }
}

static struct told *new_told(void)
{
    struct told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    atomic_store(&told->descriptors, -1);
    return told;
}

static int32_t await_pid(struct told *told, unsigned worker, int32_t not_this)
{
    for (int i = 0; i < 5000; i++) {
        int32_t pid = atomic_load(&told->pid[worker]);
        if (pid && pid != not_this)
            return pid;
        usleep(1000);
    }
    fail_msg("worker %u did not come", worker);
    return 0;
}

/* A signal takes effect when the process next runs. */
static void await_stopped(int32_t pid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (int i = 0; i < 10000 && state != 'T'; i++) {
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        fclose(file);
        usleep(1000);
    }
    assert_int_equal(state, 'T');
}

static struct fork_report await_report(struct fork_server *server)
{
    struct fork_report report = {0};
    struct pollfd wait = {.fd = server->socket, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    assert_int_equal(fork_server_next(server, &report), 1);
    return report;
}

static void await_gone(int32_t pid)
{
    for (int i = 0; i < 5000; i++) {
        /* Orphans of a server that died are this process's to reap. */
        if (waitpid(pid, NULL, WNOHANG) == pid || kill(pid, 0) < 0)
            return;
        usleep(1000);
    }
    fail_msg("process %d is still there", pid);
}

static void deaths_are_reported_and_places_filled_again(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    assert_int_equal(fork_server_start(&server, 2, work, told, NULL), 0);
    assert_true(fork_server_spawn(&server, 0));
    assert_true(fork_server_spawn(&server, 1));
    int32_t first = await_pid(told, 0, 0);
    await_pid(told, 1, 0);
    assert_true(fork_server_kill(&server, 0));
    struct fork_report report = await_report(&server);
    assert_int_equal(report.worker, 0);
    assert_int_equal(report.pid, first);
    assert_true(WIFSIGNALED(report.status) && WTERMSIG(report.status) == SIGKILL);
    assert_true(report.killed && !report.stopped);
    await_gone(first);
    assert_true(fork_server_spawn(&server, 0));
    int32_t second = await_pid(told, 0, first);
    atomic_store(&told->command, EXIT_7);
    for (int i = 0; i < 2; i++) {
        report = await_report(&server);
        assert_true(WIFEXITED(report.status) && WEXITSTATUS(report.status) == 7);
        assert_false(report.killed || report.stopped);
    }
    await_gone(second);
    fork_server_stop(&server);
    assert_int_equal(server.pid, 0);
    munmap(told, sizeof *told);
}

static void a_stopped_worker_can_be_killed(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    assert_int_equal(fork_server_start(&server, 1, work, told, NULL), 0);
    fork_server_spawn(&server, 0);
    int32_t pid = await_pid(told, 0, 0);
    kill(pid, SIGSTOP);
    await_stopped(pid);
    fork_server_kill(&server, 0);
    struct fork_report report = await_report(&server);
    assert_int_equal(report.pid, pid);
    assert_true(report.killed && report.stopped);
    fork_server_stop(&server);
    munmap(told, sizeof *told);
}

static void orders_to_kill_never_wait_for_a_stopped_server(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    assert_int_equal(fork_server_start(&server, 1, work, told, NULL), 0);
    fork_server_spawn(&server, 0);
    int32_t pid = await_pid(told, 0, 0);
    kill(server.pid, SIGSTOP);
    bool taken = true;
    alarm(20); /* ends the test where an order waits */
    for (int i = 0; i < 100000 && taken; i++)
        taken = fork_server_kill(&server, 0);
    alarm(0);
    assert_false(taken);
    kill(server.pid, SIGCONT);
    assert_int_equal(await_report(&server).pid, pid);
    fork_server_stop(&server);
    munmap(told, sizeof *told);
}

static void a_worker_has_no_descriptor_beyond_stderr(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    int extra = dup(0);
    assert_int_equal(fork_server_start(&server, 1, work, told, NULL), 0);
    fork_server_spawn(&server, 0);
    await_pid(told, 0, 0);
    atomic_store(&told->command, COUNT_DESCRIPTORS);
    await_report(&server);
    assert_int_equal(atomic_load(&told->descriptors), 0);
    fork_server_stop(&server);
    close(extra);
    munmap(told, sizeof *told);
}

static void stopping_the_server_ends_its_workers(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    assert_int_equal(fork_server_start(&server, 3, work, told, NULL), 0);
    for (uint32_t i = 0; i < 3; i++)
        fork_server_spawn(&server, i);
    int32_t pids[3];
    for (unsigned i = 0; i < 3; i++)
        pids[i] = await_pid(told, i, 0);
    fork_server_stop(&server);
    for (int i = 0; i < 3; i++)
        await_gone(pids[i]);
    munmap(told, sizeof *told);
}

/* As a run does that is refused at once: nobody is begun only to be killed. */
static void a_server_that_is_no_longer_wanted_begins_nobody(void **state)
{
    (void)state;
    enum { WORKERS = 64 };
    struct told *told = new_told();
    struct fork_server server;
    assert_int_equal(fork_server_start(&server, WORKERS, work, told, NULL), 0);
    kill(server.pid, SIGSTOP);
    await_stopped(server.pid);
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_true(fork_server_spawn(&server, i));
    shutdown(server.socket, SHUT_WR);
    kill(server.pid, SIGCONT);
    fork_server_stop(&server);
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_int_equal(atomic_load(&told->pid[i]), 0);
    munmap(told, sizeof *told);
}

static void killing_the_server_is_noticed_and_ends_its_workers(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    assert_int_equal(fork_server_start(&server, 1, work, told, NULL), 0);
    fork_server_spawn(&server, 0);
    int32_t pid = await_pid(told, 0, 0);
    kill(server.pid, SIGKILL);
    struct pollfd wait = {.fd = server.socket, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    struct fork_report report;
    assert_int_equal(fork_server_next(&server, &report), -1);
    assert_false(fork_server_spawn(&server, 0));
    await_gone(pid);
    fork_server_stop(&server);
    munmap(told, sizeof *told);
}

/* Here it is this process that still has the other end of the socket. */
static void the_end_of_a_server_is_noticed_though_its_socket_is_open(void **state)
{
    (void)state;
    int pair[2];
    struct fork_report report;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    struct fork_server server = {.pid = fork(), .socket = pair[0]};
    while (server.pid == 0)
        pause();
    assert_int_equal(fork_server_next(&server, &report), 0);
    fork_server_destroy(&server);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)server.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(fork_server_next(&server, &report), -1);
    fork_server_stop(&server);
    close(pair[1]);
}

static void a_worker_stopped_at_birth_does_not_outlive_the_server(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    atomic_store(&told->command, STOP_AT_BIRTH);
    assert_int_equal(fork_server_start(&server, 1, work, told, NULL), 0);
    fork_server_spawn(&server, 0);
    int32_t pid = await_pid(told, 0, 0);
    await_stopped(pid);
    kill(server.pid, SIGKILL);
    fork_server_stop(&server);
    assert_int_equal(kill(pid, SIGKILL), -1); /* so that nothing stays where this fails */
    munmap(told, sizeof *told);
}

/* As a command may that makes itself independent: it is nobody's to kill, and no zombie when it ends. */
static void what_a_worker_left_running_is_reaped_and_not_killed(void **state)
{
    (void)state;
    struct told *told = new_told();
    struct fork_server server;
    for (int ends_first = 0; ends_first < 2; ends_first++) {
        memset(told, 0, sizeof *told);
        atomic_store(&told->command, LEAVE_A_CHILD);
        assert_int_equal(fork_server_start(&server, 1, work, told, NULL), 0);
        fork_server_spawn(&server, 0);
        int32_t child = await_pid(told, 1, 0);
        await_report(&server);
        assert_int_equal(waitpid(child, NULL, WNOHANG), -1); /* the server's */
        if (ends_first) {
            atomic_store(&told->command, WAIT);
            await_gone(child);
        }
        fork_server_stop(&server);
        if (!ends_first) {
            assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it lives, and is this process's now */
            atomic_store(&told->command, WAIT);
            assert_int_equal(waitpid(child, NULL, 0), child);
        }
    }
    munmap(told, sizeof *told);
}

static void nothing_outlives_the_parent(void **state)
{
    (void)state;
    struct told *told = new_told();
    pid_t parent = fork();
    if (parent == 0) {
        struct fork_server server;
        if (fork_server_start(&server, 1, work, told, NULL) < 0)
            _exit(1);
        fork_server_spawn(&server, 0);
        atomic_store(&told->pid[1], server.pid);
        for (;;)
            pause();
    }
    int32_t worker = await_pid(told, 0, 0), server = await_pid(told, 1, 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    await_gone(worker);
    await_gone(server);
    munmap(told, sizeof *told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deaths_are_reported_and_places_filled_again),
        cmocka_unit_test(a_stopped_worker_can_be_killed),
        cmocka_unit_test(orders_to_kill_never_wait_for_a_stopped_server),
        cmocka_unit_test(a_worker_has_no_descriptor_beyond_stderr),
        cmocka_unit_test(stopping_the_server_ends_its_workers),
        cmocka_unit_test(a_server_that_is_no_longer_wanted_begins_nobody),
        cmocka_unit_test(killing_the_server_is_noticed_and_ends_its_workers),
        cmocka_unit_test(the_end_of_a_server_is_noticed_though_its_socket_is_open),
        cmocka_unit_test(a_worker_stopped_at_birth_does_not_outlive_the_server),
        cmocka_unit_test(what_a_worker_left_running_is_reaped_and_not_killed),
        cmocka_unit_test(nothing_outlives_the_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
