// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a span under the lock of its central list: it changes lists,
 * slots come back to it and leave it, it is lent out and taken back, and it goes
 * when it is all free.
 *
 * Everything here that can lose against the second of two bad frees that race
 * says where it looks for that, and why it cannot miss it.
 *
 * Locks: central->lock is held by the caller, but for central_release().
 */
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "central_span.h"
#include "compat.h"
#include "harden.h"
#include "heap.h"
#include "heap_objects.h"
#include "sanitize.h"
#include "sanity.h"

/* A rule of ours does not hold for a span. */
static void central_fail(struct goalloc_central *central,
			 const struct goalloc_span *span, const char *what)
{
	lockdep_assert_held(&central->lock);

	sanity_fail(central->home, "central list", what, central->bin, span);
}

/* Move a span to another list; one in a list that is torn stays there. */
static bool central_move(struct goalloc_central *central,
			 struct goalloc_span *span, struct list_head *to)
{
	lockdep_assert_held(&central->lock);

	if (unlikely(!sanity_list(&span->list))) {
		central_fail(central, span, "the neighbours of a span do not know it");
		return false;
	}
	list_move(&span->list, to);
	return true;
}

/**
 * central_place - put a span without owner where its number of free slots says
 * @central: its central list
 * @span: the span
 *
 * Context: Any but NMI; central lock held.
 */
void central_place(struct goalloc_central *central, struct goalloc_span *span)
{
	lockdep_assert_held(&central->lock);
	central->changes++;

	if (span->nr_free) {
		span->place = SPAN_PARTIAL;
		central_move(central, span,
			     &central->partial[central_bucket(central, span)]);
	} else {
		span->place = SPAN_FULL;
		central_move(central, span, &central->full);
	}
	span->move_at = central_move_at(central, span);
}

/**
 * central_sweep - fold the freed bits of a span in that has no owner from here on
 * @central: its central list
 * @span: the span
 * @expect: how many slots have to be free now by what was counted
 *
 * Context: Any; central lock held.
 */
void central_sweep(struct goalloc_central *central, struct goalloc_span *span,
		   unsigned int expect)
{
	lockdep_assert_held(&central->lock);

	/* What came back is dirty. */
	if (span->bits.nr_freed)
		span->needzero = true;
	central->nr_free -= span->nr_free;
	span->nr_free = span_bits_sweep(&span->bits);
	central->nr_free += span->nr_free;
	if (unlikely(span->nr_free != expect))
		central_fail(central, span, "bits and count of free slots differ");
}

/* May a slot of a small span be in this state? */
static bool central_state_is_known(u8 state)
{
	return state != SLOT_LARGE && (state <= SLOT_SAMPLED || slot_is_free(state));
}

/*
 * Let no slot of a span be had any more, if all are free.
 *
 * A race by intention, with the second of two bad frees, which may mark a slot
 * that it found live long ago. If it does so before the bytes are looked at it
 * is seen. Else its mark is of no use: who takes a slot out of a list asks the
 * span for its states, which are others by then.
 *
 * Returns the first byte that says otherwise, or NULL.
 */
static const u8 *central_close(struct goalloc_span *span)
{
	u8 *own = span->state;
	const u8 *other;

	/* The race that is meant. */
	other = data_race(memchr_inv(own, SLOT_FREE, span->bits.nelems));
	if (other)
		return other;
	WRITE_ONCE(span->state, span_no_state);
	/* Before the second look; who takes slots out asks for the states first. */
	smp_mb();
	/* The same race. */
	other = data_race(memchr_inv(own, SLOT_FREE, span->bits.nelems));
	if (other)
		WRITE_ONCE(span->state, own);
	return other;
}

/**
 * central_reopen - let the slots of a span be had again
 * @central: its central list
 * @span: a span that central_unlink() has taken out
 *
 * Context: Any; central lock held.
 */
