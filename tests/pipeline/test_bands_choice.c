/* SPDX-License-Identifier: MIT */
/* Which stages of a chain go over bands of rows, and whether encoding does. */
#include "bands_chain.h"
#include "pipeline/engine/chain_bands.h"

static void add_links(struct job *job, const char *const texts[3])
{
    for (size_t i = 0; i < 3 && texts[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s", texts[i]);
        char *colon = strchr(name, ':');
        *colon = '\0';
        chain_add(job, name, colon + 1);
    }
}

static uint8_t codec_number(const char *name)
{
    uint8_t number = 0;
    while (strcmp(codec_all()[number]->name, name) != 0)
        number++;
    return number;
}

/* Where nothing takes rows: `fast` compresses them in one piece. */
static void only_the_first_stages_that_pay_are_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *texts[3];
        unsigned chosen;
    } cases[] = {
        {{"gaussblur:sigma=2", "invert:", "sobel:"}, 3},
        {{"gaussblur:sigma=2", "levels:auto=true", "sobel:"}, 1},
        {{"invert:", "flip:direction=vertical", "sobel:"}, 1},
        {{"flip:direction=vertical", "invert:", "sobel:"}, 0},
        {{"levels:auto=true", "invert:", "sobel:"}, 0},
        {{"hash:", "invert:", "sobel:"}, 0},
        {{"invert:", "sobel:", "trim:"}, 2},
        {{NULL}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job = chain_start();
        struct codec_info info = {.shape = harness_shape(600, 900, 3, SAMPLE_U8), .by_rows = true};
        struct slot_ticket ticket = {.codec_out = {codec_number("png")}};
        job.output_count = 1;
        job.outputs[0].save = (struct codec_save){.compression = COMPRESSION_FAST, .level = -1};
        add_links(&job, cases[i].texts);
        assert_int_equal(chain_bands_choose(&job, &info, &ticket), cases[i].chosen > 0);
        assert_int_equal(ticket.banded, cases[i].chosen);
        assert_false(ticket.streamed);
        job.bands = false;
        assert_false(chain_bands_choose(&job, &info, &ticket));
        job.bands = true;
        info.by_rows = false;
        assert_false(chain_bands_choose(&job, &info, &ticket));
        chain_free(&job);
    }
}

static void rows_go_to_the_encoder_where_all_stages_hand_them_on(void **state)
{
    (void)state;
    static const struct {
        const char *texts[3], *format;
        struct codec_save save;
        unsigned pools;
        bool packed, streamed;
    } cases[] = {
        {{NULL}, "png", {.compression = COMPRESSION_FASTEST, .level = -1}, 1, false, true},
        {{"gaussblur:sigma=2", "resize:scale=0.5"},
         "png",
         {.compression = COMPRESSION_FASTEST, .level = -1},
         1,
         false,
         true},
        {{"invert:", "trim:"}, "png", {.compression = COMPRESSION_FASTEST, .level = -1}, 1, false, false},
        {{"invert:"}, "png", {.compression = COMPRESSION_FASTEST, .level = -1}, 2, false, false},
        {{"invert:"}, "png", {.compression = COMPRESSION_FASTEST, .level = -1}, 1, true, false},
        {{"invert:"}, "pnm", {.compression = COMPRESSION_FASTEST, .level = -1}, 1, false, true},
        {{"invert:"}, "jpeg", {.compression = COMPRESSION_FAST, .quality = 80}, 1, false, true},
        {{"invert:"}, "jpeg", {.compression = COMPRESSION_SMALLEST, .quality = 80}, 1, false, true},
        {{"invert:"}, "jpeg", {.compression = COMPRESSION_FAST, .quality = 80}, 1, true, false},
        {{"invert:"}, "webp", {.compression = COMPRESSION_FAST, .quality = 80}, 1, false, false},
        {{"invert:"}, "png", {.compression = COMPRESSION_FASTEST, .level = 1}, 1, false, false},
        {{"invert:"},
         "png",
         {.compression = COMPRESSION_FASTEST, .level = -1, .recompress = true},
         1,
         false,
         false},
        {{"invert:"},
         "png",
         {.compression = COMPRESSION_FASTEST, .level = -1, .reduce = true},
         1,
         false,
         false},
    };
    struct codec_plan plan = {0};
    struct shape shape = harness_shape(600, 900, 3, SAMPLE_U8);
    assert_int_equal(codec_plan_for(codec_all()[codec_number("png")], &cases[0].save, &shape, 0, &plan, NULL),
                     0);
    if (plan.rows_scratch_bytes == 0)
        skip(); /* a build without ISA-L */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job = chain_start();
        const struct codec_info info = {.shape = shape, .by_rows = true};
        if (cases[i].streamed && !codec_all()[codec_number(cases[i].format)]->begin)
            continue; /* a build without libjpeg */
        struct slot_ticket ticket = {.codec_out = {codec_number(cases[i].format)},
                                     .packed_out = {cases[i].packed}};
        job.output_count = 1;
        job.outputs[0].save = cases[i].save;
        add_links(&job, cases[i].texts);
        job.pool_count = cases[i].pools;
        assert_int_equal(chain_bands_choose(&job, &info, &ticket), cases[i].streamed || job.stage_count > 0);
        assert_int_equal(ticket.streamed, cases[i].streamed);
        chain_free(&job);
    }
}

/* The windows are those of the image as it is decoded. */
static void a_part_of_the_size_goes_over_bands(void **state)
{
    (void)state;
    struct job job = chain_start();
    const struct codec_info info = {.shape = harness_shape(6000, 4001, 3, SAMPLE_U8), .by_rows = true};
    struct slot_ticket ticket = {.codec_out = {codec_number("png")}, .shrink = 2};
    const struct shape part = codec_shrunk(&info.shape, ticket.shrink);
    struct chain_bands bands;
    job.output_count = 1;
    job.outputs[0].save = (struct codec_save){.compression = COMPRESSION_FAST, .level = -1};
    chain_add(&job, "gaussblur", "sigma=2");
    assert_true(chain_bands_choose(&job, &info, &ticket));
    assert_int_equal(ticket.banded, 1);
    assert_int_equal(chain_bands_plan(&job, &ticket, &part, &bands, NULL), 0);
    assert_int_equal(bands.stages[0].in.width, 1500);
    assert_int_equal(bands.stages[0].in.height, 1001);
    chain_free(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_stages_that_pay_are_chosen),
        cmocka_unit_test(rows_go_to_the_encoder_where_all_stages_hand_them_on),
        cmocka_unit_test(a_part_of_the_size_goes_over_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
