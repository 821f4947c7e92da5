// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches under fire: every context at once, objects that travel between CPUs,
 * and bad frees that race each other.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/interrupt.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "stats.h"

static int cache_storm_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 2048, 1);
	return 0;
}

static void cache_storm_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

static void *storm_get(struct fake_heap *fh, unsigned int bin, gfp_t gfp)
{
	return cache_alloc(fh->heap, bin, span_shape_small(bin).elemsize, gfp);
}

static void storm_put(struct fake_heap *fh, void *p)
{
	cache_free(fh->heap, &fh->fake.space.map, p, _THIS_IP_);
}

struct level_test {
	struct fake_heap *fh;
	int level;
	void *obj[20];
};

static void level_alloc(void *arg)
{
	struct level_test *lt = arg;
	unsigned int i;

	lt->level = interrupt_context_level();
	for (i = 0; i < ARRAY_SIZE(lt->obj); i++)
		lt->obj[i] = storm_get(lt->fh, 5, GFP_ATOMIC);
}

static void level_free(void *arg)
{
	struct level_test *lt = arg;
	unsigned int i;

	lt->level = interrupt_context_level();
	for (i = 0; i < ARRAY_SIZE(lt->obj); i++)
		storm_put(lt->fh, lt->obj[i]);
}

static void level_call(unsigned int level, crew_call_t fn, struct level_test *lt)
{
	switch (level) {
	case 0:
		fn(lt);
		break;
	case 1:
		crew_in_softirq(fn, lt);
		break;
	case 2:
		crew_in_hardirq(fn, lt);
		break;
	case 3:
		crew_as_nmi(fn, lt);
		break;
	}
}

/* Each context has a cache of its own, NMI none; frees in any other context. */
static void cache_levels(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct level_test lt = { .fh = fh };
	unsigned int from, to, level, i;
	struct goalloc_pcpu *pcpu;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	/* NMI takes what is at hand in the central. */
	for (i = 0; i < 64; i++)
		storm_put(fh, cache_alloc_node(fh->heap, 5, 1, GFP_KERNEL, 0));
	migrate_disable();
	pcpu = this_cpu_ptr(fh->heap->cpus);
	for (from = 0; from < CACHE_LEVELS; from++) {
		for (to = 0; to < CACHE_LEVELS; to++) {
			unsigned int missing = 0, same = 0;

			if (from == 3) {
				struct goalloc_span *span;

				span = heap_alloc_span(fh->heap->node[0], 5, GFP_KERNEL);
				KUNIT_EXPECT_NOT_NULL(test, span);
				if (span)
					central_add(heap_central_of(span), span);
			}
			level_call(from, level_alloc, &lt);
			KUNIT_EXPECT_EQ(test, (int)from, lt.level);
			for (i = 0; i < ARRAY_SIZE(lt.obj); i++) {
				missing += !lt.obj[i];
				same += i && lt.obj[i] == lt.obj[i - 1];
			}
			KUNIT_EXPECT_EQ_MSG(test, 0U, missing, "level %u", from);
			KUNIT_EXPECT_EQ(test, 0U, same);
			if (missing)
				continue;
			fake_heap_check(test, fh);
			level_call(to, level_free, &lt);
			KUNIT_EXPECT_EQ(test, (int)to, lt.level);
			fake_heap_check(test, fh);
		}
	}
	for (level = 0; level < CACHE_LEVELS; level++)
		KUNIT_EXPECT_EQ_MSG(test, level == 3, pcpu->level[level] == &cache_none,
				    "level %u", level);
	/* Interrupts get by with less. */
	KUNIT_EXPECT_EQ(test, room_max(5, 0) / 4, room_max(5, 2));
	for (level = 0; level < 3; level++)
		KUNIT_EXPECT_LE_MSG(test, (unsigned int)pcpu->level[level]->bin[5].cap,
				    room_max(5, level), "level %u", level);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->nr_bad[BAD_FREE_RACE]));
	cache_drain_all(fh->heap);
	for (i = 0; i < CACHE_LEVELS; i++)
		if (pcpu->level[i] != &cache_none)
			KUNIT_EXPECT_EQ(test, 0, (int)pcpu->level[i]->bin[5].count);
	fake_heap_check(test, fh);
}

