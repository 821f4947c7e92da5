/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache of one CPU at one context level, and the fast paths through it.
 */
#ifndef GOALLOC_CACHE_H
#define GOALLOC_CACHE_H

#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include "cache_cap.h"
#include "heap.h"
#include "profile.h"
#include "remote.h"
#include "sanitize.h"

/* Context levels: task, softirq, hardirq, NMI. NMI never has a cache. */
#define CACHE_LEVELS 4

/**
 * struct cache_bin - a cache's objects of one bin
 * @line: in the lower 16 bits @count; above, objects handed out from @entry, modulo
 *        2^48. So that each fast path changes one word. See bin_pops()
 * @count: objects in @entry; to be changed as part of @line
 * @above: the rest of @line
 * @cap: objects that @entry may hold now, see cache_cap.h; 0 until an object is
 *       freed here, and again from when the bin is emptied until the next one is
 * @token: state of the slots that are noted in @entry, see slot_token(); the same
 *         in all bins of a cache
 * @entry: free objects, the last freed on top
 * @span: span owned, or cache_no_span
 * @left: bytes to be requested until the gap of the profile is over, see
 *        profile_gap.h; the bytes requested with all objects handed out follow
 * @filled: objects the central put into @entry
 * @flushed: objects taken from @entry to the central, or dropped
 * @refills: visits to the central for memory
 * @flushes: visits to the central with memory
 *
 * Written by the CPU and level alone; others may read the numbers for
 * statistics. The fast paths count as little as will do: what the span handed
 * out follows from its bits, and objects freed are
 * pops + @flushed + @count - @filled.
 */
struct cache_bin {
	union {
		u64 line;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		u16 count;
#else
		struct {
			u16 above[3];
			u16 count;
		};
#endif
	};
	u16 cap;
	u8 token;
	u32 flushes;
	cache_entry_t *entry;
	struct goalloc_span *span;
	s64 left;
	u64 filled;
	u64 flushed;
	u64 refills;
} __aligned(64);

/* What @line is changed by when an object is handed out: one more, and one less. */
#define BIN_COUNT_BITS 16
#define BIN_POP (BIT_ULL(BIN_COUNT_BITS) - 1)

/*
 * Objects in a list, and objects ever handed out from it, of a bin's @line: for
 * whoever reads it while its owner goes on.
 */
static __always_inline unsigned long bin_count(u64 line)
{
	return (u16)line;
}

static __always_inline u64 bin_pops(u64 line)
{
	return line >> BIN_COUNT_BITS;
}

/* Say how many objects are in the list. */
static inline void bin_set_count(struct cache_bin *b, unsigned int count)
{
	b->line = (b->line & ~(u64)U16_MAX) | count;
}

/**
 * struct cache_tiny - the tiny block being packed
 * @span: its span, or NULL if there is none
 * @slot: its slot
 * @offset: bytes of it used; the next object goes behind
 * @allocs: tiny objects handed out
 * @frees: tiny objects taken back
 * @left: as that of a bin, with the bytes requested with @allocs
 */
struct cache_tiny {
	struct goalloc_span *span;
	u32 slot;
	u32 offset;
	u64 allocs;
	u64 frees;
	s64 left;
};

/* The gap of tiny objects; that of their bin is about their blocks. */
#define CACHE_TINY_GAP GOALLOC_NR_BINS

/**
 * struct goalloc_cache - the cache of one CPU at one context level
 * @home: node whose centrals it refills from and flushes to; NULL in cache_none
 * @level: context level
 * @token: state of the slots that are noted in its lists, see slot_token()
 * @tiny: packing of tiny objects
 * @bin: objects by bin
 * @remote: objects of other nodes that were freed here
 * @gap: gaps of the profile, by bin; the last is that of tiny objects
 * @cap: bytes that @bin is charged with
 * @carved: objects handed out of spans that it had and gave back
 * @passed: objects of its node that were freed here and for which there was no
 *          room
 *
 * No lock: used with preemption off, and each context level has its own, so
 * that nothing can interrupt a cache into itself.
 */
struct goalloc_cache {
	struct heap_node *home;
	u8 level;
	u8 token;
	struct cache_tiny tiny;
	struct cache_bin bin[GOALLOC_NR_BINS];
	struct cache_remote remote;
	struct profile_gap gap[GOALLOC_NR_BINS + 1];
	struct cache_cap cap;
	u64 carved;
	u64 passed;
};

