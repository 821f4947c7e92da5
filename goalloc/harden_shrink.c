// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: the quarantine gives way when memory is short.
 *
 * Each heap with a quarantine has a shrinker. What it is asked for leaves the
 * quarantine, oldest first, and the pages that become free go back to the
 * kernel.
 *
 * Locks: none here. Called by reclaim, so nothing below may allocate.
 */
#include <linux/kernel.h>
#include <linux/mm.h>

#include "compat.h"
#include "compat_shrinker.h"
#include "harden.h"

/**
 * harden_shrink - let objects out of quarantine and their pages go
 * @h: the heap
 * @npages: pages (of PAGE_SIZE) to get
 *
 * Context: Any but NMI; on PREEMPT_RT preemptible.
 * Return: pages' worth of objects let out.
 */
u64 harden_shrink(struct harden *h, u64 npages)
{
	u64 bytes = harden_drain(h, npages << PAGE_SHIFT);
	u64 want = DIV_ROUND_UP(bytes, GOALLOC_PAGE_SIZE);
	struct heap_node *node;

	for (node = heap_first_node(h->heap); node && want; node = heap_next_node(node))
		want -= min(want, heap_scavenge(node, want, true));
	return bytes >> PAGE_SHIFT;
}
GOALLOC_EXPORT_KUNIT(harden_shrink);

static unsigned long shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct harden *h = compat_shrinker_data(shrinker);

	return READ_ONCE(h->bytes) >> PAGE_SHIFT ?: SHRINK_EMPTY;
}

static unsigned long shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	return harden_shrink(compat_shrinker_data(shrinker), sc->nr_to_scan) ?: SHRINK_STOP;
}

/**
 * harden_shrink_init - begin to give way
 * @h: the heap
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int harden_shrink_init(struct harden *h)
{
	h->shrinker = compat_shrinker_new("goalloc-quarantine", h, shrink_count, shrink_scan);
	return h->shrinker ? 0 : -ENOMEM;
}

/**
 * harden_shrink_exit - no longer be asked
 * @h: the heap
 *
 * Context: Process context, may sleep.
 */
void harden_shrink_exit(struct harden *h)
{
	if (h->shrinker)
		compat_shrinker_free(h->shrinker);
	h->shrinker = NULL;
}
