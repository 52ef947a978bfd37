/* SPDX-License-Identifier: MIT */
#include "pipeline/config/config_yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/config/base64.h"
#include "pipeline/config/config_file.h"
#include "stages/error.h"

/* What is open while events arrive. */
struct builder {
    struct config_yaml *yaml;
    struct diag *diag;
    struct yaml_node *open[CONFIG_YAML_MAX_DEPTH];
    struct yaml_node *keys[CONFIG_YAML_MAX_DEPTH]; /* a key that waits for its value */
    unsigned depth;
    unsigned documents;
    size_t end_bytes; /* of what was read last: the place of things that have none */
};

static struct diag_place event_place(struct builder *builder, struct fy_event *event)
{
    const struct fy_mark *start = fy_event_start_mark(event), *end = fy_event_end_mark(event);
    struct diag_place place = {&builder->yaml->source, builder->end_bytes, builder->end_bytes};
    if (start)
        place.start = start->input_pos;
    place.end = end && end->input_pos > place.start ? end->input_pos : place.start;
    builder->end_bytes = place.end;
    return place;
}

static struct yaml_node *make_node(struct builder *builder, enum yaml_kind kind, struct diag_place place)
{
    struct yaml_node *node = calloc(1, sizeof *node);
    if (!node) {
        diag_starve(builder->diag);
        return NULL;
    }
    node->kind = kind;
    node->place = place;
    node->made = builder->yaml->made;
    builder->yaml->made = node;
    return node;
}

static struct yaml_node *find_key(const struct yaml_node *map, const char *key)
{
    for (struct yaml_node *entry = map->first; entry; entry = entry->next) {
        if (strcmp(entry->key->text, key) == 0)
            return entry;
    }
    return NULL;
}

/* Hangs a finished scalar or an opened list or map under what is open. */
static int attach(struct builder *builder, struct yaml_node *node)
{
    if (builder->depth == 0) {
        builder->yaml->root = node;
        return 0;
    }
    struct yaml_node *parent = builder->open[builder->depth - 1];
    struct yaml_node **key = &builder->keys[builder->depth - 1];
    if (parent->kind == YAML_MAP && !*key) {
        if (node->kind != YAML_SCALAR) {
            diag_error_at(builder->diag, node->place, "a key must be a word");
            return ERROR_USAGE;
        }
        *key = node;
        return 0;
    }
    if (parent->kind == YAML_MAP) {
        node->key = *key;
        *key = NULL;
        if (parent->count >= CONFIG_YAML_MAX_KEYS) {
            diag_error_at(builder->diag, node->key->place, "more than %u keys in one map",
                          CONFIG_YAML_MAX_KEYS);
            return ERROR_USAGE;
        }
        node->twice = find_key(parent, node->key->text);
    }
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
    return 0;
}

static int open_node(struct builder *builder, enum yaml_kind kind, struct diag_place place)
{
    if (builder->depth == CONFIG_YAML_MAX_DEPTH) {
        diag_error_at(builder->diag, place, "nested deeper than %u levels", CONFIG_YAML_MAX_DEPTH);
        return ERROR_USAGE;
    }
    struct yaml_node *node = make_node(builder, kind, place);
    if (!node)
        return ERROR_USAGE;
    TRY(attach(builder, node));
    builder->keys[builder->depth] = NULL;
    builder->open[builder->depth++] = node;
    return 0;
}

/* Tags: !!str says what is so anyway, !!binary is how YAML writes bytes that are no text. */
static int read_tag(struct builder *builder, struct fy_event *event, struct diag_place place, bool *binary)
{
    struct fy_token *tag = fy_event_get_tag_token(event);
    *binary = false;
    if (!tag)
        return 0;
    const char *handle = fy_tag_token_handle0(tag), *suffix = fy_tag_token_suffix0(tag);
    bool standard = handle && suffix && strcmp(handle, "!!") == 0 && event->type == FYET_SCALAR;
    *binary = standard && strcmp(suffix, "binary") == 0;
    if (*binary || (standard && strcmp(suffix, "str") == 0))
        return 0;
    diag_error_at(builder->diag, place, "tags other than !!str and !!binary are not supported");
    return ERROR_USAGE;
}

static int add_scalar(struct builder *builder, struct fy_event *event, struct diag_place place, bool binary)
{
    struct yaml_node *node = make_node(builder, YAML_SCALAR, place);
    if (!node)
        return ERROR_USAGE;
    size_t length = 0;
    const char *text = fy_token_get_text(event->scalar.value, &length);
    node->plain = fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN && !fy_event_get_tag_token(event);
    node->text = malloc(length + 1);
    if (!node->text) {
        diag_starve(builder->diag);
        return ERROR_USAGE;
    }
    if (length)
        memcpy(node->text, text, length);
    node->text[length] = '\0';
    if (binary && base64_decode(node->text, node->text, &length) < 0) {
        diag_error_at(builder->diag, place, "!!binary wants base64");
        return ERROR_USAGE;
    }
    node->text[length] = '\0';
    if (memchr(node->text, '\0', length)) {
        diag_error_at(builder->diag, place, "a value may not hold a NUL byte");
        return ERROR_USAGE;
    }
    return attach(builder, node);
}

