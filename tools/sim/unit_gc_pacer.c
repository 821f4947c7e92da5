// SPDX-License-Identifier: GPL-2.0-only
/* unit_gc_pacer.c - the pacer with numbers that no program has. */
#include <stdlib.h>
#include "gc_pacer.h"
#include "unit.h"

#define MINIMUM (4ULL << 20)

static void unit_pacer_off(void)
{
	struct gc_pacer p;

	gc_pacer_init(&p, GC_PACER_OFF, MINIMUM, GC_PACER_NO_LIMIT);
	EXPECT(p.pct_goal == U64_MAX, "wrong");
	p.live = 1ULL << 40;
	p.marked = 1ULL << 40;
	gc_pacer_commit(&p, false);
	/* So far away that it is never got to. */
	EXPECT(gc_pacer_trigger(&p) > 1ULL << 60, "wrong");
	gc_pacer_start_cycle(&p, 5, 4);
	EXPECT(p.bytes_per_work > 0, "wrong");
	/* By a limit alone. */
	gc_pacer_init(&p, GC_PACER_OFF, MINIMUM, 512ULL << 20);
	EXPECT(gc_pacer_goal(&p) == (512ULL << 20) - (512ULL << 20) / 100 * 3, "wrong");
}

static void unit_pacer_limits(void)
{
	struct gc_pacer p;

	/* No percentage at all: as soon as it can be. */
	gc_pacer_init(&p, 0, MINIMUM, GC_PACER_NO_LIMIT);
	p.marked = 100 << 20;
	p.live = 100 << 20;
	gc_pacer_commit(&p, true);
	EXPECT(gc_pacer_goal(&p) == 100 << 20, "wrong");
	EXPECT(gc_pacer_trigger(&p) == 100 << 20, "wrong");
	/* Not before the last sweep can be over. */
	gc_pacer_commit(&p, false);
	EXPECT(gc_pacer_goal(&p) == 101 << 20, "wrong");
	EXPECT(gc_pacer_trigger(&p) == 101 << 20, "wrong");
	/* A limit of nothing leaves what is in use. */
	p.limit = 0;
	EXPECT(gc_pacer_limit_goal(&p) == 100 << 20, "wrong");
	/* One that is less than there has to be room for. */
	gc_pacer_init(&p, 100, MINIMUM, 1 << 10);
	EXPECT(gc_pacer_limit_goal(&p) == 1 << 20, "wrong");
	/* All of it is taken by others. */
	p.mem.ready = 1 << 20;
	p.marked = 7;
	EXPECT(gc_pacer_limit_goal(&p) == 7, "wrong");
}

/* A cycle in which nothing happened teaches nothing. */
static void unit_pacer_nothing(void)
{
	struct gc_pacer p;

	gc_pacer_init(&p, 100, MINIMUM, GC_PACER_NO_LIMIT);
	gc_pacer_start_cycle(&p, 100, 0);
	EXPECT(!p.dedicated && p.fractional == GC_Q(1, 4), "wrong");
	gc_pacer_end_cycle(&p, 100, 0);
	gc_pacer_reset_live(&p, 0);
	gc_pacer_commit(&p, true);
	EXPECT(!p.cons_mark && !p.runway, "wrong");
	EXPECT(gc_pacer_goal(&p) == MINIMUM, "wrong");
	EXPECT(gc_pacer_sweep_ratio(&p, 0) == 0, "wrong");
	EXPECT(gc_pacer_sweep_ratio(&p, 8192) > 0, "wrong");
	/* Nothing left of the way: what is to be swept is swept at once. */
	p.live = MINIMUM;
	EXPECT(gc_pacer_sweep_ratio(&p, 8192) == GC_Q_ONE, "wrong");
	/* Assists took all there was. */
	gc_pacer_start_cycle(&p, 100, 4);
	p.live += 1000;
	p.assist_ns = 1ULL << 50;
	p.heap_work = 1;
	gc_pacer_end_cycle(&p, 101, 4);
	EXPECT(p.cons_mark > 0, "wrong");
	EXPECT(gc_q_mul(U64_MAX, U64_MAX) == U64_MAX, "wrong");
	EXPECT(gc_q_mul(GC_Q_ONE / 2, 7) == 3, "wrong");
}

