/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pipeline/engine/recover.h"
#include "rows_stage.h"

/* Turns without any change after which nothing will move any more. */
#define IDLE_TURNS 3u

void world_die(const char *what)
{
    fprintf(stderr, "kill: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void check(bool sound, const char *what)
{
    if (!sound)
        world_die(what);
}

/* No buffer holds anything behind this. */
#define PART_BYTES 1024u

/* What lies before this in `told` is no part of the state. */
#define TOLD_FLAGS offsetof(struct told, results)

/* A picture of one grey pixel. */
static size_t picture(uint32_t item, uint8_t *bytes)
{
    return (size_t)sprintf((char *)bytes, "P5\n1 1\n255\n%c", (char)('A' + item));
}

static uint8_t codec_index(const struct codec *codec)
{
    uint8_t index = 0;
    while (codec_all()[index] != codec)
        index++;
    return index;
}

void world_open(struct world *world, uint32_t room, uint32_t writers_room)
{
    struct error error = {0};
    *world = (struct world){.codec = codec_for_name("a.pgm")};
    struct job *job = &world->job;
    job->settings = (struct settings){.queue = writers_room,
                                      .batch = 2,
                                      .retries = 2,
                                      .memory_bytes = 32 << 20,
                                      .max_pixels = 1000000,
                                      .max_width = 1000000,
                                      .max_height = 1000000};
    job->stages[0].stage = &rows_stage;
    job->stage_count = job->trunk = 1;
    job->output_count = 1;
    job->pools[0] = (struct job_pool){.last = 1, .workers = WORLD_WORKERS, .queue = room};
    job->pool_count = 1;
    check(machine_open(&world->machine, job, &error) == 0, "machine");
    check(admission_open(&world->admission, &world->machine, &error) == 0, "admission");
    check(ledger_open(&world->ledger, world->machine.slot_count, &error) == 0, "ledger");
    world->told = mmap(NULL, sizeof *world->told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(world->told != MAP_FAILED, "mmap");
    rows_stage_told = world->told;
    uint8_t head[32];
    const size_t length = picture(0, head);
    struct codec_info info;
    const uint8_t codec = codec_index(world->codec);
    world->ticket = (struct slot_ticket){.file_bytes = length, .codec_in = codec, .codec_out = {codec}};
    check(world->codec->peek(head, length, length, &world->machine.limits, &info, &error) == 0, "peek");
    check(chain_plan(job, &world->ticket, &info, &world->need, &error) == 0, "plan");
    world->pristine = malloc(world->machine.slot_offset);
    world->last =
        calloc(1, world->machine.slot_offset + sizeof *world->told + (size_t)WORLD_ITEMS * 2 * PART_BYTES);
    check(world->pristine && world->last, "malloc");
}

void world_close(struct world *world)
{
    munmap(world->told, sizeof *world->told);
    free(world->pristine);
    free(world->last);
    ledger_close(&world->ledger);
    admission_close(&world->admission);
    machine_close(&world->machine);
}

/* What the reader does with an item it has read. */
static uint32_t seat(struct world *world, struct item *item, uint64_t *seen)
{
    struct error error = {0};
    const int entered = admission_enter(&world->admission, &world->need, seen, &error);
    check(entered >= 0, "admission");
    const uint32_t index = (uint32_t)entered;
    struct slot *slot = &world->machine.slots[index];
    slot->ticket = world->ticket;
    slot->ticket.item = item->root;
    slot->attempt = item->spent + 1;
    picture(item->root, machine_part(&world->machine, index, SLOT_BUFFER_0));
    slot->small = true;
    ledger_seat(&world->ledger, index, item);
    return index;
}

uint32_t world_add(struct world *world)
{
    const uint32_t number = world->items++;
    const struct scan_entry entry = {.root = number, .path = "", .rel = "", .shown = ""};
    struct item *item = ledger_found(&world->ledger, &entry);
    check(item != NULL, "item");
    world->slots[number] = seat(world, item, &world->seen[number]);
    return number;
}

void world_move(struct world *world, uint32_t item, enum slot_state state, unsigned owner)
{
    check(slot_move(&world->machine.words[world->slots[item]], &world->seen[item], state, 0, owner), "move");
}

void world_push(struct world *world, uint32_t item, unsigned queue, unsigned owner)
{
    struct queue *into = &world->machine.queues[queue];
    check(queue_announce(into, world->slots[item], &world->seen[item], owner) == QUEUE_OK, "announce");
    check(queue_place(into, world->slots[item], world->seen[item]) == QUEUE_OK, "place");
}

void world_keep(struct world *world)
{
    memcpy(world->pristine, world->machine.arena.base, world->machine.slot_offset);
}

void world_restore(struct world *world)
{
    memcpy(world->machine.arena.base, world->pristine, world->machine.slot_offset);
    for (uint32_t i = 0; i < world->items; i++)
        picture(i, machine_part(&world->machine, world->slots[i], SLOT_BUFFER_0));
    memset(world->told, 0, sizeof *world->told);
}

static bool differs(uint8_t *last, const uint8_t *now, size_t bytes)
{
    if (memcmp(last, now, bytes) == 0)
        return false;
    memcpy(last, now, bytes);
    return true;
}

bool world_changed(struct world *world)
{
    uint8_t *last = world->last;
    bool changed = differs(last, world->machine.arena.base, world->machine.slot_offset);
    last += world->machine.slot_offset;
    changed |= differs(last, (uint8_t *)world->told + TOLD_FLAGS, sizeof *world->told - TOLD_FLAGS);
    last += sizeof *world->told - TOLD_FLAGS;
    for (uint32_t i = 0; i < world->items; i++) {
        for (unsigned part = SLOT_BUFFER_0; part <= SLOT_BUFFER_1; part++, last += PART_BYTES)
            changed |= differs(last, machine_part(&world->machine, world->slots[i], (enum slot_part)part),
                               PART_BYTES);
    }
    return changed;
}

/* Is the output in this slot that of the item? */
static bool right_output(const struct world *world, uint32_t index, const struct item *item)
{
    const struct slot *slot = &world->machine.slots[index];
    uint8_t expected[32];
    const size_t length = picture(item->root, expected);
    return slot->error.code == 0 && slot->length_bytes == length && slot->current <= SLOT_BUFFER_1 &&
           slot->at < PART_BYTES &&
           memcmp(machine_part(&world->machine, index, (enum slot_part)slot->current) + slot->at, expected,
                  length) == 0;
}

static bool always(void *context, uint32_t slot)
{
    (void)context, (void)slot;
    return true;
}

/* As writer.c, but for the file. */
void world_write(struct world *world)
{
    uint32_t slots[WORLD_ITEMS], count;
    uint64_t seen[WORLD_ITEMS];
    if (queue_take(&world->machine.queues[1], SLOT_OWNER_WRITER, WORLD_ITEMS, always, NULL, slots, seen,
                   &count) != QUEUE_OK)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct item *item = ledger_unseat(&world->ledger, slots[i]);
        if (!item) {
            atomic_fetch_add(&world->told->duplicated, 1);
            continue;
        }
        atomic_fetch_add(&world->told->results[item->root], right_output(world, slots[i], item) ? 1 : 100);
        admission_leave(&world->admission, slots[i], seen[i]);
        ledger_done(&world->ledger, item, 0, 0, 0, NULL);
    }
}

/* Changes with everything that happens to an item. */
static uint64_t state_of(const struct world *world)
{
    uint64_t sum = world->ledger.counts.done * 31 + world->ledger.counts.retried;
    for (uint32_t i = 0; i < world->machine.slot_count; i++)
        sum = sum * 31 + atomic_load(&world->machine.words[i]);
    return sum;
}

void world_judge(struct world *world)
{
    struct told *told = world->told;
    bool in_slot[WORLD_ITEMS] = {false};
    for (uint32_t i = 0; i < world->machine.slot_count; i++) {
        const struct item *item = world->ledger.by_slot[i];
        if (slot_unpack(atomic_load(&world->machine.words[i])).state == SLOT_FREE)
            continue;
        if (item)
            in_slot[item->root] = true;
        else
            told->stuck++; /* a slot that nobody will ever give back */
    }
    for (uint32_t i = 0; i < world->items; i++) {
        const uint32_t results = atomic_load(&told->results[i]);
        told->stuck += results == 0 && in_slot[i];
        told->lost += results == 0 && !in_slot[i];
        told->duplicated += results > 1;
    }
}

static bool all_have_results(const struct world *world)
{
    for (uint32_t i = 0; i < world->items; i++) {
        if (atomic_load(&world->told->results[i]) == 0)
            return false;
    }
    return true;
}

/* The reader's turn: what has to go round again, and what did not find room. */
static void read_again(struct world *world)
{
    struct queue *queue = &world->machine.queues[0];
    struct item *item;
    uint64_t seen;
    while ((item = ledger_again(&world->ledger, false))) {
        const uint32_t index = seat(world, item, &seen);
        queue_announce(queue, index, &seen, SLOT_OWNER_READER);
        queue_place(queue, index, seen);
    }
    const uint32_t last = world->items - 1;
    if (world->unplaced && queue_fill(queue) < queue->capacity)
        world->unplaced = queue_place(queue, world->slots[last], world->seen[last]) != QUEUE_OK;
}

void world_finish(struct world *world)
{
    const struct error cause = {.code = ERROR_CRASH};
    recover_worker(&world->machine, &world->ledger, &world->admission, WORLD_VICTIM, &cause, true);
    struct worker *worker = worker_open(&world->machine, WORLD_SURVIVOR);
    check(worker != NULL, "worker");
    uint64_t before = 0;
    /* One turn after the last result, to see whether another comes. */
    for (unsigned idle = 0; idle < IDLE_TURNS && !(all_have_results(world) && idle > 1); idle++) {
        if (queue_fill(&world->machine.queues[1]) > 0)
            world_write(world);
        if (queue_fill(&world->machine.queues[0]) > 0)
            worker_step(worker);
        read_again(world);
        const uint64_t now = state_of(world);
        if (now != before)
            idle = 0;
        before = now;
    }
    worker_close(worker);
    world_judge(world);
}
