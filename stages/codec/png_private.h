/* SPDX-License-Identifier: MIT */
/* What the files of the PNG codec share.
 *
 *   png_peek.c    signature, IHDR and limits; what decoding will cost at most
 *   png_decode.c  a file to pixels, strictly; through libpng, or what is usual by
 *   png_decode_fast.c; png_decode_rows.c does it a few rows at a time
 *   png_pieces.h  for that, a file that comes piece by piece
 *   png_meta.c    ancillary chunks in and out, byte for byte
 *   png_encode.c  pixels to a file, through libpng or by
 *   png_encode_fast.c; png_encode_rows.c does it a few rows at a time
 *   png_method.h  by which library, how hard, and after which filters
 *   png_reduce.c  what can be left out of pixels before
 *   png_rows.h    filters, undone by png_unfilter.c and chosen by png_filter.c
 *   png_session.c one run of libpng: its memory, its errors, its reading and writing
 *
 * libpng (1.6) handles the critical chunks, tRNS and the small colour chunks. Text, profiles and EXIF never
 * reach it: it would inflate and copy them, as much as 8 MB a chunk and 1000 chunks an image, and they are
 * wanted as they are. So what decoding needs depends on the width of the image and on nothing else. */
#ifndef STAGES_CODEC_PNG_PRIVATE_H
#define STAGES_CODEC_PNG_PRIVATE_H

#include <setjmp.h>

#include <png.h>

#include "stages/codec.h"
#include "stages/codec/deflate.h"

#define PNG_SIGNATURE_BYTES 8u
#define PNG_IHDR_END        33u /* signature, and IHDR with its length, type and CRC */
#define PNG_CHUNK_MAX       0x7fffffffu
#define PNG_CHUNK_EXTRA     12u /* length, type and CRC of a chunk */

struct png_header {
    uint32_t width, height;
    uint8_t depth, colour; /* as IHDR has them */
    bool interlaced;
    /* How the image lies, by an eXIf chunk within the first CODEC_HEAD_BYTES: what peek sees, decode says. */
    uint8_t orientation;
};

/* The header of a file and the limits. `length_bytes` of `bytes` are at hand, CODEC_HEAD_BYTES or all of the
 * `file_bytes` promised. */
int png_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct png_header *header, struct error *error);

/* Bytes of filtered rows, each with its filter byte, of every pass; SIZE_MAX where that does not fit. */
size_t png_raw_bytes(uint32_t width, uint32_t height, unsigned pixel_bits, bool interlaced);

unsigned png_samples_per_pixel(uint8_t colour);

struct png_chunk {
    char type[4];
    uint32_t length_bytes;
    const uint8_t *data; /* NULL when not all of the chunk, CRC included, is at hand */
};

/* Walks the chunks: start with *position = PNG_SIGNATURE_BYTES. False when there is no further whole chunk
 * header, or its length is not a legal one. *position may come to lie behind the end. */
bool png_chunk_next(const uint8_t *bytes, size_t length_bytes, size_t *position, struct png_chunk *chunk);

/* Is this a chunk whose data travels with the image? */
bool png_meta_kept(const char type[4]);

/* Memory for libpng and zlib out of scratch. libpng frees and asks again for the same things, so what is
 * freed is kept by size for the next taker. */
#define PNG_MEMORY_CLASSES 10
struct png_memory {
    struct scratch *scratch;
    void *freed[PNG_MEMORY_CLASSES];
    bool exhausted;
};

void *png_memory_take(struct png_memory *memory, size_t size_bytes);
void png_memory_give(struct png_memory *memory, void *block);

/* What every run takes whatever the image: libpng's structures (under 4 KiB each), zlib's state and window
 * (inflate 7 + 32 KiB twice, pixels and metadata; deflate 262 KiB, the sum that zconf.h states, and its state
 * of 6 KiB), the buffer of compressed data. Rounded up generously. */
#define PNG_READ_SCRATCH  (224u << 10)
#define PNG_WRITE_SCRATCH (480u << 10)

/* Colours of an image whose pixels are their numbers; those before alpha_count have an alpha. No colours: the
 * pixels are what they are. */
struct png_palette {
    unsigned count, alpha_count;
    png_color colours[PNG_MAX_PALETTE_LENGTH];
    png_byte alphas[PNG_MAX_PALETTE_LENGTH];
};

/* One run of libpng. Errors come back as a return value of png_session_run; libpng's longjmp never leaves it.
 */
