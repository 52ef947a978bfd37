/* SPDX-License-Identifier: MIT */
/* What comes out at the end of the chain: kinds that fit, formats and names of outputs, and what is
 * collected. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/config/config_chain.h"
#include "pipeline/files/outname.h"
#include "pipeline/report/table.h"
#include "pipeline/run/combining.h"

static void stage_error(struct config *config, unsigned stage, const char *text)
{
    diag_error_at(config->diag, config->stages[stage].place, "%s", text);
}

static void output_error(struct config *config, unsigned output, const char *text)
{
    if (config->job.tee)
        diag_error_at(config->diag, config->tees[output].place, "tee: %s", text);
    else
        diag_error(config->diag, "save.name: %s", text);
}

static unsigned stage_kinds(const struct stage *stage)
{
    return (stage->accepts ? CODEC_IMAGES : 0) | (stage->arrays ? CODEC_ARRAYS : 0);
}

/* Follows the kinds through stages [first, last), from those that may come. False: one cannot get any. */
static bool follow_kinds(struct config *config, unsigned first, unsigned last, unsigned *kinds,
                         unsigned *giver)
{
    for (unsigned i = first; i < last; i++) {
        const struct job_stage *link = &config->job.stages[i];
        const unsigned takes = stage_kinds(link->stage);
        unsigned comes = *kinds & takes, passes = link->when ? *kinds & ~takes : 0;
        if (!comes && !passes) {
            char text[256];
            snprintf(text, sizeof text, "%s takes %s, but %s before it gives %s", link->stage->name,
                     takes == CODEC_ARRAYS ? "arrays" : "images", config->job.stages[*giver].stage->name,
                     *kinds == CODEC_ARRAYS ? "arrays" : "images");
            stage_error(config, i, text);
            return false;
        }
        if (!passes && comes != *kinds)
            *giver = i;
        if (link->stage->gives != STAGE_GIVES_SAME && comes) {
            comes = link->stage->gives == STAGE_GIVES_ARRAY ? CODEC_ARRAYS : CODEC_IMAGES;
            *giver = i;
        }
        *kinds = comes | passes;
    }
    return true;
}

/* Where the chain itself decides what comes out, a format that is the same as the input's may be none for it.
 */
static int format_for(unsigned kinds)
{
    const struct codec *const *codecs = codec_all();
    for (int i = 0; codecs[i]; i++) {
        if (!codecs[i]->read_only && codecs[i]->kinds & kinds)
            return i + 1;
    }
    return 0;
}

static bool turns_kinds(const struct job *job, unsigned output)
{
    for (unsigned i = 0; i < job->outputs[output].last; i++) {
        const bool mine = i < job->trunk || i >= job->outputs[output].first;
        if (mine && job->stages[i].stage->gives != STAGE_GIVES_SAME)
            return true;
    }
    return false;
}

static int codec_index_of(const struct codec *codec)
{
    int index = 0;
    while (codec_all()[index] != codec)
        index++;
    return index + 1;
}

/* An extension that chooses no format is refused, unless the format is chosen otherwise: nobody wants PNG in
 * a file that is called .gif. */
static void refuse_extension(struct config *config, unsigned output, const char *name)
{
    char text[256], words[512] = "";
    size_t used = 0;
    snprintf(text, sizeof text,
             "'%.60s' does not end in the extension of a format that can be written; "
             "give one, or {ext}, or say what to write with format",
             name);
    output_error(config, output, text);
    for (const struct codec *const *codec = codec_all(); *codec && used < sizeof words; codec++) {
        if (!(*codec)->read_only)
            used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used ? "|" : "",
                                     (*codec)->extensions);
    }
    diag_allowed(config->diag, "extensions", words);
}

/* What the name says about the format. */
static void fit_name(struct config *config, unsigned output)
{
    struct codec_save *save = &config->job.outputs[output].save;
    struct error error = {0};
    char text[256];
    bool gzip;
    if (!save->name)
        return;
    if (outname_check_template(save->name, job_tiles(&config->job, output), &error) < 0) {
        output_error(config, output, error.reason);
        return;
    }
    const struct codec *named = outname_template_codec(save->name, &gzip);
    if (!named || named->read_only) {
        if (!save->format && !outname_template_open(save->name))
            refuse_extension(config, output, save->name);
        return;
    }
    const int format = codec_index_of(named);
    if (save->format && save->format != format) {
        snprintf(text, sizeof text, "'%.60s' is the name of a %s, but format is %s", save->name, named->name,
                 codec_all()[save->format - 1]->name);
        output_error(config, output, text);
    }
    if (save->gzip == CODEC_GZIP_YES && !gzip && named->gzip) {
        snprintf(text, sizeof text, "'%.60s' is no name of a packed file, but gzip is yes", save->name);
        output_error(config, output, text);
    }
    save->format = format;
    save->gzip = gzip ? CODEC_GZIP_YES : CODEC_GZIP_NO;
}

