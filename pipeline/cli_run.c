/* SPDX-License-Identifier: MIT */
#include "pipeline/cli.h"

#include <unistd.h>

#include "pipeline/allotted.h"
#include "pipeline/escape.h"
#include "pipeline/run.h"

static void complain(const char *text)
{
    char shown[8192];
    fprintf(stderr, "forkmill: %s\n", escape_text(text, shown, sizeof shown));
}

static int run(const struct cli_args *args, struct config *config)
{
    if (config_require(config) < 0) {
        cli_show(config->diag, "forkmill run --help");
        return EXIT_USAGE;
    }
    if (!args->quiet)
        cli_show(config->diag, NULL);
    job_resolve(&config->job);
    const struct run_options options = {
        .verbosity = args->quiet ? -1 : args->verbose,
        .json = args->json,
        .dry_run = args->dry_run,
        .complain = complain,
    };
    return run_job(&config->job, &options);
}

int cli_run(int argc, char **argv)
{
    struct diag diag = {0};
    struct cli_args args;
    struct config config = {0};
    int code = EXIT_DONE;
    bool usage = cli_args_parse(&args, CLI_RUN, argc, argv, &diag) < 0;
    if (args.help) {
        cli_help_command(CLI_RUN);
    } else {
        /* Behind an unknown flag, what looks like a config may be the flag's value. */
        config_load(&config, usage ? NULL : args.words[0], environ, args.flags, args.flag_count, &diag);
        if (diag.errors > 0) {
            cli_show(&diag, usage ? "forkmill run --help" : NULL);
            code = EXIT_USAGE;
        } else if (args.print_config) {
            cli_show(&diag, NULL);
            cli_print_config(&config);
        } else {
            code = run(&args, &config);
        }
    }
    config_free(&config);
    cli_args_free(&args);
    diag_free(&diag);
    return code;
}
