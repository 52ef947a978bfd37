/* SPDX-License-Identifier: MIT */
/* What a process that has locked itself in can still do, and what is the end of it: each is tried by a child
 * of its own. ctest labels: native */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/sandbox.h"

static struct sandbox sandbox;
static uint8_t *shared; /* as the arena is */

/* How a child ended that locked itself in and did this. */
static int end_of(void (*act)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
        if (!sandbox_enter(&sandbox, false))
            _exit(99);
        act();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void compute_and_wait(void)
{
    const size_t large = (size_t)64 << 20;
    char *memory = malloc(large), *more;
    if (!memory)
        _exit(1);
    memset(memory, 1, large);
    more = realloc(memory, 2 * large);
    free(more);
    struct timespec now, brief = {.tv_nsec = 1000};
    clock_gettime(CLOCK_MONOTONIC, &now);
    nanosleep(&brief, NULL);
    sched_yield();
    shared[0] = 7;
    syscall(SYS_futex, shared, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
    madvise(shared, 4096, MADV_DONTNEED);
    if (write(STDERR_FILENO, "", 0) < 0 || getpid() <= 0 || gettid() != getpid())
        _exit(1);
}

static int by_number(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* glibc asks for the size of memory before it sorts much. */
static void sort_much(void)
{
    static int numbers[100000];
    for (int i = 0; i < 100000; i++)
        numbers[i] = i * 7919 % 100003;
    qsort(numbers, 100000, sizeof *numbers, by_number);
}

static void computing_goes_on(void **state)
{
    (void)state;
    assert_int_equal(end_of(compute_and_wait), 0);
    assert_int_equal(shared[0], 7);
    assert_int_equal(end_of(sort_much), 0);
}

static void abort_itself(void)
{
    abort();
}

static void kill_itself(void)
{
    kill(getpid(), SIGKILL);
}

static void touch_nowhere(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

/* Deaths keep their names: the reason of a failure is made of them. */
static void deaths_stay_what_they_are(void **state)
{
    (void)state;
    assert_int_equal(WTERMSIG(end_of(abort_itself)), SIGABRT);
    assert_int_equal(WTERMSIG(end_of(kill_itself)), SIGKILL);
    assert_int_equal(WTERMSIG(end_of(touch_nowhere)), SIGSEGV);
}

static void open_file(void)
{
    (void)!open("/dev/null", O_RDONLY);
}

static void make_socket(void)
{
    socket(AF_UNIX, SOCK_STREAM, 0);
}

static void fork_child(void)
{
    if (fork() == 0)
        _exit(0);
}

static void *idle(void *context)
{
    return context;
}

static void start_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
}

static void run_program(void)
{
    char *const nothing[] = {NULL};
    execve("/bin/true", nothing, nothing);
}

static void trace_parent(void)
{
    ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static void signal_parent(void)
{
    kill(getppid(), 0);
}

static void signal_parents_thread(void)
{
    syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void write_elsewhere(void)
{
    (void)!write(STDOUT_FILENO, "", 0);
}

static void read_input(void)
{
    char byte;
    (void)!read(STDIN_FILENO, &byte, 1);
}

static void map_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void make_code(void)
{
    mprotect(shared, 4096, PROT_READ | PROT_EXEC);
}

static void map_file(void)
{
    mmap(NULL, 4096, PROT_READ, MAP_SHARED, STDERR_FILENO, 0);
}

static void punch_hole(void)
{
    madvise(shared, 4096, MADV_REMOVE);
}

static void make_ring(void)
{
    syscall(SYS_io_uring_setup, 1, NULL);
}

static void use_ring(void)
{
    syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, (size_t)0);
}

static void register_with_ring(void)
{
    syscall(SYS_io_uring_register, 0, 0, NULL, 0);
}

static void change_itself(void)
{
    prctl(PR_SET_NAME, "other");
}

/* getpid by the door for 32-bit programs; a kernel that has none says SIGSEGV. */
static void call_as_32_bit(void)
{
#ifdef __x86_64__
    long number = 20;
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory");
#else
    read_input();
#endif
}

static void everything_else_is_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*act)(void);
    } tries[] = {
        {"open", open_file},
        {"socket", make_socket},
        {"fork", fork_child},
        {"thread", start_thread},
        {"exec", run_program},
        {"ptrace", trace_parent},
        {"kill", signal_parent},
        {"tgkill", signal_parents_thread},
        {"write to another", write_elsewhere},
        {"read", read_input},
        {"executable memory", map_code},
        {"memory made executable", make_code},
        {"map a file", map_file},
        {"hole in shared memory", punch_hole},
        {"io_uring_setup", make_ring},
        {"io_uring_enter", use_ring},
        {"io_uring_register", register_with_ring},
        {"prctl", change_itself},
        {"32-bit call", call_as_32_bit},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        const int status = end_of(tries[i].act);
        const bool no_door = tries[i].act == call_as_32_bit && WTERMSIG(status) == SIGSEGV;
        if (!WIFSIGNALED(status) || (WTERMSIG(status) != SIGSYS && !no_door))
            fail_msg("%s: status %#x", tries[i].name, (unsigned)status);
    }
}

/* The kernel's own word on a process. */
static long fact_of(int process, const char *name)
{
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", process);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    }
    if (file)
        fclose(file);
    return value;
}

static void await_idle(const struct machine *machine, uint32_t place)
{
    for (int i = 0; i < 10000 && atomic_load(&machine->workers[place].doing) != WORKER_IDLE; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&machine->workers[place].doing), WORKER_IDLE);
}

