/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/shared/clock.h"

/* The last value of every stream. */
#define END UINT64_MAX

/* Values between two looks at the clock. */
#define LOOK 32u

#define PAUSE_NS     500000
#define MOST_SAMPLES 200000u

void transport_die(const char *what)
{
    perror(what);
    _exit(1);
}

void *transport_share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        transport_die("mmap");
    return memory;
}

void transport_unshare(void *memory, size_t bytes)
{
    munmap(memory, bytes);
}

static cpu_set_t allowed; /* the CPUs of this process as it began */

/* Keeps this process on one of its CPUs, where there are two: otherwise the scheduler's choice, together or
 * apart, decides more than the transport does. */
static void stay_on(int which)
{
    cpu_set_t one;
    if (CPU_COUNT(&allowed) == 0)
        sched_getaffinity(0, sizeof allowed, &allowed);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&allowed) > 1; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || which-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

/* A receiver would wait for ever for a sender that has failed. */
static void on_child(int signal, siginfo_t *info, void *context)
{
    static const char text[] = "the sending process failed\n";
    (void)signal, (void)context;
    if (info->si_code == CLD_EXITED && info->si_status == 0)
        return;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(1);
}

/* As fork; each side on a CPU of its own, and neither outlives a failure of the other. */
static pid_t split(void)
{
    const struct sigaction action = {.sa_sigaction = on_child,
                                     .sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP};
    fflush(stdout);
    sigaction(SIGCHLD, &action, NULL);
    stay_on(0);
    const pid_t child = fork();
    if (child < 0)
        transport_die("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        stay_on(1);
    }
    return child;
}

static void join(pid_t child)
{
    sched_setaffinity(0, sizeof allowed, &allowed);
    if (waitpid(child, NULL, 0) != child)
        transport_die("waitpid");
}

static struct channel open_channel(const struct transport *transport, unsigned capacity)
{
    struct channel channel = {.transport = transport, .capacity = capacity};
    transport->open(&channel);
    return channel;
}

static uint64_t receive_one(struct channel *channel)
{
    uint64_t value;
    channel->transport->receive(channel, &value, 1);
    return value;
}

static void expect(uint64_t value, uint64_t expected)
{
    if (value == expected)
        return;
    fprintf(stderr, "value %llu came where %llu was due\n", (unsigned long long)value,
            (unsigned long long)expected);
    _exit(1);
}

static void send_numbers(struct channel *channel, unsigned ms)
{
    const uint64_t until_ns = clock_ns() + (uint64_t)ms * 1000000;
    uint64_t number = 0;
    do {
        for (unsigned i = 0; i < LOOK; i++)
            channel->transport->send(channel, number++);
    } while (clock_ns() < until_ns);
    channel->transport->send(channel, END);
    _exit(0);
}

double measure_rate(const struct transport *transport, unsigned capacity, unsigned batch, unsigned ms)
{
    struct channel channel = open_channel(transport, capacity);
    const pid_t child = split();
    if (child == 0)
        send_numbers(&channel, ms);
    expect(receive_one(&channel), 0);
    const uint64_t start_ns = clock_ns();
    uint64_t number = 1, values[TRANSPORT_MOST];
    for (bool ended = false; !ended;) {
        const unsigned taken = transport->receive(&channel, values, batch);
        for (unsigned i = 0; i < taken; i++) {
            if (values[i] == END) {
                ended = true;
                break;
            }
            expect(values[i], number++);
        }
    }
    const double seconds = (double)(clock_ns() - start_ns) / 1e9;
    join(child);
    transport->close(&channel);
    return (double)(number - 1) / seconds;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static struct measure_latency summarize(uint64_t *samples, unsigned count)
{
    if (count == 0)
        return (struct measure_latency){0};
    qsort(samples, count, sizeof *samples, by_value);
    return (struct measure_latency){(double)samples[count / 2] / 1e3,
                                    (double)samples[(uint64_t)count * 99 / 100] / 1e3};
}

static uint64_t *make_samples(void)
{
    uint64_t *samples = malloc(MOST_SAMPLES * sizeof *samples);
    if (!samples)
        transport_die("malloc");
    return samples;
}

struct measure_latency measure_round_trip(const struct transport *transport, unsigned capacity, unsigned ms)
{
    struct channel there = open_channel(transport, capacity), back = open_channel(transport, capacity);
    const pid_t child = split();
    if (child == 0) {
        for (uint64_t value; (value = receive_one(&there)) != END;)
            transport->send(&back, value);
        _exit(0);
    }
    uint64_t *samples = make_samples();
    const uint64_t until_ns = clock_ns() + (uint64_t)ms * 1000000;
    unsigned count = 0;
    for (uint64_t now_ns = clock_ns(); now_ns < until_ns && count < MOST_SAMPLES;) {
        transport->send(&there, count);
        expect(receive_one(&back), count);
        const uint64_t then_ns = clock_ns();
        samples[count++] = then_ns - now_ns;
        now_ns = then_ns;
    }
    transport->send(&there, END);
    join(child);
    transport->close(&there);
    transport->close(&back);
    const struct measure_latency latency = summarize(samples, count);
    free(samples);
    return latency;
}

struct measure_latency measure_one_way(const struct transport *transport, unsigned capacity, unsigned ms)
{
    struct channel channel = open_channel(transport, capacity);
    const pid_t child = split();
    if (child == 0) {
        const uint64_t until_ns = clock_ns() + (uint64_t)ms * 1000000;
        do {
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
            transport->send(&channel, clock_ns());
        } while (clock_ns() < until_ns);
        transport->send(&channel, END);
        _exit(0);
    }
    uint64_t *samples = make_samples(), sent_ns;
    unsigned count = 0;
    while ((sent_ns = receive_one(&channel)) != END) {
        if (count < MOST_SAMPLES)
            samples[count++] = clock_ns() - sent_ns;
    }
    join(child);
    transport->close(&channel);
    const struct measure_latency latency = summarize(samples, count);
    free(samples);
    return latency;
}
