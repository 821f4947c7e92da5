/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page source for tests, and a private heap over it.
 *
 * The pages are vmalloc() memory, so that objects can be written to; nothing of
 * the machine's own state matters and nothing else uses them. Every page is
 * filled with a pattern when it is handed over and when it comes back.
 */
#ifndef GOALLOC_FAKE_SOURCE_H
#define GOALLOC_FAKE_SOURCE_H

#include <kunit/test.h>
#include <linux/types.h>

#include "heap.h"

#define FAKE_MAX_NODES 4

/**
 * struct fake_source - pages to order
 * @space: what the heap sees; its source is this one
 * @raw: the vmalloc() memory
 * @out: bit per page: handed over
 * @nr_out: how many are
 * @gets: calls of get()
 * @puts: calls of put()
 * @fail_from: fail get() from this call on, counted from 1; 0 for never
 * @fail_only: fail this call only, counted from 1; 0 for none
 * @max_extent: never hand over more pages at once, as when memory is
 *              fragmented; 0 for any number
 * @clean: hand over zeroed pages and say so
 * @charged: bit per page: handed over with __GFP_ACCOUNT
 * @distance: from node to node; NULL if all are equally far apart. To be set
 *            before a heap is made, or followed by node_order_sort()
 * @lock: guards everything above but @space
 * @bad_puts: pages that came back without having been handed over
 *
 * Node n has the nth equal part of the pages.
 */
struct fake_source {
	struct heap_space space;
	void *raw;
	unsigned long *out;
	u64 nr_out;
	unsigned int gets;
	unsigned int puts;
	unsigned int fail_from;
	unsigned int fail_only;
	u64 max_extent;
	bool clean;
	unsigned long *charged;
	const u8 (*distance)[FAKE_MAX_NODES];
	spinlock_t lock; /* everything above but @space */
	u64 bad_puts;
};

/**
 * struct fake_heap - a private heap in an address space of its own
 * @fake: its pages
 * @heap: the heap
 */
struct fake_heap {
	struct fake_source fake;
	struct goalloc_heap *heap;
};

int fake_source_init(struct fake_source *fake, u64 nr_pages, int nr_nodes);
void fake_source_exit(struct fake_source *fake);

struct fake_heap *fake_heap_create(struct kunit *test, u64 nr_pages, int nr_nodes);
void fake_heap_destroy(struct kunit *test, struct fake_heap *fh);

/* As if a quiet heap had never been found broken. */
void fake_heap_break(struct kunit *test, struct goalloc_heap *heap);
void fake_heap_mend(struct goalloc_heap *heap);
void fake_heap_give_caches(struct goalloc_heap *heap);

/* The ledger of a quiet heap adds up, to the byte; every summary is right. */
void fake_heap_check(struct kunit *test, struct fake_heap *fh);

#endif /* GOALLOC_FAKE_SOURCE_H */
