// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adding up what the tiers count.
 *
 * The two sides of the ledger come from different places: what a heap holds is
 * counted where pages are taken and given back; what they are used for is
 * counted by caches, centrals and page trees. So that they agree says something.
 *
 * Numbers of caches are read while their CPUs go on. A lock is held for one
 * central or one node at a time, and only to read.
 */
#include <linux/cpumask.h>
#include <linux/string.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "gc_heap.h"
#include "guard.h"
#include "harden.h"
#include "sanity.h"
#include "stack_heap.h"
#include "stats.h"

/*
 * A number that its owner counts with plain loads and stores, which is cheapest
 * on the fast paths, while we read it: a race by intention. Whatever stood there
 * last will do, and an aligned word is read as a whole.
 */
#define stats_read(number) data_race(READ_ONCE(number))

static const struct goalloc_cache *stats_cache(struct goalloc_pcpu *pcpu, int level)
{
	/* Filled in when it is seen; pairs with cache_create(). */
	return smp_load_acquire(&pcpu->made[level]);
}

static void stats_cache_bin(const struct goalloc_cache *cache, unsigned int bin,
			    struct bin_stats *bs)
{
	const struct cache_bin *b = &cache->bin[bin];
	u64 line = stats_read(b->line);
	u64 count = bin_count(line);
	u64 pops = bin_pops(line);

	bs->allocs += pops;
	/* What came into the list but from the central was freed. */
	bs->frees += pops + stats_read(b->flushed) + count - stats_read(b->filled);
	bs->asked += cache_asked(cache, bin);
	bs->refills += stats_read(b->refills);
	bs->flushes += stats_read(b->flushes);
	bs->cached += count;
}

/*
 * Go on with this entry of a list? Whoever reads the statistics of a heap may be
 * looking for what is wrong with it.
 */
static bool stats_sound(struct goalloc_central *central,
			const struct goalloc_span *span)
{
	if (likely(sanity_central(central, span)))
		return true;
	sanity_fail(central->home, "central list", "what is in a list is no span of it",
		    central->bin, span);
	return false;
}

static void stats_use(const struct goalloc_span *span, unsigned int nr_free,
		      struct bin_stats *bs)
{
	unsigned int nelems = span->bits.nelems;
	/* While its owner goes on a count may be of a moment ago. */
	unsigned int used = nelems - min(nr_free, nelems);

	bs->use[used ? (used * STATS_DECILES - 1) / nelems : 0]++;
}

static void stats_central(struct goalloc_central *central, struct bin_stats *bs)
{
	struct goalloc_span *span;
	unsigned long flags;
	int i;

	raw_spin_lock_irqsave(&central->lock, flags);
	bs->allocs += central->allocs + central->lent;
	bs->quarantined += atomic64_read(&central->quarantined);
	bs->frees += central->frees + atomic64_read(&central->quarantined);
	bs->asked += central->asked;
	bs->remote_frees += central->remote_frees;
	bs->central += central->nr_free;
	bs->spans += central->nr_spans;
	bs->owned += central->nr_owned;
	bs->locks += central->locks;
	bs->contended += central->contended;
	for (i = 0; i < CENTRAL_BUCKETS; i++) {
		list_for_each_entry(span, &central->partial[i], list) {
			if (!stats_sound(central, span))
				break;
			bs->partial++;
			stats_use(span, span->nr_free, bs);
		}
	}
	list_for_each_entry(span, &central->owned, list) {
		unsigned int unused;

		if (!stats_sound(central, span))
			break;
		/* Its owner goes on allocating: a race as in stats_read(). */
		unused = data_race(span_bits_unused(&span->bits));

		bs->allocs += span->lent - unused;
		bs->cached += unused;
		stats_use(span, unused + span->nr_free, bs);
	}
	raw_spin_unlock_irqrestore(&central->lock, flags);
}

/**
 * stats_bin - add up one bin
 * @heap: the heap
 * @bin: the bin
 * @bs: what to fill in
 *
 * Context: Any but NMI.
 */
