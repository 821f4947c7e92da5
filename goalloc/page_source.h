/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a heap's pages come from and go back to.
 */
#ifndef GOALLOC_PAGE_SOURCE_H
#define GOALLOC_PAGE_SOURCE_H

#include <linux/gfp.h>
#include <linux/types.h>

#include "sizeclass.h"

/**
 * struct page_extent - a run of pages that a source handed over
 * @page: number of the first page in the source's address space
 * @npages: length in goalloc pages
 * @nid: node the memory is on
 * @clean: known to hold zeros
 */
struct page_extent {
	u64 page;
	u64 npages;
	int nid;
	bool clean;
};

/**
 * struct page_source - where pages come from
 * @base: address of page 0, aligned to an arena
 * @nr_pages: length of the address space in goalloc pages
 * @nr_nodes: nodes are numbered below this
 * @get: get between @min and @want contiguous pages, as many as come easily,
 *       @min at least; -ENOMEM if there are none. Called without any lock,
 *       with preemption as the caller of the allocator had it.
 * @put: give pages back, any run that get() handed over, or a part of one, or
 *       several that touch. Called without any lock.
 * @charges: does get() with __GFP_ACCOUNT charge pages to somebody at present?
 *           NULL if it never does
 * @distance: how far one node is from another, as node_distance(); NULL if any
 *            two are as far apart as any others
 *
 * A heap over a source of one's own making lives in an invented address space;
 * the tests do that.
 */
struct page_source {
	unsigned long base;
	u64 nr_pages;
	int nr_nodes;
	int (*get)(struct page_source *src, u64 min, u64 want, int nid,
		   gfp_t gfp, struct page_extent *extent);
	void (*put)(struct page_source *src, u64 page, u64 npages);
	bool (*charges)(void);
	int (*distance)(const struct page_source *src, int from, int to);
};

/* Goalloc pages in the largest block of the buddy allocator, and its order. */
#define PAGE_SOURCE_MAX_PAGES (1ULL << (GOALLOC_MAX_ORDER + PAGE_SHIFT - GOALLOC_PAGE_SHIFT))

void page_source_init_buddy(struct page_source *src);

#endif /* GOALLOC_PAGE_SOURCE_H */
