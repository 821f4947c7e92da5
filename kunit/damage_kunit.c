// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a page tree notices by itself. What becomes of the heap then is
 * goalloc_safe's.
 */
#include <kunit/test.h>
#include <linux/err.h>

#include "fake_source.h"

static int damage_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 1024, 1);
	return 0;
}

static void damage_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
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
	/* The heap has noticed as well; what it says is not the point here. */
	safe_sync(fh->heap);
	KUNIT_EXPECT_TRUE(test, safe_is_on(fh->heap));
	node->palloc.fault.what = NULL;
	fake_heap_mend(fh->heap);
	fake_heap_check(test, fh);
}

static struct kunit_case damage_cases[] = {
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
