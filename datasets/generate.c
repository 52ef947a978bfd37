/* SPDX-License-Identifier: MIT */
/* forkmill-generate: writes sample pictures and arrays, the same ones for the same arguments on every
 * machine.
 *
 * Picture or array i of a kind depends on kind, size, seed and i only, so that a larger --count adds files
 * and changes none. Files lie in OUTDIR/KIND/ in subdirectories of a hundred. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/arrays.h"
#include "datasets/dice.h"
#include "datasets/scenes.h"

#define EXIT_USAGE 2
#define PER_FOLDER 100

struct request {
    const struct kind *kind;
    uint64_t count, width, height, seed;
    int format; /* index into formats */
    int dtype;  /* of arrays; -1: in turn */
    const char *directory;
};

/* The first are those of enum raster_format; the others, of enum arrays_format, each also as gzip. */
static const char *const formats[] = {"png", "pnm", "pam", "npy", "npy.gz", "raw", "raw.gz", "csv", "csv.gz"};
#define ARRAYS_FIRST 3
#define FORMAT_COUNT ((int)(sizeof formats / sizeof *formats))

enum sort { PICTURE, BROKEN_PICTURE, ARRAY, BROKEN_ARRAY };

struct kind {
    const char *name, *summary;
    enum sort sort;
    /* Of pictures. */
    bool (*paint)(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed);
};

static bool paint_photo(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    (void)index;
    return raster_shape(raster, (uint32_t)request->width, (uint32_t)request->height, 3, 8) &&
           photo_paint(raster, seed);
}

static bool paint_deep(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    (void)index;
    return raster_shape(raster, (uint32_t)request->width, (uint32_t)request->height, 3, 16) &&
           photo_paint(raster, seed);
}

static bool paint_grey(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    return raster_shape(raster, (uint32_t)request->width, (uint32_t)request->height, 1, 8u >> index % 4) &&
           photo_paint(raster, seed);
}

static bool paint_flat(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    (void)index;
    return raster_shape(raster, (uint32_t)request->width, (uint32_t)request->height, 3, 8) &&
           shapes_paint(raster, seed, 60);
}

static bool paint_alpha(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    (void)index;
    return raster_shape(raster, (uint32_t)request->width, (uint32_t)request->height, 4, 8) &&
           shapes_paint(raster, seed, 30);
}

static bool paint_palette(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    return raster_shape(raster, (uint32_t)request->width, (uint32_t)request->height, 1, 8u >> index % 4) &&
           shapes_paint_palette(raster, seed, 60);
}

static bool paint_icon(struct raster *raster, const struct request *request, uint64_t index, uint64_t seed)
{
    static const uint32_t sides_px[] = {16, 22, 24, 32, 48, 64};
    (void)request;
    const uint32_t side_px = sides_px[index % (sizeof sides_px / sizeof *sides_px)];
    return raster_shape(raster, side_px, side_px, 4, 8) && shapes_paint(raster, seed, 8);
}

static const struct kind kinds[] = {
    {"photo", "RGB, 8 bits: a landscape with texture and sensor noise", PICTURE, paint_photo},
    {"deep", "RGB, 16 bits: the same", PICTURE, paint_deep},
    {"grey", "grey of 8, 4, 2 and 1 bits in turn", PICTURE, paint_grey},
    {"flat", "RGB, 8 bits: drawn shapes with antialiased edges", PICTURE, paint_flat},
    {"alpha", "RGBA, 8 bits: half transparent shapes on nothing", PICTURE, paint_alpha},
    {"palette", "palette of 8, 4, 2 and 1 bits in turn, partly transparent", PICTURE, paint_palette},
    {"icons", "RGBA, 8 bits, 16 to 64 pixels; takes no size", PICTURE, paint_icon},
    {"broken", "damaged and misnamed PNG files, in turn", BROKEN_PICTURE, paint_photo},
    {"arrays", "numbers of every type, byte order and order in turn; width is columns, height rows", ARRAY,
     NULL},
    {"broken-arrays", "damaged and hostile arrays, in turn; takes no size", BROKEN_ARRAY, NULL},
};

