/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page cache per CPU in front of the heap lock.
 */
#ifndef GOALLOC_CPU_PAGES_H
#define GOALLOC_CPU_PAGES_H

#include <linux/types.h>

#include "page_cache.h"

struct goalloc_heap;
struct heap_node;

/**
 * struct cpu_pages - free pages at hand on one CPU
 * @cache: up to 64 pages of one window
 * @nid: node they are on, when there are any
 * @hits: requests served from @cache
 * @misses: requests that went to the tree
 * @fills: windows taken from the tree
 *
 * Used in task context with preemption off, so there is no lock; others may
 * read the numbers for statistics.
 */
struct cpu_pages {
	struct page_cache cache;
	int nid;
	u64 hits;
	u64 misses;
	u64 fills;
};

unsigned int cpu_pages_max(const struct goalloc_heap *heap);
u64 cpu_pages_alloc(struct heap_node *node, u64 npages, bool *clean);
u64 cpu_pages_flush(struct goalloc_heap *heap, unsigned int cpu);

#endif /* GOALLOC_CPU_PAGES_H */
