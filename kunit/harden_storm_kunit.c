// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps under fire: every feature at every size, from every context,
 * frees that race, memory that runs out, and the whole family of functions.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "harden.h"
#include "listen.h"
#include "pressure.h"
#include "sanitize.h"
#include "shot.h"

static noinline size_t storm_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

static struct goalloc_heap *storm_heap(struct kunit *test, unsigned int flags,
				       size_t quarantine)
{
	struct goalloc_heap_attr attr = { .harden = flags, .quarantine = quarantine };
	struct goalloc_heap *heap = goalloc_heap_create("storm", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	return heap;
}

/* Nothing is live, nothing was found, and the books are right. */
static void storm_end(struct kunit *test, struct goalloc_heap *heap, const char *what)
{
	struct goalloc_stats st;

	KUNIT_EXPECT_EQ_MSG(test, 0ULL, harden_check_heap(heap, _THIS_IP_), "%s", what);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ_MSG(test, st.sys_bytes, stats_ledger_sum(&st), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.live_objects, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.overflows, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.use_after_frees, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.cached_bytes, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, 0, goalloc_heap_destroy(heap, false), "%s", what);
}

static size_t storm_size(unsigned int i)
{
	return i < GOALLOC_NR_CLASSES ? sizeclass_size[i] - i % 3 :
	       i == GOALLOC_NR_CLASSES ? 50001 : 200000;
}

#define STORM_SIZES (GOALLOC_NR_CLASSES + 2)

/* Each feature alone, some together, and all, at every size. */
static void storm_features(struct kunit *test)
{
	static const unsigned int flags[] = {
		GOALLOC_HARDEN_REDZONE, GOALLOC_HARDEN_POISON, GOALLOC_HARDEN_ZERO,
		GOALLOC_HARDEN_QUARANTINE, GOALLOC_HARDEN_RANDOM, GOALLOC_HARDEN_STACKS,
		GOALLOC_HARDEN_REDZONE | GOALLOC_HARDEN_QUARANTINE, GOALLOC_HARDEN_ALL,
		HARDEN_FLAGS,
	};
	static void *p[3 * STORM_SIZES];
	unsigned int f, i;

	for (f = 0; f < ARRAY_SIZE(flags); f++) {
		struct goalloc_heap *heap = storm_heap(test, flags[f], 0);
		unsigned int bad = 0;

		for (i = 0; i < ARRAY_SIZE(p); i++) {
			size_t size = storm_size(1 + i % (STORM_SIZES - 1));

			p[i] = goalloc_heap_alloc(heap, size, i % 2 ? GFP_KERNEL :
						  GFP_KERNEL | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			bad += i % 2 == 0 && memchr_inv(p[i], 0, size);
			bad += flags[f] & GOALLOC_HARDEN_REDZONE ? gosize(p[i]) != size :
								   gosize(p[i]) < size;
			memset(p[i], i, size);
		}
		KUNIT_EXPECT_EQ(test, 0ULL, harden_check_heap(heap, _THIS_IP_));
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			bad += !!memchr_inv(p[i], (u8)i, storm_size(1 + i % (STORM_SIZES - 1)));
			goalloc_heap_free(heap, p[i]);
		}
		KUNIT_EXPECT_EQ_MSG(test, 0U, bad, "flags %x", flags[f]);
		KUNIT_EXPECT_EQ_MSG(test, 0, goalloc_validate(heap), "flags %x", flags[f]);
		storm_end(test, heap, "features");
	}
}

/* Few enough for a kernel that notes the stack of each in an interrupt. */
#define STORM_STEP 3
#define STORM_ROUNDS 2

struct storm_work {
	struct goalloc_heap *heap;
	void *obj[CREW_FULL][STORM_SIZES];
	unsigned int member;
	atomic_t bad;
	atomic_t got;
};

/* One context allocates what another one frees. */
static void storm_alloc(struct storm_work *work, unsigned int member, gfp_t gfp)
{
	unsigned int i;

	for (i = 1 + member % STORM_STEP; i < STORM_SIZES; i += STORM_STEP) {
		size_t size = storm_size(i);
		u8 *p = goalloc_heap_alloc(work->heap, size, gfp);

		work->obj[member][i] = p;
		if (!p) {
			atomic_add(crew_must_get(), &work->bad);
			continue;
		}
		atomic_inc(&work->got);
		atomic_add(gosize(p) != size, &work->bad);
		memset(p, member + i, size);
	}
}

static void storm_free(struct storm_work *work, unsigned int member)
{
	unsigned int i;

	for (i = 1 + member % STORM_STEP; i < STORM_SIZES; i += STORM_STEP) {
		void *p = work->obj[member][i];

		if (!p)
			continue;
		atomic_add(!!memchr_inv(p, (u8)(member + i), storm_size(i)), &work->bad);
		goalloc_heap_free(work->heap, p);
	}
}

struct storm_call {
	struct storm_work *work;
	unsigned int member;
};

static void storm_call_alloc(void *arg)
{
	struct storm_call *call = arg;

	storm_alloc(call->work, call->member, GFP_ATOMIC | __GFP_NOWARN);
}

static void storm_call_free(void *arg)
{
	struct storm_call *call = arg;

	storm_free(call->work, call->member);
}

static void storm_member(void *arg, unsigned int member)
{
	struct storm_call call = { .work = arg, .member = member };
	unsigned int i;

	for (i = 0; i < STORM_ROUNDS; i++) {
		storm_alloc(arg, member, GFP_KERNEL);
		crew_as_nmi(storm_call_free, &call);
		crew_in_hardirq(storm_call_alloc, &call);
		storm_free(arg, member);
		crew_as_nmi(storm_call_alloc, &call);
		crew_in_softirq(storm_call_free, &call);
		crew_in_softirq(storm_call_alloc, &call);
		crew_in_hardirq(storm_call_free, &call);
		cond_resched();
	}
}

static struct storm_work storm_work;

/* From task, softirq, hardirq and NMI on all CPUs, with everything on. */
static void storm_contexts(struct kunit *test)
{
	struct storm_work *work = &storm_work;

	memset(work, 0, sizeof(*work));
	work->heap = storm_heap(test, GOALLOC_HARDEN_ALL, 1 << 18);
	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, storm_member, work));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&work->bad));
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_GT(test, atomic_read(&work->got),
				CREW_FULL * STORM_ROUNDS * 3 *
				(int)(STORM_SIZES / STORM_STEP - 1));
	storm_end(test, work->heap, "contexts");
}

