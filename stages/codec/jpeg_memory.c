/* SPDX-License-Identifier: MIT */
/* libjpeg's memory manager (struct jpeg_memory_mgr of jpeglib.h) over scratch. Pools make no difference: all
 * is given back when the run ends. Virtual arrays are real at once. */
#include <string.h>

#include <jerror.h>

#include "stages/codec/jpeg_private.h"

/* libjpeg-turbo's kernels read and write rows up to the next multiple of 64 samples. */
#define ROW_STEP_BYTES 64u

struct jvirt_barray_control {
    JBLOCKARRAY rows;
    JDIMENSION count;
};

static size_t row_step(size_t row_bytes)
{
    return (row_bytes + ROW_STEP_BYTES - 1) / ROW_STEP_BYTES * ROW_STEP_BYTES;
}

size_t jpeg_memory_rows(size_t row_bytes, size_t rows)
{
    return scratch_add(scratch_need(rows, sizeof(void *)), scratch_need(rows, row_step(row_bytes)));
}

static void *take(j_common_ptr jpeg, size_t count, size_t size_bytes)
{
    struct jpeg_memory *memory = (struct jpeg_memory *)jpeg->mem;
    void *block = scratch_alloc(memory->scratch, count, size_bytes);
    if (!block)
        ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
    return block;
}

static void *alloc(j_common_ptr jpeg, int pool, size_t size_bytes)
{
    (void)pool;
    return take(jpeg, 1, size_bytes);
}

static JSAMPARRAY alloc_samples(j_common_ptr jpeg, int pool, JDIMENSION per_row, JDIMENSION rows)
{
    (void)pool;
    const size_t step = row_step(per_row * sizeof(JSAMPLE));
    JSAMPARRAY array = take(jpeg, rows, sizeof *array);
    JSAMPLE *samples = take(jpeg, rows, step);
    for (size_t i = 0; i < rows; i++)
        array[i] = samples + i * step;
    return array;
}

static JBLOCKARRAY alloc_blocks(j_common_ptr jpeg, int pool, JDIMENSION per_row, JDIMENSION rows)
{
    (void)pool;
    JBLOCKARRAY array = take(jpeg, rows, sizeof *array);
    JBLOCKROW blocks = take(jpeg, rows, per_row * sizeof(JBLOCK));
    for (size_t i = 0; i < rows; i++)
        array[i] = blocks + i * per_row;
    return array;
}

/* Only for reducing colours, which is not asked for. */
static jvirt_sarray_ptr request_samples(j_common_ptr jpeg, int pool, boolean zeroed, JDIMENSION per_row,
                                        JDIMENSION rows, JDIMENSION most_rows)
{
    (void)pool, (void)zeroed, (void)per_row, (void)rows, (void)most_rows;
    ERREXIT(jpeg, JERR_NOT_COMPILED);
    return NULL;
}

static JSAMPARRAY access_samples(j_common_ptr jpeg, jvirt_sarray_ptr array, JDIMENSION first,
                                 JDIMENSION count, boolean writable)
{
    (void)array, (void)first, (void)count, (void)writable;
    ERREXIT(jpeg, JERR_NOT_COMPILED);
    return NULL;
}

static jvirt_barray_ptr request_blocks(j_common_ptr jpeg, int pool, boolean zeroed, JDIMENSION per_row,
                                       JDIMENSION rows, JDIMENSION most_rows)
{
    (void)most_rows;
    jvirt_barray_ptr array = take(jpeg, 1, sizeof *array);
    array->rows = alloc_blocks(jpeg, pool, per_row, rows);
    array->count = rows;
    if (zeroed)
        memset(array->rows[0], 0, (size_t)rows * per_row * sizeof(JBLOCK));
    return array;
}

static JBLOCKARRAY access_blocks(j_common_ptr jpeg, jvirt_barray_ptr array, JDIMENSION first,
                                 JDIMENSION count, boolean writable)
{
    (void)writable;
    if (first > array->count || count > array->count - first)
        ERREXIT(jpeg, JERR_BAD_VIRTUAL_ACCESS);
    return array->rows + first;
}

static void realize(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void free_pool(j_common_ptr jpeg, int pool)
{
    (void)jpeg, (void)pool;
}

void jpeg_memory_set_up(struct jpeg_memory *memory, struct scratch *scratch)
{
    *memory = (struct jpeg_memory){
        .manager = {.alloc_small = alloc,
                    .alloc_large = alloc,
                    .alloc_sarray = alloc_samples,
                    .alloc_barray = alloc_blocks,
                    .request_virt_sarray = request_samples,
                    .request_virt_barray = request_blocks,
                    .realize_virt_arrays = realize,
                    .access_virt_sarray = access_samples,
                    .access_virt_barray = access_blocks,
                    .free_pool = free_pool,
                    .self_destruct = realize,
                    .max_memory_to_use = 1L << 30,
                    .max_alloc_chunk = 1L << 30},
        .scratch = scratch,
    };
}
