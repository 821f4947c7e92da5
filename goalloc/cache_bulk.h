/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several objects at once from a cache, and to its lists.
 *
 * What is asked of each object is what the fast paths ask, see cache.h. What is
 * asked of the caller, and where the cache is, is found out once; what is known of
 * a span, once for objects of it in a row, as is usual. Whatever is not the plain
 * case ends the row, and is the caller's to do one by one.
 *
 * No lock: preemption is off for CACHE_BULK objects at most. A span may be given up
 * meanwhile, if two bad frees raced; its structure and the bytes of its slots are
 * not used anew before preemption is on again, see struct goalloc_span.
 */
#ifndef GOALLOC_CACHE_BULK_H
#define GOALLOC_CACHE_BULK_H

#include <linux/minmax.h>

#include "cache.h"
#include "compat.h"

/* So many objects at once at most: preemption is off meanwhile. */
#define CACHE_BULK 32

/* Of @nr objects of @asked bytes, how many come before the next sample. */
static __always_inline unsigned int bulk_unsampled(const struct cache_bin *b, unsigned int nr,
						   size_t asked)
{
	return likely(b->left >= (s64)(nr * asked)) ? nr : (u32)max(b->left, 0LL) / (u32)asked;
}

/**
 * cache_take_bulk - take objects from a list
 * @cpus: the heap's caches
 * @bin: bin
 * @asked: bytes requested of each
 * @nr: how many at most
 * @p: where they go, the last freed last; they hold anything, and sanitize_alloc()
 *     does not know of them
 *
 * Context: Any.
 * Return: how many there were; less than @nr if the list has no more, if the next
 *         one is a sample of the profile, or after CACHE_BULK.
 */
static __always_inline unsigned int cache_take_bulk(struct goalloc_pcpu __percpu *cpus,
						    unsigned int bin, size_t asked, size_t nr,
						    void **p)
{
	unsigned long got = 0, max;
	cache_entry_t *entry;
	struct cache_bin *b;

	preempt_disable();
	if (unlikely(cache_interrupted()))
		goto out;
	b = &this_cpu_read(cpus->level[0])->bin[bin];
	max = min3(nr, (size_t)CACHE_BULK, (size_t)b->count);
	max = bulk_unsampled(b, max, asked);
	entry = b->entry + b->count - max;
	while (got < max) {
		const struct goalloc_span *span = cache_entry_span(entry[got]);
		const cache_entry_t first = cache_entry_make(span, 0);
		const unsigned long base = span->base;
		const unsigned long size = span->elemsize;
		u8 *states = span_slot_state(span, 0);
		const u8 token = b->token;

		do {
			/* Of another span it is far more. */
			unsigned long slot = entry[got] - first;

			if (slot >= CACHE_ENTRY_SLOTS)
				break;
			/* A byte is read as a whole, and READ_ONCE() takes one more step. */
			if (unlikely(data_race(states[slot]) != token))
				goto stale;
			WRITE_ONCE(states[slot], SLOT_LIVE);
			p[got] = (void *)(base + slot * size);
		} while (++got < max);
	}
	goto taken;
stale:
	/* It stays, for cache_take() to find, as do those above it. */
	memmove(entry, entry + got, (max - got) * sizeof(*entry));
taken:
	/* Nobody writes to cache_none. */
	if (likely(got)) {
		b->line += got * BIN_POP;
		b->left -= got * asked;
	}
out:
	preempt_enable();
	return got;
}

/*
 * Live objects of one span, the first of which is in it, into a list. Returns how
 * many of @nr, which is at least 1, could be.
 */
static __always_inline unsigned int bulk_to_list(struct cache_bin *b,
						 struct goalloc_span *span,
						 unsigned int nr, void **p)
{
	const unsigned long bytes = (unsigned long)span->npages << GOALLOC_PAGE_SHIFT;
	const cache_entry_t first = cache_entry_make(span, 0);
	const unsigned long base = span->base;
	u8 *states = span_slot_state(span, 0);
	const u32 divmul = span->divmul;
	const u8 token = b->token;
	unsigned long done = 0, max, count = b->count;
	cache_entry_t *entry = b->entry + count;

	if (unlikely(count >= b->cap))
		return 0;
	max = min_t(unsigned long, nr, b->cap - count);
	do {
		unsigned long offset = (unsigned long)p[done] - base;
		/* As span_slot_exact(). */
		u64 product = (u64)(u32)offset * divmul;
		unsigned long slot = product >> 32;

		if (offset >= bytes || unlikely((u32)product >= divmul))
			break;
		/* As in cache_free_by(). */
		if (unlikely(data_race(states[slot]) != SLOT_LIVE))
			break;
		WRITE_ONCE(states[slot], token);
		sanitize_free(span, p[done]);
		entry[done] = first + slot;
	} while (++done < max);
	b->line += done;
	return done;
}

/**
 * cache_put_bulk - put live objects into lists
 * @cpus: the heap's caches
 * @map: the heap's page map
 * @nr: how many at most
 * @p: the objects, of any bins, or anything else
 *
 * Context: Any.
 * Return: how many of them, from the first on, were plain and are free now.
 */
static __always_inline unsigned int cache_put_bulk(struct goalloc_pcpu __percpu *cpus,
						   const struct pagemap *map, size_t nr,
						   void **p)
{
	struct goalloc_cache *cache;
	struct goalloc_span *span;
	unsigned int done = 0, max, n;

	preempt_disable();
	if (unlikely(cache_interrupted() || want_init_on_free()))
		goto out;
	cache = this_cpu_read(cpus->level[0]);
	max = min_t(size_t, nr, CACHE_BULK);
	while (done < max) {
		span = pagemap_find(map, (unsigned long)p[done]);
		/* As in cache_free_by(). */
		if (unlikely(span->home != cache->home || span->bin >= GOALLOC_NR_BINS))
			break;
		n = bulk_to_list(&cache->bin[span->bin], span, max - done, p + done);
		if (unlikely(!n))
			break;
		done += n;
	}
out:
	preempt_enable();
	return done;
}

unsigned int cache_carve_bulk(struct goalloc_pcpu __percpu *cpus, unsigned int bin,
			      size_t asked, size_t nr, void **p);

#endif /* GOALLOC_CACHE_BULK_H */
