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
#include <linux/rcupdate.h>

#include "central.h"
#include "compat.h"
#include "goalloc_trace.h"
#include "harden.h"
#include "heap.h"
#include "sanitize.h"
#include "sanity.h"

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

/*
 * Take the lock, and count. It is tried first, which costs next to nothing more,
 * so that it can be told how often somebody else has it.
 */
static unsigned long central_lock(struct goalloc_central *central)
	__acquires(&central->lock)
{
	unsigned long flags;

	if (unlikely(!raw_spin_trylock_irqsave(&central->lock, flags))) {
		raw_spin_lock_irqsave(&central->lock, flags);
		central->contended++;
	}
	central->locks++;
	return flags;
}

/**
 * central_take_spare - take a structure for a new span
 * @central: the central list
 *
 * Context: Any but NMI.
 * Return: a structure that no bad free is looking at any more, or NULL.
 */
struct goalloc_span *central_take_spare(struct goalloc_central *central)
{
	struct goalloc_span *span;
	unsigned long flags;

	flags = central_lock(central);
	span = list_first_entry_or_null(&central->spare, struct goalloc_span, list);
	if (span && !poll_state_synchronize_rcu(span->grace))
		span = NULL;
	if (span)
		list_del_init(&span->list);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	return span;
}

/**
 * central_give_spare - keep the structure of a span that is no more
 * @central: the central list
 * @span: the structure, in the page map no more
 *
 * Context: Any but NMI.
 */
void central_give_spare(struct goalloc_central *central, struct goalloc_span *span)
{
	unsigned long flags;

	flags = central_lock(central);
	span->grace = get_state_synchronize_rcu();
	list_add_tail(&span->list, &central->spare);
	raw_spin_unlock_irqrestore(&central->lock, flags);
}

/**
 * struct central_after - what to do when the lock has been dropped
 * @empty: spans to give back
 * @raced: objects found to have been freed twice at once
 * @span: span of the last of them
 * @slot: its slot
 */
struct central_after {
	struct list_head empty;
	unsigned int raced;
	unsigned int slot;
	struct goalloc_span *span;
};

static void central_after_init(struct central_after *after)
{
	INIT_LIST_HEAD(&after->empty);
	after->raced = 0;
}

/* Two frees of one object both passed, and this is where one is found out. */
static void central_raced(struct central_after *after,
			  struct goalloc_span *span, unsigned int slot)
{
	after->raced++;
	after->span = span;
	after->slot = slot;
}

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

/* Put a span without owner where its number of free slots says. */
static void central_place(struct goalloc_central *central,
			  struct goalloc_span *span)
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
}

/*
 * Fold the freed bits in; the span has no owner from here on. @expect: how many
 * slots have to be free now by what was counted.
 */
static void central_sweep(struct goalloc_central *central,
			  struct goalloc_span *span, unsigned int expect)
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

/*
 * Take a span out that is all free and has no owner. It goes on @after; the
 * caller hands it to central_release() when the lock is dropped. From here on
 * no slot of it can be had, not even by a cache that still has one noted
 * because two bad frees raced.
 */
static void central_unlink(struct goalloc_central *central,
			   struct goalloc_span *span, struct central_after *after)
{
	const u8 *state;

	lockdep_assert_held(&central->lock);
	central->changes++;

	/*
	 * A race by intention, with a cache that hands out what two bad frees
	 * left it. If it does so right now it is not seen: that is the window
	 * which Documentation/misuse.rst describes.
	 */
	state = data_race(memchr_inv(span->state, SLOT_FREE, span->bits.nelems));
	if (unlikely(state)) {
		/* The same race: whatever it is by now. */
		if (data_race(*state) == SLOT_LARGE || data_race(*state) > SLOT_SAMPLED)
			central_fail(central, span, "the state of a slot is none");
		/* Live although free in the books: never hand such pages back. */
		central_place(central, span);
		return;
	}
	if (!central_move(central, span, &after->empty))
		return;
	/*
	 * A race by intention: bad frees may read these bytes meanwhile, and
	 * refuse whatever they find; good ones have no business here.
	 */
	data_race(memset(span->state, SLOT_TAIL, span->bits.nelems));
	central->nr_free -= span->nr_free;
	central->nr_spans--;
	span->place = SPAN_NOWHERE;
}

static void central_release(struct central_after *after)
{
	struct goalloc_span *span, *next;

	if (unlikely(after->raced))
		report_race(after->span, after->slot, after->raced);
	list_for_each_entry_safe(span, next, &after->empty, list) {
		list_del_init(&span->list);
		if (span->home->heap->harden)
			harden_span_ends(span);
		heap_free_span(span);
	}
}

/*
 * Take one slot back, whose state byte says SLOT_FREE already. Fails if the
 * books have it as free: two bad frees of one object that raced each other can
 * leave it in two caches. The owner of a span moves freeindex meanwhile, but
 * whoever frees an object that the owner handed out knows of that.
 */
static bool central_put(struct goalloc_central *central,
			struct goalloc_span *span, unsigned int slot,
			struct central_after *after)
{
	unsigned int bucket;

	lockdep_assert_held(&central->lock);
	central->changes++;

	/*
	 * A race by intention: the owner moves freeindex with plain stores. It
	 * only grows while it has the span, and has passed this slot unless the
	 * free is bad.
	 */
	if (unlikely(!data_race(span_bits_put(&span->bits, slot))))
		return false;
	central->nr_free++;
	if (span->place == SPAN_OWNED) {
		span->nr_free++;
		return true;
	}
	bucket = central_bucket(central, span);
	span->nr_free++;
	if (span->nr_free == span->bits.nelems)
		central_unlink(central, span, after);
	else if (span->place == SPAN_FULL || central_bucket(central, span) != bucket)
		central_place(central, span);
	return true;
}

