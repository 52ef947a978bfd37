/* SPDX-License-Identifier: MIT */
/* The tokenizer on csv-spectrum: corner cases of CSV and what they mean as JSON, a list of objects, one for
 * each line, with the header's fields as names. FORKMILL_CORPUS names a directory with csv-spectrum/. */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

#include "codec_exact.h"
#include "stages/codec/csv_private.h"

static uint8_t *load(const char *path, size_t *length_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    fseek(file, 0, SEEK_END);
    *length_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length_bytes + 1);
    assert_int_equal(fread(bytes, 1, *length_bytes, file), *length_bytes);
    fclose(file);
    return bytes;
}

/* The field's meaning: of the quotes in a quoted one, each second is left. Line ends become \n: copies of the
 * corpus differ in them, as version control changes them. */
static json_t *meaning(const struct csv_field *field, bool quoted)
{
    char *text = malloc(2 * field->length_bytes + 1);
    size_t used = 0;
    for (size_t i = 0; i < field->length_bytes; i++) {
        if (field->text[i] != '\r')
            text[used++] = (char)field->text[i];
        i += quoted && field->text[i] == '"';
    }
    json_t *value = json_stringn(text, used);
    free(text);
    return value;
}

static json_t *table_meaning(const char *name, const uint8_t *bytes, size_t length_bytes)
{
    const uint8_t *at = bytes, *end = bytes + length_bytes;
    json_t *names = json_array(), *rows = json_array();
    for (size_t line = 0; (at = csv_next_line(at, end, ',')) < end; line++) {
        json_t *row = json_object();
        const uint8_t *whole = at;
        enum csv_end found;
        size_t column = 0;
        do {
            struct csv_field field;
            const bool quoted = at < end && *at == '"';
            found = csv_field(&at, end, ',', &field);
            if (line == 0)
                json_array_append_new(names, meaning(&field, quoted));
            else
                json_object_set_new(row, json_string_value(json_array_get(names, column)),
                                    meaning(&field, quoted));
            column++;
        } while (found == CSV_DELIMITER);
        if (found != CSV_LINE || column != json_array_size(names))
            fail_msg("%s: line %zu is cut wrongly", name, csv_line_number(bytes, whole));
        assert_int_equal(csv_line(&whole, end, ','), CSV_LINE);
        assert_ptr_equal(whole, at);
        if (line > 0)
            json_array_append(rows, row);
        json_decref(row);
    }
    json_decref(names);
    return rows;
}

static void check_file(const char *directory, const char *name)
{
    char path[4096];
    size_t length, json_length;
    json_error_t error;
    snprintf(path, sizeof path, "%s/csv-spectrum/csvs/%s.csv", directory, name);
    uint8_t *bytes = load(path, &length);
    snprintf(path, sizeof path, "%s/csv-spectrum/json/%s.json", directory, name);
    uint8_t *text = load(path, &json_length);
    for (uint8_t *end; (end = memmem(text, json_length, "\\r\\n", 4));) {
        json_length -= 2;
        memmove(end, end + 2, json_length - (size_t)(end - text));
    }
    json_t *want = json_loadb((char *)text, json_length, 0, &error);
    if (!want)
        fail_msg("%s.json is no JSON: %s", name, error.text);
    json_t *got = table_meaning(name, bytes, length);
    if (strcmp(name, "location_coordinates") == 0) {
        /* Its JSON is the object alone, with another telephone number. */
        json_t *list = json_pack("[o]", want);
        want = list;
        json_object_del(json_array_get(want, 0), "Contact Phone Number");
        json_object_del(json_array_get(got, 0), "Contact Phone Number");
    }
    if (!json_equal(got, want))
        fail_msg("%s means %s", name, json_dumps(got, JSON_INDENT(1)));
    json_decref(got);
    json_decref(want);
    free(text);
    free(bytes);
}

static void fields_are_cut_as_they_are_meant(void **state)
{
    (void)state;
    const char *directory = getenv("FORKMILL_CORPUS");
    if (!directory) {
        print_message("skipped: FORKMILL_CORPUS is not set, no corpus was read\n");
        skip();
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/csv-spectrum/csvs", directory);
    DIR *files = opendir(path);
    assert_non_null(files);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(files));) {
        char *ending = strrchr(entry->d_name, '.');
        if (!ending || strcmp(ending, ".csv") != 0)
            continue;
        *ending = '\0';
        check_file(directory, entry->d_name);
        count++;
    }
    closedir(files);
    print_message("%zu files of the corpus were compared\n", count);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_cut_as_they_are_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