#define STORM_OBJS 48
#define STORM_STEPS 5000

/* What one CPU has at one level, with the pattern that it wrote there. */
struct storm_hand {
	void *obj[STORM_OBJS];
	u8 bin[STORM_OBJS];
	struct rnd_state rnd;
	unsigned int turns;
};

struct storm_cpu {
	struct storm_hand level[3];
	struct tasklet_struct tasklet;
	struct cache_storm *storm;
};

struct cache_storm {
	struct fake_heap *fh;
	struct storm_cpu cpu[NR_CPUS];
	void *shared[STORM_OBJS];
	atomic_t wrong;
};

static u8 storm_pattern(const void *obj)
{
	return (unsigned long)obj >> 3 ^ (unsigned long)obj >> 13;
}

static void *storm_alloc(struct cache_storm *storm, unsigned int bin, gfp_t gfp)
{
	void *obj = storm_get(storm->fh, bin, gfp);

	if (obj)
		memset(obj, storm_pattern(obj), sizeclass_size[bin]);
	return obj;
}

static void storm_free(struct cache_storm *storm, void *obj, unsigned int bin)
{
	if (memchr_inv(obj, storm_pattern(obj), sizeclass_size[bin]))
		atomic_inc(&storm->wrong);
	storm_put(storm->fh, obj);
}

/* Allocate into an empty place of the hand, or free what is there. */
static void storm_turn(struct cache_storm *storm, struct storm_hand *hand, gfp_t gfp)
{
	unsigned int i = prandom_u32_state(&hand->rnd) % STORM_OBJS;

	hand->turns++;
	if (hand->obj[i]) {
		storm_free(storm, hand->obj[i], hand->bin[i]);
		hand->obj[i] = NULL;
		return;
	}
	hand->bin[i] = 1 + prandom_u32_state(&hand->rnd) % 30;
	hand->obj[i] = storm_alloc(storm, hand->bin[i], gfp);
}

static void storm_softirq(struct tasklet_struct *t)
{
	struct storm_cpu *sc = from_tasklet(sc, t, tasklet);
	int i;

	for (i = 0; i < 8; i++)
		storm_turn(sc->storm, &sc->level[1], GFP_ATOMIC);
}

static void storm_hardirq(void *arg)
{
	struct cache_storm *storm = arg;
	struct storm_cpu *sc = &storm->cpu[smp_processor_id()];
	int i;

	if (!in_hardirq())
		return;
	for (i = 0; i < 8; i++)
		storm_turn(storm, &sc->level[2], GFP_ATOMIC);
	tasklet_schedule(&sc->tasklet);
}

static void storm_member(void *arg, unsigned int member)
{
	struct cache_storm *storm = arg;
	struct storm_cpu *sc = &storm->cpu[raw_smp_processor_id()];
	unsigned int step, other;
	void *obj;

	for (step = 0; step < STORM_STEPS; step++) {
		storm_turn(storm, &sc->level[0], GFP_KERNEL);
		/* From hand to hand: who frees is not who allocated. */
		obj = storm_alloc(storm, 4, GFP_KERNEL);
		obj = xchg(&storm->shared[step * 7 % STORM_OBJS], obj);
		if (obj)
			storm_free(storm, obj, 4);
		if (step % 32 == member) {
			other = cpumask_next(raw_smp_processor_id(), cpu_online_mask);
			if (other >= nr_cpu_ids)
				other = cpumask_first(cpu_online_mask);
			smp_call_function_single(other, storm_hardirq, storm, true);
			cond_resched();
		}
	}
}

