// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checking everything that has to be so in a heap, while it is used.
 *
 * What holds at every moment under one lock is checked under that lock, a piece
 * at a time: summaries against bitmaps and free pages against the page map
 * under the heap lock; a span's bits, states, place and page map entries, and a
 * central's sums, under the central lock. A list that is too long for one
 * section is gone on with only if nothing has changed since; a few tries, and
 * the rest of it is skipped.
 *
 * What is a sum over tiers that have no lock in common (the ledger, and the
 * free slots against what the caches say they have), and what caches count for
 * themselves, can be judged only while nobody uses the heap. Counters that move
 * with everything that is done tell, see validate_try().
 *
 * The objects in the caches' lists are not looked at one by one, as only their
 * CPU could do that; that their number is right shows in the sums.
 *
 * The lists of spans are taken for true; the page map's entries and the states
 * are compared with them, never followed. Nothing is repaired, and the first
 * rule that does not hold ends the walk.
 *
 * Locks: a central lock or a heap lock, one at a time; those of gc_validate.c. heaps_lock, through
 * heap_for_each(), if all heaps are checked.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "harden.h"
#include "drain.h"
#include "gc.h"
#include "report.h"
#include "stats.h"
#include "validate.h"

/* Spans to look at in one locked section. */
#define VALIDATE_BATCH 16

/* Tries for a list that changes, and for a heap to be quiet. */
#define VALIDATE_TRIES 5
#define VALIDATE_PAUSE_MS 10

/* A heap that is in use so often during the tries is not going to be quiet. */
#define VALIDATE_MOVED 2

/* The owner of a span goes on while we look, see stats_read(). */
#define validate_read(number) data_race(READ_ONCE(number))

/* The first rule that does not hold. Always false. */
static bool validate_fail(struct validate *v, const char *rule, int nid, int bin,
			  u64 page, int slot, u64 is, u64 want)
{
	if (v->rule)
		return false;
	v->rule = rule;
	v->nid = nid;
	v->bin = bin;
	v->page = page;
	v->slot = slot;
	v->is = is;
	v->want = want;
	return false;
}

static bool validate_span_fail(struct validate *v, const struct goalloc_span *span,
			       const char *rule, int slot, u64 is, u64 want)
{
	return validate_fail(v, rule, span->home->nid,
			     span->kind == SPAN_LARGE ? -1 : span->bin, span->page,
			     slot, is, want);
}

/* Does every page of a span lead to it? */
static bool validate_mapped(const struct validate *v, const struct goalloc_span *span,
			    u32 *page)
{
	for (*page = 0; *page < span->npages; ++*page)
		if (pagemap_find(&v->heap->space->map, span->base +
				 ((unsigned long)*page << GOALLOC_PAGE_SHIFT)) != span)
			return false;
	return true;
}

static bool validate_freed(const struct goalloc_span *span, unsigned int slot)
{
	const u64 *freed = span->bits.words + span_bits_words(span->bits.nelems);

	return freed[slot / SPAN_BITS_WINDOW] >> slot % SPAN_BITS_WINDOW & 1;
}

/* May a slot of a span be in this state? */
static bool validate_state(const struct validate *v, const struct goalloc_span *span,
			   u8 state)
{
	if (slot_is_free(state))
		return true;
	switch (state) {
	case SLOT_LIVE:
	case SLOT_DEFERRED:
		return true;
	case SLOT_SAMPLED:
		return span->kind == SPAN_SMALL;
	case SLOT_TINY:
	case SLOT_TINY_OPEN:
		return span->kind == SPAN_TINY;
	case SLOT_LARGE:
	case SLOT_TAIL:
		return false;
	default:
		/* What the features of heaps without caches note there. */
		return detour_taken(v->heap);
	}
}

/*
 * The slots of a span: in the books of a span without owner a free slot is one
 * that can be handed out or came back, in those of a span with an owner one
 * that came back; and such a slot says SLOT_FREE.
 */
