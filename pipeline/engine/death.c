/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/death.h"

#include <signal.h>
#include <string.h>

#include "pipeline/engine/worker.h"

void death_cause(const struct engine_report *report, bool overstayed, uint64_t timeout_ms,
                 struct error *cause)
{
    const double timeout_s = (double)timeout_ms / 1000;
    const char *signal = report->signal ? sigabbrev_np(report->signal) : NULL;
    if (report->start_errno)
        error_set(cause, ERROR_CRASH, "fork: %s", strerror(report->start_errno));
    else if (overstayed && report->killed && report->stopped) /* no item did that */
        error_set(cause, ERROR_CRASH, "its worker was stopped for longer than timeout %g s", timeout_s);
    else if (overstayed && report->killed)
        error_set(cause, ERROR_TIMEOUT, "held its worker longer than timeout %g s", timeout_s);
    else if (report->signal == SIGSYS)
        error_set(cause, ERROR_SANDBOX, "its worker was killed for a forbidden system call");
    else if (report->signal)
        error_set(cause, ERROR_CRASH, "its worker was killed by SIG%s", signal ? signal : "?");
    else if (report->exit_code == WORKER_NO_MEMORY)
        error_set(cause, ERROR_MEMORY, "no address space for a worker's scratch");
    else if (report->exit_code == WORKER_NO_SANDBOX)
        error_set(cause, ERROR_UNSUPPORTED, "a worker could not lock itself in; --sandbox off does without");
    else
        error_set(cause, ERROR_CRASH, "its worker exited with status %d", report->exit_code);
}
