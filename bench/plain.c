/* SPDX-License-Identifier: MIT */
/* forkmill-bench-plain: the textbook loops with nothing around them, to tell what a stage adds to them.
 *
 *   forkmill-bench-plain primes|sumsq N TIMES     prints the seconds that TIMES repetitions take */
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
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned long i = 0; i < times; i++)
        result = argv[1][0] == 'p' ? primes(n) : sumsq(n);
    clock_gettime(CLOCK_MONOTONIC, &end);
    (void)result;
    printf("%.6f\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return 0;
}
