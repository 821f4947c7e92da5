/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From an address to its span.
 */
#ifndef GOALLOC_PAGEMAP_H
#define GOALLOC_PAGEMAP_H

#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "meta.h"
#include "sizeclass.h"
#include "span.h"

/*
 * An arena is 64 MiB of address space: what the map is sized and aligned in. A
 * leaf covers one chunk of it.
 */
#define ARENA_SHIFT 26
#define ARENA_LEAF_SHIFT (GOALLOC_PAGE_SHIFT + 9)
#define ARENA_LEAF_PAGES (1UL << (ARENA_LEAF_SHIFT - GOALLOC_PAGE_SHIFT))
#define ARENA_LEAVES (1UL << (ARENA_SHIFT - ARENA_LEAF_SHIFT))

/**
 * struct pagemap_leaf - spans of one chunk
 * @span: span of each page, pagemap_no_span where there is none. Written by whoever has
 *        the pages (no lock: pages have one owner); WRITE_ONCE() here pairs
 *        with the READ_ONCE() in pagemap_span(), and the span is filled in
 *        before, see pagemap_set().
 */
struct pagemap_leaf {
	struct goalloc_span *span[ARENA_LEAF_PAGES];
};

/**
 * struct pagemap_row - leaves of an address space
 * @nr_pages: length in goalloc pages, whole arenas
 * @leaf: leaves in address order, ARENA_LEAVES of them per arena;
 *        pagemap_no_leaf where no heap ever had a page. Leaves are never taken
 *        back while the map exists. Changed under the map's lock.
 */
struct pagemap_row {
	u64 nr_pages;
	struct pagemap_leaf *leaf[];
};

/**
 * struct pagemap - map of an address space
 * @lock: guards changes of @row and its entries
 * @base: address of page 0
 * @row: its leaves; replaced by a longer row under RCU
 * @meta: where the memory is counted
 *
 * The arenas' rows of leaves lie one behind the other, so the chunk number of
 * an address finds its leaf at once: a look-up is two loads, and a heap pays
 * for a leaf of 4 KiB per chunk it touches instead of 64 KiB per arena.
 */
struct pagemap {
	raw_spinlock_t lock;
	unsigned long base;
	struct pagemap_row *row;
	struct goalloc_meta *meta;
};

/*
 * Stand-ins for what is not there, so that a look-up needs no questions: a span
 * that has no slot, and a leaf full of it.
 */
extern struct goalloc_span pagemap_no_span;
extern struct pagemap_leaf pagemap_no_leaf;

void pagemap_setup(void);
int pagemap_init(struct pagemap *map, struct goalloc_meta *meta,
		 unsigned long base, u64 nr_pages);
int pagemap_extend(struct pagemap *map, u64 nr_pages);
void pagemap_destroy(struct pagemap *map);
int pagemap_reserve(struct pagemap *map, u64 page, u64 npages, gfp_t gfp);
void pagemap_set(struct pagemap *map, u64 page, u64 npages,
		 struct goalloc_span *span);

/**
 * pagemap_find - the span an address lies in
 * @map: the map
 * @addr: any address
 *
 * Context: Any context. What is returned stays valid for the owner of a live
 *          object in it; anybody else needs an RCU read section (preemption
 *          off is one).
 * Return: the span, or &pagemap_no_span.
 */
static __always_inline struct goalloc_span *pagemap_find(const struct pagemap *map,
							 unsigned long addr)
{
	u64 page = (addr - map->base) >> GOALLOC_PAGE_SHIFT;
	const struct pagemap_row *row = READ_ONCE(map->row);
	struct pagemap_leaf *leaf;

	/* By an address dependency filled in; pairs with pagemap_extend(). */
	if (unlikely(page >= row->nr_pages))
		return &pagemap_no_span;
	leaf = READ_ONCE(row->leaf[page / ARENA_LEAF_PAGES]);
	return READ_ONCE(leaf->span[page % ARENA_LEAF_PAGES]);
}

/* The same for the slower paths: NULL if there is none. */
static inline struct goalloc_span *pagemap_span(const struct pagemap *map,
						unsigned long addr)
{
	struct goalloc_span *span = pagemap_find(map, addr);

	return span == &pagemap_no_span ? NULL : span;
}

/* Length of a map in goalloc pages. RCU read section, or nobody extends it. */
static inline u64 pagemap_nr_pages(const struct pagemap *map)
{
	return READ_ONCE(map->row)->nr_pages;
}

/* May the chunk of a page have spans? RCU read section. */
static inline bool pagemap_has_chunk(const struct pagemap *map, u64 page)
{
	const struct pagemap_row *row = READ_ONCE(map->row);

	return page < row->nr_pages &&
	       READ_ONCE(row->leaf[page / ARENA_LEAF_PAGES]) != &pagemap_no_leaf;
}

/**
 * struct slot_ref - a slot found by an address
 * @span: span it is in
 * @slot: its number
 * @state: its state byte
 */
struct slot_ref {
	struct goalloc_span *span;
	unsigned int slot;
	u8 *state;
};

/**
 * slot_find - the slot that begins at an address
 * @map: the map
 * @addr: any address
 * @ref: what was found; the span also if the address is inside a slot
 *
 * Context: As pagemap_find().
 * Return: true if a slot begins there; what its state is, is another question.
 */
static inline bool slot_find(const struct pagemap *map, unsigned long addr,
			     struct slot_ref *ref)
{
	ref->span = pagemap_span(map, addr);
	if (!ref->span)
		return false;
	ref->slot = span_slot(ref->span, addr);
	ref->state = span_slot_state(ref->span, ref->slot);
	return span_slot_addr(ref->span, ref->slot) == addr;
}

#endif /* GOALLOC_PAGEMAP_H */
