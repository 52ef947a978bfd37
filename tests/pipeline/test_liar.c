/* SPDX-License-Identifier: MIT */
/* A worker that lies: it hands on slots whose description is impossible, by one field or all over. The next
 * worker and the writer have to fail its item and no other, and touch nothing outside of it. */
#include "tree.h"

#include "pipeline/engine/worker.h"
#include "pipeline/run/writer.h"

#define VICTIMS 3u
#define ROUNDS  3000u

enum { LIAR, HONEST };

static struct job job;
static struct machine machine;
static struct admission admission;
static struct ledger ledger;
static struct writer writer;
static struct worker *honest;
static const struct outname_form names[1];
static struct slot_ticket ticket;
static struct slot_need need;
static char reason[256]; /* of the last failure */

static const char picture[] = "P5\n2 1\n255\nab";

static void keep_reason(void *context, enum ledger_news news, const char *shown, const char *stage,
                        const char *text)
{
    (void)context, (void)shown, (void)stage;
    if (news == NEWS_FAILED)
        snprintf(reason, sizeof reason, "%s", text);
}

static uint8_t codec_index(const char *name)
{
    uint8_t index = 0;
    while (codec_all()[index] != codec_for_name(name))
        index++;
    return index;
}

/* The first pool, of one worker, is the liar's; the second one encodes. */
static int open_run(void **state)
{
    (void)state;
    struct error error = {0};
    struct codec_info info;
    job = (struct job){
        .stages[0].stage = stage_find("copy"),
        .stage_count = 1,
        .trunk = 1,
        .output_count = 1,
        .pools = {{.last = 1, .workers = 1, .queue = 8}, {.first = 1, .last = 1, .workers = 1, .queue = 8}},
        .pool_count = 2};
    job.settings = (struct settings){.queue = 8,
                                     .batch = 4,
                                     .memory_bytes = 8 << 20,
                                     .max_pixels = 1000000,
                                     .max_width = 1000000,
                                     .max_height = 1000000};
    tree_enter();
    assert_int_equal(machine_open(&machine, &job, &error), 0);
    assert_int_equal(admission_open(&admission, &machine, &error), 0);
    assert_int_equal(ledger_open(&ledger, machine.slot_count, &error), 0);
    ledger.tell = keep_reason;
    const uint8_t codec = codec_index("a.pgm");
    const size_t length = sizeof picture - 1;
    ticket = (struct slot_ticket){.file_bytes = length, .codec_in = codec, .codec_out = {codec}};
    assert_int_equal(
        codec_all()[codec]->peek((const uint8_t *)picture, length, length, &machine.limits, &info, &error),
        0);
    assert_int_equal(chain_plan(&job, &ticket, &info, &need, &error), 0);
    writer = (struct writer){.machine = &machine,
                             .ledger = &ledger,
                             .admission = &admission,
                             .names = names,
                             .queue = machine.queues[2]};
    assert_int_equal(outfile_open(&writer.out, "out", &error), 0);
    honest = worker_open(&machine, HONEST);
    assert_non_null(honest);
    return 0;
}

static int close_run(void **state)
{
    (void)state;
    worker_close(honest);
    outfile_close(writer.out);
    ledger_close(&ledger);
    admission_close(&admission);
    machine_close(&machine);
    tree_leave();
    return 0;
}

/* An item in the liar's hands, worked on as it should be. */
static uint32_t receive(const char *name, uint64_t *seen)
{
    static uint8_t bytes[1 << 16] __attribute__((aligned(SCRATCH_ALIGN)));
    struct scratch scratch = {.base = bytes, .size_bytes = sizeof bytes};
    struct error error = {0};
    const struct scan_entry entry = {.path = name, .rel = name, .shown = name};
    struct item *item = ledger_found(&ledger, &entry);
    const int index = admission_enter(&admission, &need, seen, &error);
    assert_true(item && index >= 0);
    struct slot *slot = &machine.slots[index];
    slot->ticket = ticket;
    slot->attempt = 1;
    memcpy(machine_part(&machine, (uint32_t)index, SLOT_BUFFER_0), picture, sizeof picture - 1);
    ledger_seat(&ledger, (uint32_t)index, item);
    const unsigned owner = SLOT_OWNER_WORKER + LIAR;
    assert_true(slot_move(&machine.words[index], seen, SLOT_RUNNING, 0, owner));
    unsigned first, last;
    chain_pool_steps(&job, 0, &first, &last);
    assert_int_equal(chain_run(&machine, (uint32_t)index, first, last, &scratch, NULL), 0);
    return (uint32_t)index;
}