void stats_bin(struct goalloc_heap *heap, unsigned int bin, struct bin_stats *bs)
{
	struct heap_node *node;
	u64 remote = 0;
	int cpu, level;

	memset(bs, 0, sizeof(*bs));
	for_each_possible_cpu(cpu) {
		struct goalloc_pcpu *pcpu = per_cpu_ptr(heap->cpus, cpu);

		for (level = 0; level < CACHE_LEVELS; level++) {
			const struct goalloc_cache *cache = stats_cache(pcpu, level);

			stats_cache_bin(cache, bin, bs);
			remote += stats_read(cache->remote.frees[bin]);
		}
	}
	for (node = heap_first_node(heap); node; node = heap_next_node(node))
		stats_central(&node->central[bin], bs);
	bs->frees += remote;
	/* Some may have been freed and gone home since their cache was read. */
	if (remote > bs->remote_frees)
		bs->cached += remote - bs->remote_frees;
	bs->full = bs->spans - bs->owned - bs->partial;
	bs->use[STATS_DECILES - 1] += bs->full;
}
GOALLOC_EXPORT_KUNIT(stats_bin);

/**
 * stats_tiny - add up the tiny objects
 * @heap: the heap
 * @ts: what to fill in
 *
 * Context: Any.
 */
void stats_tiny(struct goalloc_heap *heap, struct tiny_stats *ts)
{
	int cpu, level;

	memset(ts, 0, sizeof(*ts));
	for_each_possible_cpu(cpu) {
		struct goalloc_pcpu *pcpu = per_cpu_ptr(heap->cpus, cpu);

		for (level = 0; level < CACHE_LEVELS; level++) {
			const struct goalloc_cache *cache = stats_cache(pcpu, level);
			const struct cache_tiny *tiny = &cache->tiny;

			ts->allocs += stats_read(tiny->allocs);
			ts->frees += stats_read(tiny->frees);
			ts->asked += profile_asked(&cache->gap[CACHE_TINY_GAP], &tiny->left);
		}
	}
	ts->live = ts->allocs - ts->frees + atomic64_read(&heap->nr_tiny_direct);
}
GOALLOC_EXPORT_KUNIT(stats_tiny);

/**
 * stats_large - add up the large objects
 * @heap: the heap
 * @ls: what to fill in
 *
 * Context: Any but NMI.
 */
void stats_large(struct goalloc_heap *heap, struct large_stats *ls)
{
	struct heap_node *node;
	unsigned long flags;

	memset(ls, 0, sizeof(*ls));
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		raw_spin_lock_irqsave(&node->lock, flags);
		ls->allocs += node->large_allocs;
		ls->frees += node->large_frees + atomic64_read(&node->quarantined);
		ls->asked += node->large_asked - atomic64_read(&node->quarantined_asked);
		ls->pages += node->large_pages - atomic64_read(&node->quarantined_pages);
		ls->quarantined_pages += atomic64_read(&node->quarantined_pages);
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
}
GOALLOC_EXPORT_KUNIT(stats_large);

/* A bin of a cache, for the cache's own numbers. */
static void stats_level_bin(const struct goalloc_heap *heap, const struct cache_bin *b,
			    unsigned int bin, struct level_stats *ls)
{
	u32 size = span_shape_small(bin).elemsize;
	u64 line = stats_read(b->line);
	u64 count = bin_count(line);
	u64 pops = bin_pops(line);
	const struct goalloc_span *span;

	ls->used += count * size;
	ls->allocs += pops;
	ls->frees += pops + stats_read(b->flushed) + count - stats_read(b->filled);
	ls->refills += stats_read(b->refills);
	ls->flushes += stats_read(b->flushes);
	/*
	 * Its structure stays; whether it is still the cache's does not matter.
	 * But a heap that was found broken may have anything there.
	 */
	span = stats_read(b->span);
	if (span != &cache_no_span && !safe_is_on(heap)) {
		/* A race as in stats_read(). */
		u64 unused = data_race(span_bits_unused(&span->bits));

		ls->used += unused * size;
		ls->allocs += stats_read(span->lent) - unused;
	}
}

/**
 * stats_level - read the numbers of one cache
 * @heap: the heap
 * @cpu: its CPU
 * @level: its context level
 * @ls: what to fill in
 *
 * Context: Any.
 * Return: false if there is no such cache.
 */
bool stats_level(struct goalloc_heap *heap, unsigned int cpu, unsigned int level,
		 struct level_stats *ls)
{
	const struct goalloc_cache *cache;
	unsigned int bin;

	memset(ls, 0, sizeof(*ls));
	cache = stats_cache(per_cpu_ptr(heap->cpus, cpu), level);
	if (cache == &cache_none)
		return false;
	ls->allowed = room_allowed(cache) + room_remote_max(cache);
	ls->remote = stats_read(cache->remote.puts);
	ls->used = stats_read(cache->remote.bytes);
	ls->charged = stats_read(cache->cap.used) + ls->used;
	ls->steals = stats_read(cache->cap.steals);
	ls->denied = stats_read(cache->cap.denied);
	ls->passed = stats_read(cache->passed);
	ls->allocs = stats_read(cache->carved);
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
		stats_level_bin(heap, &cache->bin[bin], bin, ls);
	return true;
}
GOALLOC_EXPORT_KUNIT(stats_level);

