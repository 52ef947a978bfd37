/* SPDX-License-Identifier: MIT */
/* A single-threaded child, forked before the program has any thread or memory of size. It alone forks
 * workers and reaps them, so that a fork copies nothing big and no lock that some thread may hold. It owns
 * nothing that a worker could break. It ends, and its workers with it, when the main process does. */
#ifndef PIPELINE_FORK_SERVER_H
#define PIPELINE_FORK_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stages/stage.h"

struct fork_server {
    pid_t pid;                 /* 0: not running */
    int socket;                /* readable when there is a report, or when the server is gone */
    struct fork_place *places; /* the server's record, shared with it and not with workers */
    uint32_t workers;
};

/* What became of a worker. */
struct fork_report {
    uint32_t worker;
    int32_t pid;
    int32_t status;     /* as waitpid gives it */
    int32_t killed;     /* its death was asked for, and it was still alive */
    int32_t stopped;    /* and stopped by a signal */
    int32_t fork_errno; /* not 0: it could not be forked, and status means nothing */
};

/* Forks the server. `work` runs in each worker, with its number, and returns the exit code. Call it while the
 * process has one thread. From then on the process is a subreaper: it gets the orphans of a server that dies.
 * ERROR_MEMORY. */
int fork_server_start(struct fork_server *server, uint32_t workers,
                      int (*work)(void *context, uint32_t worker), void *context, struct error *error);

/* Asks for a worker in place `worker`, which must be empty; and for its death by SIGKILL. Do not wait.
 * False: the server is gone; or, of the second, takes no order now, as one that was stopped: ask again. */
bool fork_server_spawn(struct fork_server *server, uint32_t worker);
bool fork_server_kill(struct fork_server *server, uint32_t worker);

/* 1 and a report, 0: none now, -1: the server is gone. Does not block. */
int fork_server_next(struct fork_server *server, struct fork_report *report);

/* The last resort, where the server does not obey: kills it, and with it every worker. fork_server_next says
 * so in the end, and fork_server_stop is still due. */
void fork_server_destroy(struct fork_server *server);

/* Ends the server and with it every worker, by force after a second; waits until all are gone. */
void fork_server_stop(struct fork_server *server);

#endif