/* What is found in use by a ratio: the highest of the last cycles counts. */
static void unit_pacer_history(void)
{
	struct gc_pacer p;
	int i;

	gc_pacer_init(&p, 100, MINIMUM, GC_PACER_NO_LIMIT);
	for (i = 0; i < 6; i++) {
		p.live = 10 << 20;
		gc_pacer_start_cycle(&p, 0, 4);
		/* The first one allocates four times as much. */
		p.live += i ? 1 << 20 : 4 << 20;
		p.heap_work = 8 << 20;
		gc_pacer_end_cycle(&p, 1000000, 4);
		EXPECT(p.cons_mark == (i < 5 ? GC_Q(1, 6) : GC_Q(1, 24)), "wrong");
		gc_pacer_reset_live(&p, 10 << 20);
		gc_pacer_commit(&p, true);
		EXPECT(p.runway == gc_q_mul(p.cons_mark * 3, 8 << 20), "wrong");
	}
}

static u64 seed = 0x9ace5;

static u64 pacer_number(void)
{
	/* As many of each size. */
	return sim_random(&seed) >> sim_random(&seed) % 64;
}

/* Whatever the numbers are, the answers make sense. */
static void unit_pacer_random(void)
{
	unsigned int i, cycle;

	for (i = 0; i < 20000; i++) {
		struct gc_pacer p;

		gc_pacer_init(&p, (int)(pacer_number() % 100000) - 1, pacer_number() >> 16,
			      sim_random(&seed) % 2 ? GC_PACER_NO_LIMIT : pacer_number());
		for (cycle = 0; cycle < 4; cycle++) {
			unsigned int cpus = pacer_number() % 4096;
			u64 begin = pacer_number() >> 2;

			p.mem.ready = pacer_number();
			p.mem.heap_free = pacer_number();
			p.mem.total_alloc = pacer_number();
			p.mem.total_free = pacer_number();
			p.live = pacer_number();
			p.max_stack_scan = pacer_number();
			p.globals_scan = pacer_number();
			p.heap_scan = pacer_number();
			gc_pacer_start_cycle(&p, begin, cpus);
			EXPECT(p.dedicated * 4 <= cpus + 2, "wrong");
			EXPECT(p.fractional <= GC_Q(1, 4), "wrong");
			EXPECT(p.bytes_per_work || p.work_per_byte, "wrong");
			p.heap_work = pacer_number();
			p.stack_work = pacer_number();
			p.globals_work = pacer_number();
			p.live += pacer_number() >> 1;
			gc_pacer_revise(&p);
			EXPECT(p.bytes_per_work || p.work_per_byte, "wrong");
			p.assist_ns = pacer_number();
			p.idle_ns = pacer_number();
			gc_pacer_end_cycle(&p, begin + (pacer_number() >> 2), cpus);
			gc_pacer_reset_live(&p, pacer_number());
			gc_pacer_commit(&p, sim_random(&seed) % 2);
			EXPECT(gc_pacer_trigger(&p) <= gc_pacer_goal(&p), "wrong");
			if (p.marked < gc_pacer_goal(&p))
				EXPECT(gc_pacer_trigger(&p) >= p.marked, "wrong");
			gc_pacer_sweep_ratio(&p, pacer_number());
		}
	}
}

const struct unit_case unit_gc_pacer[] = {
	{ "pacer_off", unit_pacer_off },
	{ "pacer_limits", unit_pacer_limits },
	{ "pacer_nothing", unit_pacer_nothing },
	{ "pacer_history", unit_pacer_history },
	{ "pacer_random", unit_pacer_random },
	{}
};
