/* SPDX-License-Identifier: MIT */
/* Chains over bands of rows against the same stages one after the other on whole images: the same bytes in no
 * more memory than was planned, and of two errors the file's. The decoder is one that hands out rows of an
 * image that the test holds, and is damaged from a row on where that is wanted. */
#include "bands_chain.h"
#include "pipeline/engine/chain_bands_run.h"
#include "tests/quick.h"

static uint32_t seed = 1;

static unsigned dice(unsigned sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % sides;
}

struct file {
    const uint8_t *pixels;
    uint32_t given, sound; /* rows; `sound` one more than all: the end is sound, too */
};

static int file_rows(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error)
{
    struct file *file = job->state;
    const size_t row_bytes = shape_row_bytes(&job->shape);
    assert_true(count > 0 && count <= job->shape.height - file->given);
    if (file->given + count > file->sound)
        return error_set(error, ERROR_CORRUPT, "damaged");
    memcpy(pixels, file->pixels + file->given * row_bytes, count * row_bytes);
    file->given += count;
    return 0;
}

static int file_close(struct codec_decode *job, struct error *error)
{
    const struct file *file = job->state;
    assert_int_equal(file->given, job->shape.height);
    return file->sound > job->shape.height ? 0 : error_set(error, ERROR_CORRUPT, "damaged end");
}

static const struct codec file_codec = {.rows = file_rows, .close = file_close};

static const struct {
    const char *name, *arguments;
    bool back; /* it goes back to rows that bands are done with */
} links[] = {
    {"resize", "scale=0.5", false},
    {"resize", "scale=0.13,kernel=box", false},
    {"resize", "scale=0.3,kernel=nearest", false},
    {"resize", "scale=1.7,kernel=cubic", false},
    {"resize", "width=20,height=31,fit=cover", false},
    {"crop", "width=9,height=11", false},
    {"crop", "width=5,height=3,left=1,top=40", false},
    {"pad", "left=2,top=37,right=1,bottom=29", false},
    {"pad", "left=1,top=5,right=1,bottom=70,extend=copy", false},
    {"pad", "left=1,top=5,right=1,bottom=3,extend=mirror", true},
    {"flip", "direction=horizontal", false},
    {"flip", "direction=vertical", true},
    {"rotate", "angle=180", true},
    {"orient", "", false},
    {"gaussblur", "sigma=0.7", false},
    {"gaussblur", "sigma=11", false},
    {"sharpen", "sigma=2", false},
    {"sobel", "", false},
    {"median", "size=3", false},
    {"median", "size=9", false},
    {"erode", "size=5", false},
    {"dilate", "size=21,shape=disc", false},
    {"gamma", "exponent=1.4", false},
    {"linear", "a=0.7,b=0.1", false},
    {"invert", "", false},
    {"grayscale", "", false},
    {"flatten", "", false},
    {"cast", "type=u16", false},
    {"threshold", "value=0.4", false},
    {"threshold", "method=otsu", false},
    {"levels", "auto=true", false},
    {"equalize", "", false},
    {"clahe", "tiles_x=3,tiles_y=2", false},
    {"quantize", "levels=5,dither=ordered", false},
    {"composite", "file=logo.pam", false},
    {"copy", "", false},
    {"template", "factor=1.3", false},
};
#define LINKS (sizeof links / sizeof *links)

/* All stages on whole images; NULL where one of them does not take what comes to it. */
static uint8_t *expect(const struct job *job, const struct shape *in, const uint8_t *pixels,
                       struct shape *out)
{
    uint8_t *now = harness_alloc(shape_bytes(in));
    memcpy(now, pixels, shape_bytes(in));
    *out = *in;
    for (unsigned i = 0; i < job->stage_count && now; i++) {
        const struct job_stage *link = &job->stages[i];
        struct stage_plan plan;
        uint8_t *next = NULL;
        if (stage_plan(link->stage, link->params, out, &plan, NULL) == 0) {
            const size_t scratch_bytes = plan.begin_scratch_bytes + plan.rows_scratch_bytes;
            struct scratch scratch = {.base = harness_alloc(scratch_bytes), .size_bytes = scratch_bytes};
            next = harness_alloc(shape_bytes(&plan.out));
            struct stage_run run = {
                .params = link->params, .in = *out, .out = plan.out, .src = now, .dst = next};
            assert_int_equal(stage_run_whole(link->stage, &run, &scratch, NULL), 0);
            free(scratch.base);
            *out = plan.out;
        }
        free(now);
        now = next;
    }
    return now;
}

