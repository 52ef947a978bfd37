/* SPDX-License-Identifier: MIT */
/* Only one run at a time works on an output directory. */
#ifndef PIPELINE_JOURNAL_LOCK_H
#define PIPELINE_JOURNAL_LOCK_H

#include <stdbool.h>

#include "stages/error.h"

#define JOURNAL_LOCK_FILE ".forkmill-journal.lock"

/* Locks the directory that `directory` is a descriptor of; `shown` is its name for messages. A descriptor, to
 * be given to journal_unlock. The lock is this process's alone: children do not inherit it, and it ends with
 * the process, however that ends. ERROR_BUSY where another process holds it, ERROR_IO. Does not wait. */
int journal_lock(int directory, const char *shown, struct error *error);

/* Does another process hold the lock of the directory called `output`? */
bool journal_lock_held(const char *output);

/* Removes the lock's file, too. Accepts -1. */
void journal_unlock(int directory, int lock);

#endif
