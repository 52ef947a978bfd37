/* SPDX-License-Identifier: MIT */
/* One stage on one shape, held to every promise of stages/stage.h. Breaches end the test. */
#ifndef TESTS_STAGES_TRIAL_H
#define TESTS_STAGES_TRIAL_H

#include "counterpart.h"
#include "stage_harness.h"

struct trial {
    const struct stage *stage;
    const void *params;
    struct stage_plan plan;
    struct shape in;
    struct shape out; /* the plan's, or what begin settled for */
    uint8_t *src;
    struct stage_reference reference; /* for a stage that asks for one */
    uint8_t *expected;                /* all output rows in one call */
    struct record record;             /* what that call told */
};

static inline void explain(const struct trial *trial, const char *what)
{
    char in[256], out[256];
    fail_msg("%s: %s -> %s: %s", trial->stage->name, shape_text(&trial->in, in, sizeof in),
             shape_text(&trial->plan.out, out, sizeof out), what);
}

static inline size_t row_offset(const struct shape *shape, uint32_t row)
{
    size_t begin, end;
    shape_span(shape, row, row, &begin, &end);
    return begin * shape_sample_bytes(shape->sample);
}

/* Where rows before `row` end, also of the last row, which may be shorter. */
static inline size_t row_end(const struct shape *shape, uint32_t row)
{
    size_t begin, end;
    shape_span(shape, 0, row, &begin, &end);
    return end * shape_sample_bytes(shape->sample);
}

static inline struct scratch planned_scratch(size_t bytes)
{
    return (struct scratch){.base = harness_alloc(bytes), .size_bytes = bytes};
}

static inline void check_and_free(const struct scratch *scratch)
{
    harness_check_guard(scratch->base, scratch->size_bytes);
    free(scratch->base);
}

static inline struct stage_run run_of(const struct trial *trial, const uint8_t *src, uint8_t *dst)
{
    return (struct stage_run){.params = trial->params,
                              .in = trial->in,
                              .out = trial->plan.out,
                              .src = src,
                              .dst = dst,
                              .item = 1,
                              .attempt = 1,
                              .reference = trial->plan.reference};
}

/* What begin made of run->out must be what the plan allows. */
static inline void check_settled(const struct trial *trial, const struct shape *out)
{
    if (!shape_valid(out) || shape_bytes(out) > shape_bytes(&trial->plan.out))
        explain(trial, "settled for an impossible shape, or a larger one");
    if (!trial->plan.settles && memcmp(out, &trial->plan.out, sizeof *out) != 0)
        explain(trial, "changed the shape, but does not settle");
}

/* Runs rows in ranges of `step` from the last to the first, each with scratch of exactly the planned size.
 * `record` may be NULL. The shape that came out. */
static inline struct shape run_ranges(const struct trial *trial, const uint8_t *src, uint8_t *dst,
                                      uint32_t step, struct record *record)
{
    const struct stage *stage = trial->stage;
    struct scratch kept = planned_scratch(trial->plan.begin_scratch_bytes);
    struct stage_run run = run_of(trial, src, dst);
    struct error error = {0};
    run.record = record;
    if (stage->begin && stage->begin(&run, &kept, &error) != 0)
        explain(trial, error.reason);
    check_settled(trial, &run.out);
    const uint32_t rows = shape_rows(&run.out);
    for (uint32_t done = 0; done < rows; done += step < rows ? step : rows) {
        const uint32_t last = rows - done, first = last > step ? last - step : 0;
        struct scratch scratch = planned_scratch(trial->plan.rows_scratch_bytes);
        if (stage->rows(&run, first, last, &scratch, &error) != 0)
            explain(trial, error.reason);
        check_and_free(&scratch);
    }
    check_and_free(&kept);
    return run.out;
}

static inline void check_ranges(const struct trial *trial)
{
    const size_t planned = shape_bytes(&trial->plan.out), bytes = shape_bytes(&trial->out);
    static const uint32_t steps[] = {UINT32_MAX, 1, 3, 5};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (trial->plan.whole && i > 0)
            continue;
        uint8_t *dst = harness_alloc(planned);
        memset(dst, i % 2 ? 0xff : 0x00, planned);
        run_ranges(trial, trial->src, dst, steps[i], NULL);
        if (memcmp(dst, trial->expected, bytes) != 0)
            explain(trial, "rows depend on how the item is cut, or bytes stay unwritten");
        harness_check_guard(dst, planned);
        free(dst);
    }
}

