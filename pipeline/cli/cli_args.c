/* SPDX-License-Identifier: MIT */
/* Flags come from two tables, the settings and the switches, so getopt_long, which knows names at compile
 * time and prints by itself, is not used. As usual: --name value, --name=value, -n value, -nvalue, -qv, and
 * -- ends the flags. Names may not be shortened: a later version's new setting would make them ambiguous. */
#include "pipeline/cli/cli_args.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stages/error.h"
#include "stages/stage.h"

#define AT(field) offsetof(struct cli_args, field)

const struct cli_switch cli_switches[] = {
    {"engines", '\0', AT(bench.engines), CLI_BENCH, "LIST",
     "Engines to compare, separated by commas; default: all that this build has"},
    {"workers", 'w', AT(bench.workers), CLI_BENCH, "LIST",
     "Numbers of workers to compare, as in 1,2,4; default: 1 and what the config says"},
    {"repeat", '\0', AT(bench.repeat), CLI_BENCH, "N", "Counted runs of each (1 to 1000; default 5)"},
    {"warmup", '\0', AT(bench.warmup), CLI_BENCH, "N",
     "Runs of each before those, in which memory is sampled (0 to 100; default 1)"},
    {"cache", '\0', AT(bench.cache), CLI_BENCH, "WORD",
     "cold: drop the inputs from the page cache before each run (warm|cold; default warm)"},
    {"json", '\0', AT(json_file), CLI_BENCH, "FILE", "Write the result as JSON; - is standard output"},
    {"html", '\0', AT(html_file), CLI_BENCH, "FILE", "Write the result as a page with charts"},
    {"failed", '\0', AT(failed), CLI_REPORT, NULL, "Only the items that failed, a line each, or with --json"},
    {"html", '\0', AT(html_file), CLI_REPORT, "FILE", "Write a page with all of it"},
    {"stage", 's', SIZE_MAX, CLI_RUN | CLI_BENCH, "NAME[:key=value,...]",
     "A stage of the chain, or pool to cut it; all together they replace the config's stages"},
    {"set", '\0', SIZE_MAX, CLI_RUN | CLI_BENCH, "NAME=VALUE", "Any setting by the name a config has for it"},
    {"print-config", '\0', AT(print_config), CLI_RUN, NULL,
     "Show each setting and where it came from, as a config, and stop"},
    {"dry-run", '\0', AT(dry_run), CLI_RUN, NULL, "Say what would be done and do nothing"},
    {"retry-failed", '\0', AT(retry_failed), CLI_RUN, NULL,
     "Try items again that failed in an earlier run, though neither they nor the config have changed"},
    {"force", '\0', AT(force), CLI_RUN, NULL, "Do all items, whatever an earlier run has done"},
    {"json", '\0', AT(json), CLI_RUN | CLI_STAGES | CLI_DOCTOR | CLI_REPORT, NULL,
     "Report as JSON on standard output"},
    {"quiet", 'q', AT(quiet), CLI_RUN | CLI_BENCH, NULL, "Say only what went wrong"},
    {"verbose", 'v', AT(verbose), CLI_RUN | CLI_BENCH, NULL, "Say more"},
    {"help", 'h', AT(help), CLI_RUN | CLI_STAGES | CLI_CHECK | CLI_BENCH | CLI_DOCTOR | CLI_REPORT, NULL,
     "This text"},
    {NULL, '\0', 0, 0, NULL, NULL},
};

/* What a flag turned out to be. */
struct flag {
    const struct param *setting; /* one of the two, or neither */
    const struct cli_switch *one;
    bool negated;  /* --no-... */
    char name[32]; /* as it was written */
};

struct parser {
    struct cli_args *args;
    enum cli_command command;
    struct diag *diag;
    char **argv;
    int argc, at;
    bool misplaced; /* a word that has no place was reported: what follows may be hundreds of its kind */
};

char cli_letter(const struct param *setting)
{
    static const char letters[] = "iinput\0ooutput\0wworkers\0"
                                  "0null\0";
    for (const char *entry = letters; *entry; entry += strlen(entry) + 1) {
        if (strcmp(entry + 1, setting->name) == 0)
            return *entry;
    }
    return '\0';
}

