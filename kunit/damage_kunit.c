// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page tree that was found broken: the heap says so once, takes no more
 * pages there, and goes on serving what it can.
 */
#include <kunit/test.h>
#include <linux/err.h>

#include "fake_source.h"
#include "listen.h"

static int damage_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 1024, 1);
	return 0;
}

static void damage_suite_exit(struct kunit *test)
{
	listen_stop();
	fake_heap_destroy(test, test->priv);
}

static void damage_refuses_growth(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	unsigned int gets;
	void *p;

	p = goalloc_heap_alloc(fh->heap, 3 * GOALLOC_PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gets = fh->fake.gets;

	/* As a check of the tree would note it. */
	node->palloc.fault.what = "something wrong";
	node->palloc.fault.chunk = 1;
	node->palloc.fault.page = 600;
	node->palloc.fault.nr_pages = 7;

	listen_start(test);
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 700000, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 700000, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gets, fh->fake.gets);
	/* Not even what must not fail waits for a tree that will not mend. */
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 700000,
						   GFP_KERNEL | __GFP_NOFAIL));
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("page tree of node 0 is broken"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("something wrong, chunk 1, page 600, 7 pages"));

	/* What is there can be used and freed. */
	goalloc_heap_free(fh->heap, p);
	p = goalloc_heap_alloc(fh->heap, GOALLOC_PAGE_SIZE * 5, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	goalloc_heap_free(fh->heap, p);
	node->palloc.fault.what = NULL;
	fake_heap_check(test, fh);
}

/* Pages freed twice, with the checks of GOALLOC_DEBUG. */
static void damage_free_twice(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0], *from;
	bool clean;
	u64 page, free;

	if (!GOALLOC_CORE_DEBUG)
		kunit_skip(test, "built without GOALLOC_DEBUG");
	page = heap_alloc_pages(node, 3, 1, GFP_KERNEL, &from, &clean);
	KUNIT_ASSERT_NE(test, PALLOC_NONE, page);
	heap_free_pages(node, page, 3);
	free = node->palloc.nr_free;
	KUNIT_EXPECT_NULL(test, node->palloc.fault.what);
	heap_free_pages(node, page, 3);
	KUNIT_EXPECT_NOT_NULL(test, node->palloc.fault.what);
	KUNIT_EXPECT_EQ(test, page, node->palloc.fault.page);
	KUNIT_EXPECT_EQ(test, 3ULL, node->palloc.fault.nr_pages);
	/* And nothing was changed. */
	KUNIT_EXPECT_EQ(test, free, node->palloc.nr_free);
	node->palloc.fault.what = NULL;
	fake_heap_check(test, fh);
}

static struct kunit_case damage_cases[] = {
	KUNIT_CASE(damage_refuses_growth),
	KUNIT_CASE(damage_free_twice),
	{}
};

static struct kunit_suite damage_suite = {
	.name = "goalloc_damage",
	.init = damage_suite_init,
	.exit = damage_suite_exit,
	.test_cases = damage_cases,
};

kunit_test_suites(&damage_suite);
