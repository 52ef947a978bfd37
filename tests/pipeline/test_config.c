/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/config/config.h"
#include "tests/quick.h"

static char path[] = "/tmp/test_config.XXXXXX";
static struct config config;
static struct diag diag;
static char *no_environment[] = {NULL};

static int clear(void **state)
{
    (void)state;
    config_free(&config);
    diag_free(&diag);
    return 0;
}

static void write_file(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static int load_bytes(const char *bytes, size_t length, char **environment, const struct config_flag *flags,
                      size_t count)
{
    clear(NULL);
    write_file(bytes, length);
    return config_load(&config, path, environment, flags, count, &diag);
}

static int load(const char *text)
{
    return load_bytes(text, strlen(text), no_environment, NULL, 0);
}

static void expect_error(const char *text, const char *place, const char *says)
{
    char head[128];
    assert_int_equal(load(text), ERROR_USAGE);
    /* a place that ends with a colon leaves the column open: it is the YAML library's choice */
    bool open = place[strlen(place) - 1] == ':';
    snprintf(head, sizeof head, "%s:%s%s", path, place, open ? "" : ": error: ");
    if (!strstr(diag.text, head) || !strstr(diag.text, says))
        fail_msg("'%s' says\n%s\nnot %s %s", text, diag.text, head, says);
}

static struct config_flag flag(const char *setting, const char *value, const char *name)
{
    struct config_flag made = {setting ? param_find(settings_table, setting) : NULL, value, ""};
    snprintf(made.name, sizeof made.name, "%s", name);
    return made;
}

static void a_file_fills_the_job(void **state)
{
    (void)state;
    assert_int_equal(load("# thumbnails\n"
                          "input: [photos, 'more photos']\n"
                          "output: thumbs\n"
                          "workers: 4\n"
                          "memory: 1GiB\n"
                          "stages:\n"
                          "  - resize: {width: 800, height: 600, fit: cover}\n"
                          "  - flip\n"
                          "save: {format: png, level: 9}\n"),
                     0);
    const struct job *job = &config.job;
    assert_null(diag.text);
    assert_int_equal(job->settings.inputs.count, 2);
    assert_string_equal(job->settings.inputs.texts[1], "more photos");
    assert_string_equal(job->settings.output, "thumbs");
    assert_int_equal(job->settings.memory_bytes, 1u << 30);
    assert_int_equal(job->settings.save.format, 1);
    assert_int_equal(job->settings.save.level, 9);
    assert_int_equal(job->settings.queue, 16);
    assert_int_equal(job->stage_count, 2);
    assert_string_equal(job->stages[0].stage->name, "resize");
    assert_string_equal(job->stages[1].stage->name, "flip");
    assert_int_equal(job->pool_count, 1);
    assert_string_equal(job->pools[0].name, "main");
    assert_int_equal(job->pools[0].workers, 4);
    assert_int_equal(job->pools[0].first, 0);
    assert_int_equal(job->pools[0].last, 2);
    assert_non_null(strstr(job->workers_from, ":4"));
}

static void an_empty_file_is_all_defaults(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "# nothing\n", "---\n...\n",
                                        "stages:\n", "save:\n",     "\xef\xbb\xbf\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (load(texts[i]) != 0)
            fail_msg("'%s' says %s", texts[i], diag.text);
        assert_int_equal(config.job.pools[0].workers, 2);
        assert_int_equal(config.job.pool_count, 1);
        assert_string_equal(config.job.workers_from, "default");
    }
}

static void markers_cut_the_chain(void **state)
{
    (void)state;
    assert_int_equal(load("queue: 5\n"
                          "recycle: 9\n"
                          "stages:\n"
                          "  - flip\n"
                          "  - pool: {name: filter, workers: 3, queue: 8}\n"
                          "  - flip\n"
                          "  - flip\n"
                          "  - pool\n"),
                     0);
    const struct job_pool *pools = config.job.pools;
    assert_int_equal(config.job.pool_count, 3);
    assert_string_equal(pools[0].name, "main");
    assert_string_equal(pools[1].name, "filter");
    assert_string_equal(pools[2].name, "pool3");
    static const int64_t expected[3][5] = {{0, 1, 2, 5, 9}, {1, 3, 3, 8, 9}, {3, 3, 2, 5, 9}};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pools[i].first, expected[i][0]);
        assert_int_equal(pools[i].last, expected[i][1]);
        assert_int_equal(pools[i].workers, expected[i][2]);
        assert_int_equal(pools[i].queue, expected[i][3]);
        assert_int_equal(pools[i].recycle, expected[i][4]);
    }
}

