/* SPDX-License-Identifier: MIT */
/* A config, and what is printed of it fed back. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "pipeline/config/config.h"

static struct config config; /* larger than a stack likes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const nothing[] = {NULL};
    char path[64];
    struct diag diag = {0};
    const int fd = memfd_create("config", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(&config, 0, sizeof config);
    const int code = config_load(&config, path, nothing, NULL, 0, &diag);
    FUZZ_CHECK(code == 0 || diag.errors > 0);
    FUZZ_CHECK(diag.errors == 0 || diag.length_bytes > 0);
    if (code == 0)
        config_require(&config);
    config_free(&config);
    diag_free(&diag);
    close(fd);
    return 0;
}
