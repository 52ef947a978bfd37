/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/stall.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Never changes once there is a second thread or process. */
static struct {
    bool on;
    uint64_t seed;
    uint32_t permille, max_us;
} setting;

/* 0: not begun. A forked worker begins its own, as the fork server never comes to a marked place. */
static _Thread_local uint64_t sequence;

/* The number up to the next colon or the end, from 0 to `most`. */
static bool read_number(const char **text, uint64_t most, uint64_t *number)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *number = strtoull(*text, &end, 10);
    if (errno || *number > most || (*end && *end != ':'))
        return false;
    *text = end;
    return true;
}

int stall_configure(const char *text, struct error *error)
{
    setting.on = false;
    if (!text || !*text)
        return 0;
    uint64_t seed, permille = 100, max_us = 200;
    bool sound = read_number(&text, UINT64_MAX, &seed);
    if (sound && *text == ':')
        sound = (text++, read_number(&text, 1000, &permille));
    if (sound && *text == ':')
        sound = (text++, read_number(&text, 1000000, &max_us));
    if (!sound || *text)
        return error_set(error, ERROR_USAGE, "wants SEED[:PERMILLE[:MAX_US]], at most 1000 and 1000000");
    setting.seed = seed;
    setting.permille = (uint32_t)permille;
    setting.max_us = (uint32_t)max_us;
    setting.on = true;
    return 0;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(void)
{
    uint64_t bits = sequence += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

static uint64_t draw(void)
{
    if (sequence == 0)
        sequence = setting.seed ^ (uint64_t)gettid() << 32;
    return next();
}

void stall_spoil(void *memory, size_t length)
{
    if (setting.on && length)
        memset(memory, (int)(draw() & 0xff), length);
}

void stall(enum stall_place place)
{
    if (!setting.on)
        return;
    uint64_t lot = draw() ^ (uint64_t)place * 0xd6e8feb86659fd93u;
    if (lot % 1000 >= setting.permille)
        return;
    uint64_t us = setting.max_us ? lot / 1000 % (2 * (uint64_t)setting.max_us) : 0;
    if (us < setting.max_us) {
        sched_yield();
        return;
    }
    us -= setting.max_us;
    int kept = errno;
    nanosleep(&(struct timespec){(time_t)(us / 1000000), (long)(us % 1000000 * 1000)}, NULL);
    errno = kept;
}
