/* SPDX-License-Identifier: MIT */
/* Metadata of a JPEG file: resolution in JFIF's header (ITU-T T.871, 10.1), EXIF (CIPA DC-008, 4.7.2) and XMP
 * (ISO 16684-3, 1.1.3) each in one APP1 segment, and a colour profile in the APP2 segments of ICC.1:2022,
 * B.4. Photoshop's image resources, IPTC among them (Adobe Photoshop File Formats Specification), are carried
 * as they are, a segment an entry. Comments and what other segments hold is left behind. */
#include <string.h>

#include "stages/codec/jpeg_private.h"

#define PARTS_MAX   255u
#define INCH_METRES 0.0254

size_t jpeg_meta_scratch(size_t meta_bytes)
{
    /* A profile joined, the entry made of it, and that of XMP. */
    size_t each = scratch_need(1, scratch_add(meta_bytes, keep_need(0)));
    return scratch_add(each, scratch_add(each, each));
}

struct found {
    struct jpeg_segment exif, xmp, resources[KEEP_RESOURCES];
    unsigned resource_count;
    struct jpeg_segment parts[PARTS_MAX]; /* of the profile, by number - 1 */
    unsigned parts_said, parts_found;
    size_t profile_bytes;
    bool profile_broken;
};

static void find_part(const struct jpeg_segment *segment, struct found *found)
{
    if (segment->length_bytes < JPEG_ICC_HEADER_BYTES) {
        found->profile_broken = true;
        return;
    }
    const unsigned number = segment->data[sizeof JPEG_ICC_START],
                   count = segment->data[sizeof JPEG_ICC_START + 1];
    if (found->parts_found == 0)
        found->parts_said = count;
    if (number == 0 || number > count || count != found->parts_said || found->parts[number - 1].data) {
        found->profile_broken = true;
        return;
    }
    found->parts_found++;
    found->parts[number - 1] =
        (struct jpeg_segment){.data = segment->data + JPEG_ICC_HEADER_BYTES,
                              .length_bytes = segment->length_bytes - JPEG_ICC_HEADER_BYTES};
    found->profile_bytes += segment->length_bytes - JPEG_ICC_HEADER_BYTES;
}

static struct jpeg_segment behind(const struct jpeg_segment *segment, size_t start)
{
    return (struct jpeg_segment){.data = segment->data + start,
                                 .length_bytes = segment->length_bytes - start};
}

static void find(const struct jpeg_segment *segment, struct found *found)
{
    if (segment->marker == JPEG_MARKER_APP1 && !found->exif.data && JPEG_BEGINS(segment, JPEG_EXIF_START)) {
        found->exif = behind(segment, sizeof JPEG_EXIF_START);
    } else if (segment->marker == JPEG_MARKER_APP1 && !found->xmp.data &&
               JPEG_BEGINS(segment, JPEG_XMP_START)) {
        found->xmp = behind(segment, sizeof JPEG_XMP_START);
    } else if (segment->marker == JPEG_MARKER_APP2 && JPEG_BEGINS(segment, JPEG_ICC_START)) {
        find_part(segment, found);
    } else if (segment->marker == JPEG_MARKER_APP13 && JPEG_BEGINS(segment, JPEG_RESOURCES_START)) {
        if (found->resource_count < KEEP_RESOURCES)
            found->resources[found->resource_count] = *segment;
        found->resource_count++;
    }
}

static int keep_parts(struct codec_decode *job, const struct found *found, struct error *error)
{
    if (found->parts_found == 0 && !found->profile_broken)
        return 0;
    if (found->profile_broken || found->parts_found != found->parts_said) {
        keep_warn(&job->warnings, job->warning, sizeof job->warning,
                  "colour profile: not all of its parts are there");
        return 0;
    }
    TRY(keep_limit(job, found->profile_bytes, error));
    uint8_t *profile = scratch_alloc(job->scratch, 1, found->profile_bytes), *end = profile;
    if (!profile)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    for (unsigned i = 0; i < found->parts_said; i++) {
        memcpy(end, found->parts[i].data, found->parts[i].length_bytes);
        end += found->parts[i].length_bytes;
    }
    return keep_profile(job, profile, found->profile_bytes, error);
}

/* JFIF says dots per inch (unit 1) or centimetre (2), or only their ratio (0), which says nothing when 1. */
static int keep_density(struct codec_decode *job, const struct jpeg_decompress_struct *in,
                        struct error *error)
{
    if (!in->saw_JFIF_marker || in->X_density == 0 || in->Y_density == 0 || in->density_unit > 2 ||
        (in->density_unit == 0 && in->X_density == in->Y_density))
        return 0;
    const double scales[] = {1, 1 / INCH_METRES, 100};
    return keep_resolution(job, (uint32_t)(in->X_density * scales[in->density_unit] + 0.5),
                           (uint32_t)(in->Y_density * scales[in->density_unit] + 0.5), in->density_unit > 0,
                           error);
}

/* A part of them would be none. */
static int keep_all_resources(struct codec_decode *job, const struct found *found, struct error *error)
{
    if (found->resource_count > KEEP_RESOURCES) {
        keep_warn(&job->warnings, job->warning, sizeof job->warning,
                  "dropped IPTC and Photoshop's image resources in more than %u segments", KEEP_RESOURCES);
        return 0;
    }
    for (unsigned i = 0; i < found->resource_count; i++)
        TRY(keep_resources(job, found->resources[i].data, found->resources[i].length_bytes, error));
    return 0;
}

