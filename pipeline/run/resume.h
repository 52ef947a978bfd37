/* SPDX-License-Identifier: MIT */
/* Does an item need any work? Not where the journal says that the same file went through the same config and
 * its outputs still stand; nor where it failed then, of something that would only happen again. */
#ifndef PIPELINE_RESUME_H
#define PIPELINE_RESUME_H

#include "pipeline/journal/journal.h"
#include "pipeline/run/gather.h"
#include "pipeline/run/ledger.h"
#include "pipeline/run/quarantine.h"

struct resume {
    struct journal *journal;       /* NULL: every item needs work */
    struct gather *gather;         /* NULL: nothing is gathered */
    struct quarantine *quarantine; /* NULL: failed inputs stay where they are */
    int directory;                 /* of outputs */
    bool records;                  /* an item counts as done only with what stages told about it */
    bool retry_failed;
    struct journal_found found; /* of the item at hand */
};

/* Can items of such a job be skipped at all? Not where they are combined into one, and not where each is
 * compared with another file, of which the journal knows nothing. */
bool resume_possible(const struct job *job);

/* What earlier runs made of the item; `found` has the rest. Below 0: the journal cannot be read. */
int resume_judge(struct resume *resume, const char *shown, const char *rel, const struct stat *st,
                 enum journal_fate *fate, struct error *error);

/* Tells the ledger, and what is gathered, of an item that needs no work: true, and it is freed. The reader's
 * thread. */
bool resume_settle(struct resume *resume, struct ledger *ledger, struct item *item, const struct stat *st);

void resume_free(struct resume *resume);

#endif
