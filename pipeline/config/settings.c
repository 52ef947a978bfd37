/* SPDX-License-Identifier: MIT */
#include "pipeline/config/settings.h"

const struct param settings_table[] = {
#define SETTING(field, name, type, min, max, initial, choices, unit, help)                                   \
    {name, type, offsetof(struct settings, field), min, max, initial, choices, unit, help},
#include "pipeline/config/settings.def"
#undef SETTING
    PARAM_END,
};

struct codec_limits settings_limits(const struct settings *settings)
{
    return (struct codec_limits){
        .max_pixels = settings->max_pixels,
        .max_width = settings->max_width,
        .max_height = settings->max_height,
        .max_metadata_bytes = settings->max_metadata_bytes,
        .max_elements = settings->max_elements,
        .max_file_bytes = settings->max_file_bytes,
        .max_ratio = (uint64_t)settings->max_ratio,
        .load = &settings->load,
    };
}