/**
 * stats_pages - add up the page caches
 * @heap: the heap
 * @ps: what to fill in
 *
 * Context: Any.
 */
void stats_pages(struct goalloc_heap *heap, struct page_stats *ps)
{
	int cpu;

	memset(ps, 0, sizeof(*ps));
	for_each_possible_cpu(cpu) {
		const struct cpu_pages *pages = per_cpu_ptr(heap->cpu_pages, cpu);

		ps->pages += hweight64(stats_read(pages->cache.cache));
		ps->hits += stats_read(pages->hits);
		ps->misses += stats_read(pages->misses);
		ps->fills += stats_read(pages->fills);
	}
}
GOALLOC_EXPORT_KUNIT(stats_pages);

/* Pages of a node in the page caches. */
static u64 stats_node_cached(const struct heap_node *node)
{
	u64 pages = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct cpu_pages *cached = per_cpu_ptr(node->heap->cpu_pages, cpu);

		if (stats_read(cached->nid) == node->nid)
			pages += hweight64(stats_read(cached->cache.cache));
	}
	return pages;
}

/**
 * stats_node - add up one node
 * @node: the node
 * @ns: what to fill in
 *
 * Context: Any but NMI.
 */
void stats_node(struct heap_node *node, struct node_stats *ns)
{
	unsigned long flags;
	unsigned int bin;
	u64 pages;

	memset(ns, 0, sizeof(*ns));
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct goalloc_central *central = &node->central[bin];

		raw_spin_lock_irqsave(&central->lock, flags);
		ns->remote_frees += central->remote_frees;
		ns->remote_visits += central->remote_visits;
		pages = (u64)central->nr_spans * span_shape_small(bin).npages;
		raw_spin_unlock_irqrestore(&central->lock, flags);
		ns->small += pages << GOALLOC_PAGE_SHIFT;
	}
	ns->small += (u64)atomic64_read(&node->apart) << GOALLOC_PAGE_SHIFT;
	ns->page_cache = stats_node_cached(node) << GOALLOC_PAGE_SHIFT;
	raw_spin_lock_irqsave(&node->lock, flags);
	ns->held = node->palloc.nr_owned << GOALLOC_PAGE_SHIFT;
	ns->free = node->palloc.nr_free << GOALLOC_PAGE_SHIFT;
	ns->large = node->large_pages << GOALLOC_PAGE_SHIFT;
	ns->grown = node->grown << GOALLOC_PAGE_SHIFT;
	ns->released = node->released << GOALLOC_PAGE_SHIFT;
	raw_spin_unlock_irqrestore(&node->lock, flags);
}
GOALLOC_EXPORT_KUNIT(stats_node);

/**
 * stats_ledger_sum - what the rows of the ledger add up to
 * @st: the statistics
 *
 * Return: bytes; @st->sys_bytes if nothing is missing.
 */
u64 stats_ledger_sum(const struct goalloc_stats *st)
{
	return st->live_bytes + st->rounding_bytes + st->cached_bytes +
	       st->central_bytes + st->quarantine_bytes + st->tail_bytes +
	       st->page_cache_bytes + st->free_bytes;
}
GOALLOC_EXPORT_KUNIT(stats_ledger_sum);

/* Guarded objects: counted here, their bytes are the pool's. */
static void stats_guard(struct goalloc_heap *heap, struct goalloc_stats *st)
{
	u64 allocs = atomic64_read(&heap->nr_guard_allocs);
	u64 frees = atomic64_read(&heap->nr_guard_frees);
	struct guard_stats gs;

	st->allocs += allocs;
	st->frees += frees;
	st->live_objects += allocs - frees;
	st->guard_objects = allocs - frees;
	st->guard_allocs = allocs;
	if (heap != goalloc_default)
		return;
	guard_get_stats(&gs);
	st->guard_bytes = gs.bytes;
	st->guard_full = gs.full;
	st->guard_faults = gs.faults;
	st->guard_damaged = gs.damaged;
}

