/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heaps.h - a simulated heap in pieces, and three allocators over it.
 *
 * Address space is cut into groups of 2048 pages.  A group is filled with
 * objects of one size, 1 to 2048 pages, each of which is in use with the
 * probability that the heap is to be full.  What is in a group follows from its
 * number, so that a heap of any size needs no list of its objects.
 */
#ifndef SIM_BENCH_HEAPS_H
#define SIM_BENCH_HEAPS_H

#include "sim.h"

#define GROUP_PAGES	2048

/**
 * struct heap - the allocators' common face
 * @name: for the table
 * @alloc: lowest, or best, run of n pages; PALLOC_NONE if there is none
 * @free: n allocated pages from base on
 * @used: are all n pages from base on allocated?
 * @destroy: give everything back
 */
struct heap {
	const char *name;
	u64 (*alloc)(struct heap *h, u64 n);
	void (*free)(struct heap *h, u64 base, u64 n);
	bool (*used)(struct heap *h, u64 base, u64 n);
	void (*destroy)(struct heap *h);
};

/* Called with one run of free pages after the other, ascending, not adjacent. */
typedef void (*free_run_t)(void *ctx, u64 base, u64 n);

unsigned int group_object(u64 group);
void heap_runs(u64 nr_pages, unsigned int percent, free_run_t run, void *ctx);

struct heap *tree_new(u64 nr_pages, unsigned int percent);
struct heap *treap_new(u64 nr_pages, unsigned int percent);
struct heap *bitmap_new(u64 nr_pages, unsigned int percent);

#endif /* SIM_BENCH_HEAPS_H */
