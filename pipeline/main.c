/* SPDX-License-Identifier: MIT */
/* forkmill: one command, chosen by the first word. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pipeline/cli/cli.h"
#include "pipeline/shared/stall.h"

/* A file opened while 0, 1 or 2 is closed would take that number, and messages would go into it. What stands
 * in for standard input cannot be read nor that for standard output written, so that who needs them gets an
 * error. */
static int hold_standard_files(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int file = 0; file <= 2; file++) {
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", modes[file]) < 0) {
            fprintf(stderr, "forkmill: error: /dev/null, in place of a closed standard file: %s\n",
                    strerror(errno));
            return -1;
        }
    }
    return 0;
}

#define STACK_LEAST_BYTES ((rlim_t)512 << 10)
#define STACK_BYTES       ((rlim_t)8 << 20)

/* The stack of the first thread may grow up to a limit that can be raised at any time; those of other threads
 * are as large as it was at the start, unless told otherwise. */
static int hold_stack(void)
{
    struct rlimit limit;
    pthread_attr_t attributes;
    if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK_BYTES)
        return 0;
    struct rlimit wanted = {.rlim_cur = STACK_BYTES, .rlim_max = limit.rlim_max};
    if (wanted.rlim_max < STACK_BYTES)
        wanted.rlim_max = STACK_BYTES; /* with the privilege for it */
    if (setrlimit(RLIMIT_STACK, &wanted) < 0) {
        wanted = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (limit.rlim_max < STACK_LEAST_BYTES || setrlimit(RLIMIT_STACK, &wanted) < 0) {
            fprintf(stderr,
                    "forkmill: error: the stack may not grow beyond %llu KiB; ulimit -s %llu would do\n",
                    (unsigned long long)limit.rlim_max >> 10, (unsigned long long)STACK_LEAST_BYTES >> 10);
            return -1;
        }
    }
    if (pthread_attr_init(&attributes) == 0) {
        if (pthread_attr_setstacksize(&attributes, wanted.rlim_cur) == 0)
            pthread_setattr_default_np(&attributes);
        pthread_attr_destroy(&attributes);
    }
    return 0;
}

static int unknown_command(const char *word)
{
    struct diag diag = {0};
    char nearest[32];
    if (!*word) {
        diag_error(&diag, "a command is wanted, as in: forkmill run -i photos -o thumbs");
    } else if (word[0] == '-') {
        diag_error(&diag, "the command comes first, as in: forkmill run %.80s ...", word);
    } else if (stage_find(word)) {
        diag_error(&diag, "%s is a stage, as in: forkmill run -i photos -o thumbs -s %s", word, word);
    } else {
        const char *near =
            param_nearest(word, "run|bench|report|stages|check|doctor|help|version", nearest, sizeof nearest);
        diag_error(&diag, "unknown command '%.80s'%s%s%s", word, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
        diag_allowed(&diag, "commands", "run|bench|report|stages|check|doctor");
    }
    cli_show(&diag, "forkmill --help");
    diag_free(&diag);
    return EXIT_USAGE;
}

static int choose(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (argc == 3 && strcmp(argv[2], "--version") == 0)
        word = argv[2]; /* of whatever command */
    if (argc > 2 && strcmp(word, "help") == 0)
        return choose(3, (char *[]){argv[0], argv[2], (char[]){"--help"}, NULL});
    if (strcmp(word, "run") == 0)
        return cli_run(argc - 2, argv + 2);
    if (strcmp(word, "bench") == 0)
        return cli_bench(argc - 2, argv + 2);
    if (strcmp(word, "stages") == 0)
        return cli_stages(argc - 2, argv + 2);
    if (strcmp(word, "report") == 0)
        return cli_report(argc - 2, argv + 2);
    if (strcmp(word, "check") == 0)
        return cli_check(argc - 2, argv + 2);
    if (strcmp(word, "doctor") == 0)
        return cli_doctor(argc - 2, argv + 2);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        cli_help();
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0 || strcmp(word, "version") == 0)
        printf("forkmill %s\n", FORKMILL_VERSION);
    else if (strcmp(word, "--help-man") == 0)
        cli_man_page();
    else if (strcmp(word, "--help-bash") == 0)
        cli_completion();
    else
        return unknown_command(word);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    if (hold_standard_files() < 0)
        return EXIT_FATAL;
    if (hold_stack() < 0)
        return EXIT_RESOURCES;
    /* What is freed into fast bins is gone through by the next large malloc; in a worker that would copy all
     * those pages. */
    mallopt(M_MXFAST, 0);
    struct error error = {0};
    if (stall_configure(getenv("FORKMILL_STALLS"), &error) < 0) {
        fprintf(stderr, "forkmill: error: FORKMILL_STALLS: %s\n", error.reason);
        return EXIT_USAGE;
    }
    return cli_flush(choose(argc, argv));
}
