// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees that wait for a grace period: what waits is live, all of it comes free, and
 * nothing twice.
 */
#include <kunit/test.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>

#include <goalloc.h>
#include <goalloc_stats.h>

#include "crew.h"
#include "listen.h"
#include "rcu_free.h"

struct waiter {
	unsigned long before;
	struct rcu_head rcu;
	unsigned long behind;
};

static int rcu_free_suite_init(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("rcu-test", NULL);

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	test->priv = heap;
	return 0;
}

static void rcu_free_suite_exit(struct kunit *test)
{
	listen_stop();
	goalloc_rcu_barrier();
	if (test->priv)
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, false));
}

static u64 rcu_live(struct goalloc_heap *heap)
{
	struct goalloc_stats st;

	/* The block that tiny objects are packed into counts as one. */
	goalloc_flush(heap);
	goalloc_heap_stats(heap, &st);
	return st.live_objects;
}

/* Whoever reads keeps it, whatever it is freed by; then it goes, and the rest stays. */
static void rcu_keeps_for_readers(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	struct waiter *w = goalloc_heap_alloc(heap, sizeof(*w), GFP_KERNEL);
	struct waiter *stays = goalloc_heap_alloc(heap, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_NOT_NULL(test, stays);
	w->before = 0x1111;
	w->behind = 0x2222;
	rcu_read_lock();
	gofree_rcu(w, rcu);
	KUNIT_EXPECT_GE(test, gosize(w), sizeof(*w));
	KUNIT_EXPECT_EQ(test, 0x1111UL, w->before);
	KUNIT_EXPECT_EQ(test, 0x2222UL, w->behind);
	rcu_read_unlock();
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0UL, gosize(w));
	KUNIT_EXPECT_EQ(test, 1ULL, rcu_live(heap));
	goalloc_heap_free(heap, stays);
}

/* An object has a heap; the caller need not know which. */
static void rcu_finds_the_heap(struct kunit *test)
{
	struct waiter *w = goalloc(sizeof(*w), GFP_KERNEL);
	struct waiter *large = goalloc(GOALLOC_MAX_SMALL_SIZE + 1, GFP_KERNEL);
	u64 live = rcu_live(NULL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_NOT_NULL(test, large);
	gofree_rcu(w, rcu);
	gofree_rcu(large, rcu);
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, live - 2, rcu_live(NULL));
}

static noinline void rcu_free_here(struct waiter *w)
{
	gofree_rcu(w, rcu);
}

