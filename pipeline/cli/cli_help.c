/* SPDX-License-Identifier: MIT */
/* --help and the manual page, from the tables. */
#include <stdint.h>
#include <string.h>

#include "pipeline/cli/cli.h"

static const struct {
    enum cli_command command;
    const char *name, *usage, *summary, *details;
} commands[] = {
    {CLI_RUN, "run", "[CONFIG] [-i PATH]... [-o DIR] [-w N] [-s STAGE[:key=value,...]]...",
     "Process every input and write the tree of outputs",
     "CONFIG is a YAML file; - is standard input. Each setting below is a key of it, a flag, and a "
     "FORKMILL_ variable in capitals (FORKMILL_SAVE_LEVEL). A flag beats a variable, a variable beats the "
     "file, the file beats the default. A list from a higher source replaces the whole list of a lower one; "
     "a flag for a list may be given more than once."},
    {CLI_BENCH, "bench", "[CONFIG] [-i PATH]... [-s STAGE[:key=value]]... [--engines LIST] [--html FILE]",
     "Run one job with each engine and number of workers, and say which to use",
     "Takes what run takes. Each run is a process of its own; the engines take turns, their outputs go to a "
     "temporary directory (beside -o where that is given, else in TMPDIR), must be equal, and are removed. "
     "The table and the verdict go to standard output."},
    {CLI_REPORT, "report", "OUTPUT [--failed] [--json] [--html FILE]",
     "Say what became of each input, from the journal in an output directory",
     "Also while a run is at work, and after one was killed. Exit code 3 when there is no journal."},
    {CLI_STAGES, "stages", "[NAME] [--json]", "List the stages, or show the parameters of one", ""},
    {CLI_CHECK, "check", "CONFIG", "Say whether a config is right, and what is wrong with it",
     "All errors are shown at once. Flags and FORKMILL_ variables are left out of it."},
    {CLI_DOCTOR, "doctor", "[--json]", "Say what the machine has and whether a default run works on it",
     "Exit code 1 when it would not."},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

const char *cli_command_name(size_t index, enum cli_command *command)
{
    if (index >= COMMAND_COUNT)
        return NULL;
    *command = commands[index].command;
    return commands[index].name;
}

static const char *const exit_codes[][2] = {
    {"0", "All items are done, or rightly skipped"},
    {"1", "Some items failed, now or in an earlier run; doctor: a default run would not work"},
    {"2", "Usage or config; nothing was started"},
    {"3", "No input matched"},
    {"4", "Stopped by max_failures"},
    {"5", "The environment failed, as a full output disk does"},
    {"75",
     "Not enough memory, shared memory or descriptors to start, or another run is at work on the output"},
    {"129, 130, 143", "Hung up, interrupted, terminated: items in hand were finished"},
};

static const char example[] = "forkmill run -i photos -o thumbs -s resize:width=800,height=600";

/* "-w, --workers N" */
static void setting_flags(const struct param *setting, char *text, size_t size)
{
    static const char *const values[] = {
        [PARAM_INT] = "N",     [PARAM_REAL] = "X",        [PARAM_CHOICE] = "WORD",   [PARAM_BYTES] = "SIZE",
        [PARAM_COUNT] = "N",   [PARAM_DURATION] = "TIME", [PARAM_COLOUR] = "COLOUR", [PARAM_TEXT] = "PATH",
        [PARAM_LIST] = "PATH", [PARAM_BOOL] = "",         [PARAM_FILE] = "PATH",
    };
    char name[64], letter = cli_letter(setting);
    config_flag_name(setting, name, sizeof name);
    /* What is on by default is changed by its negation only. */
    bool no = setting->type == PARAM_BOOL && setting->initial && strcmp(setting->initial, "true") == 0;
    bool named = *setting->unit && (setting->type == PARAM_TEXT || setting->type == PARAM_LIST);
    const char *value = named ? setting->unit : values[setting->type];
    snprintf(text, size, "%c%c%s%s%s%s%s", letter ? '-' : ' ', letter ? letter : ' ', letter ? ", " : "  ",
             no ? "--[no-]" : "", no ? name + 2 : name, *value ? " " : "", value);
}

/* "Colour ... (1 to 9; default 4)" */
static void setting_help(const struct param *setting, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", setting->help);
    const char *open = " (";
    if (setting->choices && used < size) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", open, setting->choices);
        open = "; ";
    }
    if ((setting->min != 0 || setting->max != 0) &&
        (setting->type == PARAM_INT || setting->type == PARAM_REAL) && used < size) {
        used +=
            (size_t)snprintf(text + used, size - used, "%s%.15g to %.15g", open, setting->min, setting->max);
        open = "; ";
    }
    if (setting->initial && used < size) {
        used += (size_t)snprintf(text + used, size - used, "%sdefault %s", open, setting->initial);
        open = "; ";
    }
    if (*open == ';' && used < size)
        snprintf(text + used, size - used, ")");
}

static void switch_flags(const struct cli_switch *one, char *text, size_t size)
{
    snprintf(text, size, "%c%c%s--%s%s%s", one->letter ? '-' : ' ', one->letter ? one->letter : ' ',
             one->letter ? ", " : "  ", one->name, one->value ? " " : "", one->value ? one->value : "");
}

