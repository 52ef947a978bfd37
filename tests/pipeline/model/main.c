/* SPDX-License-Identifier: MIT */
/* Explores every order in which two producers, two consumers and the main process can take their steps
 * through the program's own queue and recovery, with a death at any of them.
 *
 *   model_queue                every order, of several beginnings
 *   model_queue --seconds N    and then random ones, with more deaths, until N seconds are over
 *   model_queue --self-test    with mistakes planted: exit 0 if each was found
 *
 * Exit 0: no item was lost, stuck, done twice or in two hands; 1: one was, and how; 2: it could not be tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/shared/clock.h"
#include "protocol.h"

#define TEXT_BYTES 32u
/* At least so long at random. */
#define WALK_NS 3000000000u

/* States that were met, by their hash; an empty place is 0. */
static struct {
    uint64_t *places;
    size_t count, size;
} met;

/* A state on the way to the one at hand: a copy, and which of its moves comes next. */
struct frame {
    size_t at; /* in `copies` */
    unsigned moves, next;
};

static struct frame *frames;
static uint8_t *copies;
static size_t depth, frames_size, copies_used, copies_size;

static void out_of_memory(void)
{
    fprintf(stderr, "model_queue: out of memory\n");
    exit(2);
}

static void *more(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes);
    if (!grown)
        out_of_memory();
    return grown;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    const __uint128_t product = (__uint128_t)(hash ^ value) * 0x9e3779b97f4a7c15u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Bytes from 8 to 8. */
static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        uint64_t value;
        memcpy(&value, bytes + i, 8);
        hash = mix(hash + 0x632be59bd9b4e019u, value);
    }
    return hash;
}

static size_t live_bytes(int actor)
{
    const struct fiber *fiber = &fibers[actor];
    return fiber->at ? (size_t)(fiber->stack + FIBER_STACK_BYTES - fiber->at) : 0;
}

static uint64_t hash_now(void)
{
    uint64_t hash = hash_bytes(1, (const uint8_t *)&state, sizeof state);
    for (int i = 0; i < ACTORS; i++)
        hash = hash_bytes(hash, fibers[i].at, live_bytes(i));
    return hash ? hash : 1;
}

static bool insert(uint64_t *places, size_t size, uint64_t hash)
{
    size_t at = hash & (size - 1);
    while (places[at] && places[at] != hash)
        at = (at + 1) & (size - 1);
    const bool new = places[at] == 0;
    places[at] = hash;
    return new;
}

/* Is the state at hand met for the first time? */
static bool meet(void)
{
    if (2 * met.count >= met.size) {
        const size_t size = met.size ? 2 * met.size : 1 << 16;
        uint64_t *places = calloc(size, sizeof *places);
        if (!places)
            out_of_memory();
        for (size_t i = 0; i < met.size; i++) {
            if (met.places[i])
                insert(places, size, met.places[i]);
        }
        free(met.places);
        met.places = places;
        met.size = size;
    }
    const bool new = insert(met.places, met.size, hash_now());
    met.count += new;
    return new;
}

static void push(void)
{
    size_t bytes = sizeof state;
    for (int i = 0; i < ACTORS; i++)
        bytes += live_bytes(i);
    if (copies_used + bytes > copies_size)
        copies = more(copies, copies_size = 2 * (copies_used + bytes));
    if (depth == frames_size)
        frames = more(frames, (frames_size = 2 * frames_size + 64) * sizeof *frames);
    uint8_t *copy = copies + copies_used;
    frames[depth++] = (struct frame){.at = copies_used, .moves = protocol_moves()};
    memcpy(copy, &state, sizeof state);
    copy += sizeof state;
    for (int i = 0; i < ACTORS; i++) {
        memcpy(copy, fibers[i].stack + FIBER_STACK_BYTES - live_bytes(i), live_bytes(i));
        copy += live_bytes(i);
    }
    copies_used += bytes;
}

static void restore(const struct frame *frame)
{
    const uint8_t *copy = copies + frame->at;
    memcpy(&state, copy, sizeof state);
    copy += sizeof state;
    for (int i = 0; i < ACTORS; i++) {
        fibers[i].at = state.at[i];
        memcpy(fibers[i].stack + FIBER_STACK_BYTES - live_bytes(i), copy, live_bytes(i));
        copy += live_bytes(i);
    }
}

