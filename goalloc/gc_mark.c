// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marking: from a pointer to the object, and from the object to its pointers.
 *
 * A slot's state byte is the mark. It is stored, not exchanged: if two find an object at
 * once both scan it, which finds nothing new, and no marking waits for another. What
 * the bytes in use are then counted too high by is gone when the span is swept.
 *
 * Large objects are scanned in pieces (oblets), so that several can share them and
 * nobody is busy with one for long.
 *
 * Locks: none but those of gc_work.c.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "compat.h"
#include "gc.h"

/* Let others run after so many bytes. */
#define GC_DRAIN_BYTES (64 << 10)

static noinline void gc_bad_pointer(struct goalloc_gc *gc, void *p, const void *from)
{
	atomic64_inc(&gc->bad_pointers);
	report_gc_pointer(gc, p, from);
}

/**
 * gc_grey - mark the object that a pointer leads to, and remember to scan it
 * @w: work of who has found it
 * @p: the pointer, which may lead inside an object, or NULL
 * @from: where it was found
 *
 * Context: In a mutator's section, a stop, or while the heap is marked; any but an
 *          interrupt.
 */
void gc_grey(struct gc_work *w, void *p, const void *from)
{
	struct goalloc_gc *gc = w->gc;
	struct goalloc_span *span;
	unsigned int slot;
	u8 *state, is;

	if (!p)
		return;
	span = pagemap_find(&gc->heap->space->map, (unsigned long)p);
	if (unlikely(heap_of(span) != gc->heap)) {
		gc_bad_pointer(gc, p, from);
		return;
	}
	slot = gc_slot(span, p);
	state = span_slot_state(span, slot);
	is = READ_ONCE(*state);
	if (is == gc->colour)
		return;
	if (unlikely(is != gc_other_colour(gc->colour))) {
		gc_bad_pointer(gc, p, from);
		return;
	}
	if (unlikely(w->verify)) {
		gc->missed++;
		report_gc_missed(gc, p, from);
	}
	WRITE_ONCE(*state, gc->colour);
	w->marked += span->elemsize;
	if (!spanclass_noscan(span->spanclass))
		gc_work_put(w, cache_entry_make(span, span->kind == SPAN_LARGE ? 0 : slot));
}
GOALLOC_EXPORT_KUNIT(gc_grey);

/**
 * gc_grey_guess - mark the object that a word may be a pointer to
 * @w: work of who has found it
 * @word: anything
 *
 * Context: As gc_grey().
 */
void gc_grey_guess(struct gc_work *w, unsigned long word)
{
	struct goalloc_gc *gc = w->gc;
	struct goalloc_span *span;
	unsigned int slot;
	bool ours;

	/* It may be another heap's, which does not stand still. */
	rcu_read_lock();
	span = pagemap_find(&gc->heap->space->map, word);
	ours = heap_of(span) == gc->heap;
	rcu_read_unlock();
	if (!ours)
		return;
	slot = gc_slot(span, (void *)word);
	/* Behind the last one, or free. */
	if (slot < span->bits.nelems &&
	    READ_ONCE(*span_slot_state(span, slot)) == gc_other_colour(gc->colour))
		gc_grey(w, (void *)word, NULL);
}

/*
 * What follows the pointers of an object, from @begin to @end. Behind the last element
 * of an array the slot holds zeros, which lead nowhere, so nobody needs to know how
 * long it is.
 */
static void gc_scan_range(struct gc_work *w, const struct goalloc_type *type,
			  unsigned long base, size_t begin, size_t end)
{
	unsigned int words = DIV_ROUND_UP(type->size / 8, BITS_PER_LONG);
	size_t element = begin - begin % type->size;
	unsigned int i;

	for (; element < end; element += type->size) {
		for (i = 0; i < words; i++) {
			unsigned long bits = type->map[i];

			for (; bits; bits &= bits - 1) {
				size_t at = element + (i * BITS_PER_LONG + __ffs(bits)) * 8;
				void **slot = (void **)(base + at);

				if (at < begin)
					continue;
				if (at + sizeof(void *) > end)
					return;
				/* A checker knows no bytes behind what was asked for. */
				gc_grey(w, READ_ONCE_NOCHECK(*slot), slot);
			}
		}
	}
}

