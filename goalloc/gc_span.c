// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spans of a collected heap: who has them.
 *
 * A span of small objects is a CPU's, or in one of four sets of its span class: with
 * free slots or without, swept since the last collection or not. A collection makes all
 * swept sets unswept ones by adding 2 to the heap's sweepgen, h below. A span's own
 * sweepgen says
 *
 *	h - 2	it is in an unswept set
 *	h - 1	somebody sweeps it, and nobody else has it
 *	h	it is in a swept set
 *	h + 3	a CPU allocates from it
 *
 * Go has h + 1 besides, for spans that stay in a cache while h changes. Here the stop
 * that changes h takes them all back first: a CPU knows which of its spans are none of
 * the stand-in's, so that costs as much as there are.
 *
 * h changes in stops only, so it is the same throughout a mutator's section, and for
 * whoever holds gc->cycle.
 *
 * Locks: gc_central.lock, gc->large_lock.
 */
#include <linux/bitmap.h>
#include <linux/kmemleak.h>
#include <linux/lockdep.h>
#include <linux/topology.h>

#include "cache.h"
#include "compat.h"
#include "gc.h"
#include "sanitize.h"

/**
 * gc_span_pop - take a span out of a set
 * @central: whose
 * @set: the set
 *
 * Context: @central->lock held.
 * Return: the span, in no set, or NULL.
 */
struct goalloc_span *gc_span_pop(struct gc_central *central, struct list_head *set)
{
	struct goalloc_span *span = list_first_entry_or_null(set, struct goalloc_span, list);

	lockdep_assert_held(&central->lock);

	if (!span)
		return NULL;
	list_del_init(&span->list);
	central->nr_free -= span->nr_free;
	return span;
}

/**
 * gc_span_free - give a span's pages back
 * @span: a span in no set, all of whose slots are free
 *
 * Context: Any but an interrupt.
 */
void gc_span_free(struct goalloc_span *span)
{
	atomic64_sub(span->npages, &span->home->apart);
	atomic64_sub(span->npages, &span->home->heap->gc->pages);
	heap_free_span(span);
}

static void gc_span_own(struct goalloc_gc *gc, struct goalloc_span *span)
{
	span->sweepgen = gc->sweepgen + 3;
	span->lent = span->nr_free;
	/* As if it were all used: whoever gives it back says what was not. */
	gc_allocated(gc, (u64)span->lent * span->elemsize, spanclass_noscan(span->spanclass));
}

/* There is no memory, but perhaps garbage. */
static void gc_want(struct goalloc_gc *gc)
{
	if (gc->flags & GOALLOC_GC_EXPLICIT || READ_ONCE(gc->percent) < 0)
		return;
	WRITE_ONCE(gc->wanted, true);
	kthread_queue_work(gc->collector, &gc->cycle_work);
}

/*
 * There was no memory: is it worth to try again? What is to be swept has not all been;
 * and if that is not it, a collection may help the next one.
 */
static bool gc_try_again(struct goalloc_gc *gc, gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp) && READ_ONCE(gc->sweeping)) {
		gc_sweep_reclaim(gc, U64_MAX, U64_MAX);
		return true;
	}
	gc_want(gc);
	return false;
}

static struct goalloc_span *gc_span_grow(struct goalloc_gc *gc, u8 sc, gfp_t gfp)
{
	struct gc_central *central = &gc->central[sc];
	struct goalloc_span *span;

	if (gfpflags_allow_blocking(gfp))
		gc_sweep_reclaim(gc, span_shape_small(spanclass_class(sc)).npages,
				 GC_RECLAIM_PAGES);
	do {
		span = heap_alloc_span(heap_node_of(gc->heap, numa_mem_id()),
				       spanclass_class(sc), gfp);
	} while (!span && gc_try_again(gc, gfp));
	if (!span)
		return NULL;
	span->spanclass = sc;
	span->nr_free = span->bits.nelems;
	atomic64_add(span->npages, &span->home->apart);
	atomic64_add(span->npages, &gc->pages);
	spin_lock(&central->lock);
	central->nr_spans++;
	gc_span_own(gc, span);
	spin_unlock(&central->lock);
	return span;
}

