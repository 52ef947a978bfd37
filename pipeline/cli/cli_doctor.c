/* SPDX-License-Identifier: MIT */
#include "pipeline/cli/cli.h"

#include <jansson.h>
#include <string.h>

#include "pipeline/report/escape.h"
#include "pipeline/run/doctor.h"

static void print_text(const struct doctor *doctor)
{
    static const char *const marks[] = {
        [DOCTOR_FACT] = "", [DOCTOR_WARNING] = "warning: ", [DOCTOR_PROBLEM] = "problem: "};
    const char *group = "";
    char safe[1100];
    for (unsigned i = 0; i < doctor->count; i++) {
        const struct doctor_fact *fact = &doctor->facts[i];
        if (strcmp(group, fact->group) != 0)
            printf("%s%s\n", *group ? "\n" : "", fact->group);
        group = fact->group;
        printf("  %-16s %s%s\n", fact->name, marks[fact->verdict],
               escape_text(fact->text, safe, sizeof safe));
    }
    if (doctor->problems)
        printf("\nA run with default settings would not work here.\n");
    else
        printf("\nA run with default settings works here.\n");
}

/* {"works": true, "facts": {"cpu": {"online": {"value": 2, "text": "2", "verdict": "fact"}, ...}, ...}} */
static int print_json(const struct doctor *doctor)
{
    static const char *const verdicts[] = {
        [DOCTOR_FACT] = "fact", [DOCTOR_WARNING] = "warning", [DOCTOR_PROBLEM] = "problem"};
    char safe[1100];
    json_t *facts = json_object();
    for (unsigned i = 0; i < doctor->count; i++) {
        const struct doctor_fact *fact = &doctor->facts[i];
        json_t *group = json_object_get(facts, fact->group), *object = json_object();
        if (!group) {
            group = json_object();
            json_object_set_new(facts, fact->group, group);
        }
        json_object_set_new(object, "value", fact->numeric ? json_integer(fact->number) : json_null());
        json_object_set_new(object, "text", json_string(escape_text(fact->text, safe, sizeof safe)));
        json_object_set_new(object, "verdict", json_string(verdicts[fact->verdict]));
        json_object_set_new(group, fact->name, object);
    }
    json_t *root = json_pack("{s:b, s:i, s:i, s:o}", "works", doctor->problems == 0, "problems",
                             (int)doctor->problems, "warnings", (int)doctor->warnings, "facts", facts);
    int code = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0 ? EXIT_DONE : EXIT_FATAL;
    putchar('\n');
    json_decref(root);
    return code;
}

int cli_doctor(int argc, char **argv)
{
    struct diag diag = {0};
    struct cli_args args;
    int code = EXIT_DONE;
    bool usage = cli_args_parse(&args, CLI_DOCTOR, argc, argv, &diag) < 0;
    if (args.help) {
        cli_help_command(CLI_DOCTOR);
    } else if (usage) {
        code = cli_show(&diag, "forkmill doctor --help");
    } else {
        static struct doctor doctor;
        doctor_look(&doctor);
        if (args.json)
            code = print_json(&doctor);
        else
            print_text(&doctor);
        if (code == EXIT_DONE && doctor.problems)
            code = EXIT_FAILED_ITEMS;
    }
    cli_args_free(&args);
    diag_free(&diag);
    return code;
}
