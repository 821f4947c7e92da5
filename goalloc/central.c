// SPDX-License-Identifier: GPL-2.0-only
/*
 * The central list: all spans of one bin on one node, shared by the caches.
 *
 * A span is in one of three places. Owned: one cache allocates from it without
 * a lock. Partial: it has free slots and nobody allocates from it. Full: it has
 * none. What caches free comes back here in batches and only sets the span's
 * freed bits; the bits are folded in when the span is next taken up, see
 * span_bits.c. A span that becomes all free and has no owner goes back to the
 * page tree at once.
 *
 * Partial spans are kept in buckets by how full they are, and the fullest are
 * used first, so that sparse spans get the chance to drain. Because the fullest
 * spans have the least to give, a refill empties several of them into the
 * cache's list of objects, under one lock, before it lends out a span.
 *
 * A free that may not take the lock (NMI) marks the slot SLOT_DEFERRED and puts
 * its span on a lock-free list; whoever next has the lock collects.
 *
 * Locks: central->lock is taken first and alone. Pages are given back after it
 * has been dropped.
 */
#include <linux/lockdep.h>
#include <linux/preempt.h>

#include "central.h"
#include "central_span.h"
#include "compat.h"
#include "goalloc_trace.h"
#include "heap.h"

/* One class for the centrals of all heaps and bins. */
static struct lock_class_key central_lock_class;

/**
 * central_init - make an empty central list
 * @central: what to fill in
 * @home: node of a heap that it belongs to
 * @bin: bin
 */
void central_init(struct goalloc_central *central, struct heap_node *home,
		  unsigned int bin)
{
	int i;

	raw_spin_lock_init(&central->lock);
	lockdep_set_class_and_name(&central->lock, &central_lock_class,
				   "goalloc_central.lock");
	central->home = home;
	central->bucket_scale = DIV_ROUND_UP(CENTRAL_BUCKETS << CENTRAL_BUCKET_SHIFT,
					     span_shape_small(bin).nelems);
	central->bin = bin;
	for (i = 0; i < CENTRAL_BUCKETS; i++)
		INIT_LIST_HEAD(&central->partial[i]);
	INIT_LIST_HEAD(&central->full);
	INIT_LIST_HEAD(&central->owned);
	init_llist_head(&central->deferred);
	INIT_LIST_HEAD(&central->spare);
}
GOALLOC_EXPORT_KUNIT(central_init);

/**
 * central_refill - exchange a used-up span for memory
 * @central: the central list
 * @old: span of this central that the cache has used up, or NULL
 * @entry: where to put single objects
 * @room: how many fit there
 * @token: of the cache; what their state is then
 * @got: how many were put there
 *
 * Context: Any but NMI, preemption off.
 * Return: a span that the cache now owns; NULL if the single objects are
 *         enough for now, or if there is nothing.
 */
struct goalloc_span *central_refill(struct goalloc_central *central,
				    struct goalloc_span *old,
				    cache_entry_t *entry, unsigned int room,
				    u8 token, unsigned int *got)
{
	struct goalloc_span *span;
	unsigned int filled = 0;
	unsigned long flags;
	struct central_after after;

	central_after_init(&after);
	flags = central_lock(central);
	central_collect(central, &after);
	if (old)
		central_return(central, old, &after);
	/* Half of the room: the cache must be able to take frees as well. */
	for (;;) {
		span = central_fullest(central);
		if (!span || filled >= (room + 1) / 2 ||
		    span->nr_free > room - filled)
			break;
		filled += central_extract(central, span, entry + filled, token, &after);
	}
	if (filled) {
		span = NULL;
	} else if (!span && !list_empty(&after.empty)) {
		/* Nothing but what was about to go: keep that. */
		span = list_first_entry(&after.empty, struct goalloc_span, list);
		central_reopen(central, span);
		central->nr_free += span->nr_free;
		central->nr_spans++;
	}
	if (span)
		central_lend(central, span);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	central_release(&after);
	/* Its owner is the caller, who does not use it before it is returned. */
	trace_refill(central, filled, span ? span->lent : 0);
	*got = filled;
	return span;
}
GOALLOC_EXPORT_KUNIT(central_refill);

/**
 * central_own - enter a new span that a cache allocates from
 * @central: the central list
 * @span: new span of its bin and node
 *
 * Context: Any but NMI.
 */
