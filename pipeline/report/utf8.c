/* SPDX-License-Identifier: MIT */
#include "pipeline/report/utf8.h"

size_t utf8_next(const char *bytes, size_t length, uint32_t *point)
{
    if (length == 0)
        return 0;
    const unsigned char *s = (const unsigned char *)bytes;
    *point = s[0];
    if (s[0] < 0x80)
        return 1;
    size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || need > length)
        return 0;
    *point = s[0] & (0xffu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (s[i] & 0x3fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (*point < smallest[need] || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
        return 0;
    return need;
}