/* Does the command take the settings as flags? */
static bool takes_settings(enum cli_command command)
{
    return command == CLI_RUN || command == CLI_BENCH;
}

static bool names_setting(const struct param *setting, const char *name)
{
    char flag[64];
    config_flag_name(setting, flag, sizeof flag);
    return strcmp(flag + 2, name) == 0;
}

static bool find_long(enum cli_command command, const char *name, struct flag *flag)
{
    for (const struct cli_switch *one = cli_switches; one->name; one++) {
        if ((one->commands & command) && strcmp(one->name, name) == 0) {
            flag->one = one;
            return true;
        }
    }
    bool no = strncmp(name, "no-", 3) == 0;
    for (const struct param *setting = settings_table; takes_settings(command) && setting->name; setting++) {
        if (names_setting(setting, name) ||
            (no && setting->type == PARAM_BOOL && names_setting(setting, name + 3))) {
            flag->setting = setting;
            flag->negated = !names_setting(setting, name);
            return true;
        }
    }
    return false;
}

static bool find_letter(enum cli_command command, char letter, struct flag *flag)
{
    for (const struct cli_switch *one = cli_switches; one->name; one++) {
        if ((one->commands & command) && one->letter == letter) {
            flag->one = one;
            return true;
        }
    }
    for (const struct param *setting = settings_table; takes_settings(command) && setting->name; setting++) {
        if (cli_letter(setting) == letter) {
            flag->setting = setting;
            return true;
        }
    }
    return false;
}

/* The flag that ends as the word does: --save-format for --format. NULL: none. */
static const char *same_ending(const char *word, const char *words, char *found, size_t size)
{
    size_t length = strlen(word);
    for (const char *next; words; words = next) {
        size_t word_length = strcspn(words, "|");
        next = words[word_length] ? words + word_length + 1 : NULL;
        if (length > 3 && word_length > length && word_length < size &&
            strncmp(words + word_length - length + 1, word + 1, length - 1) == 0) {
            snprintf(found, size, "%.*s", (int)word_length, words);
            return found;
        }
    }
    return NULL;
}

/* Elsewhere an operation or what it takes is a flag: "-resize 800x600", "--width 800". */
static bool report_stage(struct parser *parser, const char *word)
{
    const char *name = word + strspn(word, "-");
    const struct stage *stage = takes_settings(parser->command) ? stage_find(name) : NULL;
    if (stage) {
        const char *first = stage->params->name;
        diag_error(parser->diag, "unknown flag '%.80s'; %s is a stage, and -s adds it: -s %s%s%s%s", word,
                   name, name, first ? ":" : "", first ? first : "", first ? "=..." : "");
        return true;
    }
    for (const struct stage *const *each = stage_all(); takes_settings(parser->command) && *each; each++) {
        if (!param_find((*each)->params, name))
            continue;
        diag_error(parser->diag, "unknown flag '%.80s'; stages take it, as in -s %s:%s=...", word,
                   (*each)->name, name);
        return true;
    }
    return false;
}

/* What other tools call it. */
static bool report_guess(struct parser *parser, const char *word)
{
    static const struct {
        unsigned commands;
        const char *words, *says;
    } guesses[] = {
        {CLI_RUN | CLI_BENCH, "|-j|--jobs|--threads|--processes|--parallel|", "did you mean -w, --workers?"},
        {CLI_RUN, "|--overwrite|--clobber|", "did you mean '--force'?"},
        {CLI_RUN, "|--resume|--continue|", "the same command again does what is left"},
        {CLI_RUN, "|--retry|", "did you mean '--retry-failed'?"},
    };
    char key[32];
    snprintf(key, sizeof key, "|%.*s|", word[1] == '-' ? 24 : 2, word); /* -j4 is -j */
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        if ((guesses[i].commands & parser->command) && strstr(guesses[i].words, key)) {
            diag_error(parser->diag, "unknown flag '%.80s'; %s", word, guesses[i].says);
            return true;
        }
    }
    return false;
}

