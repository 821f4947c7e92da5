// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving memory back: how much, which pages, and when. The thread itself is off
 * while the suites run; what it does in a slice and at the end of a generation
 * is called here. One case has it run.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/find.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <goalloc.h>

#include "fake_source.h"
#include "param.h"
#include "scavenger.h"

#define PAGES (4 * PALLOC_CHUNK_PAGES)

static int scavenger_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, PAGES, 1);
	return 0;
}

static void scavenger_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

/* Slices until one says that there is no more; pages given back. */
static u64 slices(struct kunit *test, struct fake_heap *fh)
{
	u64 released = 0;
	unsigned int n;

	for (n = 0; n < 10000; n++) {
		struct scavenger_slice slice = {};

		scavenger_slice(fh->heap, &slice);
		released += slice.released;
		if (!slice.more)
			return released;
		/* A slice that leaves more has done something. */
		KUNIT_EXPECT_NE(test, 0ULL, slice.released);
	}
	KUNIT_FAIL(test, "there is always more");
	return released;
}

static u64 take(struct kunit *test, struct fake_heap *fh, u64 npages)
{
	struct heap_node *from;
	bool clean;
	u64 page;

	page = heap_alloc_pages(fh->heap->node[0], npages, 1, GFP_KERNEL, &from, &clean);
	KUNIT_ASSERT_NE(test, PALLOC_NONE, page);
	return page;
}

/* A heap keeps its recent peak and a tenth, for two generations. */
static void scavenger_keeps_peak(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	u64 page[16], held, goal;
	unsigned int i;

	for (i = 0; i < 16; i++)
		page[i] = take(test, fh, 64);
	held = atomic64_read(&fh->heap->held);
	for (i = 4; i < 16; i++)
		heap_free_pages(node, page[i], 64);

	/* This generation and the next remember the peak. */
	KUNIT_EXPECT_EQ(test, 1126ULL, scavenger_goal(fh->heap));
	KUNIT_EXPECT_EQ(test, 0ULL, slices(test, fh));
	KUNIT_EXPECT_EQ(test, 256ULL, scavenger_next_gen(fh->heap));
	KUNIT_EXPECT_EQ(test, 1126ULL, scavenger_goal(fh->heap));
	KUNIT_EXPECT_EQ(test, 0ULL, slices(test, fh));
	KUNIT_EXPECT_EQ(test, held, (u64)atomic64_read(&fh->heap->held));

	/* The one after that does not. */
	scavenger_next_gen(fh->heap);
	goal = 256 + 25;
	KUNIT_EXPECT_EQ(test, goal, scavenger_goal(fh->heap));
	slices(test, fh);
	held = atomic64_read(&fh->heap->held);
	/* A huge page is not broken up for the rest. */
	KUNIT_EXPECT_LE(test, held, goal);
	KUNIT_EXPECT_GT(test, held + node->palloc.huge_pages, goal);
	KUNIT_EXPECT_EQ(test, fh->fake.nr_out, held);
	KUNIT_EXPECT_EQ(test, held, node->palloc.nr_owned);

	/* What is used again is there again. */
	for (i = 4; i < 16; i++)
		page[i] = take(test, fh, 64);
	KUNIT_EXPECT_EQ(test, 1126ULL, scavenger_goal(fh->heap));
	for (i = 0; i < 16; i++)
		heap_free_pages(node, page[i], 64);
	for (i = 0; i < 3; i++) {
		scavenger_next_gen(fh->heap);
		slices(test, fh);
	}
	/* Nothing in use and no peak: all of it goes. */
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
	fake_heap_check(test, fh);
}

/* The highest addresses go, the lowest stay. */
static void scavenger_high_first(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	u64 page = take(test, fh, PALLOC_CHUNK_PAGES);
	u64 keep = 128, lowest;

	/* In use: a quarter, at the low end. */
	heap_free_pages(node, page + keep, PALLOC_CHUNK_PAGES - keep);
	scavenger_next_gen(fh->heap);
	scavenger_next_gen(fh->heap);
	KUNIT_EXPECT_NE(test, 0ULL, slices(test, fh));
	lowest = find_first_bit(fh->fake.out, PAGES);
	KUNIT_EXPECT_EQ(test, page, lowest);
	/* One piece: nothing is left above what was given back. */
	KUNIT_EXPECT_EQ(test, lowest + fh->fake.nr_out,
			(u64)find_next_zero_bit(fh->fake.out, PAGES, lowest));
	KUNIT_EXPECT_EQ(test, (u64)PAGES,
			(u64)find_next_bit(fh->fake.out, PAGES, lowest + fh->fake.nr_out));
	heap_free_pages(node, page, keep);
}

