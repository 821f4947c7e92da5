// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: the soft one makes free pages go back, the hard one makes allocations
 * fail; for a heap, and for all heaps of a space together.
 */
#include <kunit/test.h>

#include <goalloc.h>

#include "crew.h"
#include "fake_source.h"
#include "limit.h"
#include "param.h"

#define PAGES 2048
#define PAGE_BYTES GOALLOC_PAGE_SIZE

static int limit_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, PAGES, 1);
	return 0;
}

static void limit_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

static u64 held(const struct fake_heap *fh)
{
	return atomic64_read(&fh->heap->held);
}

static void *take(struct fake_heap *fh, u64 npages, gfp_t gfp)
{
	return heap_alloc_large(fh->heap, npages * PAGE_BYTES, 1, gfp, 0);
}

/* Free pages that do not fit the request go back before the limit is passed. */
static void limit_soft_makes_room(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	void *page[40], *big;
	unsigned int i;

	for (i = 0; i < 40; i++)
		page[i] = take(fh, 8, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 0ULL, limit_set(fh->heap, 400, 0));
	/* Half is free, in pieces of 8. */
	for (i = 0; i < 40; i += 2)
		goalloc_heap_free(fh->heap, page[i]);
	big = take(fh, 200, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, big);
	KUNIT_EXPECT_LE(test, held(fh), 400ULL + 16);
	KUNIT_EXPECT_EQ(test, held(fh), fh->fake.nr_out);
	KUNIT_EXPECT_LT(test, node->palloc.nr_free, 64ULL);

	/* It is no hard limit: live memory may pass it. */
	KUNIT_EXPECT_NOT_NULL(test, take(fh, 256, GFP_KERNEL));
	KUNIT_EXPECT_GT(test, held(fh), 400ULL);
	fake_heap_check(test, fh);
}

/* Setting it gives back at once, and says what is in the way. */
static void limit_soft_at_once(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *page = take(fh, 100, GFP_KERNEL);
	void *rest = take(fh, 412, GFP_KERNEL);

	goalloc_heap_free(fh->heap, rest);
	KUNIT_EXPECT_GE(test, held(fh), 512ULL);
	KUNIT_EXPECT_EQ(test, 0ULL, limit_set(fh->heap, 200, 0));
	KUNIT_EXPECT_LE(test, held(fh), 200ULL);
	KUNIT_EXPECT_EQ(test, 60ULL, limit_set(fh->heap, 40, 0));
	KUNIT_EXPECT_EQ(test, 100ULL, held(fh));
	KUNIT_EXPECT_EQ(test, 0ULL, limit_set(fh->heap, 0, 0));
	goalloc_heap_free(fh->heap, page);
	KUNIT_EXPECT_EQ(test, 100ULL, held(fh));
}

/* With a soft limit the background goal is 95% of it. */
static void limit_goal_below(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *page = take(fh, 512, GFP_KERNEL);
	u64 now = held(fh);

	KUNIT_EXPECT_EQ(test, 0ULL, limit_excess(fh->heap));
	fh->heap->soft_limit = now;
	KUNIT_EXPECT_EQ(test, now / 20, limit_excess(fh->heap));
	fh->heap->soft_limit = 2 * now;
	KUNIT_EXPECT_EQ(test, 0ULL, limit_excess(fh->heap));
	/* All heaps together. */
	fh->fake.space.soft_limit = now / 2;
	KUNIT_EXPECT_EQ(test, now - (now / 2 - now / 2 / 20), limit_excess(fh->heap));
	fh->fake.space.soft_limit = 0;
	goalloc_heap_free(fh->heap, page);
}

/* The hard limit holds at once when it is set below what is held. */
static void limit_hard_at_once(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *page = take(fh, 64, GFP_KERNEL);
	unsigned int gets = fh->fake.gets;

	limit_set(fh->heap, 0, 32);
	KUNIT_EXPECT_NULL(test, take(fh, 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, gets, fh->fake.gets);
	/* What is there may be used again. */
	goalloc_heap_free(fh->heap, page);
	page = take(fh, 64, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, page);
	/* Whoever must not fail passes. */
	KUNIT_EXPECT_NOT_NULL(test, take(fh, 1, GFP_KERNEL | __GFP_NOFAIL));
	limit_set(fh->heap, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, take(fh, 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, held(fh), fh->fake.nr_out);
}

/* Two heaps share what their space may hold. */
static void limit_of_all(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_space *space = &fh->fake.space;
	struct goalloc_heap *other = heap_create("other", NULL, space);
	void *page;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	space->limit = 256;
	KUNIT_EXPECT_NOT_NULL(test, take(fh, 128, GFP_KERNEL));
	page = heap_alloc_large(other, 128 * PAGE_BYTES, 1, GFP_KERNEL, 0);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, 256ULL, (u64)atomic64_read(&space->held));
	KUNIT_EXPECT_NULL(test, take(fh, 1, GFP_KERNEL));
	goalloc_heap_free(other, page);
	/* The other's free pages are not this heap's; given back they help. */
	KUNIT_EXPECT_NULL(test, take(fh, 1, GFP_KERNEL));
	heap_scavenge(other->node[0], 64, true);
	KUNIT_EXPECT_NOT_NULL(test, take(fh, 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&space->held), fh->fake.nr_out);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(other, false));
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&space->held), held(fh));
	space->limit = 0;
}

