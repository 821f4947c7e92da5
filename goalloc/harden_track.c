// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: who allocated an object, and who freed it.
 *
 * Stacks go to the kernel's stack depot, which keeps each of them once and
 * gives a number for it. It cannot be asked everywhere: not in NMI, on
 * PREEMPT_RT not in atomic context, and not every kernel has one; then there is
 * the call site alone. Frames of goalloc itself are left out.
 *
 * Locks: none held; the depot's own.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>

#include "compat.h"
#include "harden.h"

/* Frames that are looked at, and as many are kept at most. */
#define TRACK_FRAMES 24

/* Collect the stack of the caller of goalloc; returns its length. */
static unsigned int track_collect(unsigned long *entries, unsigned long **begin)
{
	unsigned int nr = 0;
	unsigned int skip = 0;

#ifdef CONFIG_STACKTRACE
	nr = stack_trace_save(entries, TRACK_FRAMES, 0);
	while (skip < nr && within_module(entries[skip], THIS_MODULE))
		skip++;
#endif
	*begin = entries + skip;
	return nr - skip;
}

/**
 * harden_track_init - prepare for recording
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int harden_track_init(void)
{
#ifdef CONFIG_STACKDEPOT
	return stack_depot_init();
#else
	return 0;
#endif
}

/* Milliseconds of this CPU's clock. */
u32 harden_now(void)
{
	return div_u64(local_clock(), NSEC_PER_MSEC);
}

/**
 * harden_site - who called goalloc
 *
 * For where the call site was not handed down. Takes a while.
 *
 * Context: Any context.
 * Return: the address, or one in goalloc if the kernel cannot unwind.
 */
unsigned long harden_site(void)
{
	unsigned long entries[TRACK_FRAMES], *begin;

	return track_collect(entries, &begin) ? *begin : _RET_IP_;
}

/**
 * harden_record - note who does something, and when
 * @event: where to note it
 * @site: call site, 0 to find it out
 *
 * Context: Any context.
 */
void harden_record(struct harden_event *event, unsigned long site)
{
	unsigned long entries[TRACK_FRAMES], *begin;
	unsigned int nr = track_collect(entries, &begin);

	event->site = site ?: nr ? *begin : _RET_IP_;
	event->pid = current->pid;
	event->cpu = raw_smp_processor_id();
	event->when = harden_now();
	event->stack = 0;
#ifdef CONFIG_STACKDEPOT
	if (nr && !in_nmi() && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible()))
		event->stack = stack_depot_save(begin, filter_irq_stacks(begin, nr),
						GFP_NOWAIT | __GFP_NOWARN);
#endif
}

/**
 * harden_stack - the stack of an event
 * @event: the event
 * @entries: the addresses
 *
 * Context: Any context.
 * Return: their number, 0 if there is the call site alone.
 */
unsigned int harden_stack(const struct harden_event *event, unsigned long **entries)
{
#ifdef CONFIG_STACKDEPOT
	if (event->stack)
		return stack_depot_fetch(event->stack, entries);
#endif
	return 0;
}