/* What led to the fault: the moves of all frames, one after the other. */
static void print_path(const struct plan *plan)
{
    char before[TEXT_BYTES] = "", text[TEXT_BYTES];
    unsigned times = 0;
    printf("  ");
    protocol_start(plan);
    for (size_t i = 0; i < depth; i++) {
        protocol_move(frames[i].next - 1, text, sizeof text);
        if (strcmp(before, text) != 0 && times)
            printf(times > 1 ? "%s x%u, " : "%s, ", before, times);
        times = strcmp(before, text) == 0 ? times + 1 : 1;
        memcpy(before, text, sizeof before);
    }
    printf(times > 1 ? "%s x%u" : "%s", before, times);
    printf(": %s\n", fault_names[state.fault]);
}

struct tally {
    uint64_t states, steps, ends;
    enum fault fault;
};

/* Every order, depth first. Ends at the first fault. */
static struct tally explore(const struct plan *plan)
{
    struct tally tally = {0};
    memset(met.places, 0, met.size * sizeof *met.places);
    met.count = depth = copies_used = 0;
    protocol_start(plan);
    meet();
    push();
    while (depth > 0 && !tally.fault) {
        struct frame *frame = &frames[depth - 1];
        if (frame->next == frame->moves) {
            tally.ends += frame->moves == 0;
            copies_used = frame->at;
            depth--;
            continue;
        }
        restore(frame);
        protocol_move(frame->next++, NULL, 0);
        tally.steps++;
        tally.fault = (enum fault)state.fault;
        if (!tally.fault && meet())
            push();
    }
    tally.states = met.count;
    return tally;
}

static void print_plan(const struct plan *plan, const struct tally *tally)
{
    char holders[ITEMS * 6] = "";
    for (unsigned i = 0; i < ITEMS; i++) {
        strcat(holders, i ? " " : "");
        strcat(holders, plan->holder[i] == NOBODY ? "-"
                        : plan->holder[i] == MAIN ? "q"
                                                  : actor_names[plan->holder[i]]);
    }
    printf("%5u  %-10s %6u %12llu %12llu %9llu  %s\n", plan->capacity, holders, plan->deaths,
           (unsigned long long)tally->states, (unsigned long long)tally->steps,
           (unsigned long long)tally->ends, fault_names[tally->fault]);
    fflush(stdout);
}

/* Every order of one producer and one consumer with a death, of two producers, and with a death at each step
 * the orders of all four in which an actor goes on as long as it can. */
static const struct plan plans[] = {
    {2, {PRODUCER_0, PRODUCER_0, PRODUCER_0}, 1, 0, ANY_ORDER, PLANT_NONE},
    {2, {PRODUCER_0, PRODUCER_1, NOBODY}, 1, 0, ANY_ORDER, PLANT_NONE},
    {2, {PRODUCER_0, NOBODY, NOBODY}, 1, 1, ANY_ORDER, PLANT_NONE},
    {1, {PRODUCER_0, MAIN, NOBODY}, 1, 0, ANY_ORDER, PLANT_NONE},
    {1, {PRODUCER_0, MAIN, NOBODY}, 1, 1, 0, PLANT_NONE},
    {2, {PRODUCER_0, PRODUCER_1, MAIN}, 2, 1, 0, PLANT_NONE},
    {2, {PRODUCER_0, PRODUCER_1, PRODUCER_0}, 2, 1, 0, PLANT_NONE},
};

/* For those who have the time. */
static const struct plan long_plans[] = {
    {1, {PRODUCER_0, MAIN, NOBODY}, 1, 1, ANY_ORDER, PLANT_NONE},
    {2, {PRODUCER_0, MAIN, NOBODY}, 2, 0, ANY_ORDER, PLANT_NONE},
    {1, {PRODUCER_0, PRODUCER_1, MAIN}, 2, 1, 0, PLANT_NONE},
};