static bool validate_slots(struct validate *v, const struct goalloc_span *span,
			   u64 *free_slots)
{
	bool owned = span->place == SPAN_OWNED;
	unsigned int nr_freed = 0, nr_free = 0;
	unsigned int slot;

	for (slot = 0; slot < span->bits.nelems; slot++) {
		u8 state = validate_read(span->state[slot]);
		bool freed = validate_freed(span, slot);
		bool unused = !owned && span_bits_is_free(&span->bits, slot);

		if (freed && unused)
			return validate_span_fail(v, span, "slot came back that was not out",
						  slot, 1, 0);
		nr_freed += freed;
		nr_free += freed || unused;
		if ((freed || unused) && state != SLOT_FREE)
			return validate_span_fail(v, span, "free slot with another state",
						  slot, state, SLOT_FREE);
		if (!validate_state(v, span, state))
			return validate_span_fail(v, span, "slot with an impossible state",
						  slot, state, SLOT_LIVE);
		*free_slots += slot_is_free(state);
	}
	if (span->state[slot] != SLOT_TAIL)
		return validate_span_fail(v, span, "no end behind the last slot", slot,
					  span->state[slot], SLOT_TAIL);
	if (nr_freed != span->bits.nr_freed)
		return validate_span_fail(v, span, "slots that came back miscounted", -1,
					  span->bits.nr_freed, nr_freed);
	if (nr_free != span->nr_free)
		return validate_span_fail(v, span, "free slots miscounted", -1,
					  span->nr_free, nr_free);
	return true;
}

/* A span in a list of a central. */
static bool validate_span(struct validate *v, struct goalloc_central *central,
			  const struct goalloc_span *span, enum span_place place,
			  u64 *free_slots)
{
	struct span_shape shape = span_shape_small(central->bin);
	u32 page;

	lockdep_assert_held(&central->lock);

	v->spans++;
	if (span->home != central->home || span->bin != central->bin ||
	    span->kind != shape.kind || span->elemsize != shape.elemsize ||
	    span->npages != shape.npages || span->bits.nelems != shape.nelems ||
	    span->base != heap_page_addr(v->heap, span->page))
		return validate_fail(v, "span of another shape than its list",
				     central->home->nid, central->bin, span->page, -1,
				     span->bin, central->bin);
	if (span->place != place)
		return validate_span_fail(v, span, "span in a list it does not belong to",
					  -1, span->place, place);
	if (!validate_mapped(v, span, &page))
		return validate_fail(v, "page map entry of a span leads elsewhere",
				     span->home->nid, span->bin, span->page + page, -1,
				     0, 1);
	return validate_slots(v, span, free_slots);
}

/* The lists of a central, one after the other. */
static struct list_head *validate_list(struct goalloc_central *central, int i,
				       enum span_place *place)
{
	if (i < CENTRAL_BUCKETS) {
		*place = SPAN_PARTIAL;
		return &central->partial[i];
	}
	*place = i == CENTRAL_BUCKETS ? SPAN_FULL : SPAN_OWNED;
	return i == CENTRAL_BUCKETS ? &central->full : &central->owned;
}

/* What the spans of a central come to. */
struct validate_sums {
	u64 spans;
	u64 owned;
	u64 free;
	u64 free_slots;
};

static bool validate_central_sums(struct validate *v, const struct goalloc_central *central,
				  const struct validate_sums *sums)
{
	int nid = central->home->nid, bin = central->bin;

	if (sums->spans != central->nr_spans)
		return validate_fail(v, "spans of a class miscounted", nid, bin, 0, -1,
				     central->nr_spans, sums->spans);
	if (sums->owned != central->nr_owned)
		return validate_fail(v, "spans that caches have miscounted", nid, bin, 0,
				     -1, central->nr_owned, sums->owned);
	if (sums->free != central->nr_free)
		return validate_fail(v, "free objects of a class miscounted", nid, bin, 0,
				     -1, central->nr_free, sums->free);
	v->free_slots[bin] += sums->free_slots;
	return true;
}

static unsigned int validate_move_at(const struct goalloc_central *central,
				     const struct goalloc_span *span, enum span_place place)
{
	return place == SPAN_OWNED ? CENTRAL_STAYS : central_move_at(central, span);
}

/*
 * Walk all spans of a central. False if it changed while the lock was not held,
 * or if a rule does not hold.
 */
