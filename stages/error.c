/* SPDX-License-Identifier: MIT */
#include "stages/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    if (!error)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->reason, sizeof error->reason, format, args);
    va_end(args);
    error->code = code;
    return code;
}

const char *error_name(int code)
{
    switch ((enum error_code)code) {
    case ERROR_NONE:
        return "none";
    case ERROR_USAGE:
        return "usage";
    case ERROR_CORRUPT:
        return "corrupt";
    case ERROR_UNSUPPORTED:
        return "unsupported";
    case ERROR_LIMIT:
        return "limit";
    case ERROR_MEMORY:
        return "memory";
    case ERROR_IO:
    case ERROR_PASSING:
        return "io";
    case ERROR_DISK_FULL:
        return "disk-full";
    case ERROR_CRASH:
        return "crash";
    case ERROR_TIMEOUT:
        return "timeout";
    case ERROR_STAGE:
        return "stage";
    case ERROR_INTERNAL:
        return "internal";
    case ERROR_ROOM:
        return "room";
    case ERROR_BUSY:
        return "busy";
    case ERROR_SANDBOX:
        return "sandbox";
    }
    return "unknown";
}