#define RACE_ROUNDS 10
#define RACE_OBJS 32

/**
 * struct storm_race - frees of the same objects that race
 * @heap: the heap
 * @obj: the objects of this round
 * @arrived: members at the barrier, ever
 * @mine: what each member got after the race
 * @bad: things that must not be
 */
struct storm_race {
	struct goalloc_heap *heap;
	void *obj[RACE_OBJS];
	atomic_t arrived;
	void *mine[CREW_FULL][RACE_OBJS];
	atomic_t bad;
};

static void race_wait(struct storm_race *race)
{
	int goal = roundup(atomic_inc_return(&race->arrived), CREW_FULL);

	while (atomic_read(&race->arrived) < goal)
		cond_resched();
}

static size_t race_size(unsigned int i)
{
	static const size_t sizes[] = { 64, 500, 3000, 50000 };

	return sizes[i % ARRAY_SIZE(sizes)];
}

static void race_member(void *arg, unsigned int member)
{
	struct storm_race *race = arg;
	unsigned int round, i;

	for (round = 0; round < RACE_ROUNDS; round++) {
		for (i = 0; !member && i < RACE_OBJS; i++)
			race->obj[i] = goalloc_heap_alloc(race->heap, race_size(i), GFP_KERNEL);
		race_wait(race);
		for (i = 0; i < RACE_OBJS; i++)
			goalloc_heap_free(race->heap, race->obj[i]);
		race_wait(race);
		/* Nobody may get what somebody else has: all write to theirs. */
		for (i = 0; i < RACE_OBJS; i++) {
			race->mine[member][i] = goalloc_heap_alloc(race->heap, race_size(i),
								   GFP_KERNEL);
			if (race->mine[member][i])
				memset(race->mine[member][i], 1 + member, race_size(i));
			else
				atomic_inc(&race->bad);
		}
		race_wait(race);
		for (i = 0; i < RACE_OBJS; i++) {
			void *p = race->mine[member][i];

			atomic_add(p && memchr_inv(p, 1 + member, race_size(i)), &race->bad);
			goalloc_heap_free(race->heap, p);
		}
		race_wait(race);
	}
}

