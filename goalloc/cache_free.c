// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees that are not the plain case: large, tiny and sampled objects, those whose
 * list is full, and all that is no live object of the heap, which is judged here
 * and refused.
 *
 * Locks: none here, but for a look at the page tree under heap_node->lock; central
 * and heap locks are taken inside their functions.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "allocinfo.h"
#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "guard.h"
#include "sanity.h"

/* The pages are the heap's, but in no span: freed before? */
static bool cache_owns_page(struct goalloc_heap *heap, unsigned long addr)
{
	u64 page = (addr - heap->space->source.base) >> GOALLOC_PAGE_SHIFT;
	struct heap_node *node;
	bool owned = false;
	unsigned long flags;

	if (page >= heap->space->source.nr_pages)
		return false;
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		if (!raw_spin_trylock_irqsave(&node->lock, flags)) {
			/* What we interrupted may have it: then we never know. */
			if (in_nmi())
				continue;
			raw_spin_lock_irqsave(&node->lock, flags);
		}
		owned = heap_node_owns(node, page);
		raw_spin_unlock_irqrestore(&node->lock, flags);
		if (owned)
			break;
	}
	return owned;
}

/* What is wrong with an address in a span where no slot begins? */
static enum bad_free cache_inside(const struct slot_ref *ref, unsigned long addr)
{
	if (ref->slot >= ref->span->bits.nelems || addr % sizeof(u64))
		return BAD_FREE_MISALIGNED;
	return BAD_FREE_INTERIOR;
}

/* The span that the page map names for an object cannot be one. */
static void cache_broken_span(struct goalloc_heap *heap,
			      const struct goalloc_span *span, const char *what)
{
	sanity_fail(heap_first_node(heap), "span", what, SAFE_NO_BIN, span);
	atomic64_inc(&heap->safe.ignored);
}

/* It is not of this heap. Of which, then? */
static enum bad_free cache_stranger(struct goalloc_heap *heap, struct slot_ref *ref)
{
	struct goalloc_heap *of = sanity_heap_of(ref->span);

	if (!of) {
		cache_broken_span(heap, ref->span, "a span that is of no heap");
		ref->span = NULL;
		return BAD_FREE_HEAP;
	}
	return READ_ONCE(of->detour) & DETOUR_ENDED ? BAD_FREE_ENDED : BAD_FREE_HEAP;
}

/*
 * Why an address cannot be freed, that of a live object aside, of which it says
 * that it is free. Preemption is off.
 */
static enum bad_free cache_judge(struct goalloc_heap *heap, unsigned long addr,
				 struct slot_ref *ref)
{
	bool begins = slot_find(&heap->space->map, addr, ref);

	if (!ref->span && safe_owns((void *)addr))
		return BAD_FREE_HEAP;
	if (!ref->span)
		return cache_owns_page(heap, addr) ? BAD_FREE_SPAN : BAD_FREE_FOREIGN;
	if (!heap_has_node(heap, ref->span->home))
		return cache_stranger(heap, ref);
	if (heap->gc)
		return BAD_FREE_HEAP;
	if (ref->span->kind == SPAN_TINY && ref->slot < ref->span->bits.nelems)
		return tiny_judge(ref, addr - span_slot_addr(ref->span, ref->slot));
	return begins && ref->slot < ref->span->bits.nelems ? BAD_FREE_DOUBLE :
							      cache_inside(ref, addr);
}

/**
 * cache_refuse - report what was no live object of a heap
 * @heap: the heap
 * @p: the address
 * @caller: call site
 *
 * Frees nothing, even if a live object begins there by now.
 *
 * Context: Any context.
 */
void cache_refuse(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	struct slot_ref ref = {};
	enum bad_free kind;

	if (guard_owns(p)) {
		guard_refuse(heap, p, caller);
		return;
	}
	preempt_disable();
	kind = cache_judge(heap, (unsigned long)p, &ref);
	report_bad_free(heap, p, ref.span, ref.slot, kind, caller);
	preempt_enable();
}

/*
 * Free what is no ordinary live object, or refuse to. Preemption is off, and on
 * again in the end: pages of a large object may go back to the kernel here.
 */
