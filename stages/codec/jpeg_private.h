/* SPDX-License-Identifier: MIT */
/* What the files of the JPEG codec share.
 *
 *   jpeg_header.c      markers up to the first scan: size, limits, where metadata lies; needs no library
 *   jpeg_peek.c        what decoding will cost at most
 *   jpeg_decode.c      pixels through libjpeg; strict
 *   jpeg_decode_rows.c the same a few rows at a time
 *   jpeg_meta.c        metadata in and out
 *   jpeg_encode.c      pixels to a file through libjpeg
 *   jpeg_encode_rows.c the same a few rows at a time
 *   jpeg_session.c     one run of libjpeg: its errors, its reading and writing
 *   jpeg_memory.c      libjpeg's memory out of scratch
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

/* One run of libjpeg. Errors come back as a return value of jpeg_session_run or jpeg_session_go_on; its
 * longjmp never leaves them. */
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
    bool guessed;      /* the room may be too little: ERROR_ROOM */
    bool full;         /* all of it is written */
    uint8_t spare[1];
    bool salvage; /* damage is a warning, as far as libjpeg can go on */
    bool damaged; /* there was some */
};

/* Calls steps(session, job), which may end early through jpeg_session_fail. 0 or a negative code. */
int jpeg_session_run(struct jpeg_session *session, void (*steps)(struct jpeg_session *, void *), void *job);

/* The same in several calls: begin, go_on as often as there are steps, until one fails, end. What libjpeg
 * allocated by itself goes with the end, which may come twice, and with a failure; the session stays where it
 * is until then. */
void jpeg_session_begin(struct jpeg_session *session);
int jpeg_session_go_on(struct jpeg_session *session, void (*steps)(struct jpeg_session *, void *), void *job);
void jpeg_session_end(struct jpeg_session *session);

/* Starts libjpeg on session->jpeg.in, reading the file's bytes, or on session->jpeg.out. */
void jpeg_session_start_read(struct jpeg_session *session, const uint8_t *bytes);
void jpeg_session_start_write(struct jpeg_session *session, uint8_t *bytes);

/* Bytes so far. */
size_t jpeg_session_written(const struct jpeg_session *session);

__attribute__((noreturn, format(printf, 3, 4))) void
jpeg_session_fail(struct jpeg_session *session, enum error_code code, const char *format, ...);

/* Ends the session where `code` is negative; *session->error has the text. */
void jpeg_session_check(struct jpeg_session *session, int code);

/* An image on its way through libjpeg. */
struct jpeg_read {
    struct jpeg_progress_mgr progress; /* first: libjpeg hands it back */
    struct codec_decode *job;
    struct jpeg_header header;
    unsigned seen; /* a bit for each component that a scan began */
    bool salvage;
    uint8_t *cmyk;                  /* a row of it; NULL: the image is not */
    uint32_t rows_read, rows_sound; /* in sum, and before the damage */
};

/* Reads the header; *session is then ready to run on the file. */
int jpeg_read_prepare(struct jpeg_read *read, struct codec_decode *job, struct jpeg_session *session,
                      struct error *error);

/* In a session, one after the other: up to the first row, where the shape is known; the next rows; and what
 * follows the last one. */
void jpeg_read_start(struct jpeg_session *session, struct jpeg_read *read);
void jpeg_read_rows(struct jpeg_session *session, struct jpeg_read *read, uint8_t *pixels, uint32_t count);
void jpeg_read_rest(struct jpeg_session *session, struct jpeg_read *read);

/* What reading by rows takes beside that. */
size_t jpeg_rows_scratch(void);

/* An image on its way into a file. */
struct jpeg_write {
    struct codec_encode *job;
    struct keep_blocks blocks;
};

/* Was the shape planned for? Then *session is ready to run on `job`. */
int jpeg_write_prepare(struct codec_encode *job, struct jpeg_session *session, struct error *error);

/* In a session: begins a file of up to `room_bytes`, with the density that the blocks say. `whole`: pixels
 * will follow, and codes may have to be made for them. */
void jpeg_write_start(struct jpeg_session *session, const struct jpeg_write *write, uint8_t *bytes,
                      size_t room_bytes, bool whole);
void jpeg_write_rows(struct jpeg_session *session, const struct codec_encode *job, const uint8_t *pixels,
                     uint32_t count);

/* What writing by rows takes, where a file as a whole takes `whole_bytes`. */
size_t jpeg_put_scratch(size_t whole_bytes);

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

int jpeg_rows_open(struct codec_decode *job, struct error *error);
int jpeg_rows_next(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error);
int jpeg_rows_close(struct codec_decode *job, struct error *error);
void jpeg_rows_leave(struct codec_decode *job);
int jpeg_put_begin(struct codec_encode *job, struct error *error);
int jpeg_put_rows(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error);
int jpeg_put_finish(struct codec_encode *job, struct error *error);
void jpeg_put_abandon(struct codec_encode *job);

#endif