#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static void usage(FILE *stream)
{
    fprintf(stream,
            "Usage: forkmill-generate KIND [--count N] [--width PX] [--height PX] [--seed S]\n"
            "                         [--format FORMAT] [--dtype DTYPE] OUTDIR\n\n"
            "Writes N sample pictures or arrays below OUTDIR/KIND; the same ones for the same arguments.\n"
            "Default: one of 1024 x 768, seed 1. Formats: png, pnm or pam for pictures; npy, raw or csv\n"
            "for arrays, each also with .gz. --dtype " ARRAYS_DTYPES ":\n"
            "all arrays of one type.\n\nKinds:\n");
    for (size_t i = 0; i < KIND_COUNT; i++)
        fprintf(stream, "  %-13s %s\n", kinds[i].name, kinds[i].summary);
}

static bool read_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number < min || number > max) {
        fprintf(stderr, "forkmill-generate: --%s %s: allowed is %" PRIu64 " to %" PRIu64 "\n", option, text,
                min, max);
        return false;
    }
    *value = number;
    return true;
}

static bool read_format(const char *text, int *format)
{
    for (*format = 0; *format < FORMAT_COUNT; ++*format)
        if (strcmp(text, formats[*format]) == 0)
            return true;
    fprintf(stderr,
            "forkmill-generate: --format %s: allowed is png, pnm or pam, npy, raw or csv, or one of the "
            "last three with .gz\n",
            text);
    return false;
}

static bool read_dtype(const char *text, int *dtype)
{
    *dtype = arrays_dtype(text);
    if (*dtype < 0)
        fprintf(stderr, "forkmill-generate: --dtype %s: allowed is " ARRAYS_DTYPES "\n", text);
    return *dtype >= 0;
}

/* Does the kind come in that format? Sets the kind's own where none is given. */
static bool settle_format(struct request *request)
{
    const enum sort sort = request->kind->sort;
    const bool given = request->format >= 0, for_arrays = request->format >= ARRAYS_FIRST;
    if (!given)
        request->format = sort == ARRAY ? ARRAYS_FIRST : 0;
    else if (sort == BROKEN_PICTURE && request->format != RASTER_PNG)
        fprintf(stderr, "forkmill-generate: broken files are PNG files\n");
    else if (sort == BROKEN_ARRAY)
        fprintf(stderr, "forkmill-generate: broken arrays have formats of their own\n");
    else if (for_arrays != (sort == ARRAY))
        fprintf(stderr, "forkmill-generate: %s do not come as %s\n", for_arrays ? "pictures" : "arrays",
                formats[request->format]);
    else
        return true;
    return !given;
}

static bool read_kind(const char *text, const struct kind **kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(text, kinds[i].name) == 0) {
            *kind = &kinds[i];
            return true;
        }
    fprintf(stderr, "forkmill-generate: no kind '%s'; see --help\n", text);
    return false;
}

/* Returns -1 to go on, or the exit code. */
static int read_arguments(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'c'},  {"width", required_argument, NULL, 'w'},
        {"height", required_argument, NULL, 'h'}, {"seed", required_argument, NULL, 's'},
        {"format", required_argument, NULL, 'f'}, {"dtype", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, '?' + 256},   {NULL, 0, NULL, 0}};
    *request =
        (struct request){.count = 1, .width = 1024, .height = 768, .seed = 1, .format = -1, .dtype = -1};
    bool ok = true;
    for (int option; ok && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            ok = read_number("count", optarg, 1, 10000000, &request->count);
        else if (option == 'w')
            ok = read_number("width", optarg, 1, RASTER_MAX_SIDE_PX, &request->width);
        else if (option == 'h')
            ok = read_number("height", optarg, 1, RASTER_MAX_SIDE_PX, &request->height);
        else if (option == 's')
            ok = read_number("seed", optarg, 0, UINT64_MAX, &request->seed);
        else if (option == 'f')
            ok = read_format(optarg, &request->format);
        else if (option == 'd')
            ok = read_dtype(optarg, &request->dtype);
        else if (option == '?')
            ok = false;
        else {
            usage(stdout);
            return 0;
        }
    }
    if (ok && argc - optind != 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!ok || !read_kind(argv[optind], &request->kind) || !settle_format(request))
        return EXIT_USAGE;
    request->directory = argv[optind + 1];
    return -1;
}