/* Where rows go that are streamed, and the step begun last. */
struct target {
    uint8_t *dst;
    size_t row_bytes;
    uint32_t taken, full; /* rows; `full`: there is no room for that one */
    unsigned step;
};

static void count_step(void *context, unsigned step)
{
    ((struct target *)context)->step = step;
}

static int take_rows(void *context, const uint8_t *rows, uint32_t count, struct error *error)
{
    struct target *target = context;
    if (target->full < target->taken + count)
        return error_set(error, ERROR_ROOM, "full");
    memcpy(target->dst + target->taken * target->row_bytes, rows, count * target->row_bytes);
    target->taken += count;
    return 0;
}

/* One run in exactly the planned memory; the result goes to `dst`, the step begun last to *step. Of rows that
 * are streamed there is room for `full`. */
static int run_bands_to(const struct chain_bands *bands, const struct shape *in, struct file *file,
                        uint8_t *dst, uint32_t full, unsigned *step, struct error *error)
{
    struct scratch scratch = {.base = harness_alloc(bands->scratch_bytes),
                              .size_bytes = bands->scratch_bytes};
    struct codec_decode decode = {.shape = *in, .state = file};
    struct target target = {.dst = dst, .row_bytes = shape_row_bytes(&bands->out), .full = full};
    const struct chain_bands_task task = {.codec = &file_codec,
                                          .decode = &decode,
                                          .dst = bands->streamed ? NULL : dst,
                                          .scratch = &scratch,
                                          .begin_step = count_step,
                                          .put = take_rows,
                                          .context = &target};
    const int code = chain_bands_run(bands, &task, error);
    if (code == 0)
        assert_int_equal(target.taken, bands->streamed ? bands->out.height : 0);
    *step = target.step;
    harness_check_guard(scratch.base, bands->scratch_bytes);
    free(scratch.base);
    return code;
}

static int run_bands(const struct chain_bands *bands, const struct shape *in, struct file *file, uint8_t *dst,
                     unsigned *step, struct error *error)
{
    return run_bands_to(bands, in, file, dst, UINT32_MAX, step, error);
}

static void describe(const struct job *job, const struct shape *in)
{
    char text[256];
    print_message("%s:", shape_text(in, text, sizeof text));
    for (unsigned i = 0; i < job->stage_count; i++)
        print_message(" %s", job->stages[i].stage->name);
    print_message("\n");
}

/* Whether the chain goes over bands; then that is tried, sound and with damage at a random row. */
static bool try_chain(const struct job *job, const struct shape *in, bool streamed)
{
    const struct slot_ticket ticket = {.banded = (uint8_t)job->stage_count, .streamed = streamed};
    struct chain_bands bands;
    struct error error = {0};
    struct shape out;
    unsigned step = 0;
    uint8_t *pixels = harness_image(in, seed);
    uint8_t *expected = expect(job, in, pixels, &out);
    const bool can = chain_bands_plan(job, &ticket, in, &bands, &error) == 0;
    if (!expected)
        assert_false(can);
    if (can) {
        uint8_t *dst = harness_alloc(shape_bytes(&out));
        struct file file = {.pixels = pixels, .sound = in->height + 1};
        assert_memory_equal(&bands.out, &out, sizeof out);
        if (run_bands(&bands, in, &file, dst, &step, &error) != 0 ||
            memcmp(dst, expected, shape_bytes(&out)) != 0) {
            describe(job, in);
            fail_msg("over bands it is not the same: %s", error.reason);
        }
        harness_check_guard(dst, shape_bytes(&out));
        file.given = 0;
        file.sound = dice(in->height + 1);
        assert_int_equal(run_bands(&bands, in, &file, dst, &step, &error), ERROR_CORRUPT);
        assert_int_equal(step, 0);
        if (streamed) {
            /* What there is no room for is said, after the file was found sound. */
            const uint32_t full = dice(out.height);
            file.given = 0;
            file.sound = in->height;
            assert_int_equal(run_bands_to(&bands, in, &file, dst, full, &step, &error), ERROR_CORRUPT);
            file.given = 0;
            file.sound = in->height + 1;
            assert_int_equal(run_bands_to(&bands, in, &file, dst, full, &step, &error), ERROR_ROOM);
            assert_int_equal(step, 1 + job->stage_count);
        }
        free(dst);
    }
    free(expected);
    free(pixels);
    return can;
}

