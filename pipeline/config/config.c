/* SPDX-License-Identifier: MIT */
/* The sources in the order in which each beats the ones before it: defaults, file, environment, flags. A
 * source never sees the others; what is wrong together is looked at when all have spoken. */
#include "pipeline/config/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/config/config_chain.h"
#include "pipeline/config/config_plan.h"
#include "pipeline/report/escape.h"

static size_t index_of(const struct param *setting)
{
    return (size_t)(setting - settings_table);
}

/* The keys "a|b|c" that a map may have, below "" or "save.". */
static void level_words(const char *prefix, char *words, size_t size)
{
    size_t used = 0, length = strlen(prefix);
    char group[64] = "";
    for (const struct param *setting = settings_table; setting->name && used < size; setting++) {
        if (strncmp(setting->name, prefix, length) != 0)
            continue;
        const char *key = setting->name + length;
        size_t key_length = strcspn(key, ".");
        if (key[key_length] && strlen(group) == key_length && strncmp(group, key, key_length) == 0)
            continue;
        snprintf(group, sizeof group, "%.*s", (int)key_length, key);
        used += (size_t)snprintf(words + used, size - used, "%s|", group);
    }
    if (used < size && !*prefix)
        snprintf(words + used, size - used, "stages");
    else if (used > 0 && used < size)
        words[used - 1] = '\0';
}

static bool is_group(const char *name)
{
    size_t length = strlen(name);
    for (const struct param *setting = settings_table; setting->name; setting++) {
        if (strncmp(setting->name, name, length) == 0 && setting->name[length] == '.')
            return true;
    }
    return false;
}

/* A source that speaks of a list for the first time replaces what lower ones said. */
static void claim(struct config *config, const struct param *setting, struct config_origin origin)
{
    struct config_origin *held = &config->origins[index_of(setting)];
    if (setting->type == PARAM_LIST && held->source != origin.source)
        param_free((const struct param[]){*setting, PARAM_END}, &config->job.settings);
    *held = origin;
}

static void file_value(struct config *config, const struct param *setting, const struct yaml_node *node)
{
    struct error error = {0};
    if (node->kind != YAML_SCALAR)
        diag_error_at(config->diag, node->place, "%s: wants one value, not a %s", setting->name,
                      node->kind == YAML_LIST ? "list" : "map");
    else if (config_yaml_is_null(node))
        diag_error_at(config->diag, node->key ? node->key->place : node->place, "%s: has no value",
                      setting->name);
    else if (param_parse(setting, node->text, &config->job.settings, &error) < 0)
        diag_reason_at(config->diag, node->place, &error);
}

static void file_setting(struct config *config, const struct param *setting, const struct yaml_node *node)
{
    unsigned line, column;
    diag_position(node->key->place, &line, &column);
    claim(config, setting, (struct config_origin){CONFIG_FILE, line, NULL});
    if (setting->type != PARAM_LIST || node->kind != YAML_LIST) {
        file_value(config, setting, node);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next)
        file_value(config, setting, item);
}

