/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_name.h"

#include <stdbool.h>
#include <string.h>

/* Appends the components of `path`, each behind a slash; what does not fit is cut off. */
static void append(struct journal_name *name, const char *path)
{
    while (*path) {
        while (*path == '/')
            path++;
        const size_t length = (size_t)(strchrnul(path, '/') - path);
        const size_t room = sizeof name->path - 2 - name->length, taken = length < room ? length : room;
        if (taken > 0 && !(length == 1 && *path == '.')) {
            name->path[name->length++] = '/';
            memcpy(name->path + name->length, path, taken);
            name->length += taken;
        }
        path += length;
    }
    name->path[name->length] = '\0';
}

void journal_name_make(struct journal_name *name, const char *here, const char *shown, const char *rel)
{
    name->length = *shown == '/' || here[1] == '\0' ? 0 : strlen(here);
    memcpy(name->path, here, name->length);
    append(name, shown);
    const size_t rel_bytes = strlen(rel);
    const bool below = rel_bytes < name->length && name->path[name->length - rel_bytes - 1] == '/' &&
                       strcmp(name->path + name->length - rel_bytes, rel) == 0;
    name->root_bytes = below ? name->length - rel_bytes : name->length;
}
