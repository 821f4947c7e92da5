// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tiny objects: where they are packed, and that each is freed on its own.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "shot.h"
#include "stats.h"

#define BLOCK 16UL

static int tiny_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 512, 1);
	return 0;
}

static void tiny_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

static void *tiny_get(struct fake_heap *fh, size_t size)
{
	return tiny_alloc(fh->heap, size, GFP_KERNEL);
}

static unsigned int tiny_bytes(struct fake_heap *fh, const void *p)
{
	struct slot_ref ref;

	slot_find(&fh->fake.space.map, (unsigned long)p, &ref);
	/* Its span may have gone with it. */
	if (!ref.span)
		return 0;
	return tiny_size(ref.span, ref.slot, (unsigned long)p % BLOCK);
}

static u8 tiny_state(struct fake_heap *fh, const void *p)
{
	struct slot_ref ref;

	slot_find(&fh->fake.space.map, (unsigned long)p, &ref);
	return ref.span ? *ref.state : SLOT_FREE;
}

static u64 tiny_live(struct fake_heap *fh)
{
	struct tiny_stats ts;

	stats_tiny(fh->heap, &ts);
	return ts.live;
}

static u64 tiny_blocks(struct fake_heap *fh)
{
	struct bin_stats bs;

	stats_bin(fh->heap, GOALLOC_TINY_BIN, &bs);
	return bs.allocs - bs.frees;
}

/* Each object where Go's rule puts it, for rows that begin with a new block. */
static void tiny_places(struct kunit *test)
{
	static const struct {
		u8 size[8];
		s8 offset[8];	/* -1: in another block, at 0 */
	} rows[] = {
		{ { 8, 4, 2, 1, 1 }, { 0, 8, 12, 14, 15 } },
		{ { 1, 2, 4, 8 }, { 0, 2, 4, 8 } },
		{ { 1, 8, 1 }, { 0, 8, -1 } },		/* 16 is full */
		{ { 15, 1 }, { 0, 15 } },
		{ { 15, 2, 1 }, { 0, -1, 2 } },		/* more room left in the new one */
		{ { 3, 3, 3, 3, 3, 1 }, { 0, 3, 6, 9, 12, 15 } },
		{ { 12, 4 }, { 0, 12 } },
		{ { 5, 6, 4, 1 }, { 0, 6, 12, -1 } },
		{ { 7, 8 }, { 0, 8 } },
		{ { 4, 13, 12 }, { 0, -1, 4 } },	/* the old one has more: kept */
		{ { 10, 9, 6 }, { 0, -1, 10 } },	/* the new one has more */
	};
	struct fake_heap *fh = test->priv;
	unsigned int row, i;
	void *p[8];

	migrate_disable();
	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		unsigned long block = 0;

		preempt_disable();
		tiny_drop(cache_get(fh->heap));
		preempt_enable();
		for (i = 0; i < 8 && rows[row].size[i]; i++) {
			unsigned long at;

			p[i] = tiny_get(fh, rows[row].size[i]);
			KUNIT_EXPECT_NOT_NULL(test, p[i]);
			at = (unsigned long)p[i];
			if (rows[row].offset[i] < 0) {
				KUNIT_EXPECT_NE(test, block, round_down(at, BLOCK));
				KUNIT_EXPECT_EQ(test, 0UL, at % BLOCK);
			} else {
				KUNIT_EXPECT_EQ_MSG(test, (unsigned long)rows[row].offset[i],
						    at % BLOCK, "row %u, object %u", row, i);
			}
			if (!i)
				block = round_down(at, BLOCK);
		}
		while (i--)
			goalloc_heap_free(fh->heap, p[i]);
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_live(fh));
}

