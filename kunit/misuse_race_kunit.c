// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two frees of one object at the same time on two CPUs: either the second is
 * refused, or both pass and one is found out later, wherever the object turns
 * up first. One way to be found per case, and the storm.
 *
 * That both pass is arranged: the state byte is set back between the two, which
 * is what the second CPU has read.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "listen.h"
#include "misuse.h"

#define RACED "goalloc: bad free (race), found later: %p, heap test, object %u of class 9 (112 bytes): was freed on two CPUs at once; look for a second free of this object; one is ignored"

static struct goalloc_heap *race_heap(struct kunit *test)
{
	struct misuse *m = test->priv;

	return m->fh->heap;
}

static void race_set_state(struct kunit *test, void *p, enum slot_state state)
{
	struct misuse *m = test->priv;
	struct slot_ref ref;

	preempt_disable();
	slot_find(&m->fh->fake.space.map, (unsigned long)p, &ref);
	WRITE_ONCE(*ref.state, state);
	preempt_enable();
}

static void race_free_twice(struct kunit *test, void *p)
{
	misuse_put(test, p);
	race_set_state(test, p, SLOT_LIVE);
	misuse_put(test, p);
}

/* One of two frees was found out since misuse_watch(), and told. */
static void race_told(struct kunit *test, void *p, unsigned int slot)
{
	char *line = kunit_kzalloc(test, LISTEN_LEN, GFP_KERNEL);
	struct misuse *m = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, line);
	snprintf(line, LISTEN_LEN, RACED, p, slot);
	misuse_told_line(test, line);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->events));
	KUNIT_EXPECT_EQ(test, (unsigned int)BAD_FREE_RACE, m->event.kind);
	KUNIT_EXPECT_PTR_EQ(test, (const void *)p, m->event.p);
	KUNIT_EXPECT_EQ(test, 112U, m->event.size);
	KUNIT_EXPECT_EQ(test, slot, m->event.slot);
	KUNIT_EXPECT_EQ(test, 0UL, m->event.site);
	KUNIT_EXPECT_EQ(test, m->shot.bad[BAD_FREE_RACE] + 1,
			(u64)atomic64_read(&m->heap->nr_bad[BAD_FREE_RACE]));
}

/* A list has it twice: the second is not handed out. */
static void race_found_in_list(struct kunit *test)
{
	void *mate, *p, *q, *r;

	migrate_disable();
	mate = misuse_get(test, 112);
	p = misuse_get(test, 112);
	race_free_twice(test, p);
	misuse_watch(test, race_heap(test));
	q = misuse_get(test, 112);
	KUNIT_EXPECT_PTR_EQ(test, p, q);
	misuse_silent(test, "the first of two");
	r = misuse_get(test, 112);
	KUNIT_EXPECT_PTR_NE(test, p, r);
	race_told(test, p, 1);
	misuse_put(test, mate);
	misuse_put(test, q);
	misuse_put(test, r);
	migrate_enable();
}

/* Both are on the way home, and the books have the first when the second comes. */
static void race_found_at_home(struct kunit *test)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);

	race_free_twice(test, p);
	misuse_watch(test, race_heap(test));
	cache_drain_all(race_heap(test));
	race_told(test, p, 1);
	misuse_put(test, mate);
}

/* The second comes home when the span is no more. */
static void race_found_too_late(struct kunit *test)
{
	void *p = misuse_get(test, 112);

	race_free_twice(test, p);
	misuse_watch(test, race_heap(test));
	cache_drain_all(race_heap(test));
	race_told(test, p, 0);
}

/* In the books and in somebody's hands: a central does not hand it out. */
static void race_found_in_central(struct kunit *test)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);
	void *q;

	misuse_put(test, p);
	cache_drain_all(race_heap(test));
	race_set_state(test, p, SLOT_LIVE);
	misuse_watch(test, race_heap(test));
	q = cache_alloc_node(race_heap(test), 9, 112, GFP_KERNEL, 0);
	KUNIT_EXPECT_NOT_NULL(test, q);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	race_told(test, p, 1);
	misuse_put(test, mate);
	misuse_put(test, p);
	misuse_put(test, q);
}

