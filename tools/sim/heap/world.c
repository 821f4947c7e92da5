// SPDX-License-Identifier: GPL-2.0-only
/*
 * world.c - pages to order for the heaps of an input.
 *
 * Pages that no heap holds are poisoned, so that the address sanitizer stops
 * whoever touches memory that was given back.
 */
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "profile_gap.h"
#include "scavenger.h"
#include "world.h"

struct world world;

/* There is no scavenger: nobody wakes it, and inputs scavenge by themselves. */
bool scavenger_parked;

void scavenger_unpark(void)
{
}

void scavenger_hurry(void)
{
}

static u8 *world_page(u64 page)
{
	return world.base + (page << GOALLOC_PAGE_SHIFT);
}

static bool world_free(u64 page, u64 npages, int nid)
{
	return world_node(page) == nid && !memchr_inv(world.out + page, 0, npages);
}

static u64 world_find(const struct page_source *src, u64 npages, int nid)
{
	u64 start = world.scatter ? round_down(world.cursor, npages) : 0;
	u64 i, page;

	for (i = 0; i < src->nr_pages; i += npages) {
		page = (start + i) % src->nr_pages;
		if (world_free(page, npages, nid))
			return page;
	}
	return PALLOC_NONE;
}

static int world_get(struct page_source *src, u64 min, u64 want, int nid,
		     gfp_t gfp, struct page_extent *extent)
{
	u64 npages, page = PALLOC_NONE;
	int i;

	sim_must(!sim.locks && !in_nmi());
	might_alloc(gfp);
	sim_must(min <= want && nid >= 0 && nid < src->nr_nodes);
	if (world.fail_in) {
		world.fail_in--;
	} else if (world.fail_for) {
		world.fail_for--;
		goto fail;
	}
	min = roundup_pow_of_two(min);
	npages = rounddown_pow_of_two(max(min, want));
	if (world.max_extent)
		npages = min_t(u64, npages, world.max_extent);
	for (; npages >= min && page == PALLOC_NONE; npages /= 2) {
		if (world.nr_out + npages > world.budget)
			continue;
		for (i = 0; i < src->nr_nodes; i++) {
			if (i && gfp & __GFP_THISNODE)
				break;
			extent->nid = (nid + i) % src->nr_nodes;
			page = world_find(src, npages, extent->nid);
			if (page != PALLOC_NONE)
				goto found;
		}
	}
fail:
	world.failed++;
	return -ENOMEM;

found:
	world.cursor = page + 3 * npages;
	world.nr_out += npages;
	memset(world.out + page, 1, npages);
	ASAN_UNPOISON_MEMORY_REGION(world_page(page), npages << GOALLOC_PAGE_SHIFT);
	memset(world_page(page), world.clean ? 0 : 0xa5, npages << GOALLOC_PAGE_SHIFT);
	extent->page = page;
	extent->npages = npages;
	extent->clean = world.clean;
	return 0;
}

static void world_put(struct page_source *src, u64 page, u64 npages)
{
	sim_must(!sim.locks && !in_nmi());
	sim_must(npages && page < src->nr_pages && npages <= src->nr_pages - page);
	if (memchr_inv(world.out + page, 1, npages))
		sim_die("pages %llu+%llu come back that are not out", page, npages);
	memset(world.out + page, 0, npages);
	world.nr_out -= npages;
	ASAN_POISON_MEMORY_REGION(world_page(page), npages << GOALLOC_PAGE_SHIFT);
}

/* Make the address space of goalloc_space, with nothing handed over. */
void world_begin(int nr_nodes, u64 budget)
{
	size_t bytes = WORLD_PAGES << GOALLOC_PAGE_SHIFT;
	unsigned long align = 1UL << ARENA_SHIFT;
	u8 *base = world.base;
	char *raw;

	if (!base) {
		raw = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (raw == MAP_FAILED)
			sim_die("no address space");
		base = (u8 *)round_up((unsigned long)raw, align);
		ASAN_POISON_MEMORY_REGION(base, bytes);
		pagemap_setup();
	}
	memset(&world, 0, sizeof(world));
	world.base = base;
	world.budget = budget;
	memset(&goalloc_space, 0, sizeof(goalloc_space));
	/* Gaps that end often; there is no stack to be kept. */
	profile_rate = 4096;
	profile_seed(1);
	goalloc_space.source = (struct page_source){
		.base = (unsigned long)base,
		.nr_pages = WORLD_PAGES / 2,
		.nr_nodes = nr_nodes,
		.get = world_get,
		.put = world_put,
	};
}

void world_end(void)
{
	sim_must(!world.nr_out);
	heap_space_destroy(&goalloc_space);
	sim_grace_period();
	sim_must(!sim.pieces);
	sim_must(!atomic_long_read(&goalloc_space.meta.bytes));
}