static void storm_race_with(struct kunit *test, unsigned int flags)
{
	static struct storm_race race;
	struct heap_shot shot;
	int kind;

	memset(&race, 0, sizeof(race));
	race.heap = storm_heap(test, flags, 0);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, race_member, &race));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&race.bad));
	shot_take(race.heap, &shot);
	/*
	 * One of four went through, each time, at once: three were refused, for
	 * what they were. A large object may be gone by then, pages and all.
	 */
	KUNIT_EXPECT_EQ(test, (u64)RACE_ROUNDS * RACE_OBJS * (CREW_FULL - 1), shot.st.bad_frees);
	for (kind = 0; kind < NR_BAD_FREES; kind++)
		if (kind != BAD_FREE_DOUBLE && kind != BAD_FREE_SPAN)
			KUNIT_EXPECT_EQ_MSG(test, 0ULL, shot.bad[kind], "%s",
					    report_bad_free_name(kind));
	storm_end(test, race.heap, "race");
}

/* Four frees of one object at once: three are told, none comes twice. */
static void storm_race(struct kunit *test)
{
	storm_race_with(test, GOALLOC_HARDEN_RANDOM);
	storm_race_with(test, GOALLOC_HARDEN_ALL & ~GOALLOC_HARDEN_STACKS);
}

/* What a sweep reads counts only if slot and span are whose they were. */
static void storm_hands(struct kunit *test)
{
	struct goalloc_heap *heap = storm_heap(test, GOALLOC_HARDEN_POISON, 0);
	void *keep = goalloc_heap_alloc(heap, 64, GFP_KERNEL);
	void *p = goalloc_heap_alloc(heap, 64, GFP_KERNEL);
	struct slot_ref ref;
	u8 *own;
	u32 seq;

	KUNIT_ASSERT_NOT_NULL(test, keep);
	KUNIT_ASSERT_NOT_NULL(test, p);
	goalloc_heap_free(heap, p);
	KUNIT_ASSERT_TRUE(test, slot_find(&goalloc_space.map, (unsigned long)p, &ref));
	seq = harden_track(ref.span, ref.slot)->seq;
	KUNIT_EXPECT_TRUE(test, harden_in_same_hands(&ref, SLOT_FREE, seq));
	KUNIT_EXPECT_FALSE(test, harden_in_same_hands(&ref, SLOT_QUARANTINE, seq));
	KUNIT_EXPECT_FALSE(test, harden_in_same_hands(&ref, SLOT_FREE, seq - 1));
	/* As when the span has been given up: its own bytes still say free. */
	own = ref.span->state;
	WRITE_ONCE(ref.span->state, span_no_state);
	KUNIT_EXPECT_FALSE(test, harden_in_same_hands(&ref, SLOT_FREE, seq));
	WRITE_ONCE(ref.span->state, own);
	goalloc_heap_free(heap, keep);
	storm_end(test, heap, "hands");
}

static void storm_free_call(void *arg)
{
	void **pair = arg;

	goalloc_heap_free(pair[0], pair[1]);
}

/* Freed in NMI: told as such, and in quarantine as soon as anybody comes by. */
static void storm_nmi(struct kunit *test)
{
	struct goalloc_heap *heap = storm_heap(test, GOALLOC_HARDEN_ALL, 1 << 18);
	static const size_t sizes[] = { 100, 50000 };
	struct goalloc_stats st;
	struct heap_shot shot;
	unsigned int i;
	void *p[2], *pair[2] = { heap };

	for (i = 0; i < 2; i++) {
		p[i] = goalloc_heap_alloc(heap, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < 2; i++) {
		pair[1] = p[i];
		crew_as_nmi(storm_free_call, pair);
	}
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 128 + round_up(50016, GOALLOC_PAGE_SIZE), st.quarantine_bytes);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	for (i = 0; i < 2; i++) {
		shot_take(heap, &shot);
		pair[1] = p[i];
		crew_as_nmi(storm_free_call, pair);
		goalloc_heap_free(heap, p[i]);
		shot_expect_refused(test, heap, &shot, BAD_FREE_DOUBLE, 2, "freed in NMI");
	}
	KUNIT_EXPECT_EQ(test, 0ULL, heap->harden->bytes);
	harden_settle(heap->harden);
	KUNIT_EXPECT_EQ(test, 128 + round_up(50016, GOALLOC_PAGE_SIZE), heap->harden->bytes);
	storm_end(test, heap, "NMI");
}