static void random_chains_give_the_same(void **state)
{
    (void)state;
    static const uint32_t heights[] = {1, 2, 3, 15, 16, 17, 63, 64, 65, 130, 201, 333};
    unsigned worked = 0, longest = 0;
    for (unsigned i = 0; i < 1500; i++) {
        if (quick_skip(41))
            continue;
        struct job job = chain_start();
        const bool streamed = dice(2);
        const unsigned length = streamed ? dice(6) : 1 + dice(5);
        for (unsigned j = 0; j < length; j++) {
            const size_t link = dice(LINKS);
            chain_add(&job, links[link].name, links[link].arguments);
        }
        const struct shape in =
            harness_shape(dice(8) ? 1 + dice(40) : 3000, heights[dice(sizeof heights / sizeof *heights)],
                          1 + dice(4), (enum sample)dice(SAMPLE_IMAGE_COUNT));
        if (try_chain(&job, &in, streamed)) {
            worked++;
            longest = length > longest ? length : longest;
        }
        chain_free(&job);
    }
    print_message("%u chains, the longest of %u\n", worked, longest);
    assert_true(quick() || (worked > 500 && longest == 5));
}

/* Each alone, large enough for many bands. */
static void every_stage_goes_over_bands_or_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINKS; i++) {
        struct job job = chain_start();
        chain_add(&job, links[i].name, links[i].arguments);
        const struct shape in = harness_shape(37, 300, 3, SAMPLE_U8);
        if (try_chain(&job, &in, i % 2) == links[i].back) {
            describe(&job, &in);
            fail_msg("it %s over bands", links[i].back ? "goes" : "does not go");
        }
        chain_free(&job);
    }
}

/* A stage fails in the first band; what is wrong with the file behind it is still what is said. */
static void the_file_is_judged_first(void **state)
{
    (void)state;
    static const struct slot_ticket ticket = {.banded = 2};
    struct job job = chain_start();
    struct chain_bands bands;
    struct error error = {0};
    unsigned step = 0;
    chain_add(&job, "invert", "");
    chain_add(&job, "fail", "rate=1,kind=error");
    const struct shape in = harness_shape(50, 400, 3, SAMPLE_U8);
    uint8_t *pixels = harness_image(&in, 5), *dst = harness_alloc(shape_bytes(&in));
    assert_int_equal(chain_bands_plan(&job, &ticket, &in, &bands, &error), 0);
    struct file file = {.pixels = pixels, .sound = 401};
    assert_int_equal(run_bands(&bands, &in, &file, dst, &step, &error), ERROR_STAGE);
    assert_int_equal(step, 2);
    for (uint32_t sound = 399; sound <= 400; sound++) {
        file = (struct file){.pixels = pixels, .sound = sound};
        assert_int_equal(run_bands(&bands, &in, &file, dst, &step, &error), ERROR_CORRUPT);
        assert_int_equal(step, 0);
        assert_string_equal(error.reason, sound == 399 ? "damaged" : "damaged end");
    }
    free(pixels);
    free(dst);
    chain_free(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_chains_give_the_same),
        cmocka_unit_test(every_stage_goes_over_bands_or_is_refused),
        cmocka_unit_test(the_file_is_judged_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
