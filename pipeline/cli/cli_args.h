/* SPDX-License-Identifier: MIT */
/* The words of a command line, sorted: settings and stages for the config, switches for the command. */
#ifndef PIPELINE_CLI_ARGS_H
#define PIPELINE_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/bench/bench_plan.h"
#include "pipeline/config/config.h"
#include "pipeline/config/diag.h"

/* The commands a switch belongs to. */
enum cli_command {
    CLI_RUN = 1,
    CLI_STAGES = 2,
    CLI_CHECK = 4,
    CLI_BENCH = 8,
    CLI_DOCTOR = 16,
    CLI_REPORT = 32
};

/* A switch that is no setting; help texts come from the table of these. For its commands it hides the setting
 * of the same name. */
struct cli_switch {
    const char *name; /* without dashes */
    char letter;      /* or '\0' */
    size_t offset;    /* in struct cli_args: of a bool, or with `value` of a text; SIZE_MAX: of neither */
    unsigned commands;
    const char *value; /* what it takes, for help; NULL: nothing */
    const char *help;
};

struct cli_args {
    struct bench_request bench;
    const char *json_file, *html_file;
    bool help, json, dry_run, print_config, quiet, verbose, force, retry_failed, failed;
    const char *words[2]; /* what is no flag: CONFIG or NAME */
    unsigned word_count;
    struct config_flag *flags; /* in order, stages included */
    size_t flag_count;
};

/* Ended by a NULL name. */
extern const struct cli_switch cli_switches[];

/* The letter of a setting that has a short flag, or '\0'. */
char cli_letter(const struct param *setting);

/* Sorts argv[0 .. argc), the words behind the command. Those of `flags` that are settings are taken for
 * CLI_RUN and CLI_BENCH only. 0, or ERROR_USAGE with all that is wrong in *diag; args->help is valid either
 * way. Free it either way; it points into argv. */
int cli_args_parse(struct cli_args *args, enum cli_command command, int argc, char **argv, struct diag *diag);

void cli_args_free(struct cli_args *args);

#endif
