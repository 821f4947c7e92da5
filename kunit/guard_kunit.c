// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guard objects: each kind of bug gives exactly its report and the kernel goes
 * on; who gets a guarded object, and that all of them come back.
 *
 * Each case has a pool of its own, so that it counts from zero.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "detour.h"
#include "guard.h"
#include "listen.h"
#include "shot.h"
#include "stats.h"

#define GUARD_SLOTS 8
/* An interval that does not pass by itself. */
#define GUARD_LONG (3600 * 1000)

static size_t guard_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

static int guard_suite_init(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .harden = GOALLOC_HARDEN_GUARD };

	if (guard_start(GUARD_SLOTS, 0))
		return -ENOMEM;
	test->priv = goalloc_heap_create("guarded", &attr);
	crew_stay();
	return PTR_ERR_OR_ZERO(test->priv);
}

static void guard_check_ledger(struct kunit *test, struct goalloc_heap *heap)
{
	struct goalloc_stats st;

	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, st.live_objects, st.allocs - st.frees);
}

static void guard_suite_exit(struct kunit *test)
{
	struct guard_stats gs;

	listen_stop();
	guard_fault_probe(true);
	guard_get_stats(&gs);
	KUNIT_EXPECT_EQ(test, 0ULL, gs.live);
	guard_check_ledger(test, NULL);
	if (!IS_ERR_OR_NULL(test->priv)) {
		guard_check_ledger(test, test->priv);
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, false));
	}
	KUNIT_EXPECT_TRUE(test, guard_stop());
}

static u64 guard_faults(void)
{
	struct guard_stats gs;

	guard_get_stats(&gs);
	return gs.faults;
}

/*
 * What was opened for an access is closed some time later, which may be before
 * the access goes on. Then it faults again, and is counted again.
 */
static void guard_faulted(struct kunit *test, u64 nr)
{
	KUNIT_EXPECT_GE(test, guard_faults(), nr);
}

/* An object at the left or the right end of its page. */
static char *guard_object(struct kunit *test, size_t size, bool right)
{
	char *p;
	int i;

	for (i = 0; i < 1000; i++) {
		p = goalloc_heap_alloc(test->priv, guard_hide(size), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_TRUE(test, guard_owns(p));
		if (right == !!offset_in_page(p))
			return p;
		goalloc_heap_free(test->priv, p);
	}
	KUNIT_FAIL(test, "no object at the %s end", right ? "right" : "left");
	kunit_skip(test, "nothing to look at");
	return NULL;
}

/* The bugs, each at a place of its own that reports can name. */
static noinline char guard_bad_read(const char *p)
{
	char c = READ_ONCE(*p);

	barrier();
	return c;
}

static noinline void guard_bad_write(char *p)
{
	WRITE_ONCE(*p, 0x77);
	barrier();
}

static void guard_expect(struct kunit *test, const char *report)
{
	pr_info("goalloc-kunit: expect-begin %s\n", report);
	listen_start(test);
}

static void guard_expected(struct kunit *test, const char *report, const char *place)
{
	listen_stop();
	pr_info("goalloc-kunit: expect-end\n");
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count("BUG: "), "%s", report);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(report), "%s", report);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(place), "%s", place);
}