/* Four CPUs, interrupted into all the while, and objects that travel. */
static void cache_storm(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct cache_storm *storm = kvzalloc(sizeof(*storm), GFP_KERNEL);
	unsigned int cpu, level, i, turns[3] = {};
	struct goalloc_stats st;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->fh = fh;
	for_each_possible_cpu(cpu) {
		storm->cpu[cpu].storm = storm;
		tasklet_setup(&storm->cpu[cpu].tasklet, storm_softirq);
		for (level = 0; level < 3; level++)
			prandom_seed_state(&storm->cpu[cpu].level[level].rnd, cpu * 3 + level);
	}
	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, storm_member, storm));
	for_each_possible_cpu(cpu)
		tasklet_kill(&storm->cpu[cpu].tasklet);
	fake_heap_check(test, fh);

	for_each_possible_cpu(cpu) {
		for (level = 0; level < 3; level++) {
			struct storm_hand *hand = &storm->cpu[cpu].level[level];

			turns[level] += hand->turns;
			for (i = 0; i < STORM_OBJS; i++)
				if (hand->obj[i])
					storm_free(storm, hand->obj[i], hand->bin[i]);
		}
	}
	for (i = 0; i < STORM_OBJS; i++)
		if (storm->shared[i])
			storm_free(storm, storm->shared[i], 4);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm->wrong));
	/* It was what it is meant to be. */
	KUNIT_EXPECT_EQ(test, (unsigned int)(CREW_FULL * STORM_STEPS), turns[0]);
	KUNIT_EXPECT_GT(test, turns[1], 100U);
	KUNIT_EXPECT_GT(test, turns[2], 100U);
	kvfree(storm);

	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	/* On PREEMPT_RT interrupts get what is at hand. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, 0ULL, st.failed);
	cache_drain_all(fh->heap);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.central_bytes);
	fake_heap_check(test, fh);
}

#define RACE_BIN sizeclass_of(2048)

struct race {
	struct fake_heap *fh;
	void *obj;	/* what was freed twice */
	void *got[2][6];
	struct goalloc_central *central;
	unsigned int step;
};

/* Frees that pass each other, one member (and so one CPU) after the other. */
static void race_free(void *arg, unsigned int member)
{
	struct race *race = arg;
	struct slot_ref ref;

	while (READ_ONCE(race->step) != member)
		cond_resched();
	slot_find(&race->fh->fake.space.map, (unsigned long)race->obj, &ref);
	/* Whoever came second had read the byte before the first wrote it. */
	WRITE_ONCE(*ref.state, SLOT_LIVE);
	storm_put(race->fh, race->obj);
	WRITE_ONCE(race->step, member + 1);
}

static void race_alloc(void *arg, unsigned int member)
{
	struct race *race = arg;
	unsigned int i;

	while (READ_ONCE(race->step) != member)
		cond_resched();
	for (i = 0; i < ARRAY_SIZE(race->got[0]); i++)
		race->got[member][i] = storm_get(race->fh, RACE_BIN, GFP_KERNEL);
	WRITE_ONCE(race->step, member + 1);
}

static void race_flush(void *arg, unsigned int member)
{
	struct race *race = arg;

	while (READ_ONCE(race->step) != member)
		cond_resched();
	if (member == 0)
		cache_drain_cpu(race->fh->heap, raw_smp_processor_id());
	WRITE_ONCE(race->step, member + 1);
}

static void race_go(struct kunit *test, struct race *race, crew_member_t fn)
{
	race->step = 0;
	KUNIT_ASSERT_EQ(test, 0, crew_run(2, fn, race));
}

/* Everything that was handed out is different from everything else. */
static unsigned int race_twice(struct race *race)
{
	void **got = &race->got[0][0];
	unsigned int n = 2 * ARRAY_SIZE(race->got[0]), i, j, twice = 0;

	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			twice += got[i] && got[i] == got[j];
	return twice;
}

/*
 * Two CPUs free one object at once, and both pass the check: the object is in
 * two caches. Whatever happens to the two then, in whichever order, nobody gets
 * it while somebody has it, it is found out, and the books come right.
 */