static void a_marker_in_front_names_the_first_pool(void **state)
{
    (void)state;
    assert_int_equal(
        load("workers: 6\nstages: [pool: {name: a, recycle: 1}, pool: {workers: allotted}, flip]\n"), 0);
    assert_int_equal(config.job.pool_count, 2);
    assert_string_equal(config.job.pools[0].name, "a");
    assert_int_equal(config.job.pools[0].workers, 6);
    assert_int_equal(config.job.pools[0].recycle, 1);
    assert_int_equal(config.job.pools[0].last, 0);
    assert_int_equal(config.job.pools[1].workers, -1);
    assert_int_equal(config.job.pools[1].last, 1);
}

static void each_source_beats_the_one_before(void **state)
{
    (void)state;
    static const char text[] =
        "workers: 3\nqueue: 3\nbatch: 3\ninput: [a, b]\nexclude: [a]\nstages: [flip]\n";
    char *environment[] = {"FORKMILL_QUEUE=4", "FORKMILL_BATCH=4",      "FORKMILL_EXCLUDE=c", "OTHER=1",
                           "FORKMILL_ROOT=/",  "FORKMILL_SAVE_LEVEL=7", "FORKMILL_WORKERS=",  NULL};
    const struct config_flag flags[] = {flag("batch", "5", "--batch"), flag("input", "x", "-i"),
                                        flag("input", "y", "-i"), flag(NULL, "rotate:angle=90", "-s"),
                                        flag("batch", "6", "--batch")};
    assert_int_equal(load_bytes(text, sizeof text - 1, environment, flags, 5), 0);
    const struct settings *settings = &config.job.settings;
    assert_null(diag.text);
    assert_int_equal(settings->workers, 3); /* an empty variable says nothing */
    assert_int_equal(settings->queue, 4);
    assert_int_equal(settings->batch, 6);
    assert_int_equal(settings->save.level, 7);
    assert_int_equal(settings->inputs.count, 2);
    assert_string_equal(settings->inputs.texts[0], "x");
    assert_string_equal(settings->inputs.texts[1], "y");
    assert_int_equal(settings->exclude.count, 1);
    assert_string_equal(settings->exclude.texts[0], "c");
    assert_int_equal(config.job.stage_count, 1);
    assert_string_equal(config.job.stages[0].stage->name, "rotate");
}

static void wrong_files_say_where_and_what(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"memroy: 1GiB\n", "1:1", "unknown key 'memroy'; did you mean 'memory'?"},
        {"x: 1\n", "1:1", "= keys: input, output,"},
        {"save: {levle: 1}\n", "1:8", "unknown key 'levle'; did you mean 'level'?"},
        {"save: {grade: 1}\n", "1:8", "= keys here: format, compression, level, strip, interlace"},
        {"save: 6\n", "1:7", "save: wants a map"},
        {"save.level: 6\n", "1:1", "write 'save.level' as save: {level: ...}"},
        {"workers: many\n", "1:10", "'many' is not a whole number or allotted"},
        {"workers: 0\n", "1:10", "allowed is 1 to 1024"},
        {"workers: [1]\n", "1:10", "workers: wants one value, not a list"},
        {"input: [{a: b}]\n", "1:9", "input: wants one value, not a map"},
        {"timeout: 3d\n", "1:10", "not a duration like 30s"},
        {"null: maybe\n", "1:7", "not true or false"},
        {"output:\n", "1:1", "output: has no value"},
        {"queue: 1\nbatch: 2\nqueue: 3\n", "3:1", "'queue' is given twice; the first one is on line 1"},
        {"stages:\n - flip: {x: 1, x: 2}\n", "2:17", "'x' is given twice"},
        {"stages: flip\n", "1:9", "stages is a list"},
        {"stages:\n - flop\n", "2:4", "unknown stage 'flop'; did you mean 'flip'?"},
        {"stages:\n - zzzzzz\n", "2:4", "= stages: resize, "},
        {"stages:\n - resize: {widht: 3}\n", "2:13",
         "resize has no parameter 'widht'; did you mean 'width'?"},
        {"stages:\n - resize: {w: 3}\n", "2:13", "= parameters of resize: width, height, scale"},
        {"stages:\n - resize: {width: x}\n", "2:20", "width: 'x' is not a whole number"},
        {"stages:\n - resize: {width: [1]}\n", "2:20", "width: wants one value"},
        {"stages:\n - resize: 800\n", "2:12", "parameters are a map"},
        {"stages:\n - resize:\n   width: 8\n", "3:4", "'width' stands beside 'resize': indent it"},
        {"stages:\n - [flip]\n", "2:4", "a stage is a name or a map"},
        {"stages:\n - crop: {left: 1, height: 3}\n", "2:4", "crop: width must be given"},
        {"stages:\n - resize: {width: 3, scale: 2}\n", "2:4",
         "resize: give either scale or width and height"},
        {"stages: [flip, pool: {name: main}]\n", "1:16", "two pools are called 'main'"},
        {"stages: [pool: {name: ''}]\n", "1:10", "the name of a pool has 1 to 23 bytes"},
        {"stages: [pool: {recycle: -1}]\n", "1:26", "out of range"},
        {"stages: [pool: {size: 1}]\n", "1:17", "= parameters of pool: name, workers, queue, recycle"},
        {"- a\n", "1:1", "a config is a map"},
        {"a: [b\n", "2:", "YAML syntax"},
        {"a: b: c\n", "1:", "YAML syntax"},
        {"a: 1\nb: \"x\n", "2:", "YAML syntax"},
        {"a: &x 1\n", "1:7", "anchors and aliases"},
        {"a: *x\n", "1:5", "anchors and aliases"},
        {"a: !thing 1\n", "1:11", "tags other than"},
        {"? {a: b}\n: c\n", "1:3", "a key must be a word"},
        {"workers: 1\n---\nworkers: 2\n", "2:1", "this is the second"},
        {"output: \"a\\0b\"\n", "1:10", "NUL"},
        {"output: !!binary \"?\"\n", "1:19", "base64"},
        {"output: \xff\n", "1:9", "byte 0xff is not UTF-8"},
        {"output: a\x01\n", "1:10", "control character 0x01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(cases[i][0], cases[i][1], cases[i][2]);
}