/**
 * struct goalloc_pcpu - a heap's caches of one CPU
 * @level: by context level; cache_none where there is none yet, or none any
 *         more because the heap was found broken
 * @made: the cache that was made for the level, or cache_none; stays when it is
 *        taken away from @level
 */
struct goalloc_pcpu {
	struct goalloc_cache *level[CACHE_LEVELS];
	struct goalloc_cache *made[CACHE_LEVELS];
};

/*
 * Stand-ins that have nothing and take nothing, so that the fast paths need
 * not ask whether there is a cache or a span. Never written to.
 */
extern struct goalloc_cache cache_none;
extern struct goalloc_span cache_no_span;

/* The caches of the default heap, where its fast paths find them in one step. */
DECLARE_PER_CPU(struct goalloc_pcpu, cache_default);

int cache_init_all(struct goalloc_heap *heap);
void cache_make_default(struct goalloc_heap *heap);
void cache_take_away(struct goalloc_pcpu __percpu *cpus);
void cache_destroy_all(struct goalloc_heap *heap, struct goalloc_pcpu __percpu *cpus);
void cache_drain_all(struct goalloc_heap *heap);
void cache_drain_cpu(struct goalloc_heap *heap, unsigned int cpu);

/* Bytes that the caches of a heap may keep, on each CPU and on all together. */
extern unsigned long room_cpu_max, room_total_max;

u64 room_share(const struct goalloc_heap *heap);
u32 room_remote_max(const struct goalloc_cache *cache);
u64 room_allowed(const struct goalloc_cache *cache);
unsigned int room_max(unsigned int bin, unsigned int level);
bool room_grow(struct goalloc_cache *cache, unsigned int bin);
void room_make(struct goalloc_cache *cache, unsigned int bin, cache_entry_t *entry);
bool room_put(struct goalloc_cache *cache, struct goalloc_span *span,
	      unsigned int slot);
bool room_fits(const struct goalloc_cache *cache, unsigned int bin);
bool room_own(struct goalloc_cache *cache, unsigned int bin, struct goalloc_span *span);
bool room_refill(struct goalloc_cache *cache, unsigned int bin);
bool room_over(struct goalloc_heap *heap, unsigned int cpu);
const char *room_check(struct goalloc_cache *cache, int *bin, u64 *is, u64 *want);
u64 cache_drain_bin(struct goalloc_cache *cache, unsigned int bin);

void *cache_alloc_slow(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp);
/*
 * For these and for cache_free_slow() what goalloc() and gofree() were called with
 * comes first, in the same places: their fast paths need not move it then.
 */
void *cache_alloc_slow_of(size_t asked, gfp_t gfp, struct goalloc_heap *heap);
void *cache_alloc_raced_of(size_t asked, gfp_t gfp, struct goalloc_heap *heap,
			   struct goalloc_span *span, unsigned int slot);
void *cache_alloc_sampled_of(size_t asked, gfp_t gfp, struct goalloc_heap *heap,
			     void *obj, u8 *state);
void cache_free_slow(const void *p, struct goalloc_heap *heap, unsigned long caller);
void *cache_alloc_raced(struct goalloc_heap *heap, unsigned int bin, size_t asked,
			gfp_t gfp, struct goalloc_span *span, unsigned int slot);
void *cache_alloc_sampled(struct goalloc_heap *heap, unsigned int bin, size_t asked,
			  gfp_t gfp, void *obj, u8 *state);
void *cache_alloc_node(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp, int nid);
void *cache_alloc_past(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp, int nid);
void *cache_zero(void *obj, unsigned int bin);
void *cache_zero_of(void *obj, size_t asked);
void *cache_take(struct goalloc_cache *cache, unsigned int bin, bool *dirty);
void *cache_alloc_done(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       void *obj, bool dirty, gfp_t gfp, int nid);
struct goalloc_span *cache_grow(struct goalloc_heap *heap, unsigned int bin,
				gfp_t gfp, int nid, size_t asked, void **obj);
void cache_free_past(struct goalloc_heap *heap, const void *p, unsigned long caller);
void cache_refuse(struct goalloc_heap *heap, const void *p, unsigned long caller);
void cache_prepare(struct goalloc_heap *heap, unsigned int bin);
void cache_put(struct goalloc_span *span, unsigned int slot,
	       struct goalloc_cache *cache);
void *tiny_alloc(struct goalloc_heap *heap, size_t size, gfp_t gfp);
void *tiny_alloc_local(struct goalloc_heap *heap, size_t size, gfp_t gfp);
bool tiny_free(struct goalloc_heap *heap, const struct slot_ref *ref,
	       unsigned int offset);