/* Go's rule as a model, against many random sizes; nothing overlaps. */
static void tiny_model(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int n = 4000, i, wrong = 0, offset = BLOCK;
	u8 *size = kunit_kzalloc(test, n, GFP_KERNEL);
	void **p = kunit_kcalloc(test, n, sizeof(*p), GFP_KERNEL);
	unsigned long block = 0;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, size);
	KUNIT_ASSERT_NOT_NULL(test, p);
	prandom_seed_state(&rnd, 1);
	migrate_disable();
	for (i = 0; i < n; i++) {
		unsigned int at, align;
		unsigned long addr;

		size[i] = 1 + prandom_u32_state(&rnd) % 15;
		align = size[i] % 8 == 0 ? 8 : size[i] % 4 == 0 ? 4 : size[i] % 2 == 0 ? 2 : 1;
		p[i] = tiny_get(fh, size[i]);
		addr = (unsigned long)p[i];
		at = round_up(offset, align);
		if (at + size[i] <= BLOCK) {
			wrong += addr != block + at;
			offset = at + size[i];
		} else {
			wrong += addr % BLOCK;
			wrong += round_down(addr, BLOCK) == block;
			/* Keep whichever has more room. */
			if (size[i] < offset) {
				block = addr;
				offset = size[i];
			}
		}
		wrong += !IS_ALIGNED(addr, align);
		wrong += tiny_bytes(fh, p[i]) != size[i];
		memset(p[i], i, size[i]);
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	for (i = 0; i < n; i++) {
		wrong += tiny_bytes(fh, p[i]) != size[i];
		wrong += !!memchr_inv(p[i], (u8)i, size[i]);
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_EQ(test, (u64)n, tiny_live(fh));
	/* Packing is worth it: two and more in a block. */
	KUNIT_EXPECT_LT(test, tiny_blocks(fh), (u64)n * 3 / 4);
	fake_heap_check(test, fh);

	/* In random order; what is left stays what it is. */
	for (i = 0; i < n; i++) {
		unsigned int j = i + prandom_u32_state(&rnd) % (n - i);

		swap(p[i], p[j]);
		swap(size[i], size[j]);
	}
	for (i = 0; i < n; i++) {
		wrong += tiny_bytes(fh, p[i]) != size[i];
		goalloc_heap_free(fh->heap, p[i]);
		wrong += tiny_bytes(fh, p[i]) != 0;
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_live(fh));
	cache_drain_all(fh->heap);
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_blocks(fh));
	fake_heap_check(test, fh);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, false));
	fh->heap = NULL;
}

/* A closed block goes back with its last object, whichever that is. */
static void tiny_last_one(struct kunit *test)
{
	static const u8 sizes[] = { 4, 2, 1, 1, 8 };
	struct fake_heap *fh = test->priv;
	unsigned int last, i;
	void *p[5];

	migrate_disable();
	for (last = 0; last < ARRAY_SIZE(p); last++) {
		for (i = 0; i < ARRAY_SIZE(p); i++)
			p[i] = tiny_get(fh, sizes[i]);
		KUNIT_EXPECT_EQ(test, 1ULL, tiny_blocks(fh));
		KUNIT_EXPECT_EQ(test, (u8)SLOT_TINY, tiny_state(fh, p[0]));
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			if (i == last)
				continue;
			goalloc_heap_free(fh->heap, p[i]);
			KUNIT_EXPECT_EQ(test, (u8)SLOT_TINY, tiny_state(fh, p[0]));
		}
		KUNIT_EXPECT_EQ(test, (unsigned int)sizes[last], tiny_bytes(fh, p[last]));
		goalloc_heap_free(fh->heap, p[last]);
		KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, tiny_state(fh, p[0]));
		KUNIT_EXPECT_EQ(test, 0ULL, tiny_blocks(fh));
	}
	migrate_enable();
	fake_heap_check(test, fh);
}

/* While a cache packs a block it stays, empty or not; then it goes. */
static void tiny_open_stays(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	char *a, *b;

	migrate_disable();
	a = tiny_get(fh, 4);
	KUNIT_EXPECT_EQ(test, (u8)SLOT_TINY_OPEN, tiny_state(fh, a));
	goalloc_heap_free(fh->heap, a);
	KUNIT_EXPECT_EQ(test, (u8)SLOT_TINY_OPEN, tiny_state(fh, a));
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_live(fh));
	KUNIT_EXPECT_EQ(test, 1ULL, tiny_blocks(fh));
	/* The room of a freed object is not used again. */
	b = tiny_get(fh, 4);
	KUNIT_EXPECT_PTR_EQ(test, a + 4, b);
	preempt_disable();
	tiny_drop(cache_get(fh->heap));
	preempt_enable();
	KUNIT_EXPECT_EQ(test, (u8)SLOT_TINY, tiny_state(fh, a));
	goalloc_heap_free(fh->heap, b);
	KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, tiny_state(fh, a));
	/* Dropped while empty: gone at once. */
	a = tiny_get(fh, 4);
	goalloc_heap_free(fh->heap, a);
	preempt_disable();
	tiny_drop(cache_get(fh->heap));
	preempt_enable();
	KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, tiny_state(fh, a));
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_blocks(fh));
	migrate_enable();
	fake_heap_check(test, fh);
}

