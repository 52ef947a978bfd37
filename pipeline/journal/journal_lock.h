/* SPDX-License-Identifier: MIT */
/* Only one run at a time works on an output directory. */
#ifndef PIPELINE_JOURNAL_LOCK_H
#define PIPELINE_JOURNAL_LOCK_H

#include <stdbool.h>

#include "stages/error.h"

#define JOURNAL_LOCK_FILE ".forkmill-journal.lock"

/* Locks the directory that `directory` is a descriptor of; `shown` is its name for messages. A descriptor, to
 * be given to journal_unlock. The lock ends with the process, however that ends, unless a child keeps the
 * descriptor open. ERROR_BUSY where it is held already, ERROR_IO. Does not wait. */
int journal_lock(int directory, const char *shown, struct error *error);

/* Does anyone hold the lock of the directory called `output`? */
bool journal_lock_held(const char *output);

/* Removes the lock's file, too. Accepts -1. */
void journal_unlock(int directory, int lock);

#endif