enum bad_free tiny_judge(const struct slot_ref *ref, unsigned int offset);
size_t tiny_size(const struct goalloc_span *span, unsigned int slot,
		 unsigned int offset);
void tiny_drop(struct goalloc_cache *cache);

/* Where in a block the next tiny object can begin: as aligned as its size is. */
static inline unsigned int tiny_align(unsigned int offset, size_t size)
{
	if (size % 8 == 0)
		return round_up(offset, 8);
	if (size % 4 == 0)
		return round_up(offset, 4);
	return size % 2 == 0 ? round_up(offset, 2) : offset;
}

/* The cache to use; preemption must be off for as long as it is. */
static __always_inline struct goalloc_cache *cache_get(const struct goalloc_heap *heap)
{
	return this_cpu_ptr(heap->cpus)->level[interrupt_context_level()];
}

/* Bytes requested of a bin's objects. Any CPU. */
static inline u64 cache_asked(const struct goalloc_cache *cache, unsigned int bin)
{
	return profile_asked(&cache->gap[bin], &cache->bin[bin].left);
}

/*
 * Count the bytes of an object that was handed out. Returns whether it is a
 * sample. The caller may use the cache. The blocks of tiny objects are none.
 */
static inline bool cache_count(struct goalloc_cache *cache, unsigned int bin, size_t asked)
{
	struct cache_bin *b = &cache->bin[bin];

	b->left -= asked;
	return unlikely(b->left < 0) && profile_due(&cache->gap[bin], &b->left, asked) &&
	       bin != GOALLOC_TINY_BIN;
}

/*
 * Anything but task context? One test that is almost always false is cheaper
 * than the arithmetic that finds the level, so the fast paths are the task's.
 */
static __always_inline bool cache_interrupted(void)
{
	return preempt_count() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
}

/*
 * The heap of a fast path's caller, who gives NULL for the default one: where that
 * is so the fast path does not need it, and the slow ones look it up.
 */
static __always_inline struct goalloc_heap *cache_heap(struct goalloc_heap *heap)
{
	return heap ?: goalloc_default;
}

/**
 * struct cache_want - what a fast path is asked for; known when it is compiled
 * @of_size: the bin is that of the size, so that it need not be kept for the slow
 *           paths, which find it again
 * @zero: what want_init_on_alloc() is asked: the caller's flags, or __GFP_ZERO or
 *        0 if they have been looked at
 * @kept: it is not to be asked: the object keeps what is in it
 */
struct cache_want {
	bool of_size;
	gfp_t zero;
	bool kept;
};

/**
 * cache_alloc_by - allocate a small object
 * @want: what else is known
 * @heap: the heap; with @want.of_size NULL is the default one
 * @cpus: its caches
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 *
 * An object from the list is handed out only if its state byte is this cache's
 * token, one from the span only if it says SLOT_FREE. It always does, except
 * after two bad frees of one object raced each other on two CPUs, see
 * cache_free_by().
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
static __always_inline void *cache_alloc_by(const struct cache_want want,
					    struct goalloc_heap *heap,
					    struct goalloc_pcpu __percpu *cpus,
					    unsigned int bin, size_t asked, gfp_t gfp)
{
	struct goalloc_span *span;
	struct cache_bin *b;
	unsigned long count;
	unsigned int slot;
	void *obj;
	u8 *state;

	preempt_disable();
	if (unlikely(cache_interrupted()))
		goto slow;
	b = &this_cpu_read(cpus->level[0])->bin[bin];
	count = b->count;
	if (likely(count)) {
		cache_entry_t entry = b->entry[count - 1];

		span = cache_entry_span(entry);
		slot = cache_entry_slot(entry);
		state = span_slot_state(span, slot);
		if (unlikely(READ_ONCE(*state) != b->token))
			goto slow;
		b->line += BIN_POP;
		b->left -= asked;
		if (unlikely(b->left < 0))
			goto sample;
		WRITE_ONCE(*state, SLOT_LIVE);
		obj = (void *)span_slot_addr(span, slot);
		preempt_enable();
		if (!want.kept && want_init_on_alloc(want.zero))
			goto zero;
		return sanitize_alloc(cache_heap(heap), obj, bin, asked, gfp);
	}

	span = b->span;
	slot = span_bits_next_fast(&span->bits);
	if (unlikely(slot >= span->bits.nelems))
		goto slow;
	state = span->state + slot;
	if (unlikely(READ_ONCE(*state) != SLOT_FREE))
		goto raced;
	b->left -= asked;
	if (unlikely(b->left < 0))
		goto sample;
	WRITE_ONCE(*state, SLOT_LIVE);
	obj = (void *)span_slot_addr(span, slot);
	if (!want.kept && want_init_on_alloc(want.zero) && span->needzero) {
		preempt_enable();
		goto zero;
	}
	preempt_enable();
	return sanitize_alloc(cache_heap(heap), obj, bin, asked, gfp);

zero:
	obj = want.of_size ? cache_zero_of(obj, asked) : cache_zero(obj, bin);
	return sanitize_alloc(cache_heap(heap), obj, bin, asked, gfp);
raced:
	/* Tail calls, or everybody would save registers for them. */
	if (want.of_size)
		return cache_alloc_raced_of(asked, gfp, heap, span, slot);
	return cache_alloc_raced(heap, bin, asked, gfp, span, slot);
