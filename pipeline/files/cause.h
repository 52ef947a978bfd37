/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_CAUSE_H
#define PIPELINE_CAUSE_H

#include <errno.h>

#include "stages/error.h"

/* The code for the errno of a system call on a file: is there no room, are there no descriptors, may it
 * succeed next time, or will it not? */
static inline enum error_code cause_code(int cause)
{
    switch (cause) {
    case ENOSPC:
    case EDQUOT:
        return ERROR_DISK_FULL;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return ERROR_MEMORY;
    case EINTR:
    case EAGAIN:
    case EIO:
    case ESTALE:
    case ETIMEDOUT:
        return ERROR_PASSING;
    default:
        return ERROR_IO;
    }
}

#endif
