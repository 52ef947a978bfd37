/* SPDX-License-Identifier: MIT */
/* What a worker can be killed at. */
#ifndef TESTS_KILL_OPERATIONS_H
#define TESTS_KILL_OPERATIONS_H

#include "world.h"

/* What an operation that is wrong is to be found out for. */
enum fault { FAULT_NONE, FAULT_STUCK, FAULT_LOST, FAULT_DUPLICATED };

struct operation {
    const char *name;
    const char *side;                      /* "producer", "consumer", "leader", ... */
    uint32_t room, writers_room;           /* of the queues; 0: plenty */
    void (*prepare)(struct world *world);  /* once: what there is before a trial */
    void (*before)(struct world *world);   /* victim, freely; NULL: nothing */
    void (*act)(struct world *world);      /* victim, instruction by instruction */
    void (*watch)(struct world *world);    /* survivor, until the victim is dead; NULL: begins after that */
    bool (*watching)(struct world *world); /* has the survivor come as far as it should? */
    void (*bury)(struct world *world);     /* what the supervisor does first; NULL: nothing */
    void (*finish)(struct world *world);   /* survivor; NULL: world_finish */
    enum fault fault;                      /* planted */
    uint32_t stride;                       /* in the suite, every so many instructions; 0: every one */
};

extern const struct operation operations_of_queues[], operations_of_boards[], operations_of_main[];
extern const unsigned operations_of_queues_count, operations_of_boards_count, operations_of_main_count;

/* Wrong on purpose. */
extern const struct operation operations_wrong[];
extern const unsigned operations_wrong_count;

#endif