void central_own(struct goalloc_central *central, struct goalloc_span *span)
{
	unsigned long flags;

	flags = central_lock(central);
	central->changes++;
	span->place = SPAN_OWNED;
	span->move_at = CENTRAL_STAYS;
	span->lent = span->bits.nelems;
	/* Its structure may have been a span before, and have ended all free. */
	span->nr_free = 0;
	central->nr_spans++;
	central->nr_owned++;
	list_add(&span->list, &central->owned);
	raw_spin_unlock_irqrestore(&central->lock, flags);
}
GOALLOC_EXPORT_KUNIT(central_own);

/**
 * central_add - enter a new span that nobody allocates from
 * @central: the central list
 * @span: new span of its bin and node
 *
 * Context: Any but NMI.
 */
void central_add(struct goalloc_central *central, struct goalloc_span *span)
{
	unsigned long flags;

	flags = central_lock(central);
	central->nr_spans++;
	span->nr_free = span->bits.nelems;
	central->nr_free += span->nr_free;
	central_place(central, span);
	raw_spin_unlock_irqrestore(&central->lock, flags);
}
GOALLOC_EXPORT_KUNIT(central_add);

/**
 * central_disown - take a span back from a cache
 * @central: the central list
 * @span: span that the cache owned and no longer looks at
 *
 * Context: Any but NMI.
 */
void central_disown(struct goalloc_central *central, struct goalloc_span *span)
{
	unsigned long flags;
	struct central_after after;

	central_after_init(&after);
	flags = central_lock(central);
	central_collect(central, &after);
	central_return(central, span, &after);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	central_release(&after);
}
GOALLOC_EXPORT_KUNIT(central_disown);

/* Take free objects back; if @remote they come from a CPU of another node. */
static unsigned int central_put_all(struct goalloc_central *central,
				    const cache_entry_t *entry, unsigned int nr,
				    u8 token, bool remote)
{
	unsigned int foreign = 0;
	unsigned long flags;
	struct central_after after;
	unsigned int i;

	central_after_init(&after);
	flags = central_lock(central);
	central_collect(central, &after);
	central->changes++;
	central->nr_free += nr;
	for (i = 0; i < nr; i++) {
		struct goalloc_span *span = cache_entry_span(entry[i]);
		unsigned int slot = cache_entry_slot(entry[i]);

		if (likely(span->home == central->home &&
			   span->place != SPAN_NOWHERE &&
			   READ_ONCE(span->state[slot]) == token)) {
			/* Ours, and then the books', whether or not they have it. */
			WRITE_ONCE(span->state[slot], SLOT_FREE);
			if (likely(central_put(central, span, slot, &after)))
				continue;
		}
		central_raced(&after, span, slot);
		foreign++;
	}
	central->nr_free -= foreign;
	if (remote) {
		central->remote_frees += nr - foreign;
		central->remote_visits++;
	}
	raw_spin_unlock_irqrestore(&central->lock, flags);
	central_release(&after);
	trace_flush(central, nr - foreign, remote);
	return foreign;
}

/**
 * central_flush - take many free objects back
 * @central: the central list
 * @entry: the objects, all of its bin and node
 * @nr: how many
 * @token: their state: that of the cache they come from, or SLOT_FREE
 *
 * Context: Any but NMI, preemption off.
 * Return: how many were not free for us to take, which only a race of two bad
 *         frees can bring about; they were ignored.
 */
unsigned int central_flush(struct goalloc_central *central,
			   const cache_entry_t *entry, unsigned int nr, u8 token)
{
	return central_put_all(central, entry, nr, token, false);
}
GOALLOC_EXPORT_KUNIT(central_flush);

/**
 * central_take_home - take back free objects from a cache of another node
 * @central: the central list
 * @entry: the objects, all of its bin and node
 * @nr: how many
 * @token: their state: that of the cache they come from, or SLOT_FREE
 *
 * As central_flush(), but it is counted how many have come, see struct
 * cache_remote.
 *
 * Context: Any but NMI, preemption off.
 * Return: As central_flush().
 */
unsigned int central_take_home(struct goalloc_central *central,
			       const cache_entry_t *entry, unsigned int nr, u8 token)
{
	return central_put_all(central, entry, nr, token, true);
}
GOALLOC_EXPORT_KUNIT(central_take_home);

/**
 * central_take - take one free slot past the caches
 * @central: the central list
 * @asked: bytes requested, for the statistics
 * @state: what the slot becomes
 * @draw: a random number that says which slot of the span it is, or NULL for
 *        the lowest
 * @slot: the slot's number
 *
 * Context: Any context. In NMI the lock is only tried.
 * Return: the slot's span, or NULL.
 */
