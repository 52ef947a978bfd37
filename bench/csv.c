/* SPDX-License-Identifier: MIT */
/* Times the table codec on a file, with nothing around it:
 *
 *     forkmill-bench-csv FILE
 *
 * Prints three times in ms of CPU: peek and decode, peek alone, and encode; the values are f64. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stages/codec.h"

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static uint8_t *read_file(const char *path, size_t *length_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    *length_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length_bytes + 1);
    if (bytes && fread(bytes, 1, *length_bytes, file) != *length_bytes)
        bytes = NULL;
    fclose(file);
    return bytes;
}

/* Memory that has been touched, as a warm slot's has. */
static uint8_t *warm(size_t size_bytes)
{
    uint8_t *block = malloc(size_bytes);
    if (!block)
        abort();
    memset(block, 1, size_bytes);
    return block;
}

static int measure(const struct codec *codec, const uint8_t *bytes, size_t length_bytes, struct error *error)
{
    const struct codec_limits limits = {.max_elements = UINT64_MAX, .max_file_bytes = UINT64_MAX};
    const struct codec_save save = {.level = -1};
    struct scratch scratch = {0};
    struct codec_info info;
    struct codec_plan plan;
    double times_ms[4];
    TRY(codec->peek(bytes, length_bytes, length_bytes, &limits, &info, error));
    const size_t size_bytes = shape_bytes(&info.shape);
    struct codec_decode decode = {.limits = &limits,
                                  .bytes = bytes,
                                  .length_bytes = length_bytes,
                                  .pixels = warm(size_bytes),
                                  .pixels_bytes = size_bytes,
                                  .scratch = &scratch};
    times_ms[0] = now_ms();
    TRY(codec->peek(bytes, length_bytes, length_bytes, &limits, &info, error));
    times_ms[1] = now_ms();
    TRY(codec->decode(&decode, error));
    times_ms[2] = now_ms();
    TRY(codec->plan(&save, &decode.shape, 0, &plan, error));
    struct codec_encode encode = {.save = &save,
                                  .shape = decode.shape,
                                  .pixels = decode.pixels,
                                  .bytes = warm(plan.out_bytes),
                                  .bytes_size = plan.out_bytes,
                                  .scratch = &scratch};
    times_ms[3] = now_ms();
    TRY(codec->encode(&encode, error));
    printf("%.3f %.3f %.3f\n", times_ms[2] - times_ms[0], times_ms[1] - times_ms[0], now_ms() - times_ms[3]);
    free(encode.bytes);
    free(decode.pixels);
    return 0;
}

int main(int argc, char **argv)
{
    size_t length_bytes = 0;
    struct error error = {0};
    const struct codec *codec = argc == 2 ? codec_for_name(argv[1]) : NULL;
    uint8_t *bytes = codec ? read_file(argv[1], &length_bytes) : NULL;
    if (!bytes)
        return fprintf(stderr, "usage: forkmill-bench-csv FILE.csv\n"), 2;
    const int code = measure(codec, bytes, length_bytes, &error);
    if (code < 0)
        fprintf(stderr, "%s\n", error.reason);
    free(bytes);
    return code < 0;
}