/* Take back a slot that no cache had noted, and count it. */
static void central_take_back(struct goalloc_central *central,
			      struct goalloc_span *span, unsigned int slot,
			      struct central_after *after)
{
	if (likely(central_put(central, span, slot, after)))
		central->frees++;
	else
		central_raced(after, span, slot);
}

/* Collect the slots that were freed where no lock could be had. */
static void central_collect(struct goalloc_central *central,
			    struct central_after *after)
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

/*
 * A slot that is free in the books has been handed out by a cache that had it
 * noted as well. Two frees were counted and one allocation: here is the other.
 */
static void central_taken(struct goalloc_central *central,
			  struct central_after *after,
			  struct goalloc_span *span, unsigned int slot)
{
	lockdep_assert_held(&central->lock);

	central->allocs++;
	central_raced(after, span, slot);
}

/*
 * Move every free slot of a span without owner into @entry, which has room for
 * them all. A slot that is free in the books and live to somebody (the race of
 * central_put() again) counts as taken from here on.
 */
static unsigned int central_extract(struct goalloc_central *central,
				    struct goalloc_span *span,
				    cache_entry_t *entry,
				    struct central_after *after)
{
	unsigned int got = 0;
	unsigned int slot;

	lockdep_assert_held(&central->lock);

	central_sweep(central, span, span->nr_free);
	while ((slot = span_bits_next(&span->bits)) < span->bits.nelems) {
		if (likely(READ_ONCE(span->state[slot]) == SLOT_FREE))
			entry[got++] = cache_entry_make(span, slot);
		else
			central_taken(central, after, span, slot);
	}
	central->nr_free -= span->nr_free;
	span->nr_free = 0;
	central_place(central, span);
	return got;
}

static struct goalloc_span *central_fullest(struct goalloc_central *central)
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

/* Lend a span out. What is free in it leaves the central's books. */
static void central_lend(struct goalloc_central *central,
			 struct goalloc_span *span)
{
	lockdep_assert_held(&central->lock);
	central->changes++;

	central_sweep(central, span, span->nr_free);
	central->nr_free -= span->nr_free;
	span->lent = span->nr_free;
	span->nr_free = 0;
	span->place = SPAN_OWNED;
	central->nr_owned++;
	central_move(central, span, &central->owned);
}

/* Take a lent span back. */
static void central_return(struct goalloc_central *central,
			   struct goalloc_span *span, struct central_after *after)
{
	unsigned int unused = span_bits_unused(&span->bits);

	lockdep_assert_held(&central->lock);

	central->nr_owned--;
	central->lent += span->lent - unused;
	central_sweep(central, span, unused + span->nr_free);
	if (span->nr_free == span->bits.nelems)
		central_unlink(central, span, after);
	else
		central_place(central, span);
}

/**
 * central_refill - exchange a used-up span for memory
 * @central: the central list
 * @old: span of this central that the cache has used up, or NULL
 * @entry: where to put single objects
 * @room: how many fit there
 * @got: how many were put there
 *
 * Context: Any but NMI, preemption off.
 * Return: a span that the cache now owns; NULL if the single objects are
 *         enough for now, or if there is nothing.
 */
struct goalloc_span *central_refill(struct goalloc_central *central,
				    struct goalloc_span *old,
				    cache_entry_t *entry, unsigned int room,
				    unsigned int *got)
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
		filled += central_extract(central, span, entry + filled, &after);
	}
	if (filled) {
		span = NULL;
	} else if (!span && !list_empty(&after.empty)) {
		/* Nothing but what was about to go: keep that. */
		span = list_first_entry(&after.empty, struct goalloc_span, list);
		/* A race as in central_unlink(). */
		data_race(memset(span->state, SLOT_FREE, span->bits.nelems));
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
				    bool remote)
{
	unsigned int foreign = 0;
	unsigned long flags;
	struct central_after after;
	unsigned int i;

	central_after_init(&after);
	flags = central_lock(central);
	central_collect(central, &after);
	for (i = 0; i < nr; i++) {
		struct goalloc_span *span = cache_entry_span(entry[i]);
		unsigned int slot = cache_entry_slot(entry[i]);

		if (unlikely(span->home != central->home ||
			     span->place == SPAN_NOWHERE ||
			     READ_ONCE(span->state[slot]) != SLOT_FREE ||
			     !central_put(central, span, slot, &after))) {
			central_raced(&after, span, slot);
			foreign++;
		}
	}
	if (remote) {
		central->frees += nr - foreign;
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
 * @entry: the objects, all of its bin and node, their state SLOT_FREE
 * @nr: how many
 *
 * Context: Any but NMI, preemption off.
 * Return: how many were not free for us to take, which only a race of two bad
 *         frees can bring about; they were ignored.
 */
unsigned int central_flush(struct goalloc_central *central,
			   const cache_entry_t *entry, unsigned int nr)
{
	return central_put_all(central, entry, nr, false);
}
GOALLOC_EXPORT_KUNIT(central_flush);

/**
 * central_take_home - take back free objects that no cache of the node has noted
 * @central: the central list
 * @entry: the objects, all of its bin and node, their state SLOT_FREE
 * @nr: how many
 *
 * As central_flush(), but the objects are counted as freed here.
 *
 * Context: Any but NMI, preemption off.
 * Return: As central_flush().
 */
unsigned int central_take_home(struct goalloc_central *central,
			       const cache_entry_t *entry, unsigned int nr)
{
	return central_put_all(central, entry, nr, true);
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
	WRITE_ONCE(span->state[slot], SLOT_DEFERRED);
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