void central_reopen(struct goalloc_central *central, struct goalloc_span *span)
{
	u8 *own = span_own_state(span, central->home->heap->track_bytes);

	/* Marks of bad frees that came meanwhile: the same race. */
	data_race(memset(own, SLOT_FREE, span->bits.nelems));
	/* The bytes before who they are of; whoever asks depends on the pointer. */
	smp_store_release(&span->state, own);
}

/**
 * central_unlink - take a span out that is all free and has no owner
 * @central: its central list
 * @span: the span
 * @after: where it goes, for central_release()
 *
 * From here on no slot of it can be had, not even by a cache that still has one
 * noted because two bad frees raced. The span stays if one is had already.
 *
 * Context: Any but NMI; central lock held.
 */
void central_unlink(struct goalloc_central *central, struct goalloc_span *span,
		    struct central_after *after)
{
	const u8 *state;

	lockdep_assert_held(&central->lock);
	central->changes++;

	state = central_close(span);
	if (unlikely(state)) {
		/* The same race: whatever it is by now. */
		u8 now = data_race(*state);

		if (!central_state_is_known(now))
			central_fail(central, span, "the state of a slot is none");
		/* A cache's, or live, although free in the books: keep such pages. */
		central_place(central, span);
		return;
	}
	if (!central_move(central, span, &after->empty)) {
		central_reopen(central, span);
		return;
	}
	central->nr_free -= span->nr_free;
	central->nr_spans--;
	span->place = SPAN_NOWHERE;
}

/**
 * central_release - do what had to wait until the lock was dropped
 * @after: what there is to do
 *
 * Context: Any but NMI; no lock held. In NMI @after has no spans.
 */
void central_release(struct central_after *after)
{
	struct goalloc_span *span, *next;

	if (unlikely(after->raced))
		report_race(after->span, after->slot, after->raced);
	list_for_each_entry_safe(span, next, &after->empty, list) {
		list_del_init(&span->list);
		if (span->home->heap->harden)
			harden_span_ends(span);
		if (objects_are_typesafe(span->home->heap))
			heap_objects_retire(span);
		else
			heap_free_span(span);
	}
}

/**
 * central_settle - a span without owner has got so many free slots that it moves
 * @central: its central list
 * @span: the span
 * @after: where it goes if all of them are free
 *
 * Context: Any but NMI; central lock held.
 */
void central_settle(struct goalloc_central *central, struct goalloc_span *span,
		    struct central_after *after)
{
	lockdep_assert_held(&central->lock);

	if (span->nr_free == span->bits.nelems)
		central_unlink(central, span, after);
	else
		central_place(central, span);
}

/**
 * central_take_back - take back a slot that no cache had noted, and count it
 * @central: the central list
 * @span: its span
 * @slot: the slot
 * @after: what to do when the lock has been dropped
 *
 * Context: Any but NMI; central lock held.
 */
void central_take_back(struct goalloc_central *central, struct goalloc_span *span,
		       unsigned int slot, struct central_after *after)
{
	central->changes++;
	central->nr_free++;
	if (likely(span->place != SPAN_NOWHERE && central_put(central, span, slot, after))) {
		central->frees++;
		return;
	}
	central->nr_free--;
	central_raced(after, span, slot);
}

/**
 * central_collect - collect the slots that were freed where no lock could be had
 * @central: the central list
 * @after: what to do when the lock has been dropped
 *
 * Context: Any but NMI; central lock held.
 */
void central_collect(struct goalloc_central *central, struct central_after *after)
{
	struct goalloc_span *span, *next;
	struct llist_node *list;
	unsigned int slot;
	int left;

	lockdep_assert_held(&central->lock);

	if (likely(llist_empty(&central->deferred)))
		return;
	list = llist_del_all(&central->deferred);
	llist_for_each_entry_safe(span, next, list, deferred) {
		/*
		 * As many slots as were counted, no matter which: whoever has
		 * marked a slot and not counted it yet leaves one behind, and
		 * so the span cannot go away before he has queued it. Pairs
		 * with central_defer().
		 */
		left = atomic_xchg(&span->nr_deferred, 0);
		for (slot = 0; left && slot < span->bits.nelems; slot++) {
			if (READ_ONCE(span->state[slot]) != SLOT_DEFERRED)
				continue;
			sanitize_collect(span, slot);
			WRITE_ONCE(span->state[slot], SLOT_FREE);
			left--;
			central_take_back(central, span, slot, after);
		}
	}
}

