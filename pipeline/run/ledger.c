/* SPDX-License-Identifier: MIT */
#include "pipeline/run/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ledger_open(struct ledger *ledger, uint32_t slot_count, struct error *error)
{
    *ledger = (struct ledger){.slot_count = slot_count, .event_fd = -1};
    ledger->by_slot = calloc(slot_count, sizeof *ledger->by_slot);
    ledger->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!ledger->by_slot || ledger->event_fd < 0) {
        free(ledger->by_slot);
        ledger->by_slot = NULL;
        return error_set(error, ERROR_MEMORY, "out of memory or descriptors");
    }
    pthread_mutex_init(&ledger->lock, NULL);
    pthread_cond_init(&ledger->changed, NULL);
    return 0;
}

static void list_free(struct item *item)
{
    while (item) {
        struct item *next = item->next;
        free(item);
        item = next;
    }
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger->by_slot)
        return;
    for (uint32_t i = 0; i < ledger->slot_count; i++)
        list_free(ledger->by_slot[i]);
    list_free(ledger->retry_first);
    list_free(ledger->alone_first);
    for (size_t i = 0; i < ledger->failure_count; i++)
        free(ledger->failures[i].shown);
    free(ledger->failures);
    free(ledger->by_slot);
    ledger->by_slot = NULL;
    close(ledger->event_fd);
    pthread_cond_destroy(&ledger->changed);
    pthread_mutex_destroy(&ledger->lock);
}

struct item *ledger_found(struct ledger *ledger, const struct scan_entry *entry)
{
    const size_t path = strlen(entry->path) + 1, rel = strlen(entry->rel) + 1;
    const size_t shown = strlen(entry->shown) + 1;
    struct item *item = malloc(sizeof *item + path + rel + shown);
    if (!item)
        return NULL;
    char *texts = (char *)(item + 1);
    *item =
        (struct item){.root = entry->root, .path = texts, .rel = texts + path, .shown = texts + path + rel};
    memcpy(item->path, entry->path, path);
    memcpy(item->rel, entry->rel, rel);
    memcpy(item->shown, entry->shown, shown);
    pthread_mutex_lock(&ledger->lock);
    item->number = ledger->items++;
    ledger->counts.found++;
    ledger->open++;
    pthread_mutex_unlock(&ledger->lock);
    return item;
}

void ledger_seat(struct ledger *ledger, uint32_t slot, struct item *item)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->by_slot[slot] = item;
    pthread_mutex_unlock(&ledger->lock);
}

bool ledger_look(struct ledger *ledger, uint32_t slot, char *name, size_t size, uint32_t *attempt)
{
    pthread_mutex_lock(&ledger->lock);
    const struct item *item = ledger->by_slot[slot];
    if (item) {
        snprintf(name, size, "%s", item->shown);
        *attempt = item->spent + 1;
    }
    pthread_mutex_unlock(&ledger->lock);
    return item != NULL;
}

struct item *ledger_unseat(struct ledger *ledger, uint32_t slot)
{
    pthread_mutex_lock(&ledger->lock);
    struct item *item = ledger->by_slot[slot];
    ledger->by_slot[slot] = NULL;
    pthread_mutex_unlock(&ledger->lock);
    return item;
}

static void wake(struct ledger *ledger)
{
    pthread_cond_broadcast(&ledger->changed);
}

/* One item has its result, or goes back to a list. Under the lock. */
static void closed(struct ledger *ledger)
{
    ledger->open--;
    wake(ledger);
}

/* The item leaves nothing to gather. */
static void gone(struct ledger *ledger, const struct item *item)
{
    if (ledger->gone)
        ledger->gone(ledger->item_context, item);
}

static void set_stop(struct ledger *ledger, enum ledger_stop why, const struct error *error)
{
    if (ledger->stop != STOP_NONE)
        return;
    ledger->stop = why;
    if (error)
        ledger->stop_error = *error;
    wake(ledger);
    eventfd_write(ledger->event_fd, 1);
}

/* Have too many failed, of those that were tried? Under the lock. */
static void judge_failures(struct ledger *ledger)
{
    const struct settings_stop *most = &ledger->most;
    const uint64_t failed = ledger->counts.failed - ledger->counts.remembered;
    const uint64_t ended = ledger->counts.done + failed;
    if ((most->failures > 0 && failed >= most->failures) ||
        (most->by_part && ended >= LEDGER_JUDGED_ITEMS &&
         100 * (double)failed > most->most_percent * (double)ended))
        set_stop(ledger, STOP_FAILURES, NULL);
}

/* Under the lock. */
static void record_failure(struct ledger *ledger, const char *shown, const struct error *error,
                           uint32_t attempts)
{
    ledger->counts.failed++;
    if (ledger->tell)
        ledger->tell(ledger->tell_context, NEWS_FAILED, shown, error->stage, error->reason);
    if (ledger->failure_count < LEDGER_MAX_FAILURES) {
        struct ledger_failure *failures =
            realloc(ledger->failures, (ledger->failure_count + 1) * sizeof *failures);
        if (failures) {
            ledger->failures = failures;
            failures[ledger->failure_count++] = (struct ledger_failure){strdup(shown), *error, attempts};
        }
    }
    judge_failures(ledger);
}