static bool validate_central_once(struct validate *v, struct goalloc_central *central)
{
	struct validate_sums sums = {};
	struct goalloc_span *span;
	enum span_place place;
	struct list_head *list;
	unsigned int seen = 0;
	unsigned long flags;
	bool good = true;
	u64 changes;
	int i;

	raw_spin_lock_irqsave(&central->lock, flags);
	changes = central->changes;
	for (i = 0; good && i < CENTRAL_BUCKETS + 2; i++) {
		list = validate_list(central, i, &place);
		list_for_each_entry(span, list, list) {
			if (++seen % VALIDATE_BATCH == 0) {
				raw_spin_unlock_irqrestore(&central->lock, flags);
				cond_resched();
				raw_spin_lock_irqsave(&central->lock, flags);
				/* Unchanged, so the span is where it was. */
				good = changes == central->changes;
			}
			good = good && validate_span(v, central, span, place,
						     &sums.free_slots);
			if (good && place == SPAN_PARTIAL && i != central_bucket(central, span))
				good = validate_span_fail(v, span, "span in the wrong bucket",
							  -1, i, central_bucket(central, span));
			if (good && span->move_at != validate_move_at(central, span, place))
				good = validate_span_fail(v, span, "span that would not move",
							  -1, span->move_at,
							  validate_move_at(central, span, place));
			if (!good)
				break;
			sums.spans++;
			sums.owned += place == SPAN_OWNED;
			sums.free += span->nr_free;
		}
	}
	good = good && validate_central_sums(v, central, &sums);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	return good;
}

static bool validate_central(struct validate *v, struct goalloc_central *central)
{
	int i;

	for (i = 0; i < VALIDATE_TRIES; i++) {
		if (validate_central_once(v, central))
			return true;
		if (v->rule)
			return false;
	}
	v->skipped++;
	return true;
}

/* The span of a large object. What is being freed is not judged. */
static bool validate_large_span(struct validate *v, const struct heap_node *node,
				const struct goalloc_span *span)
{
	bool mapped;
	u32 page;

	v->spans++;
	if (span->kind != SPAN_LARGE || span->home != node ||
	    span->base != heap_page_addr(v->heap, span->page))
		return validate_fail(v, "span of another shape than its list", node->nid,
				     -1, span->page, -1, span->kind, SPAN_LARGE);
	mapped = validate_mapped(v, span, &page);
	/* Before the state changes the entries are there; pairs with the free. */
	smp_rmb();
	if (!mapped && READ_ONCE(span->state[0]) == SLOT_LARGE)
		return validate_fail(v, "page map entry of a span leads elsewhere",
				     node->nid, -1, span->page + page, -1, 0, 1);
	switch (READ_ONCE(span->state[0])) {
	case SLOT_LARGE:
	case SLOT_FREE:
	case SLOT_DEFERRED:
		return true;
	}
	/* What a hardened or a collected heap notes there. */
	return detour_taken(v->heap) ||
	       validate_span_fail(v, span, "slot with an impossible state", 0,
				  span->state[0], SLOT_LARGE);
}

static bool validate_large_sums(struct validate *v, const struct heap_node *node,
				u64 nr, u64 pages, u64 asked)
{
	if (nr != node->large_allocs - node->large_frees)
		return validate_fail(v, "large objects miscounted", node->nid, -1, 0, -1,
				     node->large_allocs - node->large_frees, nr);
	if (pages != node->large_pages)
		return validate_fail(v, "pages of large objects miscounted", node->nid, -1,
				     0, -1, node->large_pages, pages);
	if (asked != node->large_asked)
		return validate_fail(v, "bytes of large objects miscounted", node->nid, -1,
				     0, -1, node->large_asked, asked);
	return true;
}

/* As validate_central_once(). */
static bool validate_large_once(struct validate *v, struct heap_node *node)
{
	u64 nr = 0, pages = 0, asked = 0;
	struct goalloc_span *span;
	unsigned int seen = 0;
	unsigned long flags;
	bool good = true;
	u64 changes;

	raw_spin_lock_irqsave(&node->lock, flags);
	changes = node->large_allocs + node->large_frees;
	list_for_each_entry(span, &node->large, list) {
		if (++seen % VALIDATE_BATCH == 0) {
			raw_spin_unlock_irqrestore(&node->lock, flags);
			cond_resched();
			raw_spin_lock_irqsave(&node->lock, flags);
			good = changes == node->large_allocs + node->large_frees;
		}
		good = good && validate_large_span(v, node, span);
		if (!good)
			break;
		nr++;
		pages += span->npages;
		asked += span->asked;
	}
	good = good && validate_large_sums(v, node, nr, pages, asked);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return good;
}