static void hand_on(uint32_t index, uint64_t seen, unsigned queue)
{
    const unsigned owner = SLOT_OWNER_WORKER + LIAR;
    assert_int_equal(queue_announce(&machine.queues[queue], index, &seen, owner), QUEUE_OK);
    assert_int_equal(queue_place(&machine.queues[queue], index, seen), QUEUE_OK);
}

/* Everybody's turn until nothing waits; what goes round again is done for. */
static void finish(void)
{
    struct item *item;
    while (queue_fill(&machine.queues[1]) > 0)
        assert_int_equal(worker_step(honest), WORKER_GOES_ON);
    while (queue_fill(&machine.queues[2]) > 0)
        assert_true(writer_step(&writer));
    while ((item = ledger_again(&ledger, false))) {
        struct error error = {0};
        error_set(&error, ERROR_LIMIT, "went round again");
        ledger_failed(&ledger, item, &error);
    }
}

static void expect_picture(const char *path)
{
    char found[64] = "";
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, found, sizeof found), (ssize_t)sizeof picture - 1);
    assert_memory_equal(found, picture, sizeof picture - 1);
    close(fd);
    unlink(path);
}

static struct ledger_counts counts(void)
{
    bool listing_done;
    return ledger_counts(&ledger, &listing_done);
}

/* Lies; each has one slot of its own. */
static void say_buffer_seven(struct slot *slot)
{
    slot->current = 7;
}

static void say_far_out(struct slot *slot)
{
    slot->at = UINT64_MAX - 63;
}

static void say_endless(struct slot *slot)
{
    slot->length_bytes = UINT64_MAX;
}

static void say_nothing_made(struct slot *slot)
{
    slot->length_bytes = 0;
}

static void say_much_committed(struct slot *slot)
{
    slot->have.part_bytes[SLOT_BUFFER_1] = SIZE_MAX;
}

static void say_unknown_codec(struct slot *slot)
{
    slot->ticket.codec_out[0] = 255;
}

static void say_much_metadata(struct slot *slot)
{
    slot->meta_used = UINT64_MAX;
}

static void say_large_picture(struct slot *slot)
{
    slot->shape.width = slot->shape.height = UINT32_MAX;
}

static void say_many_channels(struct slot *slot)
{
    slot->shape.channels = 255;
}

static void say_large_reference(struct slot *slot)
{
    slot->ticket.reference_bytes = UINT64_MAX;
}

static void say_good_error(struct slot *slot)
{
    slot->error.code = 4711;
}

static void say_disk_full(struct slot *slot)
{
    slot->error.code = ERROR_DISK_FULL;
}

static void say_text_without_end(struct slot *slot)
{
    slot->error.code = ERROR_CORRUPT;
    memset(slot->error.stage, 'x', sizeof slot->error.stage);
    memset(slot->error.reason, 'x', sizeof slot->error.reason);
}

static void say_needs_everything(struct slot *slot)
{
    slot->error.code = ERROR_ROOM;
    memset(&slot->need, 0xff, sizeof slot->need);
}

