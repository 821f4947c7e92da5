/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache of one CPU at one context level, and the fast paths through it.
 */
#ifndef GOALLOC_CACHE_H
#define GOALLOC_CACHE_H

#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include "heap.h"

/* Context levels: task, softirq, hardirq, NMI. NMI never has a cache. */
#define CACHE_LEVELS 4

/* A bin's list holds at most so many objects, and so many bytes of them. */
#define CACHE_MAX_OBJS 32
#define CACHE_MAX_BYTES 8192

/**
 * struct cache_bin - a cache's objects of one bin
 * @count: objects in @objs
 * @cap: room in @objs; 0 until the first object is freed here
 * @refills: visits to the central for memory
 * @flushes: visits to the central with memory
 * @objs: free objects, the last freed on top
 * @span: span owned, or cache_no_span
 * @allocs: objects handed out
 * @frees: objects taken back
 * @asked: bytes requested with @allocs
 *
 * Written by the CPU and level alone; others may read the numbers for
 * statistics. One cache line.
 */
struct cache_bin {
	u16 count;
	u16 cap;
	void **objs;
	struct goalloc_span *span;
	u64 allocs;
	u64 frees;
	u64 asked;
	u32 refills;
	u32 flushes;
} __aligned(64);

/**
 * struct cache_tiny - the tiny block being packed
 * @span: its span, or NULL if there is none
 * @slot: its slot
 * @offset: bytes of it used; the next object goes behind
 * @allocs: tiny objects handed out
 * @frees: tiny objects taken back
 * @asked: bytes requested with @allocs
 */
struct cache_tiny {
	struct goalloc_span *span;
	u32 slot;
	u32 offset;
	u64 allocs;
	u64 frees;
	u64 asked;
};

/**
 * struct goalloc_cache - the cache of one CPU at one context level
 * @nid: node whose central it refills from and flushes to, with memory
 * @level: context level
 * @tiny: packing of tiny objects
 * @bin: objects by bin
 *
 * No lock: used with preemption off, and each context level has its own, so
 * that nothing can interrupt a cache into itself.
 */
struct goalloc_cache {
	s16 nid;
	u8 level;
	struct cache_tiny tiny;
	struct cache_bin bin[GOALLOC_NR_BINS];
};

/**
 * struct goalloc_pcpu - a heap's caches of one CPU
 * @level: by context level; cache_none where there is none yet
 */
struct goalloc_pcpu {
	struct goalloc_cache *level[CACHE_LEVELS];
};

/*
 * Stand-ins that have nothing and take nothing, so that the fast paths need
 * not ask whether there is a cache or a span. Never written to.
 */
extern struct goalloc_cache cache_none;
extern struct goalloc_span cache_no_span;

int cache_init_all(struct goalloc_heap *heap);
void cache_destroy_all(struct goalloc_heap *heap);
void cache_drain_all(struct goalloc_heap *heap);
void cache_drain_cpu(struct goalloc_heap *heap, unsigned int cpu);

void *cache_alloc_slow(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp);
void *cache_alloc_node(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp, int nid);
void cache_free_slow(struct goalloc_heap *heap, const struct slot_ref *ref);
void cache_free_odd(struct goalloc_heap *heap, const void *p, unsigned long caller);
void *tiny_alloc(struct goalloc_heap *heap, size_t size, gfp_t gfp);
int tiny_free(struct goalloc_heap *heap, const struct slot_ref *ref,
	      unsigned int offset);
size_t tiny_size(const struct goalloc_span *span, unsigned int slot,
		 unsigned int offset);
void tiny_drop(struct goalloc_heap *heap, struct goalloc_cache *cache);
void cache_put(struct goalloc_heap *heap, const struct slot_ref *ref);

/* The cache to use; preemption must be off for as long as it is. */
static __always_inline struct goalloc_cache *cache_get(const struct goalloc_heap *heap)
{
	return this_cpu_ptr(heap->cpus)->level[interrupt_context_level()];
}