/* A second time while it waits is refused, and the list of what waits stays whole. */
static void rcu_refuses_twice(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	struct waiter *w[3];
	int i;

	for (i = 0; i < 3; i++) {
		w[i] = goalloc_heap_alloc(heap, sizeof(*w[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, w[i]);
	}
	listen_start(test);
	rcu_read_lock();
	for (i = 0; i < 3; i++)
		rcu_free_here(w[i]);
	KUNIT_EXPECT_EQ(test, 0U, listen_heard());
	rcu_free_here(w[1]);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, 1U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("waits for a grace period already"));
	listen_stop();
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0ULL, rcu_live(heap));
	/* What is there next has nothing of that. */
	for (i = 0; i < 3; i++) {
		w[i] = goalloc_heap_alloc(heap, sizeof(*w[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, w[i]);
	}
	listen_start(test);
	for (i = 0; i < 3; i++)
		rcu_free_here(w[i]);
	KUNIT_EXPECT_EQ(test, 0U, listen_stop());
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0ULL, rcu_live(heap));
}

static noinline void rcu_free_dead(struct waiter *w)
{
	gofree_rcu(w, rcu);
}

/* What is free already is not written to. */
static void rcu_refuses_the_dead(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	struct waiter *keep = goalloc_heap_alloc(heap, sizeof(*keep), GFP_KERNEL);
	struct waiter *w = goalloc_heap_alloc(heap, sizeof(*w), GFP_KERNEL);
	u64 waiting = rcu_free_waiting();

	KUNIT_ASSERT_NOT_NULL(test, keep);
	KUNIT_ASSERT_NOT_NULL(test, w);
	goalloc_heap_free(heap, w);
	listen_start(test);
	rcu_free_dead(w);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (double)"));
	listen_stop();
	KUNIT_EXPECT_EQ(test, waiting, rcu_free_waiting());
	goalloc_heap_free(heap, keep);
}

/* Objects that have no room for a head: tiny ones, of any address. */
static void rcu_needs_no_head(struct kunit *test)
{
	u64 live = rcu_live(NULL);
	void *p[40];
	int i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = i & 1 ? goalloc_tiny(1 + i % 15, GFP_KERNEL) :
			       goalloc(1UL << i % 17, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		gofree_rcu_mightsleep(p[i]);
	gofree_rcu_mightsleep(NULL);
	gofree_rcu_mightsleep(ZERO_SIZE_PTR);
	gofree_rcu((struct waiter *)NULL, rcu);
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, live, rcu_live(NULL));
	KUNIT_EXPECT_EQ(test, 0ULL, rcu_free_waiting());
}

static void rcu_bulk(struct kunit *test)
{
	u64 live = rcu_live(NULL);
	void *p[50];

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(p), goalloc_bulk(200, GFP_KERNEL, ARRAY_SIZE(p), p));
	p[7] = (gofree(p[7]), NULL);
	gofree_bulk_rcu_mightsleep(ARRAY_SIZE(p), p);
	gofree_bulk_rcu_mightsleep(0, NULL);
	KUNIT_EXPECT_EQ(test, live, rcu_live(NULL));
}

#define STORM_ROUNDS 4000

static void rcu_storm_member(void *arg, unsigned int member)
{
	struct goalloc_heap *heap = arg;
	unsigned int i;

	for (i = 0; i < STORM_ROUNDS; i++) {
		struct waiter *w = i & 1 ? goalloc(sizeof(*w) + i % 100, GFP_KERNEL) :
				   goalloc_heap_alloc(heap, sizeof(*w) + i % 100, GFP_KERNEL);

		if (w)
			gofree_rcu(w, rcu);
		if (i % 64 == 0)
			cond_resched();
	}
}

/* From all CPUs at once, into two heaps. */
static void rcu_storm(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	struct goalloc_stats st;
	u64 live = rcu_live(NULL);

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, rcu_storm_member, heap));
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0ULL, rcu_free_waiting());
	KUNIT_EXPECT_EQ(test, live, rcu_live(NULL));
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, (u64)CREW_FULL * STORM_ROUNDS / 2, st.allocs);
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(heap));
}

static void rcu_free_it(void *arg)
{
	struct waiter *w = arg;

	gofree_rcu(w, rcu);
}

static void rcu_contexts(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	struct waiter *w[2];
	int i;

	for (i = 0; i < 2; i++) {
		w[i] = goalloc_heap_alloc(heap, sizeof(*w[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, w[i]);
	}
	crew_in_hardirq(rcu_free_it, w[0]);
	crew_in_softirq(rcu_free_it, w[1]);
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0ULL, rcu_live(heap));
}

static struct kunit_case rcu_free_cases[] = {
	KUNIT_CASE(rcu_keeps_for_readers),
	KUNIT_CASE(rcu_finds_the_heap),
	KUNIT_CASE(rcu_refuses_twice),
	KUNIT_CASE(rcu_refuses_the_dead),
	KUNIT_CASE(rcu_needs_no_head),
	KUNIT_CASE(rcu_bulk),
	KUNIT_CASE(rcu_storm),
	KUNIT_CASE(rcu_contexts),
	{}
};

static struct kunit_suite rcu_free_suite = {
	.name = "goalloc_rcu_free",
	.init = rcu_free_suite_init,
	.exit = rcu_free_suite_exit,
	.test_cases = rcu_free_cases,
};

kunit_test_suite(rcu_free_suite);
