// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free objects of other nodes, on their way home: what the statistics make of
 * them. That they come home is tested with the caches and the nodes.
 */
#include <kunit/test.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "heap.h"
#include "remote.h"
#include "stats.h"

#define STEADY_ROUNDS 200

/**
 * struct remote_steady - statistics read while a list goes home
 * @fh: the heap
 * @at_rest: nothing is being allocated or freed
 * @seen: rounds that the reader has begun to look at
 * @round: rounds begun
 * @reads: readings, all but the last of a round wholly at rest
 * @wrong: readings at rest that had an object in use
 * @failed: allocations that failed
 */
struct remote_steady {
	struct fake_heap *fh;
	bool at_rest;
	unsigned int seen;
	unsigned int round;
	unsigned int reads;
	unsigned int wrong;
	unsigned int failed;
};

static void remote_steady_read(struct remote_steady *st)
{
	struct goalloc_stats stats;
	unsigned int round;

	while (READ_ONCE(st->round) <= STEADY_ROUNDS) {
		cond_resched();
		/* The round first: at rest is one that is not over. Pairs with the writer. */
		round = smp_load_acquire(&st->round);
		/* All has been freed, and the list is as it was; pairs with the writer. */
		if (!smp_load_acquire(&st->at_rest))
			continue;
		/* From here on the writer may take the list home. */
		smp_store_release(&st->seen, round);
		goalloc_heap_stats(st->fh->heap, &stats);
		/* Whatever was read, was read before this. */
		smp_rmb();
		st->wrong += READ_ONCE(st->round) == round && stats.live_objects;
		WRITE_ONCE(st->reads, st->reads + 1);
	}
}

static void remote_steady_write(struct remote_steady *st)
{
	struct goalloc_heap *heap = st->fh->heap;
	unsigned int i, reads;
	void *p[60];
	int other;

	while (st->round <= STEADY_ROUNDS) {
		migrate_disable();
		other = !heap_node_of(heap, numa_mem_id())->nid;
		/* Few and small enough to stay in the list. */
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = cache_alloc_node(heap, 1 + i % 20, 8, GFP_KERNEL, other);
			st->failed += !p[i];
		}
		for (i = 0; i < ARRAY_SIZE(p); i++)
			goalloc_heap_free(heap, p[i]);
		/* All is freed; pairs with the reader. */
		smp_store_release(&st->at_rest, true);
		/* Pairs with the reader's release. */
		while (smp_load_acquire(&st->seen) != st->round)
			cond_resched();
		reads = READ_ONCE(st->reads);
		preempt_disable();
		remote_flush(cache_get(heap));
		preempt_enable();
		/* The one that the flush has come into. */
		while (READ_ONCE(st->reads) == reads)
			cond_resched();
		WRITE_ONCE(st->at_rest, false);
		/* Whoever sees the round sees that; pairs with the reader. */
		smp_store_release(&st->round, st->round + 1);
		/* Before anything is allocated. */
		smp_mb();
		migrate_enable();
	}
}

static void remote_steady_member(void *arg, unsigned int member)
{
	if (member)
		remote_steady_read(arg);
	else
		remote_steady_write(arg);
}

/* Objects that go home while somebody counts are counted once. */
static void remote_counts_once(struct kunit *test)
{
	struct remote_steady *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	st->round = 1;
	st->fh = fake_heap_create(test, 2048, 2);
	KUNIT_ASSERT_EQ(test, 0, crew_run(2, remote_steady_member, st));
	KUNIT_EXPECT_EQ(test, 0U, st->failed);
	KUNIT_EXPECT_GT(test, st->reads, 0U);
	KUNIT_EXPECT_EQ(test, 0U, st->wrong);
	fake_heap_check(test, st->fh);
	fake_heap_destroy(test, st->fh);
}

static struct kunit_case remote_cases[] = {
	KUNIT_CASE(remote_counts_once),
	{}
};

static struct kunit_suite remote_suite = {
	.name = "goalloc_remote",
	.test_cases = remote_cases,
};

kunit_test_suites(&remote_suite);