/* All four at random, with deaths one after the other. */
static const struct plan random_plans[] = {
    {1, {PRODUCER_0, PRODUCER_1, MAIN}, 2, 4, ANY_ORDER, PLANT_NONE},
    {2, {PRODUCER_0, PRODUCER_1, PRODUCER_0}, 2, 1, ANY_ORDER, PLANT_NONE},
    {3, {PRODUCER_0, PRODUCER_1, PRODUCER_1}, 2, 4, ANY_ORDER, PLANT_NONE},
    {1, {PRODUCER_0, PRODUCER_0, PRODUCER_1}, 2, 2, ANY_ORDER, PLANT_NONE},
};

static const struct plan wrong_plans[] = {
    {2, {PRODUCER_0, PRODUCER_1, NOBODY}, 1, 0, ANY_ORDER, PLANT_CELL_BEFORE_WORD},
    {2, {PRODUCER_0, MAIN, NOBODY}, 1, 1, ANY_ORDER, PLANT_CELL_EMPTIED_FIRST},
    {2, {PRODUCER_0, MAIN, NOBODY}, 2, 0, ANY_ORDER, PLANT_CLAIM_WITHOUT_COMPARE},
    {2, {PRODUCER_0, NOBODY, NOBODY}, 1, 1, ANY_ORDER, PLANT_TRUST_QUEUED},
};

/* Each to its end; with mistakes planted, each to the first fault, which there has to be. */
static bool explore_each(const struct plan *each, size_t count, bool wrong)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        const struct tally tally = explore(&each[i]);
        print_plan(&each[i], &tally);
        if (tally.fault)
            print_path(&each[i]);
        all = all && (wrong ? tally.fault != FAULT_NONE : !tally.fault && tally.ends > 0);
    }
    return all;
}

/* Moves that are deaths come last; they are drawn seldom, so that they come at any time. */
static unsigned draw(unsigned moves)
{
    const unsigned deaths = protocol_deaths();
    const bool death = deaths && (deaths == moves || rand() % 64 == 0);
    return death ? moves - 1 - (unsigned)rand() % deaths : (unsigned)rand() % (moves - deaths);
}

static bool walk_at_random(uint64_t end_ns)
{
    struct tally tally = {0};
    const size_t count = sizeof random_plans / sizeof *random_plans;
    unsigned walk = 0;
    for (; clock_ns() < end_ns && !tally.fault; walk++) {
        const struct plan *plan = &random_plans[walk % count];
        unsigned moves;
        srand(walk);
        protocol_start(plan);
        for (; (moves = protocol_moves()) > 0; tally.steps++)
            protocol_move(draw(moves), NULL, 0);
        tally.fault = (enum fault)state.fault;
    }
    printf("%u walks at random, %llu steps: %s\n", walk, (unsigned long long)tally.steps,
           fault_names[tally.fault]);
    if (tally.fault)
        printf("the last one has the seed %u\n", walk - 1);
    return !tally.fault;
}

static int run(int argc, char **argv)
{
    const uint64_t start = clock_ns();
    const bool wrong = argc == 2 && strcmp(argv[1], "--self-test") == 0;
    const bool longer = argc == 3 && strcmp(argv[1], "--seconds") == 0;
    if (argc != 1 && !wrong && !longer) {
        fprintf(stderr, "Usage: model_queue [--seconds N | --self-test]\n");
        return 2;
    }
    printf("cells  holders    deaths       states        steps      ends  fault\n");
    if (wrong)
        return explore_each(wrong_plans, sizeof wrong_plans / sizeof *wrong_plans, true) ? 0 : 1;
    bool all = explore_each(plans, sizeof plans / sizeof *plans, false);
    if (longer)
        all = explore_each(long_plans, sizeof long_plans / sizeof *long_plans, false) && all;
    const uint64_t now = clock_ns(), end = start + (longer ? (uint64_t)atoi(argv[2]) * 1000000000u : 0);
    all = walk_at_random(end > now + WALK_NS ? end : now + WALK_NS) && all;
    printf("%s after %.0f s\n", all ? "none lost, stuck, done twice or in two hands" : "NOT SOUND",
           (double)(clock_ns() - start) / 1e9);
    return all ? 0 : 1;
}

int main(int argc, char **argv)
{
    met.places = more(NULL, (met.size = 1 << 16) * sizeof *met.places);
    const int code = run(argc, argv);
    free(met.places);
    free(frames);
    free(copies);
    return code;
}