/* Past either end: reported, and the access goes on. */
static void guard_bounds(struct kunit *test)
{
	char *p = guard_object(test, 64, true);
	char *q = guard_object(test, 200, false);

	memset(p, 1, 64);
	memset(q, 2, 200);
	guard_expect(test, "BUG: out-of-bounds read in guard_bad_read");
	KUNIT_EXPECT_EQ(test, 0, guard_bad_read(p + 64));
	guard_expected(test, "BUG: out-of-bounds read in guard_bad_read",
		       ", 1 bytes right of the object");
	KUNIT_EXPECT_EQ(test, 1U, listen_count(": 64 bytes, heap guarded, guard slot"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: allocated by task "));
	KUNIT_EXPECT_EQ(test, 0U, listen_count("goalloc: freed by task "));
	guard_faulted(test, 1ULL);

	/* The page between may be theirs both, and is open until then. */
	guard_settle();
	guard_expect(test, "BUG: out-of-bounds write in guard_bad_write");
	guard_bad_write(q - 3);
	guard_expected(test, "BUG: out-of-bounds write in guard_bad_write",
		       ", 3 bytes left of the object");
	KUNIT_EXPECT_EQ(test, 1U, listen_count(": 200 bytes, heap guarded, guard slot"));
	guard_faulted(test, 2ULL);
	/* Neither hit the other object or its own. */
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 1, 64));
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 2, 200));
	goalloc_heap_free(test->priv, p);
	goalloc_heap_free(test->priv, q);
}

/* An object that was freed, and what lay beside it. */
static void guard_after_free(struct kunit *test)
{
	char *p = goalloc_heap_alloc(test->priv, guard_hide(100), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x31, 100);
	goalloc_heap_free(test->priv, p);
	guard_expect(test, "BUG: use-after-free read in guard_bad_read");
	/* What was there is read once the access goes on. */
	KUNIT_EXPECT_EQ(test, want_init_on_free() ? 0 : 0x31, guard_bad_read(p + 7));
	guard_expected(test, "BUG: use-after-free read in guard_bad_read",
		       ", byte 7 of the object");
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: allocated by task "));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: freed by task "));
	KUNIT_EXPECT_EQ(test, 1U, listen_count(": 100 bytes, heap guarded, guard slot"));

	p = guard_object(test, 40, true);
	goalloc_heap_free(test->priv, p);
	guard_expect(test, "BUG: use-after-free write in guard_bad_write");
	guard_bad_write(p);
	guard_expected(test, "BUG: use-after-free write in guard_bad_write",
		       ", byte 0 of the object");
	/* In its page, but never the object's. */
	p = guard_object(test, 40, true);
	goalloc_heap_free(test->priv, p);
	guard_expect(test, "BUG: invalid read in guard_bad_read");
	guard_bad_read(p - 8);
	guard_expected(test, "BUG: invalid read in guard_bad_read",
		       ", 8 bytes left of the object");
	guard_faulted(test, 3ULL);
}

