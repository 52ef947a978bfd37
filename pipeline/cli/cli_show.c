/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

#include <errno.h>
#include <string.h>

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

int cli_flush(int code)
{
    errno = 0; /* stays so where an earlier write failed, and why is not known any more */
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "forkmill: error: cannot write to standard output%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return EXIT_FATAL;
}
