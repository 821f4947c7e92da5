// SPDX-License-Identifier: GPL-2.0-only
/*
 * __GFP_NOFAIL: the allocation waits for pages instead of failing.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mmzone.h>
#include <linux/string.h>

#include "fake_source.h"

static const size_t nofail_sizes[] = { 8, 1024, 4864, 9472, 27264, 32768, 100000 };

/* The page source fails once: with the flag that is not the caller's business. */
static void nofail_waits(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nofail_sizes); i++) {
		struct fake_heap *fh = fake_heap_create(test, 1024, 1);
		void *p;

		fh->fake.fail_only = 1;
		p = goalloc_heap_alloc(fh->heap, nofail_sizes[i], GFP_KERNEL);
		KUNIT_EXPECT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, 1U, fh->fake.gets);

		fh->fake.fail_only = 2;
		p = goalloc_heap_alloc(fh->heap, nofail_sizes[i],
				       GFP_KERNEL | __GFP_NOFAIL);
		KUNIT_EXPECT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, 3U, fh->fake.gets);
		goalloc_heap_free(fh->heap, p);
		fake_heap_check(test, fh);
		fake_heap_destroy(test, fh);
	}
}

/* The heap's limit holds for everybody else. */
static void nofail_passes_limit(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .limit = 8 * GOALLOC_PAGE_SIZE };
	struct fake_heap *fh = fake_heap_create(test, 1024, 1);
	void *p[3];

	KUNIT_ASSERT_EQ(test, 0, heap_destroy(fh->heap, true));
	fh->heap = heap_create("nofail", &attr, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));

	p[0] = goalloc_heap_alloc(fh->heap, 8 * GOALLOC_PAGE_SIZE, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	p[1] = goalloc_heap_alloc(fh->heap, 8 * GOALLOC_PAGE_SIZE, GFP_KERNEL);
	KUNIT_EXPECT_NULL(test, p[1]);
	p[2] = goalloc_heap_alloc(fh->heap, 8 * GOALLOC_PAGE_SIZE,
				  GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, p[2]);
	fake_heap_check(test, fh);
	goalloc_heap_free(fh->heap, p[0]);
	goalloc_heap_free(fh->heap, p[2]);
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/*
 * No block for a span of these can be waited for: the kernel does not kill for
 * one. The object gets pages of its own.
 */
static void nofail_needs_no_span(struct kunit *test)
{
	struct fake_heap *fh = fake_heap_create(test, 1024, 1);
	unsigned int bin, seen = 0;

	fh->fake.max_extent = (PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER) >> GOALLOC_PAGE_SHIFT;
	for (bin = 1; bin < GOALLOC_NR_CLASSES; bin++) {
		size_t size = sizeclass_size[bin];
		u8 *p;

		if (!heap_bin_is_costly(bin))
			continue;
		seen++;
		KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, size, GFP_KERNEL));
		p = goalloc_heap_alloc(fh->heap, size,
				       GFP_KERNEL | __GFP_NOFAIL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, size));
		memset(p, 1, size);
		fake_heap_check(test, fh);
		goalloc_heap_free(fh->heap, p);
		fake_heap_check(test, fh);
	}
	/* With small pages no class needs blocks of such an order. */
	if (GOALLOC_PAGE_SHIFT == 13)
		KUNIT_EXPECT_NE(test, 0U, seen);
	fake_heap_destroy(test, fh);
}

static struct kunit_case nofail_cases[] = {
	KUNIT_CASE(nofail_waits),
	KUNIT_CASE(nofail_passes_limit),
	KUNIT_CASE(nofail_needs_no_span),
	{}
};

static struct kunit_suite nofail_suite = {
	.name = "goalloc_nofail",
	.test_cases = nofail_cases,
};

kunit_test_suites(&nofail_suite);