/* Two pages on, where nothing ever was. */
static void guard_wild(struct kunit *test)
{
	char *p;

	/* The first object is in the first slot. */
	p = goalloc_heap_alloc(test->priv, guard_hide(64), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	guard_expect(test, "BUG: invalid read in guard_bad_read");
	guard_bad_read((char *)PAGE_ALIGN_DOWN((unsigned long)p) + 2 * PAGE_SIZE + 5);
	guard_expected(test, "BUG: invalid read in guard_bad_read",
		       ", where no object ever was");
	goalloc_heap_free(test->priv, p);
}

/* A report per object; more of it are counted, and found again and again. */
static void guard_once(struct kunit *test)
{
	char *p = guard_object(test, 48, true);
	int i;

	guard_expect(test, "BUG: out-of-bounds write in guard_bad_write");
	for (i = 1; i <= 3; i++) {
		guard_bad_write(p + 48);
		guard_faulted(test, (u64)i);
		/* Until the work has run the page is open. */
		guard_settle();
	}
	guard_expected(test, "BUG: out-of-bounds write in guard_bad_write",
		       ", 1 bytes right of the object");
	goalloc_heap_free(test->priv, p);
	/* The slot's next object has a report of its own. */
	for (i = 0; i < GUARD_SLOTS; i++) {
		p = guard_object(test, 48, true);
		goalloc_heap_free(test->priv, p);
	}
	p = guard_object(test, 48, true);
	guard_expect(test, "BUG: out-of-bounds write in guard_bad_write");
	guard_bad_write(p + 48);
	guard_expected(test, "BUG: out-of-bounds write in guard_bad_write",
		       ", 1 bytes right of the object");
	goalloc_heap_free(test->priv, p);
}

static void guard_call_read(void *p)
{
	guard_bad_read(p);
}

/* Where no task could be killed without the machine: it goes on as well. */
static void guard_interrupt(struct kunit *test)
{
	char *p = guard_object(test, 48, true);

	guard_expect(test, "BUG: out-of-bounds read in guard_bad_read");
	crew_in_hardirq(guard_call_read, p + 48);
	guard_expected(test, "BUG: out-of-bounds read in guard_bad_read",
		       ", 1 bytes right of the object");
	goalloc_heap_free(test->priv, p);
	p = guard_object(test, 48, true);
	goalloc_heap_free(test->priv, p);
	/* Not listened to: 6.1 warns of a tracepoint there. */
	pr_info("goalloc-kunit: expect-begin BUG: use-after-free read in guard_bad_read\n");
	crew_as_nmi(guard_call_read, p + 1);
	pr_info("goalloc-kunit: expect-end\n");
	guard_faulted(test, 2ULL);
}

/* A CPU that has used an object learns that it was freed on another. */
static void guard_other_cpu(struct kunit *test)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, get_cpu());
	char *p;

	put_cpu();
	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "one CPU");
	p = goalloc_heap_alloc(test->priv, guard_hide(32), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 0, smp_call_function_single(cpu, guard_call_read, p, 1));
	KUNIT_EXPECT_EQ(test, 0ULL, guard_faults());
	goalloc_heap_free(test->priv, p);
	guard_settle();
	guard_expect(test, "BUG: use-after-free read in guard_bad_read");
	KUNIT_EXPECT_EQ(test, 0, smp_call_function_single(cpu, guard_call_read, p, 1));
	guard_expected(test, "BUG: use-after-free read in guard_bad_read",
		       ", byte 0 of the object");
	guard_faulted(test, 1ULL);
}

/* Between the object and the page's end, on either side: found at the free. */
static void guard_damage(struct kunit *test)
{
	struct guard_stats gs;
	char *p;

	p = guard_object(test, 13, true);
	guard_bad_write(p + 13);
	guard_expect(test, "BUG: memory corruption beside a guarded object");
	goalloc_heap_free(test->priv, p);
	guard_expected(test, "BUG: memory corruption beside a guarded object",
		       "overwritten at ");
	KUNIT_EXPECT_EQ(test, 1U, listen_count(", 1 bytes right of the object"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bytes there: 77 "));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: allocated by task "));

	p = guard_object(test, 1000, true);
	guard_bad_write(p - 100);
	guard_expect(test, "BUG: memory corruption beside a guarded object");
	goalloc_heap_free(test->priv, p);
	guard_expected(test, "BUG: memory corruption beside a guarded object",
		       ", 100 bytes left of the object");

	p = guard_object(test, 1000, false);
	guard_bad_write(p + PAGE_SIZE - 1);
	guard_expect(test, "BUG: memory corruption beside a guarded object");
	goalloc_heap_free(test->priv, p);
	guard_expected(test, "BUG: memory corruption beside a guarded object",
		       " bytes right of the object");
	guard_get_stats(&gs);
	KUNIT_EXPECT_EQ(test, 3ULL, gs.damaged);
	KUNIT_EXPECT_EQ(test, 0ULL, gs.faults);
	KUNIT_EXPECT_EQ(test, 0ULL, gs.live);
}

