// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_cache.c - windows of 64 pages: out of the tree, used up, and back.
 *
 * Most requests for pages are for one or two at a time.  For those the tree is
 * asked once per 64 pages: the whole aligned window around the lowest free
 * page changes hands, with whatever is free in it, as two words of bits.  A
 * request is then a search in one word.
 *
 * A window is one word of each bitmap, so taking it is two stores and one
 * update of a chunk's summary, and so is putting back what was not used.
 *
 * Locking: a struct page_cache is its owner's.  The functions that move a
 * window need the lock of the palloc.
 */
#include "page_cache.h"

/**
 * page_cache_alloc() - allocate a run of pages from the cache
 * @c: the cache
 * @nr: length of the run, 1 to PAGE_CACHE_PAGES
 * @scav_pages: where to store how many of the pages were scavenged
 *
 * Context: Any; the cache's owner.
 * Return: the first page of the lowest run in the cache that is long enough, or
 * PALLOC_NONE; then the cache is as before.
 */
u64 page_cache_alloc(struct page_cache *c, unsigned int nr,
		     unsigned int *scav_pages)
{
	unsigned int i;
	u64 mask, scav;

	*scav_pages = 0;
	if (!c->cache)
		return PALLOC_NONE;
	i = nr == 1 ? __ffs64(c->cache) : palloc_word_find(c->cache, nr);
	if (i == 64)
		return PALLOC_NONE;
	mask = palloc_word_mask(i, nr);
	scav = c->scav & mask;
	if (scav) {
		*scav_pages = hweight64(scav);
		c->scav &= ~mask;
	}
	c->cache &= ~mask;
	return c->base + i;
}
GOALLOC_EXPORT_KUNIT(page_cache_alloc);

/**
 * page_cache_flush() - give what is left in a cache back to the tree
 * @c: the cache; empty afterwards
 * @p: the page allocator it came from
 *
 * Context: Any; the cache's owner, with the lock of @p held.
 */
void page_cache_flush(struct page_cache *c, struct palloc *p)
{
	if (!page_cache_empty(c))
		palloc_free_window(p, c->base, c->cache, c->scav);
	*c = (struct page_cache){};
}
GOALLOC_EXPORT_KUNIT(page_cache_flush);

/**
 * palloc_alloc_to_cache() - take a window of 64 pages out of the tree
 * @p: the page allocator
 * @c: an empty cache; empty afterwards only if no page is free
 *
 * The window is the aligned one around the lowest free page; what is free in
 * it belongs to the cache from now on.
 *
 * Context: Any; the lock held.
 */
void palloc_alloc_to_cache(struct palloc *p, struct page_cache *c)
{
	u64 chunk = p->search >> PALLOC_CHUNK_SHIFT;
	struct palloc_chunk *pc;
	unsigned int i, nr, w;
	u64 page, next;

	*c = (struct page_cache){};
	if (chunk >= p->end)
		return;
	if (p->sum[PALLOC_LEAF][chunk]) {
		pc = palloc_chunk_of(p, chunk);
		i = palloc_bits_find(pc->alloc, 1, palloc_page_in_chunk(p->search), &i);
	} else {
		page = palloc_find(p, 1, &next);
		if (page == PALLOC_NONE) {
			p->search = PALLOC_NONE;
			return;
		}
		chunk = page >> PALLOC_CHUNK_SHIFT;
		pc = palloc_chunk_of(p, chunk);
		i = palloc_page_in_chunk(page);
	}
	if (unlikely(i == PALLOC_CHUNK_NONE)) {
		palloc_fail(p, "summary promises a page the bitmap lacks",
			    p->search, 1);
		return;
	}

	w = i / 64;
	c->base = (chunk << PALLOC_CHUNK_SHIFT) + w * 64;
	c->cache = ~pc->alloc[w];
	c->scav = pc->scavenged[w] & c->cache;
	pc->alloc[w] = ~0ULL;
	pc->scavenged[w] &= ~c->cache;

	nr = hweight64(c->cache);
	p->nr_free -= nr;
	p->changes++;
	scavenge_index_alloc(&p->scav, chunk, nr);
	palloc_update_chunk(p, pc, chunk);
	/* Not past the window: the chunk behind it need not exist. */
	p->search = c->base + 63;
}
GOALLOC_EXPORT_KUNIT(palloc_alloc_to_cache);

/**
 * palloc_free_window() - give pages of a 64-page window back to the tree
 * @p: the page allocator
 * @base: first page of the window, a multiple of 64
 * @pages: bit i set: page @base + i is allocated and becomes free; not 0
 * @scav: subset of @pages: known to be zero
 *
 * Context: Any; the lock held.
 */
void palloc_free_window(struct palloc *p, u64 base, u64 pages, u64 scav)
{
	u64 chunk = base >> PALLOC_CHUNK_SHIFT;
	struct palloc_chunk *c = palloc_chunk_of(p, chunk);
	unsigned int i = palloc_page_in_chunk(base);
	unsigned int nr = hweight64(pages);

	if (GOALLOC_CORE_DEBUG &&
	    (pages & ~c->alloc[i / 64] || pages & c->scavenged[i / 64])) {
		palloc_fail(p, "flushing a page that is not allocated", base, nr);
		return;
	}
	c->alloc[i / 64] &= ~pages;
	c->scavenged[i / 64] |= scav;
	p->nr_free += nr;
	p->changes++;
	p->search = min(p->search, base);
	scavenge_index_free(&p->scav, chunk, i + fls64(pages) - 1, nr);
	palloc_update_chunk(p, c, chunk);
}
GOALLOC_EXPORT_KUNIT(palloc_free_window);
