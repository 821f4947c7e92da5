// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buddy allocator as a source of pages.
 *
 * A heap asks for as much as suits it and takes what comes without effort:
 * orders above the needed one are tried without reclaim, without the reserves
 * and without a word, from the largest down; only the needed order is asked for
 * the way the caller of the allocator wanted. Every block is split at once, so
 * that any run of pages in it can go back on its own, and what goes back is
 * joined again.
 *
 * The address space is the direct map: page number 0 is the first arena of
 * physical memory. It is sized for the memory that is there at load time;
 * blocks from elsewhere (memory added later) are handed back and not used.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/page_ref.h>
#include <linux/pageblock-flags.h>
#include <linux/pfn.h>
#include <linux/topology.h>

#include "compat.h"
#include "fault.h"
#include "page_source.h"
#include "pagemap.h"

#define GOALLOC_PAGE_ORDER (GOALLOC_PAGE_SHIFT - PAGE_SHIFT)

static_assert(GOALLOC_PAGE_SHIFT >= PAGE_SHIFT);

static u64 page_source_page(const struct page_source *src, struct page *page)
{
	return ((unsigned long)page_address(page) - src->base) >> GOALLOC_PAGE_SHIFT;
}

/*
 * Make one block again of pages that split_page() took apart: the first keeps
 * its reference, the others' have to be ours alone. Somebody who walks physical
 * memory may hold one for a moment; then the block cannot be made. Neither can it
 * of pages that are charged to memory cgroups, each on its own.
 */
static bool page_source_join(struct page *page, unsigned int order)
{
	unsigned long i;

	/* Each page's own allocation tag would be left behind. */
	if (IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING))
		return !order;
	if (order && PageMemcgKmem(page))
		return false;
	for (i = 1; i < 1UL << order; i++)
		if (PageMemcgKmem(page + i) || !page_ref_freeze(page + i, 1))
			goto undo;
	return true;

undo:
	while (--i)
		page_ref_unfreeze(page + i, 1);
	return false;
}

/*
 * The largest naturally aligned blocks, not single pages: they are merged at
 * once, where single pages would lie on the buddy allocator's per-CPU lists
 * first, and it takes fewer instructions. No block is longer than a page block,
 * so that all of it is of one zone and one migrate type.
 */
static void page_source_put_buddy(struct page_source *src, u64 page, u64 npages)
{
	unsigned long pfn = PHYS_PFN(__pa(src->base + (page << GOALLOC_PAGE_SHIFT)));
	unsigned long end = pfn + (npages << GOALLOC_PAGE_ORDER);

	while (pfn < end) {
		unsigned int order = min_t(unsigned int, ilog2(end - pfn),
					   min_t(unsigned int, pageblock_order,
						 GOALLOC_MAX_ORDER));

		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		while (!page_source_join(pfn_to_page(pfn), order))
			order--;
		__free_pages(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

static int page_source_get_buddy(struct page_source *src, u64 min, u64 want,
				 int nid, gfp_t gfp, struct page_extent *extent)
{
	unsigned int need = order_base_2(min) + GOALLOC_PAGE_ORDER;
	unsigned int order = ilog2(want) + GOALLOC_PAGE_ORDER;
	gfp_t easy = (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_RETRY_MAYFAIL |
			      __GFP_HIGH | __GFP_MEMALLOC)) |
		     __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC;
	struct page *page = NULL;

	if (need > GOALLOC_MAX_ORDER || fault_fails(gfp, min << GOALLOC_PAGE_SHIFT))
		return -ENOMEM;
	/* The buddy allocator promises no more; the heap tries again itself. */
	if (need > 1)
		gfp &= ~__GFP_NOFAIL;
	order = clamp_t(unsigned int, order, need, GOALLOC_MAX_ORDER);
	/*
	 * What is there to make a start is for the needed pages only: whoever
	 * may use the reserves (__GFP_HIGH, memalloc_noreclaim_save()) must not
	 * empty them for a supply.
	 */
	for (; order > need && !page; order--) {
		page = alloc_pages_node(nid, easy, order);
		if (page)
			break;
	}
	if (!page)
		page = alloc_pages_node(nid, gfp, order);
	if (!page)
		return -ENOMEM;
	split_page(page, order);

	extent->page = page_source_page(src, page);
	extent->npages = 1ULL << (order - GOALLOC_PAGE_ORDER);
	extent->nid = page_to_nid(page);
	/* Without __GFP_ZERO this asks for the init_on_alloc boot option only. */
	extent->clean = want_init_on_alloc(0);
	if (extent->page >= src->nr_pages ||
	    extent->npages > src->nr_pages - extent->page) {
		page_source_put_buddy(src, extent->page, extent->npages);
		return -ENOMEM;
	}
	return 0;
}

static bool page_source_charges(void)
{
	return goalloc_memcg_online();
}

static int page_source_distance(const struct page_source *src, int from, int to)
{
	return node_distance(from, to);
}

/**
 * page_source_init_buddy - make a source of the kernel's own memory
 * @src: what to fill in
 */
void page_source_init_buddy(struct page_source *src)
{
	unsigned long first = ULONG_MAX, end = 0;
	int nid;

	for_each_online_node(nid) {
		if (!node_spanned_pages(nid))
			continue;
		first = min(first, node_start_pfn(nid));
		end = max(end, node_end_pfn(nid));
	}
	first = round_down(first, 1UL << (ARENA_SHIFT - PAGE_SHIFT));
	end = round_up(end, 1UL << (ARENA_SHIFT - PAGE_SHIFT));

	src->base = (unsigned long)__va(PFN_PHYS(first));
	src->nr_pages = (end - first) >> GOALLOC_PAGE_ORDER;
	src->nr_nodes = nr_node_ids;
	src->get = page_source_get_buddy;
	src->put = page_source_put_buddy;
	src->charges = page_source_charges;
	src->distance = page_source_distance;
}
GOALLOC_EXPORT_KUNIT(page_source_init_buddy);