/* Every byte of the page that is not the object's is watched. */
static void guard_damage_everywhere(struct kunit *test)
{
	static const u32 sizes[] = { 1, 7, 8, 100, 4000, 4093 };
	unsigned int row, step, n = 0;
	struct guard_stats gs;
	unsigned long at;
	char *p, *page;

	pr_info("goalloc-kunit: expect-begin BUG: memory corruption beside a guarded object\n");
	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		step = sizes[row] < 4000 ? 509 : 1;
		for (at = 0; at < PAGE_SIZE; at += step) {
			p = goalloc_heap_alloc(test->priv, guard_hide(sizes[row]), GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			page = (char *)PAGE_ALIGN_DOWN((unsigned long)p);
			if (page + at < p || page + at >= p + sizes[row]) {
				page[at] ^= 1;
				n++;
			} else {
				page[at] ^= 1;
			}
			goalloc_heap_free(test->priv, p);
			if (sizes[row] >= 4000 && at == 8)
				at = 3990;
		}
	}
	pr_info("goalloc-kunit: expect-end\n");
	guard_get_stats(&gs);
	KUNIT_EXPECT_GT(test, n, 50U);
	KUNIT_EXPECT_EQ(test, (u64)n, gs.damaged);
}

static noinline void guard_refused(struct kunit *test, struct goalloc_heap *heap,
				   void *p, enum bad_free kind, const char *what)
{
	struct heap_shot shot;

	shot_take(heap, &shot);
	goalloc_heap_free(heap, p);
	shot_expect_refused(test, heap, &shot, kind, 1, what);
}

/* Frees that are wrong are told apart, and nothing changes. */
static void guard_bad_frees(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	char *p = guard_object(test, 100, true);
	char *q = guard_object(test, 100, false);
	struct heap_shot shot;

	guard_refused(test, heap, p + 8, BAD_FREE_INTERIOR, "inside");
	guard_refused(test, heap, p - 8, BAD_FREE_INTERIOR, "beside");
	guard_refused(test, heap, q + PAGE_SIZE, BAD_FREE_FOREIGN, "right guard");
	guard_refused(test, heap, q - 1, BAD_FREE_FOREIGN, "left guard");
	guard_refused(test, heap, q + 7, BAD_FREE_MISALIGNED, "inside, no multiple of 8");
	guard_refused(test, goalloc_default, p, BAD_FREE_HEAP, "the default heap's");
	KUNIT_EXPECT_EQ(test, (size_t)100, gosize(p));
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p));
	listen_start(test);
	guard_refused(test, heap, p, BAD_FREE_DOUBLE, "free");
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: bad free (double) at guard_refused+"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("heap guarded, guarded object "));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: allocated by task "));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: freed by task "));
	guard_refused(test, goalloc_default, p, BAD_FREE_DOUBLE, "free, other heap");
	guard_refused(test, heap, p + 8, BAD_FREE_SPAN, "in a free page");
	guard_refused(test, heap, p + 3, BAD_FREE_MISALIGNED, "no multiple of 8");
	shot_take(goalloc_default, &shot);
	KUNIT_EXPECT_NULL(test, gorealloc(p, guard_hide(10), GFP_KERNEL));
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_DOUBLE, 1, "resized");
	/* gofree_sensitive() clears nothing that is not there. */
	gofree_sensitive(p);
	KUNIT_EXPECT_EQ(test, 0ULL, guard_faults());
	goalloc_heap_free(heap, q);
}

