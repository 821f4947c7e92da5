// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page cache per CPU in front of the heap lock.
 *
 * As in Go, requests under 16 pages are served from a window of 64 pages that
 * the CPU took out of the tree as a whole; only an empty cache takes the lock.
 * Pages that are freed go to the tree, never here.
 *
 * Unlike Go, a CPU takes no more than its share of what is free: 64 pages on
 * each of many CPUs would make a small heap grow for want of pages that are
 * lying about. And only task context has a cache: interrupts rarely make spans.
 *
 * Locks: heap_node->lock is taken here with preemption off.
 */
#include <linux/cpumask.h>
#include <linux/preempt.h>

#include "compat.h"
#include "cpu_pages.h"
#include "drain.h"
#include "heap.h"
#include "sanity.h"

/* The lock is not worth saving for a share of fewer pages. */
#define CPU_PAGES_MIN_SHARE 4

/**
 * cpu_pages_max - how many pages a CPU may have at hand
 * @heap: the heap
 *
 * Context: Any.
 * Return: pages that come to half of what its caches of objects may keep.
 */
unsigned int cpu_pages_max(const struct goalloc_heap *heap)
{
	return min_t(u64, READ_ONCE(heap->cache_share) / 2 >> GOALLOC_PAGE_SHIFT,
		     PAGE_CACHE_PAGES);
}
GOALLOC_EXPORT_KUNIT(cpu_pages_max);

/* All CPUs together may take half of the free pages. */
static u64 cpu_pages_share(const struct heap_node *node)
{
	/* The tree counts with plain stores; any number it had will do. */
	u64 share = data_race(READ_ONCE(node->palloc.nr_free)) / (2 * num_online_cpus());

	return min_t(u64, share, cpu_pages_max(node->heap));
}

static void cpu_pages_fill(struct cpu_pages *pages, struct heap_node *node)
{
	struct page_cache *cache = &pages->cache;
	unsigned long flags;
	u64 share, rest;

	raw_spin_lock_irqsave(&node->lock, flags);
	share = cpu_pages_share(node);
	palloc_alloc_to_cache(&node->palloc, cache);
	for (rest = cache->cache; rest && share; share--)
		rest &= rest - 1;
	if (rest) {
		palloc_free_window(&node->palloc, cache->base, rest, cache->scav & rest);
		cache->cache &= ~rest;
		cache->scav &= ~rest;
	}
	heap_note_peak(node);
	sanity_tree(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	pages->nid = node->nid;
	pages->fills++;
	drain_note();
}

/**
 * cpu_pages_alloc - take a short run of pages from this CPU's cache
 * @node: node that they must be on
 * @npages: less than PAGE_CACHE_MAX_REQUEST
 * @clean: whether they are known to hold zeros
 *
 * Context: Any but NMI; no goalloc lock may be held.
 * Return: first page, or PALLOC_NONE: ask the tree.
 */
u64 cpu_pages_alloc(struct heap_node *node, u64 npages, bool *clean)
{
	struct cpu_pages *pages;
	u64 page = PALLOC_NONE;
	unsigned int scav;

	preempt_disable();
	if (interrupt_context_level())
		goto out;
	pages = this_cpu_ptr(node->heap->cpu_pages);
	if (page_cache_empty(&pages->cache) &&
	    cpu_pages_share(node) >= CPU_PAGES_MIN_SHARE)
		cpu_pages_fill(pages, node);
	if (!page_cache_empty(&pages->cache) && pages->nid == node->nid)
		page = page_cache_alloc(&pages->cache, npages, &scav);
	if (page != PALLOC_NONE) {
		*clean = scav == npages;
		pages->hits++;
	} else {
		pages->misses++;
	}
out:
	preempt_enable();
	return page;
}
GOALLOC_EXPORT_KUNIT(cpu_pages_alloc);

/**
 * cpu_pages_flush - put a CPU's pages back into the tree
 * @heap: the heap
 * @cpu: this CPU, preemption off; or one on which nobody uses the heap: it is
 *       dead, or the heap is ending
 *
 * Context: Task context.
 * Return: bytes of pages that were in the cache.
 */
u64 cpu_pages_flush(struct goalloc_heap *heap, unsigned int cpu)
{
	struct cpu_pages *pages = per_cpu_ptr(heap->cpu_pages, cpu);
	struct heap_node *node;
	unsigned long flags;
	u64 nr;

	if (page_cache_empty(&pages->cache) || safe_is_on(heap))
		return 0;
	nr = hweight64(pages->cache.cache);
	node = heap->node[pages->nid];
	raw_spin_lock_irqsave(&node->lock, flags);
	page_cache_flush(&pages->cache, &node->palloc);
	sanity_tree(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return nr << GOALLOC_PAGE_SHIFT;
}
GOALLOC_EXPORT_KUNIT(cpu_pages_flush);
