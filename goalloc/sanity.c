// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a structure that slow paths are about to use what it should be?
 *
 * goalloc's structures lie in memory that others could write to by mistake.
 * These questions are cheap enough for slow paths, and catch most of it before
 * it spreads; what they find switches the heap to safe mode. Pointers that may
 * be anything are followed with copy_from_kernel_nofault().
 *
 * Not a broken rule: a slot that is live although free in the books. Two bad
 * frees of one object that race leave that behind, and the caches and centrals
 * cope with it (see central.c).
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "heap.h"
#include "safe.h"
#include "sanity.h"

/*
 * A race by intention: it counts in current that page faults are off, as a plain
 * number. An NMI that comes in between and does the same leaves it as it was.
 */
#define sanity_copy(to, from, size) data_race(copy_from_kernel_nofault(to, from, size))
#define sanity_read(to, from) (!sanity_copy(&(to), from, sizeof(to)))

/**
 * sanity_heap_of - the heap of a span, whatever its structure holds
 * @span: the span
 *
 * Context: Any context.
 * Return: the heap, or NULL if @span->home is no node of a heap.
 */
struct goalloc_heap *sanity_heap_of(const struct goalloc_span *span)
{
	struct heap_node *home, *node;
	struct goalloc_heap *heap;
	int nid, nr_nodes;

	if (!sanity_read(home, &span->home) || !home ||
	    !sanity_read(nid, &home->nid) || nid < 0 ||
	    !sanity_read(heap, &home->heap) || !heap ||
	    !sanity_read(nr_nodes, &heap->nr_nodes) || nid >= nr_nodes ||
	    !sanity_read(node, &heap->node[nid]) || node != home)
		return NULL;
	return heap;
}

/**
 * sanity_span - has a span the shape that its bin has?
 * @span: span in the page map; its home is in order
 *
 * Context: Any context.
 * Return: true if it has.
 */
bool sanity_span(const struct goalloc_span *span)
{
	unsigned int class = span->bin;

	if (span->kind == SPAN_LARGE)
		return !class && span->bits.nelems == 1;
	if (class >= GOALLOC_NR_BINS ||
	    span->kind != (class == GOALLOC_TINY_BIN ? SPAN_TINY : SPAN_SMALL))
		return false;
	if (class == GOALLOC_TINY_BIN)
		class = sizeclass_of(16);
	return span->elemsize == sizeclass_size[class] &&
	       span->npages == sizeclass_pages[class] &&
	       span->bits.nelems == sizeclass_objs[class];
}

/**
 * sanity_list - do the neighbours of a list entry know it?
 * @entry: entry in a list, or alone
 *
 * Context: Any context, with the lock that guards the list.
 * Return: true if they do.
 */
bool sanity_list(const struct list_head *entry)
{
	struct list_head *back, *forth;

	return sanity_read(back, &entry->next->prev) && back == entry &&
	       sanity_read(forth, &entry->prev->next) && forth == entry;
}

/**
 * sanity_central - may a central list use this span?
 * @central: the central list, locked
 * @span: span in one of its lists, as it seems
 *
 * Context: Any context.
 * Return: true if it is one of the central's.
 */
bool sanity_central(const struct goalloc_central *central,
		    const struct goalloc_span *span)
{
	struct heap_node *home;

	lockdep_assert_held(&central->lock);

	return sanity_read(home, &span->home) && home == central->home &&
	       span->bin == central->bin && sanity_list(&span->list);
}

/**
 * sanity_mapped - does the page map name this span for its pages?
 * @span: span in the page map; its home is in order
 *
 * Context: Any context; the caller owns the pages.
 * Return: true if all of them do, and no page beside them.
 */
bool sanity_mapped(const struct goalloc_span *span)
{
	const struct goalloc_heap *heap = span->home->heap;
	const struct pagemap *map = &heap->space->map;
	size_t bytes = (size_t)span->npages << GOALLOC_PAGE_SHIFT;
	unsigned long addr;
	bool mapped;

	rcu_read_lock();
	mapped = span->base == heap_page_addr(heap, span->page) &&
		 pagemap_find(map, span->base - 1) != span &&
		 pagemap_find(map, span->base + bytes) != span;
	for (addr = span->base; mapped && addr < span->base + bytes;
	     addr += GOALLOC_PAGE_SIZE)
		mapped = pagemap_find(map, addr) == span;
	rcu_read_unlock();
	return mapped;
}

/**
 * sanity_fail - a span is not what it should be: safe mode
 * @node: node of the heap that it was found in
 * @where: which structure, a few words
 * @what: the rule, a few words
 * @bin: bin it was found in, or SAFE_NO_BIN
 * @span: the span
 *
 * Context: Any context, with any lock held.
 */
void sanity_fail(struct heap_node *node, const char *where, const char *what,
		 int bin, const struct goalloc_span *span)
{
	struct safe_fault fault = {
		.where = where,
		.what = what,
		.nid = node->nid,
		.bin = bin,
	};

	/* Only numbers, to say which it was; it may be no span at all. */
	if (!sanity_read(fault.page, &span->page) ||
	    sanity_copy(&fault.npages, &span->npages, sizeof(span->npages)))
		fault.page = PALLOC_NONE;
	safe_enter(node->heap, &fault);
}

/**
 * sanity_fail_tree - a page tree has noticed that it is broken: safe mode
 * @node: its node
 *
 * Context: Any context, heap lock held.
 */
void sanity_fail_tree(struct heap_node *node)
{
	const struct palloc_fault *found = &node->palloc.fault;
	struct safe_fault fault = {
		.where = "page tree",
		.what = found->what,
		.nid = node->nid,
		.bin = SAFE_NO_BIN,
		.page = found->page,
		.npages = found->nr_pages,
	};

	lockdep_assert_held(&node->lock);

	safe_enter(node->heap, &fault);
}
