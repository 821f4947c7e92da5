// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection: whatever fails, the call says so and the books stay right.
 * Skipped where the kernel has no fault injection.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "cache.h"
#include "fault.h"
#include "stats.h"

#ifdef CONFIG_FAULT_INJECTION

#define FAULT_OBJECTS 42
#define FAULT_GFP (GFP_KERNEL | __GFP_NOWARN)

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

/* Fail all that is asked for once @bytes have been had. */
static void fault_arm_budget(unsigned long bytes)
{
	struct fault_attr attr = FAULT_ATTR_INITIALIZER;

	attr.probability = 100;
	attr.verbose = 0;
	atomic_set(&attr.times, INT_MAX);
	atomic_set(&attr.space, bytes);
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
	unsigned int seen = 0, nth;
	bool failed = true;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	for (nth = 0; failed && nth < 1000; nth++) {
		fault_arm(nth);
		seen += !!fault_script(test, obj);
		/* Its one time was used: something failed, seen or made good. */
		failed = !atomic_read(&fault_attr_goalloc.times);
	}
	fault_disarm();
	/* Not all of them can be made good. */
	KUNIT_EXPECT_GT(test, seen, 10U);
	KUNIT_EXPECT_FALSE_MSG(test, failed, "no end after %u", nth);
	KUNIT_EXPECT_EQ(test, 0U, fault_script(test, obj));
}

/* What an operation leaves behind: objects of the heap under test. */
struct fault_op_result {
	void *obj[32];
	unsigned int nr;
};

typedef bool (*fault_op_t)(struct goalloc_heap *heap, struct fault_op_result *r);

static bool fault_keep(struct fault_op_result *r, void *p)
{
	if (p)
		r->obj[r->nr++] = p;
	return p;
}

static bool op_small(struct goalloc_heap *heap, struct fault_op_result *r)
{
	return fault_keep(r, goalloc_heap_alloc(heap, 100, FAULT_GFP));
}

static bool op_zeroed(struct goalloc_heap *heap, struct fault_op_result *r)
{
	void *p = goalloc_heap_alloc(heap, 3000, FAULT_GFP | __GFP_ZERO);

	return fault_keep(r, p) && !memchr_inv(p, 0, 3000);
}

static bool op_atomic(struct goalloc_heap *heap, struct fault_op_result *r)
{
	return fault_keep(r, goalloc_heap_alloc(heap, 700, GFP_ATOMIC | __GFP_NOWARN));
}

static bool op_largest_class(struct goalloc_heap *heap, struct fault_op_result *r)
{
	return fault_keep(r, goalloc_heap_alloc(heap, GOALLOC_MAX_SMALL, FAULT_GFP));
}

static bool op_large(struct goalloc_heap *heap, struct fault_op_result *r)
{
	return fault_keep(r, goalloc_heap_alloc(heap, 300000, FAULT_GFP));
}

static bool op_aligned(struct goalloc_heap *heap, struct fault_op_result *r)
{
	void *p = heap_alloc_large(heap, 50000, 65536, FAULT_GFP, 0);

	return fault_keep(r, p) && IS_ALIGNED((unsigned long)p, 65536);
}

static bool op_tiny(struct goalloc_heap *heap, struct fault_op_result *r)
{
	return fault_keep(r, tiny_alloc(heap, 5, FAULT_GFP));
}

static bool op_node(struct goalloc_heap *heap, struct fault_op_result *r)
{
	return fault_keep(r, cache_alloc_node(heap, sizeclass_of(64), 64, FAULT_GFP,
					      num_online_nodes() - 1));
}

/* Many, until one cannot be had: a second span, a second block. */
static bool op_many(struct goalloc_heap *heap, struct fault_op_result *r)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(r->obj); i++)
		if (!fault_keep(r, goalloc_heap_alloc(heap, 8192, FAULT_GFP)))
			return false;
	return true;
}

/* Frees make the lists that they are kept in. */
static bool op_free(struct goalloc_heap *heap, struct fault_op_result *r)
{
	void *p = goalloc_heap_alloc(heap, 48, FAULT_GFP);

	goalloc_heap_free(heap, p);
	return p;
}

