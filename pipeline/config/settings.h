/* SPDX-License-Identifier: MIT */
/* The settings of a run, as values. settings.def lists them; every way to set one ends here. */
#ifndef PIPELINE_SETTINGS_H
#define PIPELINE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/stage.h"

#define SETTINGS_ENGINES "process|thread|openmp|serial"

/* "same", the codecs in the order of their registry, "none". */
#define SETTINGS_FORMATS "same|png|pnm|jpeg|webp|npy|npz|csv|tsv|raw|none"

/* "auto" and then the names of enum sample, in its order. */
#define SETTINGS_DTYPES "auto|u8|u16|f32|i8|i16|i32|i64|u32|u64|f16|f64|bool"

/* How the openmp engine cuts the work; in the order of the setting's choices. */
enum settings_split { SPLIT_AUTO, SPLIT_ITEMS, SPLIT_ROWS };

/* Are workers locked in? In the order of the setting's choices. */
enum settings_sandbox { SANDBOX_AUTO, SANDBOX_OFF, SANDBOX_REQUIRED };

/* Who opens inputs and reads their heads. In the order of the setting's choices. */
enum settings_io { IO_AUTO, IO_URING, IO_THREADS };

struct settings {
    struct param_list inputs;
    char *output;
    char *files_from;
    char *trace; /* NULL: none */
    bool null_separated;
    bool recursive;
    bool journal, fsync;
    struct param_list include, exclude;
    int engine;      /* index into SETTINGS_ENGINES */
    int split;       /* enum settings_split */
    int sandbox;     /* enum settings_sandbox; of engine process */
    int io;          /* enum settings_io */
    int64_t workers; /* -1: allotted */
    int64_t queue, batch, readahead, recycle, retries;
    uint64_t timeout_ms, grace_ms, stall_warning_ms;
    bool bands;
    uint64_t memory_bytes;
    uint64_t max_pixels, max_width, max_height, max_elements, max_file_bytes, max_metadata_bytes;
    int64_t max_ratio;
    char *max_failures; /* see settings_stop_of */
    char *quarantine;   /* NULL: none */
    struct codec_load load;
    struct codec_save save;
    char *collect_file; /* NULL: nothing is collected */
    struct param_list aggregate_ops;
    char *aggregate_file;
};

/* When failures stop a run. */
struct settings_stop {
    uint64_t failures; /* so many; 0: any number is fine */
    bool by_part;      /* or more than this part of all that have ended */
    double most_percent;
};

/* What max_failures says: a number, or a percentage from 0% to 100%. ERROR_USAGE. */
int settings_stop_of(const char *text, struct settings_stop *stop, struct error *error);

/* The limits that codecs keep; they point into the settings. */
struct codec_limits settings_limits(const struct settings *settings);

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
