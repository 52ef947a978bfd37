/* SPDX-License-Identifier: MIT */
/* Tables of numbers as text: csv, with commas, and tsv, with tabs. They differ in that alone.
 *
 * Read, a table is an array (rows, columns), with one column (rows,), as numpy.loadtxt gives it; but one row
 * stays (1, columns), so that the rank does not depend on how many rows there happen to be. Elements are f64,
 * or of load.dtype. A table without rows has a header, or it would have no columns. Nothing is as large as a
 * field or a line, so they have no limits but the file's.
 *
 * Written, an array of one dimension is one column, a single value one line, an array without elements an
 * empty file; there is no header. */
#include <inttypes.h>

#include "stages/codec/csv_private.h"

/* The table is not rectangular: finds the line that is to blame. */
static int fail_somewhere(const struct csv_table *table, struct error *error)
{
    const uint8_t *at = table->data;
    while (at < table->end) {
        const uint8_t *line = at;
        struct csv_field field;
        uint64_t fields = 1;
        while (csv_field(&at, table->end, table->delimiter, &field) == CSV_DELIMITER)
            fields++;
        if (fields != table->columns)
            return csv_fail_ragged(table, line, error);
        at = csv_next_line(at, table->end, table->delimiter);
    }
    return error_set(error, ERROR_INTERNAL, "a table has more elements than its file has bytes");
}

static int peek(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                const struct codec_limits *limits, uint8_t delimiter, struct codec_info *info,
                struct error *error)
{
    struct csv_table table;
    uint64_t rows, elements;
    if (length_bytes < file_bytes)
        return error_set(error, ERROR_INTERNAL, "a table is looked at as a whole only");
    TRY(csv_table_open(&table, bytes, length_bytes, limits->load, delimiter, error));
    TRY(csv_table_rows(&table, &rows, error));
    /* An element takes a byte of the file at least, for what parts it from the next: so what is promised for
     * a hostile file is bounded by its size. */
    if (__builtin_mul_overflow(rows, table.columns, &elements) || elements > file_bytes + 1)
        return fail_somewhere(&table, error);
    if (elements > limits->max_elements)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " elements, over max_elements %" PRIu64 "; raise it with --max-elements",
                         elements, limits->max_elements);
    *info = (struct codec_info){.shape = csv_table_shape(&table, rows)};
    if (!shape_valid(&info->shape))
        return error_set(error, ERROR_LIMIT, "%" PRIu64 " elements are more than this machine can address",
                         elements);
    return 0;
}

static int comma_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                      const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    return peek(head, head_bytes, file_bytes, limits, ',', info, error);
}

static int comma_decode(struct codec_decode *job, struct error *error)
{
    return csv_decode(job, ',', error);
}

static int comma_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                      struct codec_plan *plan, struct error *error)
{
    (void)meta_bytes;
    return csv_plan(save, shape, ',', plan, error);
}

static int comma_encode(struct codec_encode *job, struct error *error)
{
    return csv_encode(job, ',', error);
}

static int tab_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    return peek(head, head_bytes, file_bytes, limits, '\t', info, error);
}

static int tab_decode(struct codec_decode *job, struct error *error)
{
    return csv_decode(job, '\t', error);
}

static int tab_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                    struct codec_plan *plan, struct error *error)
{
    (void)meta_bytes;
    return csv_plan(save, shape, '\t', plan, error);
}

static int tab_encode(struct codec_encode *job, struct error *error)
{
    return csv_encode(job, '\t', error);
}

const struct codec csv_codec = {
    .name = "csv",
    .summary = "Tables of numbers, separated by commas",
    .extensions = "csv",
    .kinds = CODEC_ARRAYS,
    .gzip = true,
    .late = true,
    .check_load = csv_check_load, /* for tsv, too, which takes the same settings */
    .check_save = csv_check_save,
    .peek = comma_peek,
    .decode = comma_decode,
    .plan = comma_plan,
    .encode = comma_encode,
};

const struct codec tsv_codec = {
    .name = "tsv",
    .summary = "Tables of numbers, separated by tabs",
    .extensions = "tsv|tab",
    .kinds = CODEC_ARRAYS,
    .gzip = true,
    .late = true,
    .peek = tab_peek,
    .decode = tab_decode,
    .plan = tab_plan,
    .encode = tab_encode,
};