/* Offset 15 is the cache's share until an object of one byte gets it. */
static void tiny_offset_15(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_shot shot;
	unsigned int order;
	char *a, *b;

	migrate_disable();
	for (order = 0; order < 2; order++) {
		a = tiny_get(fh, 15);
		KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)a % BLOCK);
		KUNIT_EXPECT_EQ(test, 0U, tiny_bytes(fh, a + 15));
		shot_take(fh->heap, &shot);
		goalloc_heap_free(fh->heap, a + 15);
		shot_expect_refused(test, fh->heap, &shot, BAD_FREE_INTERIOR, 1, "the share");
		b = tiny_get(fh, 1);
		KUNIT_EXPECT_PTR_EQ(test, a + 15, b);
		KUNIT_EXPECT_EQ(test, 1U, tiny_bytes(fh, b));
		KUNIT_EXPECT_EQ(test, 15U, tiny_bytes(fh, a));
		goalloc_heap_free(fh->heap, order ? a : b);
		KUNIT_EXPECT_EQ(test, (u8)SLOT_TINY, tiny_state(fh, a));
		shot_take(fh->heap, &shot);
		goalloc_heap_free(fh->heap, order ? a : b);
		shot_expect_refused(test, fh->heap, &shot, BAD_FREE_DOUBLE, 1, "again");
		goalloc_heap_free(fh->heap, order ? b : a);
		KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, tiny_state(fh, a));
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_blocks(fh));
	fake_heap_check(test, fh);
}

/* Every offset of a block is either a live object's or refused. */
static void tiny_bad_frees(struct kunit *test)
{
	/* Objects at 0 (4), 4 (2), 8 (8), of which that at 4 is freed. */
	static const s8 kinds[16] = {
		-1, BAD_FREE_INTERIOR, BAD_FREE_INTERIOR, BAD_FREE_INTERIOR,
		BAD_FREE_DOUBLE, BAD_FREE_INTERIOR, -2, BAD_FREE_INTERIOR,
		-1, BAD_FREE_INTERIOR, BAD_FREE_INTERIOR, BAD_FREE_INTERIOR,
		BAD_FREE_INTERIOR, BAD_FREE_INTERIOR, BAD_FREE_INTERIOR, BAD_FREE_INTERIOR,
	};
	struct fake_heap *fh = test->priv;
	struct heap_shot shot;
	unsigned int open, i;
	char *block;

	migrate_disable();
	for (open = 0; open < 2; open++) {
		block = tiny_get(fh, 4);
		KUNIT_EXPECT_PTR_EQ(test, block + 4, (char *)tiny_get(fh, 2));
		if (!open)
			KUNIT_EXPECT_PTR_EQ(test, block + 8, (char *)tiny_get(fh, 8));
		goalloc_heap_free(fh->heap, block + 4);
		for (i = 0; i < BLOCK; i++) {
			/* Offset 6 is where an object ended: it may have had one. */
			if (kinds[i] < 0 || (open && i >= 8))
				continue;
			shot_take(fh->heap, &shot);
			goalloc_heap_free(fh->heap, block + i);
			shot_expect_refused(test, fh->heap, &shot, kinds[i], 1, "in a block");
		}
		goalloc_heap_free(fh->heap, block);
		if (!open)
			goalloc_heap_free(fh->heap, block + 8);
		preempt_disable();
		tiny_drop(cache_get(fh->heap));
		preempt_enable();
		KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, tiny_state(fh, block));
		/* The whole block is gone. */
		for (i = 0; i < BLOCK; i++) {
			shot_take(fh->heap, &shot);
			goalloc_heap_free(fh->heap, block + i);
			shot_expect_refused(test, fh->heap, &shot, BAD_FREE_DOUBLE, 1, "gone");
		}
	}
	migrate_enable();
	fake_heap_check(test, fh);
}

/* Zeroed where asked for, and not a byte beyond. */
static void tiny_zero(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int size, wrong = 0;
	char *guard, *p;

	for (size = 1; size < BLOCK; size++) {
		guard = tiny_get(fh, 1);
		*guard = 0x55;
		p = tiny_alloc(fh->heap, size, GFP_KERNEL | __GFP_ZERO);
		wrong += !!memchr_inv(p, 0, size);
		wrong += *guard != 0x55;
		memset(p, 0xff, size);
		goalloc_heap_free(fh->heap, p);
		goalloc_heap_free(fh->heap, guard);
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_live(fh));
}

