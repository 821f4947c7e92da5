// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several objects at once from the span of a cache, when its list has none.
 */
#include "cache_bulk.h"
#include "report.h"

/**
 * cache_carve_bulk - take objects from the span that a bin owns
 * @cpus: the heap's caches
 * @bin: bin
 * @asked: bytes requested of each
 * @nr: how many at most
 * @p: where they go; they hold anything, and sanitize_alloc() does not know of them
 *
 * Context: Any.
 * Return: how many there were; less than @nr if the window shows no more, if the
 *         next one is a sample of the profile, or after CACHE_BULK; 0 as long as
 *         there are objects in the list.
 */
unsigned int cache_carve_bulk(struct goalloc_pcpu __percpu *cpus, unsigned int bin,
			      size_t asked, size_t nr, void **p)
{
	struct goalloc_span *span;
	unsigned int got = 0, max;
	struct cache_bin *b;

	preempt_disable();
	if (unlikely(cache_interrupted()))
		goto out;
	b = &this_cpu_read(cpus->level[0])->bin[bin];
	if (b->count)
		goto out;
	span = b->span;
	max = bulk_unsampled(b, min_t(size_t, nr, CACHE_BULK), asked);
	while (got < max) {
		unsigned int slot = span_bits_next_fast(&span->bits);

		if (slot >= span->bits.nelems)
			break;
		if (unlikely(READ_ONCE(span->state[slot]) != SLOT_FREE)) {
			report_race(span, slot, 1);
			continue;
		}
		WRITE_ONCE(span->state[slot], SLOT_LIVE);
		p[got++] = (void *)span_slot_addr(span, slot);
	}
	/* Nobody writes to cache_none. */
	if (got)
		b->left -= got * asked;
out:
	preempt_enable();
	return got;
}
GOALLOC_EXPORT_KUNIT(cache_carve_bulk);
