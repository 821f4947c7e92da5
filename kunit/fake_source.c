// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page source for tests, and a private heap over it. See fake_source.h.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "cache.h"
#include "crew.h"
#include "detour.h"
#include "fake_source.h"
#include "sanitize.h"
#include "stats.h"

#define FAKE_FILL_OUT 0xa5
#define FAKE_FILL_BACK 0x5b

static void *fake_page(struct fake_source *fake, u64 page)
{
	return (void *)(fake->space.source.base + (page << GOALLOC_PAGE_SHIFT));
}

/* First run of @npages free pages on @nid that is aligned to its length. */
static u64 fake_find(struct fake_source *fake, u64 npages, int nid)
{
	u64 part = fake->space.source.nr_pages / fake->space.source.nr_nodes;
	u64 page = round_up(part * nid, npages);

	for (; page + npages <= part * (nid + 1); page += npages)
		if (find_next_bit(fake->out, page + npages, page) >= page + npages)
			return page;
	return PALLOC_NONE;
}

/* Pages of which KASAN may think that they are an object's, or nobody's. */
static void fake_fill(struct fake_source *fake, u64 page, u64 npages, u8 fill)
{
	sanitize_pause();
	memset(fake_page(fake, page), fill, npages << GOALLOC_PAGE_SHIFT);
	sanitize_resume();
}

static int fake_get(struct page_source *src, u64 min, u64 want, int nid,
		    gfp_t gfp, struct page_extent *extent)
{
	struct fake_source *fake = container_of(src, struct fake_source, space.source);
	u64 npages, page = PALLOC_NONE;
	unsigned long flags;
	int i;

	if (nid < 0 || nid >= src->nr_nodes)
		nid = 0;
	spin_lock_irqsave(&fake->lock, flags);
	fake->gets++;
	if ((fake->fail_from && fake->gets >= fake->fail_from) ||
	    fake->gets == fake->fail_only) {
		spin_unlock_irqrestore(&fake->lock, flags);
		return -ENOMEM;
	}
	min = roundup_pow_of_two(min);
	npages = rounddown_pow_of_two(max(min, want));
	if (fake->max_extent)
		npages = min_t(u64, npages, fake->max_extent);
	for (; npages >= min && page == PALLOC_NONE; npages /= 2) {
		for (i = 0; i < src->nr_nodes && page == PALLOC_NONE; i++) {
			if (i && gfp & __GFP_THISNODE)
				break;
			/* Some suites have no heap, and so no order. */
			extent->nid = fake->space.order.near ?
				      node_order_nid(&fake->space.order, nid, i) :
				      (nid + i) % src->nr_nodes;
			page = fake_find(fake, npages, extent->nid);
		}
		if (page != PALLOC_NONE)
			break;
	}
	if (page != PALLOC_NONE) {
		bitmap_set(fake->out, page, npages);
		if (gfp & __GFP_ACCOUNT)
			bitmap_set(fake->charged, page, npages);
		fake->nr_out += npages;
	}
	spin_unlock_irqrestore(&fake->lock, flags);
	if (page == PALLOC_NONE)
		return -ENOMEM;

	extent->page = page;
	extent->npages = npages;
	extent->clean = fake->clean;
	fake_fill(fake, page, npages, fake->clean ? 0 : FAKE_FILL_OUT);
	return 0;
}

static int fake_distance(const struct page_source *src, int from, int to)
{
	const struct fake_source *fake = container_of(src, struct fake_source, space.source);

	return fake->distance ? fake->distance[from][to] : 20;
}

/* To @charged. */
static bool fake_charges(void)
{
	return true;
}

static void fake_put(struct page_source *src, u64 page, u64 npages)
{
	struct fake_source *fake = container_of(src, struct fake_source, space.source);
	unsigned long flags;
	u64 i;

	fake_fill(fake, page, npages, FAKE_FILL_BACK);
	spin_lock_irqsave(&fake->lock, flags);
	fake->puts++;
	bitmap_clear(fake->charged, page, npages);
	for (i = page; i < page + npages; i++) {
		if (__test_and_clear_bit(i, fake->out))
			fake->nr_out--;
		else
			fake->bad_puts++;
	}
	spin_unlock_irqrestore(&fake->lock, flags);
}

/**
 * fake_source_init - make a source
 * @fake: what to fill in
 * @nr_pages: goalloc pages it has
 * @nr_nodes: nodes they are spread over, up to FAKE_MAX_NODES
 *
 * Return: 0 or -ENOMEM.
 */
int fake_source_init(struct fake_source *fake, u64 nr_pages, int nr_nodes)
{
	unsigned long align = PALLOC_CHUNK_PAGES << GOALLOC_PAGE_SHIFT;

	memset(fake, 0, sizeof(*fake));
	spin_lock_init(&fake->lock);
	fake->raw = vmalloc((nr_pages << GOALLOC_PAGE_SHIFT) + align);
	fake->out = bitmap_zalloc(nr_pages, GFP_KERNEL);
	fake->charged = bitmap_zalloc(nr_pages, GFP_KERNEL);
	if (!fake->raw || !fake->out || !fake->charged) {
		fake_source_exit(fake);
		return -ENOMEM;
	}
	fake->space.source.base = round_up((unsigned long)fake->raw, align);
	fake->space.source.nr_pages = nr_pages;
	fake->space.source.nr_nodes = nr_nodes;
	fake->space.source.get = fake_get;
	fake->space.source.put = fake_put;
	fake->space.source.charges = fake_charges;
	fake->space.source.distance = fake_distance;
	return 0;
}

