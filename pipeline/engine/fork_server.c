/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/fork_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_PATIENCE_MS 1000

enum order_kind { ORDER_SPAWN, ORDER_KILL };

struct order {
    uint32_t kind;
    uint32_t worker;
};

/* The server's record of one place. */
struct fork_place {
    pid_t pid;            /* 0: empty */
    bool killed, stopped; /* see fork_report */
    bool report_due;
    struct fork_report report;
};

struct server {
    int socket, signals;
    pid_t pid;
    uint32_t workers;
    struct fork_place *places;
    int (*work)(void *, uint32_t);
    void *context;
};

static size_t places_bytes(uint32_t workers)
{
    return workers * sizeof(struct fork_place);
}

/* Closes everything from `first` up. The kernel has close_range since 5.9; before, one by one. */
static void close_from(unsigned first)
{
    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX);
    for (long fd = (long)first; fd < (most > 0 ? most : 1024); fd++)
        close((int)fd);
}

/* stdin and stdout are not a worker's to use. stderr stays, for what a sanitizer or libc has to say. */
static void quiet_stdio(void)
{
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        if (null > 2)
            close(null);
    }
}

/* The terminal sends its signals to the whole process group; only the main process acts on them. */
static void set_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

static void run_worker(const struct server *server, uint32_t worker)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server->pid)
        _exit(1); /* the server died before the line above */
    munmap(server->places, places_bytes(server->workers));
    char name[16];
    snprintf(name, sizeof name, "forkmill-w%u", worker % 100000);
    prctl(PR_SET_NAME, name);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    quiet_stdio();
    close_from(3);
    _exit(server->work(server->context, worker));
}

static void spawn(struct server *server, uint32_t worker)
{
    struct fork_place *place = &server->places[worker];
    pid_t pid = fork();
    if (pid == 0)
        run_worker(server, worker);
    if (pid > 0) {
        place->pid = pid;
        place->killed = place->stopped = false;
        return;
    }
    place->report = (struct fork_report){.worker = worker, .fork_errno = errno};
    place->report_due = true;
}

/* Is there news of this sort of the worker? It stays for reap. */
static bool has_news(const struct fork_place *place, int sort)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)place->pid, &info, sort | WNOHANG | WNOWAIT) == 0 && info.si_pid == place->pid;
}

static void end_worker(struct fork_place *place)
{
    if (has_news(place, WEXITED))
        return; /* somebody else was first */
    place->killed = true;
    place->stopped = place->stopped || has_news(place, WSTOPPED);
    kill(place->pid, SIGKILL);
}

/* Has the main process said, behind orders that are still there, that it wants no more? */
static bool dismissed(const struct server *server)
{
    struct pollfd look = {.fd = server->socket, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0;
}

static void obey(struct server *server, const struct order *order)
{
    if (order->worker >= server->workers)
        return;
    struct fork_place *place = &server->places[order->worker];
    if (order->kind == ORDER_SPAWN && place->pid == 0)
        spawn(server, order->worker);
    else if (order->kind == ORDER_KILL && place->pid > 0)
        end_worker(place);
}

static void reap(struct server *server)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (uint32_t i = 0; i < server->workers; i++) {
            struct fork_place *place = &server->places[i];
            if (place->pid != pid)
                continue;
            place->report = (struct fork_report){.worker = i,
                                                 .pid = pid,
                                                 .status = status,
                                                 .killed = place->killed,
                                                 .stopped = place->stopped};
            place->report_due = true;
            place->pid = 0;
        }
    }
}

