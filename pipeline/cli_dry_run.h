/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_CLI_DRY_RUN_H
#define PIPELINE_CLI_DRY_RUN_H

struct run;

/* Lists what a run would make of each input, a line each on standard output, from names and headers alone;
 * nothing is created. Inputs that would be refused are told on standard error. Returns the exit code. */
int cli_dry_run(struct run *run);

#endif