static void report_unknown(struct parser *parser, const char *word)
{
    if (report_stage(parser, word) || report_guess(parser, word))
        return;
    char words[4096], nearest[64], name[64];
    size_t used = 0;
    *words = '\0';
    for (const struct cli_switch *one = cli_switches; one->name; one++) {
        if (one->commands & parser->command)
            used += (size_t)snprintf(words + used, sizeof words - used, "%s--%s", used ? "|" : "", one->name);
    }
    for (const struct param *setting = settings_table; takes_settings(parser->command) && setting->name;
         setting++) {
        config_flag_name(setting, name, sizeof name);
        used += (size_t)snprintf(words + used, sizeof words - used, "|%s", name);
        if (setting->type == PARAM_BOOL)
            used += (size_t)snprintf(words + used, sizeof words - used, "|--no-%s", name + 2);
    }
    const char *near = param_nearest(word, words, nearest, sizeof nearest);
    if (!near)
        near = same_ending(word, words, nearest, sizeof nearest);
    diag_error(parser->diag, "unknown flag '%.80s'%s%s%s", word, near ? "; did you mean '" : "",
               near ? near : "", near ? "'?" : "");
}

static void add_flag(struct parser *parser, const struct param *setting, const char *name, const char *value)
{
    struct cli_args *args = parser->args;
    struct config_flag *flags = realloc(args->flags, (args->flag_count + 1) * sizeof *flags);
    if (!flags) {
        diag_starve(parser->diag);
        return;
    }
    args->flags = flags;
    struct config_flag *flag = &flags[args->flag_count++];
    *flag = (struct config_flag){.setting = setting, .value = value};
    snprintf(flag->name, sizeof flag->name, "%s", name);
}

/* --set name=value */
static void take_set(struct parser *parser, const char *value)
{
    char name[64], flag[80], words[2048], nearest[64];
    size_t length = strcspn(value, "="), used = 0;
    if (value[length] == '\0') {
        diag_error(parser->diag, "--set: '%.60s' is not NAME=VALUE, as in --set save.level=6", value);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), value);
    const struct param *setting = length < 63 ? param_find(settings_table, name) : NULL;
    if (setting) {
        snprintf(flag, sizeof flag, "--set %s", name);
        add_flag(parser, setting, flag, value + length + 1);
        return;
    }
    for (const struct param *each = settings_table; each->name; each++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used ? "|" : "", each->name);
    const char *near = param_nearest(name, words, nearest, sizeof nearest);
    diag_error(parser->diag, "--set: unknown setting '%s'%s%s%s", name, near ? "; did you mean '" : "",
               near ? near : "", near ? "'?" : "");
    diag_allowed(parser->diag, "settings", words);
}

/* The value behind the flag: what stands in the same word, else the next one. */
static const char *take_value(struct parser *parser, const struct flag *flag, const char *joined)
{
    if (joined)
        return joined;
    if (parser->at + 1 < parser->argc)
        return parser->argv[++parser->at];
    diag_error(parser->diag, "%s wants a value", flag->name);
    return NULL;
}

static bool takes_value(const struct flag *flag)
{
    return flag->setting ? flag->setting->type != PARAM_BOOL : flag->one->value != NULL;
}

static void use_flag(struct parser *parser, const struct flag *flag, const char *joined)
{
    if (flag->setting && flag->setting->type == PARAM_BOOL && !(flag->negated && joined)) {
        add_flag(parser, flag->setting, flag->name, flag->negated ? "false" : joined ? joined : "true");
    } else if (!takes_value(flag) && joined) {
        diag_error(parser->diag, "%s takes no value", flag->name);
    } else if (!takes_value(flag)) {
        *(bool *)(void *)((char *)parser->args + flag->one->offset) = true;
    } else {
        const char *value = take_value(parser, flag, joined);
        if (value && flag->one && strcmp(flag->one->name, "set") == 0)
            take_set(parser, value);
        else if (value && flag->one && flag->one->offset != SIZE_MAX)
            *(const char **)(void *)((char *)parser->args + flag->one->offset) = value;
        else if (value)
            add_flag(parser, flag->setting, flag->name, value);
    }
}

