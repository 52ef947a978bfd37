/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

void cli_show(const struct diag *diag, const char *advice)
{
    if (diag->text)
        fputs(diag->text, stderr);
    if (diag->hidden)
        fprintf(stderr, "forkmill: %u more errors\n", diag->hidden);
    if (advice)
        fprintf(stderr, "forkmill: see %s\n", advice);
}
