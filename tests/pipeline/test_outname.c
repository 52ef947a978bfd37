/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <stdbool.h>

#include "pipeline/files/outname.h"
#include "pipeline/files/siphash.h"

static const struct codec png = {.name = "png", .extensions = "png"};
static const struct codec pnm = {.name = "pnm", .extensions = "pnm|pgm|ppm"};

static const struct outname_form kept_form, png_form = {.format = &png};
static const struct outname_rule kept = {&kept_form, 1, NULL, NULL}, to_png = {&png_form, 1, NULL, NULL};

static bool known(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".png") == 0 || strcmp(dot, ".ppm") == 0);
}

static int enter(void **state)
{
    (void)state;
    tree_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    tree_leave();
    return 0;
}

static void extensions_follow_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *rel;
        const struct codec *format;
        const char *out;
    } cases[] = {
        {"a/b.ppm", NULL, "a/b.ppm"},    {"a/b.ppm", &png, "a/b.png"},   {"a/b.PNG", &png, "a/b.png"},
        {"a/b.pgm", &pnm, "a/b.pnm"},    {"a.d/b", &png, "a.d/b.png"},   {".hidden", &png, ".hidden.png"},
        {"x.tar.gz", &png, "x.tar.png"}, {"a/.x.ppm", &png, "a/.x.png"}, {"dot.", &png, "dot.png"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(outname_make(&(struct outname_form){.format = cases[i].format}, cases[i].rel, 0, 0,
                                      out, sizeof out, NULL),
                         0);
        assert_string_equal(out, cases[i].out);
    }
    struct error error;
    assert_int_equal(outname_make(&(struct outname_form){.format = &png}, "abcd.ppm", 0, 0, out, 9, &error),
                     0);
    assert_int_equal(outname_make(&(struct outname_form){.format = &png}, "abcd.ppm", 0, 0, out, 8, &error),
                     ERROR_LIMIT);
}

static void templates_name_outputs(void **state)
{
    (void)state;
    const struct codec *real_png = codec_for_name("x.png"), *npy = codec_for_name("x.npy");
    const struct {
        struct outname_form form;
        const char *rel, *out;
    } cases[] = {
        {{.name = "{dir}{stem}-small.{ext}"}, "a/b.ppm", "a/b-small.ppm"},
        {{.name = "{dir}/{stem}.{ext}"}, "b.PNG", "b.PNG"},
        {{.name = "/x//{dir}{name}"}, "a/b.png", "x/a/b.png"},
        {{.name = "thumb/{dir}{name}", .format = &pnm}, "a/b.png", "thumb/a/b.pnm"},
        {{.name = "{stem}.jpg", .format = &png}, "a/b.png", "b.jpg"},
        {{.name = "{name}"}, "a/plain", "plain"},
        {{.tiles = true}, "a/b.png", "a/b_3_14.png"},
        {{.name = "{dir}{row}/{col}-{name}", .tiles = true}, "a/b.png", "a/3/14-b.png"},
        {{.gzip = CODEC_GZIP_SAME}, "a/b.npy.gz", "a/b.npy.gz"},
        {{.gzip = CODEC_GZIP_NO}, "a/b.npy.GZ", "a/b.npy"},
        {{.gzip = CODEC_GZIP_YES}, "a/b.npy", "a/b.npy.gz"},
        {{.gzip = CODEC_GZIP_YES}, "a/b.png", "a/b.png"},
        {{.format = npy}, "a/b.npy.gz", "a/b.npy.gz"},
        {{.format = real_png}, "a/b.npy.gz", "a/b.png"},
        {{.format = NULL}, "a/b.npz", "a/b.npy"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(outname_make(&cases[i].form, cases[i].rel, 3, 14, out, sizeof out, NULL), 0);
        assert_string_equal(out, cases[i].out);
    }
}

static void templates_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool tiles;
        int code;
    } cases[] = {
        {"{dir}{name}", false, 0},          {"{stem}.png", false, 0},
        {"{stm}.png", false, ERROR_USAGE},  {"a.png", false, ERROR_USAGE},
        {"../{name}", false, ERROR_USAGE},  {"/{name}", false, ERROR_USAGE},
        {"{name}}", false, ERROR_USAGE},    {"{row}{name}", false, ERROR_USAGE},
        {"{name}", true, ERROR_USAGE},      {"{row}{col}{name}", true, 0},
        {"{row}{name}", true, ERROR_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(outname_check_template(cases[i].name, cases[i].tiles, NULL), cases[i].code);
    bool gzip;
    assert_ptr_equal(outname_template_codec("{stem}.png", &gzip), codec_for_name("x.png"));
    assert_false(gzip);
    assert_null(outname_template_codec("{stem}.{ext}", &gzip));
    assert_true(outname_template_open("{stem}.{ext}") && outname_template_open("{dir}{name}"));
    assert_false(outname_template_open("{name}.bmp") || outname_template_open("{ext}/{stem}"));
    assert_ptr_equal(outname_template_codec("{name}.png", &gzip), codec_for_name("x.png"));
    assert_ptr_equal(outname_template_codec("{stem}.npy.gz", &gzip), codec_for_name("x.npy"));
    assert_true(gzip);
}

/* The example of the paper's appendix A. */
static void siphash_is_siphash(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t message[15];
    for (uint8_t i = 0; i < 15; i++)
        message[i] = i;
    assert_true(siphash(key, message, 15) == 0xa129ca6149be45e5u);
}

static void sets_know_what_they_hold(void **state)
{
    (void)state;
    struct outname_set *set = outname_set_new();
    char name[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 50000; i++) {
            snprintf(name, sizeof name, "dir/%d.png", i);
            assert_int_equal(outname_set_add(set, name), round == 0);
        }
    }
    outname_set_free(set);
}

