/* SPDX-License-Identifier: MIT */
/* Places and names of a run: everything that can be refused before anything is made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/engine/sandbox.h"
#include "pipeline/run/exit_code.h"
#include "pipeline/run/gather.h"
#include "pipeline/run/run_parts.h"

struct scan_options run_scan_options(const struct settings *settings, int stop_fd)
{
    return (struct scan_options){
        .inputs = &settings->inputs,
        .files_from = settings->files_from,
        .null_separated = settings->null_separated,
        .recursive = settings->recursive,
        .include = &settings->include,
        .exclude = &settings->exclude,
        .stop_fd = stop_fd,
    };
}

static bool same_directory(const char *a, const char *b)
{
    const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
    const size_t length_a = slash_a ? (size_t)(slash_a - a) : 0,
                 length_b = slash_b ? (size_t)(slash_b - b) : 0;
    return length_a == length_b && memcmp(a, b, length_a) == 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat at_a, at_b;
    return stat(a, &at_a) == 0 && stat(b, &at_b) == 0 && at_a.st_dev == at_b.st_dev &&
           at_a.st_ino == at_b.st_ino;
}

/* With a way out: a list keeps whole paths, which part files of different directories. */
static void complain_of_clash(const struct run *run, const struct outname_clash *clash)
{
    char *text;
    const char *output = run->job.settings.output;
    int length;
    if (clash->who)
        length = asprintf(&text, "%s would make %s/%s, which is the file that %s writes", clash->first,
                          output, clash->output, clash->who);
    else if (strcmp(clash->first, clash->second) == 0)
        length = asprintf(&text, "%s would make %s/%s twice: %s", clash->first, output, clash->output,
                          run->job.output_count > 1 ? "it is given twice, or two outputs have one name"
                                                    : "it is given twice");
    else if (same_file(clash->first, clash->second))
        length = asprintf(&text, "%s and %s are the same file, and would make %s/%s twice; give it once",
                          clash->first, clash->second, output, clash->output);
    else
        length =
            asprintf(&text, "%s and %s would both make %s/%s; give each an output directory of its own%s",
                     clash->first, clash->second, output, clash->output,
                     run->job.settings.files_from || same_directory(clash->first, clash->second)
                         ? ""
                         : ", or list them for --files-from, which keeps whole paths");
    if (length < 0)
        return;
    run->options.complain(text);
    free(text);
}

/* Would two inputs make one output, and how many are there? Known before any work where they can be listed
 * twice. The reader watches all the same: what is listed then may have changed. */
static int check_names(struct run *run, const struct scan_options *options, struct error *error)
{
    struct outname_rule *rule = &run->reader.names;
    rule->kept = outname_kept(options, rule);
    struct outname_clash clash = {0};
    int code = outname_can_look(options) ? outname_check(options, rule, &run->expected, &clash, error) : 0;
    if (clash.first) {
        complain_of_clash(run, &clash);
        run->complained = true;
    }
    outname_clash_free(&clash);
    if (code == 0 && rule->form_count > 0 && !(rule->taken = outname_set_new()))
        code = error_set(error, ERROR_MEMORY, "out of memory");
    return code;
}

/* Is there anything to do, or to fail? A walk as far as the first of that. */
static bool anything(struct scan *scan)
{
    struct scan_entry entry;
    while (scan_next(scan, &entry)) {
        const struct scan_counts counts = scan_counts(scan);
        if (scan_found(&counts))
            return true;
    }
    return false;
}

static void complain_of_nothing(struct run *run, const struct scan *scan)
{
    char left[SUMMARY_LEFT_OUT_SIZE], *text;
    const struct scan_counts counts = scan_counts(scan);
    const struct param_list *inputs = &run->job.settings.inputs;
    const bool pattern = counts.unmatched > 0 && inputs->count == 1;
    summary_left_out(&counts, left, sizeof left);
    if (asprintf(&text, "no input matched%s%s%s%s", pattern ? " " : "", pattern ? inputs->texts[0] : "",
                 *left ? "; left out: " : "", left) < 0)
        return;
    run->options.complain(text);
    run->complained = true;
    free(text);
}

/* Inputs that are missing or hold nothing are told before the output directory is made. A list that is there
 * and can be opened only once is left to the run. */
static int look_for_inputs(struct run *run, const struct scan_options *options, struct error *error)
{
    const char *list = options->files_from;
    if (list && !outname_can_look(options) && (strcmp(list, "-") == 0 || access(list, R_OK) == 0))
        return 0;
    struct scan *scan;
    int code = scan_open(&scan, options, error);
    if (code == 0 && !anything(scan)) {
        complain_of_nothing(run, scan);
        code = SCAN_NO_INPUT;
    }
    scan_close(scan);
    return code;
}