struct png_session {
    jmp_buf failed;
    struct png_memory memory;
    struct error *error;
    int code;      /* of the failure */
    int code_else; /* for what libpng says itself: ERROR_CORRUPT or ERROR_INTERNAL */
    unsigned *warnings;
    char *warning;
    size_t warning_size;
    png_structp png;
    png_infop info;
    png_bytep alpha; /* of a palette's first colours; libpng forgets when it is told to expand */
    int alphas;
    const uint8_t *in;
    uint8_t *out;
    struct png_palette palette;  /* to be written */
    size_t size_bytes, position; /* of `in` or `out` */
    /* What lies in [skip_from, skip_to) of `in` libpng is not shown; in its place it finds png_empty_idat.
     * skip_to 0: nothing is skipped. */
    size_t skip_from, skip_to, stub_position;
    size_t beyond_bytes; /* that follow in the file, and are not in `in` */
};

/* An IDAT chunk that holds an empty zlib stream. */
#define PNG_EMPTY_IDAT_BYTES 20u
extern const uint8_t png_empty_idat[PNG_EMPTY_IDAT_BYTES];

/* A session that reads the file of `job`, its warnings and error the job's. */
struct png_session png_session_of(struct codec_decode *job, struct error *error);

/* Calls steps(session, job), which may end early through png_session_fail. 0 or a negative code. Nothing
 * needs to be destroyed afterwards: all memory is scratch. */
int png_session_run(struct png_session *session, void (*steps)(struct png_session *, void *), void *job);

void png_session_start_read(struct png_session *session);
void png_session_start_write(struct png_session *session);

__attribute__((noreturn, format(printf, 3, 4))) void
png_session_fail(struct png_session *session, enum error_code code, const char *format, ...);

/* Counts a warning and keeps the text of the first one. */
__attribute__((format(printf, 2, 3))) void png_session_warn(struct png_session *session, const char *format,
                                                            ...);

/* Bytes of scratch for a run with `rows` rows of `row_bytes` bytes. */
size_t png_session_scratch(size_t fixed_bytes, size_t rows, size_t row_bytes);

/* The one run of IDAT chunks of a file at hand: what is left of it. */
struct png_run {
    const uint8_t *bytes;
    size_t position, end;
};

/* Reading with a session, step by step: up to the pixels, whose shape is then known and in job->shape, in
 * `passes` over all rows; and what follows them. With `salvage` checksums are let pass. */
struct png_read {
    struct codec_decode *job;
    struct png_header header;
    struct png_run run; /* of what is read by the fast path */
    int passes;
    bool salvage;       /* take what can be had, whatever the checksums say */
    uint64_t rows_read; /* of all passes */
};
void png_read_start(struct png_session *session, struct png_read *read);
void png_read_rest(struct png_session *session, struct png_read *read);

/* Keeps the metadata of a decoded file; the session has just read it to its end. */
void png_meta_read(struct png_session *session, const struct png_header *header, struct codec_decode *job);

/* Writes metadata that fits the colour model, between IHDR and PLTE or IDAT. */
void png_meta_write(struct png_session *session, const struct codec_encode *job);

/* For save.reduce: gives the job a shape of fewer bits, channels or, with a palette, colours, and pixels in
 * its scratch, up to as many bytes as it had. Pixels stay what they are, colour profiles fit. False where
 * scratch does not suffice. The palette comes with no colours. */
bool png_reduce(struct codec_encode *job, struct png_palette *palette);

/* Do they have three channels or a palette? */
bool png_is_colour(const struct png_session *session, const struct codec_encode *job);

/* The fast path of decoding. What it needs beside a session of libpng; 0 where it does not apply. */
size_t png_fast_scratch(const struct png_header *header, uint64_t file_bytes);

/* Finds the run of IDAT chunks, and checks lengths and CRCs. False where there is anything but what the fast
 * path takes. */
bool png_fast_find(const struct codec_decode *job, const struct png_header *header, struct png_run *run);

/* The data of its chunks, one after the other. The run stays where it is. */
struct inflate_source png_run_source(struct png_run *run);

/* What the fast path takes: IDAT chunks of at least 1 byte and at most so many, and a stream that begins with
 * this byte. */
size_t png_fast_chunk_most(const struct png_header *header);
bool png_fast_begins(uint8_t first_byte);

/* At the beginning of the pixels, which the source gives as they are in IDAT chunks. The session has read
 * what comes before and has set job->shape; the header stays where it is. NULL where libpng must look. */
