/* SPDX-License-Identifier: MIT */
/* The commands. They and main.c are the only files that print; each returns its exit code. */
#ifndef PIPELINE_CLI_H
#define PIPELINE_CLI_H

#include <stdio.h>

#include "pipeline/cli/cli_args.h"
#include "pipeline/config/config.h"
#include "pipeline/run/exit_code.h"

/* Each is given the words behind its name. */
int cli_run(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_stages(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_doctor(int argc, char **argv);

/* Writes the texts made from the tables to standard output. */
void cli_help(void);
void cli_help_command(enum cli_command command);
void cli_man_page(void);
void cli_completion(void);

/* The command at this place among all, and what it is called; NULL: there is none. */
const char *cli_command_name(size_t index, enum cli_command *command);

/* Has the command a switch that stands in for the setting? */
bool cli_hides(enum cli_command command, const struct param *setting);

/* Writes the config's values to standard output as a config that gives the same job, with their origins. */
void cli_print_config(const struct config *config);

/* Writes what was collected to standard error. `advice` (NULL: none) names the help to look at. Returns the
 * exit code for it: EXIT_DONE where there were no errors. */
int cli_show(const struct diag *diag, const char *advice);

/* The last word to standard output: writes out what is left. Returns `code`, or EXIT_FATAL with a message
 * where any of the output was lost. */
int cli_flush(int code);

#endif
