// SPDX-License-Identifier: GPL-2.0-only
/*
 * The caches: where almost every allocation and free ends.
 *
 * A cache belongs to one CPU and one context level (task, softirq, hardirq).
 * It is used with preemption off; what interrupts it has a cache of its own, so
 * there is no lock and no disabling of interrupts. NMI has none and goes to the
 * central, where it only tries the lock.
 *
 * Per bin a cache has a short list of free objects, last in first out, and a
 * span it allocates from once the list is empty. When both are empty it
 * exchanges the used-up span at the central for objects or another span; when
 * the list is full it grows or takes the older half there, see room.c. So
 * that these lists never mix nodes, objects of other nodes have a list of their
 * own, see remote.c. The span may be of another node, when there was no memory to
 * be had here.
 *
 * Caches and lists are made when first needed, with what the caller's flags
 * allow; where that fails the central serves the caller directly. So a CPU that
 * never allocates in an interrupt pays nothing for it.
 *
 * Locks: none here; central and heap locks are taken inside their functions.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/sched/mm.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "drain.h"
#include "guard.h"

static_assert(sizeof(struct cache_bin) == 64);

static u8 cache_no_state = SLOT_TAIL;

struct goalloc_span cache_no_span = {
	.state = &cache_no_state,
};
GOALLOC_EXPORT_KUNIT(cache_no_span);

DEFINE_PER_CPU(struct goalloc_pcpu, cache_default);

struct goalloc_cache cache_none = {
	.bin = { [0 ... GOALLOC_NR_BINS - 1] = { .span = &cache_no_span } },
};
GOALLOC_EXPORT_KUNIT(cache_none);

/*
 * Make the cache of this CPU and level if there is none. Another one may be
 * made meanwhile, or the caller end up on another CPU; whoever comes second
 * throws his away. A heap on a detour gets none.
 */
static bool cache_create(struct goalloc_heap *heap, gfp_t gfp)
{
	struct goalloc_cache *cache;
	struct goalloc_pcpu *pcpu;
	bool allowed;
	int i;

	if (detour_taken(heap))
		return false;
	cache = meta_zalloc(&heap->meta, sizeof(*cache), gfp, numa_mem_id());
	if (!cache)
		return false;

	preempt_disable();
	cache->level = interrupt_context_level();
	cache->token = slot_token(smp_processor_id(), cache->level);
	for (i = 0; i < GOALLOC_NR_BINS; i++) {
		cache->bin[i].span = &cache_no_span;
		cache->bin[i].token = cache->token;
	}
	cache->home = heap_node_of(heap, numa_mem_id());
	pcpu = this_cpu_ptr(heap->cpus);
	/* Again: a bit may have been set meanwhile, and the caches taken away. */
	allowed = !detour_taken(heap);
	if (allowed && pcpu->made[cache->level] == &cache_none) {
		/* Statistics read it from other CPUs, with acquire. */
		smp_store_release(&pcpu->made[cache->level], cache);
		WRITE_ONCE(pcpu->level[cache->level], cache);
		/* The cache before the detour; pairs with safe_take_caches(). */
		smp_mb();
		allowed = !detour_taken(heap);
		if (!allowed)
			WRITE_ONCE(pcpu->level[cache->level], &cache_none);
		cache = NULL;
	}
	preempt_enable();
	meta_free(&heap->meta, cache, sizeof(*cache));
	return allowed;
}

/* Make the list of a bin. */
static void cache_make_list(struct goalloc_heap *heap, unsigned int bin)
{
	size_t bytes = room_max(bin, interrupt_context_level()) * sizeof(cache_entry_t);
	struct goalloc_cache *cache;
	cache_entry_t *entry;

	entry = meta_zalloc(&heap->meta, bytes, GFP_NOWAIT | __GFP_NOWARN, NUMA_NO_NODE);
	if (!entry)
		return;
	preempt_disable();
	cache = cache_get(heap);
	if (cache != &cache_none && !cache->bin[bin].entry) {
		room_make(cache, bin, entry);
		entry = NULL;
	}
	preempt_enable();
	meta_free(&heap->meta, entry, bytes);
}

