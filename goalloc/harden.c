// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: handing out and taking back.
 *
 * Every allocation and free goes through the centrals, under their locks, as
 * SLUB's debug caches do; ordinary heaps pay nothing for that. A slot goes
 * round like this:
 *
 *	FREE -> BUSY -> LIVE -> BUSY -> QUARANTINE -> FREE
 *	                             \-> DEFERRED -/
 *
 * Allocation takes a slot to BUSY under the central lock, looks whether its
 * poison is whole, lays the red zone and only then makes it LIVE. A free claims
 * it with cmpxchg(), LIVE to BUSY: of two that race, one is refused, always.
 * From there the slot is in the winner's hands until it is FREE again, however
 * long it is in quarantine. In NMI it is DEFERRED first, see
 * harden_quarantine.c.
 *
 * The object is at the start of its slot, and the red zone is all the rest, so
 * that a byte behind the object is a byte of the red zone.
 *
 * Locks: harden->lock alone, central and heap locks inside their functions.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/string.h>

#include "allocinfo.h"
#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "harden.h"
#include "profile.h"
#include "sanitize.h"

/**
 * harden_create - make a heap a hardened one
 * @heap: a heap that has no span yet
 * @attr: how; @attr->harden has any of HARDEN_FLAGS
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int harden_create(struct goalloc_heap *heap, const struct goalloc_heap_attr *attr)
{
	struct harden *h;
	int err;

	h = meta_zalloc(&heap->meta, sizeof(*h), GFP_KERNEL, NUMA_NO_NODE);
	if (!h)
		return -ENOMEM;
	h->heap = heap;
	h->flags = attr->harden & HARDEN_FLAGS;
	/* The kernel's init_on_free wants zeros, whatever else is asked for. */
	h->fills = h->flags & (GOALLOC_HARDEN_POISON | GOALLOC_HARDEN_ZERO) ||
		   want_init_on_free();
	h->fill = h->flags & GOALLOC_HARDEN_ZERO || want_init_on_free() ?
		  0 : HARDEN_FREE_BYTE;
	get_random_bytes(&h->key, sizeof(h->key));
	raw_spin_lock_init(&h->lock);
	if (h->flags & GOALLOC_HARDEN_QUARANTINE)
		h->cap = attr->quarantine ?: harden_quarantine_cap();

	heap->harden = h;
	heap->track_bytes = sizeof(struct harden_track);
	if (h->flags & GOALLOC_HARDEN_STACKS) {
		heap->track_bytes += HARDEN_NR_EVENTS * sizeof(struct harden_event);
		err = harden_track_init();
		if (err)
			return err;
	}
	if (h->flags & GOALLOC_HARDEN_REDZONE)
		heap->redzone = HARDEN_REDZONE;
	WRITE_ONCE(heap->detour, heap->detour | DETOUR_HARDENED);
	return 0;
}

/**
 * harden_end - empty the quarantine of a heap that ends, and look at it all
 * @heap: a hardened heap that nobody uses any more
 *
 * Context: Process context, may sleep.
 */
void harden_end(struct goalloc_heap *heap)
{
	harden_drain(heap->harden, U64_MAX);
	harden_check_heap(heap, 0);
}

/**
 * harden_destroy - free what makes a heap hardened
 * @heap: a heap without spans, hardened or not
 *
 * Context: Process context, may sleep.
 */
void harden_destroy(struct goalloc_heap *heap)
{
	if (!heap->harden)
		return;
	meta_free(&heap->meta, heap->harden, sizeof(*heap->harden));
	heap->harden = NULL;
}

/* A number that nobody outside can foretell. No lock, so in any context. */
static u32 harden_draw(struct harden *h)
{
	return siphash_1u64(atomic64_inc_return(&h->draws), &h->key);
}

