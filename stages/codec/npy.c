/* SPDX-License-Identifier: MIT */
/* Arrays as numpy.save writes them. Files of C order and this machine's byte order are decoded where they
 * lie, and written around the samples where these lie. */
#include <string.h>

#include "stages/codec/npy_private.h"

static int npy_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    struct npy_header header;
    TRY(npy_header_read(head, head_bytes, file_bytes, limits, &header, error));
    *info = (struct codec_info){.shape = header.layout.shape};
    return 0;
}

static int npy_decode(struct codec_decode *job, struct error *error)
{
    struct npy_header header;
    TRY(npy_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &header, error));
    return array_take(job, &header.layout, header.data_at, job->length_bytes, error);
}

static int npy_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                    struct codec_plan *plan, struct error *error)
{
    uint8_t header[NPY_WRITTEN_MOST];
    (void)save, (void)meta_bytes, (void)error;
    *plan =
        (struct codec_plan){.out_bytes = scratch_add(npy_header_write(shape, header), shape_bytes(shape))};
    return 0;
}

static int npy_encode(struct codec_encode *job, struct error *error)
{
    uint8_t header[NPY_WRITTEN_MOST];
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(&job->shape) || job->shape.kind != SHAPE_ARRAY)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    const size_t header_bytes = npy_header_write(&job->shape, header), bytes = shape_bytes(&job->shape);
    if (ARRAY_LITTLE_ENDIAN && job->room_before >= header_bytes) {
        job->file = job->pixels - header_bytes;
        memcpy((uint8_t *)job->file, header, header_bytes);
    } else if (job->bytes_size < header_bytes || job->bytes_size - header_bytes < bytes) {
        return error_set(error, ERROR_INTERNAL, "the file came out larger than planned");
    } else {
        const struct array_layout layout = {.shape = job->shape, .swapped = !ARRAY_LITTLE_ENDIAN};
        memcpy(job->bytes, header, header_bytes);
        array_unpack(&layout, job->pixels, job->bytes + header_bytes);
    }
    job->length_bytes = header_bytes + bytes;
    return 0;
}

const struct codec npy_codec = {
    .name = "npy",
    .summary = "Arrays of numpy: integers, floats and bools of up to 8 dimensions; never pickled objects",
    .extensions = "npy",
    .kinds = CODEC_ARRAYS,
    .gzip = true,
    .sniff = npy_sniff,
    .peek = npy_peek,
    .decode = npy_decode,
    .plan = npy_plan,
    .encode = npy_encode,
};
