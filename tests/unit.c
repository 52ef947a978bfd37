/* SPDX-License-Identifier: MIT */
/* The unit tests in one program: a hundred would each have to be linked, and under valgrind take a second to
 * begin.
 *
 *   unit_tests NAME           as if the test were the program
 *   unit_tests NAME NAME...   each in a process of its own; 1 if any failed, with its name and how it ended
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif

/* As ctest has it. */
#define SKIPPED 77

#define UNIT(name) int name(void);
#include "unit_tests.inc"
#undef UNIT

static const struct unit {
    const char *name;
    int (*run)(void);
} units[] = {
#define UNIT(name) {#name, name},
#include "unit_tests.inc"
#undef UNIT
};

static const struct unit *find(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    }
    return NULL;
}

/* Valgrind shall say what it finds in a test, and be silent about the processes that the test starts and
 * kills. */
static void silence_children(void)
{
#ifdef VALGRIND_CLO_CHANGE
    VALGRIND_CLO_CHANGE("--child-silent-after-fork=yes");
#endif
}

static bool passes_beside_others(const struct unit *unit)
{
    int status;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        silence_children();
        exit(unit->run());
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror(unit->name);
        return false;
    }
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SKIPPED))
        return true;
    printf("FAILED: %s, by %s %d\n", unit->name, WIFEXITED(status) ? "exit code" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return false;
}

int main(int argc, char **argv)
{
    bool all = true;
    if (argc < 2) {
        fprintf(stderr, "usage: unit_tests NAME...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        const struct unit *unit = find(argv[i]);
        if (!unit) {
            fprintf(stderr, "unit_tests: there is no %s\n", argv[i]);
            return 2;
        }
        if (argc == 2) {
            silence_children();
            return unit->run();
        }
        all = passes_beside_others(unit) && all;
    }
    return all ? 0 : 1;
}
