/* SPDX-License-Identifier: MIT */
/* forkmill-bench-plain: the textbook loops with nothing around them, to tell what a stage adds to them.
 *
 *   forkmill-bench-plain primes|sumsq N TIMES     prints the seconds that TIMES repetitions take, and the
 * CPU's */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t primes(uint32_t n)
{
    uint64_t count = n > 2;
    for (uint32_t number = 3; number < n; number += 2) {
        uint32_t divisor = 3;
        while (divisor * divisor <= number && number % divisor != 0)
            divisor += 2;
        count += divisor * divisor > number;
    }
    return count;
}

static uint64_t sumsq(uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (uint64_t)i * i;
    return sum;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 4 || (strcmp(argv[1], "primes") != 0 && strcmp(argv[1], "sumsq") != 0)) {
        fputs("Usage: forkmill-bench-plain primes|sumsq N TIMES\n", stderr);
        return 2;
    }
    /* Read anew for each repetition, so that none can be left out. */
    volatile uint32_t n = (uint32_t)strtoul(argv[2], NULL, 10);
    volatile uint64_t result = 0;
    const unsigned long times = strtoul(argv[3], NULL, 10);
    const double start_s = seconds(CLOCK_MONOTONIC), start_cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned long i = 0; i < times; i++)
        result = argv[1][0] == 'p' ? primes(n) : sumsq(n);
    (void)result;
    printf("%.6f %.6f\n", seconds(CLOCK_MONOTONIC) - start_s,
           seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu_s);
    return 0;
}