/* Take any free slot of a bin, making a span if there is none. */
static bool harden_take(struct harden *h, unsigned int bin, size_t asked,
			gfp_t gfp, int nid, struct slot_ref *ref)
{
	struct heap_node *node = heap_node_of(h->heap, nid);
	bool random = h->flags & GOALLOC_HARDEN_RANDOM;
	struct goalloc_span *span;
	u32 draw = 0;
	int i;

	for (;;) {
		if (random)
			draw = harden_draw(h);
		ref->span = central_take(&node->central[bin], asked, SLOT_BUSY,
					 random ? &draw : NULL, &ref->slot);
		if (ref->span)
			goto taken;
		if (in_nmi())
			return false;
		span = heap_alloc_span(node, bin, gfp);
		if (!span)
			break;
		/* Whoever is quicker may empty it; then make another. */
		node = span->home;
		central_add(&node->central[bin], span);
	}
	if ((gfp | h->heap->gfp) & __GFP_THISNODE)
		return false;
	for (i = 0; i < h->heap->nr_nodes; i++) {
		node = heap_near(h->heap, heap_row(h->heap, nid), i);
		if (!node)
			continue;
		ref->span = central_take(&node->central[bin], asked, SLOT_BUSY,
					 random ? &draw : NULL, &ref->slot);
		if (ref->span)
			goto taken;
	}
	return false;

taken:
	ref->state = ref->span->state + ref->slot;
	return true;
}

/**
 * harden_arm - make a slot ready for its user
 * @span: its span, of a hardened heap
 * @slot: its number; it is in the caller's hands
 * @asked: bytes requested
 * @gfp: as for goalloc()
 * @dirty: the slot may hold something else than zeros
 *
 * The checkers of the kernel have been told of the object; the caller makes it
 * live afterwards.
 *
 * Context: Any context that @gfp allows.
 */
void harden_arm(struct goalloc_span *span, unsigned int slot, size_t asked,
		gfp_t gfp, bool dirty)
{
	struct harden_track *track = harden_track(span, slot);
	char *obj = (char *)span_slot_addr(span, slot);
	size_t usable = span->elemsize;

	WRITE_ONCE(track->seq, track->seq + 1);
	/* Before anything in the slot changes; pairs with check_slot(). */
	smp_wmb();
	WRITE_ONCE(track->asked, asked);
	if (harden_of(span)->flags & GOALLOC_HARDEN_STACKS) {
		memset(track->event, 0, HARDEN_NR_EVENTS * sizeof(track->event[0]));
		harden_record(&track->event[HARDEN_ALLOCATED], 0);
	}
	sanitize_pause();
	if (harden_of(span)->flags & GOALLOC_HARDEN_REDZONE) {
		memset(obj + asked, HARDEN_RED_BYTE, usable - asked);
		usable = asked;
	}
	if (dirty && want_init_on_alloc(gfp))
		memset(obj, 0, usable);
	sanitize_resume();
}

/* Objects that were found written to are not handed out in this round. */
static void *harden_alloc_small(struct harden *h, unsigned int bin, size_t asked,
				gfp_t gfp, int nid)
{
	struct slot_ref ref;
	cache_entry_t spoilt = 0;
	void *obj = NULL;

	while (harden_take(h, bin, asked, gfp, nid, &ref)) {
		if (likely(harden_check_fill(&ref, 0))) {
			obj = harden_object(&ref);
			sanitize_alloc(h->heap, obj, bin, asked, gfp);
			harden_arm(ref.span, ref.slot, asked, gfp, true);
			/* Pairs with the cmpxchg() of whoever frees it. */
			smp_store_release(ref.state, SLOT_LIVE);
			break;
		}
		harden_track(ref.span, ref.slot)->next = spoilt;
		spoilt = harden_entry(&ref);
	}
	while (unlikely(spoilt)) {
		ref = harden_ref(spoilt);
		spoilt = harden_track(ref.span, ref.slot)->next;
		harden_return(h, &ref);
	}
	return obj;
}

static void *harden_try(struct harden *h, size_t size, size_t align, gfp_t gfp, int nid)
{
	size_t room = size + h->heap->redzone;
	unsigned int class;

	if (room <= GOALLOC_MAX_SMALL && align <= GOALLOC_PAGE_SIZE) {
		for (class = sizeclass_of(room); class < GOALLOC_NR_CLASSES; class++)
			if (sizeclass_aligned(class, align))
				return harden_alloc_small(h, class, size, gfp, nid);
	}
	if (in_nmi())
		return NULL;
	return heap_alloc_large(h->heap, size, align, gfp, nid);
}

