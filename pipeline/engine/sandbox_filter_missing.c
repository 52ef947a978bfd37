/* SPDX-License-Identifier: MIT */
/* In place of sandbox_filter.c where there is no libseccomp. */
#include <stddef.h>

#include "pipeline/engine/sandbox.h"

int sandbox_make_filter(struct sock_filter **filter, unsigned short *length, struct error *error)
{
    *filter = NULL;
    *length = 0;
    return error_set(error, ERROR_UNSUPPORTED, "this build is without libseccomp");
}

const char *sandbox_library(void)
{
    return "";
}