static void cache_free_odd(struct goalloc_heap *heap, const void *p,
			   unsigned long caller)
{
	unsigned long addr = (unsigned long)p;
	struct slot_ref ref = {};
	enum bad_free kind;
	bool begins;

	begins = slot_find(&heap->space->map, addr, &ref);
	if (ref.span && heap_has_node(heap, ref.span->home) &&
	    ref.slot < ref.span->bits.nelems) {
		if (ref.span->kind == SPAN_TINY &&
		    tiny_free(heap, &ref, addr - span_slot_addr(ref.span, ref.slot)))
			goto out;
		if (ref.span->kind == SPAN_LARGE && begins &&
		    cmpxchg(ref.state, SLOT_LARGE, SLOT_FREE) == SLOT_LARGE) {
			/* In our hands only, as is its span. */
			preempt_enable();
			profile_freed(p);
			allocinfo_freed(ref.span, 0);
			heap_free_large(ref.span);
			return;
		}
	}
	kind = cache_judge(heap, addr, &ref);
	/* Unless that was the heap's fault. */
	if (kind != BAD_FREE_HEAP || ref.span || !safe_is_on(heap))
		report_bad_free(heap, p, ref.span, ref.slot, kind, caller);
out:
	preempt_enable();
}

/**
 * cache_free_past - check and free any object, whatever it takes
 * @heap: heap it should belong to
 * @p: the object
 * @caller: call site, for reports
 *
 * Context: Any context, preemption as the caller of the allocator had it.
 */
void cache_free_past(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	struct goalloc_cache *cache;
	struct slot_ref ref;
	bool found;

	preempt_disable();
	found = slot_find(&heap->space->map, (unsigned long)p, &ref) &&
		heap_has_node(heap, ref.span->home);
	/* One of those that free it makes it an object like others. */
	if (found && unlikely(READ_ONCE(*ref.state) == SLOT_SAMPLED) &&
	    cmpxchg(ref.state, SLOT_SAMPLED, SLOT_LIVE) == SLOT_SAMPLED)
		profile_freed(p);
	if (!found) {
		cache_free_odd(heap, p, caller);
		return;
	}
	if (READ_ONCE(*ref.state) == SLOT_LIVE && !sanity_span(ref.span)) {
		cache_broken_span(heap, ref.span, "the shape is of no bin");
		preempt_enable();
		return;
	}
	/* Nothing between the look and the mark: the shorter the better. */
	if (READ_ONCE(*ref.state) != SLOT_LIVE) {
		cache_free_odd(heap, p, caller);
		return;
	}
	/* From here on the slot is in our hands only, and keeps its span. */
	WRITE_ONCE(*ref.state, SLOT_FREE);
	allocinfo_freed(ref.span, ref.slot);
	if (want_init_on_free() && likely(!heap->objects)) {
		sanitize_open(p, ref.span->elemsize);
		memset((void *)p, 0, ref.span->elemsize);
	}
	sanitize_free(ref.span, p);
	if (in_nmi()) {
		central_defer(heap_central_of(ref.span), ref.span, ref.slot);
		preempt_enable();
		return;
	}
	cache = cache_get(heap);
	if (!cache->bin[ref.span->bin].cap &&
	    (cache == &cache_none || ref.span->home == cache->home)) {
		preempt_enable();
		cache_prepare(heap, ref.span->bin);
		preempt_disable();
		cache = cache_get(heap);
	}
	cache_put(ref.span, ref.slot, cache);
	preempt_enable();
}

/**
 * cache_free_slow - free what is not the plain case
 * @p: the object, or NULL or ZERO_SIZE_PTR
 * @heap: heap it should belong to; NULL is the default one
 * @caller: call site, for reports
 *
 * Context: As cache_free_past().
 */
void cache_free_slow(const void *p, struct goalloc_heap *heap, unsigned long caller)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	heap = cache_heap(heap);
	if (guard_owns(p) && !(READ_ONCE(heap->detour) & (DETOUR_SAFE | DETOUR_ENDED)))
		guard_free(heap, p, caller);
	else if (detour_taken(heap))
		detour_free(heap, p, caller);
	else
		cache_free_past(heap, p, caller);
}
GOALLOC_EXPORT_KUNIT(cache_free_slow);
