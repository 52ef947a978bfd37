/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/cli/cli.h"
#include "pipeline/files/scan.h"
#include "pipeline/report/escape.h"
#include "pipeline/report/history.h"
#include "pipeline/report/report_file.h"

static int complain(const struct error *error, int exit_code)
{
    char safe[4 * sizeof error->reason];
    fprintf(stderr, "forkmill: %s\n", escape_text(error->reason, safe, sizeof safe));
    return exit_code;
}

static int write_page(const struct history *history, const char *output, const char *path)
{
    struct report_file file = {0};
    struct error error = {0};
    int code = report_file_open(&file, path, REPORT_FILE_PAGE, &error);
    if (code == 0)
        code = history_html(history, output, file.stream);
    if (code == 0)
        code = report_file_keep(&file, &error);
    report_file_drop(&file);
    if (code < 0 && error.code == 0)
        error_set(&error, ERROR_IO, "%.180s: cannot be written", path);
    return code < 0 ? complain(&error, error.code == ERROR_USAGE ? EXIT_USAGE : EXIT_FATAL) : EXIT_DONE;
}

static int tell(const struct history *history, const char *output, const struct cli_args *args)
{
    int code = EXIT_DONE;
    if (args->html_file)
        code = write_page(history, output, args->html_file);
    if (args->json)
        return history_print_json(history, output, args->failed, stdout) < 0 ? EXIT_FATAL : code;
    if (args->failed)
        history_print_failures(history, stdout);
    else if (!args->html_file)
        history_print(history, output, stdout);
    return code;
}

/* Without what is behind the last slash where that is the journal itself; the caller's to free. */
static char *directory_of(const char *given)
{
    const char *slash = strrchr(given, '/');
    const size_t length = slash ? (size_t)(slash - given) : 0;
    if (strcmp(slash ? slash + 1 : given, SCAN_JOURNAL_NAME) != 0)
        return strdup(given);
    return length ? strndup(given, length) : strdup(slash ? "/" : ".");
}

static int report(const char *output, const struct cli_args *args)
{
    static struct history history;
    struct error error = {0};
    struct stat st;
    const int missing = stat(output, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    if (missing == ENOENT || missing == ENOTDIR) {
        error_set(&error, ERROR_IO, "%.160s: %s; the output directory of a run is wanted", output,
                  strerror(missing));
        return complain(&error, EXIT_NO_INPUT);
    }
    int code = history_read(&history, output, &error);
    if (code == 0)
        error_set(&error, ERROR_IO, "%.160s has no journal; a run leaves one in its output directory",
                  output);
    int exit_code = code > 0    ? tell(&history, output, args)
                    : code == 0 ? complain(&error, EXIT_NO_INPUT)
                                : complain(&error, error.code == ERROR_MEMORY ? EXIT_RESOURCES : EXIT_FATAL);
    history_free(&history);
    return exit_code;
}

int cli_report(int argc, char **argv)
{
    struct diag diag = {0};
    struct cli_args args;
    int code = EXIT_DONE;
    cli_args_parse(&args, CLI_REPORT, argc, argv, &diag);
    if (!args.help && args.word_count == 0)
        diag_error(&diag, "whose journal? As in: forkmill report thumbs");
    if (args.help) {
        cli_help_command(CLI_REPORT);
    } else if (diag.errors) {
        code = cli_show(&diag, "forkmill report --help");
    } else {
        char *output = directory_of(args.words[0]);
        code = output ? report(output, &args) : EXIT_RESOURCES;
        free(output);
    }
    cli_args_free(&args);
    diag_free(&diag);
    return code;
}
