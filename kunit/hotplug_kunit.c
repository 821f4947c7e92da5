// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces that get longer, nodes that get their first memory, and the
 * page caches of CPUs that go.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "cache.h"
#include "fake_source.h"
#include "stats.h"

#define SMALL_PAGES 1024ULL
#define ALL_PAGES 9216ULL

/* A heap over the first @nr_pages of a source that has ALL_PAGES. */
static struct fake_heap *hotplug_heap(struct kunit *test, u64 nr_pages, int nr_nodes)
{
	struct fake_heap *fh = kunit_kzalloc(test, sizeof(*fh), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fh);
	KUNIT_ASSERT_EQ(test, 0, fake_source_init(&fh->fake, ALL_PAGES, nr_nodes));
	fh->fake.space.source.nr_pages = nr_pages;
	KUNIT_ASSERT_EQ(test, 0, heap_space_init(&fh->fake.space));
	fh->heap = heap_create("hotplug", NULL, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	return fh;
}

static void hotplug_fill(struct fake_heap *fh, void **obj, unsigned int max,
			 unsigned int *nr)
{
	while (*nr < max) {
		void *p = heap_alloc_large(fh->heap, 64 << GOALLOC_PAGE_SHIFT, 1,
					   GFP_KERNEL, 0);

		if (!p)
			break;
		obj[(*nr)++] = p;
	}
}

static int hotplug_nid(struct fake_heap *fh, const void *p)
{
	return pagemap_span(&fh->fake.space.map, (unsigned long)p)->home->nid;
}

/* Memory behind the end of the space can be used once the space reaches it. */
static void hotplug_extend(struct kunit *test)
{
	struct fake_heap *fh = hotplug_heap(test, SMALL_PAGES, 1);
	struct page_source *src = &fh->fake.space.source;
	unsigned int max = ALL_PAGES / 64, nr = 0, before, i;
	void **obj = kunit_kcalloc(test, max, sizeof(*obj), GFP_KERNEL);
	unsigned int wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	hotplug_fill(fh, obj, max, &nr);
	KUNIT_EXPECT_EQ(test, (unsigned int)(SMALL_PAGES / 64), nr);
	for (i = 0; i < nr; i++)
		memset(obj[i], i, 64 << GOALLOC_PAGE_SHIFT);
	before = nr;

	KUNIT_ASSERT_EQ(test, 0, heap_space_extend(&fh->fake.space,
						   src->base + (ALL_PAGES << GOALLOC_PAGE_SHIFT),
						   -1));
	KUNIT_EXPECT_GE(test, src->nr_pages, ALL_PAGES);
	/* Whole arenas; the fake has no more than it has. */
	src->nr_pages = ALL_PAGES;
	fake_heap_check(test, fh);
	hotplug_fill(fh, obj, max, &nr);
	KUNIT_EXPECT_EQ(test, max, nr);
	fake_heap_check(test, fh);
	/* What was there before is where it was, and is found. */
	for (i = 0; i < before; i++)
		wrong += !!memchr_inv(obj[i], i, 64 << GOALLOC_PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	for (i = 0; i < nr; i++)
		goalloc_heap_free(fh->heap, obj[i]);
	fake_heap_check(test, fh);
	/* Shorter is no change. */
	KUNIT_EXPECT_EQ(test, 0, heap_space_extend(&fh->fake.space, src->base, -1));
	KUNIT_EXPECT_GE(test, src->nr_pages, ALL_PAGES);
	src->nr_pages = ALL_PAGES;
	fake_heap_destroy(test, fh);
}

/* A node that gets its first memory gets its trees. */
static void hotplug_node(struct kunit *test)
{
	struct fake_heap *fh = hotplug_heap(test, ALL_PAGES, 2);
	struct heap_node *gone = fh->heap->node[1];
	void *p;

	/* As if node 1 had come without memory. */
	fh->heap->node[1] = NULL;
	p = heap_alloc_large(fh->heap, 1 << GOALLOC_PAGE_SHIFT, 1, GFP_KERNEL, 1);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 0, hotplug_nid(fh, p));
	goalloc_heap_free(fh->heap, p);

	KUNIT_ASSERT_EQ(test, 0, heap_space_extend(&fh->fake.space, 0, 1));
	KUNIT_ASSERT_NOT_NULL(test, fh->heap->node[1]);
	p = heap_alloc_large(fh->heap, 1 << GOALLOC_PAGE_SHIFT, 1, GFP_KERNEL, 1);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 1, hotplug_nid(fh, p));
	goalloc_heap_free(fh->heap, p);
	fake_heap_check(test, fh);
	/* Its trees' memory is on the heap's account: before the heap goes. */
	palloc_destroy(&gone->palloc);
	kvfree(gone->central);
	kvfree(gone);
	fake_heap_destroy(test, fh);
}

/* Page caches hit, are in the ledger, and are emptied when their CPU goes. */
static void hotplug_cpu_pages(struct kunit *test)
{
	struct fake_heap *fh = hotplug_heap(test, ALL_PAGES, 1);
	struct heap_node *node = fh->heap->node[0], *from;
	struct page_stats ps;
	u64 page[44], big;
	unsigned int cpu, i;
	bool clean;

	/* Slack, or no cache is filled. */
	big = heap_alloc_pages(node, 512, 1, GFP_KERNEL, &from, &clean);
	KUNIT_ASSERT_NE(test, PALLOC_NONE, big);
	heap_free_pages(node, big, 512);

	for (i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = heap_alloc_pages(node, 1, 1, GFP_KERNEL, &from, &clean);
		KUNIT_ASSERT_NE(test, PALLOC_NONE, page[i]);
	}
	stats_pages(fh->heap, &ps);
	KUNIT_EXPECT_GT(test, ps.hits, 40ULL);
	KUNIT_EXPECT_GE(test, ps.fills, 1ULL);
	KUNIT_EXPECT_EQ(test, ps.hits + ps.misses, 1ULL * ARRAY_SIZE(page));
	KUNIT_EXPECT_GT(test, ps.pages, 0ULL);
	KUNIT_EXPECT_EQ(test, fh->fake.nr_out,
			node->palloc.nr_free + ps.pages + ARRAY_SIZE(page));
	for_each_possible_cpu(cpu)
		cache_drain_cpu(fh->heap, cpu);
	stats_pages(fh->heap, &ps);
	KUNIT_EXPECT_EQ(test, 0ULL, ps.pages);
	KUNIT_EXPECT_EQ(test, fh->fake.nr_out, node->palloc.nr_free + ARRAY_SIZE(page));
	for (i = 0; i < ARRAY_SIZE(page); i++)
		heap_free_pages(node, page[i], 1);
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

static struct kunit_case hotplug_cases[] = {
	KUNIT_CASE(hotplug_extend),
	KUNIT_CASE(hotplug_node),
	KUNIT_CASE(hotplug_cpu_pages),
	{}
};

static struct kunit_suite hotplug_suite = {
	.name = "goalloc_hotplug",
	.test_cases = hotplug_cases,
};

kunit_test_suites(&hotplug_suite);
