/* SPDX-License-Identifier: MIT */
/* The files that a run writes besides outputs: they replace neither an input nor each other, and no output is
 * called like one. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/files/resolve.h"
#include "pipeline/run/combining.h"
#include "pipeline/run/run_parts.h"

/* Names that are compared with each other. */
struct extras {
    char *places[RUN_EXTRAS];
    unsigned count;
};

void run_extras_reserve(struct run *run, const char *path, const char *who)
{
    unsigned at = 0;
    while (run->reserved[at].name)
        at++;
    run->reserved[at].name = outname_of_extra(run->job.settings.output, path);
    run->reserved[at].who = who;
    run->reader.names.reserved = run->reserved;
}

/* Is it a file that a stage reads? */
static int check_stages(const struct job *job, const char *path, struct error *error)
{
    struct stat file, st;
    if (stat(path, &file) < 0)
        return 0;
    for (unsigned i = 0; i < job->stage_count; i++) {
        const struct stage *stage = job->stages[i].stage;
        for (const struct param *param = stage->params; param && param->name; param++) {
            if (param->type != PARAM_FILE)
                continue;
            const struct param_file *read =
                (const void *)((const char *)job->stages[i].params + param->offset);
            if (read->path && stat(read->path, &st) == 0 && st.st_dev == file.st_dev &&
                st.st_ino == file.st_ino)
                return error_set(error, ERROR_USAGE, "%.160s is what %s reads, and would be replaced", path,
                                 stage->name);
        }
    }
    return 0;
}

static int add(struct run *run, struct extras *extras, const struct scan_options *options, const char *path,
               const char *who, struct error *error)
{
    TRY(outname_check_extra(options, run->job.settings.output, path, error));
    TRY(check_stages(&run->job, path, error));
    char *place = resolve_place(path);
    if (!place)
        return error_set(error, ERROR_MEMORY, "out of memory");
    for (unsigned i = 0; i < extras->count; i++) {
        if (strcmp(extras->places[i], place) == 0) {
            free(place);
            return error_set(error, ERROR_USAGE, "%.160s would be written twice", path);
        }
    }
    extras->places[extras->count++] = place;
    run_extras_reserve(run, path, who);
    return 0;
}

static int add_all(struct run *run, struct extras *extras, const struct scan_options *options,
                   struct error *error)
{
    const struct settings *settings = &run->job.settings;
    if (settings->trace)
        TRY(add(run, extras, options, settings->trace, "trace", error));
    if (settings->collect_file)
        TRY(add(run, extras, options, settings->collect_file, "collect", error));
    for (size_t i = 0; settings->aggregate_file && i < settings->aggregate_ops.count; i++) {
        char *path = combining_path(&run->job, i);
        int code = path ? add(run, extras, options, path, "aggregate", error)
                        : error_set(error, ERROR_MEMORY, "out of memory");
        free(path);
        TRY(code);
    }
    return 0;
}

int run_extras(struct run *run, const struct scan_options *options, struct error *error)
{
    struct extras extras = {.count = 0};
    int code = add_all(run, &extras, options, error);
    for (unsigned i = 0; i < extras.count; i++)
        free(extras.places[i]);
    return code;
}
