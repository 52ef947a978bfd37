/* SPDX-License-Identifier: MIT */
/* Files that a program meets sooner or later under the name of an array. */
#include <stdlib.h>
#include <string.h>

#include "datasets/arrays.h"

#define DICT(descr, shape) "{'descr': " descr ", 'fortran_order': False, 'shape': " shape ", }"
#define SOUND              DICT("'<f8'", "(64, 16)")
#define ZEROS_BYTES        ((size_t)8 << 20)

enum end { WHOLE, HALF, IN_HEADER, TAIL_CHANGED };

/* A text goes under an .npy header, or is the file itself where `version` is 0; 8 KiB of samples follow a
 * header. */
static const struct {
    const char *name, *text;
    unsigned version;
    enum end end;
    bool gzip;
} ways[] = {
    {"truncated.npy", SOUND, 1, HALF, false},
    {"no-data.npy", SOUND, 1, IN_HEADER, false},
    {"version-9.npy", SOUND, 9, WHOLE, false},
    {"no-dictionary.npy", "[1, 2, 3]", 1, WHOLE, false},
    {"code.npy", DICT("'<f8'", "(64, __import__('os').getpid())"), 1, WHOLE, false},
    {"objects.npy", DICT("'|O'", "(64, 16)"), 1, WHOLE, false},
    {"structured.npy", DICT("[('a', '<f8'), ('b', '<f8')]", "(64, 8)"), 1, WHOLE, false},
    {"complex.npy", DICT("'<c16'", "(64, 8)"), 1, WHOLE, false},
    {"huge.npy", DICT("'<f8'", "(1000000, 1000000, 1000)"), 1, WHOLE, false},
    {"overflow.npy", DICT("'<f8'", "(4294967296, 4294967296)"), 1, WHOLE, false},
    {"zero-bytes.npy", "", 0, WHOLE, false},
    {"text.npy", "This is a note, not an array.\n", 0, WHOLE, false},
    {"truncated.npy.gz", SOUND, 1, HALF, true},
    {"bad-crc.npy.gz", SOUND, 1, TAIL_CHANGED, true},
    {"bomb.npy.gz", DICT("'<f8'", "(1024, 1024)"), 1, WHOLE, true},
    {"ragged.csv", "1,2,3\n4,5\n6,7,8\n", 0, WHOLE, false},
    {"word.csv", "a,b\n1,2\n3,four\n", 0, WHOLE, false},
    {"open-quote.csv", "1,2\n\"3,4\n", 0, WHOLE, false},
};

#define WAYS (sizeof ways / sizeof *ways)

unsigned arrays_broken_count(void)
{
    return WAYS;
}

const char *arrays_broken_name(unsigned way)
{
    return ways[way].name;
}

static bool append_data(unsigned way, uint64_t seed, struct raster_file *file)
{
    static const uint8_t zeros[8192];
    const struct arrays_request request = {
        .rows = 64, .columns = 16, .format = ARRAYS_RAW, .dtype = arrays_dtype("f64")};
    if (strncmp(ways[way].name, "bomb", 4) != 0) {
        struct raster_file samples = {0};
        const bool ok =
            arrays_encode(&request, 0, seed, &samples) && raster_append(file, samples.bytes, samples.length);
        free(samples.bytes);
        return ok;
    }
    for (size_t done = 0; done < ZEROS_BYTES; done += sizeof zeros)
        if (!raster_append(file, zeros, sizeof zeros))
            return false;
    return true;
}

bool arrays_break(unsigned way, uint64_t seed, struct raster_file *file)
{
    const bool npy = ways[way].version > 0;
    bool ok = true;
    file->length = 0;
    if (npy)
        ok = arrays_npy_header(file, ways[way].version, ways[way].text) &&
             (ways[way].end == IN_HEADER || append_data(way, seed, file));
    else
        ok = raster_append(file, ways[way].text, strlen(ways[way].text));
    if (ok && ways[way].gzip)
        ok = arrays_gzip(file);
    if (ok && ways[way].end == HALF)
        file->length /= 2;
    if (ok && ways[way].end == TAIL_CHANGED) /* the checksum is before the length */
        file->bytes[file->length - 8] ^= 0x55;
    return ok;
}
