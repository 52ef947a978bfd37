/* SPDX-License-Identifier: MIT */
/* forkmill-generate: writes sample pictures, the same ones for the same arguments on every machine.
 *
 * Picture i of a kind depends on kind, size, seed and i only, so that a larger --count adds files and changes
 * none. Files lie in OUTDIR/KIND/ in subdirectories of a hundred. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/dice.h"
#include "datasets/scenes.h"

#define EXIT_USAGE 2
#define PER_FOLDER 100

struct request {
    const struct kind *kind;
    uint64_t count, width, height, seed;
    enum raster_format format;
    const char *directory;
};

struct kind {
    const char *name, *summary;
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
    {"photo", "RGB, 8 bits: a landscape with texture and sensor noise", paint_photo},
    {"deep", "RGB, 16 bits: the same", paint_deep},
    {"grey", "grey of 8, 4, 2 and 1 bits in turn", paint_grey},
    {"flat", "RGB, 8 bits: drawn shapes with antialiased edges", paint_flat},
    {"alpha", "RGBA, 8 bits: half transparent shapes on nothing", paint_alpha},
    {"palette", "palette of 8, 4, 2 and 1 bits in turn, partly transparent", paint_palette},
    {"icons", "RGBA, 8 bits, 16 to 64 pixels; takes no size", paint_icon},
    {"broken", "damaged and misnamed PNG files, in turn", paint_photo},
};

#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static bool is_broken(const struct kind *kind)
{
    return kind == &kinds[KIND_COUNT - 1];
}

static void usage(FILE *stream)
{
    fprintf(stream, "Usage: forkmill-generate KIND [--count N] [--width PX] [--height PX] [--seed S]\n"
                    "                         [--format png|pnm|pam] OUTDIR\n\n"
                    "Writes N sample pictures below OUTDIR/KIND; the same ones for the same arguments.\n"
                    "Default: one PNG of 1024 x 768, seed 1.\n\nKinds:\n");
    for (size_t i = 0; i < KIND_COUNT; i++)
        fprintf(stream, "  %-8s %s\n", kinds[i].name, kinds[i].summary);
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

static bool read_format(const char *text, enum raster_format *format)
{
    static const char *const formats[] = {"png", "pnm", "pam"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(text, formats[i]) == 0) {
            *format = (enum raster_format)i;
            return true;
        }
    fprintf(stderr, "forkmill-generate: --format %s: allowed is png, pnm or pam\n", text);
    return false;
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
    static const struct option options[] = {{"count", required_argument, NULL, 'c'},
                                            {"width", required_argument, NULL, 'w'},
                                            {"height", required_argument, NULL, 'h'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, '?' + 256},
                                            {NULL, 0, NULL, 0}};
    *request = (struct request){.count = 1, .width = 1024, .height = 768, .seed = 1};
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
    if (!ok || !read_kind(argv[optind], &request->kind))
        return EXIT_USAGE;
    request->directory = argv[optind + 1];
    if (is_broken(request->kind) && request->format != RASTER_PNG) {
        fprintf(stderr, "forkmill-generate: broken files are PNG files\n");
        return EXIT_USAGE;
    }
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

static bool name_file(const struct request *request, uint64_t index, char path[PATH_MAX])
{
    static const char *const endings[] = {"png", "pnm", "pam"};
    const char *kind = request->kind->name;
    int length = snprintf(path, PATH_MAX, "%s/%s/%03" PRIu64, request->directory, kind, index / PER_FOLDER);
    if (length >= PATH_MAX)
        return false;
    if (index % PER_FOLDER == 0 && !make_folders(path))
        return false;
    const bool broken = is_broken(request->kind);
    const size_t left = PATH_MAX - (size_t)length;
    length =
        snprintf(path + length, left, "/%s-%06" PRIu64 "%s%s.%s", kind, index, broken ? "-" : "",
                 broken ? broken_name((unsigned)(index % broken_count())) : "", endings[request->format]);
    return (size_t)length < left;
}

static bool generate_one(const struct request *request, uint64_t index, struct raster *raster,
                         struct raster_file *file)
{
    uint64_t state = request->seed ^ (uint64_t)(request->kind - kinds) << 56;
    state = dice_next(&state) + index;
    char path[PATH_MAX];
    if (!name_file(request, index, path)) {
        fprintf(stderr, "forkmill-generate: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (!request->kind->paint(raster, request, index, dice_next(&state)) ||
        !raster_encode(raster, request->format, file) ||
        (is_broken(request->kind) && !broken_spoil(file, (unsigned)(index % broken_count())))) {
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
