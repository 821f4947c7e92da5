/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the heap below a collected one has to know of it, and events.
 */
#ifndef GOALLOC_GC_HEAP_H
#define GOALLOC_GC_HEAP_H

#include <linux/types.h>

struct goalloc_gc;
struct goalloc_heap;

/**
 * enum gc_phase - what the collector is doing
 * @GC_OFF: nothing, or sweeping
 * @GC_MARK: marking, while mutators run
 * @GC_MARKTERM: the end of marking; everybody is stopped
 */
enum gc_phase {
	GC_OFF,
	GC_MARK,
	GC_MARKTERM,
};

/**
 * struct gc_sums - small objects of a collected heap
 * @allocs: objects ever allocated
 * @frees: objects ever swept
 * @live: bytes of slots that are not free
 * @cached: bytes of free slots of CPUs
 * @central: bytes of free slots in sets
 * @tail: bytes behind the last slots of spans
 */
struct gc_sums {
	u64 allocs;
	u64 frees;
	u64 live;
	u64 cached;
	u64 central;
	u64 tail;
};

void gc_end_heap(struct goalloc_heap *heap);
void gc_stats_sum(struct goalloc_gc *gc, struct gc_sums *sums);

#endif /* GOALLOC_GC_HEAP_H */
