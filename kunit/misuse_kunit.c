// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way to free refuses every kind of bad free and changes nothing: the
 * table of ways and kinds. What is said is the matter of misuse_*_kunit.c.
 *
 * Lifetimes are what the suite is about, so it does to the default heap what a
 * module with bugs would do.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "heap.h"
#include "shot.h"

static noinline size_t misuse_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

static void misuse_suite_exit(struct kunit *test)
{
	struct goalloc_stats st;

	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
}

/* The ways to free an object of the default heap, each a call site. */
static void way_gofree(void *p)
{
	gofree(p);
}

static void way_sensitive(void *p)
{
	gofree_sensitive(p);
}

static void way_kvfree(void *p)
{
	gokvfree(p);
}

static void way_bulk(void *p)
{
	gofree_bulk(1, &p);
}

static void way_heap(void *p)
{
	goalloc_heap_free(goalloc_default, p);
}

static void way_realloc_zero(void *p)
{
	if (gorealloc(p, misuse_hide(0), GFP_KERNEL) != ZERO_SIZE_PTR)
		pr_err("goalloc-kunit: no ZERO_SIZE_PTR\n");
}

static void (*const ways[])(void *p) = {
	way_gofree, way_sensitive, way_kvfree, way_bulk, way_heap, way_realloc_zero,
};

/* Every way to free refuses this, and so does changing its size. */
static void misuse_expect(struct kunit *test, const void *p, enum bad_free kind,
			  const char *what)
{
	struct heap_shot shot;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		/* By its address it is vmalloc()'s, and so no business of ours. */
		if (ways[i] == way_kvfree && is_vmalloc_addr(p))
			continue;
		shot_take(goalloc_default, &shot);
		ways[i]((void *)p);
		shot_expect_refused(test, goalloc_default, &shot, kind, 1, what);
	}
	shot_take(goalloc_default, &shot);
	KUNIT_EXPECT_NULL_MSG(test, gorealloc(p, misuse_hide(10), GFP_KERNEL), "%s", what);
	shot_expect_refused(test, goalloc_default, &shot, kind, 1, what);
	shot_take(goalloc_default, &shot);
	KUNIT_EXPECT_NULL_MSG(test, gorealloc(p, misuse_hide(100000), GFP_KERNEL), "%s", what);
	shot_expect_refused(test, goalloc_default, &shot, kind, 1, what);
}

/* Freed already: small objects of every kind of class. */
static void misuse_double(struct kunit *test)
{
	static const u32 sizes[] = { 8, 24, 64, 100, 1000, 3000, 8192, 20000, 32768 };
	unsigned int row;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		/* A neighbour keeps the span. */
		void *mate = goalloc(misuse_hide(sizes[row]), GFP_KERNEL);
		void *p = goalloc(misuse_hide(sizes[row]), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, mate);
		KUNIT_ASSERT_NOT_NULL(test, p);
		gofree(p);
		misuse_expect(test, p, BAD_FREE_DOUBLE, "freed already");
		/* Nor when it is no longer in this CPU's list, if that kept it. */
		cache_drain_all(goalloc_default);
		if (sizes[row] <= 3000)
			misuse_expect(test, p, BAD_FREE_DOUBLE, "in the central");
		gofree(mate);
	}
}

/* With all its neighbours: the span is no more. */
static void misuse_freed_span(struct kunit *test)
{
	static const u32 sizes[] = { 8, 1000, 32768, 50000, 1 << 20 };
	unsigned int row;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		void *p;

		cache_drain_all(goalloc_default);
		p = goalloc(misuse_hide(sizes[row]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		gofree(p);
		cache_drain_all(goalloc_default);
		misuse_expect(test, p, BAD_FREE_SPAN, "its span freed");
		/* When the pages have gone back nobody knows of it any more. */
		heap_scavenge(heap_node_of(goalloc_default, page_to_nid(virt_to_page(p))),
			      U64_MAX, true);
		misuse_expect(test, p, BAD_FREE_FOREIGN, "its pages given back");
	}
}

/* Not the first byte of an object: every other byte of some. */
static void misuse_interior(struct kunit *test)
{
	static const u32 sizes[] = { 8, 48, 1024, 32768, 40000 };
	struct heap_shot shot;
	unsigned int row, byte;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		char *p = goalloc(misuse_hide(sizes[row]), GFP_KERNEL);
		unsigned int step = sizes[row] / 256 + 1;
		unsigned int n = 0;

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0x21, sizes[row]);
		shot_take(goalloc_default, &shot);
		for (byte = 1; byte < sizes[row]; byte += step)
			n += byte % 8 != 0;
		for (byte = 1; byte < sizes[row]; byte += step)
			if (byte % 8)
				gofree(p + byte);
		shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_MISALIGNED, n,
				    "misaligned");
		shot_take(goalloc_default, &shot);
		for (byte = 8, n = 0; byte < sizes[row]; byte += round_up(step, 8), n++)
			gofree(p + byte);
		shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_INTERIOR, n, "interior");
		misuse_expect(test, p + 1, BAD_FREE_MISALIGNED, "second byte");
		misuse_expect(test, p + sizes[row] - 1, BAD_FREE_MISALIGNED, "last byte");
		if (sizes[row] > 8)
			misuse_expect(test, p + 8, BAD_FREE_INTERIOR, "second word");
		/* gofree_sensitive() cleared none of it. */
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x21, sizes[row]));
		gofree(p);
	}
}

