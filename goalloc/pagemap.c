// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an address to its span.
 *
 * Every page of a span points to it, first to last, so that an interior
 * pointer is told from a foreign one. Entries are set before the first object
 * of a span is handed out and cleared before its pages may be used again.
 * Setting takes no lock: pages belong to one span at a time. map->lock is for
 * adding leaves, and for a longer row of them when memory is added; it is
 * taken alone.
 *
 * Readers: whoever frees. The owner of a live object sees its entry because
 * the object was handed over to him somehow. A bad free may look at any entry
 * at any time; spans are freed by RCU for its sake.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "compat.h"
#include "pagemap.h"
#include "span.h"

/* Its state byte belongs to the slot behind the last of no slots. */
static u8 pagemap_no_state = SLOT_TAIL;

struct goalloc_span pagemap_no_span = {
	.state = &pagemap_no_state,
	.kind = SPAN_SMALL,
};

GOALLOC_EXPORT_KUNIT(pagemap_no_span);

struct pagemap_leaf pagemap_no_leaf;
GOALLOC_EXPORT_KUNIT(pagemap_no_leaf);

static void pagemap_clear_leaf(struct pagemap_leaf *leaf)
{
	memset64((u64 *)leaf->span, (unsigned long)&pagemap_no_span,
		 ARENA_LEAF_PAGES);
}

/**
 * pagemap_setup - make the stand-ins, once, before any map
 */
void pagemap_setup(void)
{
	pagemap_clear_leaf(&pagemap_no_leaf);
}

static size_t pagemap_row_bytes(u64 nr_pages)
{
	return struct_size((struct pagemap_row *)NULL, leaf, nr_pages / ARENA_LEAF_PAGES);
}

/* Make a row that begins with the leaves of @old, which may be NULL. */
static struct pagemap_row *pagemap_make_row(struct pagemap *map, u64 nr_pages,
					    const struct pagemap_row *old)
{
	u64 from = old ? old->nr_pages / ARENA_LEAF_PAGES : 0;
	struct pagemap_row *row;

	row = meta_zalloc(map->meta, pagemap_row_bytes(nr_pages), GFP_KERNEL, NUMA_NO_NODE);
	if (!row)
		return NULL;
	row->nr_pages = nr_pages;
	memset64((u64 *)(row->leaf + from), (unsigned long)&pagemap_no_leaf,
		 nr_pages / ARENA_LEAF_PAGES - from);
	return row;
}

static void pagemap_free_row(struct pagemap *map, struct pagemap_row *row)
{
	meta_free(map->meta, row, pagemap_row_bytes(row->nr_pages));
}

static struct lock_class_key pagemap_lock_class;

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
	raw_spin_lock_init(&map->lock);
	lockdep_set_class_and_name(&map->lock, &pagemap_lock_class, "pagemap.lock");
	map->base = base;
	map->meta = meta;
	map->row = pagemap_make_row(map, round_up(nr_pages, ARENA_LEAF_PAGES * ARENA_LEAVES),
				    NULL);
	return map->row ? 0 : -ENOMEM;
}
GOALLOC_EXPORT_KUNIT(pagemap_init);

/**
 * pagemap_extend - make a map longer
 * @map: the map
 * @nr_pages: length in goalloc pages; less than it has is no change
 *
 * Context: Process context, may sleep; the caller keeps others from extending.
 * Return: 0 or -ENOMEM.
 */
int pagemap_extend(struct pagemap *map, u64 nr_pages)
{
	struct pagemap_row *old = map->row, *row;
	unsigned long flags;

	nr_pages = round_up(nr_pages, ARENA_LEAF_PAGES * ARENA_LEAVES);
	if (nr_pages <= old->nr_pages)
		return 0;
	row = pagemap_make_row(map, nr_pages, old);
	if (!row)
		return -ENOMEM;
	raw_spin_lock_irqsave(&map->lock, flags);
	memcpy(row->leaf, old->leaf, pagemap_row_bytes(old->nr_pages) - sizeof(*old));
	/* It is filled in; pairs with pagemap_find(). */
	smp_store_release(&map->row, row);
	raw_spin_unlock_irqrestore(&map->lock, flags);
	/* Everybody looks things up with preemption off. */
	synchronize_rcu();
	pagemap_free_row(map, old);
	return 0;
}
GOALLOC_EXPORT_KUNIT(pagemap_extend);

/**
 * pagemap_destroy - free a map
 * @map: the map; nobody may be looking at it any more
 *
 * Context: Process context.
 */
void pagemap_destroy(struct pagemap *map)
{
	struct pagemap_row *row = map->row;
	u64 i;

	if (!row)
		return;
	for (i = 0; i < row->nr_pages / ARENA_LEAF_PAGES; i++)
		if (row->leaf[i] != &pagemap_no_leaf)
			meta_free(map->meta, row->leaf[i], sizeof(*row->leaf[i]));
	pagemap_free_row(map, row);
	map->row = NULL;
}
GOALLOC_EXPORT_KUNIT(pagemap_destroy);

static bool pagemap_has_leaf(struct pagemap *map, u64 i)
{
	unsigned long flags;
	bool has;

	raw_spin_lock_irqsave(&map->lock, flags);
	has = map->row->leaf[i] != &pagemap_no_leaf;
	raw_spin_unlock_irqrestore(&map->lock, flags);
	return has;
}

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
	unsigned long flags;
	u64 i, nr_pages;

	/* Keeps the row, which may be replaced meanwhile. */
	rcu_read_lock();
	nr_pages = pagemap_nr_pages(map);
	rcu_read_unlock();
	if (page >= nr_pages || npages > nr_pages - page)
		return -ERANGE;
	for (i = page / ARENA_LEAF_PAGES;
	     i <= (page + npages - 1) / ARENA_LEAF_PAGES; i++) {
		if (pagemap_has_leaf(map, i))
			continue;
		leaf = meta_zalloc(map->meta, sizeof(*leaf), gfp, NUMA_NO_NODE);
		if (!leaf)
			return -ENOMEM;
		pagemap_clear_leaf(leaf);
		raw_spin_lock_irqsave(&map->lock, flags);
		if (map->row->leaf[i] == &pagemap_no_leaf) {
			/* The leaf is filled in; pairs with pagemap_find(). */
			smp_store_release(&map->row->leaf[i], leaf);
			leaf = NULL;
		}
		raw_spin_unlock_irqrestore(&map->lock, flags);
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
	struct pagemap_leaf *leaf;
	u64 end = page + npages;

	/*
	 * Whoever finds the span sees it filled in: pairs with the address
	 * dependency behind READ_ONCE() in pagemap_find().
	 */
	smp_wmb();
	if (!span)
		span = &pagemap_no_span;
	/* Keeps the row of leaves, which may be replaced meanwhile. */
	rcu_read_lock();
	for (; page < end; page++) {
		leaf = READ_ONCE(READ_ONCE(map->row)->leaf[page / ARENA_LEAF_PAGES]);
		WRITE_ONCE(leaf->span[page % ARENA_LEAF_PAGES], span);
	}
	rcu_read_unlock();
}
GOALLOC_EXPORT_KUNIT(pagemap_set);
