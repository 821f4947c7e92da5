// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that clears memory when it is allocated or freed (the boot options
 * init_on_alloc and init_on_free) gets that from goalloc as well, whichever way
 * an object comes and goes. Each case skips if the option is off; `make test`
 * boots once more with both for this suite.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "sanitize.h"

#define DIRT 0xd1

static int init_suite_init(struct kunit *test)
{
	test->priv = goalloc_heap_create("init", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(test->priv));
	crew_stay();
	return 0;
}

static void init_suite_exit(struct kunit *test)
{
	if (!IS_ERR_OR_NULL(test->priv))
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, true));
}

static void init_need(struct kunit *test, bool on_alloc)
{
	if (on_alloc && !want_init_on_alloc(0))
		kunit_skip(test, "needs the boot option init_on_alloc=1");
	if (!on_alloc && !want_init_on_free())
		kunit_skip(test, "needs the boot option init_on_free=1");
}

/* Freed memory, which only a test may look at: is it clear? */
static bool init_clear(const void *p, size_t size)
{
	bool clear;

	sanitize_pause();
	clear = !memchr_inv(p, 0, size);
	sanitize_resume();
	return clear;
}

/* What a wild pointer may have left in free memory. */
static void init_soil(void *p, size_t size)
{
	sanitize_pause();
	memset(p, DIRT, size);
	sanitize_resume();
}

static void init_alloc_small(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class;
	void *p, *again, *keep;

	init_need(test, true);
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		size_t size = sizeclass_size[class];

		/* Keeps the span where there is more than one slot. */
		keep = goalloc_heap_alloc(heap, size, GFP_KERNEL);
		p = goalloc_heap_alloc(heap, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, keep);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p, 0, size), "fresh, class %u", class);
		goalloc_heap_free(heap, p);
		init_soil(p, size);
		again = goalloc_heap_alloc(heap, size - 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, again);
		/* The last freed is the first used; all of it is cleared. */
		if (sizeclass_objs[class] > 1)
			KUNIT_EXPECT_PTR_EQ(test, p, again);
		KUNIT_EXPECT_TRUE_MSG(test, init_clear(again, size), "used, class %u", class);
		goalloc_heap_free(heap, again);
		goalloc_heap_free(heap, keep);
	}
}

static void init_alloc_tiny(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int packed = 0;
	size_t size, used;
	char *p, *q;

	init_need(test, true);
	for (size = 1; size < 16; size++) {
		/* Soil the rest of the block that will be packed next. */
		p = tiny_alloc(heap, 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		used = (unsigned long)p % 16 + 1;
		init_soil(p + 1, 16 - used);
		q = tiny_alloc(heap, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(q, 0, size), "%zu bytes", size);
		packed += (unsigned long)q / 16 == (unsigned long)p / 16;
		goalloc_heap_free(heap, p);
		goalloc_heap_free(heap, q);
	}
	KUNIT_EXPECT_GE(test, packed, 7U);
}

static void init_alloc_more(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	char *p, *q;
	void *bulk[4];
	int i;

	init_need(test, true);
	p = goalloc_heap_alloc(heap, 50000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	goalloc_heap_free(heap, p);
	init_soil(p, 50000);
	q = goalloc_heap_alloc(heap, 50000, GFP_KERNEL);
	KUNIT_ASSERT_PTR_EQ(test, p, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, 50000));
	goalloc_heap_free(heap, q);

	KUNIT_ASSERT_EQ(test, (size_t)4, goalloc_bulk(99, GFP_KERNEL, 4, bulk));
	for (i = 0; i < 4; i++)
		memset(bulk[i], DIRT, 99);
	gofree_bulk(4, bulk);
	for (i = 0; i < 4; i++)
		init_soil(bulk[i], 112);
	KUNIT_ASSERT_EQ(test, (size_t)4, goalloc_bulk(99, GFP_KERNEL, 4, bulk));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, init_clear(bulk[i], 112));
	gofree_bulk(4, bulk);

	/* What is no longer asked for is cleared, and what is new. */
	p = goalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, (size_t)112, gosize(p));
	memset(p, DIRT, 112);
	KUNIT_ASSERT_PTR_EQ(test, p, (char *)gorealloc(p, 60, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, DIRT, 60));
	KUNIT_EXPECT_TRUE(test, init_clear(p + 60, 112 - 60));
	q = gorealloc(p, 3000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, DIRT, 60));
	KUNIT_EXPECT_TRUE(test, init_clear(q + 60, gosize(q) - 60));
	gofree(q);
}

