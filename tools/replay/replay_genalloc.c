// SPDX-License-Identifier: GPL-2.0-only
/*
 * First fit and best fit, by the kernel's lib/genalloc: a bitmap per chunk with a
 * bit for 8 bytes.
 *
 *	genalloc-first	the first place with room, by gen_pool_first_fit_align()
 *	genalloc-best	the smallest hole with room, as gen_pool_best_fit() has it, but
 *			with an alignment, which that does not know
 *
 * A pool looks for it in one chunk after the other, the youngest first, and takes what
 * the first chunk with any room gives.
 *
 * A pool does not grow by itself. Here it gets a chunk when there is no room and
 * the caller may sleep, which adding one takes; a caller that may not gets
 * whole pages, and so does one that wants more than a chunk. Such pages carry
 * POOL_OWN_PAGES in the first one's private field, those of chunks 0.
 *
 * Chunks stay until the end; the pool has no way to give one back. What is held is
 * chunks, their bitmaps, and objects' own pages.
 */
#include <linux/bitmap.h>
#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "replay.h"
#include "replay_classic.h"

#define POOL_ORDER	3	/* log2 of the bytes of a bit */
#define POOL_OWN_PAGES	1

static struct gen_pool *pool;
static atomic64_t pool_bytes;

/*
 * The smallest run of zero bits that has @nr from an aligned one on; of several the
 * first. From @start on, or @size if there is none.
 */
static unsigned long pool_best_fit(unsigned long *map, unsigned long size,
				   unsigned long start, unsigned int nr, void *data,
				   struct gen_pool *unused, unsigned long start_addr)
{
	const struct genpool_data_align *want = data;
	unsigned long mask = (want->align >> POOL_ORDER) - 1;
	unsigned long begin, end, at, best = size, best_len = size + 1;

	for (begin = start; begin < size; begin = end) {
		begin = find_next_zero_bit(map, size, begin);
		end = find_next_bit(map, size, begin);
		/* Chunks are aligned to more than any object: bits are like addresses. */
		at = (begin + mask) & ~mask;
		if (at + nr > end || end - begin >= best_len)
			continue;
		best = at;
		best_len = end - begin;
		if (best_len == nr)
			break;
	}
	return best;
}

static int pool_prepare(const struct trace_record *rec, u32 nrecords)
{
	pool = gen_pool_create(POOL_ORDER, NUMA_NO_NODE);
	return pool ? 0 : -ENOMEM;
}

static void pool_free_chunk(struct gen_pool *unused, struct gen_pool_chunk *chunk, void *data)
{
	free_pages(chunk->start_addr, CLASSIC_CHUNK_ORDER);
}

static void pool_finish(void)
{
	/* It would be a bug if an object was left. */
	gen_pool_for_each_chunk(pool, pool_free_chunk, NULL);
	gen_pool_destroy(pool);
	atomic64_set(&pool_bytes, 0);
}

static bool pool_grow(gfp_t gfp)
{
	size_t bitmap = sizeof(struct gen_pool_chunk) + (CLASSIC_CHUNK_BYTES >> POOL_ORDER) / 8;
	unsigned long chunk = __get_free_pages(gfp & ~__GFP_ZERO, CLASSIC_CHUNK_ORDER);
	struct page *page;
	unsigned int i;

	if (!chunk)
		return false;
	page = virt_to_page((void *)chunk);
	for (i = 0; i < 1 << CLASSIC_CHUNK_ORDER; i++)
		set_page_private(page + i, 0);
	if (gen_pool_add(pool, chunk, CLASSIC_CHUNK_BYTES, NUMA_NO_NODE)) {
		free_pages(chunk, CLASSIC_CHUNK_ORDER);
		return false;
	}
	atomic64_add(CLASSIC_CHUNK_BYTES + PAGE_ALIGN(bitmap), &pool_bytes);
	return true;
}

static void *pool_own_pages(size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	struct page *page = alloc_pages(gfp, order);

	if (!page)
		return NULL;
	set_page_private(page, POOL_OWN_PAGES);
	atomic64_add(PAGE_SIZE << order, &pool_bytes);
	return page_address(page);
}

static void *pool_alloc(size_t size, gfp_t gfp, genpool_algo_t algo)
{
	struct genpool_data_align want = { .align = replay_align(size) };
	unsigned long p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (size > CLASSIC_CHUNK_BYTES)
		return pool_own_pages(size, gfp);
	while (!(p = gen_pool_alloc_algo(pool, size, algo, &want))) {
		if (!gfpflags_allow_blocking(gfp) || !pool_grow(gfp))
			return pool_own_pages(size, gfp);
	}
	return classic_init((void *)p, size, gfp);
}

static void *pool_alloc_first(size_t size, gfp_t gfp, bool exact)
{
	return pool_alloc(size, gfp, gen_pool_first_fit_align);
}

static void *pool_alloc_best(size_t size, gfp_t gfp, bool exact)
{
	return pool_alloc(size, gfp, pool_best_fit);
}

/* If an object has its own pages: the first of these. */
static struct page *pool_page_of(void *p)
{
	struct page *page = virt_to_page(p);

	return PAGE_ALIGNED(p) && page_private(page) == POOL_OWN_PAGES ? page : NULL;
}

static void pool_free(void *p, size_t size, bool exact)
{
	struct page *page;

	if (p == ZERO_SIZE_PTR)
		return;
	page = pool_page_of(p);
	if (!page) {
		gen_pool_free(pool, (unsigned long)p, size);
		return;
	}
	set_page_private(page, 0);
	atomic64_sub(PAGE_SIZE << get_order(size), &pool_bytes);
	__free_pages(page, get_order(size));
}

static size_t pool_usable(void *p, size_t size)
{
	return pool_page_of(p) ? PAGE_SIZE << get_order(size) : ALIGN(size, 1 << POOL_ORDER);
}

static u64 pool_held(void)
{
	return atomic64_read(&pool_bytes);
}

const struct replay_allocator replay_genalloc_first = {
	.name = "genalloc-first",
	.prepare = pool_prepare,
	.finish = pool_finish,
	.alloc = pool_alloc_first,
	.free = pool_free,
	.usable = pool_usable,
	.held = pool_held,
};

const struct replay_allocator replay_genalloc_best = {
	.name = "genalloc-best",
	.prepare = pool_prepare,
	.finish = pool_finish,
	.alloc = pool_alloc_best,
	.free = pool_free,
	.usable = pool_usable,
	.held = pool_held,
};
