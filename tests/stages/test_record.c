/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "stages/error.h"
#include "stages/record.h"

static void fields_come_back_as_they_were_put(void **state)
{
    (void)state;
    uint8_t block[4096];
    struct record record = {block, sizeof block, 0, "stats."};
    struct record_field field;
    size_t position = 0;
    assert_int_equal(record_int(&record, "count", INT64_MIN), 0);
    assert_int_equal(record_real(&record, "mean", -0.1), 0);
    record.prefix = "";
    assert_int_equal(record_text(&record, "hash", "ab\xff c"), 0);
    assert_int_equal(record_real(&record, "nan", (double)NAN), 0);
    assert_int_equal(record_text(&record, "empty", ""), 0);

    assert_int_equal(record_next(&record, &position, &field), 1);
    assert_int_equal(field.type, RECORD_INT);
    assert_string_equal(field.name, "stats.count");
    assert_true(field.integer == INT64_MIN);
    assert_int_equal(record_next(&record, &position, &field), 1);
    assert_string_equal(field.name, "stats.mean");
    assert_true(field.real == -0.1);
    assert_int_equal(record_next(&record, &position, &field), 1);
    assert_string_equal(field.name, "hash");
    assert_string_equal(field.text, "ab\xff c");
    assert_int_equal(record_next(&record, &position, &field), 1);
    assert_true(isnan(field.real));
    assert_int_equal(record_next(&record, &position, &field), 1);
    assert_string_equal(field.text, "");
    assert_int_equal(record_next(&record, &position, &field), 0);
}

static void nobody_collects(void **state)
{
    (void)state;
    assert_int_equal(record_int(NULL, "a", 1), 0);
    assert_int_equal(record_real(NULL, "a", 1), 0);
    assert_int_equal(record_text(NULL, "a", "b"), 0);
}

static void what_was_planned_is_enough_and_no_more_is_taken(void **state)
{
    (void)state;
    char name[RECORD_MAX_NAME + 2], text[RECORD_MAX_TEXT + 10];
    memset(name, 'n', sizeof name);
    memset(text, 't', sizeof text);
    text[sizeof text - 1] = '\0';
    const size_t size = RECORD_NUMBER_BYTES + RECORD_TEXT_BYTES;
    uint8_t *block = malloc(size);
    struct record record = {block, size, 0, ""};
    name[RECORD_MAX_NAME + 1] = '\0';
    assert_int_equal(record_int(&record, name, 1), ERROR_INTERNAL);
    name[RECORD_MAX_NAME] = '\0';
    assert_int_equal(record_int(&record, name, 1), 0);
    assert_int_equal(record_text(&record, name, text), 0); /* cut, not refused */
    assert_true(record.used_bytes <= size);
    record.prefix = "x";
    assert_int_equal(record_int(&record, name, 1), ERROR_INTERNAL);
    record.prefix = "";
    record.size_bytes = record.used_bytes + 3;
    assert_int_equal(record_int(&record, "a", 1), ERROR_INTERNAL);
    assert_int_equal(record_int(&record, "", 1), ERROR_INTERNAL);
    free(block);
}

/* Walks whatever there is to its end; nothing outside the block is read (AddressSanitizer watches). */
static int walk(uint8_t *bytes, size_t size)
{
    uint8_t *block = malloc(size ? size : 1);
    memcpy(block, bytes, size);
    const struct record record = {block, size, size, ""};
    struct record_field field;
    size_t position = 0;
    int more;
    while ((more = record_next(&record, &position, &field)) > 0)
        ;
    free(block);
    return more;
}

static void what_is_no_list_is_found_out(void **state)
{
    (void)state;
    uint8_t block[256];
    struct record record = {block, sizeof block, 0, ""};
    record_int(&record, "first", 7);
    const size_t one = record.used_bytes;
    record_text(&record, "second", "text");
    for (size_t cut = 0; cut <= record.used_bytes; cut++)
        assert_int_equal(walk(block, cut),
                         cut == 0 || cut == one || cut == record.used_bytes ? 0 : ERROR_INTERNAL);
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t copy[256];
        memcpy(copy, block, sizeof copy);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % record.used_bytes] = (uint8_t)(seed >> 24);
        }
        walk(copy, record.used_bytes);
    }
    const struct record lying = {block, 4, 100, ""};
    struct record_field field;
    size_t position = 0;
    assert_int_equal(record_next(&lying, &position, &field), ERROR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back_as_they_were_put),
        cmocka_unit_test(nobody_collects),
        cmocka_unit_test(what_was_planned_is_enough_and_no_more_is_taken),
        cmocka_unit_test(what_is_no_list_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