struct goalloc_span *central_take(struct goalloc_central *central, size_t asked,
				  enum slot_state state, const u32 *draw,
				  unsigned int *slot)
{
	struct goalloc_span *span;
	unsigned long flags;
	bool taken = false;
	struct central_after after;

	central_after_init(&after);
	if (in_nmi()) {
		if (!raw_spin_trylock_irqsave(&central->lock, flags))
			return NULL;
		central->locks++;
	} else {
		flags = central_lock(central);
	}
	/* Spans that become empty cannot be released from NMI. */
	if (!in_nmi())
		central_collect(central, &after);
	while (!taken && (span = central_fullest(central))) {
		central_sweep(central, span, span->nr_free);
		if (draw)
			*slot = span_bits_take(&span->bits, (u64)*draw * span->nr_free >> 32);
		else
			*slot = span_bits_next(&span->bits);
		span->nr_free--;
		central->nr_free--;
		span->needzero = true;
		if (likely(READ_ONCE(span->state[*slot]) == SLOT_FREE)) {
			WRITE_ONCE(span->state[*slot], state);
			taken = true;
			central->allocs++;
			central->asked += asked;
		} else {
			central_taken(central, &after, span, *slot);
		}
		central_place(central, span);
	}
	raw_spin_unlock_irqrestore(&central->lock, flags);
	central_release(&after);
	return taken ? span : NULL;
}
GOALLOC_EXPORT_KUNIT(central_take);

/**
 * central_alloc - allocate one object past the caches
 * @central: the central list
 * @asked: bytes requested, for the statistics
 *
 * Context: Any context. In NMI the lock is only tried.
 * Return: the object, its state SLOT_LIVE and its contents unknown, or NULL.
 */
void *central_alloc(struct goalloc_central *central, size_t asked)
{
	struct goalloc_span *span;
	unsigned int slot;

	span = central_take(central, asked, SLOT_LIVE, NULL, &slot);
	return span ? (void *)span_slot_addr(span, slot) : NULL;
}
GOALLOC_EXPORT_KUNIT(central_alloc);

/**
 * central_free - take one object back past the caches
 * @central: the central list
 * @span: its span
 * @slot: its slot; the state byte says SLOT_FREE already
 *
 * Context: Any but NMI.
 */
void central_free(struct goalloc_central *central, struct goalloc_span *span,
		  unsigned int slot)
{
	unsigned long flags;
	struct central_after after;

	central_after_init(&after);
	flags = central_lock(central);
	central_take_back(central, span, slot, &after);
	central_collect(central, &after);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	central_release(&after);
}
GOALLOC_EXPORT_KUNIT(central_free);

/**
 * central_defer - take one object back without a lock
 * @central: the central list
 * @span: its span
 * @slot: its slot; the caller has it in hand
 *
 * Context: Any context, NMI included.
 */
void central_defer(struct goalloc_central *central, struct goalloc_span *span,
		   unsigned int slot)
{
	u8 *state = span_slot_state(span, slot);

	/* Only if two bad frees raced, and this one was held up for long. */
	if (unlikely(state == span_no_state + slot)) {
		report_race(span, slot, 1);
		return;
	}
	WRITE_ONCE(*state, SLOT_DEFERRED);
	/* Orders the byte before the count; pairs with central_collect(). */
	if (!atomic_fetch_inc(&span->nr_deferred))
		llist_add(&span->deferred, &central->deferred);
}
GOALLOC_EXPORT_KUNIT(central_defer);

/**
 * central_drain_deferred - collect what was freed without a lock
 * @central: the central list
 *
 * Also gives up spans of which nothing was ever used: two CPUs may make a span
 * at once when one would have done.
 *
 * Context: Any but NMI.
 */
void central_drain_deferred(struct goalloc_central *central)
{
	struct goalloc_span *span, *next;
	unsigned long flags;
	struct central_after after;
	int i;

	central_after_init(&after);
	flags = central_lock(central);
	central_collect(central, &after);
	for (i = 0; i < CENTRAL_BUCKETS; i++)
		list_for_each_entry_safe(span, next, &central->partial[i], list)
			if (span->nr_free == span->bits.nelems)
				central_unlink(central, span, &after);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	central_release(&after);
}
GOALLOC_EXPORT_KUNIT(central_drain_deferred);