/* A chunk that is nearly all in use is left alone, but not by force. */
static void scavenger_leaves_dense(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	u64 first = take(test, fh, PALLOC_CHUNK_PAGES);
	u64 second = take(test, fh, PALLOC_CHUNK_PAGES);
	unsigned int i;

	heap_free_pages(node, first + 100, PALLOC_CHUNK_PAGES - SCAVENGE_DENSE_PAGES);
	heap_free_pages(node, second, PALLOC_CHUNK_PAGES);
	for (i = 0; i < 4; i++) {
		scavenger_next_gen(fh->heap);
		slices(test, fh);
	}
	/* Free: what the goal allows at most; the dense chunk's are among them. */
	KUNIT_EXPECT_LE(test, fh->fake.nr_out, scavenger_goal(fh->heap));
	KUNIT_EXPECT_TRUE(test, test_bit(first + 100, fh->fake.out));
	KUNIT_EXPECT_NE(test, 0ULL, heap_scavenge(node, U64_MAX, true));
	KUNIT_EXPECT_FALSE(test, test_bit(first + 100, fh->fake.out));
	KUNIT_EXPECT_EQ(test, (u64)SCAVENGE_DENSE_PAGES, fh->fake.nr_out);
	heap_free_pages(node, first, 100);
	heap_free_pages(node, first + 100 + PALLOC_CHUNK_PAGES - SCAVENGE_DENSE_PAGES,
			SCAVENGE_DENSE_PAGES - 100);
}

/* Pages that are used and freed all the time are not given back and taken anew. */
static void scavenger_leaves_busy(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	unsigned int round, gets = 0;
	u64 page[2];

	for (round = 0; round < 20; round++) {
		page[0] = take(test, fh, 512);
		page[1] = take(test, fh, 512);
		heap_free_pages(node, page[0], 512);
		heap_free_pages(node, page[1], 512);
		slices(test, fh);
		if (!round)
			gets = fh->fake.gets;
		scavenger_next_gen(fh->heap);
		slices(test, fh);
	}
	KUNIT_EXPECT_EQ(test, gets, fh->fake.gets);
	KUNIT_EXPECT_EQ(test, 0U, fh->fake.puts);
}

/* While the thread is off nobody wakes it, whatever is freed. */
static void scavenger_off(struct kunit *test)
{
	struct scavenger_stats before, after;

	scavenger_read(&before);
	scavenger_unpark();
	scavenger_hurry();
	scavenger_read(&after);
	KUNIT_EXPECT_EQ(test, before.slices, after.slices);
	KUNIT_EXPECT_TRUE(test, after.parked);
}

#define FEED_OBJECTS 4000
#define FEED_SIZE 1024

/* Have the default heap hold at least so many free pages. */
#define FEED_PAGES (FEED_OBJECTS * FEED_SIZE / GOALLOC_PAGE_SIZE)