/* dst == src must give the same as two buffers. It is only asked where rows are equal, or all rows as they
 * lie are what comes out. */
static inline void check_in_place(const struct trial *trial)
{
    if (!trial->plan.in_place)
        return;
    const size_t bytes = shape_bytes(&trial->in), out_bytes = shape_bytes(&trial->plan.out);
    const bool equal = shape_rows(&trial->in) == shape_rows(&trial->plan.out) &&
                       row_end(&trial->in, 1) == row_end(&trial->plan.out, 1);
    const bool relabels = bytes == out_bytes && memcmp(trial->src, trial->expected, bytes) == 0;
    if (!equal && !relabels && !trial->plan.whole)
        explain(trial, "in place, but rows differ");
    if (out_bytes > bytes)
        explain(trial, "in place, but larger");
    uint8_t *both = harness_alloc(bytes);
    memcpy(both, trial->src, bytes);
    run_ranges(trial, both, both, trial->plan.whole ? UINT32_MAX : 3, NULL);
    if (memcmp(both, trial->expected, shape_bytes(&trial->out)) != 0)
        explain(trial, "in place differs");
    harness_check_guard(both, bytes);
    free(both);
}

/* Output rows [y, y + 1) from a copy of the input where all but the promised source rows hold 0xff. */
static inline void check_source_row(const struct trial *trial, uint32_t y)
{
    const size_t offset = row_offset(&trial->plan.out, y), end = row_end(&trial->plan.out, y + 1);
    uint32_t first = y, last = y + 1;
    stage_source_rows(trial->stage, trial->params, &trial->in, &trial->plan.out, &first, &last);
    if (first >= last || last > shape_rows(&trial->in))
        explain(trial, "source rows outside the input");
    uint8_t *poisoned = harness_alloc(shape_bytes(&trial->in));
    const size_t from = row_offset(&trial->in, first), to = row_end(&trial->in, last);
    memset(poisoned, 0xff, shape_bytes(&trial->in));
    memcpy(poisoned + from, trial->src + from, to - from);
    uint8_t *dst = harness_alloc(shape_bytes(&trial->plan.out));
    struct scratch kept = planned_scratch(trial->plan.begin_scratch_bytes);
    struct scratch scratch = planned_scratch(trial->plan.rows_scratch_bytes);
    struct stage_run run = run_of(trial, poisoned, dst);
    if (trial->stage->begin)
        assert_int_equal(trial->stage->begin(&run, &kept, NULL), 0);
    assert_int_equal(trial->stage->rows(&run, y, y + 1, &scratch, NULL), 0);
    if (memcmp(dst + offset, trial->expected + offset, end - offset) != 0)
        explain(trial, "reads rows outside its source rows");
    check_and_free(&kept);
    check_and_free(&scratch);
    free(dst);
    free(poisoned);
}

/* Rows [first, last) from memory that holds what they are said to need and no row more, into memory that
 * holds nothing else. */
static inline void check_window(const struct trial *trial, uint32_t first, uint32_t last)
{
    const struct shape *out = &trial->plan.out;
    uint32_t src_first = first, src_last = last;
    stage_source_rows(trial->stage, trial->params, &trial->in, out, &src_first, &src_last);
    const size_t from = row_offset(&trial->in, src_first), to = row_end(&trial->in, src_last);
    const size_t offset = row_offset(out, first), bytes = row_end(out, last) - offset;
    uint8_t *src = harness_alloc(to - from), *dst = harness_alloc(bytes);
    memcpy(src, trial->src + from, to - from);
    struct scratch kept = planned_scratch(trial->plan.begin_scratch_bytes);
    struct scratch scratch = planned_scratch(trial->plan.rows_scratch_bytes);
    struct stage_run run = run_of(trial, src, dst);
    run.src_row = src_first;
    run.dst_row = first;
    if (trial->stage->begin)
        assert_int_equal(trial->stage->begin(&run, &kept, NULL), 0);
    assert_int_equal(trial->stage->rows(&run, first, last, &scratch, NULL), 0);
    if (memcmp(dst, trial->expected + offset, bytes) != 0)
        explain(trial, "a window of rows gives something else than the whole");
    if (memcmp(src, trial->src + from, to - from) != 0)
        explain(trial, "wrote its input");
    harness_check_guard(src, to - from);
    harness_check_guard(dst, bytes);
    check_and_free(&kept);
    check_and_free(&scratch);
    free(src);
    free(dst);
}

