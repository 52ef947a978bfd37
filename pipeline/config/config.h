/* SPDX-License-Identifier: MIT */
/* From defaults, a config file, the environment and flags to a job. Each beats the ones before it; a list is
 * replaced as a whole by a higher source. Everything wrong is collected, nothing is created. Called by the
 * main thread before anything is started. */
#ifndef PIPELINE_CONFIG_H
#define PIPELINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/config/config_yaml.h"
#include "pipeline/config/diag.h"
#include "pipeline/config/job.h"

/* Parameters of one stage whose origin is remembered. */
#define CONFIG_MAX_PARAMS 64
#define CONFIG_MAX_WHEN   16

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG };

/* Where a value came from. */
struct config_origin {
    enum config_source source;
    unsigned line;         /* CONFIG_FILE */
    const char *flag_name; /* CONFIG_FLAG: in the flags of the caller */
};

/* A setting or stage that was given on the command line. */
struct config_flag {
    const struct param *setting; /* NULL: an entry of the chain, as -s takes it */
    const char *value;
    char name[80]; /* "-w", "--max-pixels", "--set save.level", ... */
};

/* Where an entry of the chain, a stage or a marker of a pool or output, and its parameters came from. */
struct config_entry {
    struct diag_place place; /* its name; source NULL: a pool that no marker was written for */
    struct config_origin origin;
    bool given[CONFIG_MAX_PARAMS]; /* by index in the table of parameters */
    unsigned lines[CONFIG_MAX_PARAMS];
    bool when_given[CONFIG_MAX_WHEN]; /* of a stage, by index in job_when_table */
};

/* Zero it to start. */
struct config {
    struct job job;
    struct config_origin origins[SETTINGS_COUNT]; /* by index in settings_table */
    struct config_entry stages[JOB_MAX_STAGES];
    struct config_entry pools[JOB_MAX_POOLS];
    struct config_entry tees[JOB_MAX_OUTPUTS];
    unsigned entries; /* of the chain as written, wrong ones included */
    struct config_yaml yaml;
    struct diag_source *arguments; /* the -s flags */
    struct diag *diag;             /* the caller's */
};

/* Fills config->job from all sources. `path` may be NULL (no file) or "-". `environment` is a list like
 * environ. 0, or ERROR_USAGE with everything that is wrong in *diag. *diag and the flags must outlive
 * *config. Free it either way. */
int config_load(struct config *config, const char *path, char *const *environment,
                const struct config_flag *flags, size_t flag_count, struct diag *diag);

/* What a run needs beyond valid values: an input and an output. 0, or ERROR_USAGE with text in the diag. */
int config_require(struct config *config);

/* "default", "thumbs.yaml:4", "FORKMILL_WORKERS" (for `setting`, else NULL), "-w"; escaped. */
const char *config_origin_text(const struct config *config, const struct config_origin *origin,
                               const struct param *setting, char *text, size_t size);

/* "save.level" as FORKMILL_SAVE_LEVEL or --save-level; `name` is big enough with 64 bytes. */
void config_environment_name(const struct param *setting, char *name, size_t size);
void config_flag_name(const struct param *setting, char *name, size_t size);

void config_free(struct config *config);

#endif
