/* SPDX-License-Identifier: MIT */
/* Names: globs, templates of outputs, and the paths that both meet. The input is two texts with a zero
 * between them. */
#include <limits.h>
#include <string.h>

#include "fuzz.h"
#include "pipeline/files/match.h"
#include "pipeline/files/outname.h"
#include "stages/stage.h"

/* No output may have a name that leads out of its directory. */
static void check_output(const char *name)
{
    FUZZ_CHECK(name[0] != '/');
    for (const char *part = name; *part; part += strspn(part, "/")) {
        const size_t length = strcspn(part, "/");
        FUZZ_CHECK(!(length == 2 && part[0] == '.' && part[1] == '.'));
        part += length;
    }
}

static void look_template(const char *template, const char *rel)
{
    char name[PATH_MAX];
    struct error error;
    bool gzip;
    for (int tiles = 0; tiles < 2; tiles++) {
        if (outname_check_template(template, tiles, &error) < 0)
            continue;
        struct outname_form form = {
            .name = template, .format = outname_template_codec(template, &gzip), .tiles = tiles};
        if (!form.format)
            form.format = codec_all()[0];
        if (outname_make(&form, rel, 7, 4000000000u, name, sizeof name, &error) == 0)
            check_output(name);
    }
}

static void look_glob(const char *pattern, const char *path)
{
    char *text = (char *)(uintptr_t)pattern;
    const struct param_list list = {.texts = &text, .count = 1};
    match_path(pattern, path, MATCH_DOTS);
    match_beneath(pattern, path, MATCH_DOTS);
    match_list(&list, path, false);
    match_list_named(&list, path);
    match_ends_in_stars(pattern);
    const size_t prefix = match_fixed_prefix(pattern);
    FUZZ_CHECK(prefix <= strlen(pattern));
    free(match_unescape(pattern, prefix));
    if (!match_is_pattern(pattern)) {
        char *plain = match_unescape(pattern, strlen(pattern));
        FUZZ_CHECK(plain && strlen(plain) <= strlen(pattern));
        free(plain);
    }
}

/* Is it a name that a scan can give: that of a file beneath an input? */
static bool is_below(const char *path)
{
    for (;;) {
        const size_t length = strcspn(path, "/");
        if (length == 0 || strspn(path, ".") == length)
            return false;
        if (path[length] == '\0')
            return true;
        path += length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char texts[2][1024] = {{0}, {0}};
    const uint8_t *zero = memchr(data ? data : (const uint8_t *)"", 0, size);
    const size_t first = zero ? (size_t)(zero - data) : size, second = zero ? size - first - 1 : 0;
    if (first >= sizeof texts[0] || second >= sizeof texts[1])
        return 0;
    if (first)
        memcpy(texts[0], data, first);
    if (second)
        memcpy(texts[1], zero + 1, second);
    look_glob(texts[0], texts[1]);
    if (is_below(texts[1]))
        look_template(texts[0], texts[1]);
    return 0;
}
