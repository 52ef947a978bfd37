/* SPDX-License-Identifier: MIT */
/* Who runs the chain on slots. Engines differ in that alone: reader, writer, slots, queues, limits and
 * reports are the same for all, and so are the bytes that come out.
 *
 * An engine keeps a crew: members in numbered places, each running worker_run or something like it. The
 * supervisor starts them, hears how they ended, and starts successors. */
#ifndef PIPELINE_ENGINE_H
#define PIPELINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/shared/machine.h"

/* How a member ended. */
struct engine_report {
    uint32_t place;
    int32_t exit_code;   /* enum worker_end, or what else it exited with; -1: see below */
    int32_t signal;      /* not 0: killed by it */
    bool killed;         /* by the supervisor */
    bool stopped;        /* it was, by another signal, when the supervisor had it killed */
    int32_t start_errno; /* not 0: it could not be started */
};

struct crew;

/* What an engine without threads of its own calls from the one thread it has; see engine_serial.c. All take
 * the run's context. */
struct engine_turns {
    bool (*read)(void *context);  /* brings in one item; false: there is none left */
    void (*write)(void *context); /* writes what is queued */
    void *context;
};

struct engine {
    const char *name;    /* "process" */
    const char *summary; /* one line for help */
    bool one_pool;       /* runs the whole chain fused, whatever pools the job has */
    bool one_worker;     /* and has one member, whatever `workers` says */
    bool one_member;     /* one member stands for all workers: they are threads of its own making */
    bool shares_rows;    /* can share the rows of one image, as `split` says */
    bool turns;          /* reads and writes from its one thread: no reader and writer threads */
    bool apart;          /* members are processes: they may start before the run has opened its places */
    bool can_kill;       /* members can be ended from outside: timeout works */

    /* Called while the process has one thread; an engine of processes forks its fork server here. The machine
     * must outlive the crew. ERROR_MEMORY, or ERROR_UNSUPPORTED where this build lacks the engine. */
    int (*open)(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                struct error *error);

    /* Starts a member in an empty place, or asks for its end by force. Do not wait. False: the crew is lost,
     * or of the second only: ask again. */
    bool (*start)(struct crew *crew, uint32_t place);
    bool (*kill)(struct crew *crew, uint32_t place);

    /* Optional: ends everyone at once, when asking one by one has had no effect. Does not wait. */
    void (*destroy)(struct crew *crew);

    /* A descriptor that is readable when `next` has something to say. */
    int (*descriptor)(const struct crew *crew);

    /* 1 and a report, 0: none now, -1: the crew is lost. Does not block. */
    int (*next)(struct crew *crew, struct engine_report *report);

    /* Optional: what the engine decided by itself and why, for a person; "" for nothing. Call it after the
     * last member has ended; the text lives as long as the process. */
    const char *(*remark)(const struct crew *crew);

    /* Optional: what members are kept from, for a person. *lacking: they should be and the machine cannot do
     * it. The text lives as long as the crew. */
    const char *(*confinement)(const struct crew *crew, bool *lacking);

    /* Optional: the runtime it stands on and how many threads that would use by itself, for a person; "" for
     * none, and then it is not in this build. */
    const char *(*runtime)(void);

    /* Ends every member; waits until all are gone. Accepts NULL. */
    void (*close)(struct crew *crew);
};

extern const struct engine engine_process, engine_thread, engine_openmp, engine_serial;

/* The engine at this index of the setting's choices, SETTINGS_ENGINES. */
const struct engine *engine_at(int index);

/* Is it in this build? One that is not cannot be opened. */
bool engine_built(const struct engine *engine);

#endif
