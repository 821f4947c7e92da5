// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checking what has to be so in a collected heap: spans in their sets, of the right
 * generation, with as many free slots as they say; and the sums over them.
 *
 * Mutators are stopped meanwhile, so everything can be judged. If a collection is going
 * on, which may take long, it is left for the next time.
 *
 * Locks: gc->cycle, gc->world; then gc_central.lock.
 */
#include <linux/lockdep.h>

#include "cache.h"
#include "compat.h"
#include "gc.h"
#include "validate.h"

/**
 * struct gc_sum - what was counted in a span class
 * @spans: spans
 * @free: free slots of those in sets with free slots
 */
struct gc_sum {
	u64 spans;
	u64 free;
};

/* The first rule that does not hold. Always false. */
static bool gc_fail(struct validate *v, const struct goalloc_span *span, const char *rule,
		    int slot, u64 is, u64 want)
{
	v->rule = rule;
	v->nid = span ? span->home->nid : NUMA_NO_NODE;
	v->bin = span ? span->bin : -1;
	v->page = span ? span->page : 0;
	v->slot = slot;
	v->is = is;
	v->want = want;
	return false;
}

/* The slots of a span, whose generation says whether it was swept. */
static bool gc_validate_slots(struct validate *v, struct goalloc_gc *gc,
			      const struct goalloc_span *span)
{
	bool swept = span->sweepgen != gc->sweepgen - 2;
	unsigned int slot, free = 0;

	for (slot = 0; slot < span->bits.nelems; slot++) {
		u8 state = span->state[slot];

		if (state == SLOT_FREE) {
			free++;
			continue;
		}
		if (state != SLOT_COLOUR_A && state != SLOT_COLOUR_B)
			return gc_fail(v, span, "a collected slot has a colour, or is free",
				       slot, state, gc->colour);
		if (swept && state != gc->colour)
			return gc_fail(v, span, "what is not marked is free once it was swept",
				       slot, state, gc->colour);
		if (!gc_type(*gc_track(gc, span, slot)))
			return gc_fail(v, span, "an object has a type", slot,
				       *gc_track(gc, span, slot), 1);
	}
	/* What was freed one by one is seen when it is placed. */
	if (free != span_bits_unused(&span->bits) + span->bits.nr_freed)
		return gc_fail(v, span, "free slots are those whose bits say so", -1, free,
			       span_bits_unused(&span->bits));
	return true;
}

static bool gc_validate_span(struct validate *v, struct goalloc_gc *gc,
			     const struct goalloc_span *span, unsigned int sc, u32 sweepgen)
{
	v->spans++;
	if (span->spanclass != sc)
		return gc_fail(v, span, "a span is with its span class", -1, span->spanclass, sc);
	if (span->sweepgen != sweepgen)
		return gc_fail(v, span, "a span is of its set's generation", -1, span->sweepgen,
			       sweepgen);
	if (span->home->heap != gc->heap)
		return gc_fail(v, span, "a span is with its heap", -1, 0, 1);
	return gc_validate_slots(v, gc, span);
}

static bool gc_validate_set(struct validate *v, struct goalloc_gc *gc, unsigned int sc,
			    const struct list_head *set, bool partial, u32 sweepgen,
			    struct gc_sum *sum)
{
	const struct goalloc_span *span;

	list_for_each_entry(span, set, list) {
		if (!gc_validate_span(v, gc, span, sc, sweepgen))
			return false;
		if (partial != !!span->nr_free)
			return gc_fail(v, span, "spans with free slots are with their like", -1,
				       span->nr_free, partial);
		if (span->nr_free != span_bits_unused(&span->bits))
			return gc_fail(v, span, "a span in a set counts its free slots", -1,
				       span->nr_free, span_bits_unused(&span->bits));
		sum->spans++;
		sum->free += span->nr_free;
	}
	return true;
}

static bool gc_validate_class(struct validate *v, struct goalloc_gc *gc, unsigned int sc)
{
	struct gc_central *central = &gc->central[sc];
	struct gc_sum sum = {};
	unsigned int cpu;
	int i;

	for (i = 0; i < 2; i++) {
		u32 sweepgen = i == GC_SWEPT(gc->sweepgen) ? gc->sweepgen : gc->sweepgen - 2;

		if (!gc_validate_set(v, gc, sc, &central->partial[i], true, sweepgen, &sum) ||
		    !gc_validate_set(v, gc, sc, &central->full[i], false, sweepgen, &sum))
			return false;
	}
	if (sum.free != central->nr_free)
		return gc_fail(v, NULL, "a span class counts the free slots of its sets", -1,
			       central->nr_free, sum.free);
	for_each_possible_cpu(cpu) {
		const struct goalloc_span *span = per_cpu_ptr(gc->cpus, cpu)->span[sc];

		if (span == &cache_no_span)
			continue;
		if (!gc_validate_span(v, gc, span, sc, gc->sweepgen + 3))
			return false;
		sum.spans++;
	}
	if (sum.spans != central->nr_spans)
		return gc_fail(v, NULL, "a span class counts its spans", -1, central->nr_spans,
			       sum.spans);
	return true;
}

static void gc_validate_pages(struct goalloc_span *span, void *arg)
{
	*(u64 *)arg += span->npages;
}

/**
 * gc_validate - check what a collected heap has beside the heap below it
 * @gc: the collected heap
 * @v: what to fill in
 *
 * Context: Process context, may sleep; in no mutator's section.
 * Return: false, with @v->rule set, if a rule does not hold; true if none was seen to.
 */
bool gc_validate(struct goalloc_gc *gc, struct validate *v)
{
	unsigned int sc;
	bool good = true;
	u64 pages = 0;

	if (!mutex_trylock(&gc->cycle)) {
		v->skipped++;
		return true;
	}
	gc_stop(gc);
	for (sc = 2; good && sc < GC_SPANCLASSES; sc++) {
		spin_lock(&gc->central[sc].lock);
		good = gc_validate_class(v, gc, sc);
		spin_unlock(&gc->central[sc].lock);
	}
	if (good) {
		gc_spans_walk(gc, gc_validate_pages, &pages);
		if (pages != atomic64_read(&gc->pages))
			good = gc_fail(v, NULL, "a collected heap counts the pages of its spans",
				       -1, atomic64_read(&gc->pages), pages);
	}
	gc_start(gc);
	mutex_unlock(&gc->cycle);
	return good;
}
