/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/bench/bench.h"
#include "pipeline/config/allotted.h"
#include "pipeline/files/resolve.h"
#include "pipeline/report/escape.h"
#include "pipeline/report/report_file.h"

/* Where a pool marker says `workers` itself; see config_pool_table. */
#define GIVEN_WORKERS 1

/* Room for any path when every byte of it is escaped. */
#define SHOWN_BYTES (4 * PATH_MAX + 4)

/* How much is told while runs go on. */
static int verbosity;

static void complain(const char *text)
{
    char shown[2 * SHOWN_BYTES];
    fprintf(stderr, "%sforkmill: %s\n", isatty(STDERR_FILENO) && verbosity >= 0 ? "\r\033[K" : "",
            escape_text(text, shown, sizeof shown));
}

/* On a terminal one line that is written over; elsewhere a line for each run that is over, with -v. */
static void begin(const struct bench_cell *cell, bool warmup, unsigned at, unsigned total)
{
    char name[64];
    if (verbosity >= 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%u of %u: %s%s", at, total, bench_plan_name(cell, name, sizeof name),
                warmup ? " (warm-up)" : "");
}

static void end(const struct bench_cell *cell, bool warmup, uint64_t wall_ns)
{
    char name[64];
    if (verbosity >= 0 && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (verbosity > 0)
        fprintf(stderr, "%s: %.3f s%s\n", bench_plan_name(cell, name, sizeof name), (double)wall_ns / 1e9,
                warmup ? " (warm-up)" : "");
}

/* What a bench wants of a config beyond valid values. */
static void require(struct config *config, struct diag *diag)
{
    const struct settings *settings = &config->job.settings;
    const size_t engine = (size_t)(param_find(settings_table, "engine") - settings_table);
    const size_t journal = (size_t)(param_find(settings_table, "journal") - settings_table);
    if (settings->inputs.count == 0 && !settings->files_from)
        diag_error(diag, "no input is given; for example: forkmill bench -i photos -s resize:width=800");
    if (settings->files_from && strcmp(settings->files_from, "-") == 0)
        diag_error(diag, "files_from: a bench reads the list once for each run, standard input has it once");
    /* A journal is measured only where somebody asks for it. */
    if (config->origins[journal].source == CONFIG_DEFAULT)
        config->job.settings.journal = false;
    if (config->origins[engine].source == CONFIG_FLAG)
        diag_error(diag, "--engine: bench compares engines; say which ones by --engines");
}

/* Where temporary outputs go: beside the output, on the same file system, or where temporary files go. */
static char *output_place(const struct settings *settings)
{
    const char *temporary = getenv("TMPDIR");
    if (!settings->output || !*settings->output)
        return strdup(temporary && *temporary ? temporary : "/tmp");
    char *place = strdup(settings->output);
    if (!place)
        return NULL;
    size_t length = strlen(place);
    while (length > 1 && place[length - 1] == '/')
        place[--length] = '\0';
    char *slash = strrchr(place, '/');
    if (!slash)
        strcpy(place, ".");
    else
        slash[slash == place] = '\0';
    return place;
}

struct sinks {
    struct report_file json, html;
    bool json_to_stdout;
};

static bool same_place(const char *a, const char *b)
{
    char *place_a = resolve_place(a), *place_b = resolve_place(b);
    const bool same = place_a && place_b && strcmp(place_a, place_b) == 0;
    free(place_a);
    free(place_b);
    return same;
}

/* Opens what the result is to be written to, before hours of runs. */
static int open_sinks(struct sinks *sinks, const struct cli_args *args, struct diag *diag)
{
    struct error error = {0};
    char shown[sizeof error.reason * 4];
    sinks->json_to_stdout = args->json_file && strcmp(args->json_file, "-") == 0;
    if (args->json_file && args->html_file && !sinks->json_to_stdout &&
        same_place(args->json_file, args->html_file))
        diag_error(diag, "--json and --html would both write %.160s", args->html_file);
    if (args->json_file && !sinks->json_to_stdout &&
        report_file_open(&sinks->json, args->json_file, REPORT_FILE_JSON, &error) < 0)
        diag_error(diag, "--json: cannot write %s", escape_text(error.reason, shown, sizeof shown));
    if (args->html_file && report_file_open(&sinks->html, args->html_file, REPORT_FILE_PAGE, &error) < 0)
        diag_error(diag, "--html: cannot write %s", escape_text(error.reason, shown, sizeof shown));
    return diag->errors ? cli_show(diag, "forkmill bench --help") : EXIT_DONE;
}

static int keep(struct report_file *file, int code, struct error *error)
{
    if (!file->stream)
        return 0;
    if (code < 0) {
        error_set(error, ERROR_IO, "%.180s: cannot be written", file->path);
        report_file_drop(file);
        return code;
    }
    return report_file_keep(file, error);
}

static int tell(const struct bench_report *report, struct sinks *sinks)
{
    struct error error = {0};
    const char *no_colour = getenv("NO_COLOR");
    FILE *to = sinks->json_to_stdout ? stderr : stdout;
    int code = EXIT_DONE;
    if (!sinks->json_to_stdout || verbosity >= 0)
        bench_text(report, isatty(fileno(to)) && !(no_colour && *no_colour), to);
    if (sinks->json_to_stdout && bench_json(report, stdout) < 0)
        code = EXIT_FATAL;
    if (sinks->json.stream && keep(&sinks->json, bench_json(report, sinks->json.stream), &error) < 0)
        code = EXIT_FATAL;
    if (sinks->html.stream && keep(&sinks->html, bench_html(report, sinks->html.stream), &error) < 0)
        code = EXIT_FATAL;
    if (error.code)
        complain(error.reason);
    return code;
}

static int bench(struct bench_report *report, const struct config *config, const struct cli_args *args,
                 struct diag *diag)
{
    static const struct bench_hooks hooks = {complain, begin, end};
    struct sinks sinks = {.json_to_stdout = false};
    bool follows[JOB_MAX_POOLS];
    char *place = output_place(&config->job.settings);
    for (unsigned i = 0; i < JOB_MAX_POOLS; i++)
        follows[i] = !config->pools[i].given[GIVEN_WORKERS];
    if (!place)
        diag_starve(diag);
    int code = open_sinks(&sinks, args, diag);
    if (code == EXIT_DONE)
        code = bench_run(report, follows, place, &hooks);
    if (code == EXIT_DONE)
        code = tell(report, &sinks);
    report_file_drop(&sinks.json);
    report_file_drop(&sinks.html);
    free(place);
    return code;
}

int cli_bench(int argc, char **argv)
{
    struct diag diag = {0};
    struct cli_args args;
    struct config config = {0};
    int code = EXIT_USAGE;
    struct bench_report *report = calloc(1, sizeof *report);
    if (!report)
        return EXIT_RESOURCES;
    bool usage = cli_args_parse(&args, CLI_BENCH, argc, argv, &diag) < 0;
    verbosity = args.quiet ? -1 : args.verbose;
    if (args.help) {
        cli_help_command(CLI_BENCH);
        code = EXIT_DONE;
    } else {
        config_load(&config, usage ? NULL : args.words[0], environ, args.flags, args.flag_count, &diag);
        require(&config, &diag);
        job_resolve(&config.job);
        bench_plan_make(&report->plan, &args.bench, &config.job, &diag);
        if (diag.errors || !args.quiet)
            code = cli_show(&diag, diag.errors ? "forkmill bench --help" : NULL);
        report->job = &config.job;
        report->command = argv - 2;
        report->command_count = argc + 2;
        if (diag.errors == 0)
            code = bench(report, &config, &args, &diag);
    }
    bench_free(report);
    free(report);
    config_free(&config);
    cli_args_free(&args);
    diag_free(&diag);
    return code;
}
