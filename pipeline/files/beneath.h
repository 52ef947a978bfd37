/* SPDX-License-Identifier: MIT */
/* Opening a path that must not lead out of a directory, whatever links lie on the way and whoever moves
 * directories meanwhile. */
#ifndef PIPELINE_BENEATH_H
#define PIPELINE_BENEATH_H

#include <linux/openat2.h>
#include <stdbool.h>

/* Is it by its words the path of a file below a directory: relative, with a last name and without ".."? */
bool beneath_sound(const char *path);

/* Opens `path` beneath the directory `root`; `flags` as open takes them, O_CLOEXEC is added. With `links`
 * symbolic links are followed as long as they stay beneath the root; without, one anywhere on the way is
 * refused. A descriptor, or -1 and errno: EXDEV where the path leads out (or a link is absolute), ELOOP where
 * a link is not followed. Any thread. Kernels without openat2 (before 5.6) follow no link. */
int beneath_open(int root, const char *path, int flags, bool links);

/* What beneath_open asks the kernel for, for who opens with openat2 in another way. */
struct open_how beneath_how(int flags, bool links);

/* What beneath_open does where the kernel has no openat2: component by component. */
int beneath_open_parts(int root, const char *path, int flags);

#endif