/**
 * gc_span_get - a span to allocate from
 * @gc: the heap
 * @sc: its span class
 * @gfp: how hard to try
 *
 * Context: In a mutator's section; any that @gfp allows.
 * Return: a span with a free slot that is the caller's now, or NULL.
 */
struct goalloc_span *gc_span_get(struct goalloc_gc *gc, u8 sc, gfp_t gfp)
{
	struct gc_central *central = &gc->central[sc];
	unsigned int budget = GC_REFILL_BUDGET;
	u32 h = gc->sweepgen;
	struct goalloc_span *span;

	if (READ_ONCE(gc->sweep_ratio) && gfpflags_allow_blocking(gfp)) {
		struct span_shape shape = span_shape_small(spanclass_class(sc));

		gc_sweep_pay(gc, (u64)shape.npages << GOALLOC_PAGE_SHIFT, shape.npages);
	}
	spin_lock(&central->lock);
	span = gc_span_pop(central, &central->partial[GC_SWEPT(h)]);
	if (span)
		goto own;
	while (budget--) {
		span = gc_sweep_claim(gc, central, false);
		if (!span)
			break;
		spin_unlock(&central->lock);
		gc_sweep_span(gc, span);
		atomic64_add(span->npages, &gc->pages_swept);
		spin_lock(&central->lock);
		if (span->nr_free)
			goto own;
		list_add(&span->list, &central->full[GC_SWEPT(h)]);
	}
	spin_unlock(&central->lock);
	return gc_span_grow(gc, sc, gfp);
own:
	gc_span_own(gc, span);
	spin_unlock(&central->lock);
	return span;
}

/**
 * gc_span_put - take a span back from a CPU
 * @gc: the heap
 * @span: its span, which it no longer looks at
 *
 * Context: In a mutator's section, or a stop; any but an interrupt.
 */
void gc_span_put(struct goalloc_gc *gc, struct goalloc_span *span)
{
	struct gc_central *central = &gc->central[span->spanclass];
	unsigned int unused = span_bits_unused(&span->bits);

	WARN_ON_ONCE(span->sweepgen != gc->sweepgen + 3);
	if (unused)
		gc_unallocated(gc, (u64)unused * span->elemsize,
			       spanclass_noscan(span->spanclass));
	spin_lock(&central->lock);
	central->allocs += span->lent - unused;
	span->nr_free = unused;
	span->sweepgen = gc->sweepgen;
	spin_unlock(&central->lock);
	gc_sweep_place(gc, span);
}

/**
 * gc_span_free_slot - an object was freed by its owner
 * @gc: the heap, one whose objects are
 * @span: its span
 * @slot: its slot, free already, and nobody else's
 *
 * Context: In a mutator's section; any but an interrupt.
 */
void gc_span_free_slot(struct goalloc_gc *gc, struct goalloc_span *span, unsigned int slot)
{
	struct gc_central *central = &gc->central[span->spanclass];
	bool placed;

	gc_unallocated(gc, span->elemsize, spanclass_noscan(span->spanclass));
	if (span->kind == SPAN_LARGE) {
		atomic64_sub(span->npages, &gc->pages);
		heap_free_large(span);
		return;
	}
	sanitize_free(span, (void *)span_slot_addr(span, slot));
	spin_lock(&central->lock);
	central->frees++;
	span_bits_free(&span->bits, slot);
	span->needzero = true;
	/* One of a CPU, or on its way to a set, is placed by whoever has it. */
	placed = span->sweepgen == gc->sweepgen && !list_empty(&span->list);
	if (placed) {
		list_del_init(&span->list);
		central->nr_free -= span->nr_free;
	}
	spin_unlock(&central->lock);
	if (placed)
		gc_sweep_place(gc, span);
}

