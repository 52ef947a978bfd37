/* SPDX-License-Identifier: MIT */
/* The scheduling class of those that items pass through. */
#ifndef PIPELINE_BATCH_CLASS_H
#define PIPELINE_BATCH_CLASS_H

/* Makes the calling thread one that nobody waits for (SCHED_BATCH, sched(7)): when it is woken, who runs
 * there goes on. Otherwise a small item that is handed on takes the processor from the one that hands it on,
 * and back, item by item; and each turn from process to process costs as much as a tenth of an icon. The
 * supervisor stays as it is: a signal is heard at once. A class that the user chose stays, too; so does this
 * one where the system does not allow another. */
void batch_class_enter(void);

#endif