/* A stage that cuts into tiles ends its chain. */
static void check_tiles(struct config *config)
{
    const struct job *job = &config->job;
    for (unsigned i = 0; i < job->stage_count; i++) {
        if (!job->stages[i].stage->piece)
            continue;
        bool last = false;
        for (unsigned j = 0; j < job->output_count; j++) {
            last = last || job_tiles(job, j) == &job->stages[i];
            if (job_tiles(job, j) && job->outputs[j].save.gzip == CODEC_GZIP_YES)
                output_error(config, j, "tiles are not packed; drop gzip");
        }
        if (!last)
            stage_error(config, i, "tile must be the last stage of its chain");
    }
}

static void check_references(struct config *config)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < config->job.stage_count; i++) {
        const struct job_stage *link = &config->job.stages[i];
        if (link->stage->reference && link->stage->reference(link->params) && seen++)
            stage_error(config, i, "only one stage of a chain can have a reference directory");
    }
}

/* The fields of several stages are told apart by the stages' names. */
static void give_prefixes(struct job *job)
{
    unsigned count = 0;
    for (unsigned i = 0; i < job->stage_count; i++)
        count += job->stages[i].stage->records;
    for (unsigned i = 0; count > 1 && i < job->stage_count; i++) {
        unsigned before = 0;
        const struct stage *stage = job->stages[i].stage;
        for (unsigned j = 0; j < i; j++)
            before += job->stages[j].stage == stage;
        char number[12] = "";
        if (before)
            snprintf(number, sizeof number, "%u", before + 1);
        if (stage->records)
            snprintf(job->stages[i].prefix, sizeof job->stages[i].prefix, "%.10s%s.", stage->name, number);
    }
}

/* A name that no output takes. */
static void check_name(struct config *config)
{
    bool used = !config->job.settings.save.name || !config->job.tee;
    for (unsigned i = 0; i < config->job.output_count; i++)
        used = used || config->job.outputs[i].lends_name;
    if (!used)
        diag_error(config->diag, "save.name: every tee has a name of its own");
}

/* `kinds` is what comes out of the trunk. What else cannot be saved the first item shows. */
static void check_combining(struct config *config, unsigned kinds)
{
    const char *file = config->job.settings.aggregate_file;
    struct error error = {0};
    if (combining_check(&config->job, &error) < 0)
        diag_error(config->diag, "%s", error.reason);
    else if (file && kinds == CODEC_ARRAYS && codec_for_name(file)->kinds == CODEC_IMAGES)
        diag_error(config->diag,
                   "aggregate.file: what is combined are arrays, which %s does not hold; take .npy",
                   codec_for_name(file)->name);
}

static void check_collecting(struct config *config)
{
    const struct settings *settings = &config->job.settings;
    bool records = false;
    for (unsigned i = 0; i < config->job.stage_count; i++)
        records = records || config->job.stages[i].stage->records;
    if (settings->collect_file && !records)
        diag_error(config->diag,
                   "collect.file: no stage has anything to tell; stats, histogram, hash and compare have");
    if (settings->aggregate_ops.count && !settings->aggregate_file)
        diag_error(config->diag, "aggregate.ops: aggregate.file says where to, and is not given");
    if (settings->aggregate_file && !settings->aggregate_ops.count)
        diag_error(config->diag, "aggregate.file: aggregate.ops says what, and is not given");
    if (settings->collect_file && table_format_of(settings->collect_file) == TABLE_UNKNOWN)
        diag_error(config->diag, "collect.file: '%.100s' ends in none of .csv, .jsonl, .db",
                   settings->collect_file);
    if (config->job.output_count == 0 && !settings->collect_file && !settings->aggregate_file)
        diag_error(config->diag, "save.format: with none, nothing would be made; add collect or aggregate");
    if (settings->save.recompress && (config->job.stage_count || settings->save.strip))
        diag_error(config->diag,
                   "save.recompress: the input is kept as it is only without stages and without strip");
}