static void race_alloc_nmi(void *arg)
{
	void **p = arg;

	p[1] = goalloc_heap_alloc(p[0], 112, GFP_ATOMIC);
}

/* The same in NMI, where nothing may wait for a lock, not even to report. */
static void race_found_in_nmi(struct kunit *test)
{
	void *arg[2] = { race_heap(test) };
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);

	if (!listen_hears_nmi()) {
		misuse_put(test, mate);
		misuse_put(test, p);
		kunit_skip(test, "this kernel cannot be listened to in NMI");
	}
	misuse_put(test, p);
	cache_drain_all(race_heap(test));
	race_set_state(test, p, SLOT_LIVE);
	misuse_watch(test, race_heap(test));
	crew_as_nmi(race_alloc_nmi, arg);
	KUNIT_EXPECT_NOT_NULL(test, arg[1]);
	KUNIT_EXPECT_PTR_NE(test, p, arg[1]);
	race_told(test, p, 1);
	misuse_put(test, mate);
	misuse_put(test, p);
	misuse_put(test, arg[1]);
}

/* Few are free in its span, so a refill takes them all into the list. */
static void race_found_in_refill(struct kunit *test)
{
	unsigned int n = span_shape_small(9).nelems, i;
	void **p = kunit_kcalloc(test, n, sizeof(*p), GFP_KERNEL);
	void *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < n; i++)
		p[i] = misuse_get(test, 112);
	misuse_put(test, p[3]);
	misuse_put(test, p[4]);
	cache_drain_all(race_heap(test));
	race_set_state(test, p[3], SLOT_LIVE);
	migrate_disable();
	misuse_watch(test, race_heap(test));
	q = misuse_get(test, 112);
	KUNIT_EXPECT_PTR_EQ(test, p[4], q);
	race_told(test, p[3], 3);
	for (i = 0; i < n; i++)
		misuse_put(test, p[i]);
	migrate_enable();
}

/* A cache walks through a span and meets one that is taken. */
static void race_found_in_span(struct kunit *test)
{
	char *p, *q;

	migrate_disable();
	p = misuse_get(test, 112);
	race_set_state(test, p + 112, SLOT_LIVE);
	misuse_watch(test, race_heap(test));
	q = misuse_get(test, 112);
	KUNIT_EXPECT_PTR_EQ(test, p + 224, q);
	race_told(test, p + 112, 1);
	misuse_put(test, p);
	misuse_put(test, p + 112);
	misuse_put(test, q);
	migrate_enable();
}

/* Told once per heap and class, counted and traced each time. */
static void race_told_once(struct kunit *test)
{
	struct misuse *m = test->priv;
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);
	unsigned int i;

	misuse_watch(test, race_heap(test));
	for (i = 0; i < 5; i++) {
		if (i)
			p = misuse_get(test, 112);
		race_free_twice(test, p);
		cache_drain_all(race_heap(test));
	}
	KUNIT_EXPECT_EQ(test, 1U, listen_heard());
	KUNIT_EXPECT_EQ(test, 5, atomic_read(&m->events));
	KUNIT_EXPECT_EQ(test, m->shot.bad[BAD_FREE_RACE] + 5,
			(u64)atomic64_read(&m->heap->nr_bad[BAD_FREE_RACE]));
	/* Another class is told for itself. */
	p = misuse_get(test, 64);
	race_free_twice(test, p);
	cache_drain_all(race_heap(test));
	KUNIT_EXPECT_EQ(test, 2U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("object 0 of class 6 (64 bytes): was freed on two"));
	misuse_put(test, mate);
}

/*
 * A CPU is held up in its free until the other's has come home and the span is
 * no more: its mark and its note are worth nothing.
 */
