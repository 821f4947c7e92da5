// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving memory back on demand: what the shrinker and the OOM notifier call,
 * called here as they would, and what is said to be available.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <goalloc.h>
#include <goalloc_stats.h>

#include "crew.h"
#include "drain.h"
#include "heap.h"
#include "pressure.h"
#include "stats.h"

#define OBJECTS 4000
#define SIZE 1024
#define PAGES_PER (GOALLOC_PAGE_SIZE / PAGE_SIZE)

struct pressure_test {
	void *obj[OBJECTS];
};

static int pressure_suite_init(struct kunit *test)
{
	struct pressure_test *t = kvzalloc(sizeof(*t), GFP_KERNEL);

	/* On one node. */
	crew_stay();
	test->priv = t;
	return t ? 0 : -ENOMEM;
}

static void pressure_suite_exit(struct kunit *test)
{
	struct goalloc_stats st;

	/* Nothing is left that might be on its way because its CPU is idle. */
	goalloc_flush(NULL);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	kvfree(test->priv);
}

static void fill(struct kunit *test)
{
	struct pressure_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		t->obj[i] = goalloc(SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->obj[i]);
	}
}

static void empty(struct kunit *test)
{
	struct pressure_test *t = test->priv;

	gofree_bulk(OBJECTS, t->obj);
}

static unsigned long available(void)
{
	unsigned long pages = 0;
	int nid;

	for_each_online_node(nid)
		pages += pressure_available(nid);
	return pages;
}

static u64 held(void)
{
	struct goalloc_stats st;

	goalloc_heap_stats(NULL, &st);
	return st.sys_bytes;
}

/* What is said to be available is what free pages and caches hold. */
static void pressure_counts(struct kunit *test)
{
	unsigned long before, after;
	struct goalloc_stats st;

	pressure_relieve_all();
	before = available();
	fill(test);
	empty(test);
	after = available();
	KUNIT_EXPECT_GE(test, after, before + OBJECTS * SIZE / PAGE_SIZE * 9 / 10);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_GE(test, (st.free_bytes + st.cached_bytes) >> PAGE_SHIFT,
			(u64)pressure_available(numa_mem_id()));
	/* Nodes that are not there have nothing. */
	KUNIT_EXPECT_EQ(test, 0UL, pressure_available(MAX_NUMNODES - 1));
	KUNIT_EXPECT_EQ(test, 0UL, pressure_relieve(MAX_NUMNODES - 1, 100));
}

/* Asked for some pages it gives that many, and never pages in use. */
static void pressure_gives_some(struct kunit *test)
{
	struct pressure_test *t = test->priv;
	struct pressure_stats ps, before;
	unsigned long got, want = 100;
	u64 was, now;
	unsigned int i, wrong = 0;
	int nid = numa_mem_id();

	fill(test);
	for (i = 0; i < OBJECTS; i++)
		memset(t->obj[i], i, SIZE);
	/* One half: everything from the middle on, whole spans of it. */
	gofree_bulk(OBJECTS / 2, t->obj + OBJECTS / 2);
	goalloc_flush(NULL);
	pressure_read(&before);
	was = held();
	got = pressure_relieve(nid, want);
	now = held();
	KUNIT_EXPECT_GE(test, got, want);
	/* No more than asked for, but for a huge page that stays whole. */
	KUNIT_EXPECT_LT(test, got, want + PALLOC_HUGE_PAGES * PAGES_PER);
	KUNIT_EXPECT_EQ(test, was - now, (u64)got << PAGE_SHIFT);
	pressure_read(&ps);
	KUNIT_EXPECT_EQ(test, before.scans + 1, ps.scans);
	KUNIT_EXPECT_EQ(test, before.pages + got, ps.pages);
	for (i = 0; i < OBJECTS / 2; i++)
		wrong += !!memchr_inv(t->obj[i], (u8)i, SIZE);
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	gofree_bulk(OBJECTS / 2, t->obj);
}

/* What caches hold is not given at once, but the next time. */
static void pressure_drains(struct kunit *test)
{
	struct pressure_stats ps, before;
	unsigned long first, then = 0;
	unsigned int i;
	int nid = numa_mem_id();

	pressure_relieve_all();
	fill(test);
	empty(test);
	pressure_read(&before);
	first = pressure_relieve(nid, 1UL << 30);
	pressure_read(&ps);
	KUNIT_EXPECT_EQ(test, before.drains + 1, ps.drains);
	drain_wait(goalloc_default);
	for (i = 0; i < 3; i++) {
		then += pressure_relieve(nid, 1UL << 30);
		drain_wait(goalloc_default);
	}
	KUNIT_EXPECT_GT(test, first + then, 0UL);
	KUNIT_EXPECT_EQ(test, 0UL, pressure_available(nid));
}

/* The last step leaves nothing but what is in use. */
static void pressure_last_step(struct kunit *test)
{
	struct goalloc_stats st, before;

	pressure_relieve_all();
	goalloc_heap_stats(NULL, &before);
	fill(test);
	empty(test);
	KUNIT_EXPECT_GT(test, held(), before.sys_bytes);
	KUNIT_EXPECT_GT(test, pressure_relieve_all(), 0UL);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.free_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.page_cache_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, before.sys_bytes, st.sys_bytes);
	KUNIT_EXPECT_EQ(test, 0UL, pressure_relieve_all());
}

/* In reclaim, where nothing may be allocated or waited for with locks held. */
static void pressure_in_reclaim(struct kunit *test)
{
	unsigned int flags;

	fill(test);
	empty(test);
	flags = memalloc_noreclaim_save();
	fs_reclaim_acquire(GFP_KERNEL);
	KUNIT_EXPECT_GT(test, available(), 0UL);
	pressure_relieve(numa_mem_id(), 128);
	KUNIT_EXPECT_GT(test, pressure_relieve_all(), 0UL);
	fs_reclaim_release(GFP_KERNEL);
	memalloc_noreclaim_restore(flags);
}

static void pressure_busy_heap(struct goalloc_heap *heap, void *arg)
{
	unsigned long *got = arg;

	if (heap == goalloc_default)
		*got = available() + pressure_relieve(numa_mem_id(), 128) +
		       pressure_relieve_all();
}

/* While the list of heaps is locked it gives nothing and does not wait. */
static void pressure_locked(struct kunit *test)
{
	struct pressure_stats ps, before;
	unsigned long got = 1;

	fill(test);
	empty(test);
	pressure_read(&before);
	heap_for_each(pressure_busy_heap, &got);
	pressure_read(&ps);
	KUNIT_EXPECT_EQ(test, 0UL, got);
	KUNIT_EXPECT_EQ(test, before.busy + 2, ps.busy);
	KUNIT_EXPECT_EQ(test, before.pages, ps.pages);
}

static struct kunit_case pressure_cases[] = {
	KUNIT_CASE(pressure_counts),
	KUNIT_CASE(pressure_gives_some),
	KUNIT_CASE(pressure_drains),
	KUNIT_CASE(pressure_last_step),
	KUNIT_CASE(pressure_in_reclaim),
	KUNIT_CASE(pressure_locked),
	{}
};

static struct kunit_suite pressure_suite = {
	.name = "goalloc_pressure",
	.init = pressure_suite_init,
	.exit = pressure_suite_exit,
	.test_cases = pressure_cases,
};

kunit_test_suites(&pressure_suite);
