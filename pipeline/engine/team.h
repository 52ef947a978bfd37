/* SPDX-License-Identifier: MIT */
/* The rows of one image dealt out to a team of threads that works on nothing else meanwhile. */
#ifndef PIPELINE_TEAM_H
#define PIPELINE_TEAM_H

#include "pipeline/engine/chain.h"

#define TEAM_MOST_MEMBERS 64u

struct team {
    const struct machine *machine;
    unsigned members; /* member numbers are places of the machine's workers */
    /* Calls work(context, member, index) once for each index below `count`, `members` at a time, each call
     * with a member number that no other running call has; returns when all have. */
    void (*deal)(void (*work)(void *context, unsigned member, unsigned index), void *context,
                 unsigned members, unsigned count);
};

/* For chain_run; the team must outlive it. */
struct chain_sharing team_sharing(struct team *team);

#endif
