// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way around the caches: a heap on a detour does everything that other
 * heaps do, from every context, and never has a cache.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "detour.h"
#include "stats.h"

/* A bit of no feature: the caches are passed by, and nothing else changes. */
#define DETOUR_PLAIN BIT(20)

static struct goalloc_heap *detour_heap(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("detour", NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	heap->detour = DETOUR_PLAIN;
	return heap;
}

static unsigned int detour_caches(struct goalloc_heap *heap)
{
	unsigned int nr = 0;
	int cpu, level;

	for_each_possible_cpu(cpu)
		for (level = 0; level < CACHE_LEVELS; level++)
			nr += per_cpu_ptr(heap->cpus, cpu)->level[level] != &cache_none;
	return nr;
}

static void detour_check(struct kunit *test, struct goalloc_heap *heap)
{
	struct goalloc_stats st;

	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 0U, detour_caches(heap));
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
}

struct detour_work {
	struct goalloc_heap *heap;
	atomic_t bad;
	atomic_t got;
};

/* One object of every kind there is, filled, checked and freed. */
static void detour_round(struct detour_work *work, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i <= GOALLOC_NR_CLASSES; i++) {
		size_t size = !i ? 3 : i < GOALLOC_NR_CLASSES ? sizeclass_size[i] : 50000;
		char *p;

		p = i ? goalloc_heap_alloc(work->heap, size, gfp) :
			tiny_alloc(work->heap, size, gfp);
		if (!p) {
			/* NMI, on PREEMPT_RT all but tasks: what is at hand. */
			if (!in_nmi() && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible()))
				atomic_inc(&work->bad);
			continue;
		}
		atomic_inc(&work->got);
		memset(p, i, size);
		if (gosize(p) < size || memchr_inv(p, i, size))
			atomic_inc(&work->bad);
		goalloc_heap_free(work->heap, p);
	}
}

static void detour_call(void *arg)
{
	detour_round(arg, GFP_ATOMIC | __GFP_ZERO);
}

static void detour_member(void *arg, unsigned int member)
{
	struct detour_work *work = arg;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		detour_round(work, GFP_KERNEL);
		crew_in_hardirq(detour_call, work);
		crew_as_nmi(detour_call, work);
		cond_resched();
	}
}

/* Everything works, from everywhere at once, and no cache is ever made. */
static void detour_contexts(struct kunit *test)
{
	struct detour_work work = { .heap = detour_heap(test) };

	detour_round(&work, GFP_KERNEL);
	crew_in_softirq(detour_call, &work);
	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, detour_member, &work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&work.bad));
	KUNIT_EXPECT_GT(test, atomic_read(&work.got),
			40 * GOALLOC_NR_CLASSES * (IS_ENABLED(CONFIG_PREEMPT_RT) ? 1 : 2));
	detour_check(test, work.heap);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(work.heap, false));
}

/* Where it leads to is the same for every entry. */
static void detour_entries(struct kunit *test)
{
	struct goalloc_heap *heap = detour_heap(test);
	void *p[7];
	int i;

	p[0] = cache_alloc_slow(heap, sizeclass_of(100), 100, GFP_KERNEL);
	p[1] = cache_alloc_node(heap, sizeclass_of(100), 100, GFP_KERNEL, 0);
	p[2] = detour_alloc(heap, 100, 64, GFP_KERNEL, 0);
	p[3] = detour_alloc(heap, 100, 0, GFP_KERNEL, 0);
	p[4] = detour_alloc_tiny(heap, 5, GFP_KERNEL);
	p[5] = detour_alloc(heap, 100, 65536, GFP_KERNEL, 0);
	p[6] = detour_alloc(heap, 100000, 0, GFP_KERNEL, 0);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		KUNIT_ASSERT_NOT_NULL_MSG(test, p[i], "way %d", i);
	KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p[2] % 64);
	KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p[4] % 8);
	KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p[5] % 65536);
	KUNIT_EXPECT_EQ(test, (size_t)112, gosize(p[0]));
	KUNIT_EXPECT_EQ(test, (size_t)128, gosize(p[2]));
	KUNIT_EXPECT_EQ(test, (size_t)8, gosize(p[4]));
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		if (i % 2)
			cache_free_slow(p[i], heap, _THIS_IP_);
		else
			goalloc_heap_free(heap, p[i]);
	}
	detour_check(test, heap);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
}

static struct kunit_case detour_cases[] = {
	KUNIT_CASE(detour_contexts),
	KUNIT_CASE(detour_entries),
	{}
};

static struct kunit_suite detour_suite = {
	.name = "goalloc_detour",
	.test_cases = detour_cases,
};

kunit_test_suites(&detour_suite);
