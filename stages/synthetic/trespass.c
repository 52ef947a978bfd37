/* SPDX-License-Identifier: MIT */
/* Tries what code of a stage has no business with, as code would that a hostile file has taken over. Where
 * workers are locked in each try is the end of its worker. Where they are not, the item fails all the same,
 * and the reason says whether the system refused; nothing is harmed.
 *
 * This is the one stage that may know files, sockets and processes: that is its purpose. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stages/synthetic/pass.h"

enum trespass_kind {
    TRESPASS_OPEN,
    TRESPASS_SOCKET,
    TRESPASS_FORK,
    TRESPASS_EXEC,
    TRESPASS_PTRACE,
    TRESPASS_KILL
};

struct trespass_params {
    int kind; /* enum trespass_kind */
    double rate;
};

static const struct param trespass_table[] = {
    {.name = "kind",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct trespass_params, kind),
     .initial = "open",
     .choices = "open|socket|fork|exec|ptrace|kill",
     .unit = "",
     .help = "Open a file or a socket, fork, run a program, look into a process, or signal one"},
    {.name = "rate",
     .type = PARAM_REAL,
     .offset = offsetof(struct trespass_params, rate),
     .min = 0,
     .max = 1,
     .initial = "1",
     .unit = "",
     .help = "Share of the items that try; the same items each time"},
    PARAM_END,
};

static int trespass_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, true);
    return 0;
}

static int close_again(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

static int fork_and_end(void)
{
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child < 0 ? -1 : waitpid(child, NULL, 0) == child ? 0 : -1;
}

/* 0: it was let through; -1 and errno: it was refused. No try changes anything: the program does not exist,
 * the process looked into is not being traced, and no signal is sent. */
static int try(enum trespass_kind kind)
{
    char *const nothing[] = {NULL};
    switch (kind) {
    case TRESPASS_OPEN:
        return close_again(open("/dev/null", O_RDONLY | O_CLOEXEC));
    case TRESPASS_SOCKET:
        return close_again(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    case TRESPASS_FORK:
        return fork_and_end();
    case TRESPASS_EXEC:
        return execve("/dev/null/program", nothing, nothing);
    case TRESPASS_PTRACE:
        return ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL) < 0 ? -1 : 0;
    case TRESPASS_KILL:
        return kill(getppid(), 0);
    }
    return 0;
}

static int trespass_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                         struct error *error)
{
    (void)scratch;
    const struct trespass_params *params = run->params;
    if (pass_lot(run->item) >= params->rate) {
        pass_rows(run, first, last);
        return 0;
    }
    if (try((enum trespass_kind)params->kind) < 0)
        return error_set(error, ERROR_STAGE, "trespassed, and the system refused: %s", strerror(errno));
    return error_set(error, ERROR_STAGE, "trespassed, and was let through");
}

const struct stage trespass_stage = {
    .name = "trespass",
    .group = "synthetic",
    .summary = "Try what no stage may do, for some items or all; others pass unchanged",
    .params = trespass_table,
    .params_bytes = sizeof(struct trespass_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .plan = trespass_plan,
    .rows = trespass_rows,
};
