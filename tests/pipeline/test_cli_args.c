/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/cli/cli_args.h"

static struct cli_args args;
static struct diag diag;

static int clear(void **state)
{
    (void)state;
    cli_args_free(&args);
    diag_free(&diag);
    return 0;
}

/* Parses the words up to NULL. */
static int parse(enum cli_command command, char **words)
{
    int count = 0;
    while (words[count])
        count++;
    clear(NULL);
    return cli_args_parse(&args, command, count, words, &diag);
}

#define PARSE(command, ...) parse(command, (char *[]){__VA_ARGS__, NULL})

static void expect_flag(size_t index, const char *setting, const char *value, const char *name)
{
    assert_true(index < args.flag_count);
    const struct config_flag *flag = &args.flags[index];
    if (setting)
        assert_string_equal(flag->setting->name, setting);
    else
        assert_null(flag->setting);
    assert_string_equal(flag->value, value);
    assert_string_equal(flag->name, name);
}

static void every_setting_is_reached_by_each_form(void **state)
{
    (void)state;
    for (const struct param *setting = settings_table; setting->name; setting++) {
        char flag[64], joined[80], set[80], name[80];
        config_flag_name(setting, flag, sizeof flag);
        snprintf(joined, sizeof joined, "%s=v", flag);
        snprintf(set, sizeof set, "%s=v=w", setting->name);
        snprintf(name, sizeof name, "--set %s", setting->name);
        assert_int_equal(PARSE(CLI_RUN, joined, "--set", set), 0);
        assert_int_equal(args.flag_count, 2);
        expect_flag(0, setting->name, "v", flag);
        expect_flag(1, setting->name, "v=w", name);
        if (setting->type != PARAM_BOOL) {
            assert_int_equal(PARSE(CLI_RUN, flag, "-v"), 0);
            expect_flag(0, setting->name, "-v", flag);
            continue;
        }
        snprintf(joined, sizeof joined, "--no-%s", flag + 2);
        assert_int_equal(PARSE(CLI_RUN, flag, joined), 0);
        expect_flag(0, setting->name, "true", flag);
        expect_flag(1, setting->name, "false", joined);
    }
}

static void letters_can_be_joined(void **state)
{
    (void)state;
    assert_int_equal(PARSE(CLI_RUN, "-0vw3", "-w", "4", "-ia", "-i", "-", "-qs", "crop", "c.yaml"),
                     ERROR_USAGE);
    assert_non_null(strstr(diag.text, "contradict")); /* -q and -v, nothing else */
    assert_int_equal(diag.errors, 1);
    assert_true(args.verbose && args.quiet && !args.json);
    expect_flag(0, "null", "true", "-0");
    expect_flag(1, "workers", "3", "-w");
    expect_flag(2, "workers", "4", "-w");
    expect_flag(3, "input", "a", "-i");
    expect_flag(4, "input", "-", "-i");
    expect_flag(5, NULL, "crop", "-s");
    assert_string_equal(args.words[0], "c.yaml");
}

static void two_dashes_end_the_flags(void **state)
{
    (void)state;
    assert_int_equal(PARSE(CLI_RUN, "-q", "--", "-w"), 0);
    assert_string_equal(args.words[0], "-w");
    assert_int_equal(PARSE(CLI_RUN, "-"), 0);
    assert_string_equal(args.words[0], "-");
}