/* Behind the last object of a span, where there is room for none. */
static void misuse_tail(struct kunit *test)
{
	void *p = goalloc(misuse_hide(48), GFP_KERNEL);
	struct goalloc_span *span;

	KUNIT_ASSERT_NOT_NULL(test, p);
	span = pagemap_span(&goalloc_space.map, (unsigned long)p);
	KUNIT_ASSERT_NOT_NULL(test, span);
	KUNIT_ASSERT_GT(test, span_tail(span), 8U);
	misuse_expect(test, (void *)span_slot_addr(span, span->bits.nelems),
		      BAD_FREE_MISALIGNED, "tail");
	misuse_expect(test, (void *)span_slot_addr(span, span->bits.nelems) + 8,
		      BAD_FREE_MISALIGNED, "tail");
	gofree(p);
}

static int misuse_static;

/* Never goalloc's at all, mapped or not. */
static void misuse_foreign(struct kunit *test)
{
	unsigned long base = goalloc_space.source.base;
	void *slab = kmalloc(misuse_hide(64), GFP_KERNEL);
	unsigned long page = __get_free_page(GFP_KERNEL);
	int stack = 0;
	const void *p[] = {
		slab, (void *)page, &stack, &misuse_static, misuse_foreign,
		(void *)17, (void *)0x1000, (void *)0x7fffffffe000, (void *)0x800000000000,
		(void *)LONG_MAX, (void *)LONG_MIN, (void *)ULONG_MAX, ERR_PTR(-ENOMEM),
		(void *)base - 1,
		(void *)base + goalloc_space.source.nr_pages * GOALLOC_PAGE_SIZE,
	};
	struct heap_shot shot;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_ASSERT_NE(test, 0UL, page);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		misuse_expect(test, p[i], BAD_FREE_FOREIGN, "foreign");
		shot_take(goalloc_default, &shot);
		KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p[i]));
		KUNIT_EXPECT_FALSE(test, goalloc_owns(p[i]));
		shot_expect_same(test, goalloc_default, &shot, "asking");
	}
	kfree(slab);
	free_page(page);
}

/* Another heap's: refused, and not a byte of it changed. */
static void misuse_other_heap(struct kunit *test)
{
	static const u32 sizes[] = { 16, 700, 32768, 100000 };
	struct goalloc_heap *heap = goalloc_heap_create("misuse", NULL);
	struct heap_shot shot;
	unsigned int row;
	void *p, *mine;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		p = goalloc_heap_alloc(heap, misuse_hide(sizes[row]), GFP_KERNEL);
		mine = goalloc(misuse_hide(sizes[row]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, mine);
		memset(p, 0x5c, sizes[row]);
		shot_take(heap, &shot);
		misuse_expect(test, p, BAD_FREE_HEAP, "of another heap");
		shot_expect_same(test, heap, &shot, "freed elsewhere");
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x5c, sizes[row]));
		goalloc_heap_free(heap, mine);
		shot_expect_refused(test, heap, &shot, BAD_FREE_HEAP, 1, "of the default heap");
		goalloc_heap_free(heap, p);
		gofree(mine);
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
	/* Late: the heap is gone, and its pages with it. */
	misuse_expect(test, p, BAD_FREE_FOREIGN, "its heap ended");
}

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE(misuse_double),
	KUNIT_CASE(misuse_freed_span),
	KUNIT_CASE(misuse_interior),
	KUNIT_CASE(misuse_tail),
	KUNIT_CASE(misuse_foreign),
	KUNIT_CASE(misuse_other_heap),
	{}
};

static struct kunit_suite misuse_suite = {
	.name = "goalloc_misuse",
	.exit = misuse_suite_exit,
	.test_cases = misuse_cases,
};

kunit_test_suites(&misuse_suite);
