// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structures of spans that are no more, for the next ones.
 *
 * A bad free may be looking at a structure when its span goes, so it is not used
 * again before an RCU grace period has passed. The kernel has one only when
 * somebody asks for it, and a quiet one may have none for minutes: whoever gives a
 * structure asks, and whoever finds that all of them still wait. So there are no
 * more of them than spans go while a grace period or two last. (Asking only when
 * they have run out would let their number grow with the square root of time.)
 *
 * Locks: central->lock, dropped before anything is asked for.
 */
#include <linux/atomic.h>
#include <linux/rcupdate.h>

#include "compat.h"
#include "spare.h"

/* A grace period is on its way that was asked for here: 1, else 0. */
static atomic_t spare_waiting;
static struct rcu_head spare_rcu;

static void spare_over(struct rcu_head *rcu)
{
	/* Orders what RCU does with @rcu before its next use. */
	atomic_set_release(&spare_waiting, 0);
}

/**
 * spare_waits - has a grace period been asked for that is not over?
 *
 * Context: Any.
 * Return: true if so.
 */
bool spare_waits(void)
{
	return atomic_read_acquire(&spare_waiting);
}
GOALLOC_EXPORT_KUNIT(spare_waits);

/* See to it that a grace period begins after this, soon. No lock is held. */
static void spare_ask(void)
{
	if (!spare_waits() && !atomic_xchg(&spare_waiting, 1))
		goalloc_call_rcu(&spare_rcu, spare_over);
}

/**
 * spare_take - take a structure for a new span
 * @central: the central list
 *
 * Context: Any but NMI.
 * Return: a structure that no bad free is looking at any more, or NULL.
 */
struct goalloc_span *spare_take(struct goalloc_central *central)
{
	struct goalloc_span *span;
	unsigned long flags;
	bool early;

	flags = central_lock(central);
	span = list_first_entry_or_null(&central->spare, struct goalloc_span, list);
	early = span && !poll_state_synchronize_rcu(span->grace);
	if (early)
		span = NULL;
	if (span)
		list_del_init(&span->list);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	if (early)
		spare_ask();
	return span;
}
GOALLOC_EXPORT_KUNIT(spare_take);

/**
 * spare_give - keep the structure of a span that is no more
 * @central: the central list
 * @span: the structure, in the page map no more
 *
 * Context: Any but NMI.
 */
void spare_give(struct goalloc_central *central, struct goalloc_span *span)
{
	unsigned long flags;

	flags = central_lock(central);
	span->grace = get_state_synchronize_rcu();
	list_add_tail(&span->list, &central->spare);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	spare_ask();
}

/**
 * spare_exit - wait for what was asked for
 *
 * Context: Process context, may sleep; no heap is used any more.
 */
void spare_exit(void)
{
	rcu_barrier();
}
