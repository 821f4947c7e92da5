// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory a heap, and all heaps together, may hold.
 *
 * There are two limits, each for a heap and for the whole module, in pages taken
 * from the kernel (held, in the ledger; metadata is beside it):
 *
 * - The soft limit is what should not be passed as long as there are free pages
 *   to give back: growth past it gives back as much first, whatever the
 *   background thread would have kept, and grows by no more than is needed. The
 *   thread aims at 95% of it. Live objects may pass it.
 * - The hard limit is never passed but by __GFP_NOFAIL: the allocation fails.
 *
 * Pages are charged before they are taken, so that CPUs that grow at once do not
 * pass a limit together. A heap gives back only pages of its own; when all heaps
 * together are over the limit, the thread goes round the others.
 *
 * Locks: none here; heap_node->lock is taken in heap_scavenge(). The limits are
 * words that may be changed at any time.
 */
#include <linux/gfp.h>
#include <linux/math64.h>

#include "compat.h"
#include "limit.h"
#include "scavenger.h"

static bool limit_exceeded(const atomic64_t *held, const u64 *limit)
{
	u64 max = READ_ONCE(*limit);

	return max && (u64)atomic64_read(held) > max;
}

/* Pages that are refused, or not got, after all count for a moment as well. */
static void limit_note_peak(struct heap_space *space, s64 held)
{
	s64 peak = atomic64_read(&space->peak);

	while (held > peak && !atomic64_try_cmpxchg(&space->peak, &peak, held))
		;
}

/**
 * limit_peak - the most that all heaps together ever held
 * @space: their address space
 *
 * Context: Any.
 * Return: goalloc pages, since limit_forget_peak().
 */
u64 limit_peak(const struct heap_space *space)
{
	return atomic64_read(&space->peak);
}
GOALLOC_EXPORT_KUNIT(limit_peak);

/**
 * limit_forget_peak - the most that was ever held is what is held now
 * @space: the address space
 *
 * Context: Any.
 */
void limit_forget_peak(struct heap_space *space)
{
	atomic64_set(&space->peak, atomic64_read(&space->held));
}

/**
 * limit_charge - count pages that a heap is about to take
 * @heap: the heap
 * @npages: goalloc pages
 * @gfp: of the allocation; __GFP_NOFAIL may pass the hard limits
 *
 * Context: Any.
 * Return: false if a hard limit would be passed; then nothing was counted.
 */
bool limit_charge(struct goalloc_heap *heap, u64 npages, gfp_t gfp)
{
	struct heap_space *space = heap->space;

	atomic64_add(npages, &heap->held);
	limit_note_peak(space, atomic64_add_return(npages, &space->held));
	if (likely(!limit_exceeded(&heap->held, &heap->limit) &&
		   !limit_exceeded(&space->held, &space->limit)) ||
	    gfp & __GFP_NOFAIL)
		return true;
	limit_uncharge(heap, npages);
	return false;
}

/**
 * limit_uncharge - count pages out that a heap has given back, or not got
 * @heap: the heap
 * @npages: goalloc pages
 *
 * Context: Any.
 */
void limit_uncharge(struct goalloc_heap *heap, u64 npages)
{
	atomic64_sub(npages, &heap->held);
	atomic64_sub(npages, &heap->space->held);
}

/* Pages beyond a limit if @more were added. */
static u64 limit_over(const atomic64_t *held, const u64 *limit, u64 more)
{
	u64 max = READ_ONCE(*limit);
	u64 total = (u64)atomic64_read(held) + more;

	return max && total > max ? total - max : 0;
}

/* The same for both soft limits of a heap. */
static u64 limit_over_soft(const struct goalloc_heap *heap, u64 more)
{
	return max(limit_over(&heap->held, &heap->soft_limit, more),
		   limit_over(&heap->space->held, &heap->space->soft_limit, more));
}

/**
 * limit_make_room - keep to the soft limits as far as free pages allow
 * @heap: heap that is about to grow
 * @npages: goalloc pages it is about to take
 *
 * Context: Any but NMI; on PREEMPT_RT preemptible; no lock of goalloc held.
 * Return: false if a soft limit will be passed all the same.
 */
bool limit_make_room(struct goalloc_heap *heap, u64 npages)
{
	struct heap_space *space = heap->space;
	struct heap_node *node;
	u64 over;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		over = limit_over_soft(heap, npages);
		if (likely(!over))
			return true;
		heap_scavenge(node, over, true);
	}
	/* The other heaps may have free pages. */
	if (limit_over(&space->held, &space->soft_limit, npages))
		scavenger_hurry();
	return !limit_over_soft(heap, npages);
}

/* 95% of a soft limit: what background work aims at. */
static u64 limit_goal(const u64 *limit)
{
	u64 soft = READ_ONCE(*limit);

	return soft ? soft - div_u64(soft, 20) : U64_MAX;
}

/**
 * limit_excess - pages beyond the goals of the soft limits
 * @heap: the heap
 *
 * Context: Any.
 * Return: goalloc pages that the heap should give back if it can.
 */
u64 limit_excess(const struct goalloc_heap *heap)
{
	u64 held = atomic64_read(&heap->held);
	u64 all = atomic64_read(&heap->space->held);
	u64 goal = limit_goal(&heap->soft_limit);
	u64 all_goal = limit_goal(&heap->space->soft_limit);
	u64 excess = held > goal ? held - goal : 0;

	return all > all_goal ? max(excess, min(held, all - all_goal)) : excess;
}
GOALLOC_EXPORT_KUNIT(limit_excess);

/**
 * limit_set - change a heap's limits
 * @heap: the heap
 * @soft: goalloc pages that it should hold, 0 for any number
 * @hard: goalloc pages that it may hold, 0 for any number
 *
 * Free pages beyond the soft limit go back before this returns.
 *
 * Context: Process context.
 * Return: goalloc pages still held beyond the soft limits: they are in use.
 */
u64 limit_set(struct goalloc_heap *heap, u64 soft, u64 hard)
{
	WRITE_ONCE(heap->soft_limit, soft);
	WRITE_ONCE(heap->limit, hard);
	limit_make_room(heap, 0);
	return limit_over_soft(heap, 0);
}
GOALLOC_EXPORT_KUNIT(limit_set);

static void limit_enforce(struct goalloc_heap *heap, void *arg)
{
	if (heap->space == &goalloc_space)
		limit_make_room(heap, 0);
}

/**
 * limit_set_all - change the limits of all heaps together
 * @soft: goalloc pages that they should hold, 0 for any number
 * @hard: goalloc pages that they may hold, 0 for any number
 *
 * Context: Process context, may sleep.
 * Return: goalloc pages still held beyond the soft limit.
 */
u64 limit_set_all(u64 soft, u64 hard)
{
	WRITE_ONCE(goalloc_space.soft_limit, soft);
	WRITE_ONCE(goalloc_space.limit, hard);
	heap_for_each(limit_enforce, NULL);
	return limit_over(&goalloc_space.held, &goalloc_space.soft_limit, 0);
}
GOALLOC_EXPORT_KUNIT(limit_set_all);