/**
 * gc_span_flush_cpu - take back all spans of a CPU
 * @gc: the heap
 * @cpu: the CPU: everybody is stopped, or it is dead
 *
 * Context: In a stop, or a mutator's section.
 */
void gc_span_flush_cpu(struct goalloc_gc *gc, unsigned int cpu)
{
	struct gc_cpu *c = per_cpu_ptr(gc->cpus, cpu);
	unsigned int sc;

	for_each_set_bit(sc, c->used, GC_SPANCLASSES) {
		struct goalloc_span *span = c->span[sc];

		c->span[sc] = &cache_no_span;
		gc_span_put(gc, span);
	}
	bitmap_zero(c->used, GC_SPANCLASSES);
	c->tiny = 0;
}
GOALLOC_EXPORT_KUNIT(gc_span_flush_cpu);

/**
 * gc_large_alloc - allocate a large object
 * @gc: the heap
 * @size: bytes
 * @id: number of its type
 * @noscan: it has no pointers
 * @gfp: how hard to try
 *
 * Context: In a mutator's section; any that @gfp allows.
 * Return: the object, all zeros, or NULL.
 */
void *gc_large_alloc(struct goalloc_gc *gc, size_t size, u32 id, bool noscan, gfp_t gfp)
{
	struct goalloc_span *span;
	void *obj;

	if (gfpflags_allow_blocking(gfp)) {
		u64 npages = DIV_ROUND_UP(size, GOALLOC_PAGE_SIZE);

		if (READ_ONCE(gc->sweep_ratio))
			gc_sweep_pay(gc, size, 0);
		gc_sweep_reclaim(gc, npages, max_t(u64, npages, GC_RECLAIM_PAGES));
	}
	do {
		obj = heap_alloc_large(gc->heap, size, 1, gfp | __GFP_ZERO, numa_mem_id());
	} while (!obj && gc_try_again(gc, gfp));
	if (!obj)
		return NULL;
	span = pagemap_span(&gc->heap->space->map, (unsigned long)obj);
	span->spanclass = spanclass_make(0, noscan);
	span->sweepgen = gc->sweepgen;
	/* See gc_small(). */
	kmemleak_not_leak(obj);
	*gc_track(gc, span, 0) = id;
	WRITE_ONCE(span->state[0], gc->colour);
	atomic64_add(span->npages, &gc->pages);
	/* Those that their owners free are not swept. */
	if (!(gc->flags & GOALLOC_GC_EXPLICIT))
		llist_add(&span->deferred, &gc->large[GC_SWEPT(gc->sweepgen)]);
	gc_allocated(gc, span->elemsize, noscan);
	return obj;
}

/**
 * gc_spans_walk - call a function for every span of a heap
 * @gc: the heap
 * @fn: the function
 * @arg: its second argument
 *
 * Context: In a stop.
 */
void gc_spans_walk(struct goalloc_gc *gc, gc_span_fn_t fn, void *arg)
{
	struct goalloc_span *span;
	struct heap_node *node;
	unsigned int cpu, sc;
	int i;

	for (sc = 0; sc < GC_SPANCLASSES; sc++) {
		for (i = 0; i < 2; i++) {
			list_for_each_entry(span, &gc->central[sc].partial[i], list)
				fn(span, arg);
			list_for_each_entry(span, &gc->central[sc].full[i], list)
				fn(span, arg);
		}
	}
	for_each_possible_cpu(cpu) {
		struct gc_cpu *c = per_cpu_ptr(gc->cpus, cpu);

		for_each_set_bit(sc, c->used, GC_SPANCLASSES)
			fn(c->span[sc], arg);
	}
	for (node = heap_first_node(gc->heap); node; node = heap_next_node(node))
		list_for_each_entry(span, &node->large, list)
			fn(span, arg);
}
