// SPDX-License-Identifier: GPL-2.0-only
/*
 * What heaps hold, in the kernel's own counters, so that /proc/meminfo and its
 * like know where the memory is:
 *
 *	NR_SLAB_UNRECLAIMABLE_B		pages that are not free in the page tree:
 *					SUnreclaim and Slab in meminfo
 *	NR_KERNEL_MISC_RECLAIMABLE	pages that are: KReclaimable, and part of
 *					MemAvailable
 *
 * Free pages are what a shrinker gives back at once; what caches hold is given
 * back later, and counts as used until then.
 *
 * Each node knows what it has shown, and shows the difference: whoever changed
 * its tree calls account_sync() before the lock is dropped. What is shown is
 * taken out again with the heap, so that pages lost with live objects are in no
 * counter when the module is gone.
 *
 * Locks: heap_node->lock is held by the caller.
 */
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>

#include "account.h"
#include "compat.h"

static void account_show(struct heap_node *node, u64 used, u64 unused)
{
	struct pglist_data *pgdat = node->pgdat;
	long more = used - node->shown_used;

	if (more) {
		/* This one is counted in bytes. */
		mod_node_page_state(pgdat, NR_SLAB_UNRECLAIMABLE_B,
				    more * (long)GOALLOC_PAGE_SIZE);
		node->shown_used = used;
	}
	more = unused - node->shown_free;
	if (more) {
		mod_node_page_state(pgdat, NR_KERNEL_MISC_RECLAIMABLE,
				    more * (long)(GOALLOC_PAGE_SIZE / PAGE_SIZE));
		node->shown_free = unused;
	}
}

/**
 * account_sync - show what a node holds now
 * @node: the node; nothing is done if it is of an invented address space
 *
 * Context: Any; heap lock held.
 */
void account_sync(struct heap_node *node)
{
	lockdep_assert_held(&node->lock);
	if (node->pgdat)
		account_show(node, heap_node_used(node), node->palloc.nr_free);
}

/**
 * account_forget - take out of the counters what a node shows
 * @node: one that nobody uses any more
 *
 * Context: Any but NMI.
 */
void account_forget(struct heap_node *node)
{
	if (node->pgdat)
		account_show(node, 0, 0);
}
