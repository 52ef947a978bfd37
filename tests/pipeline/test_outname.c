/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <stdbool.h>

#include "pipeline/files/outname.h"
#include "pipeline/files/siphash.h"

#ifndef ROUNDS
#define ROUNDS 100000u
#endif

static const struct codec png = {.name = "png", .extensions = "png"};
static const struct codec pnm = {.name = "pnm", .extensions = "pnm|pgm|ppm"};

static const struct outname_form kept_form, png_form = {.format = &png};
static const struct outname_rule kept = {.forms = &kept_form, .form_count = 1},
                                 to_png = {.forms = &png_form, .form_count = 1};

static bool known(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".png") == 0 || strcmp(dot, ".ppm") == 0);
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
        {"{dir}{name}", false, 0},
        {"{stem}.png", false, 0},
        {"{stm}.png", false, ERROR_USAGE},
        {"a.png", false, ERROR_USAGE},
        {"../{name}", false, ERROR_USAGE},
        {"/{name}", false, ERROR_USAGE},
        {"{name}}", false, ERROR_USAGE},
        {"{row}{name}", false, ERROR_USAGE},
        {"{name}", true, ERROR_USAGE},
        {"{row}-{col}-{name}", true, 0},
        {"{row}{name}", true, ERROR_USAGE},
        /* Row and column can be read back, */
        {"{dir}{stem}_{row}_{col}.{ext}", true, 0},
        {"{dir}{stem}/{row}/{col}.{ext}", true, 0},
        {"{dir}{row}/{col}-{name}", true, 0},
        {"{row}/{dir}{stem}-{col}.png", true, 0},
        {"{ext}/{stem}-{row}x7y{col}.png", true, 0},
        /* or not: a1 0-0 and a 10-0 are alike; rows 1 and columns 11; in x-1-, a-1 and a of 1-; and so on. */
        {"{stem}{row}-{col}.png", true, ERROR_USAGE},
        {"{stem}-{row}{col}.png", true, ERROR_USAGE},
        {"{stem}-{row}7{col}.png", true, ERROR_USAGE},
        {"{row}-{col}{stem}.png", true, ERROR_USAGE},
        {"{stem}7{row}-{col}.png", true, ERROR_USAGE},
        {"{stem}{dir}{row}-{col}.png", true, ERROR_USAGE},
        {"{stem}-{row}-{dir}{col}.png", true, ERROR_USAGE},
        {"{stem}-{row}-{stem}-{col}.png", true, ERROR_USAGE},
        {"{dir}{row}/{dir}{stem}-{col}.png", true, ERROR_USAGE},
        {"{stem}-{row}-{col}-{ext}", true, ERROR_USAGE},
        {"{ext}-{row}-{col}-{stem}", true, ERROR_USAGE},
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

struct tile_name {
    char name[64], first[64]; /* the tile's, and that of its item's first tile */
    size_t number;            /* which of the item's tiles it is */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tile_name *)a)->name, ((const struct tile_name *)b)->name);
}

/* Tiles of the most awkward items, of those rows and columns, called by that form. */
static size_t name_tiles(const struct outname_form *form, struct tile_name *names)
{
    static const char *const rels[] = {"a.png",   "a-1.png", "1.png",     "1/a.png",  "1/1.png",
                                       "a/1.png", "1-1.png", "a-1/1.png", "1-/1.png", "a-1-1.png",
                                       "a.1.png", "1/1/a",   "1",         "a.1",      "a/1.1"};
    static const uint32_t numbers[] = {0, 1, 11};
    size_t count = 0;
    for (size_t i = 0; i < sizeof rels / sizeof *rels; i++) {
        for (size_t j = 0; j < 9; j++, count++) {
            struct tile_name *at = &names[count];
            at->number = j;
            assert_int_equal(
                outname_make(form, rels[i], numbers[j / 3], numbers[j % 3], at->name, sizeof at->name, NULL),
                0);
            assert_int_equal(outname_make(form, rels[i], 0, 0, at->first, sizeof at->first, NULL), 0);
        }
    }
    return count;
}

/* Templates put together at random: of those let through, two tiles are called alike only where the first
 * ones of their items are, which is found before the run. Two of one item never are. */
