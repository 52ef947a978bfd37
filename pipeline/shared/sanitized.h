/* SPDX-License-Identifier: MIT */
/* SANITIZED: is a sanitizer in this build? What it reports with takes files, processes and executable memory,
 * which a process that has locked itself in has not. */
#ifndef PIPELINE_SANITIZED_H
#define PIPELINE_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

#endif
