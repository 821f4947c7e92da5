// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sweeping: what a collection has not marked is free.
 *
 * Marking leaves an object's state byte in the heap's colour, and what is allocated gets
 * that colour. So in a span that was not swept since, whatever has the other colour was
 * reached by nobody. It is swept when a CPU needs a span, and else in the background.
 *
 * Locks: gc_central.lock, gc->large_lock; neither is held while a span is swept.
 */
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "compat.h"
#include "gc.h"
#include "sanitize.h"

/**
 * gc_sweep_span - free what was not marked in a span of small objects
 * @gc: the heap
 * @span: the span; the caller has set its sweepgen to h - 1 and nobody else has it
 *
 * Its nr_free is what is free then.
 *
 * Context: Where h does not change: in a mutator's section, or with gc->cycle held.
 */
void gc_sweep_span(struct goalloc_gc *gc, struct goalloc_span *span)
{
	u8 white = gc_other_colour(gc->colour);
	unsigned int slot, freed = 0;

	for (slot = 0; slot < span->bits.nelems; slot++) {
		if (READ_ONCE(span->state[slot]) != white)
			continue;
		WRITE_ONCE(span->state[slot], SLOT_FREE);
		sanitize_free(span, (void *)span_slot_addr(span, slot));
		span_bits_free(&span->bits, slot);
		freed++;
	}
	span->nr_free = span_bits_sweep(&span->bits);
	if (freed) {
		struct gc_central *central = &gc->central[span->spanclass];

		span->needzero = true;
		spin_lock(&central->lock);
		central->frees += freed;
		spin_unlock(&central->lock);
	}
	span->sweepgen = gc->sweepgen;
}

/**
 * gc_sweep_place - put a swept span where it belongs
 * @gc: the heap
 * @span: the span, in no set, that nobody has; freed if it is empty
 *
 * Context: As gc_sweep_span(), or in a stop.
 * Return: pages that were freed.
 */
u32 gc_sweep_place(struct goalloc_gc *gc, struct goalloc_span *span)
{
	u32 npages = span->npages;
	struct gc_central *central = &gc->central[span->spanclass];
	bool empty;

	spin_lock(&central->lock);
	/* What was freed one by one on the way here. */
	if (unlikely(span->bits.nr_freed))
		span->nr_free = span_bits_sweep(&span->bits);
	empty = span->nr_free == span->bits.nelems;
	if (empty) {
		central->nr_spans--;
	} else if (span->nr_free) {
		central->nr_free += span->nr_free;
		list_add(&span->list, &central->partial[GC_SWEPT(gc->sweepgen)]);
	} else {
		list_add(&span->list, &central->full[GC_SWEPT(gc->sweepgen)]);
	}
	spin_unlock(&central->lock);
	if (!empty)
		return 0;
	gc_span_free(span);
	return npages;
}

/**
 * gc_sweep_claim - take a span that is to be swept
 * @gc: the heap
 * @central: of which span class
 * @full_first: those without free slots before the others
 *
 * Context: As gc_sweep_span(); @central->lock held.
 * Return: a span that nobody else has, for gc_sweep_span(), or NULL.
 */
struct goalloc_span *gc_sweep_claim(struct goalloc_gc *gc, struct gc_central *central,
				    bool full_first)
{
	int set = GC_UNSWEPT(gc->sweepgen);
	struct list_head *full = &central->full[set], *partial = &central->partial[set];
	struct goalloc_span *span;

	lockdep_assert_held(&central->lock);

	span = gc_span_pop(central, full_first ? full : partial) ?:
	       gc_span_pop(central, full_first ? partial : full);
	if (span) {
		WARN_ON_ONCE(span->sweepgen != gc->sweepgen - 2);
		span->sweepgen = gc->sweepgen - 1;
	}
	return span;
}

/* The full ones first, as in Go. */
static struct goalloc_span *gc_sweep_next(struct goalloc_gc *gc, struct gc_central *central)
{
	int set = GC_UNSWEPT(gc->sweepgen);
	struct goalloc_span *span;

	/* What is added meanwhile is swept; so whoever sees none is right. */
	/* A hint. */
	if (list_empty(&central->full[set]) && list_empty(&central->partial[set]))
		return NULL;
	spin_lock(&central->lock);
	span = gc_sweep_claim(gc, central, true);
	spin_unlock(&central->lock);
	return span;
}

static struct goalloc_span *gc_sweep_next_large(struct goalloc_gc *gc)
{
	struct llist_head *set = &gc->large[GC_UNSWEPT(gc->sweepgen)];
	struct llist_node *node;

	if (llist_empty(set))
		return NULL;
	spin_lock(&gc->large_lock);
	node = llist_del_first(set);
	spin_unlock(&gc->large_lock);
	return node ? llist_entry(node, struct goalloc_span, deferred) : NULL;
}

static u32 gc_sweep_large(struct goalloc_gc *gc, struct goalloc_span *span)
{
	u32 npages = span->npages;

	if (READ_ONCE(span->state[0]) != gc->colour) {
		atomic64_sub(npages, &gc->pages);
		heap_free_large(span);
		return npages;
	}
	span->sweepgen = gc->sweepgen;
	llist_add(&span->deferred, &gc->large[GC_SWEPT(gc->sweepgen)]);
	return 0;
}