static void all_errors_are_reported_at_once(void **state)
{
    (void)state;
    char *environment[] = {"FORKMILL_BATCH=x", "FORKMILL_QUEU=1", NULL};
    const struct config_flag flags[] = {flag("retries", "-1", "--retries"), flag(NULL, "flip:a=1,b", "-s")};
    static const char text[] = "wrokers: 1\nqueue: 0\nstages: [nothing, flip: {x: 1}]\n";
    assert_int_equal(load_bytes(text, sizeof text - 1, environment, flags, 2), ERROR_USAGE);
    assert_int_equal(diag.errors, 8);
    assert_int_equal(diag.warnings, 1);
    static const char *const says[] = {":1:1: error: unknown key 'wrokers'",
                                       ":2:8: error: queue: 0 is out of range",
                                       ":3:10: error: unknown stage 'nothing'",
                                       ":3:26: error: flip has no parameter 'x'",
                                       "FORKMILL_BATCH: 'x' is not a whole number",
                                       "did you mean FORKMILL_QUEUE?",
                                       "--retries: -1 is out of range",
                                       "-s: flip has no parameter 'a'",
                                       "-s: a parameter is name=value"};
    const char *at = diag.text;
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        at = strstr(at, says[i]);
        if (!at)
            fail_msg("'%s' is not behind the others in\n%s", says[i], diag.text);
    }
}

static void hostile_files_are_bounded(void **state)
{
    (void)state;
    const size_t size = CONFIG_YAML_MAX_BYTES + 1;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, '#', size);
    assert_int_equal(load_bytes(bytes, size, no_environment, NULL, 0), ERROR_USAGE);
    assert_non_null(strstr(diag.text, "at most 1048576 bytes"));
    assert_int_equal(load_bytes(bytes, size - 1, no_environment, NULL, 0), 0);
    static const char *const units[] = {"[",        "{a: ",           "- ",  "? ",  "a: 1\n",
                                        "- flip\n", "\"\\x1b\": 1\n", "&a ", "!!b "};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t length = strlen(units[i]);
        for (size_t at = 0; at + length < size; at += length)
            memcpy(bytes + at, units[i], length);
        assert_int_equal(
            load_bytes(bytes, (quick() ? 50000 : 200000) / length * length, no_environment, NULL, 0),
            ERROR_USAGE);
        assert_null(strchr(diag.text, '\x1b'));
        assert_true(diag.length_bytes < 100000);
    }
    free(bytes);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    clear(NULL);
    assert_int_equal(config_load(&config, "/nonexistent/a\nb.yaml", no_environment, NULL, 0, &diag),
                     ERROR_USAGE);
    assert_non_null(strstr(diag.text, "/nonexistent/a\\nb.yaml: cannot read the config: No such file"));
    clear(NULL);
    assert_int_equal(config_load(&config, "/tmp", no_environment, NULL, 0, &diag), ERROR_USAGE);
    assert_non_null(strstr(diag.text, "inputs are given by -i"));
}