static void cache_race(struct kunit *test)
{
	/* What the two CPUs do next: allocate, or take home what the first has. */
	static const crew_member_t rows[][3] = {
		{ race_alloc },
		{ race_flush, race_alloc },
		{ race_alloc, race_flush },
		{ race_flush, race_alloc, race_flush },
		{},
	};
	unsigned int row, i, home;

	for (home = 0; home < 2; home++) {
		for (row = 0; row < ARRAY_SIZE(rows); row++) {
			struct fake_heap *fh;
			struct race race = {};
			struct goalloc_stats st;
			void *mate;
			s64 found;

			fake_heap_destroy(test, test->priv);
			fh = fake_heap_create(test, 256, 1);
			test->priv = fh;
			race.fh = fh;
			/* With a neighbour the span stays, else it may go at once. */
			race.obj = storm_get(fh, RACE_BIN, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, race.obj);
			mate = home ? storm_get(fh, RACE_BIN, GFP_KERNEL) : NULL;
			/* A list needs to be there before it can be raced for. */
			cache_drain_all(fh->heap);
			race_go(test, &race, race_alloc);
			for (i = 0; i < 12; i++)
				storm_put(fh, race.got[i / 6][i % 6]);
			cache_drain_all(fh->heap);
			memset(race.got, 0, sizeof(race.got));

			race_go(test, &race, race_free);
			for (i = 0; i < ARRAY_SIZE(rows[row]) && rows[row][i]; i++)
				race_go(test, &race, rows[row][i]);
			KUNIT_EXPECT_EQ_MSG(test, 0U, race_twice(&race), "row %u", row);
			for (i = 0; i < 12; i++)
				if (race.got[i / 6][i % 6])
					storm_put(fh, race.got[i / 6][i % 6]);
			/* Both come home, while the span is there and after. */
			cache_drain_all(fh->heap);
			fake_heap_check(test, fh);
			if (mate)
				storm_put(fh, mate);
			cache_drain_all(fh->heap);
			goalloc_heap_stats(fh->heap, &st);
			found = atomic64_read(&fh->heap->nr_bad[BAD_FREE_RACE]);
			KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.live_objects, "row %u, mate %u",
					    row, home);
			KUNIT_EXPECT_GE_MSG(test, found, 1LL, "row %u, mate %u", row, home);
			fake_heap_check(test, fh);
			KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, false));
			fh->heap = NULL;
		}
	}
}

static void drain_fill(void *arg, unsigned int member)
{
	struct fake_heap *fh = arg;
	unsigned int bin, i;
	void *obj[5];

	for (bin = 1; bin < GOALLOC_NR_BINS; bin++) {
		for (i = 0; i < ARRAY_SIZE(obj); i++)
			obj[i] = storm_get(fh, bin, GFP_KERNEL);
		for (i = 0; i < ARRAY_SIZE(obj); i++)
			if (obj[i])
				storm_put(fh, obj[i]);
	}
}

/* Draining leaves nothing, on any CPU. */
static void cache_drains(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats st;
	unsigned int cpu, bin;

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, drain_fill, fh));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_GT(test, st.cached_bytes, 0ULL);
	fake_heap_check(test, fh);
	/* One CPU's, and no other's. */
	cpu = cpumask_first(cpu_online_mask);
	cache_drain_cpu(fh->heap, cpu);
	for (bin = 1; bin < GOALLOC_NR_BINS; bin++) {
		const struct cache_bin *b;

		b = &per_cpu_ptr(fh->heap->cpus, cpu)->level[0]->bin[bin];
		KUNIT_EXPECT_EQ(test, 0, (int)b->count);
		KUNIT_EXPECT_PTR_EQ(test, &cache_no_span, b->span);
	}
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, num_online_cpus() > 1, st.cached_bytes > 0);
	cache_drain_all(fh->heap);
	/* Two members may have made a span at once when one would have done. */
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
		central_drain_deferred(&fh->heap->node[0]->central[bin]);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.central_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.page_cache_bytes);
	fake_heap_check(test, fh);
}

static struct kunit_case cache_storm_cases[] = {
	KUNIT_CASE(cache_levels),
	KUNIT_CASE(cache_storm),
	KUNIT_CASE(cache_race),
	KUNIT_CASE(cache_drains),
	{}
};

static struct kunit_suite cache_storm_suite = {
	.name = "goalloc_cache_storm",
	.init = cache_storm_suite_init,
	.exit = cache_storm_suite_exit,
	.test_cases = cache_storm_cases,
};

kunit_test_suites(&cache_storm_suite);