/* A crew of CPUs that grow at once; limit_together(). */
struct together {
	struct fake_heap *fh;
	atomic_t most;
};

static void limit_member(void *arg, unsigned int cpu)
{
	struct together *t = arg;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		void *page = take(t->fh, 1 + (i + cpu) % 30, GFP_KERNEL);
		int now = READ_ONCE(t->fh->fake.nr_out);

		if (now > atomic_read(&t->most))
			atomic_set(&t->most, now);
		if (page)
			goalloc_heap_free(t->fh->heap, page);
		if (i % 16 == 0)
			heap_scavenge(t->fh->heap->node[0], 100, true);
	}
}

/* CPUs that grow at once do not pass it together. */
static void limit_together(struct kunit *test)
{
	struct together t = { .fh = test->priv };

	limit_set(t.fh->heap, 0, 100);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, limit_member, &t));
	KUNIT_EXPECT_GT(test, atomic_read(&t.most), 0);
	KUNIT_EXPECT_LE(test, atomic_read(&t.most), 100);
	KUNIT_EXPECT_EQ(test, held(t.fh), t.fh->fake.nr_out);
	fake_heap_check(test, t.fh);
}

/* Limits that make no sense are refused and change nothing. */
static void limit_bad(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .limit = 64 * PAGE_BYTES };
	struct goalloc_heap *heap = goalloc_heap_create("limit", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_set_limit(heap, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_set_limit(heap, 0, PAGE_BYTES - 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			goalloc_heap_set_limit(heap, 3 * PAGE_BYTES, 2 * PAGE_BYTES));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_set_limit(NULL, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_set_limit(ERR_PTR(-ENOMEM), 0, 0));
	KUNIT_EXPECT_EQ(test, 64ULL, heap->limit);
	KUNIT_EXPECT_EQ(test, 0ULL, heap->soft_limit);
	KUNIT_EXPECT_EQ(test, 0,
			goalloc_heap_set_limit(heap, 2 * PAGE_BYTES, 3 * PAGE_BYTES));
	KUNIT_EXPECT_EQ(test, 3ULL, heap->limit);
	KUNIT_EXPECT_EQ(test, 2ULL, heap->soft_limit);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
	attr.soft_limit = attr.limit + 1;
	KUNIT_EXPECT_TRUE(test, IS_ERR(goalloc_heap_create("limit", &attr)));
}

/* The limits of all heaps, set by parameter, work at once and in all heaps. */
static void limit_parameters(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("limit", NULL);
	u64 pages = (4 << 20) / PAGE_BYTES, base;
	void *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	goalloc_flush(NULL);
	goalloc_scavenge(NULL, U64_MAX);
	base = atomic64_read(&goalloc_space.held);
	KUNIT_ASSERT_LT(test, base, pages / 2);
	gofree(goalloc(4 << 20, GFP_KERNEL));
	goalloc_heap_free(heap, goalloc_heap_alloc(heap, 4 << 20, GFP_KERNEL));
	KUNIT_ASSERT_GE(test, (u64)atomic64_read(&goalloc_space.held), 2 * pages);

	/* Soft: what is free goes before the write returns. */
	KUNIT_EXPECT_EQ(test, 0, param_set("memory_limit", "2M\n"));
	KUNIT_EXPECT_LE(test, (u64)atomic64_read(&goalloc_space.held), pages / 2);
	/* Hard: no more than that, of all together. */
	KUNIT_EXPECT_EQ(test, -EINVAL, param_set("memory_max", "1M"));
	KUNIT_EXPECT_EQ(test, 0, param_set("memory_max", "4M"));
	p = goalloc_heap_alloc(heap, 2 << 20, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, goalloc((2 << 20) + 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -EINVAL, param_set("memory_max", "x"));
	KUNIT_EXPECT_EQ(test, 0, param_set("memory_max", "0"));
	KUNIT_EXPECT_EQ(test, 0, param_set("memory_limit", "0"));
	goalloc_heap_free(heap, p);
	p = goalloc((2 << 20) + 1, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	gofree(p);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
	goalloc_scavenge(NULL, U64_MAX);
	KUNIT_EXPECT_EQ(test, base, (u64)atomic64_read(&goalloc_space.held));
}

static struct kunit_case limit_cases[] = {
	KUNIT_CASE(limit_soft_makes_room),
	KUNIT_CASE(limit_soft_at_once),
	KUNIT_CASE(limit_goal_below),
	KUNIT_CASE(limit_hard_at_once),
	KUNIT_CASE(limit_of_all),
	KUNIT_CASE(limit_together),
	KUNIT_CASE(limit_bad),
	KUNIT_CASE(limit_parameters),
	{}
};

static struct kunit_suite limit_suite = {
	.name = "goalloc_limit",
	.init = limit_suite_init,
	.exit = limit_suite_exit,
	.test_cases = limit_cases,
};

kunit_test_suites(&limit_suite);