/* What an allocation promises holds for every size. */
static void guard_objects(struct kunit *test)
{
	static const u32 sizes[] = {
		1, 2, 7, 8, 9, 13, 16, 24, 31, 32, 48, 64, 96, 100, 128, 200, 256,
		500, 512, 1000, 1024, 1536, 2048, 3000, 3072, 4032, 4095, 4096,
	};
	struct goalloc_heap *heap = test->priv;
	unsigned int row, i, left = 0, right = 0;
	struct goalloc_stats st;
	size_t align, end;
	char *p;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		for (i = 0; i < 12; i++) {
			p = goalloc_heap_alloc(heap, guard_hide(sizes[row]),
					       i & 1 ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_ASSERT_TRUE(test, guard_owns(p));
			if (i & 1)
				KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, sizes[row]));
			align = clamp_t(size_t, sizes[row] & -sizes[row], 8, PAGE_SIZE);
			KUNIT_EXPECT_EQ_MSG(test, 0UL, (unsigned long)p & (align - 1),
					    "size %u", sizes[row]);
			KUNIT_EXPECT_LE(test, offset_in_page(p) + sizes[row], PAGE_SIZE);
			left += !offset_in_page(p);
			end = offset_in_page(p) + sizes[row];
			right += PAGE_SIZE - end < align && sizes[row] + align < PAGE_SIZE;
			memset(p, 0xcc, sizes[row]);
			KUNIT_EXPECT_EQ(test, (size_t)sizes[row], gosize(p));
			KUNIT_EXPECT_TRUE(test, goalloc_owns(p));
			KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
			goalloc_heap_stats(heap, &st);
			KUNIT_EXPECT_EQ(test, 1ULL, st.guard_objects);
			KUNIT_EXPECT_EQ(test, 1ULL, st.live_objects);
			goalloc_heap_free(heap, p);
		}
	}
	/* 1 in 2^100 that a good coin fails here. */
	KUNIT_EXPECT_GT(test, left, 50U);
	KUNIT_EXPECT_GT(test, right, 50U);
	/* More than a page cannot be guarded. */
	p = goalloc_heap_alloc(heap, guard_hide(PAGE_SIZE + 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, guard_owns(p));
	goalloc_heap_free(heap, p);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, (GUARD_SLOTS + 1) * PAGE_SIZE, st.guard_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.guard_faults);
	KUNIT_EXPECT_EQ(test, 0ULL, st.guard_damaged);
}

/* The pool is used up: ordinary objects follow, and both kinds go home. */
static void guard_exhaustion(struct kunit *test)
{
	struct goalloc_heap *heap = test->priv;
	char *p[GUARD_SLOTS + 5];
	struct guard_stats gs;
	int i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = goalloc_heap_alloc(heap, guard_hide(100), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_EXPECT_EQ(test, i < GUARD_SLOTS, guard_owns(p[i]));
		memset(p[i], i, 100);
	}
	guard_get_stats(&gs);
	KUNIT_EXPECT_EQ(test, (u64)GUARD_SLOTS, gs.live);
	KUNIT_EXPECT_EQ(test, 5ULL, gs.full);
	guard_check_ledger(test, heap);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(p[i], i, 100));
		goalloc_heap_free(heap, p[i]);
	}
}

/* Freed first, used first, and none is forgotten. */
static void guard_reuse(struct kunit *test)
{
	static const u8 order[GUARD_SLOTS] = { 3, 0, 7, 1, 6, 2, 5, 4 };
	struct goalloc_heap *heap = test->priv;
	unsigned long page[GUARD_SLOTS];
	char *p[GUARD_SLOTS];
	int i, round;

	for (i = 0; i < GUARD_SLOTS; i++) {
		p[i] = goalloc_heap_alloc(heap, guard_hide(64), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		page[i] = PAGE_ALIGN_DOWN((unsigned long)p[i]);
	}
	for (i = 0; i < GUARD_SLOTS; i++)
		goalloc_heap_free(heap, p[order[i]]);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < GUARD_SLOTS; i++) {
			p[0] = goalloc_heap_alloc(heap, guard_hide(64), GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[0]);
			KUNIT_EXPECT_EQ(test, page[order[i]],
					PAGE_ALIGN_DOWN((unsigned long)p[0]));
			goalloc_heap_free(heap, p[0]);
		}
	}
}

static void *guard_slow(size_t size)
{
	return cache_alloc_slow(goalloc_default, sizeclass_of(size), size, GFP_KERNEL);
}