/* Two pools, of which one is to be free; `setting` for both. */
static void look_at_pools(enum settings_sandbox setting, long first, long second)
{
    struct error error = {0};
    static struct job job;
    struct machine machine;
    struct crew *crew;
    job = (struct job){.pools = {{.workers = 1, .queue = 2}, {.workers = 1, .queue = 2, .unconfined = true}},
                       .pool_count = 2};
    job.settings.queue = 2;
    job.settings.batch = 1;
    job.settings.memory_bytes = 1 << 20;
    job.settings.sandbox = (int)setting;
    assert_int_equal(machine_open(&machine, &job, &error), 0);
    assert_int_equal(engine_process.open(&crew, &machine, NULL, &error), 0);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(engine_process.start(crew, i));
        await_idle(&machine, i);
        const int process = atomic_load(&machine.workers[i].task);
        assert_int_equal(fact_of(process, "Seccomp:"), i == 0 ? first : second);
        assert_int_equal(fact_of(process, "NoNewPrivs:"), (i == 0 ? first : second) > 0);
    }
    engine_process.close(crew);
    machine_close(&machine);
}

static void each_pool_is_locked_in_or_not(void **state)
{
    (void)state;
    look_at_pools(SANDBOX_AUTO, 2, 0);
    look_at_pools(SANDBOX_REQUIRED, 2, 0);
    look_at_pools(SANDBOX_OFF, 0, 0);
}

/* Told by the exit code, without a filter: behind one there is no asking. */
static int dumpable_after(bool observed)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(sandbox_enter(&(struct sandbox){0}, observed) ? prctl(PR_GET_DUMPABLE) : 99);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void its_memory_is_nobody_elses(void **state)
{
    (void)state;
    assert_int_equal(dumpable_after(false), 0);
    assert_int_equal(dumpable_after(true), 1);
}

static int open_sandbox(void **state)
{
    struct error error = {0};
    (void)state;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared != MAP_FAILED && sandbox_open(&sandbox, &error) == 0 ? 0 : -1;
}

static int close_sandbox(void **state)
{
    (void)state;
    sandbox_close(&sandbox);
    munmap(shared, 4096);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computing_goes_on),
        cmocka_unit_test(deaths_stay_what_they_are),
        cmocka_unit_test(everything_else_is_the_end),
        cmocka_unit_test(its_memory_is_nobody_elses),
        cmocka_unit_test(each_pool_is_locked_in_or_not),
    };
    struct sandbox possible;
    if (!sandbox_possible(&possible)) {
        print_message("skipped: %s\n", possible.lacks);
        return 77;
    }
    return cmocka_run_group_tests(tests, open_sandbox, close_sandbox);
}