static const struct {
    const char *name;
    void (*tell)(struct slot *slot);
    unsigned queue;     /* 1: to the next worker, 2: to the writer */
    const char *reason; /* how its item's begins */
} lies[] = {
    {"buffer 7, to a worker", say_buffer_seven, 1, "the slot holds impossible sizes"},
    {"buffer 7, to the writer", say_buffer_seven, 2, "the worker handed back an impossible result"},
    {"far out, to a worker", say_far_out, 1, "the slot holds impossible sizes"},
    {"far out, to the writer", say_far_out, 2, "the worker handed back an impossible result"},
    {"endless", say_endless, 2, "the worker handed back an impossible result"},
    {"nothing made", say_nothing_made, 2, "the worker handed back an impossible result"},
    {"much committed", say_much_committed, 1, "the slot holds impossible sizes"},
    {"unknown codec", say_unknown_codec, 1, "the slot holds impossible sizes"},
    {"much metadata", say_much_metadata, 1, "the slot holds impossible sizes"},
    {"large picture", say_large_picture, 1, "the slot holds impossible sizes"},
    {"many channels", say_many_channels, 1, "the slot holds impossible sizes"},
    {"large reference", say_large_reference, 1, "the slot holds impossible sizes"},
    {"an error that is none", say_good_error, 2, "the worker handed back an impossible result"},
    {"the disk is full", say_disk_full, 2, "the worker handed back an impossible result"},
    {"text without end", say_text_without_end, 2, "xxxxxxxx"},
    {"needs everything", say_needs_everything, 2, "went round again"},
};

static void each_lie_fails_its_item_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        uint64_t seen[VICTIMS];
        uint32_t slots[VICTIMS];
        const struct ledger_counts before = counts();
        for (unsigned k = 0; k < VICTIMS; k++)
            slots[k] = receive(k == 0 ? "before.pgm" : k == 1 ? "lie.pgm" : "after.pgm", &seen[k]);
        lies[i].tell(&machine.slots[slots[1]]);
        for (unsigned k = 0; k < VICTIMS; k++)
            hand_on(slots[k], seen[k], k == 1 ? lies[i].queue : 1);
        snprintf(reason, sizeof reason, "none");
        finish();
        const struct ledger_counts after = counts();
        if (after.done - before.done != 2 || after.failed - before.failed != 1 ||
            strncmp(reason, lies[i].reason, strlen(lies[i].reason)) != 0)
            fail_msg("%s: %u done, %u failed: %s", lies[i].name, (unsigned)(after.done - before.done),
                     (unsigned)(after.failed - before.failed), reason);
        assert_int_equal(ledger_stopped(&ledger), STOP_NONE);
        expect_picture("out/before.pgm");
        expect_picture("out/after.pgm");
        assert_int_equal(access("out/lie.pgm", F_OK), -1);
    }
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t *state)
{
    uint64_t bits = *state += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

/* Some bytes of the description, or all. What comes of the item may be anything; the others are sound. */
static void scribbles_harm_nobody_else(void **state)
{
    (void)state;
    uint64_t lot = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t seen[2];
        const struct ledger_counts before = counts();
        const uint32_t lied = receive("lie.pgm", &seen[0]), other = receive("other.pgm", &seen[1]);
        uint8_t *bytes = (uint8_t *)&machine.slots[lied];
        const unsigned many = round % 4 == 0 ? sizeof(struct slot) : 1 + (unsigned)(next(&lot) % 16);
        for (unsigned i = 0; i < many; i++)
            bytes[many == sizeof(struct slot) ? i : next(&lot) % sizeof(struct slot)] = (uint8_t)next(&lot);
        hand_on(lied, seen[0], round & 1 ? 1 : 2);
        hand_on(other, seen[1], 1);
        finish();
        const struct ledger_counts after = counts();
        assert_int_equal(after.done + after.failed, before.done + before.failed + 2);
        assert_int_equal(ledger_stopped(&ledger), STOP_NONE);
        expect_picture("out/other.pgm");
        unlink("out/lie.pgm");
    }
    assert_int_equal(counts().found, counts().done + counts().failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lie_fails_its_item_and_no_other),
        cmocka_unit_test(scribbles_harm_nobody_else),
    };
    return cmocka_run_group_tests(tests, open_run, close_run);
}