static void race_marked_too_late(struct kunit *test)
{
	struct misuse *m = test->priv;
	struct goalloc_cache *cache;
	struct cache_bin *b;
	struct slot_ref ref;
	void *p, *q, *r;

	migrate_disable();
	p = misuse_get(test, 112);
	preempt_disable();
	slot_find(&m->fh->fake.space.map, (unsigned long)p, &ref);
	preempt_enable();
	misuse_put(test, p);
	cache_drain_all(race_heap(test));
	KUNIT_ASSERT_EQ(test, (u8)SPAN_NOWHERE, ref.span->place);
	misuse_watch(test, race_heap(test));

	/* What is left of cache_free() after the look. */
	preempt_disable();
	cache = cache_get(race_heap(test));
	b = &cache->bin[9];
	WRITE_ONCE(*ref.state, cache->token);
	b->entry[b->count] = cache_entry_make(ref.span, ref.slot);
	b->line++;
	preempt_enable();

	q = misuse_get(test, 112);
	race_told(test, p, 0);
	r = misuse_get(test, 112);
	KUNIT_EXPECT_PTR_NE(test, q, r);
	preempt_disable();
	slot_find(&m->fh->fake.space.map, (unsigned long)q, &ref);
	KUNIT_EXPECT_NOT_NULL(test, ref.span);
	KUNIT_EXPECT_EQ(test, (u8)SLOT_LIVE, *ref.state);
	preempt_enable();
	misuse_put(test, q);
	misuse_put(test, r);
	migrate_enable();
}

/**
 * struct race_last - two CPUs that free one object, and then want one
 * @test: the test
 * @p: the object
 * @got: what they get
 * @step: whose turn it is
 */
struct race_last {
	struct kunit *test;
	void *p;
	void *got[2];
	unsigned int step;
};

static void race_last_wait(struct race_last *last, unsigned int step)
{
	/* What the other did before is there; pairs with race_last_done(). */
	while (smp_load_acquire(&last->step) != step)
		cond_resched();
}

static void race_last_done(struct race_last *last, unsigned int step)
{
	/* Pairs with race_last_wait(). */
	smp_store_release(&last->step, step);
}

static void race_last_member(void *arg, unsigned int member)
{
	struct race_last *last = arg;

	race_last_wait(last, member);
	misuse_free(race_heap(last->test), last->p);
	/* As the other one has read it. */
	if (!member)
		race_set_state(last->test, last->p, SLOT_LIVE);
	race_last_done(last, member + 1);

	race_last_wait(last, member + 2);
	last->got[member] = goalloc_heap_alloc(race_heap(last->test), 112, GFP_KERNEL);
	race_last_done(last, member + 3);
}

/*
 * Two lists have it, and both CPUs look at once: it is there only for who freed
 * it last, so whichever looks first, they do not both get it.
 */
static void race_found_by_other(struct kunit *test)
{
	struct race_last last = { .test = test };
	void *mate = misuse_get(test, 112);

	last.p = misuse_get(test, 112);
	misuse_watch(test, race_heap(test));
	KUNIT_ASSERT_EQ(test, 0, crew_run(2, race_last_member, &last));
	KUNIT_EXPECT_NOT_NULL(test, last.got[0]);
	KUNIT_EXPECT_PTR_NE(test, last.p, last.got[0]);
	KUNIT_EXPECT_PTR_EQ(test, last.p, last.got[1]);
	race_told(test, last.p, 1);
	misuse_put(test, mate);
	misuse_put(test, last.got[0]);
	misuse_put(test, last.got[1]);
}

#define RACE_OBJS 64
#define RACE_ROUNDS 10

struct race_storm {
	struct goalloc_heap *heap;
	size_t size;
	atomic_t at[2][RACE_OBJS];
	void *p[RACE_OBJS];
	void *again[2][RACE_OBJS];
	u64 *seen[2 * RACE_OBJS];
};

/* Until the other one is there as well. */
static void race_storm_meet(atomic_t *at)
{
	unsigned int spins;

	atomic_inc(at);
	for (spins = 0; atomic_read(at) < 2; spins++) {
		if (spins % 1024 == 1023)
			cond_resched();
		cpu_relax();
	}
}

/* Both free the same, each object at the same time as nearly as can be. */
static void race_storm_free(void *arg, unsigned int member)
{
	struct race_storm *storm = arg;
	unsigned int i;

	for (i = 0; i < RACE_OBJS; i++) {
		race_storm_meet(&storm->at[0][i]);
		misuse_free(storm->heap, storm->p[i]);
	}
}

