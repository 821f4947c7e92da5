// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection: whatever fails, the call says so and the books stay right.
 * Skipped where the kernel has no fault injection.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "fake_source.h"
#include "fault.h"
#include "stats.h"

#ifdef CONFIG_FAULT_INJECTION

#define FAULT_OBJECTS 42

/* Fail the @nth time that something can fail, counted from 0, and only then. */
static void fault_arm(unsigned long nth)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;

	attr.probability = 100;
	attr.verbose = 0;
	atomic_set(&attr.times, 1);
	/* With an interval of n every nth question is answered with yes. */
	attr.interval = nth + 1;
	fault_attr_goalloc = attr;
}

static void fault_disarm(void)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;

	fault_attr_goalloc = attr;
}

/* One script on a heap of its own; how many allocations failed. */
static unsigned int fault_script(struct kunit *test, void **obj)
{
	static const size_t sizes[] = { 8, 64, 200, 1400, 9472, 32768, 70000 };
	struct goalloc_heap *heap = goalloc_heap_create("fault", NULL);
	struct goalloc_stats st;
	unsigned int i, failed = 0;

	if (IS_ERR(heap)) {
		KUNIT_EXPECT_EQ(test, (long)-ENOMEM, PTR_ERR(heap));
		return 1;
	}
	for (i = 0; i < FAULT_OBJECTS; i++) {
		obj[i] = goalloc_heap_alloc(heap, sizes[i % ARRAY_SIZE(sizes)],
					    GFP_KERNEL | __GFP_NOWARN);
		failed += !obj[i];
	}
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, FAULT_OBJECTS - failed + 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, failed + 0ULL, st.failed);
	for (i = 0; i < FAULT_OBJECTS; i++)
		goalloc_heap_free(heap, obj[i]);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
	return failed;
}

/* Every chance to fail is taken once, until the script needs no more. */
static void fault_every_nth(struct kunit *test)
{
	void **obj = kunit_kcalloc(test, FAULT_OBJECTS, sizeof(*obj), GFP_KERNEL);
	unsigned int seen = 0, quiet = 0, nth;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	for (nth = 0; quiet < 3 && nth < 500; nth += 1 + nth / 16) {
		unsigned int failed;

		fault_arm(nth);
		failed = fault_script(test, obj);
		/* Its one time was used: something failed, seen or made good. */
		if (atomic_read(&fault_attr_goalloc.times))
			quiet++;
		seen += !!failed;
	}
	fault_disarm();
	/* Not all of them can be made good. */
	KUNIT_EXPECT_GT(test, seen, 10U);
	KUNIT_EXPECT_LT(test, nth, 500U);
	KUNIT_EXPECT_EQ(test, 0U, fault_script(test, obj));
}

/* What must not fail does not. */
static void fault_nofail(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("fault", NULL);
	void *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	fault_arm(0);
	atomic_set(&fault_attr_goalloc.times, -1);
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap, 100, GFP_KERNEL | __GFP_NOWARN));
	p = goalloc_heap_alloc(heap, 100, GFP_KERNEL | __GFP_NOFAIL);
	fault_disarm();
	KUNIT_EXPECT_NOT_NULL(test, p);
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
}

#else

static void fault_every_nth(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_FAULT_INJECTION");
}

static void fault_nofail(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_FAULT_INJECTION");
}

#endif

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_every_nth),
	KUNIT_CASE(fault_nofail),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "goalloc_fault",
	.test_cases = fault_cases,
};

kunit_test_suites(&fault_suite);
