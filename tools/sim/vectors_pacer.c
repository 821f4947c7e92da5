// SPDX-License-Identifier: GPL-2.0-only
/*
 * vectors_pacer.c - tables about the pacer of collected heaps.
 *
 * The simulations are those of Go's own test: mutators that allocate at some speed, and
 * a collector that scans at some speed, in steps of half a millisecond, each step with
 * the share of the CPUs that the pacer's assist ratio leads to. So whatever the pacer
 * gets wrong comes back to it, cycle after cycle. The simulation has doubles, as Go's
 * has; the pacer has none.
 *
 * Probes, in which nothing depends on a ratio, must give Go's numbers. In simulations
 * bytes may differ by 1 part in 10^6 and 64, for what is rounded in each step adds up;
 * measured were up to 16 bytes, and 2 parts in 10^9 where it was more than 4.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "gc_pacer.h"
#include "vectors.h"

#define PERIOD_NS 500000.0
/* KiB per CPU and millisecond to bytes per CPU and period. */
#define RATE 512.0
#define LEAST_SHARE 0.25

static double number(const json_t *v, const char *what)
{
	if (!json_is_number(v)) {
		vec_fail("%s is missing", what);
		return 0;
	}
	return json_number_value(v);
}

static double member(const json_t *object, const char *key)
{
	return number(json_object_get(object, key), key);
}

static u64 count(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (!v) {
		vec_fail("%s is missing", key);
		return 0;
	}
	return vec_u64(v);
}

static double from_q(u64 q)
{
	return (double)q / (double)GC_Q_ONE;
}

static void near(const char *what, size_t cycle, double want, double got)
{
	double slack = fabs(want) / 1000000 + 64;

	if (fabs(want - got) > slack)
		vec_fail("cycle %zu: %s: expected %.17g, got %.17g", cycle, what, want, got);
}

/* Of what is no number of bytes. */
static void near_ratio(const char *what, size_t cycle, double want, double got)
{
	if (fabs(want - got) > fabs(want) / 100000 + 1 / 1e9)
		vec_fail("cycle %zu: %s: expected %.17g, got %.17g", cycle, what, want, got);
}

/**
 * struct sim_cycle - one cycle of a simulation
 * @p: the pacer
 * @alloc: bytes that a CPU allocates in a period
 * @scan: bytes that a CPU scans in a period
 * @scannable: share of what is allocated that may hold pointers
 * @cpus: how many there are
 * @heap: bytes of objects that are still to be scanned
 * @stack: of frames
 * @globals: of roots
 * @black: bytes allocated so far
 * @assist: CPU time of assists, in ns
 * @elapsed: time so far, in ns
 */
struct sim_cycle {
	struct gc_pacer *p;
	double alloc;
	double scan;
	double scannable;
	unsigned int cpus;
	s64 heap;
	s64 stack;
	s64 globals;
	u64 black;
	s64 assist;
	s64 elapsed;
};

static s64 take(s64 *from, s64 *bytes)
{
	s64 taken = *from < *bytes ? *from : *bytes;

	*from -= taken;
	*bytes -= taken;
	return taken;
}

/* Half a millisecond, or what is left. Returns false when nothing is. */
static bool sim_period(struct sim_cycle *c)
{
	double ratio = from_q(c->p->work_per_byte), elapsed = PERIOD_NS, util;
	s64 left = c->heap + c->stack + c->globals, scanned, allocated, bytes;

	if (!left)
		return false;
	util = ratio * c->alloc / (ratio * c->alloc + c->scan);
	if (util < LEAST_SHARE)
		util = LEAST_SHARE;
	scanned = c->scan * RATE * c->cpus * util;
	allocated = c->alloc * RATE * c->cpus * (1 - util);
	if (scanned > left) {
		scanned = left;
		elapsed = (s64)(scanned * PERIOD_NS / (c->scan * RATE * c->cpus * util));
		allocated = c->alloc * RATE * elapsed / PERIOD_NS * c->cpus * (1 - util);
	}
	bytes = scanned;
	c->p->globals_work += take(&c->globals, &bytes);
	c->p->stack_work += take(&c->stack, &bytes);
	c->p->heap_work += take(&c->heap, &bytes);
	c->p->live += allocated;
	c->p->heap_scan += (s64)(allocated * c->scannable);
	gc_pacer_revise(c->p);
	c->black += allocated;
	c->assist += (s64)(elapsed * c->cpus * (util - LEAST_SHARE));
	c->elapsed += elapsed;
	return true;
}

static void sim_results(size_t i, const struct sim_cycle *c, const json_t *cycle,
			u64 marked)
{
	const json_t *res = json_object_get(cycle, "res");
	struct gc_pacer *p = c->p;

	near("in use before", i, member(res, "heapLive"), marked);
	near("trigger", i, member(res, "trigger"), p->triggered);
	near("goal", i, member(res, "goal"), gc_pacer_goal(p));
	near("peak", i, member(res, "peak"), p->live);
	near_ratio("share of the CPUs", i, member(res, "util"),
		   LEAST_SHARE + (double)c->assist / ((double)c->elapsed * c->cpus));
}

