/* SPDX-License-Identifier: MIT */
/* Stands in for ahead_ring.c where there is no liburing. */
#include "pipeline/run/ahead_ring.h"

int ahead_ring_open(struct ahead_ring **ring, struct error *error)
{
    (void)ring;
    return error_set(error, ERROR_UNSUPPORTED, "this build has no liburing");
}

unsigned ahead_ring_places(const struct ahead_ring *ring)
{
    (void)ring;
    return 0;
}

void ahead_ring_begin(struct ahead_ring *ring, unsigned place, const struct scan *scan, unsigned root,
                      const char *path)
{
    (void)ring, (void)place, (void)scan, (void)root, (void)path;
}

void ahead_ring_read_heads(struct ahead_ring *ring, bool read)
{
    (void)ring, (void)read;
}

void ahead_ring_take(struct ahead_ring *ring, unsigned place, struct ahead_file *file)
{
    (void)ring, (void)place;
    *file = (struct ahead_file){.fd = -1};
}

void ahead_ring_give_back(struct ahead_ring *ring, int fd)
{
    (void)ring, (void)fd;
}

void ahead_ring_close(struct ahead_ring *ring)
{
    (void)ring;
}

const char *ahead_ring_library(void)
{
    return "";
}
