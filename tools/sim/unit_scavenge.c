// SPDX-License-Identifier: GPL-2.0-only
/* unit_scavenge.c - candidates, the index under concurrency, pacing. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include "scavenge_pace.h"
#include "unit.h"

/* The highest aligned run, bit by bit. */
static unsigned int slow_candidate(const struct palloc_chunk *c, bool clean_too,
				   unsigned int min, unsigned int max,
				   unsigned int *n)
{
	unsigned int group, end, run;
	bool ok[PALLOC_CHUNK_PAGES];
	unsigned int i;

	for (group = 0; group < PALLOC_CHUNK_PAGES; group += min) {
		bool good = true;

		for (i = group; i < group + min; i++) {
			if (c->alloc[i / 64] >> i % 64 & 1)
				good = false;
			if (!clean_too && c->scavenged[i / 64] >> i % 64 & 1)
				good = false;
		}
		for (i = group; i < group + min; i++)
			ok[i] = good;
	}
	max = max ? (max + min - 1) / min * min : min;
	*n = 0;
	for (end = PALLOC_CHUNK_PAGES; end && !ok[end - 1]; end--)
		;
	if (!end)
		return 0;
	for (run = 0; run < end && ok[end - 1 - run]; run++)
		;
	*n = run < max ? run : max;
	return end - *n;
}

static void candidates(void)
{
	u64 rng = 5;
	int round;

	for (round = 0; round < 200000; round++) {
		struct palloc_chunk c = {};
		unsigned int min = 1 << sim_random(&rng) % 7;
		unsigned int max = sim_random(&rng) % 200;
		unsigned int i, n, want, want_n, ranges;
		bool clean_too = sim_random(&rng) & 1;

		for (ranges = sim_random(&rng) % 12; ranges; ranges--) {
			unsigned int at = sim_random(&rng) % 512;
			unsigned int len = 1 + sim_random(&rng) % 130;

			palloc_bits_set(sim_random(&rng) & 1 ? c.alloc :
					c.scavenged, at,
					min_t(u32, len, 512 - at));
		}
		i = palloc_chunk_find_candidate(&c, 511, min, max, 0, clean_too,
						&n);
		want = slow_candidate(&c, clean_too, min, max, &want_n);
		EXPECT(n == want_n && (!n || i == want),
		       "min %u max %u: expected %u+%u, got %u+%u", min, max,
		       want, want_n, i, n);
	}
}

/* Pages that are all free and released, for an index over them. */
static bool index_make(struct sim_mem *mem, struct palloc *p, u64 npages)
{
	sim_mem_init(mem);
	if (palloc_init(p, &mem->mem, npages, 0) ||
	    palloc_reserve(p, 0, npages, 0)) {
		EXPECT(false, "out of memory");
		return false;
	}
	palloc_grow(p, 0, npages, true);
	return true;
}

/*
 * One thread frees and allocates in an index, others search it without a lock.
 * When the dust has settled a search must find every chunk that has something.
 */
#define RACE_CHUNKS	1024

static struct {
	struct sim_mem mem;
	struct palloc p;
	bool stop;
} race;

static void *race_search(void *arg)
{
	bool force = arg;
	unsigned int page;
	u64 chunk;

	while (!__atomic_load_n(&race.stop, __ATOMIC_RELAXED)) {
		if (!scavenge_index_find(&race.p.scav, force, &chunk, &page))
			continue;
		EXPECT(chunk < RACE_CHUNKS, "found chunk %llu", chunk);
	}
	return NULL;
}

