/* SPDX-License-Identifier: MIT */
#include "pipeline/run/doctor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pipeline/config/allotted.h"
#include "pipeline/config/config.h"
#include "pipeline/config/memory.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/sandbox.h"
#include "pipeline/engine/worker.h"
#include "pipeline/files/fence.h"
#include "pipeline/report/units.h"
#include "pipeline/run/ahead_ring.h"
#include "pipeline/shared/clock.h"

/* A worker that has nothing to do and has not ended after this long never will. */
#define TRIAL_MS 5000

static struct doctor_fact *add(struct doctor *doctor, const char *group, const char *name,
                               enum doctor_verdict verdict)
{
    static struct doctor_fact surplus;
    struct doctor_fact *fact = doctor->count < DOCTOR_MOST_FACTS ? &doctor->facts[doctor->count++] : &surplus;
    *fact = (struct doctor_fact){.group = group, .name = name, .verdict = verdict};
    doctor->warnings += verdict == DOCTOR_WARNING;
    doctor->problems += verdict == DOCTOR_PROBLEM;
    return fact;
}

void doctor_add(struct doctor *doctor, const char *group, const char *name, enum doctor_verdict verdict,
                const char *format, ...)
{
    struct doctor_fact *fact = add(doctor, group, name, verdict);
    va_list args;
    va_start(args, format);
    vsnprintf(fact->text, sizeof fact->text, format, args);
    va_end(args);
}

void doctor_add_number(struct doctor *doctor, const char *group, const char *name,
                       enum doctor_verdict verdict, int64_t number, const char *format, ...)
{
    struct doctor_fact *fact = add(doctor, group, name, verdict);
    fact->numeric = true;
    fact->number = number;
    va_list args;
    va_start(args, format);
    vsnprintf(fact->text, sizeof fact->text, format, args);
    va_end(args);
}

static void look_program(struct doctor *doctor)
{
    struct sandbox sandbox;
    doctor_add(doctor, "program", "version", DOCTOR_FACT, "%s", FORKMILL_VERSION);
#ifdef __clang__
    doctor_add(doctor, "program", "compiler", DOCTOR_FACT, "%s", __VERSION__);
#else
    doctor_add(doctor, "program", "compiler", DOCTOR_FACT, "gcc %s", __VERSION__);
#endif
    doctor_add(doctor, "program", "instructions", DOCTOR_FACT, "%s", stage_instructions());
    for (const struct codec *const *codec = codec_all(); *codec; codec++)
        doctor_add(doctor, "program", (*codec)->name, DOCTOR_FACT, "%s",
                   (*codec)->version ? (*codec)->version() : "no library");
    const bool locked = sandbox_possible(&sandbox);
    doctor_add(doctor, "program", "sandbox", locked || sandbox.by_build ? DOCTOR_FACT : DOCTOR_WARNING,
               "%s%s%s", sandbox_library(), *sandbox_library() ? ": " : "",
               locked ? "workers make no system calls but those that computing needs" : sandbox.lacks);
    doctor_add(doctor, "program", "liburing", DOCTOR_FACT, "%s",
               *ahead_ring_library() ? ahead_ring_library() : "not in this build");
    struct fence fence;
    const int interface = fence_open(&fence);
    fence_close(&fence);
    if (interface)
        doctor_add(doctor, "program", "files", DOCTOR_FACT,
                   "Landlock %d: the main process opens nothing but inputs and outputs", interface);
    else
        doctor_add(doctor, "program", "files", DOCTOR_FACT, "%s", fence.lacks);
}

/* The variables that decide how an OpenMP runtime behaves; team sizes are ours to set, the rest is not. */
static void look_openmp(struct doctor *doctor)
{
    static const char *const variables[] = {
        "OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_DYNAMIC",   "OMP_PROC_BIND",
        "OMP_PLACES",      "OMP_WAIT_POLICY",  "OMP_SCHEDULE",  "GOMP_CPU_AFFINITY",
        "GOMP_SPINCOUNT",  "KMP_AFFINITY",     "KMP_BLOCKTIME",
    };
    const char *runtime = engine_openmp.runtime();
    doctor_add(doctor, "OpenMP", "runtime", DOCTOR_FACT, "%s", *runtime ? runtime : "not in this build");
    for (size_t i = 0; *runtime && i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        bool ours = i == 0 || i == 2;
        if (value)
            doctor_add(doctor, "OpenMP", variables[i], i == 1 ? DOCTOR_WARNING : DOCTOR_FACT, "%.100s%s",
                       value,
                       ours     ? " (without effect: workers says how many)"
                       : i == 1 ? ": engine openmp gets no more threads than that, whatever workers says"
                                : "");
    }
}

static void look_cpus(struct doctor *doctor, const struct job *job)
{
    char why[512];
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    doctor_add_number(doctor, "cpu", "online", DOCTOR_FACT, online, "%ld", online);
    int64_t mask = allotted_affinity();
    doctor_add_number(doctor, "cpu", "affinity", DOCTOR_FACT, mask, "%lld", (long long)mask);
    int64_t quota = allotted_quota("", why, sizeof why);
    if (quota)
        doctor_add_number(doctor, "cpu", "cgroup quota", DOCTOR_FACT, quota, "%lld, %.200s", (long long)quota,
                          why);
    else
        doctor_add(doctor, "cpu", "cgroup quota", DOCTOR_FACT, "none");
    int64_t cpus = allotted_workers("", why, sizeof why), workers = job->settings.workers;
    doctor_add_number(doctor, "cpu", "allotted", DOCTOR_FACT, cpus, "%.200s", why);
    doctor_add_number(doctor, "cpu", "default workers", workers > cpus ? DOCTOR_WARNING : DOCTOR_FACT,
                      workers, "%lld processes x 1 thread, for %lld CPU%s%s", (long long)workers,
                      (long long)cpus, cpus == 1 ? "" : "s",
                      workers > cpus   ? ": they take turns; --workers allotted avoids it"
                      : workers < cpus ? "; --workers allotted uses all"
                                       : "");
}