static void name_outputs(struct run *run)
{
    const struct job *job = &run->job;
    for (unsigned i = 0; i < job->output_count; i++)
        run->names[i] = outname_form_of(&job->outputs[i].save, job_tiles(job, i) != NULL);
    run->reader.names.forms = run->names;
    run->reader.names.form_count = job->output_count;
}

static int open_reference(struct run *run, struct error *error)
{
    const char *directory = job_reference(&run->job, NULL);
    if (!directory)
        return 0;
    run->reader.places.reference_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->reader.places.reference_fd < 0)
        return error_set(error, ERROR_USAGE, "the reference directory %.120s cannot be opened: %s", directory,
                         strerror(errno));
    return 0;
}

/* An item that was done turns out not to go with the others. */
static void retract(void *context, const char *shown, const struct error *error)
{
    struct run *run = context;
    struct error own = {0};
    if (run->journal && journal_retract(run->journal, shown, error, &own) < 0)
        ledger_stop_broken(&run->ledger, &own);
    ledger_retract(&run->ledger, shown, error);
}

/* The copy of an item that failed could not be made. */
static void tell_of_copy(void *context, const char *shown, const char *text)
{
    struct run *run = context;
    progress_message(run->progress, PROGRESS_NORMAL, "quarantine: %s: %s", shown, text);
}

/* Where the quarantine lies in the output directory, outputs keep out of it. */
static int open_quarantine(struct run *run, const struct scan_options *options, struct error *error)
{
    const struct settings *settings = &run->job.settings;
    char *within;
    if (!settings->quarantine || run->options.dry_run)
        return 0;
    TRY(quarantine_open(&run->quarantine, settings->quarantine, options, settings->output, run->scan,
                        tell_of_copy, run, error));
    if (asprintf(&within, "%s/", settings->quarantine) < 0)
        return error_set(error, ERROR_MEMORY, "out of memory");
    run_extras_reserve(run, within, "quarantine");
    free(within);
    return 0;
}

/* Where workers have to be locked in: can they be? */
static int check_sandbox(const struct run *run, struct error *error)
{
    struct sandbox sandbox;
    if (run->job.settings.sandbox != SANDBOX_REQUIRED)
        return 0;
    if (!run->engine->confinement)
        return error_set(error, ERROR_USAGE, "sandbox: required needs engine process, not %s",
                         run->engine->name);
    if (!sandbox_possible(&sandbox))
        return error_set(error, ERROR_UNSUPPORTED, "sandbox: required, and %s", sandbox.lacks);
    return 0;
}

/* Opens what is made of all items together. */
static int open_gathering(struct run *run, struct error *error)
{
    return gather_open(&run->gather, &run->job, outfile_directory(run->out, NULL), retract, run, error);
}

int run_open_places(struct run *run)
{
    struct error error = {0};
    const struct settings *settings = &run->job.settings;
    name_outputs(run);
    struct scan_options options = run_scan_options(settings, run->stop_fd);
    int code = check_sandbox(run, &error);
    if (code == 0)
        code = outname_check_places(&options, settings->output, &run->reader.names, &error);
    struct stat st;
    if (code == 0 && stat(settings->output, &st) == 0) {
        options.has_output = true;
        options.output_dev = st.st_dev;
        options.output_ino = st.st_ino;
    }
    if (code == 0)
        code = look_for_inputs(run, &options, &error);
    if (code == 0)
        code = run_extras(run, &options, &error);
    if (code == 0)
        code = check_names(run, &options, &error);
    if (code == 0)
        code = open_reference(run, &error);
    if (code == 0 && !run->options.dry_run) {
        code = outfile_open(&run->out, settings->output, &error);
        if (code == 0 && settings->fsync)
            outfile_make_durable(run->out);
        if (code == 0 && outfile_directory(run->out, &st) >= 0) {
            options.has_output = true;
            options.output_dev = st.st_dev;
            options.output_ino = st.st_ino;
        }
    }
    if (code == 0)
        code = run_journal_open(run, &error);
    run_journal_resume(run);
    if (code == 0)
        code = scan_open(&run->scan, &options, &error);
    run->reader.places.scan = run->scan;
    if (code == 0 && !run->options.dry_run)
        code = open_gathering(run, &error);
    if (code == 0)
        code = open_quarantine(run, &options, &error);
    if (code == 0 && !run->options.dry_run)
        code = run_trace_open(run, &error);
    return code == 0 ? EXIT_DONE : run_refuse(run, code, &error);
}