static void index_race(void)
{
	struct scavenge_index *si = &race.p.scav;
	pthread_t thread[2];
	unsigned int page, i, found = 0;
	u64 chunk, rng = 9;

	race.stop = false;
	if (!index_make(&race.mem, &race.p, RACE_CHUNKS * 512))
		return;
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, race_search,
			       i ? (void *)1 : NULL);
	for (i = 0; i < 300000; i++) {
		chunk = sim_random(&rng) % RACE_CHUNKS;
		scavenge_index_alloc(si, chunk, 8);
		scavenge_index_free(si, chunk, sim_random(&rng) % 512, 8);
		if (i % 64 == 0)
			scavenge_index_next_gen(si);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);

	/* Something freed at the very top brings every chunk into view. */
	scavenge_index_alloc(si, RACE_CHUNKS - 1, 1);
	scavenge_index_free(si, RACE_CHUNKS - 1, 511, 1);
	scavenge_index_next_gen(si);
	while (scavenge_index_find(si, false, &chunk, &page)) {
		scavenge_index_set_empty(si, chunk);
		found++;
	}
	EXPECT(found == RACE_CHUNKS, "found %u of %u chunks", found,
	       RACE_CHUNKS);
	palloc_destroy(&race.p);
}

/*
 * A search that went past a chunk must not hide what was freed above it in the
 * meantime: the order of steps that a race would produce, one by one.
 */
static void index_mark(void)
{
	struct sim_mem mem;
	struct palloc p;
	struct scavenge_index *si = &p.scav;
	unsigned int page;
	u64 chunk, old;

	if (!index_make(&mem, &p, 4096))
		return;
	scavenge_index_alloc(si, 2, 8);
	scavenge_index_free(si, 2, 10, 8);
	old = si->forced;
	/* The same page again, while nobody looks: a mark of its own. */
	scavenge_index_set_empty(si, 2);
	EXPECT(!scavenge_index_find(si, true, &chunk, &page), "found %llu",
	       chunk);
	scavenge_index_alloc(si, 2, 8);
	scavenge_index_free(si, 2, 10, 8);
	EXPECT(si->forced != old, "two marks look the same");
	EXPECT(scavenge_index_find(si, true, &chunk, &page) && chunk == 2 &&
	       page == 10, "not found");
	/* Chunks without index words are skipped by the block. */
	scavenge_index_pass(si, true, 2);
	EXPECT(!scavenge_index_find(si, true, &chunk, &page), "found %llu",
	       chunk);
	scavenge_index_pass(si, true, 2);
	scavenge_index_pass(si, true, 0);
	palloc_destroy(&p);
}

/* From a chunk with nothing left, a search goes on at the end of a lower one. */
static void index_lower(void)
{
	struct sim_mem mem;
	struct palloc p;
	struct scavenge_index *si = &p.scav;
	unsigned int page;
	u64 chunk;

	if (!index_make(&mem, &p, 4096))
		return;
	scavenge_index_alloc(si, 2, 8);
	scavenge_index_free(si, 2, 10, 8);
	scavenge_index_alloc(si, 5, 8);
	scavenge_index_free(si, 5, 20, 8);
	EXPECT(scavenge_index_find(si, true, &chunk, &page) && chunk == 5 &&
	       page == 20, "not at the mark");
	scavenge_index_set_empty(si, 5);
	EXPECT(scavenge_index_find(si, true, &chunk, &page) && chunk == 2 &&
	       page == PALLOC_CHUNK_PAGES - 1, "not at the end of chunk 2");
	scavenge_index_set_empty(si, 2);
	EXPECT(!scavenge_index_find(si, true, &chunk, &page), "found %llu",
	       chunk);
	palloc_destroy(&p);
}

static double from_q(s64 q)
{
	return (double)q / (double)SCAVENGE_Q_ONE;
}

static s64 to_q(double x)
{
	return llround(x * (double)SCAVENGE_Q_ONE);
}

/* The controller in floating point. */
struct float_pi {
	double kp, ti, tt, min, max, integral;
};

static double float_next(struct float_pi *pi, double in, double set,
			 double period)
{
	double prop = pi->kp * (set - in);
	double raw = prop + pi->integral;
	double out = fmin(fmax(raw, pi->min), pi->max);

	if (pi->ti != 0 && pi->tt != 0)
		pi->integral += pi->kp * period / pi->ti * (set - in) +
				period / pi->tt * (out - raw);
	return out;
}

