/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/config/config_chain.h"

static bool ranged(const struct param *param)
{
    return param->min != 0 || param->max != 0;
}

static json_t *json_words(const char *words)
{
    json_t *list = json_array();
    for (; words && *words; words += strcspn(words, "|"), words += *words == '|')
        json_array_append_new(list, json_stringn(words, strcspn(words, "|")));
    return list;
}

static json_t *json_param(const struct param *param)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(param->name));
    json_object_set_new(object, "type", json_string(param_type_name(param->type)));
    json_object_set_new(object, "required", json_boolean(param_required(param)));
    json_object_set_new(object, "default", param->initial ? json_string(param->initial) : json_null());
    if (ranged(param)) {
        json_object_set_new(object, "min", json_real(param->min));
        json_object_set_new(object, "max", json_real(param->max));
    }
    if (param->choices)
        json_object_set_new(object, "choices", json_words(param->choices));
    json_object_set_new(object, "unit", json_string(param->unit));
    json_object_set_new(object, "help", json_string(param->help));
    return object;
}

static json_t *json_samples(unsigned accepts)
{
    json_t *list = json_array();
    for (uint8_t i = 0; i < SAMPLE_COUNT; i++) {
        if (accepts & (1u << i))
            json_array_append_new(list, json_string(shape_sample_name(i)));
    }
    return list;
}

static json_t *json_stage(const struct stage *stage)
{
    json_t *object = json_object(), *params = json_array();
    json_object_set_new(object, "name", json_string(stage->name));
    json_object_set_new(object, "group", json_string(stage->group));
    json_object_set_new(object, "summary", json_string(stage->summary));
    json_object_set_new(object, "images", json_samples(stage->accepts));
    json_object_set_new(object, "arrays", json_samples(stage->arrays));
    json_object_set_new(object, "records", json_boolean(stage->records));
    for (const struct param *param = stage->params; param->name; param++)
        json_array_append_new(params, json_param(param));
    json_object_set_new(object, "parameters", params);
    return object;
}

static void print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    putchar('\n');
    json_decref(value);
}

static void print_all(void)
{
    const char *group = "";
    for (const struct stage *const *stage = stage_all(); *stage; stage++) {
        if (strcmp(group, (*stage)->group) != 0)
            printf("%s%s\n", *group ? "\n" : "", (*stage)->group);
        group = (*stage)->group;
        printf("  %-12s %s\n", (*stage)->name, (*stage)->summary);
    }
    printf("\nIn a chain, pool: {name, workers, queue, recycle} gives the stages after it their own workers, "
           "and\n"
           "tee: {name, ...} makes an output of what follows. when: {glob, kind, min_width, ...} in any "
           "stage leaves\n"
           "items out of it.\n"
           "forkmill stages NAME shows the parameters of one.\n");
}

static void print_param(const struct param *param)
{
    printf("  %s  (%s", param->name, param_type_name(param->type));
    if (ranged(param))
        printf(", %.15g to %.15g", param->min, param->max);
    if (*param->unit)
        printf(" %s", param->unit);
    if (param->choices)
        printf(", %s%s", ranged(param) || param->type == PARAM_COLOUR ? "or " : "", param->choices);
    if (param->initial)
        printf(", default %s", param->initial);
    else if (param_required(param))
        printf(", must be given");
    printf(")\n      %s\n", param->help);
}

static void print_samples(const char *kind, unsigned accepts)
{
    if (accepts)
        printf("works on %s:", kind);
    for (uint8_t i = 0, count = 0; i < SAMPLE_COUNT; i++) {
        if (accepts & (1u << i))
            printf("%s %s", count++ ? "," : "", shape_sample_name(i));
    }
    if (accepts)
        putchar('\n');
}

static void print_one(const struct stage *stage)
{
    printf("%s: %s\n", stage->name, stage->summary);
    print_samples("images", stage->accepts);
    print_samples("arrays", stage->arrays);
    printf("parameters:%s\n", stage->params->name ? "" : " none");
    for (const struct param *param = stage->params; param->name; param++)
        print_param(param);
}

/* The stage that was asked for, or NULL with the error reported. */
static const struct stage *find(const char *name, struct diag *diag)
{
    char words[2048], nearest[64];
    size_t used = 0;
    const struct stage *found = stage_find(name);
    if (found)
        return found;
    for (const struct stage *const *stage = stage_all(); *stage && used < sizeof words; stage++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used ? "|" : "", (*stage)->name);
    const char *near = stage_nearest(name, words, nearest, sizeof nearest);
    diag_error(diag, "unknown stage '%.60s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
               near ? "'?" : "");
    diag_allowed(diag, "stages", words);
    return NULL;
}

static void print(const struct cli_args *args, const struct stage *stage)
{
    if (stage && args->json) {
        print_json(json_stage(stage));
    } else if (args->json) {
        json_t *list = json_array();
        for (const struct stage *const *each = stage_all(); *each; each++)
            json_array_append_new(list, json_stage(*each));
        print_json(list);
    } else if (stage) {
        print_one(stage);
    } else {
        print_all();
    }
}

/* What is no stage and stands in a chain all the same. */
static bool print_marker(const char *name)
{
    static const struct {
        const char *name, *summary;
        const struct param *(*table)(void);
    } markers[] = {
        {"pool", "Gives the stages after it workers and a queue of their own", config_pool_table},
        {"tee", "Makes an output of the stages after it; takes what save takes, but for recompress",
         config_tee_table},
        {"when", "In any stage: leaves items out of it. All that is given must hold", job_when_params},
    };
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++) {
        if (strcmp(markers[i].name, name) != 0)
            continue;
        printf("%s: %s\nparameters:\n", name, markers[i].summary);
        for (const struct param *param = markers[i].table(); param->name; param++)
            print_param(param);
        return true;
    }
    return false;
}

int cli_stages(int argc, char **argv)
{
    struct diag diag = {0};
    struct cli_args args;
    const struct stage *stage = NULL;
    int code = EXIT_DONE;
    cli_args_parse(&args, CLI_STAGES, argc, argv, &diag);
    bool marker =
        diag.errors == 0 && !args.help && args.word_count > 0 && !args.json && print_marker(args.words[0]);
    if (diag.errors == 0 && args.word_count > 0 && !marker)
        stage = find(args.words[0], &diag);
    if (args.help)
        cli_help_command(CLI_STAGES);
    else if (diag.errors == 0 && !marker)
        print(&args, stage);
    else if (!marker)
        code = cli_show(&diag, "forkmill stages --help");
    cli_args_free(&args);
    diag_free(&diag);
    return code;
}
