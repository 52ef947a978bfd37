/* SPDX-License-Identifier: MIT */
#include "pipeline/config/config_digest.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/config/config_chain.h"
#include "pipeline/files/siphash.h"

/* Whoever can choose a config to meet another's hash can as well write that config: fixed keys will do. */
static const uint64_t keys[2][2] = {{0x666f726b6d696c6cu, 1}, {0x666f726b6d696c6cu, 2}};

/* What is hashed, written out one behind the other, each part with its length in front. */
struct text {
    uint8_t *bytes;
    size_t used, size;
    bool failed;
};

static void add(struct text *text, const void *bytes, size_t length)
{
    const uint64_t length64 = length;
    const size_t wanted = text->used + sizeof length64 + length;
    if (wanted > text->size) {
        uint8_t *room = realloc(text->bytes, 2 * wanted);
        text->failed = text->failed || !room;
        if (!room)
            return;
        text->bytes = room;
        text->size = 2 * wanted;
    }
    memcpy(text->bytes + text->used, &length64, sizeof length64);
    if (length)
        memcpy(text->bytes + text->used + sizeof length64, bytes, length);
    text->used = wanted;
}

static void add_text(struct text *text, const char *value)
{
    add(text, value ? value : "", value ? strlen(value) : 0);
}

static void hash(const void *bytes, size_t length, uint8_t out[CONFIG_DIGEST_BYTES])
{
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t half = siphash(keys[i], bytes, length);
        memcpy(out + i * sizeof half, &half, sizeof half);
    }
}

static void add_value(struct text *text, const struct param *param, const void *values)
{
    const void *value = (const char *)values + param->offset;
    char word[256];
    add_text(text, param->name);
    if (param->type == PARAM_TEXT) {
        const char *given = *(char *const *)value;
        add(text, &(uint8_t){given != NULL}, 1);
        add_text(text, given);
    } else if (param->type == PARAM_LIST) {
        const struct param_list *list = value;
        add(text, &(uint64_t){list->count}, sizeof(uint64_t));
        for (size_t i = 0; i < list->count; i++)
            add_text(text, list->texts[i]);
    } else if (param->type == PARAM_FILE) {
        const struct param_file *file = value;
        uint8_t contents[CONFIG_DIGEST_BYTES];
        add_text(text, file->path); /* its extension may say what it is */
        hash(file->bytes, file->length_bytes, contents);
        add(text, contents, sizeof contents);
    } else {
        add_text(text, param_text(param, values, word, sizeof word));
    }
}

static void add_block(struct text *text, const struct param *table, const void *values)
{
    for (const struct param *param = table; param && param->name; param++)
        add_value(text, param, values);
}

/* How inputs are decoded, whatever the settings for it are called. */
static void add_load(struct text *text, const struct settings *settings)
{
    const size_t first = offsetof(struct settings, load), last = first + sizeof settings->load;
    for (const struct param *setting = settings_table; setting->name; setting++) {
        if (setting->offset >= first && setting->offset < last)
            add_value(text, setting, settings);
    }
}

static void add_range(struct text *text, unsigned first, unsigned last)
{
    add(text, (const unsigned[]){first, last}, 2 * sizeof first);
}

static void add_chain(struct text *text, const struct job *job)
{
    add_range(text, job->stage_count, job->trunk);
    for (unsigned i = 0; i < job->stage_count; i++) {
        const struct job_stage *link = &job->stages[i];
        add_text(text, link->stage->name);
        add_block(text, link->stage->params, link->params);
        add_text(text, link->when ? "when" : "");
        if (link->when)
            add_block(text, job_when_table, link->when);
    }
    add_range(text, job->output_count, 0);
    for (unsigned i = 0; i < job->output_count; i++) {
        const struct job_output *output = &job->outputs[i];
        add_range(text, output->first, output->last);
        add_block(text, config_tee_table(), &output->save);
        add(text, &output->save.recompress, sizeof output->save.recompress);
    }
}

int config_digest(const struct job *job, struct config_digest *digest, struct error *error)
{
    static const char *const may_fail[] = {"max_pixels", "max_width", "max_height", "max_elements",
                                           "max_file",   "max_ratio", "memory",     "max_metadata",
                                           "timeout",    "retries",   "sandbox"};
    struct text text = {0};
    add_text(&text, FORKMILL_VERSION);
    add_load(&text, &job->settings);
    add_chain(&text, job);
    hash(text.bytes, text.used, digest->bytes);
    for (size_t i = 0; i < sizeof may_fail / sizeof *may_fail; i++)
        add_value(&text, param_find(settings_table, may_fail[i]), &job->settings);
    hash(text.bytes, text.used, digest->failures);
    free(text.bytes);
    return text.failed ? error_set(error, ERROR_MEMORY, "out of memory") : 0;
}
