// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an address to its span.
 *
 * Every page of a span points to it, first to last, so that an interior
 * pointer is told from a foreign one. Entries are set before the first object
 * of a span is handed out and cleared before its pages may be used again.
 * There is no lock: pages belong to one span at a time, and leaves are only
 * ever added.
 *
 * Readers: whoever frees. The owner of a live object sees its entry because
 * the object was handed over to him somehow. A bad free may look at any entry
 * at any time; spans are freed by RCU for its sake.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "compat.h"
#include "pagemap.h"
#include "span.h"

static size_t pagemap_row_bytes(const struct pagemap *map)
{
	return map->nr_pages / ARENA_LEAF_PAGES * sizeof(map->leaf[0]);
}

/**
 * pagemap_init - make an empty map
 * @map: what to fill in
 * @meta: where its memory is counted
 * @base: address of page 0, a multiple of the arena size
 * @nr_pages: length in goalloc pages; rounded up to whole arenas
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pagemap_init(struct pagemap *map, struct goalloc_meta *meta,
		 unsigned long base, u64 nr_pages)
{
	map->base = base;
	map->nr_pages = round_up(nr_pages, ARENA_LEAF_PAGES * ARENA_LEAVES);
	map->meta = meta;
	map->leaf = meta_zalloc(meta, pagemap_row_bytes(map), GFP_KERNEL,
				NUMA_NO_NODE);
	return map->leaf ? 0 : -ENOMEM;
}
GOALLOC_EXPORT_KUNIT(pagemap_init);

/**
 * pagemap_destroy - free a map
 * @map: the map; nobody may be looking at it any more
 *
 * Context: Process context.
 */
void pagemap_destroy(struct pagemap *map)
{
	u64 i;

	if (!map->leaf)
		return;
	for (i = 0; i < map->nr_pages / ARENA_LEAF_PAGES; i++)
		meta_free(map->meta, map->leaf[i], sizeof(*map->leaf[i]));
	meta_free(map->meta, map->leaf, pagemap_row_bytes(map));
	map->leaf = NULL;
}
GOALLOC_EXPORT_KUNIT(pagemap_destroy);

/**
 * pagemap_reserve - make sure that a range of pages can be mapped
 * @map: the map
 * @page: first page
 * @npages: length in goalloc pages
 * @gfp: how hard to try
 *
 * Context: Any that @gfp allows; no goalloc lock may be held. Safe against
 *          itself on other CPUs.
 * Return: 0, -ENOMEM, or -ERANGE if the map does not reach that far.
 */
int pagemap_reserve(struct pagemap *map, u64 page, u64 npages, gfp_t gfp)
{
	struct pagemap_leaf *leaf;
	u64 i;

	if (page >= map->nr_pages || npages > map->nr_pages - page)
		return -ERANGE;
	for (i = page / ARENA_LEAF_PAGES;
	     i <= (page + npages - 1) / ARENA_LEAF_PAGES; i++) {
		if (READ_ONCE(map->leaf[i]))
			continue;
		leaf = meta_zalloc(map->meta, sizeof(*leaf), gfp, NUMA_NO_NODE);
		if (!leaf)
			return -ENOMEM;
		/* Publishes the zeroed leaf; pairs with pagemap_span(). */
		if (cmpxchg(&map->leaf[i], NULL, leaf))
			meta_free(map->meta, leaf, sizeof(*leaf));
	}
	return 0;
}
GOALLOC_EXPORT_KUNIT(pagemap_reserve);

/**
 * pagemap_set - map pages to a span, or to nothing
 * @map: the map, in which the range was reserved
 * @page: first page
 * @npages: length in goalloc pages
 * @span: the span, filled in, or NULL
 *
 * Context: Any context; the caller owns the pages.
 */
void pagemap_set(struct pagemap *map, u64 page, u64 npages,
		 struct goalloc_span *span)
{
	u64 end = page + npages;

	/*
	 * Whoever finds the span sees it filled in: pairs with the address
	 * dependency behind READ_ONCE() in pagemap_span().
	 */
	smp_wmb();
	for (; page < end; page++)
		WRITE_ONCE(map->leaf[page / ARENA_LEAF_PAGES]->span[page % ARENA_LEAF_PAGES],
			   span);
}
GOALLOC_EXPORT_KUNIT(pagemap_set);
