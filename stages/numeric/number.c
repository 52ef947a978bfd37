/* SPDX-License-Identifier: MIT */
#include "stages/numeric/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPACE " \t"

int number_next(const char **text, double *value)
{
    char *end;
    *text += strspn(*text, SPACE);
    if (**text == '\0')
        return 0;
    *value = strtod(*text, &end);
    if (end == *text || !isfinite(*value) || strcspn(end, SPACE) != 0)
        return -1;
    *text = end;
    return 1;
}

bool number_parse(const char *text, double *value)
{
    double more;
    return number_next(&text, value) == 1 && number_next(&text, &more) == 0;
}