/* Small objects of a collected heap; the large ones are counted as everywhere. */
static void stats_collected(struct goalloc_heap *heap, struct goalloc_stats *st)
{
	struct gc_sums sums;

	gc_stats_sum(heap->gc, &sums);
	st->allocs += sums.allocs;
	st->frees += sums.frees;
	st->live_objects += sums.allocs - sums.frees;
	st->live_bytes += sums.live;
	st->cached_bytes += sums.cached;
	st->central_bytes += sums.central;
	st->tail_bytes += sums.tail;
}

/* See <goalloc_stats.h>. */
void goalloc_heap_stats(struct goalloc_heap *heap, struct goalloc_stats *st)
{
	struct goalloc_stacks *stacks;
	struct large_stats ls;
	struct page_stats ps;
	struct tiny_stats ts;
	struct heap_node *node;
	unsigned long flags;
	int bin;

	if (!heap)
		heap = goalloc_default;
	memset(st, 0, sizeof(*st));
	/* Nothing is left to count. */
	if (READ_ONCE(heap->detour) & DETOUR_ENDED)
		return;
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct span_shape shape = span_shape_small(bin);
		struct bin_stats bs;

		stats_bin(heap, bin, &bs);
		st->allocs += bs.allocs;
		st->frees += bs.frees;
		st->live_objects += bs.allocs - bs.frees;
		st->live_bytes += (bs.allocs - bs.frees) * shape.elemsize;
		st->cached_bytes += bs.cached * shape.elemsize;
		st->central_bytes += bs.central * shape.elemsize;
		st->quarantine_bytes += bs.quarantined * shape.elemsize;
		st->tail_bytes += bs.spans *
				  ((shape.npages << GOALLOC_PAGE_SHIFT) -
				   shape.elemsize * shape.nelems);
		if (bin != GOALLOC_TINY_BIN) {
			st->asked_bytes += bs.asked;
			st->alloc_bytes += bs.allocs * shape.elemsize;
		}
	}
	stats_large(heap, &ls);
	st->allocs += ls.allocs;
	st->frees += ls.frees;
	st->live_objects += ls.allocs - ls.frees;
	st->live_bytes += ls.asked;
	st->quarantine_bytes += ls.quarantined_pages << GOALLOC_PAGE_SHIFT;
	st->rounding_bytes = (ls.pages << GOALLOC_PAGE_SHIFT) - ls.asked;
	stats_guard(heap, st);
	stats_pages(heap, &ps);
	st->page_cache_bytes = ps.pages << GOALLOC_PAGE_SHIFT;
	st->page_cache_hits = ps.hits;
	st->page_cache_misses = ps.misses;
	stats_tiny(heap, &ts);
	st->tiny_objects = ts.live;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		raw_spin_lock_irqsave(&node->lock, flags);
		st->free_bytes += node->palloc.nr_free << GOALLOC_PAGE_SHIFT;
		st->grown_bytes += node->grown << GOALLOC_PAGE_SHIFT;
		st->released_bytes += node->released << GOALLOC_PAGE_SHIFT;
		raw_spin_unlock_irqrestore(&node->lock, flags);
		/* A collected heap's are counted one by one. */
		if (!heap->gc)
			st->central_bytes += (u64)atomic64_read(&node->apart) << GOALLOC_PAGE_SHIFT;
	}
	if (heap->gc)
		stats_collected(heap, st);
	/* Pairs with goalloc_stacks_create(). */
	stacks = smp_load_acquire(&heap->stacks);
	if (stacks)
		stack_ledger(stacks, st);
	st->sys_bytes = st->grown_bytes - st->released_bytes;
	st->metadata_bytes = atomic_long_read(&heap->meta.bytes);
	if (heap == goalloc_default)
		st->metadata_bytes += atomic_long_read(&heap->space->meta.bytes);
	st->failed = atomic64_read(&heap->nr_failed);
	st->drains = atomic64_read(&heap->nr_drains);
	st->idle_drains = atomic64_read(&heap->nr_idle_drains);
	st->drained_bytes = atomic64_read(&heap->drained);
	for (bin = 0; bin < NR_BAD_FREES; bin++)
		st->bad_frees += atomic64_read(&heap->nr_bad[bin]);
	if (heap->harden) {
		st->overflows = atomic64_read(&heap->harden->overflows);
		st->use_after_frees = atomic64_read(&heap->harden->use_after_frees);
	}
	st->safe_ignored = atomic64_read(&heap->safe.ignored);
	st->safe_objects = atomic64_read(&heap->safe.objects);
	st->safe_bytes = atomic64_read(&heap->safe.bytes);
}
EXPORT_SYMBOL_GPL(goalloc_heap_stats);
