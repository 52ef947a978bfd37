/* SPDX-License-Identifier: MIT */
/* What the pages that forkmill writes have in common: no script, no request, and a policy that forbids both;
 * one look, light and dark. */
#ifndef PIPELINE_PAGE_H
#define PIPELINE_PAGE_H

#include <stdio.h>

/* Everything up to the heading, which is the title. */
void page_begin(const char *title, FILE *to);

/* Text for HTML: unprintable bytes as escape_text has them, and &, <, > and quotes as entities. */
void page_escape(const char *text, FILE *to);

/* The end of the page. ERROR_IO where any of it could not be written. */
int page_end(FILE *to);

#endif
