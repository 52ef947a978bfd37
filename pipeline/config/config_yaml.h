/* SPDX-License-Identifier: MIT */
/* A config file as a tree of nodes that know their place. The file is taken to be hostile: its size, depth
 * and number of keys are limited, and anchors, aliases, foreign tags and further documents are refused. */
#ifndef PIPELINE_CONFIG_YAML_H
#define PIPELINE_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/config/diag.h"

#define CONFIG_YAML_MAX_BYTES (1u << 20)
#define CONFIG_YAML_MAX_DEPTH 16u
#define CONFIG_YAML_MAX_KEYS  1000u /* of one map */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    struct diag_place place; /* of a list or map: where it starts */
    char *text;              /* of a scalar, terminated, without NUL inside; else NULL */
    bool plain;              /* a scalar without quotes and tag */
    struct yaml_node *key;   /* of an entry of a map */
    struct yaml_node *twice; /* the entry of the same map that has the same key and came before, or NULL */
    struct yaml_node *first; /* children in order */
    struct yaml_node *last;
    struct yaml_node *next; /* sibling */
    struct yaml_node *made; /* the node allocated before this one */
    unsigned count;         /* of children */
};

struct config_yaml {
    struct diag_source source;
    char *name;
    char *bytes;
    struct yaml_node *made; /* the node allocated last */
    struct yaml_node *root; /* NULL: an empty document */
};

/* Reads and parses the file at `path` ("-": standard input, may block) into *yaml, to be freed whatever comes
 * back. 0, or ERROR_USAGE with the error in *diag. */
int config_yaml_read(struct config_yaml *yaml, const char *path, struct diag *diag);

/* Reports an entry whose key was there before; false where it was not. */
bool config_yaml_is_twice(const struct yaml_node *node, struct diag *diag);

/* A scalar that says nothing: empty, ~ or null, without quotes. */
bool config_yaml_is_null(const struct yaml_node *node);

void config_yaml_free(struct config_yaml *yaml);

#endif