/**
 * cache_prepare - make what this CPU and level need to keep objects of a bin
 * @heap: the heap
 * @bin: the bin
 *
 * Or open the list that a drain has closed. If there is no memory for it, things
 * go on without.
 *
 * Context: Any but NMI.
 */
void cache_prepare(struct goalloc_heap *heap, unsigned int bin)
{
	struct goalloc_cache *cache;
	bool list;

	preempt_disable();
	cache = cache_get(heap);
	list = cache->bin[bin].entry;
	if (list && !cache->bin[bin].cap)
		room_grow(cache, bin);
	preempt_enable();
	if (cache == &cache_none && !cache_create(heap, GFP_NOWAIT | __GFP_NOWARN))
		return;
	if (!list)
		cache_make_list(heap, bin);
}

/**
 * cache_put - keep a free object in a cache, or give it to the central
 * @span: its span
 * @slot: its slot, which the caller has in hand
 * @cache: cache of this CPU and level, which may be cache_none
 *
 * Context: Any but NMI, preemption off.
 */
void cache_put(struct goalloc_span *span, unsigned int slot,
	       struct goalloc_cache *cache)
{
	u8 *state = span_slot_state(span, slot);

	/* Only if two bad frees raced, and this one was held up for long. */
	if (unlikely(state == span_no_state + slot)) {
		report_race(span, slot, 1);
		return;
	}
	if (likely(cache != &cache_none)) {
		WRITE_ONCE(*state, cache->token);
		if (span->home != cache->home) {
			remote_put(cache, span, slot);
			return;
		}
		if (room_put(cache, span, slot))
			return;
	}
	WRITE_ONCE(*state, SLOT_FREE);
	central_free(heap_central_of(span), span, slot);
}
GOALLOC_EXPORT_KUNIT(cache_put);

/* Take everything out of a cache that nobody else uses now. */
static void cache_drain(struct goalloc_cache *cache)
{
	unsigned int bin;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
		cache_drain_bin(cache, bin);
}

/**
 * cache_take - take an object from list or span, or ask the central
 * @cache: cache of this CPU and level, not cache_none
 * @bin: the bin
 * @dirty: whether it may hold something else than zeros
 *
 * Context: Any but NMI, preemption off.
 * Return: the object; NULL if the central has nothing either, or the cache may
 *         not keep a span of the bin. Then it has no span.
 */
void *cache_take(struct goalloc_cache *cache, unsigned int bin, bool *dirty)
{
	struct cache_bin *b = &cache->bin[bin];
	struct goalloc_span *span;
	unsigned int slot;
	u8 *state;

	for (;;) {
		*dirty = true;
		while (b->count) {
			cache_entry_t entry;

			b->line--;
			entry = b->entry[b->count];

			span = cache_entry_span(entry);
			slot = cache_entry_slot(entry);
			state = span_slot_state(span, slot);
			if (likely(READ_ONCE(*state) == cache->token)) {
				b->line += BIN_POP + 1;
				goto out;
			}
			report_race(span, slot, 1);
		}
		span = b->span;
		*dirty = span->needzero;
		while ((slot = span_bits_next(&span->bits)) < span->bits.nelems) {
			state = span->state + slot;
			if (likely(READ_ONCE(*state) == SLOT_FREE))
				goto out;
			report_race(span, slot, 1);
		}

		if (!room_refill(cache, bin))
			return NULL;
	}

out:
	WRITE_ONCE(*state, SLOT_LIVE);
	return (void *)span_slot_addr(span, slot);
}

/**
 * cache_zero - clear an object
 * @obj: the object
 * @bin: its bin
 *
 * Context: Any context.
 * Return: @obj.
 */
