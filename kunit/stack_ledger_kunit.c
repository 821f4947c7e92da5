// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks in the ledger of their heap, within its limits, and closed to KASAN while they
 * are free.
 */
#include <kunit/test.h>
#include <linux/kasan.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include <goalloc.h>
#include <goalloc_stack.h>

#include "compat.h"
#include "crew.h"
#include "stack.h"
#include "stats.h"

/* Above what pages in a row there can be: such a stack is mapped. */
#define MAPPED_BYTES (2 * (size_t)GOALLOC_MAX_SIZE)

static int ledger_init(struct kunit *test)
{
	/* The lists are a CPU's. */
	crew_stay();
	test->priv = NULL;
	return 0;
}

static void ledger_exit(struct kunit *test)
{
	if (test->priv)
		KUNIT_EXPECT_EQ(test, 0, goalloc_stacks_destroy(test->priv));
}

static struct goalloc_stacks *ledger_make(struct kunit *test, size_t limit)
{
	const struct goalloc_stacks_attr attr = { .limit = limit };
	struct goalloc_stacks *stacks = goalloc_stacks_create("stacks", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(stacks));
	test->priv = stacks;
	return stacks;
}

static struct goalloc_stats ledger_of(struct kunit *test, struct goalloc_stacks *stacks)
{
	struct goalloc_stats st;

	goalloc_heap_stats(goalloc_stacks_heap(stacks), &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	return st;
}

/* A stack is live, then cached, then in its pool, then pages again. */
static void ledger_small(struct kunit *test)
{
	struct goalloc_stacks *stacks = ledger_make(test, 0);
	struct goalloc_stack stack[3];
	struct goalloc_stats st;
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[i], SZ_8K, GFP_KERNEL));
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, 3 * SZ_8K, st.live_bytes);
	KUNIT_EXPECT_EQ(test, 3, st.live_objects);
	KUNIT_EXPECT_EQ(test, SZ_8K, st.cached_bytes + st.central_bytes);

	goalloc_stack_free(stacks, &stack[0]);
	goalloc_stack_free(stacks, &stack[1]);
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, SZ_8K, st.live_bytes);
	KUNIT_EXPECT_EQ(test, 3, st.allocs);
	KUNIT_EXPECT_EQ(test, 2, st.frees);
	KUNIT_EXPECT_GE(test, st.cached_bytes, 2 * SZ_8K);

	goalloc_stacks_drain(stacks);
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, SZ_8K, st.live_bytes);
	KUNIT_EXPECT_EQ(test, 0, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, 3 * SZ_8K, st.central_bytes);

	goalloc_stack_free(stacks, &stack[2]);
	goalloc_stacks_drain(stacks);
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, 0, st.live_bytes + st.cached_bytes + st.central_bytes);
}

/* What is mapped is held, live and in the peak while it is there, and nothing after. */
static void ledger_mapped(struct kunit *test)
{
	struct goalloc_stacks *stacks = ledger_make(test, 0);
	struct goalloc_stack stack, small;
	struct goalloc_stacks_stats ss;
	struct goalloc_stats st;
	u64 grown;

	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack, MAPPED_BYTES, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(stack.base));
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, MAPPED_BYTES, st.live_bytes);
	KUNIT_EXPECT_GE(test, st.sys_bytes, MAPPED_BYTES);
	KUNIT_EXPECT_EQ(test, 1, st.live_objects);
	goalloc_stacks_get_stats(stacks, &ss);
	KUNIT_EXPECT_EQ(test, MAPPED_BYTES, ss.mapped_bytes);
	KUNIT_EXPECT_EQ(test, MAPPED_BYTES, ss.used_bytes);
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_stacks_heap(stacks)));

	/* Who has much of that grows by no more for it. */
	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &small, 1, GFP_KERNEL));
	grown = ledger_of(test, stacks).sys_bytes - MAPPED_BYTES;
	KUNIT_EXPECT_LE(test, grown, SZ_64K);
	goalloc_stack_free(stacks, &small);
	goalloc_stacks_drain(stacks);

	goalloc_stack_free(stacks, &stack);
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, 0, st.live_bytes);
	KUNIT_EXPECT_LT(test, st.sys_bytes, MAPPED_BYTES);
	KUNIT_EXPECT_GE(test, st.released_bytes, MAPPED_BYTES);
	goalloc_stacks_get_stats(stacks, &ss);
	KUNIT_EXPECT_EQ(test, 0, ss.mapped_bytes);
}

