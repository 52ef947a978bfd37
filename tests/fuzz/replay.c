/* SPDX-License-Identifier: MIT */
/* Runs a target without libFuzzer: on each seed as it is, and then for some seconds on changed ones. The
 * changes follow from the number alone that is shown, so what is found can be found again:
 *
 *   fuzz_NAME SECONDS DIRECTORY           the seeds and their changes
 *   fuzz_NAME FILE...                     just these files */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

#define MOST_SEEDS 512
#define MOST_BYTES ((size_t)1 << 16)

struct text {
    uint8_t *bytes;
    size_t size;
};

static struct text seeds[MOST_SEEDS];
static size_t seed_count;

static bool load(const char *path, struct text *text)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    text->bytes = malloc(MOST_BYTES);
    FUZZ_CHECK(text->bytes);
    text->size = fread(text->bytes, 1, MOST_BYTES, file);
    fclose(file);
    return true;
}

static void load_all(const char *place)
{
    char path[4096];
    DIR *directory = opendir(place);
    FUZZ_CHECK(directory);
    for (struct dirent *entry; (entry = readdir(directory)) && seed_count < MOST_SEEDS;) {
        snprintf(path, sizeof path, "%s/%s", place, entry->d_name);
        if (entry->d_type == DT_REG && load(path, &seeds[seed_count]))
            seed_count++;
    }
    closedir(directory);
}

/* xorshift64*, Vigna 2016. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *state, size_t limit)
{
    return limit ? (size_t)(next(state) >> 16) % limit : 0;
}

/* A number where formats have sizes, in either byte order. */
static void put_number(uint8_t *bytes, size_t size, uint64_t *state)
{
    static const uint32_t numbers[] = {0,      1,       0xff,       0x100,      0x7fff,
                                       0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
    const uint32_t number = numbers[below(state, sizeof numbers / sizeof *numbers)];
    const bool big = next(state) >> 63;
    for (size_t i = 0; size >= 4 && i < 4; i++)
        bytes[i] = (uint8_t)(number >> 8 * (big ? 3 - i : i));
}

static void change(struct text *text, uint64_t *state)
{
    const struct text *other = &seeds[below(state, seed_count)];
    const size_t at = below(state, text->size), rest = text->size - at;
    size_t count = below(state, 32) + 1;
    switch (below(state, 6)) {
    case 0:
        if (rest)
            text->bytes[at] ^= (uint8_t)(1u << below(state, 8));
        break;
    case 1:
        if (rest)
            text->bytes[at] = (uint8_t)next(state);
        break;
    case 2:
        put_number(text->bytes + at, rest, state);
        break;
    case 3: /* a piece is left out */
        count = count < rest ? count : rest;
        memmove(text->bytes + at, text->bytes + at + count, rest - count);
        text->size -= count;
        break;
    case 4: /* or comes in from elsewhere */
        count = count < other->size ? count : other->size;
        count = count < MOST_BYTES - text->size ? count : MOST_BYTES - text->size;
        memmove(text->bytes + at + count, text->bytes + at, rest);
        memcpy(text->bytes + at, other->bytes + below(state, other->size - count + 1), count);
        text->size += count;
        break;
    default:
        if (below(state, 8) == 0)
            text->size = at;
    }
}

/* In memory that ends where the text does. */
static void run(const struct text *text)
{
    uint8_t *exact = malloc(text->size ? text->size : 1);
    FUZZ_CHECK(exact);
    if (text->size)
        memcpy(exact, text->bytes, text->size);
    LLVMFuzzerTestOneInput(exact, text->size);
    free(exact);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_changed(double seconds)
{
    const double end_s = now_s() + seconds;
    struct text text = {.bytes = malloc(MOST_BYTES)};
    uint64_t number = 0;
    FUZZ_CHECK(text.bytes && seed_count);
    for (; now_s() < end_s; number++) {
        uint64_t state = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
        const struct text *seed = &seeds[number % seed_count];
        text.size = seed->size;
        memcpy(text.bytes, seed->bytes, seed->size);
        for (size_t changes = below(&state, 8) + 1; changes > 0; changes--)
            change(&text, &state);
        FILE *last = fopen("last-input", "wb"); /* what was at work when the process ended */
        if (last) {
            fwrite(text.bytes, 1, text.size, last);
            fclose(last);
        }
        run(&text);
    }
    remove("last-input");
    free(text.bytes);
    printf("%zu seeds, %llu changed inputs\n", seed_count, (unsigned long long)number);
    FUZZ_CHECK(number > 0);
}

int main(int argc, char **argv)
{
    char *end;
    const double seconds = argc == 3 ? strtod(argv[1], &end) : 0;
    if (argc == 3 && *end == '\0') {
        load_all(argv[2]);
        for (size_t i = 0; i < seed_count; i++)
            run(&seeds[i]);
        run_changed(seconds);
        for (size_t i = 0; i < seed_count; i++)
            free(seeds[i].bytes);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        struct text text;
        FUZZ_CHECK(load(argv[i], &text));
        run(&text);
        free(text.bytes);
    }
    return argc < 2;
}
