/* SPDX-License-Identifier: MIT */
#include "stages/codec/zip.h"

#include <string.h>

/* Sizes and marks of APPNOTE 4.3: local header, directory's entry, its end, and the same of Zip64. */
enum { LOCAL_BYTES = 30, ENTRY_BYTES = 46, END_BYTES = 22, LOCATOR_BYTES = 20, END64_BYTES = 56 };
#define LOCAL_MARK   0x04034b50u
#define ENTRY_MARK   0x02014b50u
#define END_MARK     0x06054b50u
#define LOCATOR_MARK 0x07064b50u
#define END64_MARK   0x06064b50u
#define COMMENT_MOST 65535
#define ZIP64_EXTRA  1

/* Where a field of 16 or 32 bits has this, Zip64 has it in 64. */
#define IN_ZIP64_16 0xffffu
#define IN_ZIP64_32 0xffffffffu

static uint64_t little(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | at[bytes];
    return value;
}

static uint16_t little16(const uint8_t *at)
{
    return (uint16_t)little(at, 2);
}

static uint32_t little32(const uint8_t *at)
{
    return (uint32_t)little(at, 4);
}

static int no_directory(struct error *error)
{
    return error_set(error, ERROR_CORRUPT, "zip: no directory where its end says");
}

/* The end of the directory is the last thing in the file, but for a comment. */
static bool find_end(const uint8_t *bytes, size_t length_bytes, size_t *end_at)
{
    for (size_t comment = 0; comment <= COMMENT_MOST && comment + END_BYTES <= length_bytes; comment++) {
        *end_at = length_bytes - END_BYTES - comment;
        if (little32(bytes + *end_at) == END_MARK && little16(bytes + *end_at + 20) == comment)
            return true;
    }
    return false;
}

/* Zip64's end, which a locator right before the other end points to. */
static int open_zip64(struct zip *zip, size_t end_at, uint64_t *size, uint64_t *offset, struct error *error)
{
    if (end_at < LOCATOR_BYTES + END64_BYTES)
        return no_directory(error);
    const uint8_t *locator = zip->bytes + end_at - LOCATOR_BYTES;
    const uint64_t at = little(locator + 8, 8);
    if (little32(locator) != LOCATOR_MARK || at > end_at - LOCATOR_BYTES - END64_BYTES ||
        little32(zip->bytes + at) != END64_MARK)
        return no_directory(error);
    const uint8_t *end = zip->bytes + at;
    zip->left = little(end + 32, 8);
    *size = little(end + 40, 8);
    *offset = little(end + 48, 8);
    zip->directory_end = (size_t)at;
    return 0;
}

int zip_open(struct zip *zip, const uint8_t *bytes, size_t length_bytes, struct error *error)
{
    size_t end_at;
    *zip = (struct zip){.bytes = bytes};
    if (!find_end(bytes, length_bytes, &end_at))
        return error_set(error, ERROR_CORRUPT, "zip: the file ends early, or is none");
    const uint8_t *end = bytes + end_at;
    uint64_t size = little32(end + 12), offset = little32(end + 16);
    zip->left = little16(end + 10);
    zip->directory_end = end_at;
    if (zip->left == IN_ZIP64_16 || size == IN_ZIP64_32 || offset == IN_ZIP64_32)
        TRY(open_zip64(zip, end_at, &size, &offset, error));
    else if (little32(end + 4) != 0 || little16(end + 8) != zip->left)
        return error_set(error, ERROR_UNSUPPORTED, "zip: one part of several");
    if (offset > zip->directory_end || size != zip->directory_end - offset)
        return no_directory(error);
    zip->directory_at = zip->at = (size_t)offset;
    return 0;
}

/* Fields that did not fit the entry, in its order, from the extra field that has them. */
static bool read_zip64(const uint8_t *extra, size_t extra_bytes, struct zip_member *member)
{
    uint64_t *const fields[] = {&member->unpacked_bytes, &member->packed_bytes, &member->header_at};
    bool missing = false;
    for (unsigned i = 0; i < 3; i++)
        missing = missing || *fields[i] == IN_ZIP64_32;
    for (size_t at = 0, size; missing && extra_bytes - at >= 4; at += 4 + size) {
        const uint8_t *data = extra + at + 4;
        size = little16(extra + at + 2);
        if (size > extra_bytes - at - 4)
            return false;
        if (little16(extra + at) != ZIP64_EXTRA)
            continue;
        size_t used = 0;
        for (unsigned i = 0; i < 3; i++) {
            if (*fields[i] != IN_ZIP64_32)
                continue;
            if (size - used < 8)
                return false;
            *fields[i] = little(data + used, 8);
            used += 8;
        }
        return true;
    }
    return !missing;
}

int zip_next(struct zip *zip, struct zip_member *member, struct error *error)
{
    const size_t room = zip->directory_end - zip->at;
    const uint8_t *entry = zip->bytes + zip->at;
    if (zip->left == 0 && room == 0)
        return 0;
    if (zip->left == 0 || room < ENTRY_BYTES || little32(entry) != ENTRY_MARK)
        return error_set(error, ERROR_CORRUPT, "zip: damaged directory at byte %zu", zip->at);
    const size_t name = little16(entry + 28), extra = little16(entry + 30), comment = little16(entry + 32);
    if (room - ENTRY_BYTES < name + extra + comment)
        return error_set(error, ERROR_CORRUPT, "zip: damaged directory at byte %zu", zip->at);
    *member = (struct zip_member){.name = entry + ENTRY_BYTES,
                                  .name_bytes = name,
                                  .method = little16(entry + 10),
                                  .encrypted = entry[8] & 1,
                                  .crc = little32(entry + 16),
                                  .packed_bytes = little32(entry + 20),
                                  .unpacked_bytes = little32(entry + 24),
                                  .header_at = little32(entry + 42)};
    if (!read_zip64(entry + ENTRY_BYTES + name, extra, member))
        return error_set(error, ERROR_CORRUPT, "zip: damaged directory at byte %zu", zip->at);
    zip->at += ENTRY_BYTES + name + extra + comment;
    zip->left--;
    return 1;
}

int zip_find(const struct zip *zip, const struct zip_member *member, size_t *packed_at, struct error *error)
{
    const uint64_t end = zip->directory_at;
    const bool inside = end >= LOCAL_BYTES && member->header_at <= end - LOCAL_BYTES;
    const uint8_t *local = zip->bytes + (inside ? member->header_at : 0);
    if (!inside || little32(local) != LOCAL_MARK)
        return error_set(error, ERROR_CORRUPT, "zip: no member where the directory says");
    const size_t name = little16(local + 26), extra = little16(local + 28);
    const uint64_t room = end - member->header_at - LOCAL_BYTES;
    if (room < name + extra || room - name - extra < member->packed_bytes)
        return error_set(error, ERROR_CORRUPT, "zip: a member is longer than the file");
    if (name != member->name_bytes || memcmp(local + LOCAL_BYTES, member->name, name) != 0 ||
        little16(local + 8) != member->method)
        return error_set(error, ERROR_CORRUPT, "zip: a member is not what the directory says");
    *packed_at = (size_t)member->header_at + LOCAL_BYTES + name + extra;
    return 0;
}
