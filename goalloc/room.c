// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a cache keeps: its lists and spans, and the bytes they may come to.
 *
 * How much that is and which class gets it is reckoned in cache_cap.c; here is
 * what it is told, and what is done about it. A CPU's allowance comes from the
 * heap (cache_share), each context level has a part of it, and on machines with
 * several nodes a part of that is kept for objects of other nodes.
 *
 * All of this is done when a list is full or empty, never on the fast paths.
 *
 * Locks: none here, preemption is off; central locks are taken inside their
 * functions.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "cache.h"
#include "compat.h"
#include "drain.h"

/*
 * Numbers that their owner changes with plain stores while we look: a race by
 * intention.
 */
#define room_read(number) data_race(READ_ONCE(number))

unsigned long room_cpu_max = SZ_256K;
GOALLOC_EXPORT_KUNIT(room_cpu_max);
unsigned long room_total_max = SZ_16M;
GOALLOC_EXPORT_KUNIT(room_total_max);

/**
 * room_share - what the caches of each CPU may keep of a heap
 * @heap: the heap
 *
 * CPUs that are not there now but could come count as well, so that there is
 * nothing to be taken from anybody when they come.
 *
 * Context: Any.
 * Return: bytes.
 */
u64 room_share(const struct goalloc_heap *heap)
{
	return cache_cap_share(READ_ONCE(room_cpu_max),
			       heap->cache_max ?: READ_ONCE(room_total_max),
			       num_possible_cpus());
}
GOALLOC_EXPORT_KUNIT(room_share);

static unsigned int room_size(unsigned int bin)
{
	return sizeclass_size[span_bin_class(bin)];
}

static u32 room_span_bytes(unsigned int bin)
{
	unsigned int class = span_bin_class(bin);

	return sizeclass_size[class] * sizeclass_objs[class];
}

/* Its CPU may move it to another node meanwhile, but not to another heap. */
static struct goalloc_heap *room_heap(const struct goalloc_cache *cache)
{
	return READ_ONCE(cache->home)->heap;
}

/* Bytes of its level's part of the CPU's allowance. */
static u64 room_level(const struct goalloc_cache *cache)
{
	return cache_cap_level(READ_ONCE(room_heap(cache)->cache_share), cache->level);
}

/**
 * room_remote_max - how many bytes of other nodes' objects a cache may keep
 * @cache: the cache
 *
 * Context: Any.
 * Return: bytes.
 */
u32 room_remote_max(const struct goalloc_cache *cache)
{
	return room_heap(cache)->nr_nodes > 1 ? cache_cap_remote(room_level(cache)) : 0;
}
GOALLOC_EXPORT_KUNIT(room_remote_max);

/**
 * room_allowed - how many bytes of lists and spans a cache may keep
 * @cache: the cache
 *
 * Context: Any.
 * Return: bytes.
 */
u64 room_allowed(const struct goalloc_cache *cache)
{
	return room_level(cache) - room_remote_max(cache);
}
GOALLOC_EXPORT_KUNIT(room_allowed);

/**
 * room_max - how long a list can get
 * @bin: its bin
 * @level: context level of its cache
 *
 * Context: Any.
 * Return: objects.
 */
unsigned int room_max(unsigned int bin, unsigned int level)
{
	return cache_cap_max(room_size(bin), level);
}
GOALLOC_EXPORT_KUNIT(room_max);

/* Take objects to the central until @keep are left, the oldest first. */
static void room_flush(struct goalloc_cache *cache, unsigned int bin,
		       unsigned int keep)
{
	struct cache_bin *b = &cache->bin[bin];
	unsigned int nr = b->count - keep;
	unsigned int foreign;

	foreign = central_flush(&cache->home->central[bin], b->entry, nr, cache->token);
	memmove(b->entry, b->entry + nr, keep * sizeof(b->entry[0]));
	bin_set_count(b, keep);
	b->flushed += nr - foreign;
	b->flushes++;
}

/* Let go of a bin's span. Returns the objects that were left in it. */
static unsigned int room_drop_span(struct goalloc_cache *cache, unsigned int bin)
{
	struct cache_bin *b = &cache->bin[bin];
	struct goalloc_span *span = b->span;
	unsigned int unused;

	if (span == &cache_no_span)
		return 0;
	unused = span_bits_unused(&span->bits);
	cache->carved += span->lent - unused;
	b->span = &cache_no_span;
	central_disown(heap_central_of(span), span);
	return unused;
}

