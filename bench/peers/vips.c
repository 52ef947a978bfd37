/* SPDX-License-Identifier: MIT */
/* The jobs of peers.sh with libvips, in two forked processes that take the next file as they get free: what
 * one would write in C without forkmill.
 *
 *   forkmill-bench-vips thumbnail|half|blur|gray|encode OUT FILE...
 *   forkmill-bench-vips version
 *
 * Colours are not weighted by alpha before resize and blur, which spares libvips work and time. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vips/vips.h>

enum { PROCESSES = 2, SIDE_PX = 256 };
#define JPEG_OPTIONS "[Q=85]" /* as one.sh has it */
static const double sigma = 2;

/* A new image made from the file, or NULL. */
static VipsImage *made(const char *job, const char *path)
{
    VipsImage *image = NULL, *out = NULL;
    if (strcmp(job, "thumbnail") == 0)
        return vips_thumbnail(path, &out, SIDE_PX, "height", SIDE_PX, "size", VIPS_SIZE_DOWN, NULL) == 0
                   ? out
                   : NULL;
    image = vips_image_new_from_file(path, "access", VIPS_ACCESS_SEQUENTIAL, NULL);
    if (image == NULL || strcmp(job, "encode") == 0)
        return image;
    int failed = -1;
    if (strcmp(job, "half") == 0)
        failed = vips_resize(image, &out, 0.5, NULL);
    else if (strcmp(job, "blur") == 0)
        failed = vips_gaussblur(image, &out, sigma, NULL);
    else if (strcmp(job, "gray") == 0)
        failed = vips_colourspace(image, &out, VIPS_INTERPRETATION_B_W, NULL);
    g_object_unref(image);
    return failed == 0 ? out : NULL;
}

static bool work(const char *job, const char *directory, char **files, int count, atomic_int *next)
{
    if (VIPS_INIT("forkmill-bench-vips") != 0)
        return false;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    for (int i; (i = atomic_fetch_add(next, 1)) < count;) {
        const char *slash = strrchr(files[i], '/');
        const char *name = slash != NULL ? slash + 1 : files[i];
        char *path =
            g_strdup_printf("%s/%s%s", directory, name, g_str_has_suffix(name, ".jpg") ? JPEG_OPTIONS : "");
        VipsImage *image = made(job, files[i]);
        bool written = image != NULL && vips_image_write_to_file(image, path, NULL) == 0;
        if (!written)
            fprintf(stderr, "%s: %s\n", files[i], vips_error_buffer());
        if (image != NULL)
            g_object_unref(image);
        g_free(path);
        if (!written)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "version") == 0)
        return printf("libvips %s\n", VIPS_VERSION) < 0;
    if (argc < 4) {
        fprintf(stderr, "usage: forkmill-bench-vips thumbnail|half|blur|gray|encode OUT FILE...\n");
        return 2;
    }
    atomic_int *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (next == MAP_FAILED)
        return 1;
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0)
            _exit(work(argv[1], argv[2], argv + 3, argc - 3, next) ? 0 : 1);
    }
    bool good = true;
    for (int i = 0, status; i < PROCESSES; i++)
        good = wait(&status) > 0 && status == 0 && good;
    return good ? 0 : 1;
}
