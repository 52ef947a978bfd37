/* SPDX-License-Identifier: MIT */
#include "pipeline/config/settings.h"

const struct param settings_table[] = {
#define SETTING(field, name, type, min, max, initial, choices, unit, help)                                   \
    {name, type, offsetof(struct settings, field), min, max, initial, choices, unit, help},
#include "pipeline/config/settings.def"
#undef SETTING
    PARAM_END,
};
