/* SPDX-License-Identifier: MIT */
/* What the end of a worker says about why. */
#ifndef PIPELINE_DEATH_H
#define PIPELINE_DEATH_H

#include "pipeline/engine/engine.h"

/* Fills `cause` for a worker that did not leave by itself. `overstayed`: its death was asked for, as it had
 * shown no sign of life for `timeout_ms`. */
void death_cause(const struct engine_report *report, bool overstayed, uint64_t timeout_ms,
                 struct error *cause);

#endif