sample:
	obj = (void *)span_slot_addr(span, slot);
	if (want.of_size)
		return cache_alloc_sampled_of(asked, gfp, heap, obj, state);
	return cache_alloc_sampled(heap, bin, asked, gfp, obj, state);
slow:
	preempt_enable();
	if (want.of_size)
		return cache_alloc_slow_of(asked, gfp, heap);
	return cache_alloc_slow(heap, bin, asked, gfp);
}

/**
 * cache_alloc - allocate a small object of any bin
 * @heap: the heap
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
static __always_inline void *cache_alloc(struct goalloc_heap *heap, unsigned int bin,
					 size_t asked, gfp_t gfp)
{
	const struct cache_want want = { .zero = gfp };

	return cache_alloc_by(want, heap, heap->cpus, bin, asked, gfp);
}

/**
 * cache_free_by - check and free any object
 * @heap: heap it should belong to; NULL is the default one
 * @cpus: its caches
 * @map: the heap's page map
 * @p: the object; NULL and ZERO_SIZE_PTR are in no span, so that nobody need ask
 * @caller: call site, for reports; 0 for that of the function this is part of
 *
 * The check and the mark that the object is free now are a plain load and a
 * plain store. Two frees of one object that race on two CPUs may both pass; the
 * object is in two caches then. But its state byte is the token of one of them,
 * the last that stored it, and to the other the object is not there: every way
 * out of a cache looks at the byte and the span's books again, so that one of
 * the two is found out and dropped, whatever happened in between.
 *
 * Whatever is not the plain case is looked at again in cache_free_slow().
 *
 * Context: Any context.
 */
static __always_inline void cache_free_by(struct goalloc_heap *heap,
					  struct goalloc_pcpu __percpu *cpus,
					  const struct pagemap *map,
					  const void *p, unsigned long caller)
{
	struct goalloc_cache *cache;
	struct goalloc_span *span;
	struct cache_bin *b;
	u16 count;
	unsigned int slot;
	u8 *state;

	preempt_disable();
	if (unlikely(cache_interrupted() || want_init_on_free()))
		goto slow;
	span = pagemap_find(map, (unsigned long)p);
	if (unlikely(!span_slot_exact(span, (unsigned long)p, &slot)))
		goto slow;
	cache = this_cpu_read(cpus->level[0]);
	/* Another heap's, or of another node, or there is no cache yet. */
	if (unlikely(span->home != cache->home))
		goto slow;
	/* Of a damaged span: there it would be behind the lists. */
	if (unlikely(span->bin >= GOALLOC_NR_BINS))
		goto slow;
	b = &cache->bin[span->bin];
	count = b->count;
	if (unlikely(count >= b->cap))
		goto slow;
	state = span_slot_state(span, slot);
	/*
	 * Nothing between the look and the mark: the shorter the better. A byte is
	 * read as a whole in any case, and READ_ONCE() takes one more step.
	 */
	if (unlikely(data_race(*state) != SLOT_LIVE))
		goto slow;
	WRITE_ONCE(*state, b->token);
	sanitize_free(span, p);
	b->entry[count] = cache_entry_make(span, slot);
	b->line++;
	preempt_enable();
	return;

slow:
	preempt_enable();
	cache_free_slow(p, heap, caller ?: _RET_IP_);
}

/* The same, of any heap. */
static __always_inline void cache_free(struct goalloc_heap *heap, const struct pagemap *map,
				       const void *p, unsigned long caller)
{
	cache_free_by(heap, heap->cpus, map, p, caller);
}

#endif /* GOALLOC_CACHE_H */
