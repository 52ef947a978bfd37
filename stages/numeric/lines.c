/* SPDX-License-Identifier: MIT */
#include "stages/numeric/lines.h"

int lines_along(const struct shape *shape, int64_t axis, struct lines *lines, struct error *error)
{
    char text[256];
    const int64_t at = axis < 0 ? axis + shape->rank : axis;
    if (at < 0 || at >= shape->rank)
        return error_set(error, ERROR_USAGE, "axis: there is no axis %lld in a %.120s", (long long)axis,
                         shape_text(shape, text, sizeof text));
    /* An array without samples may have dimensions whose product fits nowhere; it has no lines. */
    const size_t some = shape_samples(shape) > 0;
    *lines = (struct lines){.outer = some, .length = some, .inner = some, .axis = (unsigned)at};
    for (unsigned i = 0; i < shape->rank; i++)
        *(i < lines->axis   ? &lines->outer
          : i > lines->axis ? &lines->inner
                            : &lines->length) *= shape->dims[i];
    return 0;
}