/* Empty a bin and close its list. Returns the bytes that were in it. */
static u64 room_empty(struct goalloc_cache *cache, unsigned int bin)
{
	struct cache_bin *b = &cache->bin[bin];
	u64 nr = b->count;

	if (nr)
		room_flush(cache, bin, 0);
	b->cap = 0;
	nr += room_drop_span(cache, bin);
	cache_cap_set_list(&cache->cap, bin, 0);
	cache_cap_set_span(&cache->cap, bin, 0);
	return nr * room_size(bin);
}

static struct goalloc_cache *room_cache(struct cache_cap *cc)
{
	return container_of(cc, struct goalloc_cache, cap);
}

/* As drain_activity(), of one bin. */
static u32 room_uses(struct cache_cap *cc, unsigned int bin)
{
	const struct cache_bin *b = &room_cache(cc)->bin[bin];

	return cache_asked(room_cache(cc), bin) + bin_pops(b->line) + b->flushed +
	       b->count - b->filled;
}

static u32 room_unused(struct cache_cap *cc, unsigned int bin)
{
	const struct goalloc_span *span = room_cache(cc)->bin[bin].span;

	return span_bits_unused(&span->bits) * room_size(bin);
}

static void room_give_up(struct cache_cap *cc, unsigned int bin)
{
	room_empty(room_cache(cc), bin);
}

static const struct cache_cap_ops room_ops = {
	.uses = room_uses,
	.unused = room_unused,
	.give_up = room_give_up,
};

/**
 * room_grow - let a list get longer
 * @cache: cache of this CPU and level, not cache_none
 * @bin: bin that has a list
 *
 * Context: Any but NMI, preemption off.
 * Return: false if it cannot.
 */
bool room_grow(struct goalloc_cache *cache, unsigned int bin)
{
	struct cache_bin *b = &cache->bin[bin];
	unsigned int cap = b->cap;

	b->cap = cache_cap_grow(&cache->cap, &room_ops, bin, room_size(bin),
				room_max(bin, cache->level), room_allowed(cache));
	if (b->cap == cap)
		return false;
	drain_note();
	return true;
}

/**
 * room_make - give a bin what it needs to keep objects
 * @cache: cache of this CPU and level, not cache_none
 * @bin: bin that has no list
 * @entry: zeroed memory for room_max() entries
 *
 * Context: Any but NMI, preemption off.
 */
void room_make(struct goalloc_cache *cache, unsigned int bin, cache_entry_t *entry)
{
	cache->bin[bin].entry = entry;
	room_grow(cache, bin);
}

/**
 * room_put - keep a free object, and give older ones to the central if need be
 * @cache: cache of this CPU and level, not cache_none
 * @span: its span, of the cache's node
 * @slot: its slot; the state byte is the cache's token
 *
 * Context: Any but NMI, preemption off.
 * Return: false if the list is closed; then it is the caller's to give away.
 */
bool room_put(struct goalloc_cache *cache, struct goalloc_span *span,
	      unsigned int slot)
{
	struct cache_bin *b = &cache->bin[span->bin];

	if (!b->cap) {
		cache->passed++;
		return false;
	}
	if (b->count == b->cap && !room_grow(cache, span->bin))
		room_flush(cache, span->bin, b->cap / 2);
	b->entry[b->count] = cache_entry_make(span, slot);
	b->line++;
	return true;
}

/**
 * room_fits - can a cache have a span of a bin at all?
 * @cache: the cache, not cache_none
 * @bin: the bin
 *
 * Context: Any.
 * Return: false if it is more than the cache may keep.
 */
bool room_fits(const struct goalloc_cache *cache, unsigned int bin)
{
	return room_span_bytes(bin) <= room_allowed(cache);
}

/**
 * room_own - allocate from a new span
 * @cache: cache of this CPU and level, not cache_none
 * @bin: bin of which the cache has no span
 * @span: the span, in no central
 *
 * Context: Any but NMI, preemption off.
 * Return: false if the cache may not keep it; then nothing was done with it.
 */
bool room_own(struct goalloc_cache *cache, unsigned int bin, struct goalloc_span *span)
{
	if (!cache_cap_span(&cache->cap, &room_ops, bin, room_span_bytes(bin),
			    room_allowed(cache)))
		return false;
	central_own(heap_central_of(span), span);
	cache->bin[bin].span = span;
	drain_note();
	return true;
}

/**
 * room_refill - get objects or a span from the central
 * @cache: cache of this CPU and level, not cache_none
 * @bin: bin whose list is empty and whose span is used up
 *
 * Context: Any but NMI, preemption off.
 * Return: true if there is something now; false if the central has nothing, or
 *         there is no room to keep it. Then the cache has no span.
 */