/* Of the default heap's slow paths one per interval. */
static void guard_samples(struct kunit *test)
{
	struct goalloc_heap *plain = goalloc_heap_create("plain", NULL);
	unsigned int i, round, guarded;
	void *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(plain));
	/* As the pool was started: none at all. */
	guard_elapse(10 * GUARD_LONG);
	for (i = 0; i < 50; i++) {
		p = guard_slow(64);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_FALSE(test, guard_owns(p));
		gofree(p);
	}
	goalloc_heap_destroy(test->priv, false);
	test->priv = NULL;
	KUNIT_ASSERT_TRUE(test, guard_stop());
	KUNIT_ASSERT_EQ(test, 0, guard_start(GUARD_SLOTS, GUARD_LONG));

	for (round = 0; round < 5; round++) {
		guarded = 0;
		for (i = 0; i < 50; i++) {
			/* Heaps that did not ask for it, tiny blocks: never. */
			p = cache_alloc_slow(plain, sizeclass_of(64), 64, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_FALSE(test, guard_owns(p));
			goalloc_heap_free(plain, p);
			p = cache_alloc_slow(goalloc_default, GOALLOC_TINY_BIN, 16, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_FALSE(test, guard_owns(p));
			gofree(p);
			p = guard_slow(8192);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_FALSE(test, guard_owns(p));
			gofree(p);
		}
		for (i = 0; i < 50; i++) {
			p = guard_slow(64);
			KUNIT_ASSERT_NOT_NULL(test, p);
			guarded += guard_owns(p);
			gofree(p);
		}
		KUNIT_EXPECT_EQ_MSG(test, round ? 1U : 0U, guarded, "round %u", round);
		guard_elapse(GUARD_LONG);
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(plain, false));
}

/* Every function of the family takes a guarded object of the default heap. */
static void guard_family(struct kunit *test)
{
	void *many[2];
	char *p, *q;
	int i;

	goalloc_heap_destroy(test->priv, false);
	test->priv = NULL;
	KUNIT_ASSERT_TRUE(test, guard_stop());
	KUNIT_ASSERT_EQ(test, 0, guard_start(GUARD_SLOTS, GUARD_LONG));

	/* The class stands for an alignment. */
	for (i = 0; i < 20; i++) {
		guard_elapse(GUARD_LONG);
		p = cache_alloc_slow(goalloc_default, sizeclass_of(128), 100, GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, guard_owns(p));
		KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p % 128);
		KUNIT_EXPECT_EQ(test, (size_t)100, gosize(p));
		gofree(p);
	}
	guard_elapse(GUARD_LONG);
	p = guard_slow(100);
	KUNIT_ASSERT_TRUE(test, guard_owns(p));
	memset(p, 0x42, 100);
	/* Smaller: stays. Larger: moves, the contents as well. */
	KUNIT_EXPECT_PTR_EQ(test, (void *)p, gorealloc(p, guard_hide(50), GFP_KERNEL));
	q = gorealloc(p, guard_hide(101), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0x42, 100));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p));
	gofree(q);

	guard_elapse(GUARD_LONG);
	p = guard_slow(200);
	KUNIT_ASSERT_TRUE(test, guard_owns(p));
	gokvfree(p);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p));
	guard_elapse(GUARD_LONG);
	p = guard_slow(200);
	KUNIT_ASSERT_TRUE(test, guard_owns(p));
	memset(p, 0x51, 200);
	gofree_sensitive(p);
	guard_expect(test, "BUG: use-after-free read in guard_bad_read");
	KUNIT_EXPECT_EQ(test, 0, guard_bad_read(p + 199));
	guard_expected(test, "BUG: use-after-free read in guard_bad_read",
		       ", byte 199 of the object");
	guard_elapse(GUARD_LONG);
	many[0] = guard_slow(300);
	many[1] = guard_slow(300);
	KUNIT_EXPECT_TRUE(test, guard_owns(many[0]));
	KUNIT_EXPECT_FALSE(test, guard_owns(many[1]));
	gofree_bulk(2, many);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(many[0]));
	guard_faulted(test, 1ULL);
	/* Still vmalloc()'s. */
	p = gokvalloc(guard_hide(GOALLOC_MAX_SIZE + PAGE_SIZE), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, goalloc_owns(p));
	gokvfree(p);
}