/* And both want as many, at the same time again. */
static void race_storm_alloc(void *arg, unsigned int member)
{
	struct race_storm *storm = arg;
	unsigned int i;

	for (i = 0; i < RACE_OBJS; i++) {
		race_storm_meet(&storm->at[1][i]);
		storm->again[member][i] = goalloc_heap_alloc(storm->heap, storm->size, GFP_KERNEL);
	}
}

/* Objects that were handed out more than once; each is written on. */
static unsigned int race_storm_twice(struct race_storm *storm)
{
	unsigned int i, n = 0, twice = 0;
	u64 **p = storm->seen;

	for (i = 0; i < 2 * RACE_OBJS; i++) {
		p[n] = storm->again[i / RACE_OBJS][i % RACE_OBJS];
		if (p[n])
			*p[n++] = i;
	}
	for (i = 0; i < n; i++)
		for (unsigned int j = 0; j < i; j++)
			twice += p[i] == p[j];
	return twice;
}

/* Many objects, two CPUs: each second free is refused or found, and no more. */
static void race_storm(struct kunit *test)
{
	static const u32 sizes[] = { 8, 64, 112, 1024, 8192 };
	struct race_storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	struct misuse *m = test->priv;
	unsigned int round, i;
	struct goalloc_stats st;
	s64 found;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->heap = m->fh->heap;
	misuse_watch(test, storm->heap);
	for (round = 0; round < RACE_ROUNDS; round++) {
		storm->size = sizes[round % ARRAY_SIZE(sizes)];
		for (i = 0; i < RACE_OBJS; i++) {
			storm->p[i] = misuse_get(test, storm->size);
			atomic_set(&storm->at[0][i], 0);
			atomic_set(&storm->at[1][i], 0);
		}
		KUNIT_ASSERT_EQ(test, 0, crew_run(2, race_storm_free, storm));
		KUNIT_ASSERT_EQ(test, 0, crew_run(2, race_storm_alloc, storm));
		KUNIT_EXPECT_EQ_MSG(test, 0U, race_storm_twice(storm), "round %u", round);
		for (i = 0; i < 2 * RACE_OBJS; i++)
			misuse_put(test, storm->again[i / RACE_OBJS][i % RACE_OBJS]);
		cache_drain_all(storm->heap);
	}
	for (i = 0; i < GOALLOC_NR_BINS; i++)
		central_drain_deferred(&storm->heap->node[0]->central[i]);
	goalloc_heap_stats(storm->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, m->shot.st.bad_frees + RACE_ROUNDS * RACE_OBJS, st.bad_frees);
	found = atomic64_read(&storm->heap->nr_bad[BAD_FREE_RACE]);
	/* Several that are found in one visit to a central are one event. */
	KUNIT_EXPECT_GE(test, (s64)atomic_read(&m->events),
			(s64)RACE_ROUNDS * RACE_OBJS - found + !!found);
	KUNIT_EXPECT_LE(test, atomic_read(&m->events), RACE_ROUNDS * RACE_OBJS);
	kunit_info(test, "%lld refused at once, %lld found later",
		   (s64)RACE_ROUNDS * RACE_OBJS - found, found);
}

static struct kunit_case misuse_race_cases[] = {
	KUNIT_CASE(race_found_in_list),
	KUNIT_CASE(race_found_at_home),
	KUNIT_CASE(race_found_too_late),
	KUNIT_CASE(race_found_in_central),
	KUNIT_CASE(race_found_in_nmi),
	KUNIT_CASE(race_found_in_refill),
	KUNIT_CASE(race_found_in_span),
	KUNIT_CASE(race_marked_too_late),
	KUNIT_CASE(race_found_by_other),
	KUNIT_CASE(race_told_once),
	KUNIT_CASE(race_storm),
	{}
};

static struct kunit_suite misuse_race_suite = {
	.name = "goalloc_misuse_race",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_race_cases,
};

kunit_test_suites(&misuse_race_suite);
