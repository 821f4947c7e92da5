// SPDX-License-Identifier: GPL-2.0-only
/*
 * sim_life.c - no safe mode, no afterlife and no collector for a heap in user space.
 *
 * A heap that is found broken is a bug here, found by fuzzing, so it ends the
 * program. One that has ended is freed at once, so that the address sanitizer
 * stops whoever still uses it.
 */
#include <sim_kernel.h>

#include "cache.h"
#include "ended.h"
#include "gc_heap.h"
#include "safe.h"
#include "stack_heap.h"

void safe_init_heap(struct goalloc_heap *heap)
{
}

void safe_enter(struct goalloc_heap *heap, const struct safe_fault *fault)
{
	sim_die("heap %s is broken: %s, bin %d, node %d: %s, page %llu, %llu pages",
		heap->name, fault->where, fault->bin, fault->nid, fault->what,
		fault->page, fault->npages);
}

bool safe_is_on(const struct goalloc_heap *heap)
{
	return false;
}

void safe_end_heap(struct goalloc_heap *heap, bool force)
{
	sim_die("a heap in safe mode");
}

void safe_exit(void)
{
}

void *safe_alloc(struct goalloc_heap *heap, size_t size, size_t usable,
		 size_t align, gfp_t gfp, int nid)
{
	sim_die("a heap in safe mode");
}

void safe_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	sim_die("a heap in safe mode");
}

size_t safe_size(const struct goalloc_heap *heap, const void *p)
{
	return 0;
}

struct goalloc_heap *safe_heap_of(const void *p)
{
	return NULL;
}

bool safe_owns(const void *p)
{
	return false;
}

struct goalloc_pcpu __percpu *ended_caches(void)
{
	return NULL;
}

void ended_keep(struct goalloc_heap *heap)
{
	kfree(heap);
}

void ended_exit(void)
{
}

void ended_alloc(struct goalloc_heap *heap)
{
	sim_die("allocation from a heap that has ended");
}

void ended_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	sim_die("free to a heap that has ended");
}

void ended_destroy(struct goalloc_heap *heap)
{
	sim_die("a heap ends twice");
}

void gc_end_heap(struct goalloc_heap *heap)
{
	sim_must(!heap->gc);
}

void gc_stats_sum(struct goalloc_gc *gc, struct gc_sums *sums)
{
	sim_die("a collected heap");
}

void stack_ledger(struct goalloc_stacks *stacks, struct goalloc_stats *st)
{
	sim_die("a heap of stacks");
}

void report_gc(const struct goalloc_gc *gc, const char *where, const char *what,
	       unsigned long caller)
{
	sim_die("a collected heap");
}

void report_gc_outside(struct goalloc_heap *heap)
{
	sim_die("a collected heap");
}
