/* SPDX-License-Identifier: MIT */
/* The set of names: open addressing, at most three quarters full. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pipeline/files/outname.h"
#include "pipeline/files/siphash.h"

struct hash {
    uint64_t word[2]; /* both 0: a free place */
};

struct outname_set {
    struct hash *places;
    size_t size, count; /* size is a power of two */
    uint64_t keys[2][2];
};

struct outname_set *outname_set_new(void)
{
    struct outname_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->size = 1024;
    set->places = calloc(set->size, sizeof *set->places);
    if (!set->places || getrandom(set->keys, sizeof set->keys, 0) != (ssize_t)sizeof set->keys) {
        outname_set_free(set);
        return NULL;
    }
    return set;
}

void outname_set_free(struct outname_set *set)
{
    if (set)
        free(set->places);
    free(set);
}

/* The place that holds the hash, or the free one where it belongs. */
static struct hash *set_find(struct hash *places, size_t size, struct hash hash)
{
    size_t i = (size_t)hash.word[0] & (size - 1);
    while ((places[i].word[0] | places[i].word[1]) &&
           (places[i].word[0] != hash.word[0] || places[i].word[1] != hash.word[1]))
        i = (i + 1) & (size - 1);
    return &places[i];
}

static int set_grow(struct outname_set *set)
{
    struct hash *places = calloc(2 * set->size, sizeof *places);
    if (!places)
        return ERROR_MEMORY;
    for (size_t i = 0; i < set->size; i++) {
        if (set->places[i].word[0] | set->places[i].word[1])
            *set_find(places, 2 * set->size, set->places[i]) = set->places[i];
    }
    free(set->places);
    set->places = places;
    set->size *= 2;
    return 0;
}

static struct hash hash_of(const struct outname_set *set, const char *name)
{
    const size_t length = strlen(name);
    struct hash hash = {{siphash(set->keys[0], name, length), siphash(set->keys[1], name, length)}};
    hash.word[1] |= (hash.word[0] | hash.word[1]) == 0;
    return hash;
}

bool outname_set_has(const struct outname_set *set, const char *name)
{
    const struct hash *place = set_find(set->places, set->size, hash_of(set, name));
    return place->word[0] | place->word[1];
}

int outname_set_add(struct outname_set *set, const char *name)
{
    const struct hash hash = hash_of(set, name);
    if (set->count >= set->size / 4 * 3)
        TRY(set_grow(set));
    struct hash *place = set_find(set->places, set->size, hash);
    if (place->word[0] | place->word[1])
        return 0;
    *place = hash;
    set->count++;
    return 1;
}
