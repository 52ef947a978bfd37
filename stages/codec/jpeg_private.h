/* SPDX-License-Identifier: MIT */
/* What the files of the JPEG codec share.
 *
 *   jpeg_header.c  markers up to the first scan: size, limits, where metadata lies; needs no library
 *   jpeg_peek.c    what decoding will cost at most
 *   jpeg_decode.c  pixels through libjpeg; strict
 *   jpeg_meta.c    metadata in and out
 *   jpeg_encode.c  pixels to a file through libjpeg
 *   jpeg_session.c one run of libjpeg: its errors, its reading and writing
 *   jpeg_memory.c  libjpeg's memory out of scratch
 *
 * All but the first stand back for jpeg_missing.c in a build without libjpeg. */
#ifndef STAGES_CODEC_JPEG_PRIVATE_H
#define STAGES_CODEC_JPEG_PRIVATE_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "stages/codec/jpeg_header.h"

/* libjpeg's memory manager, replaced by one that takes from scratch and gives nothing back. */
struct jpeg_memory {
    struct jpeg_memory_mgr manager; /* first: libjpeg hands it back */
    struct scratch *scratch;
};

void jpeg_memory_set_up(struct jpeg_memory *memory, struct scratch *scratch);

/* What an array of `rows` rows takes. */
size_t jpeg_memory_rows(size_t row_bytes, size_t rows);

/* What every run takes whatever the image: tables for Huffman codes, quantization and colours, and libjpeg's
 * structures, about 60 KiB, many of them in small pieces that are rounded up. */
#define JPEG_FIXED_SCRATCH (160u << 10)

/* One run of libjpeg. Errors come back as a return value of jpeg_session_run; its longjmp never leaves it. */
struct jpeg_session {
    struct jpeg_error_mgr errors; /* first: libjpeg hands it back */
    jmp_buf failed;
    union {
        struct jpeg_common_struct common;
        struct jpeg_decompress_struct in;
        struct jpeg_compress_struct out;
    } jpeg;
    struct jpeg_memory memory;
    struct jpeg_memory_mgr *first_memory; /* libjpeg's own, which holds what it made before ours came */
    struct scratch *scratch;
    struct error *error;
    int code;                  /* of the failure */
    enum error_code code_else; /* for what libjpeg says itself: ERROR_CORRUPT or ERROR_INTERNAL */
    unsigned *warnings;
    char *warning;
    size_t warning_size;
    struct jpeg_source_mgr source;
    struct jpeg_destination_mgr sink;
    size_t size_bytes; /* of the file, or of the room for it */
    bool salvage;      /* damage is a warning, as far as libjpeg can go on */
    bool damaged;      /* there was some */
};

/* Calls steps(session, job), which may end early through jpeg_session_fail. 0 or a negative code. */
int jpeg_session_run(struct jpeg_session *session, void (*steps)(struct jpeg_session *, void *), void *job);

/* Starts libjpeg on session->jpeg.in, reading the file's bytes, or on session->jpeg.out. */
void jpeg_session_start_read(struct jpeg_session *session, const uint8_t *bytes);
void jpeg_session_start_write(struct jpeg_session *session, uint8_t *bytes);

__attribute__((noreturn, format(printf, 3, 4))) void
jpeg_session_fail(struct jpeg_session *session, enum error_code code, const char *format, ...);

/* Ends the session where `code` is negative; *session->error has the text. */
void jpeg_session_check(struct jpeg_session *session, int code);

/* The scratch that the metadata of a file takes. */
size_t jpeg_meta_scratch(size_t meta_bytes);

/* Keeps the metadata of a decoded file. */
int jpeg_meta_read(struct codec_decode *job, const struct jpeg_decompress_struct *in, struct error *error);

/* The resolution goes into the header that libjpeg writes, the rest behind that. */
void jpeg_meta_density(struct jpeg_compress_struct *out, const struct keep_blocks *blocks);
void jpeg_meta_write(struct jpeg_session *session, const struct keep_blocks *blocks);

int jpeg_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, const struct codec_limits *limits,
              struct codec_info *info, struct error *error);
int jpeg_decode(struct codec_decode *job, struct error *error);
int jpeg_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
              struct codec_plan *plan, struct error *error);
int jpeg_encode(struct codec_encode *job, struct error *error);

#endif
