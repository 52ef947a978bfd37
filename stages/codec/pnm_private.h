/* SPDX-License-Identifier: MIT */
/* What the files of the PNM codec share. Formats as Netpbm's manual pages pbm(5), pgm(5), ppm(5) and pam(5)
 * define them. */
#ifndef STAGES_CODEC_PNM_PRIVATE_H
#define STAGES_CODEC_PNM_PRIVATE_H

#include "stages/codec.h"

struct pnm_header {
    char kind; /* '1' to '7', the second letter of the file */
    uint64_t width, height, channels;
    uint32_t maxval;    /* 1 to 65535 */
    size_t pixels_from; /* where the first sample's bytes start */
};

/* Reads and checks a header of a file of `file_bytes`, of which `length_bytes` are at hand. */
int pnm_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct pnm_header *header, struct error *error);

/* What decoding makes of it. Values 0..maxval become 0..255 (maxval up to 255) or 0..65535, each the nearest.
 */
struct shape pnm_shape(const struct pnm_header *header);

/* Bytes of a row in a raw file. */
size_t pnm_row_bytes(const struct pnm_header *header);

/* P1 to P3: samples are written as digits. */
bool pnm_plain(const struct pnm_header *header);

/* Skips white space and comments; the position of what follows, or `length_bytes`. */
size_t pnm_skip(const uint8_t *bytes, size_t length_bytes, size_t position);

int pnm_decode(struct codec_decode *job, struct error *error);
int pnm_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
             struct codec_plan *plan, struct error *error);
int pnm_encode(struct codec_encode *job, struct error *error);

/* What reading by rows takes. */
size_t pnm_rows_scratch(void);
int pnm_rows_open(struct codec_decode *job, struct error *error);
int pnm_rows_next(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error);
int pnm_rows_close(struct codec_decode *job, struct error *error);
int pnm_put_begin(struct codec_encode *job, struct error *error);
int pnm_put_rows(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error);
int pnm_put_finish(struct codec_encode *job, struct error *error);

#endif
