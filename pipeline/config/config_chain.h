/* SPDX-License-Identifier: MIT */
/* The chain of stages and pool markers, entry by entry, wherever an entry is written: in a file or after -s.
 * For the files of config only. */
#ifndef PIPELINE_CONFIG_CHAIN_H
#define PIPELINE_CONFIG_CHAIN_H

#include "pipeline/config/config.h"

/* What a pool marker may say; ranges are those of the settings of the same names. The block is struct
 * config_pool_params, where `name` may be NULL. */
struct config_pool_params {
    char *name;
    int64_t workers, queue, recycle;
};
const struct param *config_pool_table(void);

/* What a tee marker may say: all of save.*, without that prefix; the block is struct codec_save. */
const struct param *config_tee_table(void);

/* Replaces the chain by the list under the key `stages`. */
void config_chain_from_yaml(struct config *config, const struct yaml_node *list);

/* Appends what one -s says: NAME[:key=value,...]; a backslash takes the next character as it is. */
void config_chain_from_flag(struct config *config, const struct diag_source *argument);

/* Empties the chain: a higher source replaces it. */
void config_chain_clear(struct config *config);

/* Gives the pools what they inherit from the settings. */
void config_chain_finish(struct config *config);

/* Gives the outputs what they inherit, the formats that their names choose, and the stages the prefixes of
 * what they tell; checks what outputs, kinds, collect and aggregate say together. After config_chain_finish,
 * without errors so far. */
void config_outputs_finish(struct config *config);

/* Reads the file that a parameter of a stage names. ERROR_USAGE. */
int config_param_file(struct param_file *file, struct error *error);

#endif