/*
 * Sweep one span: how many pages it has, or 0 if there is none to be swept, and how
 * many of them were freed. As gc_sweep_span().
 */
static u32 gc_sweep_one(struct goalloc_gc *gc, u32 *freed)
{
	unsigned int sc = READ_ONCE(gc->sweep_next);
	struct goalloc_span *span;
	u32 npages;

	*freed = 0;
	span = gc_sweep_next_large(gc);
	if (span) {
		npages = span->npages;
		*freed = gc_sweep_large(gc, span);
		goto swept;
	}
	for (; sc < GC_SPANCLASSES; sc++) {
		span = gc_sweep_next(gc, &gc->central[sc]);
		if (!span)
			continue;
		/* A hint for those who come next; a stop sets it back. */
		WRITE_ONCE(gc->sweep_next, sc);
		npages = span->npages;
		gc_sweep_span(gc, span);
		*freed = gc_sweep_place(gc, span);
		goto swept;
	}
	/* All are swept, or somebody is at it. */
	WRITE_ONCE(gc->sweeping, false);
	WRITE_ONCE(gc->sweep_ratio, 0);
	return 0;
swept:
	atomic64_add(npages, &gc->pages_swept);
	return npages;
}

/**
 * gc_sweep_all - sweep what is left
 * @gc: the heap
 *
 * Spans that mutators are sweeping just then may not be done when it returns; they are
 * when everybody has been stopped.
 *
 * Context: Process context, gc->cycle held, may sleep.
 */
void gc_sweep_all(struct goalloc_gc *gc)
{
	u32 freed;

	lockdep_assert_held(&gc->cycle);

	while (gc_sweep_one(gc, &freed))
		cond_resched();
}

/**
 * gc_sweep_pay - sweep in proportion to what is allocated
 * @gc: the heap
 * @bytes: bytes of the span that is to be allocated from
 * @npages: pages that the caller is going to sweep for it
 *
 * So that everything is swept when the next collection begins.
 *
 * Context: In a mutator's section; process context.
 */
void gc_sweep_pay(struct goalloc_gc *gc, u64 bytes, unsigned int npages)
{
	u64 ratio = READ_ONCE(gc->sweep_ratio);
	s64 since = atomic64_read(&gc->heap_live) - gc->sweep_live;
	u64 target = gc_q_mul(ratio, bytes + max_t(s64, since, 0));
	u32 freed;

	target -= min_t(u64, target, npages);
	while (atomic64_read(&gc->pages_swept) < target && gc_sweep_one(gc, &freed))
		atomic64_add(freed, &gc->reclaim_credit);
}
GOALLOC_EXPORT_KUNIT(gc_sweep_pay);

/**
 * gc_sweep_reclaim - sweep until pages are free, before more are taken
 * @gc: the heap
 * @npages: how many
 * @look: pages to sweep for them at most
 *
 * So that a heap does not grow while there are spans that hold nothing any more.
 *
 * Context: In a mutator's section; process context.
 */
void gc_sweep_reclaim(struct goalloc_gc *gc, u64 npages, u64 look)
{
	s64 credit = atomic64_read(&gc->reclaim_credit);
	u64 found = 0;
	u32 freed;

	if (!READ_ONCE(gc->sweeping))
		return;
	/* What others have freed and not used. */
	while (credit > 0 && !found)
		if (atomic64_try_cmpxchg(&gc->reclaim_credit, &credit,
					 credit - min_t(u64, credit, npages)))
			found = min_t(u64, credit, npages);
	while (found < npages && look) {
		u32 looked = gc_sweep_one(gc, &freed);

		if (!looked)
			break;
		found += freed;
		look -= min_t(u64, look, looked);
		cond_resched();
	}
	if (found > npages)
		atomic64_add(found - npages, &gc->reclaim_credit);
}
GOALLOC_EXPORT_KUNIT(gc_sweep_reclaim);

/**
 * gc_free_all - free every object of a heap that nobody uses
 * @gc: the heap
 *
 * Context: In a stop, or nobody can find the heap any more.
 */
void gc_free_all(struct goalloc_gc *gc)
{
	unsigned int cpu, sc, slot;
	struct goalloc_span *span;
	struct heap_node *home;
	int i;

	for_each_possible_cpu(cpu)
		gc_span_flush_cpu(gc, cpu);
	for (sc = 0; sc < GC_SPANCLASSES; sc++) {
		struct gc_central *central = &gc->central[sc];

		for (i = 0; i < 4; i++) {
			struct list_head *set = i < 2 ? &central->partial[i] :
							&central->full[i - 2];

			while ((span = list_first_entry_or_null(set, struct goalloc_span,
								list))) {
				list_del_init(&span->list);
				for (slot = 0; slot < span->bits.nelems; slot++)
					if (span->state[slot] != SLOT_FREE)
						sanitize_free(span, (void *)
							      span_slot_addr(span, slot));
				memset(span->state, SLOT_FREE, span->bits.nelems);
				gc_span_free(span);
			}
		}
		central->nr_spans = 0;
		central->nr_free = 0;
	}
	/* Nobody else changes the lists now, nor looks into the sets of large ones. */
	for (home = heap_first_node(gc->heap); home; home = heap_next_node(home))
		while ((span = list_first_entry_or_null(&home->large, struct goalloc_span,
							list)))
			heap_free_large(span);
}
