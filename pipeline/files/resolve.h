/* SPDX-License-Identifier: MIT */
/* Where a file that is to be written will be, whatever its path is called like. */
#ifndef PIPELINE_RESOLVE_H
#define PIPELINE_RESOLVE_H

/* The absolute path of a file: its directory without links, "." and "..", as realpath has it, but of what
 * does not exist yet by name; the file's own name as it is, not followed where it is a link. The caller's to
 * free. NULL: out of memory, or the current directory is gone. */
char *resolve_place(const char *path);

#endif