static void file_unknown(struct config *config, const struct yaml_node *node, const char *prefix,
                         const char *name)
{
    char words[2048], nearest[64];
    const char *key = node->key->text;
    if (!*prefix && param_find(settings_table, name)) {
        size_t group = strcspn(key, ".");
        diag_error_at(config->diag, node->key->place, "write '%s' as %.*s: {%s: ...}", key, (int)group, key,
                      key + group + 1);
        return;
    }
    level_words(prefix, words, sizeof words);
    const char *near = param_nearest(key, words, nearest, sizeof nearest);
    diag_error_at(config->diag, node->key->place, "unknown key '%.60s'%s%s%s", key,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    diag_allowed(config->diag, *prefix ? "keys here" : "keys", words);
}

static void file_map(struct config *config, const struct yaml_node *map, const char *prefix)
{
    for (const struct yaml_node *node = map->first; node; node = node->next) {
        char name[128];
        const char *key = node->key->text;
        snprintf(name, sizeof name, "%s%s", prefix, key);
        const struct param *setting = strlen(key) < 64 ? param_find(settings_table, name) : NULL;
        if (config_yaml_is_twice(node, config->diag))
            continue;
        if (!*prefix && strcmp(key, "stages") == 0)
            config_chain_from_yaml(config, node);
        else if (setting && !strchr(key, '.'))
            file_setting(config, setting, node);
        else if (!*prefix && is_group(key) && node->kind == YAML_MAP)
            file_map(config, node, strcat(name, "."));
        else if (!*prefix && is_group(key) && !config_yaml_is_null(node))
            diag_error_at(config->diag, node->place, "%s: wants a map of settings", key);
        else if (*prefix || !is_group(key))
            file_unknown(config, node, prefix, name);
    }
}

static void load_file(struct config *config, const char *path)
{
    if (config_yaml_read(&config->yaml, path, config->diag) < 0 || !config->yaml.root)
        return;
    const struct yaml_node *root = config->yaml.root;
    if (root->kind == YAML_MAP)
        file_map(config, root, "");
    else if (!config_yaml_is_null(root))
        diag_error_at(config->diag, root->place, "a config is a map of settings, like output: thumbs");
}

/* The reason without the name of the setting in front: the flag or variable stands there already. */
static void bare(struct diag *diag, const char *name, const struct param *setting, const struct error *error)
{
    size_t length = strlen(setting->name);
    bool named = strncmp(error->reason, setting->name, length) == 0 && error->reason[length] == ':';
    if (error->code == ERROR_MEMORY)
        diag_starve(diag);
    else
        diag_error(diag, "%s: %s", name, named ? error->reason + length + 2 : error->reason);
}

/* A variable that is nearly a setting's is taken for a slip. Others may belong to anything else. */
static void warn_of_slip(struct config *config, const char *variable, const char *names)
{
    char name[64], nearest[64];
    size_t length = strcspn(variable, "=");
    if (strncmp(variable, "FORKMILL_", 9) != 0 || length >= sizeof name)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(length - 9), variable + 9);
    const char *near = param_nearest(name, names, nearest, sizeof nearest);
    if (near && strcmp(near, name) != 0)
        diag_warning(config->diag, "FORKMILL_%s is not a setting; did you mean FORKMILL_%s?", name, near);
}

static void load_environment(struct config *config, char *const *environment)
{
    char names[2048];
    size_t used = 0;
    for (const struct param *setting = settings_table; setting->name; setting++) {
        char name[64];
        struct error error = {0};
        config_environment_name(setting, name, sizeof name);
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? "|" : "", name + 9);
        size_t length = strlen(name);
        for (char *const *variable = environment; *variable; variable++) {
            const char *value = *variable + length + 1;
            if (strncmp(*variable, name, length) != 0 || (*variable)[length] != '=' || !*value)
                continue;
            claim(config, setting, (struct config_origin){CONFIG_ENVIRONMENT, 0, NULL});
            if (param_parse(setting, value, &config->job.settings, &error) < 0)
                bare(config->diag, name, setting, &error);
        }
    }
    for (char *const *variable = environment; *variable; variable++)
        warn_of_slip(config, *variable, names);
}

static void load_flags(struct config *config, const struct config_flag *flags, size_t count)
{
    size_t stages = 0;
    for (size_t i = 0; i < count; i++)
        stages += flags[i].setting == NULL;
    if (stages > 0) {
        config_chain_clear(config);
        config->arguments = calloc(stages, sizeof *config->arguments);
        if (!config->arguments) {
            diag_starve(config->diag);
            return;
        }
    }
    stages = 0;
    for (size_t i = 0; i < count; i++) {
        const struct config_flag *flag = &flags[i];
        struct error error = {0};
        if (!flag->setting) {
            struct diag_source *argument = &config->arguments[stages++];
            *argument = (struct diag_source){flag->name, flag->value, strlen(flag->value), true};
            config_chain_from_flag(config, argument);
            continue;
        }
        claim(config, flag->setting, (struct config_origin){CONFIG_FLAG, 0, flag->name});
        if (param_parse(flag->setting, flag->value, &config->job.settings, &error) < 0)
            bare(config->diag, flag->name, flag->setting, &error);
    }
}