static void templates_let_through_tell_tiles_apart(void **state)
{
    (void)state;
    static const char *const pieces[] = {"{dir}", "{stem}", "{ext}", "{name}", "{row}",
                                         "{col}", "-",      "/",     "1",      "."};
    static struct tile_name names[15 * 9];
    unsigned let_through = 0;
    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char template[64] = "";
        for (int i = 3 + rand() % 7; i > 0; i--)
            strcat(template, pieces[rand() % 10]);
        if (outname_check_template(template, true, NULL) < 0)
            continue;
        const struct outname_form form = {.name = template, .format = round % 2 ? &png : NULL, .tiles = true};
        const size_t count = name_tiles(&form, names);
        qsort(names, count, sizeof *names, by_name);
        for (size_t i = 1; i < count; i++) {
            if (strcmp(names[i].name, names[i - 1].name) == 0 &&
                (names[i].number != names[i - 1].number || strcmp(names[i].first, names[i - 1].first) != 0))
                fail_msg("%s calls two tiles %s", template, names[i].name);
        }
        let_through++;
    }
    assert_true(let_through > ROUNDS / 1000);
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
            assert_int_equal(outname_set_has(set, name), round == 1);
            assert_int_equal(outname_set_add(set, name), round == 0);
        }
    }
    outname_set_free(set);
}