void *cache_zero(void *obj, unsigned int bin)
{
	size_t size = bin == GOALLOC_TINY_BIN ? 16 : sizeclass_size[bin];

	sanitize_open(obj, size);
	memset(obj, 0, size);
	return obj;
}
GOALLOC_EXPORT_KUNIT(cache_zero);

/* The same by the size that was requested, if that is what its bin is of. */
void *cache_zero_of(void *obj, size_t asked)
{
	return cache_zero(obj, sizeclass_of(asked));
}

/**
 * cache_alloc_done - what is left to do once an object was had, or was not
 * @heap: the heap
 * @bin: its bin
 * @asked: bytes requested
 * @obj: the object or NULL
 * @dirty: whether it may hold something else than zeros
 * @gfp: as for goalloc()
 * @nid: the node it was wanted of
 *
 * Context: Any.
 * Return: @obj, or another one.
 */
void *cache_alloc_done(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       void *obj, bool dirty, gfp_t gfp, int nid)
{
	/* What must not fail can wait for pages of its own, if not for a span. */
	if (!obj && gfp & __GFP_NOFAIL && gfpflags_allow_blocking(gfp) &&
	    heap_bin_is_costly(bin)) {
		obj = heap_alloc_large(heap, sizeclass_size[bin], 1, gfp, nid);
		if (obj)
			return obj;
	}
	if (!obj)
		atomic64_inc(&heap->nr_failed);
	else if (dirty && heap_clears(heap, gfp))
		cache_zero(obj, bin);
	return sanitize_alloc(heap, obj, bin, asked, gfp);
}

/*
 * The cache serves a node that is not the nearest one any more: it has lost its
 * memory, or one that is nearer has got some. Preemption is off.
 */
static void cache_move(struct goalloc_cache *cache, struct heap_node *node)
{
	cache_drain(cache);
	/* Statistics read it. */
	WRITE_ONCE(cache->home, node);
}

/**
 * cache_alloc_slow - allocate a small object when list and window are empty
 * @heap: the heap
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
void *cache_alloc_slow(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp)
{
	struct goalloc_span *fresh = NULL;
	struct goalloc_cache *cache;
	bool dirty = true;
	bool made = false;
	bool hit = false;
	void *obj;

	/* The fast path has not done so. */
	might_alloc(gfp);
	if (guard_wanted()) {
		obj = guard_sample(heap, bin, asked, gfp);
		if (obj)
			return profile_odd(heap, obj, asked);
	}
	if (detour_taken(heap))
		return detour_alloc(heap, asked, 0, gfp, numa_mem_id());
	for (;;) {
		preempt_disable();
		cache = cache_get(heap);
		if (cache == &cache_none) {
			preempt_enable();
			if (!made && cache_create(heap, gfp | __GFP_NOWARN)) {
				made = true;
				continue;
			}
			if (fresh)
				central_add(heap_central_of(fresh), fresh);
			/* Again: that there is no cache may be the detour's doing. */
			if (detour_taken(heap))
				return detour_alloc(heap, asked, 0, gfp, numa_mem_id());
			return cache_alloc_past(heap, bin, asked, gfp, numa_mem_id());
		}
		made = false;
		if (unlikely(cache->home != heap_node_of(heap, numa_mem_id())))
			cache_move(cache, heap_node_of(heap, numa_mem_id()));
		/*
		 * The span that was made for us is what there is, without another
		 * look at the central, unless somebody was here meanwhile.
		 */
		if (fresh && !cache->bin[bin].count &&
		    cache->bin[bin].span == &cache_no_span && room_own(cache, bin, fresh))
			fresh = NULL;
		obj = cache_take(cache, bin, &dirty);
		if (!obj && !(fresh ? room_own(cache, bin, fresh) : room_fits(cache, bin))) {
			preempt_enable();
			if (fresh)
				central_add(heap_central_of(fresh), fresh);
			return cache_alloc_past(heap, bin, asked, gfp, numa_mem_id());
		}
		if (!obj && fresh) {
			fresh = NULL;
			obj = cache_take(cache, bin, &dirty);
		}
		if (obj)
			hit = cache_count(cache, bin, asked);
		preempt_enable();
		if (obj)
			break;
		/* Nothing in any place of ours: grow, with preemption on. */
		fresh = cache_grow(heap, bin, gfp, numa_mem_id(), asked, &obj);
		if (!fresh) {
			/* Found broken on the way. */
			if (!obj && safe_is_on(heap))
				return detour_alloc(heap, asked, 0, gfp, numa_mem_id());
			obj = cache_alloc_done(heap, bin, asked, obj, true, gfp,
					       numa_mem_id());
			return bin == GOALLOC_TINY_BIN ? obj : profile_odd(heap, obj, asked);
		}
	}
	if (fresh)
		central_add(heap_central_of(fresh), fresh);
	obj = cache_alloc_done(heap, bin, asked, obj, dirty, gfp, numa_mem_id());
	return profile_mark(heap, obj, asked, hit);
}
GOALLOC_EXPORT_KUNIT(cache_alloc_slow);