/* An error about a setting, at the place where it was given. */
static void setting_error(struct config *config, const char *name, const char *text)
{
    char from[512];
    const struct param *setting = param_find(settings_table, name);
    const struct config_origin *origin = &config->origins[index_of(setting)];
    diag_error(config->diag, "%s (%s): %s", name,
               config_origin_text(config, origin, setting, from, sizeof from), text);
}

/* A path that is given may not be empty, and not "-" where `pipe` says why. */
static void check_path(struct config *config, const char *name, const char *path, const char *pipe)
{
    if (path && !*path)
        setting_error(config, name, "an empty name");
    else if (path && pipe && strcmp(path, "-") == 0)
        setting_error(config, name, pipe);
}

/* An error whose text begins with the name of its setting. */
static void named_error(struct config *config, const char *text)
{
    char from[512];
    const struct param *setting = settings_table;
    size_t length = 0;
    for (; setting->name; setting++) {
        length = strlen(setting->name);
        if (strncmp(setting->name, text, length) == 0 && (text[length] == ' ' || text[length] == ':'))
            break;
    }
    if (!setting->name)
        diag_error(config->diag, "%s", text);
    else
        diag_error(
            config->diag, "%s (%s)%s", setting->name,
            config_origin_text(config, &config->origins[index_of(setting)], setting, from, sizeof from),
            text + length);
}

/* What the codecs say of `load` and `save`: else each of their files would fail by itself. */
static void check_codecs(struct config *config)
{
    const struct codec_limits limits = settings_limits(&config->job.settings);
    for (const struct codec *const *codec = codec_all(); *codec; codec++) {
        struct error error = {0};
        if ((*codec)->check_load && (*codec)->check_load(&limits, &error) < 0)
            named_error(config, error.reason);
        if ((*codec)->check_save && (*codec)->check_save(&config->job.settings.save, &error) < 0)
            named_error(config, error.reason);
    }
}

static void check_together(struct config *config)
{
    const struct settings *settings = &config->job.settings;
    const struct codec *const *codecs = codec_all();
    struct settings_stop stop;
    struct error error = {0};
    if (settings->max_failures && settings_stop_of(settings->max_failures, &stop, &error) < 0)
        setting_error(config, "max_failures", error.reason);
    check_path(config, "quarantine", settings->quarantine, NULL);
    check_path(config, "trace", settings->trace, NULL);
    if (settings->null_separated && !settings->files_from)
        setting_error(config, "null", "it says how files_from is separated, which is not given");
    check_path(config, "files_from", settings->files_from, NULL);
    check_path(config, "output", settings->output,
               "outputs are files, not a pipe; a directory called - is ./-");
    for (size_t i = 0; i < settings->inputs.count; i++)
        check_path(
            config, "input", settings->inputs.texts[i],
            "inputs are files, not a pipe; --files-from - reads their names, and a file called - is ./-");
    const struct codec *format = settings->save.format > 0 ? codecs[settings->save.format - 1] : NULL;
    const bool jpeg = format && strcmp(format->name, "jpeg") == 0;
    if (settings->save.interlace && format && !jpeg && strcmp(format->name, "png") != 0)
        setting_error(config, "save.interlace",
                      "only png and jpeg can be interlaced; drop it or set save.format");
    if (settings->save.subsampling != SUBSAMPLING_AUTO && format && !jpeg)
        setting_error(config, "save.subsampling", "only jpeg has it; drop it or set save.format");
    if (settings->save.reduce && format && strcmp(format->name, "png") != 0)
        setting_error(config, "save.reduce", "only png is reduced; drop it or set save.format");
    check_codecs(config);
}