/**
 * fake_source_exit - end a source
 * @fake: the source
 */
void fake_source_exit(struct fake_source *fake)
{
	bitmap_free(fake->out);
	bitmap_free(fake->charged);
	vfree(fake->raw);
	fake->out = NULL;
	fake->charged = NULL;
	fake->raw = NULL;
}

/**
 * fake_heap_create - make a private heap for a test, or end the test
 * @test: the test
 * @nr_pages: goalloc pages it may grow to
 * @nr_nodes: nodes
 *
 * Return: the heap.
 */
struct fake_heap *fake_heap_create(struct kunit *test, u64 nr_pages, int nr_nodes)
{
	struct fake_heap *fh = kunit_kzalloc(test, sizeof(*fh), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fh);
	crew_stay();
	KUNIT_ASSERT_EQ(test, 0, fake_source_init(&fh->fake, nr_pages, nr_nodes));
	KUNIT_ASSERT_EQ(test, 0, heap_space_init(&fh->fake.space));
	fh->heap = heap_create("test", NULL, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	return fh;
}

/**
 * fake_heap_destroy - end a heap, and check that every page came back
 * @test: the test
 * @fh: the heap
 */
void fake_heap_destroy(struct kunit *test, struct fake_heap *fh)
{
	if (!IS_ERR_OR_NULL(fh->heap))
		KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, true));
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.bad_puts);
	heap_space_destroy(&fh->fake.space);
	fake_source_exit(&fh->fake);
}

/**
 * fake_heap_break - have a heap found broken with which nothing is wrong
 * @test: the test
 * @heap: the heap; fake_heap_mend() mends it
 */
void fake_heap_break(struct kunit *test, struct goalloc_heap *heap)
{
	struct safe_fault fault = {
		.where = "test",
		.what = "on request",
		.bin = SAFE_NO_BIN,
	};

	safe_enter(heap, &fault);
	safe_sync(heap);
	KUNIT_ASSERT_TRUE(test, safe_is_on(heap));
}

/**
 * fake_heap_give_caches - let a heap have its caches again
 * @heap: the heap, which cache_take_away() has taken them from
 */
void fake_heap_give_caches(struct goalloc_heap *heap)
{
	int cpu, level;

	for_each_possible_cpu(cpu) {
		struct goalloc_pcpu *pcpu = per_cpu_ptr(heap->cpus, cpu);

		for (level = 0; level < CACHE_LEVELS; level++)
			pcpu->level[level] = pcpu->made[level];
	}
}

/**
 * fake_heap_mend - end a heap's safe mode, which nothing but a test can
 * @heap: the heap, nobody using it; the damage is undone, and what it had from
 *        kmalloc() was freed
 */
void fake_heap_mend(struct goalloc_heap *heap)
{
	safe_sync(heap);
	fake_heap_give_caches(heap);
	atomic64_set(&heap->safe.ignored, 0);
	clear_bit(ilog2(DETOUR_ENDED), &heap->detour);
	clear_bit(ilog2(DETOUR_SAFE), &heap->detour);
	atomic_set(&heap->safe.broken, 0);
}

/* What caches keep is what they count, and no more than they may. */
static void fake_heap_check_caches(struct kunit *test, struct goalloc_heap *heap)
{
	unsigned int cpu, level;
	u64 is, want;
	int bin;

	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			struct goalloc_cache *cache = per_cpu_ptr(heap->cpus, cpu)->level[level];
			const char *rule;

			if (cache == &cache_none)
				continue;
			rule = room_check(cache, &bin, &is, &want);
			KUNIT_EXPECT_NULL_MSG(test, rule, "cpu %u level %u bin %d: %s: %llu, %llu",
					      cpu, level, bin, rule ?: "", is, want);
		}
	}
}

/**
 * fake_heap_check - a quiet heap's books are right
 * @test: the test
 * @fh: the heap
 */
void fake_heap_check(struct kunit *test, struct fake_heap *fh)
{
	struct goalloc_stats st;
	struct heap_node *node;

	fake_heap_check_caches(test, fh->heap);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, st.sys_bytes, fh->fake.nr_out << GOALLOC_PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, st.grown_bytes - st.released_bytes);
	KUNIT_EXPECT_EQ(test, st.live_objects, st.allocs - st.frees);
	for (node = heap_first_node(fh->heap); node; node = heap_next_node(node)) {
		struct palloc_fault fault = {};

		KUNIT_EXPECT_EQ_MSG(test, 0, palloc_check(&node->palloc, &fault),
				    "node %d: %s, chunk %llu, page %llu", node->nid,
				    fault.what ?: "?", fault.chunk, fault.page);
	}
}