/* Sends what is due as far as the socket takes it. Returns whether something is left. */
static bool send_reports(struct server *server)
{
    for (uint32_t i = 0; i < server->workers; i++) {
        struct fork_place *place = &server->places[i];
        if (!place->report_due)
            continue;
        if (send(server->socket, &place->report, sizeof place->report, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            return true;
        place->report_due = false;
    }
    return false;
}

static void await_end(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The main process is gone, or wants no more. */
static void end_server(struct server *server)
{
    for (uint32_t i = 0; i < server->workers; i++) {
        if (server->places[i].pid > 0)
            kill(server->places[i].pid, SIGKILL);
    }
    for (uint32_t i = 0; i < server->workers; i++) {
        if (server->places[i].pid > 0)
            await_end(server->places[i].pid);
    }
    _exit(0);
}

static void serve(struct server *server)
{
    bool more = false;
    for (;;) {
        struct pollfd wait[2] = {
            {.fd = server->socket, .events = (short)(POLLIN | (more ? POLLOUT : 0))},
            {.fd = server->signals, .events = POLLIN},
        };
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            end_server(server);
        struct signalfd_siginfo signals[8];
        while (read(server->signals, signals, sizeof signals) > 0)
            ;
        reap(server);
        struct order order;
        ssize_t got;
        while ((got = recv(server->socket, &order, sizeof order, MSG_DONTWAIT)) == sizeof order) {
            if (dismissed(server))
                end_server(server);
            obey(server, &order);
        }
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            end_server(server);
        more = send_reports(server);
    }
}

static void be_server(pid_t parent, struct server *server)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    server->pid = getpid();
    prctl(PR_SET_NAME, "forkmill-fork");
    /* What a command has left running is reaped here when it ends, and not left to the main process. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    /* Only the socket is the server's to keep. */
    dup2(server->socket, 3);
    server->socket = 3;
    close_from(4);
    set_signals();
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    server->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server->signals < 0)
        _exit(1);
    serve(server);
}

int fork_server_start(struct fork_server *server, uint32_t workers, int (*work)(void *, uint32_t),
                      void *context, struct error *error)
{
    int pair[2];
    *server = (struct fork_server){.socket = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(error, ERROR_MEMORY, "socketpair: %s", strerror(errno));
    struct fork_place *places =
        mmap(NULL, places_bytes(workers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct server self = {
        .socket = pair[1], .workers = workers, .places = places, .work = work, .context = context};
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t parent = getpid(), pid = places != MAP_FAILED ? fork() : -1;
    if (pid == 0) {
        close(pair[0]);
        be_server(parent, &self);
    }
    const int cause = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        if (places != MAP_FAILED)
            munmap(places, places_bytes(workers));
        return error_set(error, ERROR_MEMORY, "fork: %s", strerror(cause));
    }
    *server = (struct fork_server){pid, pair[0], places, workers};
    return 0;
}

static bool send_order(struct fork_server *server, enum order_kind kind, uint32_t worker, int flags)
{
    struct order order = {(uint32_t)kind, worker};
    ssize_t sent;
    do
        sent = send(server->socket, &order, sizeof order, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof order;
}

bool fork_server_spawn(struct fork_server *server, uint32_t worker)
{
    return send_order(server, ORDER_SPAWN, worker, 0);
}

bool fork_server_kill(struct fork_server *server, uint32_t worker)
{
    /* Repeated until it has an effect: a server that was stopped must not hold up its owner. */
    return send_order(server, ORDER_KILL, worker, MSG_DONTWAIT);
}

/* Its end of the socket may outlive it, in a worker that was stopped before it closed what it inherits. */
static bool gone(const struct fork_server *server)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)server->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == server->pid;
}

int fork_server_next(struct fork_server *server, struct fork_report *report)
{
    ssize_t got;
    do
        got = recv(server->socket, report, sizeof *report, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got == sizeof *report)
        return 1;
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !gone(server) ? 0 : -1;
}

void fork_server_destroy(struct fork_server *server)
{
    if (server->pid > 0)
        kill(server->pid, SIGKILL);
}

/* Does the other end close within the time? */
static bool hung_up(int socket)
{
    struct pollfd wait = {.fd = socket};
    int ready;
    do
        ready = poll(&wait, 1, STOP_PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* A dead server's workers die with it; but not one that was stopped before it had asked for that. They are
 * this process's children now, or were reaped: a number that is no child's may be anybody's. */
static void end_orphans(const struct fork_server *server)
{
    for (uint32_t i = 0; i < server->workers; i++) {
        const pid_t pid = server->places[i].pid;
        siginfo_t info;
        if (pid <= 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
            continue;
        kill(pid, SIGKILL);
        await_end(pid);
    }
}

void fork_server_stop(struct fork_server *server)
{
    if (server->pid <= 0)
        return;
    /* It ends when it sees that, and its end of the socket with it; one that is stopped never does. */
    shutdown(server->socket, SHUT_WR);
    if (!hung_up(server->socket))
        fork_server_destroy(server);
    close(server->socket);
    await_end(server->pid);
    end_orphans(server);
    if (server->places)
        munmap(server->places, places_bytes(server->workers));
    *server = (struct fork_server){.socket = -1};
}
