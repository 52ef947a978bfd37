/* SPDX-License-Identifier: MIT */
/* A codec by rows whose file comes piece by piece, against the same codec on whole files. Each piece lies in
 * memory of its own, which is given back when the next is asked for. */
#ifndef TESTS_CODEC_FEED_H
#define TESTS_CODEC_FEED_H

#include "codec_rows.h"

#define FEED_FAILED "the disk went away"

static struct feed_tested {
    const struct codec *codec;
    size_t extra_bytes;  /* that open, rows and close take with a feed, and peek did not count */
    size_t piece_bytes;  /* 0: all at once */
    unsigned fails_at;   /* the call of `next` that fails, from 1 on; 0: none */
    size_t length_bytes; /* of the file */
    const uint8_t *rest;
    size_t rest_bytes;
    uint8_t *head, *piece;
    unsigned calls;
    bool opened, ended;
} feed_tested;

static inline int feed_next(void *context, const uint8_t **piece, size_t *piece_bytes, struct error *error)
{
    struct feed_tested *feed = context;
    assert_false(feed->ended);
    free(feed->piece);
    feed->piece = NULL;
    if (++feed->calls == 2) {
        free(feed->head);
        feed->head = NULL;
    }
    *piece_bytes =
        feed->piece_bytes && feed->piece_bytes < feed->rest_bytes ? feed->piece_bytes : feed->rest_bytes;
    feed->ended = *piece_bytes == 0 || feed->calls == feed->fails_at;
    if (feed->calls == feed->fails_at)
        return error_set(error, ERROR_IO, FEED_FAILED);
    if (*piece_bytes > 0) {
        feed->piece = malloc(*piece_bytes);
        memcpy(feed->piece, feed->rest, *piece_bytes);
        feed->rest += *piece_bytes;
        feed->rest_bytes -= *piece_bytes;
    }
    *piece = feed->piece;
    return 0;
}

static inline int feed_decode(struct codec_decode *job, struct error *error)
{
    const struct codec_feed feed = {feed_next, &feed_tested};
    const size_t head_bytes = job->length_bytes < CODEC_HEAD_BYTES ? job->length_bytes : CODEC_HEAD_BYTES;
    feed_tested.rest = job->bytes;
    feed_tested.length_bytes = feed_tested.rest_bytes = job->length_bytes;
    feed_tested.calls = 0;
    feed_tested.ended = false;
    feed_tested.opened = true;
    feed_tested.head = malloc(head_bytes);
    memcpy(feed_tested.head, job->bytes, head_bytes);
    job->bytes = feed_tested.head;
    job->feed = &feed;
    const int code = rows_decode(job, error);
    if (code == 0)
        assert_true(feed_tested.ended);
    free(feed_tested.head);
    free(feed_tested.piece);
    feed_tested.head = feed_tested.piece = NULL;
    return code;
}

/* Images that are small enough are not to be read so, and peek does not count what they would take. */
static inline int feed_peek(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                            const struct codec_limits *limits, struct codec_info *info, struct error *error)
{
    const int code = feed_tested.codec->peek(head, head_bytes, file_bytes, limits, info, error);
    if (code == 0)
        assert_true(info->by_rows || !info->by_pieces);
    if (code == 0 && !info->by_pieces)
        info->scratch_bytes += feed_tested.extra_bytes;
    return code;
}

/* As exact_decode, in pieces of so many bytes. */
static inline int feed_exact(const struct codec *codec, size_t extra_bytes, size_t piece_bytes,
                             unsigned fails_at, const uint8_t *bytes, size_t length_bytes,
                             const struct codec_limits *limits, struct exact *exact)
{
    struct codec fed = *codec;
    rows_tested = (struct rows_tested){.codec = codec};
    feed_tested = (struct feed_tested){
        .codec = codec, .extra_bytes = extra_bytes, .piece_bytes = piece_bytes, .fails_at = fails_at};
    fed.decode = feed_decode;
    fed.peek = feed_peek;
    return exact_decode(&fed, bytes, length_bytes, limits, exact);
}

/* `code` and `whole` are what exact_decode had to say. By pieces it is the same, or that the whole file is
 * wanted: then false. */
static inline bool feed_check(const struct codec *codec, size_t extra_bytes, size_t piece_bytes,
                              const uint8_t *bytes, size_t length_bytes, const struct codec_limits *limits,
                              int code, const struct exact *whole)
{
    struct exact fed;
    const int fed_code = feed_exact(codec, extra_bytes, piece_bytes, 0, bytes, length_bytes, limits, &fed);
    if (fed_code < 0) {
        assert_int_equal(fed_code, feed_tested.opened ? ERROR_ROOM : code);
        return false;
    }
    assert_int_equal(code, 0);
    rows_same(&fed, whole);
    exact_free(&fed);
    return true;
}

#endif
