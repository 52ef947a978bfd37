/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

#include <limits.h>
#include <unistd.h>

#include "pipeline/config/allotted.h"
#include "pipeline/report/escape.h"
#include "pipeline/run/run.h"
#include "pipeline/shared/machine.h"

/* Room for any path when every byte of it is escaped. */
#define SHOWN_BYTES (4 * PATH_MAX + 4)

static void complain(const char *text)
{
    char shown[2 * SHOWN_BYTES];
    fprintf(stderr, "forkmill: %s\n", escape_text(text, shown, sizeof shown));
}

/* What a dry run counted: inputs. */
static struct {
    unsigned long long done, failed, skipped;
    bool verbose;
} dry;

static void would(enum run_would what, const char *input, const char *output, const struct error *error)
{
    char from[SHOWN_BYTES], to[SHOWN_BYTES];
    escape_text(input, from, sizeof from);
    escape_text(output ? output : error->reason, to, sizeof to);
    dry.done += what == RUN_WOULD_DO;
    dry.failed += what == RUN_WOULD_FAIL;
    dry.skipped += what == RUN_WOULD_SKIP;
    if (what == RUN_WOULD_DO || what == RUN_WOULD_DO_MORE)
        printf("%s -> %s\n", from, to);
    else if (what == RUN_WOULD_SKIP && dry.verbose)
        fprintf(stderr, "would skip: %s: up to date\n", from);
    else if (what == RUN_WOULD_FAIL)
        fprintf(stderr, "would fail: %s: %s%s%s\n", from, error->stage, *error->stage ? ": " : "", to);
}

static int run(const struct cli_args *args, struct config *config)
{
    if (config_require(config) < 0)
        return cli_show(config->diag, "forkmill run --help");
    if (!args->quiet)
        cli_show(config->diag, NULL);
    job_resolve(&config->job);
    machine_fit(&config->job);
    const struct run_options options = {
        .verbosity = args->quiet ? -1 : args->verbose,
        .dry_run = args->dry_run,
        .again = args->force          ? RUN_AGAIN_ALL
                 : args->retry_failed ? RUN_AGAIN_FAILED
                                      : RUN_AGAIN_NONE,
        .complain = complain,
        .would = would,
    };
    struct summary summary = {0};
    dry.verbose = args->verbose;
    int code = run_job(&config->job, &options, &summary);
    if (args->dry_run && !args->quiet && dry.done + dry.failed + dry.skipped > 0)
        fprintf(stderr,
                "dry run: %llu would be done, %llu would fail, %llu up to date; nothing was created\n",
                dry.done, dry.failed, dry.skipped);
    if (summary.wall_ns > 0) {
        if (summary.found > 0)
            summary_print(&summary, stderr, options.verbosity);
        if (args->json && summary_print_json(&summary, stdout) < 0)
            code = EXIT_FATAL;
    }
    if (summary.abandoned)
        _exit(cli_flush(code));
    summary_free(&summary);
    return code;
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
            code = cli_show(&diag, usage ? "forkmill run --help" : NULL);
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