/**
 * gc_scan - mark what an object points to
 * @w: whose work it is
 * @obj: the object
 *
 * Context: As gc_grey().
 */
void gc_scan(struct gc_work *w, cache_entry_t obj)
{
	struct goalloc_span *span = cache_entry_span(obj);
	unsigned int slot = cache_entry_slot(obj);
	const struct goalloc_type *type;
	size_t begin = 0, end = span->elemsize;
	unsigned long base = span->base;

	if (span->kind == SPAN_LARGE) {
		unsigned int i, oblets = DIV_ROUND_UP(span->asked, GC_OBLET_BYTES);

		begin = (size_t)slot * GC_OBLET_BYTES;
		end = min_t(size_t, span->asked, begin + GC_OBLET_BYTES);
		/* The rest is for whoever comes; if it cannot be remembered, for us. */
		for (i = oblets; !slot && i > 1; i--) {
			if (gc_work_try_put(w, cache_entry_make(span, i - 1)))
				continue;
			end = min_t(size_t, span->asked, (size_t)i * GC_OBLET_BYTES);
			break;
		}
		slot = 0;
	} else {
		base = span_slot_addr(span, slot);
	}
	type = gc_type(*gc_track(w->gc, span, slot));
	w->scanned += end - begin;
	if (likely(type && type->map))
		gc_scan_range(w, type, base, begin, end);
}

/**
 * gc_drain - scan until nothing is left for this one to find, or it has been enough
 * @w: who marks
 * @bytes: how many bytes are enough
 *
 * Context: Process context, may sleep.
 * Return: bytes scanned.
 */
u64 gc_drain(struct gc_work *w, u64 bytes)
{
	struct goalloc_gc *gc = w->gc;
	cache_entry_t obj;
	u64 done = 0;

	gc_work_flush(w);
	while (done + w->scanned < bytes && gc_work_get(w, &obj)) {
		gc_scan(w, obj);
		if (unlikely(READ_ONCE(gc->nr_idle)) && list_empty(&gc->full))
			gc_work_share(w);
		if (w->scanned >= GC_DRAIN_BYTES) {
			done += w->scanned;
			gc_work_flush(w);
			if (w->paced)
				gc_pace(w);
			if (w->percent)
				gc_markers_throttle(w);
			cond_resched();
		}
	}
	done += w->scanned;
	gc_work_flush(w);
	return done;
}
GOALLOC_EXPORT_KUNIT(gc_drain);

/* Scan everything in a span that is marked, whether or not it has been. */
static void gc_rescan_span(struct goalloc_span *span, void *arg)
{
	struct gc_work *w = arg;
	unsigned int slot;

	if (spanclass_noscan(span->spanclass))
		return;
	for (slot = 0; slot < span->bits.nelems; slot++) {
		if (!gc_is_marked(w->gc, span, slot))
			continue;
		gc_scan(w, cache_entry_make(span, slot));
		gc_drain(w, U64_MAX);
	}
}

/**
 * gc_rescan - find what was marked and could not be remembered
 * @w: who marks
 *
 * Each round goes at least one object deeper, so there is an end to it without any
 * memory at all.
 *
 * Context: In a stop.
 */
void gc_rescan(struct gc_work *w)
{
	while (READ_ONCE(w->gc->overflow)) {
		WRITE_ONCE(w->gc->overflow, false);
		gc_spans_walk(w->gc, gc_rescan_span, w);
		gc_drain(w, U64_MAX);
	}
}

/**
 * gc_verify - look for objects that marking has missed
 * @w: who marks; all is marked
 *
 * What is found is marked after all, so that nothing is lost.
 *
 * Context: In a stop.
 */
void gc_verify(struct gc_work *w)
{
	w->verify = true;
	gc_spans_walk(w->gc, gc_rescan_span, w);
	w->verify = false;
	gc_rescan(w);
}
