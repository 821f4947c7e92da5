// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may be asked of a heap at any time, while everybody uses it: that its
 * caches be emptied, its free pages given back, and all of it checked.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>

#include "torture.h"

static struct task_struct *upkeep_task;
static struct torture_ctx *upkeep_ctx;
atomic_long_t upkeep_calls;
atomic_long_t upkeep_bytes;

/**
 * upkeep_step - ask one of these things of a heap
 * @ctx: the caller's context, of which only the random numbers are used
 * @heap: the heap, or NULL for the default one
 *
 * Context: Process context, may sleep.
 */
void upkeep_step(struct torture_ctx *ctx, struct goalloc_heap *heap)
{
	u32 what = torture_below(ctx, 8);

	atomic_long_inc(&upkeep_calls);
	if (what < 4)
		atomic_long_add(goalloc_flush(heap), &upkeep_bytes);
	else if (what < 7)
		atomic_long_add(goalloc_scavenge(heap, torture_below(ctx, 64 << 20)),
				&upkeep_bytes);
	else if (goalloc_validate(heap) < 0)
		torture_fail("a heap is not as it must be", heap, 0, 0);
}

static int upkeep_thread(void *unused)
{
	while (!kthread_should_stop()) {
		upkeep_step(upkeep_ctx, NULL);
		msleep(20 + torture_below(upkeep_ctx, 200));
	}
	return 0;
}

/**
 * upkeep_start - begin
 *
 * Return: 0 or an error.
 */
int upkeep_start(void)
{
	upkeep_ctx = torture_ctx_create(LEVEL_TASK, 0, 0);
	if (!upkeep_ctx)
		return -ENOMEM;
	upkeep_task = kthread_run(upkeep_thread, NULL, "torture_upkeep");
	if (IS_ERR(upkeep_task)) {
		upkeep_task = NULL;
		return -ENOMEM;
	}
	return 0;
}

/**
 * upkeep_stop - end
 */
void upkeep_stop(void)
{
	if (upkeep_task)
		kthread_stop(upkeep_task);
	upkeep_task = NULL;
}