static void sim_after(size_t i, const struct gc_pacer *p, const json_t *cycle)
{
	const json_t *after = json_object_get(cycle, "after");

	near_ratio("allocated per scanned", i, member(after, "consMark"), from_q(p->cons_mark));
	near("runway", i, member(after, "runway"), p->runway);
	near("goal by percent", i, count(after, "pctGoal"), p->pct_goal);
	near("next trigger", i, member(after, "trigger"), gc_pacer_trigger(p));
	near("next goal", i, member(after, "goal"), gc_pacer_goal(p));
	near("least trigger", i, member(after, "sweepMin"), p->sweep_min);
}

void vec_pacer_test(const json_t *entry)
{
	unsigned int cpus = member(entry, "ncores");
	json_t *cycles = json_object_get(entry, "cycles"), *cycle;
	struct gc_pacer p;
	size_t i;

	if (!json_array_size(cycles)) {
		vec_fail("no cycles");
		return;
	}
	gc_pacer_init(&p, member(entry, "gc_percent"), 4 << 20, count(entry, "memory_limit"));
	json_array_foreach(cycles, i, cycle) {
		const json_t *in = json_object_get(cycle, "in");
		struct sim_cycle c = {
			.p = &p,
			.alloc = number(json_array_get(in, 0), "speed of allocating"),
			.scan = number(json_array_get(in, 1), "speed of scanning"),
			.scannable = number(json_array_get(in, 3), "share of pointers"),
			.stack = number(json_array_get(in, 4), "bytes of stacks"),
			.globals = count(entry, "globals_bytes"),
			.cpus = cpus,
		};
		u64 next = count(cycle, "next_heap_marked"), marked = p.marked;
		size_t periods = 0;

		p.live = max(gc_pacer_trigger(&p), p.marked);
		p.heap_scan += (s64)((p.live - p.marked) * c.scannable);
		p.max_stack_scan = c.stack;
		p.globals_scan = c.globals;
		c.heap = (s64)(next * c.scannable);
		gc_pacer_start_cycle(&p, 0, cpus);
		near("in use at the start", i, member(cycle, "live0"), p.live);
		near_ratio("assist ratio", i, member(cycle, "assist0"), from_q(p.work_per_byte));
		while (sim_period(&c))
			periods++;
		if (labs((long)periods - (long)count(cycle, "n_rev")) > 1)
			vec_fail("cycle %zu took %zu periods, not %llu", i, periods,
				 (unsigned long long)count(cycle, "n_rev"));
		sim_results(i, &c, cycle, marked);
		p.assist_ns = c.assist > 0 ? c.assist : 0;
		gc_pacer_end_cycle(&p, c.elapsed, cpus);
		gc_pacer_reset_live(&p, next + c.black);
		gc_pacer_commit(&p, false);
		sim_after(i, &p, cycle);
	}
}

void vec_limit_goal(const json_t *entry)
{
	struct gc_pacer p;

	gc_pacer_init(&p, 100, 4 << 20, vec_at(entry, 0));
	p.mem.heap_free = vec_at(entry, 1);
	p.mem.total_alloc = vec_at(entry, 2);
	p.mem.total_free = vec_at(entry, 3);
	p.mem.ready = vec_at(entry, 4);
	p.marked = vec_at(entry, 5);
	vec_expect("goal", vec_at(entry, 6), gc_pacer_limit_goal(&p));
}

void vec_trigger_probe(const json_t *entry)
{
	struct gc_pacer p;

	gc_pacer_init(&p, member(entry, "gcPercent"), 4 << 20, count(entry, "limit"));
	p.mem.heap_free = count(entry, "heapFree");
	p.mem.ready = count(entry, "mappedReady");
	p.mem.total_alloc = count(entry, "totalAlloc");
	p.marked = count(entry, "heapMarked");
	p.live = count(entry, "heapLive");
	p.last_stack_scan = count(entry, "lastStack");
	p.globals_scan = count(entry, "globals");
	gc_pacer_commit(&p, json_is_true(json_object_get(entry, "sweepDone")));
	p.runway = count(entry, "runway");
	vec_expect("goal by percent", count(entry, "pctGoal"), p.pct_goal);
	vec_expect("least trigger", count(entry, "sweepMin"), p.sweep_min);
	vec_expect("goal", count(entry, "goal"), gc_pacer_goal(&p));
	vec_expect("trigger", count(entry, "trigger"), gc_pacer_trigger(&p));
}

void vec_pacer_workers(const json_t *entry)
{
	struct gc_pacer p;

	gc_pacer_init(&p, 100, 4 << 20, GC_PACER_NO_LIMIT);
	gc_pacer_start_cycle(&p, 0, vec_at(entry, 0));
	vec_expect("workers", vec_at(entry, 1), p.dedicated);
	near_ratio("share of all", 0, number(json_array_get(entry, 2), "share"),
		   from_q(p.fractional));
}