static void check_plan(struct config *config)
{
    struct error error = {0};
    unsigned stage = 0;
    if (config_plan(&config->job, &stage, &error) == 0)
        return;
    if (stage < config->job.stage_count)
        diag_error_at(config->diag, config->stages[stage].place, "no item can pass: %s: %s", error.stage,
                      error.reason);
    else if (stage > 0)
        diag_error_at(config->diag, config->stages[stage - 1].place, "what comes out cannot be saved: %s",
                      error.reason);
    else
        diag_error(config->diag, "no item can be saved: %s", error.reason);
}

static bool is_given(const struct config *config, const char *setting)
{
    return config->origins[index_of(param_find(settings_table, setting))].source != CONFIG_DEFAULT;
}

int config_load(struct config *config, const char *path, char *const *environment,
                const struct config_flag *flags, size_t flag_count, struct diag *diag)
{
    *config = (struct config){.diag = diag};
    struct job *job = &config->job;
    unsigned before = diag->errors;
    if (param_defaults(settings_table, &job->settings) < 0)
        diag_starve(diag);
    config_chain_clear(config);
    if (path)
        load_file(config, path);
    load_environment(config, environment);
    load_flags(config, flags, flag_count);
    config_chain_finish(config);
    if (diag->errors == 0)
        check_together(config);
    if (diag->errors == 0)
        config_outputs_finish(config);
    if (diag->errors == 0)
        check_plan(config);

    job->own_memory = is_given(config, "memory");
    job->own_queue = is_given(config, "queue");
    job->own_batch = is_given(config, "batch");
    const struct param *workers = param_find(settings_table, "workers");
    config_origin_text(config, &config->origins[index_of(workers)], workers, job->workers_from,
                       sizeof job->workers_from);
    return diag->errors == before ? 0 : ERROR_USAGE;
}

int config_require(struct config *config)
{
    const struct settings *settings = &config->job.settings;
    bool input = settings->inputs.count > 0 || settings->files_from;
    if (input && settings->output)
        return 0;
    diag_error(config->diag, "%s; for example: forkmill run -i photos -o thumbs -s resize:width=800",
               input              ? "no output is given"
               : settings->output ? "no input is given"
                                  : "no input and no output is given");
    return ERROR_USAGE;
}

/* Room behind a file's name for a colon and a line number. */
#define LINE_ROOM 12

const char *config_origin_text(const struct config *config, const struct config_origin *origin,
                               const struct param *setting, char *text, size_t size)
{
    const char *name = config->yaml.source.name;
    snprintf(text, size, "default");
    if (origin->source == CONFIG_FILE) {
        const char *slash = name ? strrchr(name, '/') : NULL;
        const char *shown = slash ? slash + 1 : name ? name : "";
        escape_text(shown, text, size > LINE_ROOM ? size - LINE_ROOM : size);
        size_t used = strlen(text);
        snprintf(text + used, size - used, ":%u", origin->line);
    } else if (origin->source == CONFIG_ENVIRONMENT && setting) {
        config_environment_name(setting, text, size);
    } else if (origin->source == CONFIG_FLAG) {
        escape_text(origin->flag_name, text, size);
    }
    return text;
}

void config_environment_name(const struct param *setting, char *name, size_t size)
{
    snprintf(name, size, "FORKMILL_%s", setting->name);
    for (; *name; name++)
        *name = *name == '.' ? '_' : (char)toupper((unsigned char)*name);
}

void config_flag_name(const struct param *setting, char *name, size_t size)
{
    snprintf(name, size, "--%s", setting->name);
    for (; *name; name++)
        *name = *name == '.' || *name == '_' ? '-' : *name;
}

void config_free(struct config *config)
{
    job_free(&config->job);
    config_yaml_free(&config->yaml);
    free(config->arguments);
    *config = (struct config){0};
}