/* Words of `text` in lines of at most 100 columns, the first of which starts at `column`. */
static void print_wrapped(const char *text, int column, int indent)
{
    for (const char *space = ""; *text; space = " ") {
        size_t length = strcspn(text, " ");
        if (*space && column + 1 + (int)length > 100) {
            column = printf("\n%*s", indent, "") - 1;
            space = "";
        }
        column += printf("%s%.*s", space, (int)length, text);
        text += length;
        text += *text == ' ';
    }
    putchar('\n');
}

static void print_flag(const char *flags, const char *help)
{
    int column = printf(strlen(flags) > 30 ? "  %s" : "  %-30s ", flags);
    if (strlen(flags) > 30)
        column = printf("\n%33s", "") - 1;
    print_wrapped(help, column, 33);
}

bool cli_hides(enum cli_command command, const struct param *setting)
{
    for (const struct cli_switch *one = cli_switches; one->name; one++) {
        if ((one->commands & command) && strcmp(one->name, setting->name) == 0)
            return true;
    }
    return false;
}

static void print_settings(enum cli_command command)
{
    char flags[128], help[512];
    for (const struct param *setting = settings_table; setting->name; setting++) {
        if (cli_hides(command, setting))
            continue;
        setting_flags(setting, flags, sizeof flags);
        setting_help(setting, help, sizeof help);
        print_flag(flags, help);
    }
}

void cli_help_command(enum cli_command command)
{
    char flags[128];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].command != command)
            continue;
        printf("usage: forkmill %s %s\n\n%s.\n", commands[i].name, commands[i].usage, commands[i].summary);
        if (*commands[i].details)
            print_wrapped(commands[i].details, 0, 0);
    }
    if (command == CLI_RUN)
        printf("\n  %s\n", example);
    if (command == CLI_RUN || command == CLI_BENCH) {
        printf("\nsettings:\n");
        print_settings(command);
    }
    printf("\nflags:\n");
    for (const struct cli_switch *one = cli_switches; one->name; one++) {
        if (!(one->commands & command))
            continue;
        switch_flags(one, flags, sizeof flags);
        print_flag(flags, one->help);
    }
}

void cli_help(void)
{
    printf("forkmill %s batch-processes directories of images and numeric arrays through configurable "
           "stages.\n\n",
           FORKMILL_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("%s forkmill %s %s\n", i ? "      " : "usage:", commands[i].name, commands[i].usage);
    printf("       forkmill --help | --version\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].summary);
    printf("\nexample: %s\n\nforkmill COMMAND --help says more. Exit codes:\n", example);
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        printf("  %-13s %s\n", exit_codes[i][0], exit_codes[i][1]);
}

/* Text for troff (man(7)): backslashes and hyphens escaped, no line that starts with a control character. */
static void print_troff(const char *text)
{
    if (*text == '.' || *text == '\'')
        printf("\\&");
    for (; *text; text++) {
        if (*text == '\\')
            printf("\\e");
        else if (*text == '-')
            printf("\\-");
        else
            putchar(*text);
    }
    putchar('\n');
}

static void man_item(const char *term, const char *text)
{
    printf(".TP\n.B ");
    print_troff(term + strspn(term, " "));
    print_troff(text);
}

static void man_settings(void)
{
    char flags[128], help[512];
    printf(".SH SETTINGS\n");
    for (const struct param *setting = settings_table; setting->name; setting++) {
        setting_flags(setting, flags, sizeof flags);
        setting_help(setting, help, sizeof help);
        man_item(flags, help);
    }
    for (int bench = 0; bench < 2; bench++) {
        printf(bench ? ".SH \"FLAGS OF BENCH\"\n" : ".SH FLAGS\n");
        for (const struct cli_switch *one = cli_switches; one->name; one++) {
            if ((one->commands == CLI_BENCH) != bench)
                continue;
            switch_flags(one, flags, sizeof flags);
            man_item(flags, one->help);
        }
    }
}

void cli_man_page(void)
{
    printf(".TH FORKMILL 1 \"\" \"forkmill %s\"\n.SH NAME\nforkmill \\- ", FORKMILL_VERSION);
    printf("batch\\-process directories of images and numeric arrays through configurable stages\n.SH "
           "SYNOPSIS\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("%s.B forkmill %s\n", i ? ".br\n" : "", commands[i].name);
        print_troff(commands[i].usage);
    }
    printf(".SH COMMANDS\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf(".TP\n.B %s\n%s.\n", commands[i].name, commands[i].summary);
        if (*commands[i].details)
            print_troff(commands[i].details);
    }
    man_settings();
    printf(".SH STAGES\n");
    for (const struct stage *const *stage = stage_all(); *stage; stage++)
        man_item((*stage)->name, (*stage)->summary);
    printf(".SH \"EXIT STATUS\"\n");
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        man_item(exit_codes[i][0], exit_codes[i][1]);
    printf(".SH EXAMPLE\n");
    print_troff(example);
}
