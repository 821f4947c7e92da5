/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * palloc_sum.h - one word that says what is free in a region of pages.
 *
 * A summary holds three counts of pages, 21 bits each:
 *
 *	bits  0..20	start	free pages at the low end of the region
 *	bits 21..41	max	longest run of free pages anywhere in it
 *	bits 42..62	end	free pages at the high end of the region
 *	bit  63		the region is as large as a region gets and all free
 *
 * Two summaries side by side can be merged without looking at the pages, and
 * the three counts are all that is needed to decide whether a run of n pages
 * begins in a region, lies inside it, or spans into the next.
 *
 * The largest region is 2^21 pages (one root entry), and 2^21 does not fit in
 * 21 bits.  That value can only occur when the whole root entry is free, where
 * all three counts have it, so this one state gets a bit of its own and the
 * other 63 bits are zero.  The word 0 means that nothing is free; zeroed memory
 * is therefore a tree without a free page.
 */
#ifndef GOALLOC_PALLOC_SUM_H
#define GOALLOC_PALLOC_SUM_H

#include "core_env.h"

typedef u64 palloc_sum_t;

/* A chunk is the piece of address space that has one pair of bitmaps. */
#define PALLOC_CHUNK_SHIFT	9
#define PALLOC_CHUNK_PAGES	((u32)BIT(PALLOC_CHUNK_SHIFT))

/* Levels of the tree, 0 is the root; each entry covers 8 of the next level. */
#define PALLOC_LEVELS		5
#define PALLOC_LEAF		(PALLOC_LEVELS - 1)
#define PALLOC_FANOUT_SHIFT	3
#define PALLOC_FANOUT		((u32)BIT(PALLOC_FANOUT_SHIFT))

/* log2 of the pages one root entry covers, and with it of any count. */
#define PALLOC_ROOT_SHIFT \
	(PALLOC_CHUNK_SHIFT + PALLOC_FANOUT_SHIFT * PALLOC_LEAF)

/* Chunks a root entry covers. */
#define PALLOC_ROOT_CHUNKS \
	((u32)BIT(PALLOC_ROOT_SHIFT - PALLOC_CHUNK_SHIFT))

#define PALLOC_SUM_BITS		PALLOC_ROOT_SHIFT
#define PALLOC_SUM_MASK		GENMASK_ULL(PALLOC_SUM_BITS - 1, 0)
#define PALLOC_SUM_ALL_FREE	BIT_ULL(63)

/* The summary of a chunk without a single allocated page. */
#define PALLOC_SUM_FREE_CHUNK \
	((palloc_sum_t)PALLOC_CHUNK_PAGES | \
	 (palloc_sum_t)PALLOC_CHUNK_PAGES << PALLOC_SUM_BITS | \
	 (palloc_sum_t)PALLOC_CHUNK_PAGES << 2 * PALLOC_SUM_BITS)

/**
 * palloc_level_shift() - log2 of the pages an entry covers
 * @level: level of the tree, 0 is the root
 *
 * Context: Any.
 * Return: 21 for the root, 9 for the leaves.
 */
static inline unsigned int palloc_level_shift(unsigned int level)
{
	return PALLOC_CHUNK_SHIFT + PALLOC_FANOUT_SHIFT * (PALLOC_LEAF - level);
}

/**
 * palloc_sum_pack() - make a summary out of its three counts
 * @start: free pages at the low end
 * @max: longest free run, at least @start and @end
 * @end: free pages at the high end
 *
 * Context: Any.
 * Return: the packed word.
 */
static inline palloc_sum_t palloc_sum_pack(u32 start, u32 max, u32 end)
{
	if (unlikely(max == 1U << PALLOC_SUM_BITS))
		return PALLOC_SUM_ALL_FREE;
	return (palloc_sum_t)start |
	       (palloc_sum_t)max << PALLOC_SUM_BITS |
	       (palloc_sum_t)end << 2 * PALLOC_SUM_BITS;
}

/**
 * palloc_sum_start() - free pages at the low end
 * @sum: a summary
 *
 * Context: Any.
 * Return: pages.
 */
static inline u32 palloc_sum_start(palloc_sum_t sum)
{
	if (unlikely(sum & PALLOC_SUM_ALL_FREE))
		return 1U << PALLOC_SUM_BITS;
	return sum & PALLOC_SUM_MASK;
}

/**
 * palloc_sum_max() - longest run of free pages
 * @sum: a summary
 *
 * Context: Any.
 * Return: pages.
 */
static inline u32 palloc_sum_max(palloc_sum_t sum)
{
	if (unlikely(sum & PALLOC_SUM_ALL_FREE))
		return 1U << PALLOC_SUM_BITS;
	return (sum >> PALLOC_SUM_BITS) & PALLOC_SUM_MASK;
}

/**
 * palloc_sum_end() - free pages at the high end
 * @sum: a summary
 *
 * Context: Any.
 * Return: pages.
 */
static inline u32 palloc_sum_end(palloc_sum_t sum)
{
	if (unlikely(sum & PALLOC_SUM_ALL_FREE))
		return 1U << PALLOC_SUM_BITS;
	return (sum >> 2 * PALLOC_SUM_BITS) & PALLOC_SUM_MASK;
}

/**
 * palloc_sum_merge() - the summary of eight neighbours taken as one region
 * @child: the eight summaries, lowest region first
 * @shift: log2 of the pages each child covers
 *
 * Context: Any.
 * Return: the summary of the parent entry.
 */
static inline palloc_sum_t palloc_sum_merge(const palloc_sum_t *child,
					    unsigned int shift)
{
	u32 full = 1U << shift;
	u32 start = palloc_sum_start(child[0]);
	u32 max = palloc_sum_max(child[0]);
	u32 end = palloc_sum_end(child[0]);
	unsigned int i;

	for (i = 1; i < PALLOC_FANOUT; i++) {
		palloc_sum_t sum = child[i];
		u32 s, m, e;

		/* Full children are common in a busy heap; they end any run. */
		if (!sum) {
			end = 0;
			continue;
		}
		s = palloc_sum_start(sum);
		m = palloc_sum_max(sum);
		e = palloc_sum_end(sum);
		/* Free from the first child up to here: the run goes on. */
		if (start == i << shift)
			start += s;
		max = max3(max, end + s, m);
		end = e == full ? end + full : e;
	}
	return palloc_sum_pack(start, max, end);
}

#endif /* GOALLOC_PALLOC_SUM_H */
