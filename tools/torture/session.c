// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters that all torture modules have, and waiting: until the time is over, and
 * until those who disturb have stopped. tools/torture/guest-main reads and writes them.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "session.h"

unsigned int session_secs = 30;
module_param_named(secs, session_secs, uint, 0444);
MODULE_PARM_DESC(secs, "seconds to run");

unsigned long session_seed = 1;
module_param_named(seed, session_seed, ulong, 0444);
MODULE_PARM_DESC(seed, "where the random numbers start");

bool session_pressure = true;
module_param_named(pressure, session_pressure, bool, 0444);
MODULE_PARM_DESC(pressure, "use up all memory now and then");

static bool helpers;
module_param(helpers, bool, 0444);
MODULE_PARM_DESC(helpers, "others disturb the heaps, until they see resting and write quiet");

static bool resting;
module_param(resting, bool, 0444);
MODULE_PARM_DESC(resting, "nobody uses the heaps any more: helpers are to stop");

static bool quiet;
module_param(quiet, bool, 0644);
MODULE_PARM_DESC(quiet, "to be written when the helpers have stopped");

unsigned int session_errors;
module_param_named(errors, session_errors, uint, 0444);
MODULE_PARM_DESC(errors, "what was found wrong");

unsigned long session_operations;
module_param_named(operations, session_operations, ulong, 0444);
MODULE_PARM_DESC(operations, "what was done, see the log");

/* How long to wait in the end for helpers. */
#define QUIET_SECONDS 120

/**
 * session_wait - until the time is over
 * @progress: called every 5 seconds, and in the end, with the seconds that have passed
 *
 * Context: Process context; of the thread that loads the module.
 * Return: 0; -EINTR if somebody does not want to wait for that.
 */
int session_wait(void (*progress)(unsigned int at))
{
	time64_t start, at, last = 0;

	/* By the clock: on a busy machine this thread is late. */
	set_user_nice(current, MIN_NICE);
	start = ktime_get_seconds();
	while (last < session_secs) {
		msleep_interruptible(500);
		at = ktime_get_seconds() - start;
		if (at / 5 != last / 5 || at >= session_secs)
			progress(at);
		last = at;
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * session_rest - until nobody takes CPUs away, or has heaps flushed, or the like
 *
 * Context: Process context.
 * Return: false if they do not stop.
 */
bool session_rest(void)
{
	time64_t end = ktime_get_seconds() + QUIET_SECONDS;

	WRITE_ONCE(resting, true);
	while (helpers && !READ_ONCE(quiet) && ktime_get_seconds() < end)
		msleep(50);
	return !helpers || READ_ONCE(quiet);
}