/* mkdir -p */
static bool make_folders(const char *path)
{
    char part[PATH_MAX];
    const size_t length = strlen(path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

static struct arrays_request arrays_of(const struct request *request)
{
    const int format = request->format - ARRAYS_FIRST;
    return (struct arrays_request){.rows = request->height,
                                   .columns = request->width,
                                   .format = (enum arrays_format)(format / 2),
                                   .gzip = format % 2,
                                   .dtype = request->dtype};
}

/* What follows the number in a file's name, with the extension. */
static void name_end(const struct request *request, uint64_t index, char *end, size_t size)
{
    struct arrays_request arrays;
    switch (request->kind->sort) {
    case PICTURE:
        snprintf(end, size, ".%s", formats[request->format]);
        break;
    case BROKEN_PICTURE:
        snprintf(end, size, "-%s.png", broken_name((unsigned)(index % broken_count())));
        break;
    case ARRAY:
        arrays = arrays_of(request);
        end[0] = '-';
        arrays_name(&arrays, index, end + 1, size - 1);
        break;
    case BROKEN_ARRAY:
        snprintf(end, size, "-%s", arrays_broken_name((unsigned)(index % arrays_broken_count())));
    }
}

static bool name_file(const struct request *request, uint64_t index, char path[PATH_MAX])
{
    const char *kind = request->kind->name;
    char end[64];
    int length = snprintf(path, PATH_MAX, "%s/%s/%03" PRIu64, request->directory, kind, index / PER_FOLDER);
    if (length >= PATH_MAX)
        return false;
    if (index % PER_FOLDER == 0 && !make_folders(path))
        return false;
    const size_t left = PATH_MAX - (size_t)length;
    name_end(request, index, end, sizeof end);
    length = snprintf(path + length, left, "/%s-%06" PRIu64 "%s", kind, index, end);
    return (size_t)length < left;
}

static bool make_picture(const struct request *request, uint64_t index, uint64_t seed, struct raster *raster,
                         struct raster_file *file)
{
    return request->kind->paint(raster, request, index, seed) &&
           raster_encode(raster, (enum raster_format)request->format, file) &&
           (request->kind->sort != BROKEN_PICTURE || broken_spoil(file, (unsigned)(index % broken_count())));
}

static bool make_array(const struct request *request, uint64_t index, uint64_t seed, struct raster_file *file)
{
    const struct arrays_request arrays = arrays_of(request);
    if (request->kind->sort == BROKEN_ARRAY)
        return arrays_break((unsigned)(index % arrays_broken_count()), seed, file);
    return arrays_encode(&arrays, index, seed, file);
}

static bool generate_one(const struct request *request, uint64_t index, struct raster *raster,
                         struct raster_file *file)
{
    uint64_t state = request->seed ^ (uint64_t)(request->kind - kinds) << 56;
    state = dice_next(&state) + index;
    const uint64_t seed = dice_next(&state);
    char path[PATH_MAX];
    if (!name_file(request, index, path)) {
        fprintf(stderr, "forkmill-generate: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (!(request->kind->paint ? make_picture(request, index, seed, raster, file)
                               : make_array(request, index, seed, file))) {
        fprintf(stderr, "forkmill-generate: %s: %s\n", path,
                request->format == RASTER_PNM ? "no memory, or alpha, which PNM cannot hold; PAM can"
                                              : "no memory");
        return false;
    }
    if (!raster_save(file, path)) {
        fprintf(stderr, "forkmill-generate: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct request request;
    const int code = read_arguments(argc, argv, &request);
    if (code >= 0)
        return code;
    struct raster raster = {0};
    struct raster_file file = {0};
    bool ok = true;
    for (uint64_t i = 0; ok && i < request.count; i++)
        ok = generate_one(&request, i, &raster, &file);
    raster_free(&raster);
    free(file.bytes);
    return ok ? 0 : 1;
}
