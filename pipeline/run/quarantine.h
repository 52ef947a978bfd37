/* SPDX-License-Identifier: MIT */
/* Items that failed are set aside: a copy of each one's input below a directory, with a text beside it that
 * says why. Whoever fails an item only notes it; the copying is left to one thread. */
#ifndef PIPELINE_QUARANTINE_H
#define PIPELINE_QUARANTINE_H

#include "pipeline/files/scan.h"
#include "pipeline/run/ledger.h"

struct quarantine;

/* Makes the directory where it is missing, and asks outname_check_aside. ERROR_USAGE, else as outfile_open.
 * The scan must outlive it. `tell` is called with what went wrong with a copy; `shown` is the item's. */
int quarantine_open(struct quarantine **quarantine, const char *directory, const struct scan_options *inputs,
                    const char *output, const struct scan *scan,
                    void (*tell)(void *context, const char *shown, const char *text), void *context,
                    struct error *error);

/* Notes an item that failed; copies what it needs. Any thread; does not block on files. Accepts NULL. */
void quarantine_note(struct quarantine *quarantine, const struct item *item, const struct error *error,
                     uint32_t attempts);

/* Copies what was noted. One thread at a time; blocks on the disk. Accepts NULL. */
void quarantine_work(struct quarantine *quarantine);

/* Accepts NULL. What was noted and not copied yet is dropped. */
void quarantine_close(struct quarantine *quarantine);

#endif
