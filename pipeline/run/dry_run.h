/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_DRY_RUN_H
#define PIPELINE_DRY_RUN_H

struct run;

/* Tells what a run would make of each input (options.would), from names and headers alone; nothing is
 * created. Returns the exit code that fits. */
int dry_run(struct run *run);

#endif