static inline void check_windows(const struct trial *trial)
{
    static const uint32_t steps[] = {1, 3, UINT32_MAX};
    const uint32_t rows = shape_rows(&trial->plan.out);
    if (!trial->stage->windows || trial->plan.whole || trial->in.kind != SHAPE_IMAGE)
        return;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (uint32_t first = 0; first < rows; first += steps[i] < rows ? steps[i] : rows)
            check_window(trial, first, rows - first < steps[i] ? rows : first + steps[i]);
    }
}

/* The whole item once, with somebody who collects; what is told must fit, be a valid list, and come from a
 * stage that says so. */
static inline void run_expected(struct trial *trial)
{
    const size_t bytes = shape_bytes(&trial->plan.out), record_bytes = trial->plan.record_bytes;
    struct record_field field;
    size_t position = 0;
    int more;
    trial->record =
        (struct record){.block = harness_alloc(record_bytes), .size_bytes = record_bytes, .prefix = ""};
    trial->expected = harness_alloc(bytes);
    memset(trial->expected, 0xff, bytes);
    trial->out = run_ranges(trial, trial->src, trial->expected, UINT32_MAX, &trial->record);
    harness_check_guard(trial->record.block, record_bytes);
    while ((more = record_next(&trial->record, &position, &field)) == 1)
        ;
    if (more < 0)
        explain(trial, "told something impossible");
    if (trial->record.used_bytes > 0 && (!trial->stage->records || !trial->plan.whole))
        explain(trial, "tells the record, but does not say so or is not whole");
}

/* 1 where the stage works on the shape, 0 where its plan says that it does not. */
static inline unsigned try_shape(const struct stage *stage, const void *params, const struct shape *in)
{
    struct trial trial = {.stage = stage, .params = params, .in = *in};
    struct error error = {0};
    const bool referring = stage->reference && stage->reference(params);
    if (referring) {
        uint8_t *other = harness_samples(in, 78);
        trial.reference = counterpart_of(in, other);
        free(other);
    }
    const int code =
        stage_plan_with(stage, params, in, referring ? &trial.reference : NULL, &trial.plan, &error);
    if (code != 0) {
        free((uint8_t *)trial.reference.bytes);
        if (code != ERROR_USAGE && code != ERROR_UNSUPPORTED && code != ERROR_LIMIT)
            explain(&trial, error.reason);
        assert_string_equal(error.stage, stage->name);
        return 0;
    }
    assert_true(shape_valid(&trial.plan.out));
    if (trial.plan.out.kind != (stage->gives == STAGE_GIVES_IMAGE   ? SHAPE_IMAGE
                                : stage->gives == STAGE_GIVES_ARRAY ? SHAPE_ARRAY
                                                                    : in->kind))
        explain(&trial, "gives another kind than it says");
    if (trial.plan.settles && !trial.plan.whole)
        explain(&trial, "settles, but is not whole");
    trial.src = harness_samples(in, 77);
    run_expected(&trial);
    check_ranges(&trial);
    check_in_place(&trial);
    for (uint32_t y = 0; y < shape_rows(&trial.plan.out) && !trial.plan.whole; y++)
        check_source_row(&trial, y);
    check_windows(&trial);
    uint8_t *again = harness_samples(in, 77);
    if (memcmp(again, trial.src, shape_bytes(in)) != 0)
        explain(&trial, "wrote its input");
    free(again);
    free((uint8_t *)trial.reference.bytes);
    free(trial.record.block);
    free(trial.expected);
    free(trial.src);
    return 1;
}

#endif
