// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: from a free to reuse.
 *
 * The quarantine is a list, first in, first out, linked through the records of
 * the slots, so that it needs no memory of its own and its only limit is in
 * bytes. What is in it is not free to anybody: a second free finds that out, a
 * write is found when the object leaves, or when the heap is checked.
 *
 * A free in NMI can take no lock and ends on the list of pending ones, a stack
 * that is pushed to with cmpxchg() and taken as a whole; whoever next frees or
 * allocates outside of NMI moves it on.
 *
 * In the books an object is allocated until its central or its heap has it
 * back; what lies between is counted here, and is a row of the ledger.
 *
 * Locks: harden->lock, for a bounded number of objects at a time. They go to
 * their centrals after it has been dropped.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>

#include "cache.h"
#include "compat.h"
#include "harden.h"
#include "sanitize.h"

/* So many objects leave the quarantine under one taking of its lock. */
#define QUARANTINE_BATCH 32

/* Count an object as freed and not taken back yet: @n is 1, or -1. */
static void quarantine_count(const struct slot_ref *ref, int n)
{
	struct goalloc_span *span = ref->span;
	struct heap_node *node = span->home;

	if (span->kind == SPAN_LARGE) {
		atomic64_add(n, &node->quarantined);
		atomic64_add(n * (s64)span->asked, &node->quarantined_asked);
		atomic64_add(n * (s64)span->npages, &node->quarantined_pages);
	} else {
		atomic64_add(n, &heap_central_of(span)->quarantined);
	}
}

/* Make a counted slot free for reuse. */
static void quarantine_release(const struct slot_ref *ref)
{
	struct goalloc_span *span = ref->span;

	quarantine_count(ref, -1);
	if (span->kind == SPAN_LARGE) {
		heap_free_large(span);
	} else {
		/* The books have it as taken: it is nobody's until they do not. */
		smp_store_release(ref->state, SLOT_FREE);
		central_free(heap_central_of(span), span, ref->slot);
	}
}

/* Keep it for later; any context. */
static void quarantine_defer(struct harden *h, const struct slot_ref *ref)
{
	struct harden_track *track = harden_track(ref->span, ref->slot);
	cache_entry_t entry = harden_entry(ref);
	cache_entry_t old = READ_ONCE(h->pending);

	WRITE_ONCE(*ref->state, SLOT_DEFERRED);
	do {
		track->next = old;
		/* Orders the link before the entry; pairs with harden_settle(). */
	} while (!try_cmpxchg(&h->pending, &old, entry));
}

/*
 * Take up to QUARANTINE_BATCH objects out until no more than @keep bytes are
 * left, and release them. Returns the bytes of those that came out.
 */
static u64 quarantine_evict(struct harden *h, u64 keep, unsigned long caller)
{
	cache_entry_t out[QUARANTINE_BATCH];
	struct slot_ref ref;
	unsigned long flags;
	unsigned int nr = 0;
	unsigned int i;
	u64 bytes = 0;

	raw_spin_lock_irqsave(&h->lock, flags);
	while (nr < QUARANTINE_BATCH && h->bytes > keep) {
		ref = harden_ref(h->first);
		out[nr++] = h->first;
		h->first = harden_track(ref.span, ref.slot)->next;
		if (!h->first)
			h->last = 0;
		/* Read without the lock, to see whether there is anything. */
		WRITE_ONCE(h->bytes, h->bytes - ref.span->elemsize);
		bytes += ref.span->elemsize;
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
	for (i = 0; i < nr; i++) {
		ref = harden_ref(out[i]);
		harden_check_fill(&ref, caller);
		quarantine_release(&ref);
	}
	return bytes;
}

/* Put a counted object in at the end. */
static void quarantine_add(struct harden *h, const struct slot_ref *ref)
{
	cache_entry_t entry = harden_entry(ref);
	struct slot_ref last;
	unsigned long flags;

	/* Filled; pairs with check_slot(). */
	smp_store_release(ref->state, SLOT_QUARANTINE);
	harden_track(ref->span, ref->slot)->next = 0;
	raw_spin_lock_irqsave(&h->lock, flags);
	if (h->last) {
		last = harden_ref(h->last);
		harden_track(last.span, last.slot)->next = entry;
	} else {
		h->first = entry;
	}
	h->last = entry;
	WRITE_ONCE(h->bytes, h->bytes + ref->span->elemsize);
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/* A counted object, outside of NMI. */
static void quarantine_admit(struct harden *h, const struct slot_ref *ref,
			     unsigned long caller)
{
	if (ref->span->elemsize > h->cap / HARDEN_QUARANTINE_SHARE) {
		quarantine_release(ref);
		return;
	}
	quarantine_add(h, ref);
	while (READ_ONCE(h->bytes) > h->cap)
		quarantine_evict(h, h->cap, caller);
}

/**
 * harden_settle - move on what was freed in NMI
 * @h: the heap
 *
 * Context: Any but NMI.
 */
void harden_settle(struct harden *h)
{
	cache_entry_t entry, next, list = 0;
	struct slot_ref ref;

	if (likely(!READ_ONCE(h->pending)))
		return;
	/* The last one comes first: turn the list around. */
	for (entry = xchg(&h->pending, 0); entry; entry = next) {
		struct harden_track *track;

		ref = harden_ref(entry);
		track = harden_track(ref.span, ref.slot);
		next = track->next;
		track->next = list;
		list = entry;
	}
	for (entry = list; entry; entry = next) {
		ref = harden_ref(entry);
		next = harden_track(ref.span, ref.slot)->next;
		sanitize_collect(ref.span, ref.slot);
		quarantine_admit(h, &ref, 0);
	}
}
GOALLOC_EXPORT_KUNIT(harden_settle);

/**
 * harden_retire - an object was freed
 * @h: the heap
 * @ref: its slot, claimed by the caller and filled
 * @caller: call site, for reports
 *
 * Context: Any context.
 */
void harden_retire(struct harden *h, const struct slot_ref *ref, unsigned long caller)
{
	quarantine_count(ref, 1);
	if (in_nmi()) {
		quarantine_defer(h, ref);
		return;
	}
	harden_settle(h);
	quarantine_admit(h, ref, caller);
}

/**
 * harden_return - a slot was taken and is not to be handed out
 * @h: the heap
 * @ref: the slot, in the caller's hands
 *
 * Context: Any context.
 */
void harden_return(struct harden *h, const struct slot_ref *ref)
{
	quarantine_count(ref, 1);
	if (in_nmi())
		quarantine_defer(h, ref);
	else
		quarantine_release(ref);
}

/**
 * harden_drain - let objects out of quarantine, the oldest first
 * @h: the heap
 * @bytes: how many bytes of slots, at least, U64_MAX for all
 *
 * Context: Any but NMI.
 * Return: bytes of the slots let out.
 */
u64 harden_drain(struct harden *h, u64 bytes)
{
	u64 done = 0;

	/* What a broken heap has stays where it is. */
	if (safe_is_on(h->heap))
		return 0;
	harden_settle(h);
	/* Not what others put in meanwhile. */
	bytes = min(bytes, READ_ONCE(h->bytes));
	while (done < bytes) {
		u64 held = READ_ONCE(h->bytes);
		u64 want = min(bytes - done, held);
		u64 out;

		if (!want)
			break;
		out = quarantine_evict(h, held - want, 0);
		if (!out)
			break;
		done += out;
	}
	return done;
}
GOALLOC_EXPORT_KUNIT(harden_drain);
