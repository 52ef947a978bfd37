/* SPDX-License-Identifier: MIT */
/* What the markers of a chain take, pool and tee: settings of the run, for a part of it. */
#include <string.h>

#include "pipeline/config/config_chain.h"

const struct param *config_pool_table(void)
{
    static struct param table[5] = {
        {"name", PARAM_TEXT, offsetof(struct config_pool_params, name), 0, 0, NULL, NULL, "",
         "What reports call the pool"},
    };
    static const struct {
        const char *name;
        size_t offset;
    } inherited[] = {
        {"workers", offsetof(struct config_pool_params, workers)},
        {"queue", offsetof(struct config_pool_params, queue)},
        {"recycle", offsetof(struct config_pool_params, recycle)},
    };
    for (unsigned i = 0; i < 3; i++) {
        table[i + 1] = *param_find(settings_table, inherited[i].name);
        table[i + 1].offset = inherited[i].offset;
    }
    return table;
}

const struct param *config_tee_table(void)
{
    static struct param table[32];
    unsigned count = 0;
    for (const struct param *setting = settings_table; setting->name && count + 1 < 32; setting++) {
        if (strncmp(setting->name, "save.", 5) != 0 || strcmp(setting->name, "save.recompress") == 0)
            continue;
        table[count] = *setting;
        table[count].name += 5;
        table[count++].offset -= offsetof(struct settings, save);
    }
    return table;
}
