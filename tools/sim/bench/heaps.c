// SPDX-License-Identifier: GPL-2.0-only
/*
 * heaps.c - what is free in a simulated heap, and the tree of summaries.
 */
#include <stdio.h>
#include <stdlib.h>
#include "heaps.h"

static u64 mix(u64 x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ULL;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44dULL;
	return x ^ x >> 33;
}

/* Pages of each object of a group. */
unsigned int group_object(u64 group)
{
	static const unsigned int sizes[] = { 1, 64, 2048, 16, 512, 4 };

	/* In turn, so that small heaps have some of each. */
	return sizes[group % ARRAY_SIZE(sizes)];
}

/* Visit every maximal run of free pages. */
void heap_runs(u64 nr_pages, unsigned int percent, free_run_t run, void *ctx)
{
	u64 base = 0, n = 0, group, page = 0;

	for (group = 0; group < nr_pages / GROUP_PAGES; group++) {
		unsigned int size = group_object(group);
		u64 rng = mix(group + 1) | 1;
		unsigned int i;

		for (i = 0; i < GROUP_PAGES; i += size, page += size) {
			if (sim_random(&rng) >> 32 <
			    (u64)percent * 42949673ULL) {
				if (n)
					run(ctx, base, n);
				n = 0;
				continue;
			}
			if (!n)
				base = page;
			n += size;
		}
	}
	if (n)
		run(ctx, base, n);
}

struct tree {
	struct heap heap;
	struct sim_mem mem;
	struct palloc p;
};

static u64 tree_alloc(struct heap *h, u64 n)
{
	u64 scav;

	return palloc_alloc(&container_of(h, struct tree, heap)->p, n, &scav);
}

static void tree_free(struct heap *h, u64 base, u64 n)
{
	palloc_free(&container_of(h, struct tree, heap)->p, base, n);
}

static bool tree_used(struct heap *h, u64 base, u64 n)
{
	struct palloc *p = &container_of(h, struct tree, heap)->p;

	while (n) {
		unsigned int i = palloc_page_in_chunk(base);
		u64 here = min_t(u64, n, PALLOC_CHUNK_PAGES - i);
		const u64 *bits;

		bits = palloc_chunk_of(p, base >> PALLOC_CHUNK_SHIFT)->alloc;
		if (palloc_bits_popcount(bits, i, here) != here)
			return false;
		base += here;
		n -= here;
	}
	return true;
}

static void tree_destroy(struct heap *h)
{
	struct tree *t = container_of(h, struct tree, heap);

	palloc_destroy(&t->p);
	free(t);
}

static void tree_run(void *ctx, u64 base, u64 n)
{
	palloc_free(ctx, base, n);
}

/* All allocated at first, then every free run is freed. */
struct heap *tree_new(u64 nr_pages, unsigned int percent)
{
	struct tree *t = calloc(1, sizeof(*t));
	u64 scav;

	sim_mem_init(&t->mem);
	if (palloc_init(&t->p, &t->mem.mem, nr_pages, 0) ||
	    palloc_reserve(&t->p, 0, nr_pages, 0)) {
		palloc_destroy(&t->p);
		free(t);
		return NULL;
	}
	palloc_grow(&t->p, 0, nr_pages, false);
	palloc_alloc(&t->p, nr_pages, &scav);
	heap_runs(nr_pages, percent, tree_run, &t->p);
	t->heap = (struct heap){
		"tree", tree_alloc, tree_free, tree_used, tree_destroy,
	};
	return &t->heap;
}