struct guard_work {
	struct goalloc_heap *heap;
	atomic_t bad;
	atomic_t guarded;
};

static void guard_round(void *arg)
{
	struct guard_work *work = arg;
	char *p[3];
	int i;

	for (i = 0; i < 3; i++) {
		p[i] = goalloc_heap_alloc(work->heap, 33 + i, GFP_ATOMIC);
		if (!p[i] && crew_must_get())
			atomic_inc(&work->bad);
		if (!p[i])
			continue;
		memset(p[i], 0x60 + i, 33 + i);
		atomic_add(guard_owns(p[i]), &work->guarded);
	}
	for (i = 0; i < 3; i++) {
		if (!p[i])
			continue;
		if (gosize(p[i]) < 33 + i || memchr_inv(p[i], 0x60 + i, 33 + i))
			atomic_inc(&work->bad);
		goalloc_heap_free(work->heap, p[i]);
	}
}

static void guard_member(void *arg, unsigned int member)
{
	int i;

	for (i = 0; i < 100; i++) {
		guard_round(arg);
		crew_in_hardirq(guard_round, arg);
		crew_as_nmi(guard_round, arg);
		crew_in_softirq(guard_round, arg);
		cond_resched();
	}
}

/* All CPUs and contexts at once on a pool that is too small for them. */
static void guard_contexts(struct kunit *test)
{
	struct guard_work work = { .heap = test->priv };
	struct goalloc_stats st;

	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, guard_member, &work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&work.bad));
	KUNIT_EXPECT_GT(test, atomic_read(&work.guarded), 400);
	/* The last NMI's frees wait for somebody to take them back. */
	goalloc_flush(test->priv);
	goalloc_heap_stats(test->priv, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	KUNIT_EXPECT_EQ(test, (u64)atomic_read(&work.guarded), st.guard_allocs);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.guard_faults);
	KUNIT_EXPECT_EQ(test, 0ULL, st.guard_damaged);
}

struct guard_race {
	struct goalloc_heap *heap;
	void *p;
};

static void guard_race_free(void *arg, unsigned int member)
{
	struct guard_race *race = arg;

	goalloc_heap_free(race->heap, race->p);
}

/* Freed on all CPUs at once: by one of them. */
static void guard_race(struct kunit *test)
{
	struct guard_race race = { .heap = test->priv };
	struct goalloc_stats st;
	int i;

	for (i = 0; i < 20; i++) {
		race.p = goalloc_heap_alloc(test->priv, guard_hide(80), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, race.p);
		KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, guard_race_free, &race));
	}
	goalloc_heap_stats(test->priv, &st);
	KUNIT_EXPECT_EQ(test, 20ULL, st.frees);
	KUNIT_EXPECT_EQ(test, 20ULL * (CREW_FULL - 1), st.bad_frees);
	for (i = 0; i < GUARD_SLOTS; i++)
		goalloc_heap_free(test->priv, goalloc_heap_alloc(test->priv, 8, GFP_KERNEL));
}

static noinline void *guard_lose(struct goalloc_heap *heap)
{
	void *p = goalloc_heap_alloc(heap, guard_hide(71), GFP_KERNEL);

	/* No tail call, or the place would be the caller's. */
	barrier();
	return p;
}

