/* SPDX-License-Identifier: MIT */
/* The bytes of a config file, before anything is made of them. */
#ifndef PIPELINE_CONFIG_FILE_H
#define PIPELINE_CONFIG_FILE_H

#include <stddef.h>

#include "pipeline/config/diag.h"

/* Reads `path` ("-": standard input) into *bytes, which the caller frees, at most max_bytes. May be a pipe,
 * and then blocks. 0, or ERROR_USAGE with the reason in *diag. */
int config_file_read(const char *path, size_t max_bytes, char **bytes, size_t *length_bytes,
                     struct diag *diag);

/* 0 where the bytes are UTF-8 without control characters (tab, newline, return are none here), else
 * ERROR_USAGE with the first offence in *diag. */
int config_file_check(const struct diag_source *source, struct diag *diag);

#endif
