/* SPDX-License-Identifier: MIT */
/* Ways for one process to hand 8-byte values to another, behind one door, so that all are measured by the
 * same code. A channel is opened before the fork and then used by one sender and one receiver. */
#ifndef BENCH_IPC_TRANSPORT_H
#define BENCH_IPC_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

struct channel;

struct transport {
    const char *name;

    /* Makes channel->state, shared by both sides of the fork. Ends the program where it cannot. */
    void (*open)(struct channel *channel);

    /* Blocks while the channel is full. */
    void (*send)(struct channel *channel, uint64_t value);

    /* Blocks until there is a value, then takes up to `most` of those that are there. How many. */
    unsigned (*receive)(struct channel *channel, uint64_t *values, unsigned most);

    void (*close)(struct channel *channel);
};

struct channel {
    const struct transport *transport;
    unsigned capacity; /* values that fit; 0: what the kernel gives */
    void *state;
};

/* No receive asks for more. */
#define TRANSPORT_MOST 8u

extern const struct transport transport_queue;  /* forkmill's queue and slot words in an arena */
extern const struct transport transport_mutex;  /* a ring under a process-shared mutex and two condvars */
extern const struct transport transport_pipe;   /* an 8-byte write for each value */
extern const struct transport transport_socket; /* a UNIX socket pair, SOCK_SEQPACKET */
extern const struct transport transport_mqueue; /* a POSIX message queue */

/* Says what failed, with errno, and ends the program. */
_Noreturn void transport_die(const char *what);

/* Zeroed memory that a forked child shares. */
void *transport_share(size_t bytes);
void transport_unshare(void *memory, size_t bytes);

#endif