static const struct {
	const char *name;
	fault_op_t fn;
} fault_ops[] = {
	{ "small", op_small },
	{ "zeroed", op_zeroed },
	{ "atomic", op_atomic },
	{ "largest class", op_largest_class },
	{ "large", op_large },
	{ "aligned", op_aligned },
	{ "tiny", op_tiny },
	{ "node", op_node },
	{ "many", op_many },
	{ "free", op_free },
};

/*
 * One operation on a new heap: with the @nth chance to fail taken or, if @budget,
 * all of them once so many bytes have been had. False when the operation had no
 * such chance left.
 */
static bool fault_try_op(struct kunit *test, unsigned int i, unsigned long nth,
			 unsigned long budget, unsigned int *refused)
{
	u64 held = atomic64_read(&goalloc_space.held);
	struct fault_op_result r = {};
	struct goalloc_stats st;
	struct goalloc_heap *heap;
	bool ok, taken;
	unsigned int k;
	char what[48];

	snprintf(what, sizeof(what), "%s, nth %lu, budget %lu", fault_ops[i].name, nth, budget);
	heap = goalloc_heap_create("fault", NULL);
	if (IS_ERR(heap)) {
		KUNIT_FAIL(test, "%s: no heap", what);
		return false;
	}
	if (budget)
		fault_arm_budget(budget);
	else
		fault_arm(nth);
	ok = fault_ops[i].fn(heap, &r);
	taken = atomic_read(&fault_attr_goalloc.times) != (budget ? INT_MAX : 1);
	fault_disarm();
	*refused += !ok;
	if (!taken)
		KUNIT_EXPECT_TRUE_MSG(test, ok, "%s: failed by itself", what);

	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ_MSG(test, st.sys_bytes, stats_ledger_sum(&st), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, (u64)r.nr, st.live_objects, "%s", what);
	/* It works again at once. */
	KUNIT_EXPECT_TRUE_MSG(test, op_free(heap, &r), "%s", what);
	for (k = 0; k < r.nr; k++)
		goalloc_heap_free(heap, r.obj[k]);
	KUNIT_EXPECT_EQ_MSG(test, 0, goalloc_heap_destroy(heap, false), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, held, (u64)atomic64_read(&goalloc_space.held), "%s", what);
	return taken;
}

/* Each operation with every one of its chances to fail: NULL or all is well. */
static void fault_every_op(struct kunit *test)
{
	unsigned int i, nth, refused;

	for (i = 0; i < ARRAY_SIZE(fault_ops); i++) {
		refused = 0;
		for (nth = 0; nth < 200; nth++)
			if (!fault_try_op(test, i, nth, 0, &refused))
				break;
		kunit_info(test, "%s: %u chances to fail, %u times refused\n",
			   fault_ops[i].name, nth, refused);
		/* A span or its pages can fail, at least; another node may have some. */
		KUNIT_EXPECT_GE_MSG(test, nth, 2U, "%s", fault_ops[i].name);
		KUNIT_EXPECT_LT_MSG(test, nth, 200U, "%s", fault_ops[i].name);
	}
}

/* Each operation with ever more memory to be had, from none to all it needs. */
static void fault_every_budget(struct kunit *test)
{
	unsigned int i, tried, refused;

	for (i = 0; i < ARRAY_SIZE(fault_ops); i++) {
		refused = 0;
		for (tried = 0; tried < 28; tried++)
			if (!fault_try_op(test, i, 0, 1UL << tried, &refused))
				break;
		KUNIT_EXPECT_GE_MSG(test, refused, 1U, "%s", fault_ops[i].name);
		KUNIT_EXPECT_LT_MSG(test, tried, 28U, "%s", fault_ops[i].name);
	}
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

static void fault_every_op(struct kunit *test)
{
	kunit_skip(test, "no CONFIG_FAULT_INJECTION");
}

static void fault_every_budget(struct kunit *test)
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
	KUNIT_CASE(fault_every_op),
	KUNIT_CASE(fault_every_budget),
	KUNIT_CASE(fault_nofail),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "goalloc_fault",
	.test_cases = fault_cases,
};

kunit_test_suites(&fault_suite);
