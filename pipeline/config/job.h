/* SPDX-License-Identifier: MIT */
/* What a run is asked to do: the settings, the chain of stages, and how pools cut the chain. Filled by
 * config.c from file, environment and flags; never changes once the run starts. */
#ifndef PIPELINE_JOB_H
#define PIPELINE_JOB_H

#include "pipeline/config/settings.h"
#include "stages/stage.h"

#define JOB_MAX_STAGES  64
#define JOB_MAX_POOLS   16
#define JOB_MAX_OUTPUTS 16

/* Most that the stages of a chain may tell about one item. */
#define JOB_MAX_RECORD_BYTES ((size_t)1 << 20)

/* When a stage works on an item; elsewhere the item passes unchanged. All that is given must hold. Sizes are
 * those of the item as it comes to the stage. */
struct job_when {
    struct param_list glob; /* one of these matches the item's name or path, as `include` does */
    int kind;               /* 0 any, else 1 + enum shape_kind */
    uint64_t min_width, max_width, min_height, max_height; /* of images */
    uint64_t min_samples, max_samples;                     /* of both kinds: pixels x channels, or elements */
    uint64_t min_file_bytes, max_file_bytes;
};

/* The table of `when`, ended by PARAM_END, for struct job_when. */
extern const struct param job_when_table[];
const struct param *job_when_params(void);

struct job_stage {
    const struct stage *stage;
    void *params;          /* the stage's parameter block, parsed and checked; owned by the job */
    struct job_when *when; /* NULL: always; owned by the job */
    char prefix[24];       /* of the fields it tells; "" where only one stage tells any */
};

/* One file that each item makes: what the stages before `first_output` made of it, or that with stages of its
 * own [first, last) after those. */
struct job_output {
    unsigned first, last;
    struct codec_save save;
    bool lends_name, lends_delimiter; /* save.name, save.delimiter belong to the settings */
};

/* A run of consecutive stages [first, last) that the same workers do, fused. The first pool also decodes and
 * the last one also encodes; a pool may hold no stage at all. */
struct job_pool {
    char name[24];
    unsigned first, last;
    int64_t workers;  /* at least 1 once job_resolve ran */
    bool own_workers; /* the pool itself says how many */
    int64_t queue;    /* capacity of the queue before this pool */
    bool own_queue;   /* the pool itself says so */
    int64_t recycle;
    bool unconfined; /* no sandbox for its workers, whatever the setting */
};

struct job {
    struct settings settings;
    struct job_stage stages[JOB_MAX_STAGES];
    unsigned stage_count;
    struct job_pool pools[JOB_MAX_POOLS]; /* at least one */
    unsigned pool_count;
    /* Without `tee` one output without stages of its own; none where nothing is saved. */
    struct job_output outputs[JOB_MAX_OUTPUTS];
    unsigned output_count;
    unsigned trunk;        /* stages [0, trunk) are common to all outputs */
    bool tee;              /* the outputs were given by `tee` */
    unsigned row_members;  /* how many may share the rows of one image; 0 and 1: none do */
    bool bands;            /* large images may go through the first stages band by band, */
    bool whole_first;      /* but only where there is no room for them as a whole */
    bool observed;         /* others of this user may look into the memory of its workers */
    char workers_from[64]; /* what decided the worker count: "default", "thumbs.yaml:4", "-w", ... */
    bool own_memory, own_queue, own_batch; /* these settings were given, and stay as they are */
    char lowered[128];                     /* what became of the others in machine_fit; "": they stay, too */
};

/* Does the stage work on items of this shape, as far as that decides? */
bool job_applies(const struct job_stage *stage, const struct shape *shape);

/* Bit i: stage i leaves out items of this name (relative to their input) and file size. */
uint64_t job_skipped(const struct job *job, const char *rel, uint64_t file_bytes);

/* Do several outputs start from one item, so that it must be kept while each is made? */
bool job_branches(const struct job *job);

/* Does an item make more than one file, or something beside it, so that they are laid out in pieces? */
bool job_makes_pieces(const struct job *job);

/* Does an item make one file and nothing else, in one pool, so that its rows may go from one step to the
 * next?
 */
bool job_streams(const struct job *job);

/* The stage that cuts an output into tiles: the last one of its chain; NULL: none does. */
const struct job_stage *job_tiles(const struct job *job, unsigned output);

/* Does any pool run commands, so that it is outside the sandbox? */
bool job_unconfined(const struct job *job);

/* Does anybody collect what stages tell? */
bool job_records(const struct job *job);

/* The directory of the items' counterparts, and in *stage the stage that wants it (may be NULL); NULL: none.
 */
const char *job_reference(const struct job *job, unsigned *stage);

/* Frees the stages and outputs, and leaves an empty chain without a pool. */
void job_free_chain(struct job *job);

/* Frees what the job owns; accepts a half-built one. */
void job_free(struct job *job);

#endif