static int take_event(struct builder *builder, struct fy_event *event)
{
    struct diag_place place = event_place(builder, event);
    bool binary = false;
    if (event->type == FYET_ALIAS || fy_event_get_anchor_token(event)) {
        diag_error_at(builder->diag, place, "anchors and aliases are not supported; write the value out");
        return ERROR_USAGE;
    }
    if (event->type == FYET_SCALAR || event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START)
        TRY(read_tag(builder, event, place, &binary));
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (builder->documents++ == 0)
            return 0;
        diag_error_at(builder->diag, place, "a config is one document; this is the second");
        return ERROR_USAGE;
    case FYET_SCALAR:
        return add_scalar(builder, event, place, binary);
    case FYET_MAPPING_START:
        return open_node(builder, YAML_MAP, place);
    case FYET_SEQUENCE_START:
        return open_node(builder, YAML_LIST, place);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        builder->depth--;
        return 0;
    default:
        return 0;
    }
}

/* The byte of a line and column, both from 1, columns in characters. */
static size_t byte_at(const struct diag_source *source, int line, int column)
{
    size_t at = 0;
    for (int i = 1; i < line && at < source->length; at++)
        i += source->bytes[at] == '\n';
    for (int i = 1; i < column && at < source->length && source->bytes[at] != '\n'; i++) {
        at++;
        while (at < source->length && ((unsigned char)source->bytes[at] & 0xc0) == 0x80)
            at++;
    }
    return at;
}

static void report_syntax(struct builder *builder, struct fy_diag *collected)
{
    const struct diag_source *source = &builder->yaml->source;
    void *position = NULL;
    struct fy_diag_error *found = fy_diag_errors_iterate(collected, &position);
    if (!found) {
        struct diag_place place = {source, builder->end_bytes, builder->end_bytes};
        diag_error_at(builder->diag, place, "this is not YAML");
    }
    for (; found; found = fy_diag_errors_iterate(collected, &position)) {
        size_t at = byte_at(source, found->line, found->column);
        diag_error_at(builder->diag, (struct diag_place){source, at, at}, "YAML syntax: %s", found->msg);
    }
}

static int parse_events(struct builder *builder, struct fy_parser *parser, struct fy_diag *collected)
{
    struct config_yaml *yaml = builder->yaml;
    if (fy_parser_set_string(parser, yaml->bytes, yaml->source.length) != 0) {
        diag_starve(builder->diag);
        return ERROR_USAGE;
    }
    int code = 0;
    struct fy_event *event;
    while (code == 0 && (event = fy_parser_parse(parser))) {
        code = take_event(builder, event);
        fy_parser_event_free(parser, event);
    }
    if (code == 0 && fy_parser_get_stream_error(parser)) {
        report_syntax(builder, collected);
        code = ERROR_USAGE;
    }
    return code;
}

static int parse(struct config_yaml *yaml, struct diag *diag)
{
    struct builder builder = {.yaml = yaml, .diag = diag};
    struct fy_diag_cfg diag_settings;
    fy_diag_cfg_default(&diag_settings);
    diag_settings.fp = NULL;
    diag_settings.level = FYET_ERROR;
    struct fy_diag *collected = fy_diag_create(&diag_settings);
    if (collected)
        fy_diag_set_collect_errors(collected, true);
    const struct fy_parse_cfg settings = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_1_2,
        .diag = collected,
    };
    struct fy_parser *parser = collected ? fy_parser_create(&settings) : NULL;
    int code = ERROR_USAGE;
    if (parser)
        code = parse_events(&builder, parser, collected);
    else
        diag_starve(diag);
    if (parser)
        fy_parser_destroy(parser);
    if (collected)
        fy_diag_destroy(collected);
    return code;
}

int config_yaml_read(struct config_yaml *yaml, const char *path, struct diag *diag)
{
    *yaml = (struct config_yaml){.name = strdup(strcmp(path, "-") == 0 ? "standard input" : path)};
    yaml->source.name = yaml->name ? yaml->name : "config";
    TRY(config_file_read(path, CONFIG_YAML_MAX_BYTES, &yaml->bytes, &yaml->source.length, diag));
    yaml->source.bytes = yaml->bytes;
    TRY(config_file_check(&yaml->source, diag));
    return parse(yaml, diag);
}

bool config_yaml_is_twice(const struct yaml_node *node, struct diag *diag)
{
    if (!node->twice)
        return false;
    unsigned line, column;
    diag_position(node->twice->key->place, &line, &column);
    diag_error_at(diag, node->key->place, "'%.60s' is given twice; the first one is on line %u",
                  node->key->text, line);
    return true;
}

bool config_yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain &&
           (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

void config_yaml_free(struct config_yaml *yaml)
{
    for (struct yaml_node *node = yaml->made; node;) {
        struct yaml_node *before = node->made;
        free(node->text);
        free(node);
        node = before;
    }
    free(yaml->name);
    free(yaml->bytes);
    *yaml = (struct config_yaml){0};
}