static bool validate_large(struct validate *v, struct heap_node *node)
{
	int i;

	for (i = 0; i < VALIDATE_TRIES; i++) {
		if (validate_large_once(v, node))
			return true;
		if (v->rule)
			return false;
	}
	v->skipped++;
	return true;
}

/* The page tree: every summary, a block of chunks at a time. */
static bool validate_tree(struct validate *v, struct heap_node *node)
{
	struct palloc_fault fault = {};
	struct palloc_check check;
	unsigned long flags;
	int more;

	raw_spin_lock_irqsave(&node->lock, flags);
	palloc_check_begin(&node->palloc, &check);
	while ((more = palloc_check_step(&node->palloc, &check, &fault)) > 0) {
		raw_spin_unlock_irqrestore(&node->lock, flags);
		cond_resched();
		raw_spin_lock_irqsave(&node->lock, flags);
	}
	if (check.changes != node->palloc.changes)
		v->sums_skipped++;
	raw_spin_unlock_irqrestore(&node->lock, flags);
	if (more)
		return validate_fail(v, fault.what, node->nid, -1, fault.page, -1, 0, 0);
	return true;
}

/* No free page of a chunk may lead to a span. Heap lock. */
static bool validate_chunk(struct validate *v, struct heap_node *node, u64 i)
{
	const struct palloc_chunk *chunk = palloc_chunk_of(&node->palloc, i);
	u64 base = i << PALLOC_CHUNK_SHIFT;
	unsigned int w, bit;
	u64 free;

	lockdep_assert_held(&node->lock);

	if (!chunk || !node->palloc.sum[PALLOC_LEAF][i])
		return true;
	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		for (free = ~chunk->alloc[w]; free; free &= free - 1) {
			bit = __ffs64(free);
			if (pagemap_find(&v->heap->space->map,
					 heap_page_addr(v->heap, base + w * 64 + bit)) !=
			    &pagemap_no_span)
				return validate_fail(v, "free page is in the page map",
						     node->nid, -1, base + w * 64 + bit,
						     -1, 1, 0);
		}
	}
	return true;
}

static bool validate_free_pages(struct validate *v, struct heap_node *node)
{
	unsigned long flags;
	bool good = true;
	u64 i = 0, end;

	do {
		raw_spin_lock_irqsave(&node->lock, flags);
		i = max(i, node->palloc.start);
		end = node->palloc.end;
		if (i < end)
			good = validate_chunk(v, node, i);
		raw_spin_unlock_irqrestore(&node->lock, flags);
		cond_resched();
	} while (good && ++i < end);
	return good;
}

/* A number that changes with everything that is done with a heap. */
static u64 validate_activity(struct goalloc_heap *heap)
{
	struct heap_node *node;
	unsigned int cpu, bin;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += drain_activity(heap, cpu);
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			sum += validate_read(node->central[bin].changes);
		sum += validate_read(node->palloc.changes) +
		       validate_read(node->large_allocs) +
		       validate_read(node->large_frees);
	}
	return sum;
}

/* What holds at every moment. */
static bool validate_pass(struct validate *v)
{
	struct heap_node *node;
	unsigned int bin;

	for (node = heap_first_node(v->heap); node; node = heap_next_node(node)) {
		if (!validate_tree(v, node) || !validate_free_pages(v, node) ||
		    !validate_large(v, node))
			return false;
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			if (!validate_central(v, &node->central[bin]))
				return false;
	}
	return true;
}

/* What caches keep is counted right, and not more than they may. */
static bool validate_caches(struct validate *v)
{
	unsigned int cpu, level;
	const char *rule;
	u64 is, want;
	int bin;

	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			struct goalloc_cache *cache;

			/* Filled in when it is seen; pairs with cache_create(). */
			cache = smp_load_acquire(&per_cpu_ptr(v->heap->cpus, cpu)->level[level]);
			if (cache == &cache_none)
				continue;
			rule = room_check(cache, &bin, &is, &want);
			if (rule)
				return validate_fail(v, rule, NUMA_NO_NODE, bin, 0, -1, is, want);
		}
	}
	return true;
}

