/* SPDX-License-Identifier: MIT */
/* --print-config: what the run would use, in a form that gives the same run again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/cli/cli.h"
#include "pipeline/config/base64.h"
#include "pipeline/config/config_chain.h"
#include "pipeline/report/utf8.h"

#define COMMENT_COLUMN 34

/* A text in quotes as YAML 1.2 has them (section 5.7), or as !!binary where it is no UTF-8. Returns the
 * columns it took. */
static int print_quoted(const char *text)
{
    size_t length = strlen(text), step;
    uint32_t point;
    for (size_t at = 0; at < length; at += step) {
        if ((step = utf8_next(text + at, length - at, &point)) == 0) {
            char *coded = malloc(BASE64_SIZE(length));
            if (!coded)
                return 0;
            base64_encode(text, length, coded);
            int columns = printf("!!binary \"%s\"", coded);
            free(coded);
            return columns;
        }
    }
    int columns = printf("\"");
    for (size_t at = 0; at < length; at += step) {
        step = utf8_next(text + at, length - at, &point);
        bool hidden = point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
                      point == 0xfeff || (point & 0xfffe) == 0xfffe;
        if (point == '"' || point == '\\')
            columns += printf("\\%c", (char)point);
        else if (hidden)
            columns += printf(point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
        else
            columns += printf("%.*s", (int)step, text + at) > 0;
    }
    return columns + printf("\"");
}

static void print_origin(int columns, const char *origin)
{
    int pad = columns < COMMENT_COLUMN ? COMMENT_COLUMN - columns : 1;
    printf("%*s# %s\n", pad, "", origin);
}

static void print_list(const char *name, const struct param_list *list, int indent, const char *origin)
{
    int columns = printf("%*s%s:%s", indent, "", name, list->count ? "" : " []");
    print_origin(columns, origin);
    for (size_t i = 0; i < list->count; i++) {
        printf("%*s- ", indent + 2, "");
        print_quoted(list->texts[i]);
        putchar('\n');
    }
}

static void print_param(const struct param *param, const char *name, const void *values, int indent,
                        const char *origin)
{
    const void *value = (const char *)values + param->offset;
    char text[128];
    if (param->type == PARAM_LIST) {
        print_list(name, value, indent, origin);
        return;
    }
    /* A file's path is its first member. */
    const bool text_like = param->type == PARAM_TEXT || param->type == PARAM_FILE;
    if (text_like && !*(char *const *)value) {
        print_origin(printf("%*s# %s:", indent, "", name), "not set");
        return;
    }
    int columns = printf("%*s%s: ", indent, "", name);
    if (text_like)
        columns += print_quoted(*(char *const *)value);
    else if (param->type == PARAM_COLOUR) /* its # would start a comment */
        columns += print_quoted(param_text(param, values, text, sizeof text));
    else
        columns += printf("%s", param_text(param, values, text, sizeof text));
    print_origin(columns, origin);
}

static void print_settings(const struct config *config)
{
    char group[64] = "", origin[512];
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct param *setting = &settings_table[i];
        const char *dot = strchr(setting->name, '.');
        size_t length = dot ? (size_t)(dot - setting->name) : 0;
        config_origin_text(config, &config->origins[i], setting, origin, sizeof origin);
        if (!dot) {
            print_param(setting, setting->name, &config->job.settings, 0, origin);
            continue;
        }
        if (strncmp(group, setting->name, length) != 0 || group[length] != '\0') {
            snprintf(group, sizeof group, "%.*s", (int)length, setting->name);
            printf("%s:\n", group);
        }
        print_param(setting, dot + 1, &config->job.settings, 2, origin);
    }
}

static void param_origin(const struct config *config, const struct config_entry *entry, size_t index,
                         char *text, size_t size)
{
    struct config_origin origin = {0};
    if (index < CONFIG_MAX_PARAMS && entry->given[index]) {
        origin = entry->origin;
        origin.line = entry->lines[index];
    }
    config_origin_text(config, &origin, NULL, text, size);
}

/* One entry; `all`: parameters that were not given as well. */
static void print_entry(const struct config *config, const char *name, const struct param *table,
                        const void *values, const struct config_entry *entry, bool all)
{
    char origin[512];
    unsigned count = 0;
    for (unsigned i = 0; i < CONFIG_MAX_WHEN; i++)
        count += entry->when_given[i];
    for (size_t i = 0; table[i].name; i++)
        count += all || entry->given[i];
    config_origin_text(config, &entry->origin, NULL, origin, sizeof origin);
    print_origin(printf("  - %s%s", name, count ? ":" : ""), origin);
    for (size_t i = 0; table[i].name; i++) {
        param_origin(config, entry, i, origin, sizeof origin);
        if (all || entry->given[i])
            print_param(&table[i], table[i].name, values, 6, origin);
    }
}

static void print_pool(const struct config *config, unsigned index)
{
    const struct job_pool *pool = &config->job.pools[index];
    const struct config_entry *entry = &config->pools[index];
    char name[sizeof pool->name];
    memcpy(name, pool->name, sizeof name);
    const struct config_pool_params params = {name, pool->workers, pool->queue, pool->recycle};
    if (entry->place.source)
        print_entry(config, "pool", config_pool_table(), &params, entry, false);
}

/* The `when` of a stage: what was given. */
static void print_when(const struct config *config, unsigned stage)
{
    const struct job_when *when = config->job.stages[stage].when;
    const struct config_entry *entry = &config->stages[stage];
    char origin[512];
    if (!when)
        return;
    config_origin_text(config, &entry->origin, NULL, origin, sizeof origin);
    puts("      when:");
    for (size_t i = 0; job_when_table[i].name; i++) {
        if (entry->when_given[i])
            print_param(&job_when_table[i], job_when_table[i].name, when, 8, origin);
    }
}

static void print_stages(const struct config *config, unsigned first, unsigned last)
{
    const struct job *job = &config->job;
    for (unsigned i = first; i < last; i++) {
        const struct stage *stage = job->stages[i].stage;
        print_entry(config, stage->name, stage->params, job->stages[i].params, &config->stages[i], true);
        print_when(config, i);
    }
}

void cli_print_config(const struct config *config)
{
    const struct job *job = &config->job;
    const unsigned trunk = job->tee ? job->trunk : job->stage_count;
    print_settings(config);
    bool any = job->stage_count > 0 || config->pools[0].place.source || job->tee;
    printf("stages:%s\n", any || job->pool_count > 1 ? "" : " []");
    for (unsigned i = 0; i < job->pool_count; i++) {
        print_pool(config, i);
        print_stages(config, job->pools[i].first, job->pools[i].last < trunk ? job->pools[i].last : trunk);
    }
    for (unsigned i = 0; job->tee && i < job->output_count; i++) {
        print_entry(config, "tee", config_tee_table(), &job->outputs[i].save, &config->tees[i], false);
        print_stages(config, job->outputs[i].first, job->outputs[i].last);
    }
}