bool room_refill(struct goalloc_cache *cache, unsigned int bin)
{
	struct cache_cap_class *class = &cache->cap.class[bin];
	struct cache_bin *b = &cache->bin[bin];
	struct goalloc_span *span = b->span;
	unsigned int got;

	b->refills++;
	if (span != &cache_no_span && span->home == cache->home) {
		/* Goes back together with the refill. */
		cache->carved += span->lent;
		b->span = &cache_no_span;
	} else {
		room_drop_span(cache, bin);
		span = NULL;
	}
	/* Opens what was closed, and makes longer what was too short last time. */
	if (b->entry && (!b->cap || class->filled))
		room_grow(cache, bin);
	if (!cache_cap_span(&cache->cap, &room_ops, bin, room_span_bytes(bin),
			    room_allowed(cache))) {
		if (span)
			central_disown(heap_central_of(span), span);
		return false;
	}
	drain_note();
	span = central_refill(&cache->home->central[bin], span, b->entry, b->cap,
			      cache->token, &got);
	bin_set_count(b, got);
	b->filled += got;
	class->filled = got && got >= (b->cap + 1) / 2;
	if (span)
		b->span = span;
	cache_cap_set_span(&cache->cap, bin, span ? room_unused(&cache->cap, bin) : 0);
	return span || got;
}

/**
 * cache_drain_bin - take everything of one bin out of a cache
 * @cache: the cache, of this CPU or of one on which nobody uses the heap
 * @bin: the bin
 *
 * The bin's list is closed: the next object that is freed here takes the slow
 * path, which opens it again and sees to it that idle caches are looked for. With
 * the tiny bin go the objects of other nodes.
 *
 * Context: Any but NMI, preemption off, and whoever could interrupt into the
 *          cache's level kept away.
 * Return: bytes of free objects that were in the cache.
 */
u64 cache_drain_bin(struct goalloc_cache *cache, unsigned int bin)
{
	u64 bytes = 0;

	if (bin == GOALLOC_TINY_BIN) {
		tiny_drop(cache);
		bytes = remote_flush(cache);
	}
	return bytes + room_empty(cache, bin);
}

/**
 * room_over - do the caches of a CPU keep more than they may?
 * @heap: the heap
 * @cpu: the CPU
 *
 * Context: Any.
 * Return: true if a level does.
 */
bool room_over(struct goalloc_heap *heap, unsigned int cpu)
{
	const struct goalloc_cache *cache;
	int level;

	for (level = 0; level < CACHE_LEVELS; level++) {
		/* Filled in when it is seen; pairs with cache_create(). */
		cache = smp_load_acquire(&per_cpu_ptr(heap->cpus, cpu)->level[level]);
		if (cache != &cache_none &&
		    (room_read(cache->cap.used) > room_allowed(cache) ||
		     room_read(cache->remote.bytes) > room_remote_max(cache)))
			return true;
	}
	return false;
}

/**
 * room_check - is a cache that nobody uses as it has to be?
 * @cache: the cache, not cache_none
 * @bin: set to the bin that is not
 * @is: set to what is there
 * @want: set to what should be
 *
 * Context: Any.
 * Return: NULL, or the rule that does not hold.
 */
const char *room_check(struct goalloc_cache *cache, int *bin, u64 *is, u64 *want)
{
	const struct cache_cap *cc = &cache->cap;
	u64 used = 0;
	int i;

	for (i = 0; i < GOALLOC_NR_BINS; i++) {
		const struct cache_bin *b = &cache->bin[i];
		const struct goalloc_span *span = room_read(b->span);
		/* A race as in room_read(). */
		u32 unused = data_race(span_bits_unused(&span->bits));

		*bin = i;
		*is = room_read(b->count);
		*want = room_read(b->cap);
		if (*is > *want)
			return "list with more than it has room for";
		*is = *want * room_size(i);
		*want = room_read(cc->class[i].list);
		if (*is != *want)
			return "room of a list miscounted";
		*is = span == &cache_no_span ? 0 : unused * room_size(i);
		*want = room_read(cc->class[i].span);
		if (*is > *want)
			return "what is left of a cache's span miscounted";
		used += room_read(cc->class[i].list) + *want;
	}
	*bin = -1;
	*is = room_read(cc->used);
	*want = used;
	if (*is != *want)
		return "what a cache may keep miscounted";
	*want = room_allowed(cache);
	if (*is > *want)
		return "cache keeps more than it may";
	*is = room_read(cache->remote.bytes);
	*want = room_remote_max(cache);
	return *is > *want ? "cache keeps more of other nodes than it may" : NULL;
}
GOALLOC_EXPORT_KUNIT(room_check);