/* What holds when nobody uses the heap. */
static bool validate_sums(struct validate *v)
{
	struct goalloc_stats st;
	struct bin_stats bs;
	unsigned int bin;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		stats_bin(v->heap, bin, &bs);
		if (v->free_slots[bin] != bs.central + bs.cached)
			return validate_fail(v, "free slots differ from what caches have",
					     NUMA_NO_NODE, bin, 0, -1, v->free_slots[bin],
					     bs.central + bs.cached);
	}
	goalloc_heap_stats(v->heap, &st);
	if (stats_ledger_sum(&st) != st.sys_bytes)
		return validate_fail(v, "the ledger does not add up", NUMA_NO_NODE, -1, 0,
				     -1, stats_ledger_sum(&st), st.sys_bytes);
	return validate_caches(v);
}

/*
 * One try. Whoever was at something with preemption off when the counters were
 * read first has ended when the walk begins. Whoever began later has moved a
 * counter, as everything that is done does, by the time they are read again. So
 * if they are the same nothing happened during the walk.
 *
 * Returns 0 if all is as it must be, 1 if some of it could not be judged,
 * -EUCLEAN if a rule does not hold; one between tiers only if @activity has been
 * stored, else one that holds at every moment.
 */
static int validate_try(struct validate *v, u64 *activity)
{
	u64 before = validate_activity(v->heap);
	struct goalloc_gc *gc;
	bool good;

	*activity = 0;
	synchronize_rcu();
	/* Pairs with goalloc_gc_create(). */
	gc = smp_load_acquire(&v->heap->gc);
	if (!validate_pass(v) || (gc && !gc_validate(gc, v)))
		return -EUCLEAN;
	good = validate_sums(v);
	if (before == validate_activity(v->heap))
		synchronize_rcu();
	if (v->skipped || v->sums_skipped || before != validate_activity(v->heap)) {
		v->rule = NULL;
		return 1;
	}
	/* Never 0. */
	*activity = before | 1ULL << 63;
	return good ? 0 : -EUCLEAN;
}

/**
 * validate_heap - check a heap
 * @heap: the heap
 * @v: what to fill in
 *
 * Who makes a span can be preempted between taking pages and entering the span.
 * So a sum is wrong only if it is in each of several tries between which
 * nothing whatever has happened.
 *
 * Context: Process context, may sleep.
 * Return: 0 if all is as it must be, 1 if so but for what could not be judged
 *         because the heap is used, -EUCLEAN with @v->rule set if not.
 */
int validate_heap(struct goalloc_heap *heap, struct validate *v)
{
	u64 activity, first = 0;
	unsigned int moved = 0;
	int i, err;

	for (i = 0; i < VALIDATE_TRIES && moved < VALIDATE_MOVED; i++) {
		if (i)
			msleep(VALIDATE_PAUSE_MS);
		*v = (struct validate){ .heap = heap };
		err = validate_try(v, &activity);
		if (!err || (err < 0 && !activity))
			return err;
		if (!i)
			first = activity;
		moved += err > 0 || activity != first;
	}
	if (!moved)
		return -EUCLEAN;
	v->rule = NULL;
	return 1;
}
GOALLOC_EXPORT_KUNIT(validate_heap);

/* See <goalloc.h>. */
int goalloc_validate(struct goalloc_heap *heap)
{
	struct validate v;
	int err;

	might_sleep();
	if (!heap)
		heap = goalloc_default;
	if (READ_ONCE(heap->detour) & DETOUR_ENDED)
		return -EINVAL;
	/* What is wrong was reported when it was found; do not stir in it. */
	if (READ_ONCE(heap->detour) & DETOUR_SAFE)
		return -EUCLEAN;
	err = validate_heap(heap, &v);
	if (err)
		report_validate(&v);
	/* What others did to it: told object by object. */
	if (heap->harden && harden_check_heap(heap, _RET_IP_))
		err = -EUCLEAN;
	return err;
}
EXPORT_SYMBOL_GPL(goalloc_validate);

static void validate_one(struct goalloc_heap *heap, void *arg)
{
	int err = goalloc_validate(heap);
	int *first = arg;

	if (err < 0 && !*first)
		*first = err;
}

/**
 * validate_all - check all heaps
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EUCLEAN if a rule does not hold somewhere.
 */
int validate_all(void)
{
	int err = 0;

	heap_for_each(validate_one, &err);
	return err;
}
GOALLOC_EXPORT_KUNIT(validate_all);
