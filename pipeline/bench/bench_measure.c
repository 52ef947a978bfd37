/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_measure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/bench/bench_machine.h"
#include "pipeline/bench/bench_memory.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/shared/clock.h"

#define SAMPLE_NS 20000000

/* With fewer samples the highest one says nothing. */
#define LEAST_SAMPLES 5u

void bench_measure_open(struct bench_watch *watch)
{
    static const int waited[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    sigemptyset(&watch->waited);
    for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
        struct sigaction action;
        if (sigaction(waited[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&watch->waited, waited[i]);
    }
    /* Ignored, children would be reaped unseen. */
    signal(SIGCHLD, SIG_DFL);
    sigaddset(&watch->waited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watch->waited, &watch->before);
    watch->signal = 0;
}

void bench_measure_close(struct bench_watch *watch)
{
    sigprocmask(SIG_SETMASK, &watch->before, NULL);
}

/* The child: never returns. */
static void run_here(const struct bench_watch *watch, const struct job *job, int summary_fd,
                     void (*complain)(const char *text))
{
    const struct run_options options = {.verbosity = -1, .observed = true, .complain = complain};
    struct summary summary = {0};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, &watch->before, NULL);
    int code = run_job(job, &options, &summary);
    FILE *to = fdopen(summary_fd, "w");
    if (summary.wall_ns > 0 && to)
        summary_print_json(&summary, to);
    _exit(code);
}

static uint64_t time_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

/* Waits until the child has ended, and passes signals on to it. Returns its status. */
static int watch_child(struct bench_sample *sample, struct bench_watch *watch, pid_t child,
                       bool sample_memory, struct rusage *usage)
{
    const struct timespec nap = {.tv_nsec = SAMPLE_NS};
    unsigned samples = 0;
    int status;
    while (wait4(child, &status, WNOHANG, usage) == 0) {
        if (sample_memory) {
            uint64_t now_bytes = bench_memory_of(child);
            if (now_bytes > sample->peak_bytes)
                sample->peak_bytes = now_bytes;
            samples++;
        }
        int signal =
            sample_memory ? sigtimedwait(&watch->waited, NULL, &nap) : sigwaitinfo(&watch->waited, NULL);
        if (signal > 0 && signal != SIGCHLD) {
            if (!watch->signal)
                watch->signal = signal;
            kill(child, signal);
        }
    }
    if (samples < LEAST_SAMPLES)
        sample->peak_bytes = 0;
    return status;
}

static int read_summary(struct bench_sample *sample, int fd, struct error *error)
{
    json_error_t why;
    if (lseek(fd, 0, SEEK_END) == 0)
        return sample->exit_code == EXIT_DONE || sample->exit_code == EXIT_FAILED_ITEMS
                   ? error_set(error, ERROR_INTERNAL, "a run left no summary")
                   : 0;
    lseek(fd, 0, SEEK_SET);
    sample->summary = json_loadfd(fd, 0, &why);
    return sample->summary ? 0 : error_set(error, ERROR_INTERNAL, "a run's summary: %.150s", why.text);
}

int bench_measure(struct bench_sample *sample, struct bench_watch *watch, const struct job *job,
                  bool sample_memory, void (*complain)(const char *text), struct error *error)
{
    struct rusage usage = {0};
    *sample = (struct bench_sample){.wall_ns = 0};
    int summary_fd = memfd_create("summary", MFD_CLOEXEC);
    if (summary_fd < 0)
        return error_set(error, ERROR_MEMORY, "memfd_create: %s", strerror(errno));
    uint64_t idle_before_ns = bench_machine_idle_ns(), began_ns = clock_ns();
    pid_t child = fork();
    if (child == 0)
        run_here(watch, job, summary_fd, complain);
    if (child < 0) {
        close(summary_fd);
        return error_set(error, ERROR_MEMORY, "fork: %s", strerror(errno));
    }
    int status = watch_child(sample, watch, child, sample_memory, &usage);
    sample->wall_ns = clock_ns() - began_ns;
    const uint64_t idle_ns = bench_machine_idle_ns();
    /* The kernel may take back time that it had counted as waiting for a disk. */
    sample->idle_ns = idle_ns > idle_before_ns ? idle_ns - idle_before_ns : 0;
    sample->user_ns = time_ns(usage.ru_utime);
    sample->system_ns = time_ns(usage.ru_stime);
    sample->voluntary = (uint64_t)usage.ru_nvcsw;
    sample->involuntary = (uint64_t)usage.ru_nivcsw;
    sample->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FATAL;
    int code = WIFSIGNALED(status)
                   ? error_set(error, ERROR_CRASH, "the run was killed by signal %d", WTERMSIG(status))
                   : read_summary(sample, summary_fd, error);
    close(summary_fd);
    return code;
}