static void thread_feed(struct kunit *test)
{
	unsigned int nr = FEED_OBJECTS, i;
	void **obj = kvcalloc(nr, sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	for (i = 0; i < nr; i++) {
		obj[i] = goalloc(FEED_SIZE, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, obj[i]);
	}
	gofree_bulk(nr, obj);
	goalloc_flush(NULL);
	kvfree(obj);
}

/*
 * Until it has parked, @parks times in all, with less than @pages held. On the way it may park for
 * as long as nobody frees pages.
 */
static bool thread_settles(u64 pages, u64 parks, struct scavenger_stats *st)
{
	unsigned int i;

	for (i = 0; i < 3000; i++) {
		scavenger_read(st);
		if (st->parked && st->parks >= parks &&
		    atomic64_read(&goalloc_default->held) < pages)
			return true;
		msleep(20);
	}
	return false;
}

/* The thread: switched on it gives back, parks, is woken, and goes off. */
static void scavenger_thread(struct kunit *test)
{
	struct scavenger_stats st, now, before;
	unsigned int i;
	u64 fed;

	KUNIT_EXPECT_EQ(test, -EINVAL, param_set("scavenge_percent", "101"));
	KUNIT_EXPECT_EQ(test, -EINVAL, param_set("scavenge_period_ms", "0"));
	KUNIT_EXPECT_EQ(test, -EINVAL, param_set("scavenge_retain", "-1"));
	thread_feed(test);
	fed = atomic64_read(&goalloc_default->held);
	KUNIT_EXPECT_GT(test, fed, 300ULL);
	scavenger_read(&before);
	KUNIT_ASSERT_EQ(test, 0, param_set("scavenge_period_ms", "10"));
	KUNIT_ASSERT_EQ(test, 0, param_set("scavenge_percent", "100"));
	KUNIT_EXPECT_TRUE(test, thread_settles(fed / 2, before.parks + 1, &st));
	KUNIT_EXPECT_GT(test, st.parks, before.parks);
	KUNIT_EXPECT_GT(test, st.released, before.released + fed / 2);
	KUNIT_EXPECT_LE(test, (u64)atomic64_read(&goalloc_default->held),
			scavenger_goal(goalloc_default));
	KUNIT_EXPECT_GT(test, st.generations, before.generations);
	/* Parked is parked; the kick before may still be on its way. */
	for (i = 0; i < 100; i++) {
		scavenger_read(&st);
		msleep(100);
		scavenger_read(&now);
		if (now.slices == st.slices)
			break;
	}
	KUNIT_EXPECT_EQ(test, st.slices, now.slices);

	/* What is freed brings it back. */
	thread_feed(test);
	KUNIT_EXPECT_TRUE(test, thread_settles(FEED_PAGES / 2, st.parks + 1, &now));
	KUNIT_EXPECT_GT(test, now.parks, st.parks);
	KUNIT_EXPECT_GE(test, now.released, st.released + FEED_PAGES / 2);
	KUNIT_EXPECT_LE(test, (u64)atomic64_read(&goalloc_default->held),
			scavenger_goal(goalloc_default));

	/* Off: nobody comes. */
	KUNIT_EXPECT_EQ(test, 0, param_set("scavenge_percent", "0"));
	msleep(100);
	thread_feed(test);
	scavenger_hurry();
	KUNIT_EXPECT_TRUE(test, thread_settles(U64_MAX, 0, &st));
	msleep(100);
	scavenger_read(&now);
	KUNIT_EXPECT_EQ(test, st.slices, now.slices);
	KUNIT_EXPECT_GE(test, (u64)atomic64_read(&goalloc_default->held), (u64)FEED_PAGES);
	KUNIT_EXPECT_EQ(test, 0, param_set("scavenge_period_ms", "2500"));
	goalloc_scavenge(NULL, U64_MAX);
}

/**
 * struct stop_door - keeps who goes through all heaps, and stops the thread
 * @hold: goes through all heaps, and so keeps others from it
 * @stop: stops the thread
 * @held: @hold is there
 * @open: and may go on
 */
struct stop_door {
	struct work_struct hold, stop;
	struct completion held, open;
};

static void stop_hold_heap(struct goalloc_heap *heap, void *arg)
{
	struct stop_door *door = arg;

	complete(&door->held);
	wait_for_completion(&door->open);
}

static void stop_hold(struct work_struct *work)
{
	heap_for_each(stop_hold_heap, container_of(work, struct stop_door, hold));
}

static void stop_stop(struct work_struct *work)
{
	scavenger_exit();
}

/* The thread is stopped in the middle of its work, as at unloading. */
static void scavenger_stops_at_work(struct kunit *test)
{
	struct scavenger_stats before, after;
	struct stop_door door;
	unsigned int i;

	init_completion(&door.held);
	init_completion(&door.open);
	INIT_WORK_ONSTACK(&door.hold, stop_hold);
	INIT_WORK_ONSTACK(&door.stop, stop_stop);
	KUNIT_EXPECT_EQ(test, 0, param_set("scavenge_period_ms", "10"));
	queue_work(system_unbound_wq, &door.hold);
	wait_for_completion(&door.held);
	/* Its work begins, and comes to where the heaps are. */
	KUNIT_EXPECT_EQ(test, 0, param_set("scavenge_percent", "100"));
	scavenger_hurry();
	msleep(100);
	queue_work(system_unbound_wq, &door.stop);
	msleep(100);
	complete_all(&door.open);
	flush_work(&door.stop);
	flush_work(&door.hold);
	destroy_work_on_stack(&door.stop);
	destroy_work_on_stack(&door.hold);

	/* It is gone, and another does as well. */
	scavenger_read(&before);
	scavenger_hurry();
	msleep(100);
	scavenger_read(&after);
	KUNIT_EXPECT_EQ(test, before.slices, after.slices);
	KUNIT_ASSERT_EQ(test, 0, scavenger_init());
	for (i = 0; i < 1000 && after.slices == before.slices; i++) {
		scavenger_hurry();
		msleep(20);
		scavenger_read(&after);
	}
	KUNIT_EXPECT_GT(test, after.slices, before.slices);
	KUNIT_EXPECT_EQ(test, 0, param_set("scavenge_percent", "0"));
	KUNIT_EXPECT_TRUE(test, thread_settles(U64_MAX, 0, &after));
	KUNIT_EXPECT_EQ(test, 0, param_set("scavenge_period_ms", "2500"));
}

static struct kunit_case scavenger_cases[] = {
	KUNIT_CASE(scavenger_keeps_peak),
	KUNIT_CASE(scavenger_high_first),
	KUNIT_CASE(scavenger_leaves_dense),
	KUNIT_CASE(scavenger_leaves_busy),
	KUNIT_CASE(scavenger_off),
	KUNIT_CASE(scavenger_thread),
	KUNIT_CASE(scavenger_stops_at_work),
	{}
};

static struct kunit_suite scavenger_suite = {
	.name = "goalloc_scavenger",
	.init = scavenger_suite_init,
	.exit = scavenger_suite_exit,
	.test_cases = scavenger_cases,
};

kunit_test_suites(&scavenger_suite);