/* The same, of the bin of the size; NULL is the default heap. */
void *cache_alloc_slow_of(size_t asked, gfp_t gfp, struct goalloc_heap *heap)
{
	return cache_alloc_slow(cache_heap(heap), sizeclass_of(asked), asked, gfp);
}

/**
 * cache_alloc_sampled - go on when the gap of the profile is over
 * @heap: the heap
 * @bin: bin
 * @asked: bytes requested, counted already
 * @gfp: as for goalloc()
 * @obj: the object, which the task's cache has handed out
 * @state: its slot's state byte, not SLOT_LIVE as yet. Not to be looked up again:
 *         its span may be given up, if two bad frees raced
 *
 * Context: Task context that @gfp allows, but that preemption is off; returns
 *          with it as it was before.
 * Return: the object.
 */
void *cache_alloc_sampled(struct goalloc_heap *heap, unsigned int bin, size_t asked,
			  gfp_t gfp, void *obj, u8 *state)
{
	struct goalloc_cache *cache = this_cpu_read(heap->cpus->level[0]);
	bool hit;

	hit = profile_due(&cache->gap[bin], &cache->bin[bin].left, asked);
	WRITE_ONCE(*state, SLOT_LIVE);
	preempt_enable();
	if (heap_clears(heap, gfp))
		cache_zero(obj, bin);
	sanitize_alloc(heap, obj, bin, asked, gfp);
	return profile_mark(heap, obj, asked, hit && bin != GOALLOC_TINY_BIN);
}
GOALLOC_EXPORT_KUNIT(cache_alloc_sampled);

/* The same, of the bin of the size; NULL is the default heap. */
void *cache_alloc_sampled_of(size_t asked, gfp_t gfp, struct goalloc_heap *heap,
			     void *obj, u8 *state)
{
	return cache_alloc_sampled(cache_heap(heap), sizeclass_of(asked), asked, gfp,
				   obj, state);
}

/**
 * cache_alloc_raced - go on when the span showed an object that is taken
 * @heap: the heap
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 * @span: the span, which will not show the object again
 * @slot: its slot
 *
 * Context: Any context that @gfp allows, but that preemption is off; returns
 *          with it as it was before.
 * Return: another object or NULL.
 */
void *cache_alloc_raced(struct goalloc_heap *heap, unsigned int bin, size_t asked,
			gfp_t gfp, struct goalloc_span *span, unsigned int slot)
{
	report_race(span, slot, 1);
	preempt_enable();
	return cache_alloc_slow(heap, bin, asked, gfp);
}
GOALLOC_EXPORT_KUNIT(cache_alloc_raced);

/* The same, of the bin of the size; NULL is the default heap. */
void *cache_alloc_raced_of(size_t asked, gfp_t gfp, struct goalloc_heap *heap,
			   struct goalloc_span *span, unsigned int slot)
{
	return cache_alloc_raced(cache_heap(heap), sizeclass_of(asked), asked, gfp,
				 span, slot);
}

