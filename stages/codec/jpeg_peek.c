/* SPDX-License-Identifier: MIT */
#include "stages/codec/jpeg_private.h"

static uint64_t rounded_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) / step * step;
}

/* As libjpeg-turbo's and IJG's sources allocate: jdmainct.c (10 groups of rows, jdsample.c's 4 rows of full
 * width), and where there may be several scans jdcoefct.c (all coefficients). */
static size_t decode_scratch(const struct jpeg_header *header)
{
    size_t total = JPEG_FIXED_SCRATCH;
    const size_t full = rounded_up(header->width, 8u * header->most_across);
    for (unsigned i = 0; i < header->components; i++) {
        const size_t across = rounded_up(jpeg_blocks_across(header, i), header->across[i]);
        const size_t down = rounded_up(jpeg_blocks_down(header, i), header->down[i]);
        total = scratch_add(total, jpeg_memory_rows(across * DCTSIZE, 10u * header->down[i]));
        total = scratch_add(total, jpeg_memory_rows(full, header->most_down));
        if (header->several_scans)
            total = scratch_add(total, jpeg_memory_rows(across * sizeof(JBLOCK), down));
    }
    if (header->components == 4)
        total = scratch_add(total, scratch_need(header->width, 4));
    return total;
}

int jpeg_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, const struct codec_limits *limits,
              struct codec_info *info, struct error *error)
{
    struct jpeg_header header;
    TRY(jpeg_header_read(head, head_bytes, file_bytes, limits, &header, error));
    const uint64_t most_bytes = limits->max_metadata_bytes;
    *info = (struct codec_info){
        .shape = {.width = header.width,
                  .height = header.height,
                  .channels = header.components == 1 ? 1 : 3,
                  .sample = SAMPLE_U8,
                  .bits = 8,
                  .orientation = header.orientation},
        .meta_bytes = header.meta_bytes < most_bytes ? header.meta_bytes : (size_t)most_bytes,
    };
    info->scratch_bytes = scratch_add(decode_scratch(&header), jpeg_meta_scratch(info->meta_bytes));
    /* To salvage what can be had of a damaged image takes another look at all of it. Where coefficients of
     * several scans are kept, the pixels still need not be. */
    info->by_rows = shape_bytes(&info->shape) > CODEC_ROWS_LEAST_BYTES &&
                    !(limits->load && limits->load->on_corrupt == CODEC_SALVAGE);
    if (info->by_rows)
        info->scratch_bytes = scratch_add(info->scratch_bytes, jpeg_rows_scratch());
    return 0;
}