static uint64_t listed; /* as outname_check counts them */

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
    assert_int_equal(symlink("gone", "in/dead.ppm"), 0);
    struct param_list one = {(char *[]){"in"}, 1};
    struct scan_options options = options_for(&one);
    struct outname_clash clash;
    struct error error;
    assert_true(outname_kept(&options, &kept));
    assert_false(outname_kept(&options, &to_png));
    assert_int_equal(outname_check(&options, &kept, &listed, &clash, &error), 0);
    assert_null(clash.first);
    assert_int_equal(listed, 4);
    assert_int_equal(outname_check(&options, &to_png, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/d/a.png");
    assert_string_equal(clash.second, "in/d/a.ppm");
    assert_string_equal(clash.output, "d/a.png");
    outname_clash_free(&clash);

    struct param_list two = {(char *[]){"in", "in/d/a.ppm"}, 2};
    options = options_for(&two);
    assert_false(outname_kept(&options, &kept));
    assert_int_equal(outname_check(&options, &kept, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/a.ppm");
    assert_string_equal(clash.second, "in/d/a.ppm");
    outname_clash_free(&clash);

    struct param_list missing = {(char *[]){"in", "gone"}, 2};
    options = options_for(&missing);
    assert_int_equal(outname_check(&options, &kept, &listed, &clash, &error), SCAN_NO_INPUT);
}

/* A format that is only read becomes another, whose files may be there. */
static void kept_names_may_fall_together(void **state)
{
    (void)state;
    tree_dir("in");
    tree_dir("in/d");
    tree_file("in/d/x.npy", "1");
    tree_file("in/d/x.npz", "2");
    tree_file("in/x.npz", "3");
    struct param_list one = {(char *[]){"in"}, 1};
    struct scan_options options = options_for(&one);
    options.known = NULL;
    struct outname_rule rule = kept;
    rule.kept = outname_kept(&options, &kept);
    assert_true(rule.kept);
    struct outname_clash clash;
    struct error error;
    assert_int_equal(outname_check(&options, &rule, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/d/x.npy");
    assert_string_equal(clash.second, "in/d/x.npz");
    outname_clash_free(&clash);
    /* While names stream, of others nothing is remembered. */
    rule.taken = outname_set_new();
    assert_int_equal(outname_assign(&rule, "a.png", &error), 0);
    assert_int_equal(outname_assign(&rule, "a.png", &error), 0);
    assert_int_equal(outname_assign(&rule, "x.npz", &error), 0);
    assert_int_equal(outname_assign(&rule, "x.npy", &error), ERROR_USAGE);
    outname_set_free(rule.taken);
    rule.taken = NULL;
    /* What nobody may make is refused all the same, here and in a listing. */
    assert_int_equal(outname_assign(&rule, "d/.forkmill-1.png", &error), ERROR_USAGE);
    rule.reserved = (const struct outname_reserved[]){{"d/a.png", "trace"}, {NULL, NULL}};
    assert_int_equal(outname_assign(&rule, "a.png", &error), 0);
    assert_int_equal(outname_assign(&rule, "d/a.png", &error), ERROR_USAGE);
    assert_int_equal(unlink("in/d/x.npz"), 0);
    assert_int_equal(outname_check(&options, &rule, &listed, &clash, &error), 0);
    tree_file("in/d/a.png", "4");
    assert_int_equal(outname_check(&options, &rule, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/d/a.png");
    outname_clash_free(&clash);
    /* Tiles of packed files are not packed. */
    const struct outname_form tiles = {.tiles = true};
    assert_false(outname_kept(&options, &(struct outname_rule){.forms = &tiles, .form_count = 1}));
}

/* How many tiles there will be is not known: the outputs' names must differ whatever their numbers. */
static void tiles_keep_out_of_the_way_of_others(void **state)
{
    (void)state;
    static const struct outname_form forms[] = {{.name = "{stem}.png"},
                                                {.name = "{stem}-{row}-{col}.png", .tiles = true}};
    const struct outname_rule rule = {.forms = forms, .form_count = 2};
    tree_dir("in");
    tree_file("in/a.png", "1");
    tree_file("in/a-3-14.png", "2");
    tree_file("in/a-3.png", "3");
    struct param_list one = {(char *[]){"in"}, 1};
    struct scan_options options = options_for(&one);
    struct outname_clash clash;
    struct error error;
    assert_int_equal(outname_check(&options, &rule, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/a-3-14.png");
    assert_string_equal(clash.second, "in/a.png");
    assert_string_equal(clash.output, "a-3-14.png");
    outname_clash_free(&clash);
    tree_file("in/b.png", "4");
    assert_int_equal(unlink("in/a-3-14.png"), 0);
    assert_int_equal(outname_check(&options, &rule, &listed, &clash, &error), 0);

    const struct outname_reserved reserved[] = {{"a-1-20.png", "trace"}, {"b5/", "quarantine"}, {NULL, NULL}};
    const struct outname_form tiles[] = {{.tiles = true, .name = "{stem}-{row}-{col}.png"},
                                         {.tiles = true, .name = "{stem}{dir}/{row}/{col}.png"}};
    struct outname_rule one_form = {.forms = tiles, .form_count = 1, .reserved = reserved};
    assert_int_equal(outname_assign(&one_form, "a.png", &error), ERROR_USAGE);
    assert_int_equal(outname_assign(&one_form, "c.png", &error), 0);
    /* refused before work: in/a.png is there still, though names that are kept need no comparing */
    assert_int_equal(outname_check(&options, &one_form, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/a.png");
    assert_null(clash.second);
    assert_string_equal(clash.output, "a-1-20.png");
    assert_string_equal(clash.who, "trace");
    outname_clash_free(&clash);
    const struct outname_reserved plain[] = {{"b.png", "collect"}, {NULL, NULL}};
    struct outname_rule as_it_is = {
        .forms = &(struct outname_form){0}, .form_count = 1, .reserved = plain, .kept = true};
    assert_int_equal(outname_check(&options, &as_it_is, &listed, &clash, &error), ERROR_USAGE);
    assert_string_equal(clash.first, "in/b.png");
    outname_clash_free(&clash);
    one_form.forms = &tiles[1];
    assert_int_equal(outname_assign(&one_form, "b7.png", &error), ERROR_USAGE);
    assert_int_equal(outname_assign(&one_form, "c7.png", &error), 0);
}

static void lists_are_looked_at_where_they_can_be(void **state)
{
    (void)state;
    tree_file("a.png", "1");
    tree_file("list", "a.png\n./a.png\n");
    struct scan_options options = options_for(NULL);
    struct outname_clash clash;
    options.files_from = "list";
    assert_true(!outname_kept(&options, &kept) && outname_can_look(&options));
    assert_int_equal(outname_check(&options, &kept, &listed, &clash, NULL), ERROR_USAGE);
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
    const struct outname_form form = {.format = format};
    const struct outname_rule rule = {.forms = &form, .form_count = 1};
    int code = outname_check_places(&options, output, &rule, &error);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_follow_the_format),
        cmocka_unit_test(siphash_is_siphash),
        cmocka_unit_test(templates_name_outputs),
        cmocka_unit_test(templates_are_judged),
        cmocka_unit_test(templates_let_through_tell_tiles_apart),
        cmocka_unit_test(sets_know_what_they_hold),
        TEST(two_inputs_for_one_output_are_found),
        TEST(lists_are_looked_at_where_they_can_be),
        TEST(overlapping_places_are_refused),
        TEST(kept_names_may_fall_together),
        TEST(tiles_keep_out_of_the_way_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
