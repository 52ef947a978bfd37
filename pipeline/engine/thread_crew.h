/* SPDX-License-Identifier: MIT */
/* A crew of threads in this process: what the engines without forked workers have in common. A member cannot
 * be killed, and one that crashes takes the run with it. */
#ifndef PIPELINE_THREAD_CREW_H
#define PIPELINE_THREAD_CREW_H

#include "pipeline/engine/engine.h"

/* `body` runs in each member's thread, with its place, and returns an enum worker_end. `turns` may be NULL.
 */
int thread_crew_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                     int (*body)(struct crew *crew, uint32_t place), struct error *error);

struct machine *thread_crew_machine(const struct crew *crew);
const struct engine_turns *thread_crew_turns(const struct crew *crew);

bool thread_crew_start(struct crew *crew, uint32_t place);
bool thread_crew_kill(struct crew *crew, uint32_t place);
int thread_crew_descriptor(const struct crew *crew);
int thread_crew_next(struct crew *crew, struct engine_report *report);
void thread_crew_close(struct crew *crew);

#endif
