/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_EXIT_CODE_H
#define PIPELINE_EXIT_CODE_H

/* What the program's exit code says. */
enum exit_code {
    EXIT_DONE = 0,         /* all done or rightly skipped */
    EXIT_FAILED_ITEMS = 1, /* some items failed */
    EXIT_USAGE = 2,        /* usage or config; nothing was started */
    EXIT_NO_INPUT = 3,     /* no input matched */
    EXIT_STOPPED = 4,      /* by max_failures */
    EXIT_FATAL = 5,        /* the environment failed: a full output disk */
    EXIT_RESOURCES = 75,   /* not enough memory or descriptors to start, or the output is in use */
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143,
};

#endif