static void pi_follows_float(void)
{
	struct float_pi f = { 0.3375, 3.2e6, 1e9, 0.001, 1000, 0 };
	struct scavenge_pi q;
	struct scavenge_pace pace;
	u64 rng = 3;
	int i;

	scavenge_pace_init(&pace, 1);
	q = pace.pi;
	for (i = 0; i < 20000; i++) {
		double in = (double)(sim_random(&rng) >> 40) / (1 << 24);
		u64 period = 1000000 + sim_random(&rng) % 400000000;
		double want, got;
		bool ok;
		s64 out;

		in *= i % 3 ? 0.02 : 1.0;
		want = float_next(&f, in, 0.01, period);
		ok = scavenge_pi_next(&q, to_q(in), to_q(0.01), period, &out);
		got = from_q(out);
		EXPECT(ok, "step %d failed", i);
		EXPECT(fabs(got - want) <= fmax(0.000001, 0.0001 * fabs(want)),
		       "step %d: expected %.9g, got %.9g", i, want, got);
	}
}

/* Whatever goes in, what comes out is within the limits. */
static void pi_never_runs_away(void)
{
	u64 rng = 4;
	int i, failures = 0;

	for (i = 0; i < 200000; i++) {
		struct scavenge_pi pi = {
			.kp = sim_random(&rng) >> 1 >> sim_random(&rng) % 63,
			.ti = 1 + (sim_random(&rng) >> sim_random(&rng) % 63),
			.tt = 1 + (sim_random(&rng) >> sim_random(&rng) % 63),
			.min = SCAVENGE_Q(1, 1000),
			.max = SCAVENGE_Q(1000, 1),
		};
		int step;

		for (step = 0; step < 4; step++) {
			u64 period = sim_random(&rng) >> sim_random(&rng) % 63;
			s64 out = -1;
			bool ok;

			ok = scavenge_pi_next(&pi, sim_random(&rng),
					      sim_random(&rng), period, &out);
			failures += !ok;
			EXPECT(out >= pi.min && out <= pi.max, "output %lld",
			       (long long)out);
			EXPECT(ok || (out == pi.min && !pi.integral),
			       "failed without a reset");
		}
	}
	EXPECT(failures, "no failure provoked");
}

static void pace_cools_down(void)
{
	struct scavenge_pace pace;
	u64 sleep;

	scavenge_pace_init(&pace, 4);
	sleep = scavenge_pace_sleep_ns(&pace, 0);
	EXPECT(sleep / 1000 == SCAVENGE_MIN_WORK_NS,
	       "first sleep of %llu ns", sleep);
	/* A period nothing can be computed from. */
	pace.pi.kp = S64_MAX;
	scavenge_pace_slept(&pace, 1000000, 1ULL << 62);
	EXPECT(pace.cooldown_ns == 5000000000LL, "no cooldown");
	EXPECT(pace.sleep_ratio == SCAVENGE_Q(1, 1000), "ratio");
	scavenge_pace_slept(&pace, 1000000, 999000000);
	EXPECT(pace.cooldown_ns == 4000000000LL, "cooldown goes on for %lld",
	       (long long)pace.cooldown_ns);
	scavenge_pace_slept(&pace, 1000000, 4999000000ULL);
	EXPECT(!pace.cooldown_ns, "cooldown ends");
}

const struct unit_case unit_scavenge[] = {
	{ "scavenge: candidates, bit by bit", candidates },
	{ "scavenge: searches race with frees", index_race },
	{ "scavenge: two marks at one page differ", index_mark },
	{ "scavenge: past a chunk with nothing left", index_lower },
	{ "scavenge: the controller follows floating point", pi_follows_float },
	{ "scavenge: the controller never runs away", pi_never_runs_away },
	{ "scavenge: pacing cools down after a failure", pace_cools_down },
	{}
};
