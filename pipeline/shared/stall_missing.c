/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/stall.h"

#include <stddef.h>

int stall_configure(const char *text, struct error *error)
{
    if (!text || !*text)
        return 0;
    return error_set(error, ERROR_UNSUPPORTED,
                     "this build has no stalls; configure with -DFORKMILL_STALLS=ON");
}
