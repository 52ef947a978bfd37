/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/team.h"

#include "pipeline/shared/clock.h"

/* Fewer rows than this are not worth handing out. */
#define LEAST_ROWS 16u
/* Ranges for each member: enough that nobody waits long for the slowest. */
#define RANGES_EACH 8u

struct share {
    const struct machine *machine;
    const struct chain_rows *at;
    struct scratch *scratches; /* one for each member, and errors too */
    struct error *errors;
    uint32_t rows_each;
};

static bool wanted(void *context, const struct chain_rows *at)
{
    (void)context;
    return shape_rows(&at->run.out) >= 2 * LEAST_ROWS;
}

static void work_on(void *context, unsigned member, unsigned index)
{
    struct share *share = context;
    const struct chain_rows *at = share->at;
    uint32_t first = index * share->rows_each, height = shape_rows(&at->run.out);
    uint32_t last = height - first < share->rows_each ? height : first + share->rows_each;
    if (share->errors[member].code)
        return;
    share->scratches[member].used_bytes = 0;
    uint64_t before = share->machine->rings ? clock_ns() : 0;
    share->errors[member].code =
        at->stage->rows(&at->run, first, last, &share->scratches[member], &share->errors[member]);
    if (share->machine->rings)
        machine_note(share->machine, member, TRACE_ROWS, at->slot, at->step, before, clock_ns());
}

static int deal_out(void *context, struct chain_rows *at, struct scratch *scratch, struct error *error)
{
    const struct team *team = context;
    struct scratch scratches[TEAM_MOST_MEMBERS];
    struct error errors[TEAM_MOST_MEMBERS] = {0};
    unsigned members = team->members < TEAM_MOST_MEMBERS ? team->members : TEAM_MOST_MEMBERS;
    if (at->stage->begin)
        TRY(at->stage->begin(&at->run, scratch, error));
    for (unsigned i = 0; i < members; i++) {
        void *base = scratch_alloc(scratch, 1, at->plan.rows_scratch_bytes);
        if (!base)
            return error_set(error, ERROR_INTERNAL, "needs more scratch than was planned");
        scratches[i] = (struct scratch){base, at->plan.rows_scratch_bytes, 0};
    }
    uint32_t height = shape_rows(&at->run.out), ranges = members * RANGES_EACH;
    uint32_t rows_each = (height + ranges - 1) / ranges;
    struct share share = {team->machine, at, scratches, errors,
                          rows_each > LEAST_ROWS ? rows_each : LEAST_ROWS};
    team->deal(work_on, &share, members, (height + share.rows_each - 1) / share.rows_each);
    for (unsigned i = 0; i < members; i++) {
        if (errors[i].code) {
            *error = errors[i];
            return errors[i].code;
        }
    }
    return 0;
}

struct chain_sharing team_sharing(struct team *team)
{
    return (struct chain_sharing){.context = team, .wanted = wanted, .work = deal_out};
}
