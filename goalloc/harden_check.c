// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: is what must not change as it was left?
 *
 * Two things must not change: the red zone behind a live object, and, with
 * poison, every byte of a free slot. In a heap with poison all free slots are
 * filled, those never handed out included, and can be looked at any time.
 *
 * Looked at is a slot when it changes hands, by whoever has it in hand; a span
 * before its pages go; and everything in a sweep, which takes no lock: it reads
 * what others may be changing, and what it finds counts only if the slot was in
 * the same hands before and after.
 *
 * Locks: none. Sweeps are in an RCU read section for a span at a time.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "compat.h"
#include "harden.h"
#include "report.h"
#include "sanitize.h"

/* Where the red zone of an object of @asked bytes is broken, or NULL. */
static const char *check_red(const struct slot_ref *ref, u32 asked)
{
	const char *at;

	sanitize_pause();
	at = memchr_inv(harden_object(ref) + asked, HARDEN_RED_BYTE,
			ref->span->elemsize - asked);
	sanitize_resume();
	return at;
}

/* Where so many bytes of free slots are not as they were filled, or NULL. */
static const char *check_fill(const struct harden *h, const void *p, size_t size)
{
	const char *at;

	sanitize_pause();
	at = memchr_inv(p, h->fill, size);
	sanitize_resume();
	return at;
}

static void check_refill(const struct harden *h, void *p, size_t size)
{
	sanitize_pause();
	memset(p, h->fill, size);
	sanitize_resume();
}

static void check_found_red(const struct slot_ref *ref, const char *at, u32 asked,
			    unsigned long caller)
{
	atomic64_inc(&harden_of(ref->span)->overflows);
	report_overflow(ref->span, ref->slot, at - harden_object(ref) - asked,
			caller ?: harden_site());
}

static void check_found_fill(const struct slot_ref *ref, const char *at,
			     unsigned long caller)
{
	atomic64_inc(&harden_of(ref->span)->use_after_frees);
	report_use_after_free(ref->span, ref->slot, at - harden_object(ref),
			      harden_of(ref->span)->fill, caller ?: harden_site());
}

/**
 * harden_check_red - is the red zone of an object whole?
 * @ref: its slot, in the caller's hands
 * @caller: call site for the report, 0 to find it out
 *
 * Context: Any context.
 * Return: false if it was changed; that has been counted and reported.
 */
bool harden_check_red(const struct slot_ref *ref, unsigned long caller)
{
	u32 asked = harden_track(ref->span, ref->slot)->asked;
	const char *at;

	if (!(harden_of(ref->span)->flags & GOALLOC_HARDEN_REDZONE))
		return true;
	at = check_red(ref, asked);
	if (likely(!at))
		return true;
	check_found_red(ref, at, asked, caller);
	return false;
}

/**
 * harden_fill - overwrite a slot that was freed
 * @ref: the slot, in the caller's hands
 *
 * Context: Any context.
 */
void harden_fill(const struct slot_ref *ref)
{
	check_refill(harden_of(ref->span), harden_object(ref), ref->span->elemsize);
}

/**
 * harden_check_fill - is a free slot as it was filled?
 * @ref: the slot, in the caller's hands
 * @caller: call site for the report, 0 to find it out
 *
 * What was written to is filled again.
 *
 * Context: Any context.
 * Return: false if it was changed; that has been counted and reported.
 */
bool harden_check_fill(const struct slot_ref *ref, unsigned long caller)
{
	const struct harden *h = harden_of(ref->span);
	const char *at;

	if (!(h->flags & GOALLOC_HARDEN_POISON))
		return true;
	at = check_fill(h, harden_object(ref), ref->span->elemsize);
	if (likely(!at))
		return true;
	check_found_fill(ref, at, caller);
	harden_fill(ref);
	return false;
}

/**
 * harden_span_begins - prepare a new span of small objects
 * @span: the span, not in the page map yet
 *
 * Context: Any but NMI.
 */
void harden_span_begins(struct goalloc_span *span)
{
	const struct harden *h = harden_of(span);

	memset(span->tracks, 0, (size_t)span->bits.nelems * h->heap->track_bytes);
	if (h->flags & GOALLOC_HARDEN_POISON)
		check_refill(h, (void *)span->base,
			     (size_t)span->bits.nelems * span->elemsize);
}

