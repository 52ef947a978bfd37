/* SPDX-License-Identifier: MIT */
/* What the kernel carries: a pipe, a socket pair, a POSIX message queue. */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* [0] is read from and [1] written to. */
struct over_kernel {
    int ends[2];
};

static struct over_kernel *make_state(struct channel *channel)
{
    struct over_kernel *over = malloc(sizeof *over);
    if (!over)
        transport_die("malloc");
    channel->state = over;
    return over;
}

static void over_kernel_close(struct channel *channel)
{
    struct over_kernel *over = channel->state;
    close(over->ends[0]);
    if (over->ends[1] != over->ends[0])
        close(over->ends[1]);
    free(over);
}

static void over_pipe_open(struct channel *channel)
{
    if (pipe2(make_state(channel)->ends, O_CLOEXEC) < 0)
        transport_die("pipe2");
}

static void over_kernel_send(struct channel *channel, uint64_t value)
{
    const struct over_kernel *over = channel->state;
    if (write(over->ends[1], &value, sizeof value) != sizeof value)
        transport_die("write");
}

/* Writes of 8 bytes are whole in a pipe, so a read ends between two values. */
static unsigned over_pipe_receive(struct channel *channel, uint64_t *values, unsigned most)
{
    const struct over_kernel *over = channel->state;
    const ssize_t got = read(over->ends[0], values, most * sizeof *values);
    if (got <= 0 || (size_t)got % sizeof *values != 0)
        transport_die("read");
    return (unsigned)((size_t)got / sizeof *values);
}

const struct transport transport_pipe = {
    .name = "pipe",
    .open = over_pipe_open,
    .send = over_kernel_send,
    .receive = over_pipe_receive,
    .close = over_kernel_close,
};

static void over_socket_open(struct channel *channel)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, make_state(channel)->ends) < 0)
        transport_die("socketpair");
}

/* One packet is one value; several at once would take recvmmsg. */
static unsigned over_socket_receive(struct channel *channel, uint64_t *values, unsigned most)
{
    const struct over_kernel *over = channel->state;
    struct mmsghdr messages[TRANSPORT_MOST];
    struct iovec parts[TRANSPORT_MOST];
    if (most == 1) {
        if (recv(over->ends[0], values, sizeof *values, 0) != sizeof *values)
            transport_die("recv");
        return 1;
    }
    for (unsigned i = 0; i < most; i++) {
        parts[i] = (struct iovec){&values[i], sizeof values[i]};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    const int got = recvmmsg(over->ends[0], messages, most, MSG_WAITFORONE, NULL);
    if (got <= 0)
        transport_die("recvmmsg");
    return (unsigned)got;
}

const struct transport transport_socket = {
    .name = "socket pair",
    .open = over_socket_open,
    .send = over_kernel_send,
    .receive = over_socket_receive,
    .close = over_kernel_close,
};

/* Its name is gone as soon as it is open. */
static void over_mqueue_open(struct channel *channel)
{
    struct over_kernel *over = make_state(channel);
    struct mq_attr attributes = {.mq_maxmsg = channel->capacity, .mq_msgsize = sizeof(uint64_t)};
    char name[64];
    snprintf(name, sizeof name, "/forkmill-bench-%d", (int)getpid());
    over->ends[0] = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    if (over->ends[0] < 0)
        transport_die("mq_open");
    mq_unlink(name);
    over->ends[1] = over->ends[0];
}

static void over_mqueue_send(struct channel *channel, uint64_t value)
{
    const struct over_kernel *over = channel->state;
    if (mq_send(over->ends[1], (const char *)&value, sizeof value, 0) < 0)
        transport_die("mq_send");
}

static unsigned over_mqueue_receive(struct channel *channel, uint64_t *values, unsigned most)
{
    const struct over_kernel *over = channel->state;
    (void)most;
    if (mq_receive(over->ends[0], (char *)values, sizeof *values, NULL) != sizeof *values)
        transport_die("mq_receive");
    return 1;
}

const struct transport transport_mqueue = {
    .name = "POSIX mq",
    .open = over_mqueue_open,
    .send = over_mqueue_send,
    .receive = over_mqueue_receive,
    .close = over_kernel_close,
};