static void take_long(struct parser *parser, const char *word)
{
    char name[64];
    struct flag flag = {0};
    const char *end = word + strcspn(word, "=");
    snprintf(name, sizeof name, "%.*s", (int)(end - word < 63 ? end - word : 63), word);
    if (!find_long(parser->command, name + 2, &flag)) {
        report_unknown(parser, name);
        return;
    }
    snprintf(flag.name, sizeof flag.name, "%.31s", name);
    use_flag(parser, &flag, *end ? end + 1 : NULL);
}

static void take_letters(struct parser *parser, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++) {
        struct flag flag = {0};
        if (!find_letter(parser->command, *letter, &flag)) {
            if (letter == word + 1)
                report_unknown(parser, word);
            else
                diag_error(parser->diag, "unknown flag '-%c' in '%.60s'", *letter, word);
            return;
        }
        snprintf(flag.name, sizeof flag.name, "-%c", *letter);
        if (takes_value(&flag)) {
            use_flag(parser, &flag, letter[1] ? letter + 1 : NULL);
            return;
        }
        use_flag(parser, &flag, NULL);
    }
}

/* A directory, or called like a file that a codec takes. */
static bool is_input(const char *word)
{
    struct stat st;
    return codec_for_name(word) || (stat(word, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Behind -i the shell puts all files that an unquoted glob matches. */
static const char *advice_on_inputs(const struct parser *parser)
{
    for (size_t i = 0; i < parser->args->flag_count; i++) {
        const struct param *setting = parser->args->flags[i].setting;
        if (setting && strcmp(setting->name, "input") == 0)
            return ": several files after -i? Quote the glob, or give -i before each";
    }
    return takes_settings(parser->command) ? "; inputs are given by -i" : "";
}

static void take_word(struct parser *parser, const char *word)
{
    static const char *const kinds[] = {[CLI_RUN] = "config",
                                        [CLI_STAGES] = "stage",
                                        [CLI_CHECK] = "config",
                                        [CLI_BENCH] = "config",
                                        [CLI_REPORT] = "output"};
    struct cli_args *args = parser->args;
    const char *kind = kinds[parser->command];
    if (parser->misplaced)
        return;
    parser->misplaced = true;
    if (!kind)
        diag_error(parser->diag, "'%.200s': doctor takes flags only", word);
    else if (strcmp(kind, "config") == 0 && is_input(word))
        diag_error(parser->diag, "%.200s is no config%s", word, advice_on_inputs(parser));
    else if (args->word_count == 1)
        diag_error(parser->diag, "'%.200s': only one %s can be given, and '%.200s' is it%s", word, kind,
                   args->words[0], advice_on_inputs(parser));
    else {
        args->words[args->word_count++] = word;
        parser->misplaced = false;
    }
}

int cli_args_parse(struct cli_args *args, enum cli_command command, int argc, char **argv, struct diag *diag)
{
    *args = (struct cli_args){0};
    struct parser parser = {args, command, diag, argv, argc, 0, false};
    unsigned before = diag->errors;
    bool flags_ended = false;
    for (; parser.at < argc; parser.at++) {
        const char *word = argv[parser.at];
        if (flags_ended || word[0] != '-' || word[1] == '\0')
            take_word(&parser, word);
        else if (strcmp(word, "--") == 0)
            flags_ended = true;
        else if (word[1] == '-')
            take_long(&parser, word);
        else
            take_letters(&parser, word);
    }
    if (args->quiet && args->verbose)
        diag_error(diag, "-q and -v contradict each other");
    if (args->dry_run && args->json)
        diag_error(diag,
                   "--json tells how a run went, and --dry-run makes none; it prints a line for each output");
    return diag->errors == before ? 0 : ERROR_USAGE;
}

void cli_args_free(struct cli_args *args)
{
    free(args->flags);
    *args = (struct cli_args){0};
}