void ledger_done(struct ledger *ledger, struct item *item, uint64_t bytes_in, uint64_t bytes_out,
                 uint64_t pixels_in, const char *warning)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->counts.done++;
    judge_failures(ledger);
    ledger->counts.bytes_in += bytes_in;
    ledger->counts.bytes_out += bytes_out;
    ledger->counts.pixels_in += pixels_in;
    if (warning) {
        ledger->counts.warnings++;
        if (ledger->tell)
            ledger->tell(ledger->tell_context, NEWS_WARNING, item->shown, "", warning);
    }
    closed(ledger);
    pthread_mutex_unlock(&ledger->lock);
    free(item);
}

void ledger_failed(struct ledger *ledger, struct item *item, const struct error *error)
{
    const uint32_t attempts = item->spent ? item->spent : 1;
    if (ledger->failed)
        ledger->failed(ledger->item_context, item, error, attempts);
    pthread_mutex_lock(&ledger->lock);
    record_failure(ledger, item->shown, error, attempts);
    closed(ledger);
    pthread_mutex_unlock(&ledger->lock);
    gone(ledger, item);
    free(item);
}

void ledger_skipped(struct ledger *ledger, struct item *item)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->counts.skipped++;
    closed(ledger);
    pthread_mutex_unlock(&ledger->lock);
    free(item);
}

void ledger_failed_before(struct ledger *ledger, struct item *item, const struct error *error,
                          uint32_t attempts)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->counts.remembered++;
    record_failure(ledger, item->shown, error, attempts);
    closed(ledger);
    pthread_mutex_unlock(&ledger->lock);
    gone(ledger, item);
    free(item);
}

void ledger_unfinished(struct ledger *ledger, struct item *item)
{
    pthread_mutex_lock(&ledger->lock);
    closed(ledger);
    pthread_mutex_unlock(&ledger->lock);
    gone(ledger, item);
    free(item);
}

void ledger_retract(struct ledger *ledger, const char *shown, const struct error *error)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->counts.done--;
    record_failure(ledger, shown, error, 1);
    pthread_mutex_unlock(&ledger->lock);
}

void ledger_note(struct ledger *ledger, const char *shown, const char *text)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->counts.noted++;
    if (ledger->tell)
        ledger->tell(ledger->tell_context, NEWS_NOTE, shown, "", text);
    pthread_mutex_unlock(&ledger->lock);
}

void ledger_hint(struct ledger *ledger, const char *shown, const char *text)
{
    pthread_mutex_lock(&ledger->lock);
    if (ledger->tell)
        ledger->tell(ledger->tell_context, NEWS_HINT, shown, "", text);
    pthread_mutex_unlock(&ledger->lock);
}

void ledger_fail_entry(struct ledger *ledger, const struct scan_entry *entry, const struct error *error)
{
    struct item *item = ledger_found(ledger, entry);
    if (item) {
        item->stray = true;
        ledger_failed(ledger, item, error);
        return;
    }
    /* Out of memory: it counts all the same. */
    pthread_mutex_lock(&ledger->lock);
    ledger->counts.found++;
    record_failure(ledger, entry->shown, error, 1);
    pthread_mutex_unlock(&ledger->lock);
}

void ledger_retry(struct ledger *ledger, struct item *item, bool alone)
{
    pthread_mutex_lock(&ledger->lock);
    struct item **first = alone ? &ledger->alone_first : &ledger->retry_first;
    struct item **last = alone ? &ledger->alone_last : &ledger->retry_last;
    item->next = NULL;
    if (*first)
        (*last)->next = item;
    else
        *first = item;
    *last = item;
    ledger->counts.retried++;
    closed(ledger);
    pthread_mutex_unlock(&ledger->lock);
}

static struct item *take_first(struct ledger *ledger, struct item **first)
{
    struct item *item = *first;
    if (item) {
        *first = item->next;
        item->next = NULL;
        ledger->open++;
    }
    return item;
}

struct item *ledger_again(struct ledger *ledger, bool listing_done)
{
    struct item *item = NULL;
    pthread_mutex_lock(&ledger->lock);
    ledger->listing_done = listing_done;
    while (ledger->stop == STOP_NONE) {
        item = take_first(ledger, &ledger->retry_first);
        if (!item && listing_done && ledger->open == 0)
            item = take_first(ledger, &ledger->alone_first);
        if (item || !listing_done || ledger->open == 0)
            break;
        pthread_cond_wait(&ledger->changed, &ledger->lock);
    }
    pthread_mutex_unlock(&ledger->lock);
    return item;
}

void ledger_stop_run(struct ledger *ledger, enum ledger_stop why, const struct error *error)
{
    pthread_mutex_lock(&ledger->lock);
    set_stop(ledger, why, error);
    pthread_mutex_unlock(&ledger->lock);
}

void ledger_stop_broken(struct ledger *ledger, const struct error *error)
{
    ledger_stop_run(ledger, error->code == ERROR_DISK_FULL ? STOP_DISK_FULL : STOP_FATAL, error);
}

enum ledger_stop ledger_stopped(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    enum ledger_stop stop = ledger->stop;
    pthread_mutex_unlock(&ledger->lock);
    return stop;
}

void ledger_finish(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->finished = true;
    eventfd_write(ledger->event_fd, 1);
    pthread_mutex_unlock(&ledger->lock);
}

bool ledger_finished(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    bool finished = ledger->finished;
    pthread_mutex_unlock(&ledger->lock);
    return finished;
}

struct ledger_counts ledger_counts(struct ledger *ledger, bool *listing_done)
{
    pthread_mutex_lock(&ledger->lock);
    struct ledger_counts counts = ledger->counts;
    *listing_done = ledger->listing_done;
    pthread_mutex_unlock(&ledger->lock);
    return counts;
}