static struct fake_heap *storm_fake(struct kunit *test, unsigned int flags, u64 limit)
{
	struct goalloc_heap_attr attr = {
		.harden = flags,
		.limit = limit << GOALLOC_PAGE_SHIFT,
	};
	struct fake_heap *fh = fake_heap_create(test, 1024, 1);

	KUNIT_ASSERT_EQ(test, 0, heap_destroy(fh->heap, true));
	fh->heap = heap_create("fake", &attr, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	return fh;
}

/* What is in quarantine is given up before an allocation fails. */
static void storm_short(struct kunit *test)
{
	struct fake_heap *fh = storm_fake(test, GOALLOC_HARDEN_ALL, 16);
	size_t size = 8 * GOALLOC_PAGE_SIZE - HARDEN_REDZONE;
	struct goalloc_stats st;
	void *p, *q;

	p = goalloc_heap_alloc(fh->heap, size, GFP_KERNEL);
	q = goalloc_heap_alloc(fh->heap, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, size, GFP_ATOMIC));
	goalloc_heap_free(fh->heap, p);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 8 * GOALLOC_PAGE_SIZE, st.quarantine_bytes);
	p = goalloc_heap_alloc(fh->heap, size, GFP_ATOMIC);
	KUNIT_EXPECT_NOT_NULL(test, p);
	fake_heap_check(test, fh);

	/* Nor does one that must not fail wait for what we have ourselves. */
	goalloc_heap_free(fh->heap, q);
	fh->fake.fail_from = 1;
	q = goalloc_heap_alloc(fh->heap, size, GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	fake_heap_check(test, fh);
	goalloc_heap_free(fh->heap, q);
	q = goalloc_heap_alloc(fh->heap, 1000, GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	fh->fake.fail_from = 0;
	goalloc_heap_free(fh->heap, q);
	goalloc_heap_free(fh->heap, p);
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/* Pages fail to come at every point: NULL or an object, and all adds up. */
static void storm_fail(struct kunit *test)
{
	static const size_t sizes[] = { 8, 100, 4096, 32768, 60000, 300000 };
	unsigned int k, i, failed = 0;
	void *p[2 * ARRAY_SIZE(sizes)];

	for (k = 0; k < 14; k++) {
		struct fake_heap *fh = storm_fake(test, GOALLOC_HARDEN_ALL, 0);

		fh->fake.fail_only = k;
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = goalloc_heap_alloc(fh->heap, sizes[i % ARRAY_SIZE(sizes)],
						  GFP_NOWAIT | __GFP_NOWARN);
			failed += !p[i];
			if (p[i])
				memset(p[i], i, sizes[i % ARRAY_SIZE(sizes)]);
		}
		fake_heap_check(test, fh);
		for (i = 0; i < ARRAY_SIZE(p); i++)
			goalloc_heap_free(fh->heap, p[i]);
		fake_heap_check(test, fh);
		KUNIT_EXPECT_EQ(test, 0ULL, harden_check_heap(fh->heap, _THIS_IP_));
		fake_heap_destroy(test, fh);
	}
	KUNIT_EXPECT_GT(test, failed, 0U);
}

/* The kernel is short of memory: the quarantine goes, pages and all. */
static void storm_pressure(struct kunit *test)
{
	struct goalloc_heap *heap = storm_heap(test, GOALLOC_HARDEN_QUARANTINE, 8 << 20);
	unsigned long before = pressure_available(heap_first_node(heap)->nid);
	struct goalloc_stats st;
	unsigned int i;
	void *p[16];

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = goalloc_heap_alloc(heap, 100000, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		goalloc_heap_free(heap, p[i]);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 16 * round_up(100000, GOALLOC_PAGE_SIZE), st.quarantine_bytes);
	KUNIT_EXPECT_GE(test, pressure_available(heap_first_node(heap)->nid),
			before + (unsigned long)(st.quarantine_bytes >> PAGE_SHIFT));
	pressure_relieve_all();
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.quarantine_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.sys_bytes);
	storm_end(test, heap, "pressure");
}