/* Also what a default run does about too little of it. */
static void look_memory(struct doctor *doctor, struct job *job)
{
    char why[256], text[UNITS_SIZE];
    uint64_t *budget = &job->settings.memory_bytes;
    uint64_t available = memory_available("", why, sizeof why);
    doctor_add_number(doctor, "memory", "available", DOCTOR_FACT, (int64_t)(available & INT64_MAX),
                      "%s, by %.120s", units_memory(available, text, sizeof text), why);
    bool lowered = memory_fit(budget, why, sizeof why);
    doctor_add_number(doctor, "memory", "default memory",
                      lowered || *job->lowered ? DOCTOR_WARNING : DOCTOR_FACT, (int64_t)*budget, "%s%s",
                      units_memory(*budget, text, sizeof text),
                      lowered         ? ": lowered, as there is no more available"
                      : *job->lowered ? ": lowered, as address space is limited"
                                      : "");
    struct statvfs room;
    if (statvfs("/dev/shm", &room) < 0) {
        doctor_add(doctor, "memory", "/dev/shm", DOCTOR_WARNING, "%s: runs use a memfd instead",
                   strerror(errno));
        return;
    }
    char size[UNITS_SIZE];
    uint64_t total = (uint64_t)room.f_blocks * room.f_frsize, left = (uint64_t)room.f_bavail * room.f_frsize;
    bool enough = left >= *budget || total == 0;
    doctor_add_number(doctor, "memory", "/dev/shm size", DOCTOR_FACT, (int64_t)total, "%s",
                      total ? units_memory(total, size, sizeof size) : "without limit");
    doctor_add_number(doctor, "memory", "/dev/shm free", enough ? DOCTOR_FACT : DOCTOR_WARNING, (int64_t)left,
                      "%s: %s", units_memory(left, size, sizeof size),
                      enough ? "enough for the default memory"
                             : "less than the default memory; runs use a memfd instead");
}

/* Waits for the end of every worker; they have nothing to do. */
static int hear_all(struct crew *crew, uint32_t workers, struct error *error)
{
    struct engine_report report;
    for (uint32_t ended = 0; ended < workers;) {
        struct pollfd wait = {.fd = engine_process.descriptor(crew), .events = POLLIN};
        if (poll(&wait, 1, TRIAL_MS) == 0)
            return error_set(error, ERROR_TIMEOUT, "a worker does not end");
        int got = engine_process.next(crew, &report);
        if (got < 0)
            return error_set(error, ERROR_CRASH, "the workers' fork server died");
        if (got == 0)
            continue;
        ended++;
        if (report.start_errno)
            return error_set(error, ERROR_MEMORY, "fork: %s", strerror(report.start_errno));
        if (report.exit_code == WORKER_NO_MEMORY)
            return error_set(error, ERROR_MEMORY, "no address space for a worker's scratch");
        if (report.exit_code != WORKER_FINISHED)
            return error_set(error, ERROR_CRASH, "a worker ended with status %d, signal %d", report.exit_code,
                             report.signal);
    }
    return 0;
}

/* A default run but for its items: reserves memory, forks, and ends. */
static int try_run(const struct job *job, struct error *error)
{
    struct machine machine;
    struct crew *crew = NULL;
    TRY(machine_open(&machine, job, error));
    int code = engine_process.open(&crew, &machine, NULL, error);
    queue_close(&machine.queues[0], QUEUE_DISCARD);
    for (uint32_t i = 0; code == 0 && i < machine.worker_count; i++) {
        if (!engine_process.start(crew, i))
            code = error_set(error, ERROR_CRASH, "the workers' fork server died");
    }
    if (code == 0)
        code = hear_all(crew, machine.worker_count, error);
    engine_process.close(crew);
    machine_close(&machine);
    return code;
}

static void look_trial(struct doctor *doctor, const struct job *job)
{
    struct error error = {0};
    char text[UNITS_SIZE];
    signal(SIGXFSZ, SIG_IGN); /* as a run does */
    uint64_t before = clock_ns();
    if (try_run(job, &error) < 0)
        doctor_add(doctor, "trial", "default run", DOCTOR_PROBLEM, "%s", error.reason);
    else
        doctor_add(doctor, "trial", "default run", DOCTOR_FACT,
                   "memory reserved, %lld workers forked and ended in %s", (long long)job->settings.workers,
                   units_duration(clock_ns() - before, text, sizeof text));
}

void doctor_look(struct doctor *doctor)
{
    static char *const no_environment[] = {NULL};
    struct diag diag = {0};
    struct config config = {0};
    *doctor = (struct doctor){0};
    config_load(&config, NULL, no_environment, NULL, 0, &diag);
    job_resolve(&config.job);
    machine_fit(&config.job);
    look_program(doctor);
    look_cpus(doctor, &config.job);
    look_memory(doctor, &config.job);
    doctor_look_limits(doctor);
    doctor_look_kernel(doctor);
    look_trial(doctor, &config.job);
    /* Last: LLVM's runtime leaves a file in /dev/shm for each child forked after it began. */
    look_openmp(doctor);
    config_free(&config);
    diag_free(&diag);
}
