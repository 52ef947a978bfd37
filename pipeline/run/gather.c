/* SPDX-License-Identifier: MIT */
#include "pipeline/run/gather.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report/table.h"
#include "pipeline/run/combining.h"
#include "pipeline/run/spool.h"

/* What has become of an item, by its number. */
enum fate { FATE_OPEN, FATE_GONE, FATE_ROW };

struct place {
    uint64_t row_at;     /* in `rows`: path with its NUL, then the record */
    uint64_t samples_at; /* in `early`: the shape, then the samples; of items not combined yet */
    uint32_t row_bytes;
    uint8_t fate;
    bool early;
};

struct gather {
    const struct job *job;
    pthread_mutex_t lock; /* guards all below */
    struct place *places;
    uint64_t place_count;
    uint64_t next;        /* the first item that is not combined yet */
    uint64_t early_count; /* how many have samples in `early` */
    struct spool rows, early;
    struct whole *table;         /* NULL: no table */
    struct combining *combining; /* NULL: nothing is combined */
    struct error trouble;        /* the first thing that went wrong out of turn */
    void (*refused)(void *context, const char *shown, const struct error *error);
    void *context;
    uint8_t *row; /* the last one read */
    size_t row_size;
    uint64_t walk; /* where the table's rows are read */
};

int gather_open(struct gather **out, const struct job *job, int directory,
                void (*refused)(void *context, const char *shown, const struct error *error), void *context,
                struct error *error)
{
    const struct settings *settings = &job->settings;
    int code = 0;
    *out = NULL;
    if (!settings->collect_file && !settings->aggregate_file)
        return 0;
    struct gather *gather = calloc(1, sizeof *gather);
    if (!gather)
        return error_set(error, ERROR_MEMORY, "out of memory");
    *gather =
        (struct gather){.job = job, .refused = refused, .context = context, .rows.fd = -1, .early.fd = -1};
    pthread_mutex_init(&gather->lock, NULL);
    code = spool_open(&gather->rows, directory, error);
    if (code == 0 && settings->aggregate_file)
        code = spool_open(&gather->early, directory, error);
    if (code == 0 && settings->collect_file)
        code = whole_open(&gather->table, settings->collect_file, error);
    if (code == 0 && settings->aggregate_file)
        code = combining_open(&gather->combining, job, error);
    if (code < 0)
        gather_close(gather);
    else
        *out = gather;
    return code;
}

const char *gather_file(const struct gather *gather, unsigned index)
{
    if (!gather)
        return NULL;
    if (gather->table && index-- == 0)
        return gather->job->settings.collect_file;
    return gather->combining ? combining_file(gather->combining, index) : NULL;
}

/* The item's place, made where there is none yet; NULL: out of memory. Under the lock. */
static struct place *place_of(struct gather *gather, uint64_t number)
{
    if (number >= gather->place_count) {
        uint64_t count = gather->place_count ? 2 * gather->place_count : 1024;
        count = number < count ? count : number + 1;
        struct place *places = realloc(gather->places, count * sizeof *places);
        if (!places)
            return NULL;
        memset(places + gather->place_count, 0, (count - gather->place_count) * sizeof *places);
        gather->places = places;
        gather->place_count = count;
    }
    return &gather->places[number];
}

/* Reads the row at a place into `row`; it begins with the path. */
static int read_row(struct gather *gather, const struct place *place, struct error *error)
{
    if (place->row_bytes > gather->row_size) {
        uint8_t *row = realloc(gather->row, place->row_bytes);
        if (!row)
            return error_set(error, ERROR_MEMORY, "out of memory");
        gather->row = row;
        gather->row_size = place->row_bytes;
    }
    return spool_get(&gather->rows, place->row_at, gather->row, place->row_bytes, error);
}

static int put_row(struct gather *gather, struct place *place, const struct gather_item *item,
                   struct error *error)
{
    const size_t path_bytes = strlen(item->shown) + 1;
    uint64_t behind;
    TRY(spool_put(&gather->rows, item->shown, path_bytes, &place->row_at, error));
    TRY(spool_put(&gather->rows, item->record.block, item->record.used_bytes, &behind, error));
    place->row_bytes = (uint32_t)(path_bytes + item->record.used_bytes);
    place->fate = FATE_ROW;
    return 0;
}

/* Samples that come before their turn. */
static int put_early(struct gather *gather, struct place *place, const struct gather_item *item,
                     struct error *error)
{
    uint64_t behind;
    TRY(spool_put(&gather->early, &item->shape, sizeof item->shape, &place->samples_at, error));
    TRY(spool_put(&gather->early, item->samples, item->samples_bytes, &behind, error));
    place->early = true;
    gather->early_count++;
    return 0;
}

/* Whose turn has come now, and whose samples do not go with the others: not done after all. */
static void refuse_late(struct gather *gather, struct place *place, const struct error *cause)
{
    struct error error = {0};
    place->fate = FATE_GONE;
    if (read_row(gather, place, &error) == 0)
        gather->refused(gather->context, (const char *)gather->row, cause);
    else
        gather->trouble = error;
}