/**
 * cache_drain_cpu - empty the caches of a CPU
 * @heap: the heap
 * @cpu: a CPU on which nobody uses the heap: it is dead, or the heap is ending
 *
 * Context: Process context.
 */
void cache_drain_cpu(struct goalloc_heap *heap, unsigned int cpu)
{
	struct goalloc_pcpu *pcpu = per_cpu_ptr(heap->cpus, cpu);
	int level;

	/* It keeps what it has. */
	if (safe_is_on(heap))
		return;
	for (level = 0; level < CACHE_LEVELS; level++) {
		if (pcpu->level[level] == &cache_none)
			continue;
		preempt_disable();
		cache_drain(pcpu->level[level]);
		preempt_enable();
	}
	cpu_pages_flush(heap, cpu);
}
GOALLOC_EXPORT_KUNIT(cache_drain_cpu);

/**
 * cache_drain_all - empty all caches of a heap that nobody uses
 * @heap: the heap
 *
 * Context: Process context.
 */
void cache_drain_all(struct goalloc_heap *heap)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		cache_drain_cpu(heap, cpu);
}
GOALLOC_EXPORT_KUNIT(cache_drain_all);

/* No cache on any CPU and level. */
static void cache_clear_all(struct goalloc_pcpu __percpu *cpus)
{
	unsigned int cpu;
	int level;

	for_each_possible_cpu(cpu) {
		struct goalloc_pcpu *pcpu = per_cpu_ptr(cpus, cpu);

		for (level = 0; level < CACHE_LEVELS; level++) {
			pcpu->level[level] = &cache_none;
			pcpu->made[level] = &cache_none;
		}
	}
}

/**
 * cache_init_all - prepare a heap for caches
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int cache_init_all(struct goalloc_heap *heap)
{
	heap->cpus = alloc_percpu(struct goalloc_pcpu);
	if (!heap->cpus)
		return -ENOMEM;
	cache_clear_all(heap->cpus);
	return 0;
}

/**
 * cache_make_default - make a heap the default one
 * @heap: the heap, which nobody uses yet
 *
 * Context: Process context.
 */
void cache_make_default(struct goalloc_heap *heap)
{
	free_percpu(heap->cpus);
	cache_clear_all(&cache_default);
	heap->cpus = &cache_default;
	goalloc_default = heap;
}

/**
 * cache_take_away - let nobody find the caches of a heap any more
 * @cpus: the caches, or NULL; whoever is using one goes on until preemption is on
 *        again
 *
 * Context: Any.
 */
void cache_take_away(struct goalloc_pcpu __percpu *cpus)
{
	unsigned int cpu;
	int level;

	if (!cpus)
		return;
	for_each_possible_cpu(cpu)
		for (level = 0; level < CACHE_LEVELS; level++)
			WRITE_ONCE(per_cpu_ptr(cpus, cpu)->level[level], &cache_none);
}
GOALLOC_EXPORT_KUNIT(cache_take_away);

/**
 * cache_destroy_all - free the caches of a heap
 * @heap: the heap, its caches drained
 * @cpus: the caches, or NULL; nobody uses them
 *
 * Context: Process context.
 */
void cache_destroy_all(struct goalloc_heap *heap, struct goalloc_pcpu __percpu *cpus)
{
	unsigned int cpu;
	int level, bin;

	if (!cpus)
		return;
	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			struct goalloc_cache *cache = per_cpu_ptr(cpus, cpu)->made[level];

			if (cache == &cache_none)
				continue;
			for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
				meta_free(&heap->meta, cache->bin[bin].entry,
					  room_max(bin, level) * sizeof(cache_entry_t));
			meta_free(&heap->meta, cache, sizeof(*cache));
		}
	}
	if (cpus == &cache_default)
		cache_clear_all(cpus);
	else
		free_percpu(cpus);
}
