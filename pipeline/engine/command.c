/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/shared/clock.h"
#include "pipeline/shared/sanitized.h"

enum { TO, FROM, ERRORS, PIPES };

/* How long a command that has closed its outputs may take to end, and how often it is looked at then. */
#define END_NAP_NS 1000000
/* How often a command is looked at that says nothing. */
#define LOOK_MS 200

struct running {
    pid_t pid;
    int ends[PIPES]; /* this side's; -1: closed */
    uint64_t until_ns;
    size_t sent;
    char said[160]; /* the end of what it wrote to standard error */
    size_t said_bytes;
    bool ended; /* with this status */
    int status;
};

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

/* The guardian's end takes the whole group along. */
static void end_group(int signal)
{
    (void)signal;
    kill(0, SIGKILL);
}

static void plain_signals(void)
{
    static const int defaults[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGXFSZ, SIGCHLD};
    sigset_t none;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        signal(defaults[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Ends as the shell did. */
_Noreturn static void end_as(int status)
{
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

/* A child that only makes system calls: no library has to do anything for it. LLVM's OpenMP would leave a
 * file in /dev/shm for each. A sanitizer does not know _Fork. */
static pid_t fork_bare(void)
{
    return SANITIZED ? fork() : _Fork();
}

/* In the child, of a process that may have had threads: nothing but system calls. It becomes a guardian that
 * leads a group of its own and hears when the worker dies; what the shell has started would not. */
_Noreturn static void become(const char *line, const int ends[PIPES], const int theirs[PIPES], pid_t parent)
{
    int status = 0;
    setpgid(0, 0);
    plain_signals();
    for (int i = 0; i < PIPES; i++)
        close(ends[i]);
    pid_t shell = fork_bare();
    if (shell == 0) {
        if (dup2(theirs[TO], 0) >= 0 && dup2(theirs[FROM], 1) >= 0 && dup2(theirs[ERRORS], 2) >= 0)
            execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    /* Other threads' commands wait for the end of their input: no copy of their pipes may stay here. */
    close_range(3, ~0U, 0);
    signal(SIGTERM, end_group);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (shell < 0 || getppid() != parent)
        kill(0, SIGKILL);
    while (waitpid(shell, &status, 0) < 0 && errno == EINTR)
        ;
    end_as(status);
}

static int start(const char *line, struct running *running, struct error *error)
{
    int pipes[PIPES][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, theirs[PIPES];
    bool good = true;
    for (int i = 0; i < PIPES && good; i++)
        good = pipe2(pipes[i], O_CLOEXEC) == 0;
    for (int i = 0; i < PIPES; i++) {
        running->ends[i] = pipes[i][i == TO];
        theirs[i] = pipes[i][i != TO];
    }
    const pid_t parent = getpid();
    running->pid = good ? fork_bare() : -1;
    if (running->pid == 0)
        become(line, running->ends, theirs, parent);
    const int cause = errno;
    for (int i = 0; i < PIPES; i++) {
        close_end(&theirs[i]);
        if (running->pid < 0)
            close_end(&running->ends[i]);
        else
            fcntl(running->ends[i], F_SETFL, O_NONBLOCK);
    }
    if (running->pid < 0)
        return error_set(error, ERROR_MEMORY, "the command cannot be started: %s", strerror(cause));
    setpgid(running->pid, running->pid);
    return 0;
}

static void feed(struct running *running, const struct command_io *io)
{
    ssize_t wrote = write(running->ends[TO], io->in + running->sent, io->in_bytes - running->sent);
    if (wrote > 0)
        running->sent += (size_t)wrote;
    if ((wrote < 0 && errno != EAGAIN && errno != EINTR) || running->sent == io->in_bytes)
        close_end(&running->ends[TO]); /* a command need not read to the end */
}

static void drain(struct running *running, struct command_io *io)
{
    uint8_t beyond[4096];
    const bool fits = io->out_length < io->out_bytes;
    uint8_t *to = fits ? io->out + io->out_length : beyond;
    const size_t room = fits ? io->out_bytes - io->out_length : sizeof beyond;
    ssize_t got = read(running->ends[FROM], to, room);
    if (got > 0)
        io->out_length += (size_t)got;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&running->ends[FROM]);
}

/* Keeps the end of what is said. */
static void listen(struct running *running)
{
    char text[512];
    ssize_t got = read(running->ends[ERRORS], text, sizeof text);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&running->ends[ERRORS]);
    for (ssize_t i = 0; i < got; i++) {
        if (running->said_bytes == sizeof running->said)
            memmove(running->said, running->said + 1, --running->said_bytes);
        running->said[running->said_bytes++] = text[i];
    }
}

static bool has_ended(struct running *running)
{
    running->ended = running->ended || waitpid(running->pid, &running->status, WNOHANG) == running->pid;
    return running->ended;
}

/* Moves bytes until the command has closed its outputs, or has ended and said all that it had to: what it has
 * left running may keep them open. False: its time is over, or there is too much. */
static bool converse(struct running *running, struct command_io *io)
{
    while (running->ends[FROM] >= 0 || running->ends[ERRORS] >= 0) {
        const uint64_t now = clock_ns();
        if (now >= running->until_ns || io->out_length > io->most_bytes)
            return false;
        struct pollfd polls[PIPES] = {{running->ends[TO], POLLOUT, 0},
                                      {running->ends[FROM], POLLIN, 0},
                                      {running->ends[ERRORS], POLLIN, 0}};
        const bool ended = has_ended(running);
        const uint64_t left_ms = (running->until_ns - now) / 1000000 + 1;
        const int ready = poll(polls, PIPES, ended ? 0 : left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ended && ready == 0)
            return true;
        if (polls[TO].revents)
            feed(running, io);
        if (polls[FROM].revents)
            drain(running, io);
        if (polls[ERRORS].revents)
            listen(running);
    }
    return true;
}

/* Its status, or -1 when its time is over. */
static int await(struct running *running)
{
    for (;;) {
        if (has_ended(running))
            return running->status;
        if (clock_ns() >= running->until_ns)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = END_NAP_NS}, NULL);
    }
}

/* The last line of what was said, without what ends it. */
static const char *last_line(struct running *running)
{
    size_t end = running->said_bytes;
    while (end > 0 && strchr("\n\r ", running->said[end - 1]))
        end--;
    size_t from = end;
    while (from > 0 && running->said[from - 1] != '\n')
        from--;
    memmove(running->said, running->said + from, end - from);
    running->said[end - from < sizeof running->said ? end - from : sizeof running->said - 1] = '\0';
    return running->said;
}

static int judge(struct running *running, int status, const struct command_io *io, struct error *error)
{
    char how[48];
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    if (status != 0) {
        const char *said = last_line(running);
        return error_set(error, ERROR_STAGE, "the command %s%s%s", how, *said ? ": " : "", said);
    }
    if (io->out_length == 0)
        return error_set(error, ERROR_STAGE, "the command gave nothing back");
    return io->out_length > io->out_bytes
               ? error_set(error, ERROR_ROOM, "the command gave back more than expected")
               : 0;
}

int command_run(const char *line, uint64_t timeout_ms, struct command_io *io, struct error *error)
{
    struct running running = {.ends = {-1, -1, -1}, .until_ns = clock_ns() + timeout_ms * 1000000};
    io->out_length = 0;
    TRY(start(line, &running, error));
    const bool heard = converse(&running, io);
    int status = heard ? await(&running) : -1;
    for (int i = 0; i < PIPES; i++)
        close_end(&running.ends[i]);
    /* Whatever it has left running goes with it. */
    kill(-running.pid, SIGKILL);
    if (status >= 0)
        return judge(&running, status, io, error);
    while (!running.ended && waitpid(running.pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (io->out_length > io->most_bytes)
        return error_set(error, ERROR_LIMIT, "the command gives back more than max_file %llu bytes",
                         (unsigned long long)io->most_bytes);
    return error_set(error, ERROR_STAGE, "the command took longer than its timeout of %llu ms",
                     (unsigned long long)timeout_ms);
}