/* One limit for all stacks, whatever they are made of. */
static void ledger_limit(struct kunit *test)
{
	struct goalloc_stacks *stacks = ledger_make(test, MAPPED_BYTES + SZ_1M);
	struct goalloc_stack stack, more;
	struct goalloc_stats st;

	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack, MAPPED_BYTES, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -ENOMEM, goalloc_stack_alloc(stacks, &more, MAPPED_BYTES,
							   GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_NULL(test, more.base);
	/* Nor have pages in a row a limit of their own. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, goalloc_stack_alloc(stacks, &more, SZ_2M,
							   GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &more, SZ_512K, GFP_KERNEL));
	goalloc_stack_free(stacks, &more);
	st = ledger_of(test, stacks);
	KUNIT_EXPECT_EQ(test, 2, st.failed);
	goalloc_stack_free(stacks, &stack);
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &more, SZ_2M, GFP_KERNEL));
	goalloc_stack_free(stacks, &more);
}

#ifdef CONFIG_KASAN_GENERIC

/* May all of it be touched, or none but the links in its first words? */
static bool closed(const void *p, size_t size)
{
	size_t i;

	for (i = 2 * sizeof(void *); i < size; i += 8)
		if (!*(s8 *)kasan_mem_to_shadow(p + i))
			return false;
	return true;
}

static bool open(const void *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += 8)
		if (*(s8 *)kasan_mem_to_shadow(p + i))
			return false;
	return true;
}

static void ledger_kasan(struct kunit *test)
{
	struct goalloc_stacks *stacks = ledger_make(test, 0);
	struct goalloc_stack stack[2], again;
	size_t size;
	u8 *old;

	for (size = GOALLOC_STACK_MIN; size <= SZ_64K; size *= 2) {
		KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[0], size, GFP_KERNEL));
		KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[1], size, GFP_KERNEL));
		KUNIT_EXPECT_TRUE(test, open(stack[0].base, size));
		memset(stack[0].base, 1, size);
		old = stack[0].base;
		goalloc_stack_free(stacks, &stack[0]);
		KUNIT_EXPECT_TRUE_MSG(test, closed(old, size), "%zu bytes", size);
		KUNIT_EXPECT_TRUE(test, open(stack[1].base, size));
		/* Those in a pool, and those of a new span, are closed as well. */
		goalloc_stacks_drain(stacks);
		KUNIT_EXPECT_TRUE_MSG(test, closed(old, size), "%zu bytes", size);
		KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &again, size, GFP_KERNEL));
		KUNIT_EXPECT_TRUE(test, open(again.base, size));
		goalloc_stack_free(stacks, &again);
		goalloc_stack_free(stacks, &stack[1]);
	}
}

#else

static void ledger_kasan(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_KASAN_GENERIC");
}

#endif

static struct kunit_case ledger_cases[] = {
	KUNIT_CASE(ledger_small),
	KUNIT_CASE(ledger_mapped),
	KUNIT_CASE(ledger_limit),
	KUNIT_CASE(ledger_kasan),
	{}
};

static struct kunit_suite ledger_suite = {
	.name = "goalloc_stack_ledger",
	.init = ledger_init,
	.exit = ledger_exit,
	.test_cases = ledger_cases,
};

kunit_test_suite(ledger_suite);