int jpeg_meta_read(struct codec_decode *job, const struct jpeg_decompress_struct *in, struct error *error)
{
    struct found found = {0};
    struct jpeg_segment segment;
    enum { SOS = 0xda };
    for (size_t at = 2;
         jpeg_segment_next(job->bytes, job->length_bytes, &at, &segment) && segment.marker != SOS;)
        find(&segment, &found);
    TRY(keep_density(job, in, error));
    TRY(keep_parts(job, &found, error));
    if (found.exif.data)
        TRY(keep_exif(job, found.exif.data, found.exif.length_bytes, error));
    if (found.xmp.data)
        TRY(keep_xmp(job, found.xmp.data, found.xmp.length_bytes, error));
    return keep_all_resources(job, &found, error);
}

/* To whole dots per inch, as other programs write it. */
static UINT16 per_inch(uint32_t per_metre)
{
    const double value = per_metre * INCH_METRES + 0.5;
    return value < 65535 ? (UINT16)value : 65535;
}

void jpeg_meta_density(struct jpeg_compress_struct *out, const struct keep_blocks *blocks)
{
    const uint32_t x = blocks->x_density, y = blocks->y_density;
    if (blocks->per_metre && per_inch(x) > 0 && per_inch(y) > 0) {
        out->density_unit = 1;
        out->X_density = per_inch(x);
        out->Y_density = per_inch(y);
    } else if (!blocks->per_metre && x > 0 && x <= 65535 && y > 0 && y <= 65535) {
        out->density_unit = 0;
        out->X_density = (UINT16)x;
        out->Y_density = (UINT16)y;
    }
}

static void write_bytes(struct jpeg_compress_struct *out, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jpeg_write_m_byte(out, ((const uint8_t *)bytes)[i]);
}

/* `start` with its terminating NUL, then the block, in one segment. */
static void write_block(struct jpeg_session *session, const struct keep_block *block, const char *start,
                        size_t start_bytes, const char *name)
{
    if (!block->bytes)
        return;
    if (block->length_bytes > JPEG_SEGMENT_BYTES - start_bytes) {
        keep_warn(session->warnings, session->warning, session->warning_size,
                  "dropped %s of %zu bytes; JPEG holds up to %zu", name, block->length_bytes,
                  JPEG_SEGMENT_BYTES - start_bytes);
        return;
    }
    jpeg_write_m_header(&session->jpeg.out, JPEG_MARKER_APP1, (unsigned)(start_bytes + block->length_bytes));
    write_bytes(&session->jpeg.out, start, start_bytes);
    write_bytes(&session->jpeg.out, block->bytes, block->length_bytes);
}

static void write_profile(struct jpeg_session *session, const struct keep_block *profile)
{
    const size_t parts = (profile->length_bytes + JPEG_ICC_PART_BYTES - 1) / JPEG_ICC_PART_BYTES;
    if (parts > PARTS_MAX) {
        keep_warn(session->warnings, session->warning, session->warning_size,
                  "dropped a colour profile of %zu bytes; JPEG holds up to %zu", profile->length_bytes,
                  PARTS_MAX * JPEG_ICC_PART_BYTES);
        return;
    }
    for (size_t i = 0; i < parts; i++) {
        const size_t left = profile->length_bytes - i * JPEG_ICC_PART_BYTES;
        const size_t bytes = left < JPEG_ICC_PART_BYTES ? left : JPEG_ICC_PART_BYTES;
        const uint8_t numbers[2] = {(uint8_t)(i + 1), (uint8_t)parts};
        jpeg_write_m_header(&session->jpeg.out, JPEG_MARKER_APP2, (unsigned)(JPEG_ICC_HEADER_BYTES + bytes));
        write_bytes(&session->jpeg.out, JPEG_ICC_START, sizeof JPEG_ICC_START);
        write_bytes(&session->jpeg.out, numbers, sizeof numbers);
        write_bytes(&session->jpeg.out, profile->bytes + i * JPEG_ICC_PART_BYTES, bytes);
    }
}

/* As they were read, the text that they begin with included. */
static void write_resources(struct jpeg_session *session, const struct keep_block *resources)
{
    if (resources->length_bytes > JPEG_SEGMENT_BYTES)
        jpeg_session_fail(session, ERROR_INTERNAL, "metadata is not a valid list");
    jpeg_write_m_header(&session->jpeg.out, JPEG_MARKER_APP13, (unsigned)resources->length_bytes);
    write_bytes(&session->jpeg.out, resources->bytes, resources->length_bytes);
}

void jpeg_meta_write(struct jpeg_session *session, const struct keep_blocks *blocks)
{
    write_block(session, &blocks->exif, JPEG_EXIF_START, sizeof JPEG_EXIF_START, "EXIF");
    write_block(session, &blocks->xmp, JPEG_XMP_START, sizeof JPEG_XMP_START, "XMP");
    if (blocks->profile.bytes)
        write_profile(session, &blocks->profile);
    for (unsigned i = 0; i < blocks->resource_count; i++)
        write_resources(session, &blocks->resources[i]);
}