static void wrong_words_are_all_reported(void **state)
{
    (void)state;
    static const struct {
        char *word, *says;
    } cases[] = {
        {"--max-pixel=1", "unknown flag '--max-pixel'; did you mean '--max-pixels'?"},
        {"--max_pixels=1", "did you mean '--max-pixels'?"},
        {"--no-recursiv", "did you mean '--no-recursive'?"},
        {"--no-workers", "unknown flag '--no-workers'"},
        {"--no-recursive=1", "--no-recursive takes no value"},
        {"--quiet=1", "--quiet takes no value"},
        {"--max-p", "unknown flag '--max-p'"},
        {"-qz", "unknown flag '-z' in '-qz'"},
        {"-\xff", "unknown flag '-\\xff'"},
        {"--\x1b[1m", "\\x1b[1m"},
        {"--set=workers", "'workers' is not NAME=VALUE"},
        {"--set=wokers=1", "unknown setting 'wokers'; did you mean 'workers'?"},
        {"-j4", "unknown flag '-j4'; did you mean -w, --workers?"},
        {"--jobs=4", "unknown flag '--jobs'; did you mean -w, --workers?"},
        {"--threads", "did you mean -w, --workers?"},
        {"--overwrite", "unknown flag '--overwrite'; did you mean '--force'?"},
        {"--resume", "unknown flag '--resume'; the same command again does what is left"},
        {"--retry", "did you mean '--retry-failed'?"},
        {"--retri", "did you mean '--retries'?"},
        {"--workers", "--workers wants a value"},
        {"-w", "-w wants a value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(PARSE(CLI_RUN, "--bogus", cases[i].word), ERROR_USAGE);
        if (!strstr(diag.text, cases[i].says))
            fail_msg("'%s' says '%s'", cases[i].word, diag.text);
        assert_int_equal(diag.errors, 2);
    }
    assert_int_equal(PARSE(CLI_RUN, "a", "b"), ERROR_USAGE);
    assert_non_null(strstr(diag.text, "inputs are given by -i"));
}

/* Of many words that have no place the first is reported, and what they probably are. */
static void inputs_in_place_of_a_config_are_pointed_out_once(void **state)
{
    (void)state;
    static const char glob[] =
        " is no config: several files after -i? Quote the glob, or give -i before each";
    char expected[160];
    assert_int_equal(PARSE(CLI_RUN, "-o", "ug", "-i", "a.png", "b.png", "c.JPG", "d.npy.gz"), ERROR_USAGE);
    snprintf(expected, sizeof expected, "forkmill: error: b.png%s\n", glob);
    assert_string_equal(diag.text, expected);
    assert_int_equal(PARSE(CLI_BENCH, "-i", "a", "/", "b.png", "-o", "zz"), ERROR_USAGE);
    snprintf(expected, sizeof expected, "forkmill: error: /%s\n", glob);
    assert_string_equal(diag.text, expected);
    assert_int_equal(PARSE(CLI_RUN, "a.png", "-o", "eo"), ERROR_USAGE);
    assert_string_equal(diag.text, "forkmill: error: a.png is no config; inputs are given by -i\n");
    assert_int_equal(PARSE(CLI_RUN, "c.yaml", "-i", "a", "b", "c", "d"), ERROR_USAGE);
    assert_int_equal(diag.errors, 1);
    assert_non_null(
        strstr(diag.text, "'b': only one config can be given, and 'c.yaml' is it: several files"));
    assert_int_equal(PARSE(CLI_CHECK, "a.png"), ERROR_USAGE);
    assert_string_equal(diag.text, "forkmill: error: a.png is no config\n");
    assert_int_equal(PARSE(CLI_REPORT, "/"), 0);
    assert_int_equal(PARSE(CLI_DOCTOR, "a", "b"), ERROR_USAGE);
    assert_int_equal(diag.errors, 1);
}

static void commands_take_their_own_flags(void **state)
{
    (void)state;
    assert_int_equal(PARSE(CLI_STAGES, "--json", "crop"), 0);
    assert_true(args.json);
    assert_int_equal(PARSE(CLI_STAGES, "-w", "3"), ERROR_USAGE);
    assert_int_equal(PARSE(CLI_CHECK, "--workers=3"), ERROR_USAGE);
    assert_int_equal(PARSE(CLI_CHECK, "--json", "x"), ERROR_USAGE);
}

static void a_bench_has_flags_of_its_own_beside_the_settings(void **state)
{
    (void)state;
    assert_int_equal(PARSE(CLI_BENCH, "-w", "1,2", "--json=x", "--repeat", "3", "--queue", "4", "-s", "flip"),
                     0);
    assert_string_equal(args.bench.workers, "1,2");
    assert_string_equal(args.bench.repeat, "3");
    assert_string_equal(args.json_file, "x");
    assert_false(args.json);
    assert_null(args.bench.engines);
    assert_int_equal(args.flag_count, 2);
    expect_flag(0, "queue", "4", "--queue");
    expect_flag(1, NULL, "flip", "-s");
    assert_int_equal(PARSE(CLI_BENCH, "--workers"), ERROR_USAGE);
    assert_int_equal(PARSE(CLI_RUN, "--repeat", "3"), ERROR_USAGE);
    assert_int_equal(PARSE(CLI_RUN, "--json", "-w", "2"), 0);
    assert_true(args.json);
    expect_flag(0, "workers", "2", "-w");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_setting_is_reached_by_each_form, clear),
        cmocka_unit_test_teardown(letters_can_be_joined, clear),
        cmocka_unit_test_teardown(two_dashes_end_the_flags, clear),
        cmocka_unit_test_teardown(wrong_words_are_all_reported, clear),
        cmocka_unit_test_teardown(inputs_in_place_of_a_config_are_pointed_out_once, clear),
        cmocka_unit_test_teardown(commands_take_their_own_flags, clear),
        cmocka_unit_test_teardown(a_bench_has_flags_of_its_own_beside_the_settings, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