static void init_free_small(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class;
	char *p;

	init_need(test, false);
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		size_t size = sizeclass_size[class];

		p = goalloc_heap_alloc(heap, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, DIRT, size);
		goalloc_heap_free(heap, p);
		KUNIT_EXPECT_TRUE_MSG(test, init_clear(p, size), "class %u", class);
	}
}

static void init_free_more(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	void *bulk[4];
	size_t size;
	char *p, *q;
	int i;

	init_need(test, false);
	for (size = 1; size < 16; size++) {
		p = tiny_alloc(heap, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, DIRT, size);
		goalloc_heap_free(heap, p);
		KUNIT_EXPECT_TRUE_MSG(test, init_clear(p, size), "%zu bytes", size);
	}
	p = goalloc_heap_alloc(heap, 50000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, DIRT, 50000);
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_TRUE(test, init_clear(p, 50000));

	KUNIT_ASSERT_EQ(test, (size_t)4, goalloc_bulk(99, GFP_KERNEL, 4, bulk));
	for (i = 0; i < 4; i++)
		memset(bulk[i], DIRT, 99);
	gofree_bulk(4, bulk);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, init_clear(bulk[i], 112));

	p = goalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, DIRT, 100);
	q = gorealloc(p, 3000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, init_clear(p, 112));
	gofree(q);
}

struct init_work {
	struct goalloc_heap *heap;
	void *small;
	void *large;
	void *tiny;
};

static void init_work_free(void *arg)
{
	struct init_work *work = arg;

	goalloc_heap_free(work->heap, work->small);
	goalloc_heap_free(work->heap, work->large);
	goalloc_heap_free(work->heap, work->tiny);
}

/* What an NMI frees is cleared at once, but for a large object. */
static void init_free_nmi(struct kunit *test)
{
	struct init_work work = { .heap = test->priv };
	void *p;

	init_need(test, false);
	work.small = goalloc_heap_alloc(work.heap, 1000, GFP_KERNEL);
	work.large = goalloc_heap_alloc(work.heap, 50000, GFP_KERNEL);
	work.tiny = tiny_alloc(work.heap, 7, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, work.small);
	KUNIT_ASSERT_NOT_NULL(test, work.large);
	KUNIT_ASSERT_NOT_NULL(test, work.tiny);
	memset(work.small, DIRT, 1000);
	memset(work.large, DIRT, 50000);
	memset(work.tiny, DIRT, 7);
	crew_as_nmi(init_work_free, &work);
	KUNIT_EXPECT_TRUE(test, init_clear(work.small, 1000));
	KUNIT_EXPECT_TRUE(test, init_clear(work.tiny, 7));
	/* Large ones when somebody wants pages again. */
	p = goalloc_heap_alloc(work.heap, 100000, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, init_clear(work.large, 50000));
	goalloc_heap_free(work.heap, p);
}

static struct kunit_case init_cases[] = {
	KUNIT_CASE(init_alloc_small),
	KUNIT_CASE(init_alloc_tiny),
	KUNIT_CASE(init_alloc_more),
	KUNIT_CASE(init_free_small),
	KUNIT_CASE(init_free_more),
	KUNIT_CASE(init_free_nmi),
	{}
};

static struct kunit_suite init_suite = {
	.name = "goalloc_init",
	.init = init_suite_init,
	.exit = init_suite_exit,
	.test_cases = init_cases,
};

kunit_test_suite(init_suite);