static int combine_early(struct gather *gather, struct place *place, struct error *error)
{
    struct shape shape;
    place->early = false;
    gather->early_count--;
    TRY(spool_get(&gather->early, place->samples_at, &shape, sizeof shape, error));
    const size_t bytes = shape_bytes(&shape);
    void *samples = malloc(bytes ? bytes : 1);
    if (!samples)
        return error_set(error, ERROR_MEMORY, "out of memory");
    int code = spool_get(&gather->early, place->samples_at + sizeof shape, samples, bytes, error);
    if (code == 0)
        code = combining_add(gather->combining, &shape, samples, error);
    free(samples);
    return code;
}

/* Combines what has been put aside, as far as the order allows; `all`: what is open will not come any more.
 */
static void catch_up(struct gather *gather, bool all)
{
    for (; gather->next < gather->place_count; gather->next++) {
        struct place *place = &gather->places[gather->next];
        if (place->fate == FATE_OPEN && !all)
            break;
        struct error error = {0};
        int code = place->early ? combine_early(gather, place, &error) : 0;
        if (code == ERROR_UNSUPPORTED || code == ERROR_LIMIT)
            refuse_late(gather, place, &error);
        else if (code < 0 && gather->trouble.code == 0)
            gather->trouble = error;
    }
    if (gather->early_count == 0)
        spool_clear(&gather->early);
}

static int combine(struct gather *gather, struct place *place, const struct gather_item *item,
                   struct error *error)
{
    if (!shape_valid(&item->shape) || shape_bytes(&item->shape) != item->samples_bytes)
        return error_set(error, ERROR_INTERNAL, "the worker handed back an impossible result");
    if (item->number != gather->next)
        return put_early(gather, place, item, error);
    int code = combining_add(gather->combining, &item->shape, item->samples, error);
    if (code == 0)
        gather->next++;
    return code;
}

static bool sound(const struct record *record)
{
    struct record_field field;
    size_t position = 0;
    int more;
    while ((more = record_next(record, &position, &field)) > 0)
        ;
    return more == 0;
}

int gather_put(struct gather *gather, const struct gather_item *item, struct error *error)
{
    if (!sound(&item->record))
        return error_set(error, ERROR_INTERNAL, "the worker handed back an impossible record");
    pthread_mutex_lock(&gather->lock);
    struct place *place = place_of(gather, item->number);
    int code = place ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0 && gather->combining) {
        catch_up(gather, false);
        code = combine(gather, place, item, error);
    }
    if (code == 0)
        code = put_row(gather, place, item, error);
    if (code == 0 && gather->trouble.code) {
        *error = gather->trouble;
        code = gather->trouble.code;
    }
    pthread_mutex_unlock(&gather->lock);
    return code;
}

void gather_skip(struct gather *gather, uint64_t number)
{
    if (!gather)
        return;
    pthread_mutex_lock(&gather->lock);
    struct place *place = place_of(gather, number);
    if (place)
        place->fate = FATE_GONE;
    pthread_mutex_unlock(&gather->lock);
}

static void rewind_rows(void *context)
{
    ((struct gather *)context)->walk = 0;
}

static int next_row(void *context, struct table_row *row, struct error *error)
{
    struct gather *gather = context;
    while (gather->walk < gather->place_count && gather->places[gather->walk].fate != FATE_ROW)
        gather->walk++;
    if (gather->walk == gather->place_count)
        return 0;
    const struct place *place = &gather->places[gather->walk++];
    TRY(read_row(gather, place, error));
    const size_t path_bytes = strlen((const char *)gather->row) + 1;
    row->path = (const char *)gather->row;
    row->record = (struct record){gather->row + path_bytes, place->row_bytes - path_bytes,
                                  place->row_bytes - path_bytes, ""};
    return 1;
}

static int write_table(struct gather *gather, struct error *error)
{
    const struct table_rows rows = {rewind_rows, next_row, gather};
    struct whole *table = gather->table;
    if (!table)
        return 0;
    TRY(table_write(table_format_of(gather->job->settings.collect_file), table, &rows, error));
    gather->table = NULL;
    return whole_commit(table, error);
}

int gather_finish(struct gather *gather, bool complete, struct error *error)
{
    if (gather->combining && complete)
        catch_up(gather, true);
    /* What fails last must not cost what could be written before. */
    TRY(write_table(gather, error));
    if (!gather->combining || !complete)
        return 0;
    *error = gather->trouble;
    return gather->trouble.code ? gather->trouble.code : combining_finish(gather->combining, error);
}

void gather_close(struct gather *gather)
{
    if (!gather)
        return;
    spool_close(&gather->rows);
    spool_close(&gather->early);
    whole_discard(gather->table);
    combining_close(gather->combining);
    pthread_mutex_destroy(&gather->lock);
    free(gather->places);
    free(gather->row);
    free(gather);
}
