/* SPDX-License-Identifier: MIT */
#include "pipeline/files/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `real`, which it takes over, with one more name; NULL for NULL. */
static char *append(char *real, const char *name, size_t length)
{
    char *path = NULL;
    if (real && asprintf(&path, "%s%s%.*s", real, real[1] ? "/" : "", (int)length, name) < 0)
        path = NULL;
    free(real);
    return path;
}

/* The directory of that name in `real`, which it takes over and which has no links. */
static char *descend(char *real, const char *name, size_t length)
{
    if (length == 0 || (length == 1 && *name == '.'))
        return real;
    if (length == 2 && strncmp(name, "..", 2) == 0) {
        char *slash = strrchr(real, '/');
        slash[slash == real] = '\0'; /* above the root is the root */
        return real;
    }
    real = append(real, name, length);
    char *followed = real ? realpath(real, NULL) : NULL;
    if (followed)
        free(real);
    return followed ? followed : real;
}

char *resolve_place(const char *path)
{
    char *real = *path == '/' ? strdup("/") : realpath(".", NULL);
    const char *slash;
    while (real && (slash = strchr(path, '/')) != NULL) {
        real = descend(real, path, (size_t)(slash - path));
        path = slash + 1;
    }
    return append(real, path, strlen(path));
}