/* What tee leaves open is as `save` says. */
static void inherit(struct config *config, unsigned output)
{
    struct job_output *own = &config->job.outputs[output];
    const struct param *table = config_tee_table();
    struct codec_save given = own->save;
    const bool *is_given = config->tees[output].given;
    own->save = config->job.settings.save;
    own->lends_name = own->lends_delimiter = true;
    for (unsigned i = 0; config->job.tee && table[i].name; i++) {
        if (!is_given[i])
            continue;
        const size_t at = table[i].offset;
        const size_t bytes = table[i].type == PARAM_BOOL     ? sizeof(bool)
                             : table[i].type == PARAM_CHOICE ? sizeof(int)
                             : table[i].type == PARAM_TEXT   ? sizeof(char *)
                                                             : sizeof(int64_t);
        memcpy((char *)&own->save + at, (const char *)&given + at, bytes);
        if (at == offsetof(struct codec_save, name))
            own->lends_name = false;
        if (at == offsetof(struct codec_save, delimiter))
            own->lends_delimiter = false;
    }
}

/* A tee's own; that of `save` was looked at before. */
static void check_delimiter(struct config *config, unsigned output)
{
    struct job_output *own = &config->job.outputs[output];
    struct error error = {0};
    for (const struct codec *const *codec = codec_all(); *codec && !own->lends_delimiter; codec++) {
        if ((*codec)->check_save && (*codec)->check_save(&own->save, &error) < 0)
            output_error(config, output, error.reason);
    }
}

static void fit_output(struct config *config, unsigned output, unsigned kinds, int none)
{
    struct job *job = &config->job;
    struct job_output *own = &job->outputs[output];
    unsigned giver = 0;
    inherit(config, output);
    if (own->save.format == none) {
        output_error(config, output, "an output is saved; drop it instead of format none");
        return;
    }
    check_delimiter(config, output);
    fit_name(config, output);
    if (!follow_kinds(config, own->first, own->last, &kinds, &giver))
        return;
    if (own->save.format == 0 && turns_kinds(job, output) && (kinds == CODEC_ARRAYS || kinds == CODEC_IMAGES))
        own->save.format = format_for(kinds);
}

/* A pool that runs commands cannot be locked in; the others are. */
static void free_pools(struct job *job)
{
    for (unsigned i = 0; i < job->pool_count; i++) {
        struct job_pool *pool = &job->pools[i];
        pool->unconfined = false;
        for (unsigned j = pool->first; j < pool->last; j++)
            pool->unconfined = pool->unconfined || job->stages[j].stage->command;
    }
}

static bool same_names(const struct outname_form *a, const struct outname_form *b)
{
    /* What names that have nothing in common become: only equal templates make the same of each. */
    static const char *const inputs[] = {"\1/\2.png", "\3/\4/\5.npy"};
    bool same = a->tiles == b->tiles;
    for (unsigned i = 0; i < 2 && same; i++) {
        char one[PATH_MAX], other[PATH_MAX];
        same = outname_make(a, inputs[i], 0, 0, one, sizeof one, NULL) == 0 &&
               outname_make(b, inputs[i], 0, 0, other, sizeof other, NULL) == 0 && strcmp(one, other) == 0;
    }
    return same;
}

/* Two outputs whose names fall together whatever the input. */
static void check_twins(struct config *config)
{
    const struct job *job = &config->job;
    struct outname_form forms[JOB_MAX_OUTPUTS];
    for (unsigned i = 0; i < job->output_count; i++) {
        forms[i] = outname_form_of(&job->outputs[i].save, job_tiles(job, i) != NULL);
        unsigned twin = 0;
        while (twin < i && !same_names(&forms[twin], &forms[i]))
            twin++;
        if (twin < i)
            output_error(config, i, "its files would be called like those of an earlier tee; give it a name");
    }
}

void config_outputs_finish(struct config *config)
{
    struct job *job = &config->job;
    unsigned kinds = CODEC_IMAGES | CODEC_ARRAYS, giver = 0;
    int none = 1;
    while (codec_all()[none - 1])
        none++;
    if (!job->tee) {
        job->trunk = job->stage_count;
        job->output_count = job->settings.save.format == none ? 0 : 1;
        job->outputs[0] = (struct job_output){.first = job->stage_count, .last = job->stage_count};
    }
    if (!follow_kinds(config, 0, job->trunk, &kinds, &giver))
        return;
    for (unsigned i = 0; i < job->output_count; i++)
        fit_output(config, i, kinds, none);
    check_tiles(config);
    if (config->diag->errors == 0)
        check_twins(config);
    check_references(config);
    check_combining(config, kinds);
    check_collecting(config);
    check_name(config);
    give_prefixes(job);
    free_pools(job);
}