/**
 * harden_span_ends - look at the slots of a span whose pages are about to go
 * @span: a span of small objects, all of them free, in no list
 *
 * Context: Any but NMI.
 */
void harden_span_ends(struct goalloc_span *span)
{
	struct slot_ref ref = { .span = span };

	if (!(harden_of(span)->flags & GOALLOC_HARDEN_POISON) ||
	    !check_fill(harden_of(span), (void *)span->base,
			(size_t)span->bits.nelems * span->elemsize))
		return;
	for (ref.slot = 0; ref.slot < span->bits.nelems; ref.slot++)
		harden_check_fill(&ref, 0);
}

/**
 * harden_in_same_hands - has a slot stayed with whom it was when it was looked at?
 * @ref: the slot
 * @state: its state before
 * @seq: its record's number of allocations before
 *
 * If not, what was seen may be somebody else's. So it may if the span was given up,
 * whose slots still look free: its pages were let go after that.
 *
 * Context: Any, in the RCU read section that the span was found in.
 * Return: true if so.
 */
bool harden_in_same_hands(const struct slot_ref *ref, u8 state, u32 seq)
{
	/* What was read before, before this; pairs with central_close(). */
	smp_rmb();
	return READ_ONCE(*ref->state) == state &&
	       READ_ONCE(harden_track(ref->span, ref->slot)->seq) == seq &&
	       span_slot_state(ref->span, ref->slot) == ref->state;
}
GOALLOC_EXPORT_KUNIT(harden_in_same_hands);

/* Look at a slot that may change hands meanwhile; true if it is broken. */
static bool check_slot(const struct slot_ref *ref, unsigned long caller)
{
	const struct harden_track *track = harden_track(ref->span, ref->slot);
	const struct harden *h = harden_of(ref->span);
	u32 seq = READ_ONCE(track->seq);
	const char *at = NULL;
	u32 asked = 0;
	u8 state;

	/* Pairs with harden_arm(). */
	smp_rmb();
	/* What is in the slot belongs to its state; pairs with the releases. */
	state = smp_load_acquire(ref->state);
	switch (state) {
	case SLOT_LIVE:
	case SLOT_LARGE:
		/* Pairs with harden_resize(). */
		asked = smp_load_acquire(&track->asked);
		if (h->flags & GOALLOC_HARDEN_REDZONE)
			/* Whose it is now is asked below. */
			at = data_race(check_red(ref, asked));
		break;
	case SLOT_FREE:
		if (ref->span->kind == SPAN_LARGE)
			break;
		fallthrough;
	case SLOT_QUARANTINE:
		if (h->flags & GOALLOC_HARDEN_POISON)
			/* As above. */
			at = data_race(check_fill(h, harden_object(ref), ref->span->elemsize));
		break;
	}
	if (likely(!at))
		return false;
	if (!harden_in_same_hands(ref, state, seq))
		return false;
	if (state == SLOT_LIVE || state == SLOT_LARGE)
		check_found_red(ref, at, asked, caller);
	else
		check_found_fill(ref, at, caller);
	return true;
}

/**
 * harden_check_heap - look at every object and every free slot
 * @heap: a hardened heap
 * @caller: call site for reports, 0 to find it out
 *
 * Others may use the heap meanwhile. What is found is counted and reported, and
 * left as it is.
 *
 * Context: Process context, may sleep.
 * Return: objects and slots that were found broken.
 */
u64 harden_check_heap(struct goalloc_heap *heap, unsigned long caller)
{
	const struct pagemap *map = &heap->space->map;
	u64 page, next, end = 1;
	u64 broken = 0;

	for (page = 0; page < end; page = next) {
		struct slot_ref ref;

		rcu_read_lock();
		end = pagemap_nr_pages(map);
		ref.span = pagemap_span(map, heap_page_addr(heap, page));
		next = page + 1;
		if (ref.span) {
			next = max(next, ref.span->page + ref.span->npages);
			if (heap_of(ref.span) != heap)
				ref.span = NULL;
		} else if (!pagemap_has_chunk(map, page)) {
			next = round_up(next, ARENA_LEAF_PAGES);
		}
		for (ref.slot = 0; ref.span && ref.slot < ref.span->bits.nelems; ref.slot++) {
			ref.state = ref.span->state + ref.slot;
			broken += check_slot(&ref, caller);
		}
		rcu_read_unlock();
		cond_resched();
	}
	return broken;
}
GOALLOC_EXPORT_KUNIT(harden_check_heap);
