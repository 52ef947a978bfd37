/* SPDX-License-Identifier: MIT */
/* Tools for comparisons that have many jobs, since to start a process takes longer than most of them:
 *
 *     TOOL -
 *
 * does one job for each line of standard input, which holds its arguments with the byte 0x1f between them.
 * What the job prints, errors too, is followed by a line "= CODE". */
#ifndef TESTS_JOBS_H
#define TESTS_JOBS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOBS_MOST_ARGUMENTS 64

/* The main function of a tool whose one job is `job`, which takes and returns what main does. */
static inline int jobs_main(int argc, char **argv, int (*job)(int argc, char **argv))
{
    char *line = NULL;
    size_t size = 0;
    if (argc != 2 || strcmp(argv[1], "-") != 0)
        return job(argc, argv);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        char *words[JOBS_MOST_ARGUMENTS + 1] = {argv[0]}, *rest = line;
        int count = 1;
        line[length - 1] = '\0';
        while (rest && count < JOBS_MOST_ARGUMENTS)
            words[count++] = strsep(&rest, "\x1f");
        optind = 0; /* getopt begins anew */
        printf("= %d\n", job(count, words));
        fflush(stdout);
    }
    free(line);
    return 0;
}

#endif