struct png_fast;
struct png_fast *png_fast_begin(struct png_session *session, const struct png_header *header,
                                struct codec_decode *job, const struct inflate_source *source);

/* The next `rows` rows. False where libpng must look. */
bool png_fast_rows(struct png_fast *fast, uint8_t *pixels, size_t rows);

/* Does the fast path hold less than all rows at a time? */
bool png_fast_by_rows(const struct png_header *header, uint64_t file_bytes);

/* The word of a save's compression, whatever number it holds. */
int png_compression_word(const struct codec_save *save);

/* How many in a hundred pixels are like their left neighbours, judged by every 16th row. */
unsigned png_runs(const struct shape *shape, const uint8_t *pixels);

/* The fast path of encoding: does it apply, what it needs, and IDAT and IEND, where the session has written
 * all that comes before. False where libpng must do it, because scratch or room does not suffice. */
bool png_fast_encodes(const struct codec_save *save, const struct shape *shape);
size_t png_fast_encode_scratch(const struct codec_save *save, const struct shape *shape, size_t room_after);

/* Bytes behind the samples with which filtered rows can take the place of the samples; 0: they cannot.
 * And do they in this job? */
size_t png_fast_room_after(const struct codec_save *save, const struct shape *shape);
bool png_fast_spoils(const struct codec_encode *job);
bool png_fast_encode(struct codec_encode *job, struct png_session *session);

/* What it puts into IDAT. A library that takes pieces is given sections of rows, each of which chooses its
 * filters by its own rows alone: so those that follow need not be known. They are of about so many bytes, or
 * a little more where rows are long, since what is tried on a sample of a section is a part of it. */
#define PNG_SECTION_BYTES ((size_t)2 << 20)

/* How many rows make a section, all but the last; 0: the image must be there as a whole. */
uint32_t png_stream_rows(const struct codec_save *save, const struct shape *shape);

/* Begins the stream at `to`. The job stays where it is; of its pixels nothing is read. NULL where there is
 * too little scratch. */
struct png_stream;
struct png_stream *png_stream_begin(const struct codec_encode *job, bool indexed, uint8_t *to,
                                    size_t room_bytes);

/* The next section; the last row of the one before lies before it. False where it does not fit in the room.
 */
bool png_stream_put(struct png_stream *stream, const uint8_t *rows, uint32_t count);

/* The length of the stream, when all rows were put. */
size_t png_stream_length(const struct png_stream *stream);

/* What is around the stream in IDAT, and IEND. */
#define PNG_CHUNKS_AROUND ((size_t)2 * PNG_CHUNK_EXTRA)

/* Writes that around a stream that begins 8 bytes behind `idat`. The length of both chunks. */
size_t png_end_file(uint8_t *idat, size_t length_bytes);

/* Writes all that comes before the image data. */
int png_encode_header(struct codec_encode *job, uint8_t *to, size_t size_bytes, size_t *length_bytes,
                      struct error *error);

/* Encoding by rows, see codec.h. */
size_t png_put_scratch(const struct codec_save *save, const struct shape *shape, size_t whole_bytes);
int png_put_begin(struct codec_encode *job, struct error *error);
int png_put_rows(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error);
int png_put_finish(struct codec_encode *job, struct error *error);

int png_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, const struct codec_limits *limits,
             struct codec_info *info, struct error *error);
int png_decode(struct codec_decode *job, struct error *error);

/* Decoding by rows, see codec.h, and the scratch for it beyond that of png_decode; and for a file that comes
 * piece by piece, beyond that. */
size_t png_rows_scratch(void);
size_t png_pieces_scratch(void);

/* The most metadata, as kept, of a file that can be decoded so: all of it is in the frame. */
size_t png_pieces_meta(void);
int png_rows_open(struct codec_decode *job, struct error *error);
int png_rows_next(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error);
int png_rows_close(struct codec_decode *job, struct error *error);

/* The two ways of decoding and of encoding, each alone, with what was planned for both. The fast one fails
 * where it would leave the work to libpng, and then has used some scratch and metadata. */
int png_decode_by_libpng(struct codec_decode *job, struct error *error);
int png_decode_fast(struct codec_decode *job, struct error *error);
int png_encode_by_libpng(struct codec_encode *job, struct error *error);
int png_encode_fast(struct codec_encode *job, struct error *error);

int png_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
             struct codec_plan *plan, struct error *error);
int png_encode(struct codec_encode *job, struct error *error);

#endif
