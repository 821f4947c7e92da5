/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * page_cache.h - 64 pages in front of the page allocator.
 *
 * A cache is one aligned window of 64 pages, taken from the tree as a whole:
 * two words of bits, private to whoever holds the struct, so that small page
 * requests need neither the heap's lock nor the tree.  Pages in a cache count
 * as allocated in the bitmaps.
 */
#ifndef GOALLOC_PAGE_CACHE_H
#define GOALLOC_PAGE_CACHE_H

#include "palloc.h"

#define PAGE_CACHE_PAGES	64

/*
 * Requests of this many pages and more go to the tree: they would mostly miss,
 * and each miss costs the search.
 */
#define PAGE_CACHE_MAX_REQUEST	(PAGE_CACHE_PAGES / 4)

/**
 * struct page_cache - free pages of one 64-page window
 * @base: first page of the window, a multiple of 64
 * @cache: bit i set: page @base + i is free and ours to hand out
 * @scav: subset of @cache: the page is known to be zero
 *
 * No lock of its own: the owner keeps others away.
 */
struct page_cache {
	u64 base;
	u64 cache;
	u64 scav;
};

/**
 * page_cache_empty() - nothing left to hand out?
 * @c: the cache
 *
 * Context: Any; the cache's owner.
 * Return: true if no page is in the cache.
 */
static inline bool page_cache_empty(const struct page_cache *c)
{
	return !c->cache;
}

u64 page_cache_alloc(struct page_cache *c, unsigned int nr,
		     unsigned int *scav_pages);
void page_cache_flush(struct page_cache *c, struct palloc *p);

#endif /* GOALLOC_PAGE_CACHE_H */