static struct scan_options options_for(struct param_list *inputs)
{
    return (struct scan_options){.inputs = inputs, .recursive = true, .known = known, .stop_fd = -1};
}

static void two_inputs_for_one_output_are_found(void **state)
{
    (void)state;
    tree_dir("in");
    tree_dir("in/d");
    tree_file("in/d/a.png", "1");
    tree_file("in/d/a.ppm", "2");
    tree_file("in/a.ppm", "3");
    struct param_list one = {(char *[]){"in"}, 1};
    struct scan_options options = options_for(&one);
    struct outname_clash clash;
    struct error error;
    assert_false(outname_may_clash(&options, &kept));
    assert_true(outname_may_clash(&options, &to_png));
    assert_int_equal(outname_check(&options, &kept, &clash, &error), 0);
    assert_null(clash.first);
    assert_int_equal(outname_check(&options, &to_png, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/d/a.png");
    assert_string_equal(clash.second, "in/d/a.ppm");
    assert_string_equal(clash.output, "d/a.png");
    outname_clash_free(&clash);

    struct param_list two = {(char *[]){"in", "in/d/a.ppm"}, 2};
    options = options_for(&two);
    assert_true(outname_may_clash(&options, &kept));
    assert_int_equal(outname_check(&options, &kept, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/a.ppm");
    assert_string_equal(clash.second, "in/d/a.ppm");
    outname_clash_free(&clash);

    struct param_list missing = {(char *[]){"in", "gone"}, 2};
    options = options_for(&missing);
    assert_int_equal(outname_check(&options, &kept, &clash, &error), SCAN_NO_INPUT);
}

static void lists_are_looked_at_where_they_can_be(void **state)
{
    (void)state;
    tree_file("a.png", "1");
    tree_file("list", "a.png\n./a.png\n");
    struct scan_options options = options_for(NULL);
    struct outname_clash clash;
    options.files_from = "list";
    assert_true(outname_may_clash(&options, &kept) && outname_can_look(&options));
    assert_int_equal(outname_check(&options, &kept, &clash, NULL), ERROR_USAGE);
    assert_string_equal(clash.second, "./a.png");
    outname_clash_free(&clash);
    options.files_from = "-";
    assert_false(outname_can_look(&options));
    assert_int_equal(mkfifo("fifo", 0666), 0);
    options.files_from = "fifo";
    assert_false(outname_can_look(&options));
}

static int places(const char *input, const char *output, const struct codec *format)
{
    char *text = strdup(input);
    struct param_list inputs = {&text, 1};
    struct scan_options options = options_for(&inputs);
    struct error error = {0};
    int code = outname_check_places(
        &options, output, &(struct outname_rule){&(struct outname_form){.format = format}, 1, NULL, NULL},
        &error);
    assert_true((code == 0) == (error.reason[0] == '\0'));
    free(text);
    return code;
}

static void overlapping_places_are_refused(void **state)
{
    (void)state;
    tree_dir("in");
    tree_dir("in/sub");
    tree_dir("out");
    tree_dir("[b]");
    tree_file("in/a.ppm", "a");
    assert_int_equal(symlink("in", "link"), 0);
    assert_int_equal(places("in", "in", NULL), ERROR_USAGE);
    assert_int_equal(places("in", "in/sub/..", NULL), ERROR_USAGE);
    assert_int_equal(places("in", "link", NULL), ERROR_USAGE);
    assert_int_equal(places("in/sub", "in", NULL), ERROR_USAGE);
    assert_int_equal(places("in", ".", &png), ERROR_USAGE);
    assert_int_equal(places("in/*.ppm", "in", NULL), ERROR_USAGE);
    assert_int_equal(places("*.ppm", ".", NULL), ERROR_USAGE);
    assert_int_equal(places("\\[b]/*.ppm", "[b]", NULL), ERROR_USAGE);
    assert_int_equal(places("in/a.ppm", "in", NULL), ERROR_USAGE);
    assert_int_equal(places("in/a.ppm", "link", &pnm), 0);
    assert_int_equal(places("in/a.ppm", "in", &png), 0);
    assert_int_equal(places("in/a.ppm", "out", NULL), 0);
    assert_int_equal(places("in", "in/sub", NULL), 0);
    assert_int_equal(places("in", "in/new", NULL), 0);
    assert_int_equal(places("in", "out", NULL), 0);
    assert_int_equal(places("gone", "out", NULL), 0); /* the scan says so */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_follow_the_format), cmocka_unit_test(siphash_is_siphash),
        cmocka_unit_test(templates_name_outputs),       cmocka_unit_test(templates_are_judged),
        cmocka_unit_test(sets_know_what_they_hold),     TEST(two_inputs_for_one_output_are_found),
        TEST(lists_are_looked_at_where_they_can_be),    TEST(overlapping_places_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
