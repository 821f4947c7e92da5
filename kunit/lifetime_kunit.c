// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps that end: at awkward moments, and used all the same afterwards. What
 * needs the module to go is in tools/lifetime.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "debugfs.h"
#include "ended.h"
#include "listen.h"
#include "shot.h"

static noinline size_t life_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

static void life_suite_exit(struct kunit *test)
{
	listen_stop();
}

static struct goalloc_heap *life_heap(struct kunit *test, const char *name)
{
	struct goalloc_heap *heap = goalloc_heap_create(name, NULL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	return heap;
}

static noinline void life_site_free(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	barrier();
}

static noinline void *life_site_alloc(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, size, GFP_KERNEL);

	barrier();
	return p;
}

/* Whatever is tried on a heap that has ended is refused, and said once. */
static void life_ended(struct kunit *test)
{
	static const u32 sizes[] = { 8, 100, 32768, 100000 };
	struct goalloc_heap *heap = life_heap(test, "over");
	struct goalloc_stats st;
	void *p[ARRAY_SIZE(sizes)], *mine;
	struct heap_shot shot;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = goalloc_heap_alloc(heap, life_hide(sizes[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	mine = goalloc(life_hide(100), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mine);
	KUNIT_ASSERT_EQ(test, 0, goalloc_heap_destroy(heap, true));

	shot_take(goalloc_default, &shot);
	listen_start(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		life_site_free(heap, p[i]);
	/* A live object of another heap is as safe from it as ever. */
	life_site_free(heap, mine);
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (ended) at life_site_free"));
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_ENDED,
			    ARRAY_SIZE(sizes) + 1, "heap ended");

	listen_start(test);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_NULL(test, life_site_alloc(heap, life_hide(sizes[i])));
	KUNIT_EXPECT_PTR_EQ(test, goalloc_heap_alloc(heap, life_hide(0), GFP_KERNEL),
			    ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_destroy(heap, false));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_destroy(heap, true));
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	KUNIT_EXPECT_EQ(test, 1U,
			listen_count("heap over has ended: allocation at life_site_alloc"));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_set_limit(heap, 0, 1 << 20));
	KUNIT_EXPECT_EQ(test, 0ULL, goalloc_flush(heap));
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.sys_bytes);
	/* Its pages went home: to everybody else they are nobody's. */
	shot_take(goalloc_default, &shot);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		gofree(p[i]);
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_FOREIGN,
			    ARRAY_SIZE(sizes), "its pages went home");
	gofree(mine);
}

/* With live objects left behind: their memory stays, their frees are refused. */
static void life_left_behind(struct kunit *test)
{
	struct goalloc_heap *heap = life_heap(test, "behind");
	struct heap_shot shot;
	char *p = goalloc_heap_alloc(heap, life_hide(500), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x31, 500);
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_heap_destroy(heap, false));
	shot_take(goalloc_default, &shot);
	gofree(p);
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_ENDED, 1, "gofree");
	shot_take(goalloc_default, &shot);
	goalloc_heap_free(heap, p);
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_ENDED, 1, "its heap");
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap, life_hide(8), GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x31, 500));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_destroy(heap, false));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_destroy(heap, true));
}

/* The last ENDED_KEPT are known, each by its name. */
static void life_many(struct kunit *test)
{
	struct goalloc_heap *heap[ENDED_KEPT];
	struct heap_shot shot;
	char name[HEAP_NAME_LEN];
	unsigned int i;

	for (i = 0; i < ENDED_KEPT; i++) {
		snprintf(name, sizeof(name), "many%u", i);
		heap[i] = life_heap(test, name);
		KUNIT_ASSERT_EQ(test, 0, goalloc_heap_destroy(heap[i], false));
	}
	listen_start(test);
	for (i = 0; i < ENDED_KEPT; i++) {
		shot_take(goalloc_default, &shot);
		goalloc_heap_free(heap[i], &shot);
		shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_ENDED, 1, "many");
		KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap[i], life_hide(64), GFP_ATOMIC));
		snprintf(name, sizeof(name), "heap many%u has ended", i);
		KUNIT_EXPECT_EQ(test, 1U, listen_count(name));
	}
	listen_stop();
}

struct life_pending {
	struct goalloc_heap *heap;
	void *p[16];
};

static void life_free_all(void *arg)
{
	struct life_pending *pending = arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pending->p); i++)
		goalloc_heap_free(pending->heap, pending->p[i]);
}

/* Freed in NMI, or a moment ago and waiting for a grace period. */
static void life_pending(struct kunit *test)
{
	struct life_pending pending;
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		pending.heap = life_heap(test, "pending");
		for (i = 0; i < ARRAY_SIZE(pending.p); i++) {
			size_t size = i % 2 ? 40000UL + 1000 * i : 8UL << i / 2;

			pending.p[i] = goalloc_heap_alloc(pending.heap, size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, pending.p[i]);
		}
		if (round % 2)
			life_free_all(&pending);
		else
			crew_as_nmi(life_free_all, &pending);
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(pending.heap, round & 4));
	}
}

struct life_crowd {
	atomic_t bad;
	atomic_t made;
};

static void life_crowd_member(void *arg, unsigned int member)
{
	struct life_crowd *crowd = arg;
	unsigned int i, j;
	char name[16];
	void *p[20];

	/* Two of four share a name, and so a place in debugfs. */
	snprintf(name, sizeof(name), "crowd%u", member / 2);
	for (i = 0; i < 12; i++) {
		struct goalloc_heap *heap = goalloc_heap_create(name, NULL);

		if (IS_ERR(heap)) {
			atomic_inc(&crowd->bad);
			continue;
		}
		atomic_inc(&crowd->made);
		for (j = 0; j < ARRAY_SIZE(p); j++) {
			p[j] = goalloc_heap_alloc(heap, 1 + j * 3000, GFP_KERNEL);
			if (!p[j])
				atomic_inc(&crowd->bad);
		}
		for (j = 0; j < ARRAY_SIZE(p); j++)
			if (j % 5 || !(i % 2))
				goalloc_heap_free(heap, p[j]);
		if (goalloc_heap_destroy(heap, i % 2))
			atomic_inc(&crowd->bad);
		cond_resched();
	}
}

/* Heaps come and go on all CPUs at once. */
static void life_crowd(struct kunit *test)
{
	struct life_crowd crowd = { };

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, life_crowd_member, &crowd));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&crowd.bad));
	KUNIT_EXPECT_EQ(test, 12 * CREW_FULL, atomic_read(&crowd.made));
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(life_ended),
	KUNIT_CASE(life_left_behind),
	KUNIT_CASE(life_many),
	KUNIT_CASE(life_pending),
	KUNIT_CASE(life_crowd),
	{}
};

static struct kunit_suite life_suite = {
	.name = "goalloc_lifetime",
	.exit = life_suite_exit,
	.test_cases = life_cases,
};

kunit_test_suites(&life_suite);
