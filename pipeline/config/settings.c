/* SPDX-License-Identifier: MIT */
#include "pipeline/config/settings.h"

#include <stdlib.h>
#include <string.h>

const struct param settings_table[] = {
#define SETTING(field, name, type, min, max, initial, choices, unit, help)                                   \
    {name, type, offsetof(struct settings, field), min, max, initial, choices, unit, help},
#include "pipeline/config/settings.def"
#undef SETTING
    PARAM_END,
};

int settings_stop_of(const char *text, struct settings_stop *stop, struct error *error)
{
    const size_t digits = strspn(text, "0123456789"), number = strspn(text, "0123456789.");
    char *end;
    *stop = (struct settings_stop){0};
    if (digits > 0 && digits <= 15 && text[digits] == '\0') {
        stop->failures = strtoull(text, NULL, 10);
        return 0;
    }
    const double percent = strtod(text, &end);
    if (digits > 0 && end == text + number && percent <= 100 && strcmp(end, "%") == 0) {
        stop->by_part = true;
        stop->most_percent = percent;
        return 0;
    }
    return error_set(error, ERROR_USAGE, "'%.40s' is neither a number nor a percentage, as in 100 or 5%%",
                     text);
}

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
