/* SPDX-License-Identifier: MIT */
/* Numbers in texts that a table of parameters cannot describe by itself: lists of them, rows of a mask. */
#ifndef STAGES_NUMERIC_NUMBER_H
#define STAGES_NUMERIC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The text is one finite number and nothing else. */
bool number_parse(const char *text, double *value);

/* The next number of a text in which numbers stand apart by white space; *text moves behind it. 1; 0 at the
 * end; -1 where there is something else, or no finite number. */
int number_next(const char **text, double *value);

#endif
