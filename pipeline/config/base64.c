/* SPDX-License-Identifier: MIT */
#include "pipeline/config/base64.h"

#include <stdint.h>
#include <string.h>

#include "stages/error.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t length, char *out)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)from[i] << 16;
        three |= i + 1 < length ? (uint32_t)from[i + 1] << 8 : 0;
        three |= i + 2 < length ? from[i + 2] : 0;
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = i + 1 < length ? digits[three >> 6 & 63] : '=';
        *out++ = i + 2 < length ? digits[three & 63] : '=';
    }
    *out = '\0';
}

int base64_decode(const char *text, char *out, size_t *length)
{
    uint32_t held = 0;
    unsigned held_bits = 0, count = 0, padding = 0;
    *length = 0;
    for (; *text; text++) {
        if (strchr(" \t\r\n", *text))
            continue;
        count++;
        if (*text == '=') {
            padding++;
            continue;
        }
        const char *digit = strchr(digits, *text);
        if (!digit || padding)
            return ERROR_USAGE;
        held = (held << 6 | (uint32_t)(digit - digits)) & 0xffff;
        held_bits += 6;
        if (held_bits >= 8) {
            held_bits -= 8;
            out[(*length)++] = (char)(held >> held_bits & 0xff);
        }
    }
    return count % 4 == 0 && padding <= 2 ? 0 : ERROR_USAGE;
}