/*
 * Is this still an object that the cache of @bin may hand out? False only
 * after two bad frees of one object raced each other on two CPUs, see
 * cache_free(): it may then be live, or its span be gone.
 */
static __always_inline bool cache_may_hand_out(const struct goalloc_heap *heap,
					       const struct pagemap *map,
					       unsigned int bin,
					       const void *obj,
					       struct slot_ref *ref)
{
	return slot_find(map, (unsigned long)obj, ref) &&
	       ref->span->heap == heap && ref->span->bin == bin &&
	       READ_ONCE(*ref->state) == SLOT_FREE;
}

/**
 * cache_alloc - allocate a small object
 * @heap: the heap
 * @map: its page map
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
static __always_inline void *cache_alloc(struct goalloc_heap *heap,
					 const struct pagemap *map,
					 unsigned int bin, size_t asked,
					 gfp_t gfp)
{
	struct goalloc_cache *cache;
	struct cache_bin *b;
	struct slot_ref ref;
	bool dirty = true;
	void *obj;

	preempt_disable();
	cache = cache_get(heap);
	b = &cache->bin[bin];
	if (likely(b->count)) {
		obj = b->objs[b->count - 1];
		if (unlikely(!cache_may_hand_out(heap, map, bin, obj, &ref)))
			goto slow;
		b->count--;
	} else {
		ref.span = b->span;
		ref.slot = span_bits_next_fast(&ref.span->bits);
		if (unlikely(ref.slot >= ref.span->bits.nelems))
			goto slow;
		ref.state = ref.span->state + ref.slot;
		/* Live although free in the books: the same race. */
		if (unlikely(READ_ONCE(*ref.state) != SLOT_FREE))
			goto slow;
		obj = (void *)span_slot_addr(ref.span, ref.slot);
		dirty = ref.span->needzero;
	}
	WRITE_ONCE(*ref.state, SLOT_LIVE);
	b->allocs++;
	b->asked += asked;
	preempt_enable();
	if (dirty && want_init_on_alloc(gfp))
		memset(obj, 0, sizeclass_size[bin]);
	return obj;

slow:
	preempt_enable();
	return cache_alloc_slow(heap, bin, asked, gfp);
}

/**
 * cache_free - check and free any object
 * @heap: heap it should belong to
 * @map: the heap's page map
 * @p: the object, not NULL or ZERO_SIZE_PTR
 * @caller: call site, for reports
 *
 * The check and the mark that the object is free now are a plain load and a
 * plain store. Two frees of one object that race on two CPUs may both pass;
 * the object is in two caches then. Every way out of a cache looks at the page
 * map and the state byte again, so that one of the two is found out and
 * dropped, whatever happened in between.
 *
 * Context: Any context.
 */
static __always_inline void cache_free(struct goalloc_heap *heap,
				       const struct pagemap *map,
				       const void *p, unsigned long caller)
{
	struct goalloc_cache *cache;
	struct cache_bin *b;
	struct slot_ref ref;

	preempt_disable();
	if (unlikely(!slot_find(map, (unsigned long)p, &ref) ||
		     ref.span->heap != heap ||
		     READ_ONCE(*ref.state) != SLOT_LIVE)) {
		cache_free_odd(heap, p, caller);
		preempt_enable();
		return;
	}
	if (want_init_on_free())
		memset((void *)p, 0, ref.span->elemsize);
	WRITE_ONCE(*ref.state, SLOT_FREE);
	cache = cache_get(heap);
	b = &cache->bin[ref.span->bin];
	if (likely(b->count < b->cap && ref.span->nid == cache->nid)) {
		b->objs[b->count++] = (void *)p;
		b->frees++;
		preempt_enable();
		return;
	}
	preempt_enable();
	cache_free_slow(heap, &ref);
}

#endif /* GOALLOC_CACHE_H */
