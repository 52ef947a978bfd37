/* SPDX-License-Identifier: MIT */
#include "pipeline/config/config_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The entry that is being read. */
struct entry {
    struct config *config;
    struct config_entry *note;
    const char *name;
    const struct stage *stage;
    const struct param *table; /* NULL: unknown, so that its parameters cannot be judged */
    void *values;
    void *into; /* the block of the parameter at hand: `values`, or that of `when` */
    unsigned errors_before;
    struct config_pool_params pool;
};

/* The names "a|b|c" of all stages and the markers. */
static void stage_words(char *words, size_t size)
{
    size_t used = 0;
    for (const struct stage *const *stage = stage_all(); *stage && used < size; stage++)
        used += (size_t)snprintf(words + used, size - used, "%s|", (*stage)->name);
    if (used < size)
        snprintf(words + used, size - used, "pool|tee");
}

static void param_words(const struct param *table, char *words, size_t size)
{
    size_t used = 0;
    *words = '\0';
    for (const struct param *param = table; param->name && used < size; param++)
        used += (size_t)snprintf(words + used, size - used, "%s%s", used ? "|" : "", param->name);
}

static void open_pool(struct entry *entry, struct diag_place place)
{
    struct job *job = &entry->config->job;
    entry->name = "pool";
    if (job->tee) {
        diag_error_at(entry->config->diag, place,
                      "a pool cannot begin behind tee: all outputs are made in one");
        return;
    }
    if (entry->config->entries > 0 && job->pool_count == JOB_MAX_POOLS) {
        diag_error_at(entry->config->diag, place, "more than %d pools", JOB_MAX_POOLS);
        return;
    }
    if (entry->config->entries > 0) {
        struct job_pool *pool = &job->pools[job->pool_count++];
        *pool = (struct job_pool){.first = job->stage_count, .last = job->stage_count};
        snprintf(pool->name, sizeof pool->name, "pool%u", job->pool_count);
    }
    entry->note = &entry->config->pools[job->pool_count - 1];
    entry->table = config_pool_table();
    entry->values = &entry->pool;
}

static void open_tee(struct entry *entry, struct diag_place place)
{
    struct job *job = &entry->config->job;
    entry->name = "tee";
    if (job->tee && job->output_count == JOB_MAX_OUTPUTS) {
        diag_error_at(entry->config->diag, place, "more than %d outputs", JOB_MAX_OUTPUTS);
        return;
    }
    if (!job->tee)
        job->trunk = job->stage_count;
    job->tee = true;
    struct job_output *output = &job->outputs[job->output_count++];
    *output = (struct job_output){.first = job->stage_count, .last = job->stage_count};
    entry->note = &entry->config->tees[job->output_count - 1];
    entry->table = config_tee_table();
    entry->values = &output->save;
}

