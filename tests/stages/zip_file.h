/* SPDX-License-Identifier: MIT */
/* Zip files of .npy files, made by hand after PKWARE's APPNOTE. */
#ifndef TESTS_ZIP_FILE_H
#define TESTS_ZIP_FILE_H

#include "npy_file.h"
#include "stages/gzip.h"

#define ZIP_BYTES 65536

struct zip_file {
    uint8_t bytes[ZIP_BYTES];
    size_t length_bytes;
    uint8_t directory[4096];
    size_t directory_bytes;
    unsigned members;
};

static inline void zip_put(struct zip_file *zip, const void *bytes, size_t count)
{
    assert_true(zip->length_bytes + count <= ZIP_BYTES);
    memcpy(zip->bytes + zip->length_bytes, bytes, count);
    zip->length_bytes += count;
}

static inline void zip_little(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* The bare deflate stream of gzip, and the checksum behind it. */
static inline size_t zip_deflated(const uint8_t *bytes, size_t count, uint8_t *out, size_t out_bytes,
                                  uint32_t *crc)
{
    struct scratch scratch = exact_scratch(gzip_scratch_bytes(), 0);
    struct error error;
    size_t packed;
    assert_int_equal(gzip_pack(bytes, count, 6, out, out_bytes, &packed, &scratch, &error), 0);
    free(scratch.base);
    memcpy(crc, out + packed - 8, sizeof *crc);
    memmove(out, out + 10, packed - 18);
    return packed - 18;
}

/* A member and its entry; with `wide`, sizes and place are in Zip64's extra field. */
static inline void zip_add(struct zip_file *zip, const char *name, const struct npy_file *array, bool deflate,
                           bool wide)
{
    static uint8_t packed[ZIP_BYTES];
    const size_t name_bytes = strlen(name), extra_bytes = wide ? 28 : 0;
    uint8_t local[30] = "PK\3\4", entry[46] = "PK\1\2", extra[28] = {1, 0, 24};
    uint32_t crc;
    size_t packed_bytes = zip_deflated(array->bytes, array->length_bytes, packed, sizeof packed, &crc);
    if (!deflate) {
        packed_bytes = array->length_bytes;
        memcpy(packed, array->bytes, packed_bytes);
    }
    zip_little(local + 8, deflate ? 8 : 0, 2);
    zip_little(local + 26, name_bytes, 2);
    zip_little(entry + 10, deflate ? 8 : 0, 2);
    zip_little(entry + 16, crc, 4);
    zip_little(entry + 20, wide ? UINT32_MAX : packed_bytes, 4);
    zip_little(entry + 24, wide ? UINT32_MAX : array->length_bytes, 4);
    zip_little(entry + 28, name_bytes, 2);
    zip_little(entry + 30, extra_bytes, 2);
    zip_little(entry + 42, wide ? UINT32_MAX : zip->length_bytes, 4);
    zip_little(extra + 4, array->length_bytes, 8);
    zip_little(extra + 12, packed_bytes, 8);
    zip_little(extra + 20, zip->length_bytes, 8);
    zip_put(zip, local, sizeof local);
    zip_put(zip, name, name_bytes);
    zip_put(zip, packed, packed_bytes);
    memcpy(zip->directory + zip->directory_bytes, entry, sizeof entry);
    memcpy(zip->directory + zip->directory_bytes + 46, name, name_bytes);
    memcpy(zip->directory + zip->directory_bytes + 46 + name_bytes, extra, extra_bytes);
    zip->directory_bytes += 46 + name_bytes + extra_bytes;
    zip->members++;
}

static inline void zip_end(struct zip_file *zip, bool wide, const char *comment)
{
    const size_t at = zip->length_bytes, end64_at = at + zip->directory_bytes;
    uint8_t last[22] = "PK\5\6", last64[56] = "PK\6\6", locator[20] = "PK\6\7";
    zip_put(zip, zip->directory, zip->directory_bytes);
    zip_little(last64 + 24, zip->members, 8);
    zip_little(last64 + 32, zip->members, 8);
    zip_little(last64 + 40, zip->directory_bytes, 8);
    zip_little(last64 + 48, at, 8);
    zip_little(locator + 8, end64_at, 8);
    zip_little(last + 8, wide ? 0xffff : zip->members, 2);
    zip_little(last + 10, wide ? 0xffff : zip->members, 2);
    zip_little(last + 12, wide ? UINT32_MAX : zip->directory_bytes, 4);
    zip_little(last + 16, wide ? UINT32_MAX : at, 4);
    zip_little(last + 20, strlen(comment), 2);
    zip_put(zip, last64, wide ? sizeof last64 : 0);
    zip_put(zip, locator, wide ? sizeof locator : 0);
    zip_put(zip, last, sizeof last);
    zip_put(zip, comment, strlen(comment));
}

#endif
