/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/files/match.h"
#include "pipeline/report/escape.h"

/* Inputs may come later: one that is not there makes no config wrong. */
static void warn_of_missing(const struct config *config, struct diag *diag)
{
    const struct settings *settings = &config->job.settings;
    struct stat st;
    for (size_t i = 0; i < settings->inputs.count; i++) {
        const char *input = settings->inputs.texts[i];
        if (*input && stat(input, &st) < 0 && !match_is_pattern(input))
            diag_warning(diag, "input: %.300s: %s", input, strerror(errno));
    }
    const char *list = settings->files_from;
    if (list && *list && strcmp(list, "-") != 0 && stat(list, &st) < 0)
        diag_warning(diag, "files_from: %.300s: %s", list, strerror(errno));
}

static int check(const char *path, struct diag *diag)
{
    static char *const no_environment[] = {NULL};
    struct config config;
    config_load(&config, path, no_environment, NULL, 0, diag);
    warn_of_missing(&config, diag);
    const int code = cli_show(diag, NULL);
    if (diag->errors == 0) {
        char safe[1024];
        const struct job *job = &config.job;
        printf("%s: ok, %u stage%s, %u pool%s\n", escape_text(config.yaml.source.name, safe, sizeof safe),
               job->stage_count, job->stage_count == 1 ? "" : "s", job->pool_count,
               job->pool_count == 1 ? "" : "s");
    }
    config_free(&config);
    return code;
}

int cli_check(int argc, char **argv)
{
    struct diag diag = {0};
    struct cli_args args;
    int code = EXIT_DONE;
    bool usage = cli_args_parse(&args, CLI_CHECK, argc, argv, &diag) < 0;
    if (!args.help && !usage && args.word_count == 0) {
        diag_error(&diag, "a config is wanted, as in: forkmill check thumbs.yaml");
        usage = true;
    }
    if (args.help) {
        cli_help_command(CLI_CHECK);
    } else if (usage) {
        code = cli_show(&diag, "forkmill check --help");
    } else {
        code = check(args.words[0], &diag);
    }
    cli_args_free(&args);
    diag_free(&diag);
    return code;
}
