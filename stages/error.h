/* SPDX-License-Identifier: MIT */
/* One way to say that something failed: a code that callers branch on and text that people read. */
#ifndef STAGES_ERROR_H
#define STAGES_ERROR_H

/* What kind of failure it is; the kind decides whether a retry can help and which exit code a run gets. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE = -1,       /* a parameter or setting is wrong; nothing was started */
    ERROR_CORRUPT = -2,     /* the input breaks its format; the same again on every attempt */
    ERROR_UNSUPPORTED = -3, /* the input is valid, this program cannot work on it */
    ERROR_LIMIT = -4,       /* over a configured limit */
    ERROR_MEMORY = -5,      /* memory, shared memory or descriptors ran out */
    ERROR_IO = -6,          /* a system call on a file failed */
    ERROR_DISK_FULL = -7,   /* the output file system has no room: the run stops */
    ERROR_CRASH = -8,       /* the worker died while it held the item */
    ERROR_TIMEOUT = -9,     /* the item held its worker longer than allowed */
    ERROR_STAGE = -10,      /* a stage gave up on its own terms */
    ERROR_INTERNAL = -11,   /* a broken promise inside the program */
    ERROR_ROOM = -12,    /* the item needs more memory than its header said: it goes round again with more */
    ERROR_BUSY = -13,    /* another process holds what this one needs */
    ERROR_PASSING = -14, /* as ERROR_IO, and another attempt may well succeed */
    ERROR_SANDBOX = -15, /* the worker did what it may not do, and was killed for it */
    ERROR_LAST = ERROR_SANDBOX,
};

/* Caller-owned. Holds no pointer, so that it can lie in shared memory. `stage` is empty where no stage
 * was involved. The text is one line, may hold bytes from hostile input, and is escaped when printed. */
struct error {
    int code;
    char stage[24];
    char reason[228];
};

/* Fills *error (which may be NULL) and returns `code`, so that a failing function ends with
 * `return error_set(error, ERROR_CORRUPT, "...")`. Leaves `stage` as it was. */
int error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A word for the code, for machines that read reports: "corrupt", "limit", ... Never NULL. */
const char *error_name(int code);

/* Forwards a failure: returns from the calling function if `call` gave a negative code. */
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        int try_code_ = (call);                                                                              \
        if (try_code_ < 0)                                                                                   \
            return try_code_;                                                                                \
    } while (0)

#endif
