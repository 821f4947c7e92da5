// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches: lists, spans, refills and flushes of a private heap.
 */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "cache.h"
#include "fake_source.h"
#include "stats.h"

static int cache_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 4096, 1);
	return 0;
}

static void cache_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

static void *cache_test_alloc(struct fake_heap *fh, unsigned int bin, gfp_t gfp)
{
	return cache_alloc(fh->heap, bin, span_shape_small(bin).elemsize, gfp);
}

static void cache_test_free(struct fake_heap *fh, void *p)
{
	cache_free(fh->heap, &fh->fake.space.map, p, _THIS_IP_);
}

/* Every class: fill many spans, each object is one's own, all come back. */
static void cache_every_class(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void **obj = kunit_kcalloc(test, 3000, sizeof(*obj), GFP_KERNEL);
	unsigned int bin, i;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	for (bin = 1; bin < GOALLOC_NR_BINS; bin++) {
		struct span_shape shape = span_shape_small(bin);
		unsigned int n = min(3000U, 3U * shape.nelems + 7);
		unsigned int wrong = 0;
		struct bin_stats bs;

		for (i = 0; i < n; i++) {
			obj[i] = cache_test_alloc(fh, bin, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, obj[i]);
			memset(obj[i], i, shape.elemsize);
		}
		for (i = 0; i < n; i++)
			wrong += !!memchr_inv(obj[i], i, shape.elemsize);
		KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "class %u", bin);
		stats_bin(fh->heap, bin, &bs);
		KUNIT_EXPECT_EQ(test, (u64)n, bs.allocs - bs.frees);
		fake_heap_check(test, fh);
		for (i = 0; i < n; i++)
			cache_test_free(fh, obj[i]);
		stats_bin(fh->heap, bin, &bs);
		KUNIT_EXPECT_EQ(test, bs.allocs, bs.frees);
		fake_heap_check(test, fh);
	}
	cache_drain_all(fh->heap);
	fake_heap_check(test, fh);
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct bin_stats bs;

		stats_bin(fh->heap, bin, &bs);
		KUNIT_EXPECT_EQ(test, 0ULL, bs.spans);
	}
}

/* The last object freed is the first handed out. */
static void cache_lifo(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *a, *b;

	a = cache_test_alloc(fh, 6, GFP_KERNEL);
	b = cache_test_alloc(fh, 6, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	migrate_disable();
	cache_test_free(fh, a);
	cache_test_free(fh, b);
	KUNIT_EXPECT_PTR_EQ(test, b, cache_test_alloc(fh, 6, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, a, cache_test_alloc(fh, 6, GFP_KERNEL));
	migrate_enable();
	cache_test_free(fh, a);
	cache_test_free(fh, b);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(cache_every_class),
	KUNIT_CASE(cache_lifo),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "goalloc_cache",
	.init = cache_suite_init,
	.exit = cache_suite_exit,
	.test_cases = cache_cases,
};

kunit_test_suites(&cache_suite);
