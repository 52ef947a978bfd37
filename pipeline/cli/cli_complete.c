/* SPDX-License-Identifier: MIT */
/* The completion script for bash, from the tables: it holds all words itself and never asks the program.
 * Where it has none to offer, as for paths, bash completes names of files. */
#include <stdio.h>
#include <string.h>

#include "pipeline/cli/cli.h"
#include "pipeline/config/config_chain.h"

/* Words "a|b|c" with blanks between. */
static void print_words(const char *words)
{
    for (; *words; words++)
        putchar(*words == '|' ? ' ' : *words);
}

static void print_stages(void)
{
    for (const struct stage *const *stage = stage_all(); *stage; stage++)
        printf("%s ", (*stage)->name);
    printf("pool tee");
}

static void print_commands(void)
{
    enum cli_command command;
    for (size_t i = 0; cli_command_name(i, &command); i++)
        printf("%s ", cli_command_name(i, &command));
}

/* The flags of a command. */
static void print_flags(enum cli_command command)
{
    char name[64];
    for (const struct cli_switch *one = cli_switches; one->name; one++) {
        if (one->commands & command)
            printf(" --%s", one->name);
    }
    for (const struct param *setting = settings_table; setting->name; setting++) {
        if (!(command & (CLI_RUN | CLI_BENCH)) || cli_hides(command, setting))
            continue;
        config_flag_name(setting, name, sizeof name);
        const bool on = setting->type == PARAM_BOOL && strcmp(setting->initial, "true") == 0;
        printf(" --%s%s", on ? "no-" : "", name + 2);
    }
}

/* What may follow a flag. */
static void print_values(void)
{
    char name[64];
    printf("    case $before in\n    -s | --stage) words='");
    print_stages();
    printf("' ;;\n");
    for (const struct param *setting = settings_table; setting->name; setting++) {
        if (!setting->choices)
            continue;
        config_flag_name(setting, name, sizeof name);
        printf("    %s) words='", name);
        print_words(setting->choices);
        printf("' ;;\n");
    }
    printf("    *) words= ;;\n    esac\n");
}

void cli_completion(void)
{
    enum cli_command command;
    printf("# Completion of forkmill %s for bash, as forkmill --help-bash writes it.\n"
           "_forkmill() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words\n"
           "    # bash takes --engine=thread for three words\n"
           "    [ \"$word\" != = ] || word=\n"
           "    [ \"$before\" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}\n",
           FORKMILL_VERSION);
    print_values();
    printf("    if [ \"$COMP_CWORD\" -eq 1 ] || [ \"${COMP_WORDS[1]} $COMP_CWORD\" = 'help 2' ]; then\n"
           "        words='");
    print_commands();
    printf("help version --help --version'\n"
           "    elif [ -z \"$words\" ]; then\n"
           "        case ${COMP_WORDS[1]} in\n"
           "        stages) words='");
    print_stages();
    printf(" when' ;;\n        esac\n"
           "        if [ \"${word:0:1}\" = - ]; then\n"
           "            case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; cli_command_name(i, &command); i++) {
        printf("            %s) words='", cli_command_name(i, &command));
        print_flags(command);
        printf("' ;;\n");
    }
    printf("            esac\n"
           "        fi\n"
           "    fi\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -o default -F _forkmill forkmill\n");
}