/* The whole family, with the default heap a hardened one for a while. */
static void storm_family(struct kunit *test)
{
	struct goalloc_heap *heap = storm_heap(test, GOALLOC_HARDEN_ALL, 1 << 20);
	struct goalloc_heap *usual = goalloc_default;
	struct goalloc_stats st;
	char *p, *q, *r;
	size_t align;
	void *bulk[10];

	goalloc_default = heap;
	/* Which the fast paths would find. A hardened heap has none. */
	cache_take_away(usual->cpus);
	p = goalloc(storm_hide(100), GFP_KERNEL);
	memset(p, 'a', 100);
	KUNIT_EXPECT_EQ(test, (size_t)100, gosize(p));
	KUNIT_EXPECT_EQ(test, (size_t)100, goalloc_size_roundup(100));
	/* Smaller: it stays, and its red zone begins earlier. */
	q = gorealloc(p, storm_hide(61), GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, p, q);
	KUNIT_EXPECT_EQ(test, (size_t)61, gosize(q));
	KUNIT_EXPECT_EQ(test, 0ULL, harden_check_heap(heap, _THIS_IP_));
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 'a', 61));
	/* Larger: it moves even if there is room, and the old one is freed. */
	r = gorealloc(q, storm_hide(62), GFP_KERNEL);
	KUNIT_EXPECT_PTR_NE(test, r, q);
	KUNIT_EXPECT_EQ(test, (size_t)62, gosize(r));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(q));
	KUNIT_EXPECT_NULL(test, memchr_inv(r, 'a', 61));
	q = gorealloc(r, storm_hide(70000), GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 'a', 61));
	KUNIT_EXPECT_NULL(test, memchr_inv(q + 62, 0, 70000 - 62));
	q = gorealloc(q, storm_hide(40000), GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, (size_t)40000, gosize(q));
	gofree_sensitive(q);

	for (align = 1; align <= 65536; align *= 2) {
		p = goalloc_aligned(storm_hide(50), align, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p & (align - 1));
		KUNIT_EXPECT_EQ(test, (size_t)50, gosize(p));
		gofree(p);
	}
	for (align = 1; align < 16; align++) {
		p = goalloc_tiny(storm_hide(align), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, align, gosize(p));
		KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p & 7);
		gofree(p);
	}
	p = gostrdup("hard", GFP_KERNEL);
	KUNIT_EXPECT_STREQ(test, p, "hard");
	KUNIT_EXPECT_EQ(test, (size_t)5, gosize(p));
	gofree(p);
	p = goalloc_node(storm_hide(77), GFP_KERNEL, heap_first_node(heap)->nid);
	KUNIT_EXPECT_EQ(test, (size_t)77, gosize(p));
	gokvfree(p);
	KUNIT_EXPECT_EQ(test, (size_t)10, goalloc_bulk(storm_hide(30), GFP_KERNEL, 10, bulk));
	gofree_bulk(10, bulk);
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, goalloc(storm_hide(0), GFP_KERNEL));
	goalloc_heap_stats(NULL, &st);
	goalloc_default = usual;
	fake_heap_give_caches(usual);

	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	storm_end(test, heap, "family");
}

static void storm_suite_exit(struct kunit *test)
{
	listen_stop();
}

static struct kunit_case storm_cases[] = {
	KUNIT_CASE(storm_features),
	KUNIT_CASE(storm_contexts),
	KUNIT_CASE(storm_race),
	KUNIT_CASE(storm_hands),
	KUNIT_CASE(storm_nmi),
	KUNIT_CASE(storm_short),
	KUNIT_CASE(storm_fail),
	KUNIT_CASE(storm_pressure),
	KUNIT_CASE(storm_family),
	{}
};

static struct kunit_suite storm_suite = {
	.name = "goalloc_harden_storm",
	.exit = storm_suite_exit,
	.test_cases = storm_cases,
};

kunit_test_suites(&storm_suite);
