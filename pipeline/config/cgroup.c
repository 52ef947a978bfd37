/* SPDX-License-Identifier: MIT */
/* Layout as the kernel documents it: /proc/self/cgroup in cgroups(7), the mounts where every current
 * distribution has them. */
#include "pipeline/config/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct walk {
    void (*look)(void *context, const char *directory);
    void *context;
};

bool cgroup_read(const char *root, const char *directory, const char *file, char *text, size_t size)
{
    char full[CGROUP_PATH_BYTES];
    if ((size_t)snprintf(full, sizeof full, "%s%s/%s", root, directory, file) >= sizeof full)
        return false;
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    size_t used = 0;
    ssize_t got;
    while (used + 1 < size && (got = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    close(fd);
    text[used] = '\0';
    return used > 0;
}

/* mount/group and each of its parents up to the mount. */
static void walk_up(const struct walk *walk, const char *mount, const char *group)
{
    char path[CGROUP_PATH_BYTES];
    size_t mount_length = strlen(mount);
    bool outside = strstr(group, "/..") != NULL; /* of this cgroup namespace: not below the mount */
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, outside ? "" : group) >= sizeof path)
        return;
    for (;;) {
        size_t length = strlen(path);
        while (length > mount_length && path[length - 1] == '/')
            path[--length] = '\0';
        walk->look(walk->context, path);
        if (length <= mount_length)
            return;
        *strrchr(path, '/') = '\0';
    }
}

static bool names(const char *controllers, const char *controller)
{
    size_t length = strlen(controller);
    for (const char *word = controllers; word; word = strchr(word, ',')) {
        word += *word == ',';
        if (strncmp(word, controller, length) == 0 && (word[length] == ',' || word[length] == '\0'))
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup: hierarchy:controllers:path; version 2 has hierarchy 0, no controllers. */
static void take_line(const struct walk *walk, const char *controller, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return;
    *controllers++ = '\0';
    *group++ = '\0';
    char mount[256];
    if (strcmp(line, "0") == 0 && *controllers == '\0') {
        walk_up(walk, "/sys/fs/cgroup", group);
        walk_up(walk, "/sys/fs/cgroup/unified", group);
    } else if (names(controllers, controller)) {
        snprintf(mount, sizeof mount, "/sys/fs/cgroup/%.200s", controllers);
        walk_up(walk, mount, group);
        if (strcmp(controllers, controller) != 0) {
            snprintf(mount, sizeof mount, "/sys/fs/cgroup/%.200s", controller);
            walk_up(walk, mount, group);
        }
    }
}

void cgroup_walk(const char *root, const char *controller, void (*look)(void *context, const char *directory),
                 void *context)
{
    const struct walk walk = {look, context};
    char groups[16384], *rest = groups;
    if (!cgroup_read(root, "/proc/self", "cgroup", groups, sizeof groups))
        return;
    for (char *line; (line = strsep(&rest, "\n"));)
        take_line(&walk, controller, line);
}
