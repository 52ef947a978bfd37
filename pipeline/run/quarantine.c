/* SPDX-License-Identifier: MIT */
#include "pipeline/run/quarantine.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/files/outfile.h"
#include "pipeline/files/outname.h"
#include "pipeline/files/siphash.h"
#include "pipeline/report/escape.h"

#define TEXT_SUFFIX ".error.txt"
#define HASH_DIGITS 16u /* of text_name */

struct noted {
    struct noted *next;
    unsigned root;
    uint32_t attempts;
    struct error error;
    char *path, *rel, *shown;
};

struct quarantine {
    struct outfile *out;
    const struct scan *scan;
    void (*tell)(void *context, const char *shown, const char *text);
    void *context;
    pthread_mutex_t lock; /* guards the list */
    struct noted *first, *last;
};

int quarantine_open(struct quarantine **out, const char *directory, const struct scan_options *inputs,
                    const char *output, const struct scan *scan,
                    void (*tell)(void *context, const char *shown, const char *text), void *context,
                    struct error *error)
{
    struct quarantine *quarantine = calloc(1, sizeof *quarantine);
    *out = NULL;
    if (!quarantine)
        return error_set(error, ERROR_MEMORY, "out of memory");
    *quarantine = (struct quarantine){.scan = scan, .tell = tell, .context = context};
    pthread_mutex_init(&quarantine->lock, NULL);
    int code = outfile_open(&quarantine->out, directory, error);
    if (code == 0)
        code = outname_check_aside(inputs, output, directory, error);
    if (code < 0)
        quarantine_close(quarantine);
    else
        *out = quarantine;
    return code;
}

static void noted_free(struct noted *noted)
{
    free(noted->path);
    free(noted->rel);
    free(noted->shown);
    free(noted);
}

void quarantine_note(struct quarantine *quarantine, const struct item *item, const struct error *error,
                     uint32_t attempts)
{
    struct noted *noted = quarantine ? calloc(1, sizeof *noted) : NULL;
    if (!noted)
        return;
    *noted = (struct noted){.root = item->root,
                            .attempts = attempts,
                            .error = *error,
                            .path = strdup(item->path),
                            .rel = strdup(item->rel),
                            .shown = strdup(item->shown)};
    if (!noted->path || !noted->rel || !noted->shown) {
        noted_free(noted);
        return;
    }
    pthread_mutex_lock(&quarantine->lock);
    if (quarantine->first)
        quarantine->last->next = noted;
    else
        quarantine->first = noted;
    quarantine->last = noted;
    pthread_mutex_unlock(&quarantine->lock);
}

static int copy_input(struct quarantine *quarantine, const struct noted *noted, struct error *error)
{
    struct stat st;
    TRY(outname_check_own(noted->rel, error));
    int fd = scan_open_file(quarantine->scan, noted->root, noted->path, &st, error);
    TRY(fd);
    int code = outfile_copy(quarantine->out, noted->rel, fd, error);
    close(fd);
    return code;
}

/* The text's name; where that would be too long, one cut short and told apart by a hash of the whole. */
static void text_name(const char *rel, char *name, size_t size)
{
    static const uint64_t key[2];
    const char *slash = strrchr(rel, '/'), *base = slash ? slash + 1 : rel;
    const size_t length = strlen(base), most = NAME_MAX - strlen(TEXT_SUFFIX);
    if (length <= most) {
        snprintf(name, size, "%s" TEXT_SUFFIX, rel);
        return;
    }
    size_t kept = most - HASH_DIGITS - 1;
    while (kept > 0 && (base[kept] & 0xc0) == 0x80) /* not amid a character of UTF-8 */
        kept--;
    snprintf(name, size, "%.*s~%016" PRIx64 TEXT_SUFFIX, (int)((size_t)(base - rel) + kept), rel,
             siphash(key, base, length));
}

static int write_text(struct quarantine *quarantine, const struct noted *noted, struct error *error)
{
    char name[PATH_MAX + sizeof TEXT_SUFFIX], reason[4 * sizeof noted->error.reason];
    char stage[4 * sizeof noted->error.stage], *text;
    const size_t size = 4 * strlen(noted->shown) + 4;
    char *shown = malloc(size);
    text_name(noted->rel, name, sizeof name);
    int length =
        shown ? asprintf(&text, "file      %s\nkind      %s\nstage     %s\nattempts  %u\nreason    %s\n",
                         escape_text(noted->shown, shown, size), error_name(noted->error.code),
                         *noted->error.stage ? escape_text(noted->error.stage, stage, sizeof stage) : "-",
                         noted->attempts, escape_text(noted->error.reason, reason, sizeof reason))
              : -1;
    free(shown);
    if (length < 0)
        return error_set(error, ERROR_MEMORY, "out of memory");
    int code = outfile_write(quarantine->out, name, text, (size_t)length, NULL, NULL, error);
    free(text);
    return code;
}

/* Does a part of the work, and says so where that fails. */
static void attempt(struct quarantine *quarantine, const struct noted *noted, const char *failing,
                    int (*part)(struct quarantine *, const struct noted *, struct error *))
{
    struct error error = {0};
    char text[sizeof error.reason + 32];
    if (part(quarantine, noted, &error) == 0)
        return;
    snprintf(text, sizeof text, "%s: %s", failing, error.reason);
    quarantine->tell(quarantine->context, noted->shown, text);
}

void quarantine_work(struct quarantine *quarantine)
{
    if (!quarantine)
        return;
    pthread_mutex_lock(&quarantine->lock);
    struct noted *noted = quarantine->first;
    quarantine->first = quarantine->last = NULL;
    pthread_mutex_unlock(&quarantine->lock);
    while (noted) {
        struct noted *next = noted->next;
        /* The text also where there is nothing to copy, as of a file that cannot be opened. */
        attempt(quarantine, noted, "not copied", copy_input);
        attempt(quarantine, noted, "no text beside it", write_text);
        noted_free(noted);
        noted = next;
    }
}

void quarantine_close(struct quarantine *quarantine)
{
    if (!quarantine)
        return;
    for (struct noted *noted = quarantine->first; noted;) {
        struct noted *next = noted->next;
        noted_free(noted);
        noted = next;
    }
    outfile_close(quarantine->out);
    pthread_mutex_destroy(&quarantine->lock);
    free(quarantine);
}
