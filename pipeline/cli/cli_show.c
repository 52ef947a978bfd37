/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

int cli_show(const struct diag *diag, const char *advice)
{
    if (diag->starved) {
        fputs("forkmill: error: out of memory\n", stderr);
        return EXIT_RESOURCES;
    }
    if (diag->text)
        fputs(diag->text, stderr);
    if (diag->hidden)
        fprintf(stderr, "forkmill: %u more errors\n", diag->hidden);
    if (advice)
        fprintf(stderr, "forkmill: see %s\n", advice);
    return diag->errors ? EXIT_USAGE : EXIT_DONE;
}
