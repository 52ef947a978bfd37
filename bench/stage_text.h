/* SPDX-License-Identifier: MIT */
/* What the programs that run stages on memory share. All of it gives up with a message instead of failing. */
#ifndef BENCH_STAGE_TEXT_H
#define BENCH_STAGE_TEXT_H

#include "stages/stage.h"

/* A stage with its parameters; stage_text_free it. */
struct stage_text {
    const struct stage *stage;
    void *values;
};

/* `text` as after -s: gaussblur:sigma=2. It is cut up. */
struct stage_text stage_text_parse(char *text);
void stage_text_free(struct stage_text *of);

/* Aligned to SCRATCH_ALIGN, with as much behind it, and touched; free() it. */
void *bench_take(size_t size_bytes);

/* CPU time of this process. */
double bench_cpu_s(void);

_Noreturn void bench_give_up(const char *what, const char *why);

#endif
