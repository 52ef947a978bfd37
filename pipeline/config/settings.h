/* SPDX-License-Identifier: MIT */
/* The settings of a run, as values. settings.def lists them; every way to set one ends here. */
#ifndef PIPELINE_SETTINGS_H
#define PIPELINE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/stage.h"

#define SETTINGS_ENGINES "process|thread|openmp|serial"

/* "same" and then the codecs in the order of their registry. */
#define SETTINGS_FORMATS "same|png|pnm"

/* How the openmp engine cuts the work; in the order of the setting's choices. */
enum settings_split { SPLIT_AUTO, SPLIT_ITEMS, SPLIT_ROWS };

struct settings {
    struct param_list inputs;
    char *output;
    char *files_from;
    char *trace; /* NULL: none */
    bool null_separated;
    bool recursive;
    struct param_list include, exclude;
    int engine;      /* index into SETTINGS_ENGINES */
    int split;       /* enum settings_split */
    int64_t workers; /* -1: allotted */
    int64_t queue, batch, recycle, retries;
    uint64_t timeout_ms, grace_ms;
    uint64_t memory_bytes;
    uint64_t max_pixels, max_width, max_height, max_file_bytes, max_metadata_bytes;
    int64_t max_failures;
    struct codec_save save;
};

/* The table behind settings.def, ended by PARAM_END. */
extern const struct param settings_table[];

/* How many entries it has. */
enum {
    SETTINGS_COUNT = 0
#define SETTING(field, name, type, min, max, initial, choices, unit, help) +1
#include "pipeline/config/settings.def"
#undef SETTING
};

#endif