/**
 * central_taken - a slot that is free in the books turns out to be in use
 * @central: the central list
 * @after: what to do when the lock has been dropped
 * @span: its span
 * @slot: the slot
 *
 * It has been handed out by a cache that had it noted as well. Two frees were
 * counted and one allocation: here is the other.
 *
 * Context: Any; central lock held.
 */
void central_taken(struct goalloc_central *central, struct central_after *after,
		   struct goalloc_span *span, unsigned int slot)
{
	lockdep_assert_held(&central->lock);

	central->allocs++;
	central_raced(after, span, slot);
}

/**
 * central_extract - move every free slot of a span without owner into a cache
 * @central: the central list
 * @span: the span
 * @entry: where they go; there is room for them all
 * @token: of the cache; what their state is then
 * @after: what to do when the lock has been dropped
 *
 * A slot that is free in the books and live to somebody (the race of
 * central_put() again) counts as taken from here on.
 *
 * Context: Any but NMI; central lock held.
 * Return: how many there were.
 */
unsigned int central_extract(struct goalloc_central *central,
			     struct goalloc_span *span, cache_entry_t *entry,
			     u8 token, struct central_after *after)
{
	unsigned int got = 0;
	unsigned int slot;

	lockdep_assert_held(&central->lock);

	central_sweep(central, span, span->nr_free);
	while ((slot = span_bits_next(&span->bits)) < span->bits.nelems) {
		if (unlikely(READ_ONCE(span->state[slot]) != SLOT_FREE)) {
			central_taken(central, after, span, slot);
			continue;
		}
		WRITE_ONCE(span->state[slot], token);
		entry[got++] = cache_entry_make(span, slot);
	}
	central->nr_free -= span->nr_free;
	span->nr_free = 0;
	central_place(central, span);
	return got;
}

/**
 * central_fullest - the partial span to use next
 * @central: the central list
 *
 * Context: Any; central lock held.
 * Return: a span with free slots, but as few as any to the accuracy of the
 *         buckets; or NULL.
 */
struct goalloc_span *central_fullest(struct goalloc_central *central)
{
	int i;

	lockdep_assert_held(&central->lock);

	for (i = 0; i < CENTRAL_BUCKETS; i++) {
		struct goalloc_span *span;

		span = list_first_entry_or_null(&central->partial[i],
						struct goalloc_span, list);
		if (!span)
			continue;
		if (likely(sanity_central(central, span)))
			return span;
		central_fail(central, span, "what is in a list is no span of it");
		return NULL;
	}
	return NULL;
}

/**
 * central_lend - lend a span out; what is free in it leaves the central's books
 * @central: the central list
 * @span: a span with free slots and without owner
 *
 * Context: Any but NMI; central lock held.
 */
void central_lend(struct goalloc_central *central, struct goalloc_span *span)
{
	lockdep_assert_held(&central->lock);
	central->changes++;

	central_sweep(central, span, span->nr_free);
	central->nr_free -= span->nr_free;
	span->lent = span->nr_free;
	span->nr_free = 0;
	span->place = SPAN_OWNED;
	span->move_at = CENTRAL_STAYS;
	central->nr_owned++;
	central_move(central, span, &central->owned);
}

/**
 * central_return - take a lent span back
 * @central: the central list
 * @span: the span, whose owner does not look at it any more
 * @after: what to do when the lock has been dropped
 *
 * Context: Any but NMI; central lock held.
 */
void central_return(struct goalloc_central *central, struct goalloc_span *span,
		    struct central_after *after)
{
	unsigned int unused = span_bits_unused(&span->bits);

	lockdep_assert_held(&central->lock);

	central->nr_owned--;
	central->lent += span->lent - unused;
	central_sweep(central, span, unused + span->nr_free);
	central_settle(central, span, after);
}