struct tiny_call {
	struct fake_heap *fh;
	void *p[3];
};

static void tiny_call_alloc(void *arg)
{
	struct tiny_call *call = arg;
	unsigned int i;

	for (i = 0; i < 3; i++)
		call->p[i] = tiny_alloc(call->fh->heap, 2, GFP_ATOMIC);
}

static void tiny_call_free(void *arg)
{
	struct tiny_call *call = arg;
	unsigned int i;

	for (i = 0; i < 3; i++)
		goalloc_heap_free(call->fh->heap, call->p[i]);
}

/* Interrupts pack blocks of their own; NMI packs none; all free all. */
static void tiny_levels(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct tiny_call task = { .fh = fh }, irq = { .fh = fh }, nmi = { .fh = fh };

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	migrate_disable();
	tiny_call_alloc(&task);
	crew_in_hardirq(tiny_call_alloc, &irq);
	KUNIT_EXPECT_PTR_EQ(test, task.p[0] + 2, task.p[1]);
	KUNIT_EXPECT_PTR_EQ(test, irq.p[0] + 2, irq.p[1]);
	KUNIT_EXPECT_NE(test, round_down((unsigned long)task.p[0], BLOCK),
			round_down((unsigned long)irq.p[0], BLOCK));
	KUNIT_EXPECT_EQ(test, 6ULL, tiny_live(fh));
	/* Something in the central that NMI can have. */
	cache_drain_all(fh->heap);
	crew_as_nmi(tiny_call_alloc, &nmi);
	KUNIT_EXPECT_NOT_NULL(test, nmi.p[0]);
	KUNIT_EXPECT_EQ(test, 0UL, ((unsigned long)nmi.p[0] | (unsigned long)nmi.p[1]) % BLOCK);
	KUNIT_EXPECT_EQ(test, 9ULL, tiny_live(fh));
	fake_heap_check(test, fh);
	crew_as_nmi(tiny_call_free, &task);
	tiny_call_free(&irq);
	crew_in_softirq(tiny_call_free, &nmi);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 0ULL, tiny_live(fh));
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, false));
	fh->heap = NULL;
}

#define STORM_OBJS 64
#define STORM_STEPS 6000

struct tiny_storm {
	struct fake_heap *fh;
	void *shared[STORM_OBJS];
	atomic_t wrong;
};

/* Pack here, free wherever it got to. The first byte says the size. */
static void tiny_storm_member(void *arg, unsigned int member)
{
	struct tiny_storm *storm = arg;
	struct rnd_state rnd;
	unsigned int step;
	u8 *p, size;

	prandom_seed_state(&rnd, member);
	for (step = 0; step < STORM_STEPS; step++) {
		size = 1 + prandom_u32_state(&rnd) % 15;
		p = tiny_get(storm->fh, size);
		if (!p) {
			atomic_inc(&storm->wrong);
			continue;
		}
		memset(p, size, size);
		p = xchg(&storm->shared[prandom_u32_state(&rnd) % STORM_OBJS], p);
		if (step % 64 == 0)
			cond_resched();
		if (!p)
			continue;
		if (*p != tiny_bytes(storm->fh, p) || memchr_inv(p, *p, *p))
			atomic_inc(&storm->wrong);
		goalloc_heap_free(storm->fh->heap, p);
	}
}

/* Four CPUs pack and free each other's objects. */
static void tiny_storm(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct tiny_storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	struct goalloc_stats st;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->fh = fh;
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, tiny_storm_member, storm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm->wrong));
	for (i = 0; i < STORM_OBJS; i++)
		if (storm->shared[i])
			goalloc_heap_free(fh->heap, storm->shared[i]);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.tiny_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	fake_heap_check(test, fh);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, false));
	fh->heap = NULL;
}

static struct kunit_case tiny_cases[] = {
	KUNIT_CASE(tiny_places),
	KUNIT_CASE(tiny_model),
	KUNIT_CASE(tiny_last_one),
	KUNIT_CASE(tiny_open_stays),
	KUNIT_CASE(tiny_offset_15),
	KUNIT_CASE(tiny_bad_frees),
	KUNIT_CASE(tiny_zero),
	KUNIT_CASE(tiny_levels),
	KUNIT_CASE(tiny_storm),
	{}
};

static struct kunit_suite tiny_suite = {
	.name = "goalloc_tiny",
	.init = tiny_suite_init,
	.exit = tiny_suite_exit,
	.test_cases = tiny_cases,
};

kunit_test_suites(&tiny_suite);