/**
 * harden_alloc - allocate an object of a hardened heap
 * @heap: the heap
 * @size: bytes requested, not 0
 * @align: alignment in bytes, a power of two; 0 for the one that goalloc()
 *         promises
 * @gfp: as for goalloc()
 * @nid: preferred node
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
void *harden_alloc(struct goalloc_heap *heap, size_t size, size_t align,
		   gfp_t gfp, int nid)
{
	/* Without much effort, and without hope as long as we hold something. */
	gfp_t easy = (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN;
	struct harden *h = heap->harden;
	void *obj;

	if (size > GOALLOC_MAX_SIZE || align > GOALLOC_MAX_SIZE)
		return NULL;
	if (!align)
		align = clamp_t(size_t, size & -size, 8, SIZECLASS_MAX_ALIGN);
	if (!in_nmi())
		harden_settle(h);
	if (READ_ONCE(h->bytes) && !in_nmi()) {
		obj = harden_try(h, size, align, easy, nid);
		if (obj)
			return obj;
		harden_drain(h, U64_MAX);
	}
	obj = harden_try(h, size, align, gfp, nid);
	if (!obj)
		atomic64_inc(&heap->nr_failed);
	return obj;
}

/* Of all that try to free an object one gets true. */
static bool harden_claim(const struct slot_ref *ref)
{
	u8 live = ref->span->kind == SPAN_LARGE ? SLOT_LARGE : SLOT_LIVE;

	return cmpxchg(ref->state, live, SLOT_BUSY) == live;
}

/**
 * harden_free - check and free an object of a hardened heap
 * @heap: the heap
 * @p: the object
 * @caller: call site, for reports
 *
 * Context: Any context.
 */
void harden_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	struct slot_ref ref;

	/* Keeps the span until the slot is ours; then that does. */
	preempt_disable();
	if (!slot_find(&heap->space->map, (unsigned long)p, &ref) ||
	    heap_of(ref.span) != heap || !harden_claim(&ref)) {
		cache_refuse(heap, p, caller);
		preempt_enable();
		return;
	}
	profile_freed(p);
	allocinfo_freed(ref.span, ref.slot);
	preempt_enable();
	harden_check_red(&ref, caller);
	if (heap->harden->flags & GOALLOC_HARDEN_STACKS)
		harden_record(harden_event(ref.span, ref.slot, HARDEN_FREED), caller);
	sanitize_free(ref.span, p);
	if (heap->harden->fills)
		harden_fill(&ref);
	harden_retire(heap->harden, &ref, caller);
}

/**
 * harden_size - bytes that may be used of an object
 * @ref: its slot, in a hardened heap
 * @size: what they would be in an ordinary one; 0 if it is no live object
 *
 * Context: Any context, preemption off.
 * Return: bytes.
 */
size_t harden_size(const struct slot_ref *ref, size_t size)
{
	if (!size || !(harden_of(ref->span)->flags & GOALLOC_HARDEN_REDZONE))
		return size;
	return READ_ONCE(harden_track(ref->span, ref->slot)->asked);
}

/**
 * harden_resize - change the size of an object where it is
 * @heap: a hardened heap
 * @p: a live object of it
 * @old_size: its size, from gosize()
 * @new_size: bytes requested, not 0
 * @gfp: as for goalloc()
 * @caller: call site, for reports
 *
 * Only to what it may use already: one that grows is moved, so that whoever
 * still uses the old address is found out.
 *
 * Context: Any context.
 * Return: false if it has to be moved.
 */
bool harden_resize(struct goalloc_heap *heap, const void *p, size_t old_size,
		   size_t new_size, gfp_t gfp, unsigned long caller)
{
	struct harden_track *track;
	struct slot_ref ref = {};
	char *behind = (char *)p + new_size;

	if (new_size > old_size)
		return false;
	slot_find(&heap->space->map, (unsigned long)p, &ref);
	track = harden_track(ref.span, ref.slot);
	if (heap->harden->flags & GOALLOC_HARDEN_REDZONE) {
		harden_check_red(&ref, caller);
		sanitize_pause();
		memset(behind, HARDEN_RED_BYTE, harden_object(&ref) +
		       ref.span->elemsize - behind);
		sanitize_resume();
	} else if (want_init_on_alloc(gfp)) {
		sanitize_usable(p, old_size);
		memset(behind, 0, old_size - new_size);
	}
	/* The red zone first; pairs with check_slot(). */
	smp_store_release(&track->asked, new_size);
	sanitize_resize(heap, p, new_size, round_up(old_size, 8), gfp);
	return true;
}