static void settings_that_contradict_are_refused(void **state)
{
    (void)state;
    assert_int_equal(load("null: true\n"), ERROR_USAGE);
    assert_non_null(strstr(diag.text, "files_from is separated"));
    assert_int_equal(load("null: true\nfiles_from: '-'\n"), 0);
    assert_int_equal(load("output: ''\n"), ERROR_USAGE);
    assert_int_equal(load("input: ['']\n"), ERROR_USAGE);
    assert_int_equal(load("save: {format: pnm, interlace: true}\n"), ERROR_USAGE);
    assert_non_null(strstr(diag.text, "only png and jpeg can be interlaced"));
    assert_int_equal(load("save: {format: jpeg, interlace: true}\n"), 0);
    assert_int_equal(load("save: {format: png, subsampling: 444}\n"), ERROR_USAGE);
    assert_non_null(strstr(diag.text, "only jpeg has it"));
    assert_int_equal(load("save: {format: jpeg, subsampling: 422}\n"), 0);
    assert_int_equal(load("save: {format: png, interlace: true}\n"), 0);
}

static void a_chain_that_no_image_passes_is_refused(void **state)
{
    (void)state;
    expect_error("stages: [flip, cast: {type: f32}, template]\n", "1:35",
                 "no item can pass: template: does not work on");
    expect_error("stages: [cast: {type: f32}]\nsave: {format: png}\n", "1:10", "cannot be saved: png");
    assert_int_equal(load("stages: [cast: {type: f32}, cast: {type: u8}, template]\n"), 0);
    /* sizes depend on the input, so that these may be right */
    assert_int_equal(load("stages: [crop: {width: 300000, height: 300000}]\n"), 0);
    assert_int_equal(load("stages: [resize: {width: 1000000, height: 1000000, fit: fill}]\n"), 0);
}

static void a_run_needs_input_and_output(void **state)
{
    (void)state;
    static const char *const lacking[][2] = {
        {"{}", "no input and no output"}, {"input: a", "no output"}, {"output: a", "no input is"}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(load(lacking[i][0]), 0);
        assert_int_equal(config_require(&config), ERROR_USAGE);
        assert_non_null(strstr(diag.text, lacking[i][1]));
        assert_non_null(strstr(diag.text, "forkmill run -i photos -o thumbs"));
    }
    assert_int_equal(load("{files_from: a, output: b}"), 0);
    assert_int_equal(config_require(&config), 0);
}

static void flags_of_stages_can_hold_any_text(void **state)
{
    (void)state;
    const struct config_flag flags[] = {flag(NULL, "pool:name=a\\,b\\\\=:,workers=1", "-s"),
                                        flag(NULL, "resize:width=256,height=256,fit=inside", "-s"),
                                        flag(NULL, "pool", "--stage")};
    assert_int_equal(load_bytes("stages: [flip]", 14, no_environment, flags, 3), 0);
    assert_int_equal(config.job.pool_count, 2);
    assert_string_equal(config.job.pools[0].name, "a,b\\=:");
    assert_int_equal(config.job.pools[0].workers, 1);
    assert_int_equal(config.job.pools[1].workers, 2);
    assert_int_equal(config.job.stage_count, 1);
}

static void bytes_that_are_no_text_come_as_binary(void **state)
{
    (void)state;
    assert_int_equal(load("input: !!binary \"YQr/\"\noutput: !!str 12\n"), 0);
    assert_string_equal(config.job.settings.inputs.texts[0], "a\n\xff");
    assert_string_equal(config.job.settings.output, "12");
}

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 || close(file);
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_file_fills_the_job, clear),
        cmocka_unit_test_teardown(an_empty_file_is_all_defaults, clear),
        cmocka_unit_test_teardown(markers_cut_the_chain, clear),
        cmocka_unit_test_teardown(a_marker_in_front_names_the_first_pool, clear),
        cmocka_unit_test_teardown(each_source_beats_the_one_before, clear),
        cmocka_unit_test_teardown(wrong_files_say_where_and_what, clear),
        cmocka_unit_test_teardown(all_errors_are_reported_at_once, clear),
        cmocka_unit_test_teardown(hostile_files_are_bounded, clear),
        cmocka_unit_test_teardown(files_that_cannot_be_read_are_named, clear),
        cmocka_unit_test_teardown(settings_that_contradict_are_refused, clear),
        cmocka_unit_test_teardown(a_chain_that_no_image_passes_is_refused, clear),
        cmocka_unit_test_teardown(a_run_needs_input_and_output, clear),
        cmocka_unit_test_teardown(flags_of_stages_can_hold_any_text, clear),
        cmocka_unit_test_teardown(bytes_that_are_no_text_come_as_binary, clear),
    };
    return cmocka_run_group_tests(tests, make_file, drop_file);
}
