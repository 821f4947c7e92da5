// SPDX-License-Identifier: GPL-2.0-only
/*
 * KMSAN knows what is in goalloc's objects: nothing when they are handed out,
 * unless they were cleared, and nothing when they are free. Skipped on kernels
 * without it.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kmsan-checks.h>
#include <linux/string.h>

#include <goalloc.h>

#include "crew.h"
#include "listen.h"
#include "sizeclass.h"

#define LARGE (3 * GOALLOC_PAGE_SIZE)

static int kmsan_suite_init(struct kunit *test)
{
	struct goalloc_heap *heap;

	if (!IS_ENABLED(CONFIG_KMSAN))
		kunit_skip(test, "needs CONFIG_KMSAN");
	heap = goalloc_heap_create("kmsan", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	test->priv = heap;
	listen_start(test);
	crew_stay();
	return 0;
}

static void kmsan_suite_exit(struct kunit *test)
{
	listen_stop();
	if (!IS_ERR_OR_NULL(test->priv))
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, true));
}

static void expect_begin(void)
{
	pr_info("goalloc-kunit: expect-begin BUG: KMSAN: uninit-value in is_defined\n");
}

static void expect_end(void)
{
	pr_info("goalloc-kunit: expect-end\n");
}

/* Are all of these bytes defined? KMSAN reports those that are not. */
static noinline bool is_defined(const void *p, size_t size)
{
	listen_again();
	kmsan_check_memory(p, size);
	return !listen_count("BUG: KMSAN: ");
}

/* How many of these bytes are, of each on its own. */
static size_t nr_defined(const u8 *p, size_t size)
{
	size_t nr = 0;
	size_t i;

	for (i = 0; i < size; i++)
		nr += is_defined(p + i, 1);
	return nr;
}

static void defined_alloc(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class;
	u8 *p;

	expect_begin();
	for (class = 1; class <= GOALLOC_NR_CLASSES; class++) {
		size_t size = class < GOALLOC_NR_CLASSES ? sizeclass_size[class] : LARGE;
		int round;

		/* From a fresh span, and again. */
		for (round = 0; round < 2; round++) {
			p = goalloc_heap_alloc(heap, size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_FALSE_MSG(test, is_defined(p, 1), "first of %zu", size);
			KUNIT_EXPECT_FALSE_MSG(test, is_defined(p + size - 1, 1),
					       "last of %zu", size);
			memset(p, 0x5a, size - 1);
			KUNIT_EXPECT_TRUE_MSG(test, is_defined(p, size - 1), "%zu", size);
			KUNIT_EXPECT_FALSE_MSG(test, is_defined(p, size), "%zu", size);
			goalloc_heap_free(heap, p);
		}
	}
	expect_end();
}

static void defined_zeroed(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	unsigned int class;
	int round;
	u8 *p;

	for (class = 1; class <= GOALLOC_NR_CLASSES; class++) {
		size_t size = class < GOALLOC_NR_CLASSES ? sizeclass_size[class] : LARGE;

		for (round = 0; round < 3; round++) {
			p = goalloc_heap_alloc(heap, size, GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_TRUE_MSG(test, is_defined(p, size), "%zu", size);
			KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, size));
			goalloc_heap_free(heap, p);
		}
	}
}

/* What was in an object is nobody's value any more. */
static void defined_free(struct kunit *test)
{
	static const size_t sizes[] = { 8, 64, 1000, 8192, 32768, LARGE };
	struct goalloc_heap *heap = test->priv;
	unsigned int i;
	u8 *p;

	expect_begin();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* Another one, so that the span stays. */
		u8 *other = goalloc_heap_alloc(heap, sizes[i], GFP_KERNEL);

		p = goalloc_heap_alloc(heap, sizes[i], GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, other);
		goalloc_heap_free(heap, p);
		KUNIT_EXPECT_FALSE_MSG(test, is_defined(p, 1), "%zu", sizes[i]);
		KUNIT_EXPECT_FALSE_MSG(test, is_defined(p + sizes[i] - 1, 1), "%zu", sizes[i]);
		goalloc_heap_free(heap, other);
	}
	expect_end();
}

static void defined_resized(struct kunit *test)
{
	u8 *p = goalloc(100, GFP_KERNEL);
	u8 *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 1, 100);
	/* Where it is. */
	q = gorealloc(p, 110, GFP_KERNEL);
	KUNIT_ASSERT_PTR_EQ(test, q, p);
	expect_begin();
	KUNIT_EXPECT_EQ(test, 100, nr_defined(q, 110));
	/* Elsewhere: what was defined still is. */
	p = gorealloc(q, 300, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 100, nr_defined(p, 300));
	expect_end();
	q = gorealloc(p, 1000, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, is_defined(q + 320, 680));
	gofree(q);
}

static void defined_tiny(struct kunit *test)
{
	u8 *p = goalloc_tiny(3, GFP_KERNEL);
	u8 *q = goalloc_tiny(5, GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_TRUE(test, is_defined(q, 5));
	expect_begin();
	KUNIT_EXPECT_EQ(test, 0, nr_defined(p, 3));
	memset(p, 1, 3);
	KUNIT_EXPECT_TRUE(test, is_defined(p, 3));
	gofree(p);
	KUNIT_EXPECT_EQ(test, 0, nr_defined(p, 3));
	expect_end();
	KUNIT_EXPECT_TRUE(test, is_defined(q, 5));
	gofree(q);
}

static struct kunit_case kmsan_cases[] = {
	KUNIT_CASE(defined_alloc),
	KUNIT_CASE(defined_zeroed),
	KUNIT_CASE(defined_free),
	KUNIT_CASE(defined_resized),
	KUNIT_CASE(defined_tiny),
	{}
};

static struct kunit_suite kmsan_suite = {
	.name = "goalloc_kmsan",
	.init = kmsan_suite_init,
	.exit = kmsan_suite_exit,
	.test_cases = kmsan_cases,
};

kunit_test_suites(&kmsan_suite);
