/* SPDX-License-Identifier: MIT */
/* Two producers, two consumers, the main process, and three items in three slots: the program's own queue and
 * recovery, in which every access to an atomic is a step that others may come between, and at each of which a
 * worker may die. */
#ifndef TESTS_MODEL_PROTOCOL_H
#define TESTS_MODEL_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "fiber.h"
#include "pipeline/run/ledger.h"
#include "pipeline/shared/queue.h"

#define ITEMS 3u

/* Actors: workers by their number, and the main process. */
enum { PRODUCER_0, PRODUCER_1, CONSUMER_0, CONSUMER_1, MAIN, ACTORS };
#define WORKERS MAIN
#define NOBODY  (-1)

#define ANY_ORDER 255u

/* What is done wrong, to be found out. */
enum plant {
    PLANT_NONE,
    PLANT_CELL_BEFORE_WORD,      /* a producer fills the cell, then announces */
    PLANT_CELL_EMPTIED_FIRST,    /* a consumer empties the cell, then claims */
    PLANT_CLAIM_WITHOUT_COMPARE, /* a consumer looks at the word, then writes it */
    PLANT_TRUST_QUEUED,          /* recovery takes every QUEUED slot to be in a cell */
    PLANT_COUNT
};

struct plan {
    uint32_t capacity; /* of the queue, at most ITEMS */
    /* Who holds each item at first: a producer; MAIN: it is in the queue, as one may be; NOBODY: it is done,
     * and its slot free. */
    int holder[ITEMS];
    int consumers;   /* 1 or 2 */
    unsigned deaths; /* at most */
    /* Most times that an actor is put off which could go on; ANY_ORDER: as often as one likes. What happens
     * when an actor sleeps, ends or dies is not counted. */
    unsigned switches;
    enum plant plant;
};

/* What is wrong with a state. */
enum fault { FAULT_NONE, FAULT_DUPLICATED, FAULT_TWO_OWNERS, FAULT_LOST, FAULT_STUCK };

/* Everything but the stacks; copied and compared as a whole. */
struct state {
    _Alignas(64) slot_word words[ITEMS];
    _Alignas(64) uint8_t queue[sizeof(struct queue_shared) + ITEMS * sizeof(uint64_t)];
    struct item items[ITEMS];
    int8_t item_in[ITEMS];    /* the item that the ledger has in this slot; -1: none */
    bool again[ITEMS];        /* to be read again */
    uint8_t results[ITEMS];   /* of items */
    int8_t held_by[ITEMS];    /* of slots: who has claimed it and not handed it over; -1: nobody */
    int8_t sleeps_on[ACTORS]; /* 0: awake, 1: filled, 2: emptied */
    bool woken[ACTORS];       /* by another, and not by the time */
    bool dead[ACTORS];        /* and not recovered yet */
    bool waits;               /* the main process has nothing to do */
    int8_t acting;            /* who runs, or ran last; -1: it has died */
    uint8_t deaths_left, switches_left, idle_naps;
    uint8_t fault;       /* enum fault */
    uint64_t calm;       /* words and cells when a nap was last over */
    uint8_t *at[ACTORS]; /* of the fibers that do not run */
};

extern struct state state;
extern struct fiber fibers[ACTORS];
extern const char *const actor_names[ACTORS], *const fault_names[];

/* The beginning. */
void protocol_start(const struct plan *plan);

/* What may happen next: moves are 0 .. count - 1. Without any, all is over: the fault says whether well. */
unsigned protocol_moves(void);

/* How many of them, the last ones, are deaths. */
unsigned protocol_deaths(void);

/* Does one: a step of an actor, the end of its nap, or its death. Describes it, where `text` is not NULL. */
void protocol_move(unsigned move, char *text, size_t size);

#endif