static void open_stage(struct entry *entry, struct diag_place place, const char *name)
{
    struct job *job = &entry->config->job;
    struct diag *diag = entry->config->diag;
    const struct stage *stage = stage_find(name);
    if (!stage && strchr(name, '=')) {
        diag_error_at(diag, place, "parameters follow a colon, as in resize:width=800,height=600");
        return;
    }
    if (!stage && param_find(config_tee_table(), name)) {
        diag_error_at(diag, place, "'%s' is no stage but a setting: --save-%s", name, name);
        return;
    }
    if (!stage) {
        char words[2048], nearest[64];
        stage_words(words, sizeof words);
        const char *near = stage_nearest(name, words, nearest, sizeof nearest);
        diag_error_at(diag, place, "unknown stage '%.60s'%s%s%s", name, near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
        diag_allowed(diag, "stages", words);
        return;
    }
    void *params = NULL;
    if (job->stage_count == JOB_MAX_STAGES)
        diag_error_at(diag, place, "more than %d stages", JOB_MAX_STAGES);
    else if (!(params = calloc(1, stage->params_bytes ? stage->params_bytes : 1)))
        diag_starve(diag);
    if (!params)
        return;
    if (param_defaults(stage->params, params) < 0)
        diag_starve(diag);
    job->stages[job->stage_count] = (struct job_stage){.stage = stage, .params = params};
    entry->note = &entry->config->stages[job->stage_count++];
    entry->name = stage->name;
    entry->stage = stage;
    entry->table = stage->params;
    entry->values = params;
    job->pools[job->pool_count - 1].last = job->stage_count;
    if (job->tee)
        job->outputs[job->output_count - 1].last = job->stage_count;
}

static struct config_origin place_origin(struct diag_place place)
{
    unsigned line, column;
    diag_position(place, &line, &column);
    if (place.source->argument)
        return (struct config_origin){CONFIG_FLAG, 0, place.source->name};
    return (struct config_origin){CONFIG_FILE, line, NULL};
}

static void entry_open(struct entry *entry, struct config *config, struct diag_place place, const char *name)
{
    *entry = (struct entry){.config = config, .errors_before = config->diag->errors};
    if (strcmp(name, "pool") == 0)
        open_pool(entry, place);
    else if (strcmp(name, "tee") == 0)
        open_tee(entry, place);
    else
        open_stage(entry, place, name);
    if (entry->note) {
        *entry->note = (struct config_entry){.place = place};
        entry->note->origin = place_origin(place);
    }
    config->entries++;
}

static void show_keys(struct diag *diag, const struct param *table, const char *owner)
{
    char words[2048], what[64];
    param_words(table, words, sizeof words);
    snprintf(what, sizeof what, "parameters of %s", owner);
    diag_allowed(diag, what, *words ? words : "none");
}

static void unknown_key(struct entry *entry, struct diag_place place, const struct param *table,
                        const char *owner, const char *name)
{
    char words[2048], nearest[64];
    param_words(table, words, sizeof words);
    const char *near = param_nearest(name, words, nearest, sizeof nearest);
    diag_error_at(entry->config->diag, place, "%s has no parameter '%.60s'%s%s%s", owner, name,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    show_keys(entry->config->diag, table, owner);
}

/* Notes that the parameter is given; a list starts anew, anything else is given once. */
static bool note_given(struct entry *entry, struct diag_place place, const struct param *param, bool *given)
{
    if (*given && param->type != PARAM_LIST) {
        diag_error_at(entry->config->diag, place, "'%s' is given twice", param->name);
        return false;
    }
    if (!*given && param->type == PARAM_LIST)
        param_free((const struct param[]){*param, PARAM_END}, entry->into);
    *given = true;
    return true;
}

/* The same for a key of the stage's `when`. */
static const struct param *when_key(struct entry *entry, struct diag_place place, const char *name)
{
    struct job *job = &entry->config->job;
    struct job_stage *link = &job->stages[job->stage_count - 1];
    const struct param *param = param_find(job_when_table, name);
    if (!param) {
        unknown_key(entry, place, job_when_table, "when", name);
        return NULL;
    }
    if (!link->when) {
        if (!(link->when = calloc(1, sizeof *link->when))) {
            diag_starve(entry->config->diag);
            return NULL;
        }
        if (param_defaults(job_when_table, link->when) < 0)
            diag_starve(entry->config->diag);
    }
    entry->into = link->when;
    return note_given(entry, place, param, &entry->note->when_given[param - job_when_table]) ? param : NULL;
}

/* The parameter called `name`, or NULL with the error reported. */
static const struct param *entry_key(struct entry *entry, struct diag_place place, const char *name)
{
    if (!entry->table)
        return NULL;
    if (entry->stage && strncmp(name, "when.", 5) == 0)
        return when_key(entry, place, name + 5);
    const struct param *param = param_find(entry->table, name);
    if (!param && entry->stage && strcmp(name, "when") == 0) {
        diag_error_at(entry->config->diag, place,
                      "when is a map, like when: {min_width: 100}; after -s, when.min_width=100");
        return NULL;
    }
    if (!param) {
        unknown_key(entry, place, entry->table, entry->name, name);
        return NULL;
    }
    size_t index = (size_t)(param - entry->table);
    entry->into = entry->values;
    if (index < CONFIG_MAX_PARAMS) {
        if (!note_given(entry, place, param, &entry->note->given[index]))
            return NULL;
        entry->note->lines[index] = place_origin(place).line;
    }
    return param;
}

static void entry_value(struct entry *entry, const struct param *param, struct diag_place place,
                        const char *text)
{
    struct error error = {0};
    int code = param_parse(param, text, entry->into, &error);
    if (code == 0 && param->type == PARAM_FILE)
        code = config_param_file((struct param_file *)(void *)((char *)entry->into + param->offset), &error);
    if (code < 0)
        diag_reason_at(entry->config->diag, place, &error);
}

static void close_pool(struct entry *entry)
{
    struct job *job = &entry->config->job;
    struct job_pool *pool = &job->pools[job->pool_count - 1];
    struct config_pool_params *params = &entry->pool;
    pool->workers = params->workers;
    pool->queue = params->queue;
    pool->recycle = params->recycle;
    if (params->name && (!*params->name || strlen(params->name) >= sizeof pool->name))
        diag_error_at(entry->config->diag, entry->note->place, "the name of a pool has 1 to %zu bytes",
                      sizeof pool->name - 1);
    else if (params->name)
        snprintf(pool->name, sizeof pool->name, "%s", params->name);
    free(params->name);
    for (unsigned i = 0; i + 1 < job->pool_count; i++) {
        if (strcmp(job->pools[i].name, pool->name) == 0)
            diag_error_at(entry->config->diag, entry->note->place, "two pools are called '%s'", pool->name);
    }
}

static void close_stage(struct entry *entry)
{
    struct diag *diag = entry->config->diag;
    struct error error = {0};
    for (const struct param *param = entry->table; param->name; param++) {
        size_t index = (size_t)(param - entry->table);
        if (!param_required(param) || index >= CONFIG_MAX_PARAMS || entry->note->given[index])
            continue;
        diag_error_at(diag, entry->note->place, "%s: %s must be given: %s", entry->name, param->name,
                      param->help);
    }
    if (diag->errors == entry->errors_before && entry->stage->check &&
        entry->stage->check(entry->values, &error) < 0)
        diag_error_at(diag, entry->note->place, "%s: %s", entry->name, error.reason);
}

static void entry_close(struct entry *entry)
{
    if (entry->stage)
        close_stage(entry);
    else if (entry->table && entry->values == &entry->pool)
        close_pool(entry);
}

/* `prefix` is "when." for what stands in that map. */
static void yaml_param(struct entry *entry, const struct yaml_node *node, const char *prefix)
{
    struct diag *diag = entry->config->diag;
    const struct param *param = NULL;
    char name[72];
    if (!*prefix && entry->stage && node->kind == YAML_MAP && strcmp(node->key->text, "when") == 0 &&
        !config_yaml_is_twice(node, diag)) {
        for (const struct yaml_node *key = node->first; key; key = key->next)
            yaml_param(entry, key, "when.");
        return;
    }
    snprintf(name, sizeof name, "%s%.64s", prefix, node->key->text);
    if (!config_yaml_is_twice(node, diag))
        param = entry_key(entry, node->key->place, name);
    if (!param)
        return;
    if (node->kind == YAML_LIST && param->type == PARAM_LIST) {
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            if (item->kind == YAML_SCALAR)
                entry_value(entry, param, item->place, item->text);
            else
                diag_error_at(diag, item->place, "%s: wants a list of single values", param->name);
        }
    } else if (node->kind != YAML_SCALAR) {
        diag_error_at(diag, node->place, "%s: wants one value, a %s", param->name,
                      param_type_name(param->type));
    } else if (config_yaml_is_null(node)) {
        diag_error_at(diag, node->key->place, "%s: has no value", param->name);
    } else {
        entry_value(entry, param, node->place, node->text);
    }
}

static void yaml_entry(struct config *config, const struct yaml_node *node)
{
    struct entry entry;
    if (node->kind == YAML_SCALAR) {
        entry_open(&entry, config, node->place, node->text);
        entry_close(&entry);
        return;
    }
    if (node->kind == YAML_LIST || node->count == 0) {
        diag_error_at(config->diag, node->place, "a stage is a name or a map, like resize: {width: 800}");
        return;
    }
    const struct yaml_node *body = node->first;
    entry_open(&entry, config, body->key->place, body->key->text);
    if (body->kind == YAML_MAP) {
        for (const struct yaml_node *param = body->first; param; param = param->next)
            yaml_param(&entry, param, "");
    } else if (!config_yaml_is_null(body)) {
        diag_error_at(config->diag, body->place, "parameters are a map, like %.40s: {name: value}",
                      body->key->text);
    }
    for (const struct yaml_node *other = body->next; other; other = other->next)
        diag_error_at(config->diag, other->key->place,
                      "'%.40s' stands beside '%.40s': indent it further, or start it with - as a stage",
                      other->key->text, body->key->text);
    if (!body->next)
        entry_close(&entry);
    else /* what follows a wrong indentation is not judged: it was meant differently */
        free(entry.pool.name);
}

void config_chain_from_yaml(struct config *config, const struct yaml_node *list)
{
    if (config_yaml_is_null(list))
        return;
    if (list->kind != YAML_LIST) {
        diag_error_at(config->diag, list->place, "stages is a list: each stage on a line that starts with -");
        return;
    }
    for (const struct yaml_node *node = list->first; node; node = node->next)
        yaml_entry(config, node);
}

/* Copies [*at, first unescaped `stop` or end) to `out` without backslashes, and moves *at there. */
static void take_word(const struct diag_source *argument, size_t *at, const char *stop, char *out)
{
    for (; *at < argument->length && !strchr(stop, argument->bytes[*at]); ++*at) {
        if (argument->bytes[*at] == '\\' && *at + 1 < argument->length)
            ++*at;
        *out++ = argument->bytes[*at];
    }
    *out = '\0';
}

/* What is no name=value, such as a size as other programs have it. */
static void no_param(const struct entry *entry, struct diag_place place, const char *word)
{
    unsigned width, height;
    int end = 0;
    if (sscanf(word, "%9ux%9u%n", &width, &height, &end) == 2 && word[end] == '\0')
        diag_error_at(entry->config->diag, place, "a parameter is name=value: width=%u,height=%u", width,
                      height);
    else
        diag_error_at(entry->config->diag, place,
                      "a parameter is name=value; a list repeats its name, a comma wants a backslash");
    show_keys(entry->config->diag, entry->table, entry->name);
}

static void flag_param(struct entry *entry, const struct diag_source *argument, size_t *at, char *word)
{
    struct diag_place place = {argument, *at, *at};
    take_word(argument, at, "=,", word);
    place.end = *at;
    if (*at == argument->length || argument->bytes[*at] != '=') {
        if (entry->table)
            no_param(entry, place, word);
        return;
    }
    const struct param *param = entry_key(entry, place, word);
    place.start = ++*at;
    take_word(argument, at, ",", word);
    place.end = *at;
    if (param)
        entry_value(entry, param, place, word);
}

void config_chain_from_flag(struct config *config, const struct diag_source *argument)
{
    char *word = malloc(argument->length + 1);
    if (!word) {
        diag_starve(config->diag);
        return;
    }
    struct entry entry;
    size_t at = 0;
    take_word(argument, &at, ":", word);
    entry_open(&entry, config, (struct diag_place){argument, 0, at}, word);
    while (at < argument->length) {
        at++;
        flag_param(&entry, argument, &at, word);
    }
    entry_close(&entry);
    free(word);
}

void config_chain_clear(struct config *config)
{
    struct job *job = &config->job;
    job_free_chain(job);
    memset(config->stages, 0, sizeof config->stages);
    memset(config->pools, 0, sizeof config->pools);
    memset(config->tees, 0, sizeof config->tees);
    config->entries = 0;
    job->pool_count = 1;
    job->pools[0] = (struct job_pool){.name = "main"};
}

void config_chain_finish(struct config *config)
{
    const struct settings *settings = &config->job.settings;
    for (unsigned i = 0; i < config->job.pool_count; i++) {
        struct job_pool *pool = &config->job.pools[i];
        const bool *given = config->pools[i].given;
        pool->own_workers = given[1];
        pool->workers = given[1] ? pool->workers : settings->workers;
        pool->own_queue = given[2];
        pool->queue = given[2] ? pool->queue : settings->queue;
        pool->recycle = given[3] ? pool->recycle : settings->recycle;
    }
}