/* A heap that ends takes its objects back, or says what lives. */
static void guard_heap_ends(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .harden = GOALLOC_HARDEN_GUARD };
	struct goalloc_heap *heap = goalloc_heap_create("short", &attr);
	struct guard_stats gs;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_NOT_NULL(test, goalloc_heap_alloc(heap, guard_hide(70), GFP_KERNEL));
	guard_get_stats(&gs);
	KUNIT_EXPECT_EQ(test, 3ULL, gs.live);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
	guard_get_stats(&gs);
	KUNIT_EXPECT_EQ(test, 0ULL, gs.live);
	for (i = 0; i < 2 * GUARD_SLOTS; i++)
		goalloc_heap_free(test->priv, goalloc_heap_alloc(test->priv, 8, GFP_KERNEL));

	heap = goalloc_heap_create("loser", &attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	KUNIT_ASSERT_NOT_NULL(test, guard_lose(heap));
	listen_start(test);
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_heap_destroy(heap, false));
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("heap loser: live guarded object of 71 bytes"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count(", allocated at guard_lose+"));
	/* What is left of it is not to be taken for a leak. */
	goalloc_heap_destroy(heap, true);

	/* With a live object the pool stays where it is. */
	KUNIT_ASSERT_NOT_NULL(test, goalloc_heap_alloc(test->priv, guard_hide(72), GFP_KERNEL));
	listen_start(test);
	KUNIT_EXPECT_FALSE(test, guard_stop());
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count(" live guarded objects; "
					       "the 9 pages of their pool are not given back"));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, true));
	test->priv = NULL;
	KUNIT_ASSERT_EQ(test, 0, guard_start(GUARD_SLOTS, 0));
}

/* What cannot be is refused; without a pool nobody gets what he asked for. */
static void guard_off(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .harden = GOALLOC_HARDEN_GUARD };
	int i;

	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, false));
	test->priv = NULL;
	KUNIT_EXPECT_TRUE(test, guard_stop());
	KUNIT_EXPECT_TRUE(test, guard_stop());
	/* What is not given back shows when the guest counts its memory. */
	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_EQ(test, 0, guard_start(1000, GUARD_LONG));
		KUNIT_EXPECT_TRUE(test, guard_stop());
	}
	KUNIT_EXPECT_FALSE(test, guard_available());
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, (int)PTR_ERR(goalloc_heap_create("g", &attr)));
	KUNIT_EXPECT_EQ(test, -EINVAL, guard_start(0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, guard_start(UINT_MAX, 0));
	attr.harden = BIT(31);
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR(goalloc_heap_create("g", &attr)));
}

/*
 * Without the probe the kernel oopses first, and goes on all the same. The last
 * case: after it no lock is checked any more.
 */
static void guard_oops(struct kunit *test)
{
	char *p = guard_object(test, 64, true);

	guard_fault_probe(false);
	memset(p, 1, 64);
	guard_expect(test, "BUG: unable to handle page fault for address");
	KUNIT_EXPECT_EQ(test, 0, guard_bad_read(p + 64));
	guard_expected(test, "BUG: out-of-bounds read in guard_bad_read",
		       ", 1 bytes right of the object");
	guard_faulted(test, 1ULL);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 1, 64));
	goalloc_heap_free(test->priv, p);
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE(guard_objects),
	KUNIT_CASE(guard_exhaustion),
	KUNIT_CASE(guard_reuse),
	KUNIT_CASE(guard_samples),
	KUNIT_CASE(guard_family),
	KUNIT_CASE(guard_contexts),
	KUNIT_CASE(guard_race),
	KUNIT_CASE(guard_bad_frees),
	KUNIT_CASE(guard_heap_ends),
	KUNIT_CASE(guard_off),
	KUNIT_CASE(guard_damage),
	KUNIT_CASE(guard_damage_everywhere),
	KUNIT_CASE(guard_bounds),
	KUNIT_CASE(guard_after_free),
	KUNIT_CASE(guard_wild),
	KUNIT_CASE(guard_once),
	KUNIT_CASE(guard_interrupt),
	KUNIT_CASE(guard_other_cpu),
	KUNIT_CASE(guard_oops),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "goalloc_guard",
	.init = guard_suite_init,
	.exit = guard_suite_exit,
	.test_cases = guard_cases,
};

kunit_test_suites(&guard_suite);
