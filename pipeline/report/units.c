/* SPDX-License-Identifier: MIT */
#include "pipeline/report/units.h"

#include <stdio.h>

/* Three digits of a value below 1000 or so; the bounds are where rounding would make a fourth. */
static void three_digits(double value, char *out, size_t size)
{
    snprintf(out, size, "%.*f", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

static const char *scaled(uint64_t bytes, double step, const char *const *names, char *out, size_t size)
{
    double value = (double)bytes;
    unsigned name = 0;
    while (name < 6 && value >= (step == 1000 ? 999.5 : 1023.5) && bytes >= 1000) {
        value /= step;
        name++;
    }
    char digits[UNITS_SIZE];
    if (name == 0 || (step == 1024 && value == (double)(uint64_t)value))
        snprintf(digits, sizeof digits, "%.0f", value);
    else
        three_digits(value, digits, sizeof digits);
    snprintf(out, size, "%s %s", digits, names[name]);
    return out;
}

const char *units_bytes(uint64_t bytes, char *out, size_t size)
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    return scaled(bytes, 1000, names, out, size);
}

const char *units_memory(uint64_t bytes, char *out, size_t size)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    return scaled(bytes, 1024, names, out, size);
}

const char *units_duration(uint64_t ns, char *out, size_t size)
{
    const double seconds = (double)ns / 1e9;
    const unsigned long long whole = (ns + 500000000u) / 1000000000u;
    if (seconds < 0.9995)
        snprintf(out, size, "%.3f s", seconds);
    else if (seconds < 99.95)
        snprintf(out, size, "%.1f s", seconds);
    else if (whole < 3600)
        snprintf(out, size, "%llu min %02llu s", whole / 60, whole % 60);
    else
        snprintf(out, size, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
    return out;
}

const char *units_clock(uint64_t seconds, char *out, size_t size)
{
    const unsigned long long s = seconds;
    if (s < 3600)
        snprintf(out, size, "%llu:%02llu", s / 60, s % 60);
    else if (s < 100 * 3600)
        snprintf(out, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%llu d %02llu h", s / 86400, s / 3600 % 24);
    return out;
}

const char *units_rate(double value, char *out, size_t size)
{
    if (!(value > 0))
        snprintf(out, size, "0");
    else
        three_digits(value, out, size);
    return out;
}
