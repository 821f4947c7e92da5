// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a collected heap is collected, and how hard mutators have to help.
 *
 * This is Go's pacer. The goal says how much may be in use when a cycle ends: what is in
 * use and the roots, and a percentage of both on top, but no more than a limit on
 * memory leaves. The trigger says how much is in use when the cycle has to begin for
 * that: earlier by the runway, what mutators are expected to allocate while a quarter
 * of the CPUs marks. How fast they allocate for what is marked is measured in each
 * cycle, and the highest of the last ones counts.
 *
 * While it lasts, what is left to scan over what is left to be allocated is what a
 * mutator has to scan for each byte it takes. If there turns out to be more to scan than
 * in the last cycle, the goal moves.
 *
 * Doubles are Q32.32 here; whatever does not depend on a ratio is exact, and nothing is
 * divided by 0 or wraps around, whatever the numbers are.
 */
#include "gc_pacer.h"

/* A cycle does not begin before that part of the way to the goal, nor after that. */
#define TRIGGER_PARTS 64
#define TRIGGER_MIN 45
#define TRIGGER_MAX 61

/* Share of the CPUs that is to mark. */
#define UTILIZATION GC_Q(1, 4)

#define MIN_RUNWAY (64ULL << 10)
#define SWEEP_DISTANCE BIT_ULL(20)
#define SWEEP_DISTANCE_LEAST 8192
#define LATEST_TRIGGER (4ULL << 20)
#define HEADROOM_PERCENT 3
#define HEADROOM_LEAST BIT_ULL(20)
/* There is always that much to scan. */
#define LEAST_WORK 1000

static u64 add_sat(u64 a, u64 b)
{
	return a + b < a ? U64_MAX : a + b;
}

static u64 sub_sat(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

/* a * b / c, U64_MAX if that is more; 0 / 0 is 0. */
static u64 muldiv(u64 a, u64 b, u64 c)
{
	if (!a || !b)
		return 0;
	if (mul_u64_u64_shr(a, b, 64) >= c)
		return U64_MAX;
	return mul_u64_u64_div_u64(a, b, c);
}

/**
 * gc_q_mul - a number times a ratio
 * @q: the ratio, Q32.32
 * @x: the number
 *
 * Context: Any.
 * Return: the product, rounded down; U64_MAX if it is more.
 */
u64 gc_q_mul(u64 q, u64 x)
{
	return muldiv(q, x, GC_Q_ONE);
}

/* a / b in Q32.32. */
static u64 ratio(u64 a, u64 b)
{
	return muldiv(a, GC_Q_ONE, b);
}

/**
 * gc_pacer_init - begin with an empty heap
 * @p: what to fill in
 * @percent: see &struct gc_pacer.percent
 * @heap_minimum: see &struct gc_pacer.heap_minimum
 * @limit: see &struct gc_pacer.limit
 *
 * Context: Any.
 */
void gc_pacer_init(struct gc_pacer *p, int percent, u64 heap_minimum, u64 limit)
{
	memset(p, 0, sizeof(*p));
	p->percent = percent;
	p->heap_minimum = heap_minimum;
	p->limit = limit;
	p->triggered = U64_MAX;
	gc_pacer_commit(p, true);
}

/* What was scanned in the last cycle, which is what is expected of this one. */
static u64 last_scan(const struct gc_pacer *p)
{
	return add_sat(add_sat(p->last_heap_scan, p->last_stack_scan), p->globals_scan);
}

static u64 max_scan(const struct gc_pacer *p)
{
	return add_sat(add_sat(p->heap_scan, p->max_stack_scan), p->globals_scan);
}

static u64 scan_work(const struct gc_pacer *p)
{
	return add_sat(add_sat(p->heap_work, p->stack_work), p->globals_work);
}

/**
 * gc_pacer_commit - see where the next cycle is to end
 * @p: the pacer; the last cycle's numbers are in
 * @sweep_done: nothing is left to be swept
 *
 * Context: Any; the caller's lock.
 */
void gc_pacer_commit(struct gc_pacer *p, bool sweep_done)
{
	u64 base = add_sat(add_sat(p->marked, p->last_stack_scan), p->globals_scan);

	p->sweep_min = sweep_done ? 0 : add_sat(p->live, SWEEP_DISTANCE);
	if (p->percent < 0) {
		p->pct_goal = U64_MAX;
	} else {
		p->pct_goal = add_sat(p->marked, muldiv(base, p->percent, 100));
		p->pct_goal = max(p->pct_goal, muldiv(p->heap_minimum, p->percent, 100));
	}
	/* Three quarters of the CPUs allocate while one marks. */
	p->runway = gc_q_mul(min(p->cons_mark, U64_MAX / 3) * 3, last_scan(p));
}

/**
 * gc_pacer_limit_goal - the goal that the limit allows
 * @p: the pacer
 *
 * Context: Any; the caller's lock.
 * Return: bytes in use, what the last cycle found at least.
 */
u64 gc_pacer_limit_goal(const struct gc_pacer *p)
{
	const struct gc_pacer_mem *mem = &p->mem;
	u64 in_use = sub_sat(mem->total_alloc, mem->total_free);
	u64 other = sub_sat(mem->ready, add_sat(mem->heap_free, in_use));
	u64 over = sub_sat(mem->ready, p->limit);
	u64 goal, room;

	if (add_sat(other, over) >= p->limit)
		return p->marked;
	goal = p->limit - other - over;
	/* Not to the last byte: numbers are late, and spans have room in them. */
	room = max(div_u64(goal, 100) * HEADROOM_PERCENT, HEADROOM_LEAST);
	if (goal < room || goal - room < room)
		goal = room;
	else
		goal -= room;
	return max(goal, p->marked);
}

/* The goal, and the least that a trigger may be. */
static u64 pacer_goal(const struct gc_pacer *p, u64 *least)
{
	u64 goal = gc_pacer_limit_goal(p);

	*least = 0;
	if (goal < p->pct_goal)
		return goal;
	*least = p->sweep_min;
	goal = max(p->pct_goal, p->sweep_min);
	if (p->triggered != U64_MAX)
		goal = max(goal, add_sat(p->triggered, MIN_RUNWAY));
	return goal;
}

/**
 * gc_pacer_goal - how much is to be in use when a cycle ends
 * @p: the pacer
 *
 * Context: Any; the caller's lock.
 * Return: bytes.
 */
u64 gc_pacer_goal(const struct gc_pacer *p)
{
	u64 least;

	return pacer_goal(p, &least);
}

/**
 * gc_pacer_trigger - how much is in use when a cycle has to begin
 * @p: the pacer
 *
 * Context: Any; the caller's lock.
 * Return: bytes.
 */
u64 gc_pacer_trigger(const struct gc_pacer *p)
{
	u64 least, most, trigger, part;
	u64 goal = pacer_goal(p, &least);

	if (p->marked >= goal)
		return goal;
	part = div_u64(goal - p->marked, TRIGGER_PARTS);
	least = max(least, p->marked + part * TRIGGER_MIN);
	most = p->marked + part * TRIGGER_MAX;
	if (goal > LATEST_TRIGGER)
		most = max(most, goal - LATEST_TRIGGER);
	most = max(most, least);
	trigger = p->runway > goal ? least : goal - p->runway;
	return clamp(trigger, least, most);
}

/* A quarter of the CPUs: whole ones if that is near enough, else shares of all. */
static void pacer_workers(struct gc_pacer *p, unsigned int cpus)
{
	unsigned int dedicated = (cpus + 2) / 4;
	unsigned int off = max(dedicated * 4, cpus) - min(dedicated * 4, cpus);

	p->fractional = 0;
	if (off * 10 > cpus * 3) {
		if (dedicated * 4 > cpus)
			dedicated--;
		p->fractional = div64_u64((cpus - dedicated * 4) * GC_Q_ONE, cpus * 4ULL);
	}
	p->dedicated = dedicated;
}

/**
 * gc_pacer_start_cycle - marking begins
 * @p: the pacer
 * @now_ns: the time
 * @cpus: how many CPUs there are
 *
 * Context: Any; the caller's lock.
 */
void gc_pacer_start_cycle(struct gc_pacer *p, u64 now_ns, unsigned int cpus)
{
	p->heap_work = 0;
	p->stack_work = 0;
	p->globals_work = 0;
	p->assist_ns = 0;
	p->idle_ns = 0;
	p->begin_ns = now_ns;
	p->triggered = p->live;
	pacer_workers(p, cpus ?: 1);
	gc_pacer_revise(p);
}

/**
 * gc_pacer_revise - see again how hard mutators have to help
 * @p: the pacer; what is in use, or what was scanned, has changed
 *
 * Context: Any; the caller's lock; a cycle is going on.
 */
void gc_pacer_revise(struct gc_pacer *p)
{
	u64 percent = p->percent < 0 ? 100000 : p->percent;
	u64 work = scan_work(p), expected = last_scan(p), most = max_scan(p);
	u64 goal = gc_pacer_goal(p), further, hard, left, bytes;

	if (work > expected) {
		/* In proportion, but no further than to the goal of the next cycle. */
		further = add_sat(muldiv(sub_sat(goal, p->triggered), most, expected),
				  p->triggered);
		expected = most;
		hard = muldiv(goal, 100 + percent, 100);
		goal = min(further, hard);
	}
	if (p->live > goal) {
		goal = muldiv(goal, 11, 10);
		expected = most;
	}
	left = max_t(u64, sub_sat(expected, work), LEAST_WORK);
	bytes = max_t(u64, sub_sat(goal, p->live), 1);
	p->work_per_byte = ratio(left, bytes);
	p->bytes_per_work = ratio(bytes, left);
}

/**
 * gc_pacer_end_cycle - marking has ended
 * @p: the pacer
 * @now_ns: the time
 * @cpus: how many CPUs there are
 *
 * Context: Any; the caller's lock.
 */
void gc_pacer_end_cycle(struct gc_pacer *p, u64 now_ns, unsigned int cpus)
{
	u64 total = muldiv(sub_sat(now_ns, p->begin_ns), cpus ?: 1, 1);
	u64 util, idle, per, now;
	unsigned int i;

	/* Too little to learn anything from. */
	if (p->live <= p->triggered || !total)
		return;
	/* Not all of it, or there would be no allocating to compare with. */
	util = min(add_sat(UTILIZATION, ratio(p->assist_ns, total)), GC_Q_ONE - 1);
	idle = ratio(p->idle_ns, total);
	per = muldiv(add_sat(util, idle), GC_Q_ONE, GC_Q_ONE - util);
	now = muldiv(p->live - p->triggered, per, max_t(u64, scan_work(p), 1));
	p->cons_mark = now;
	for (i = 0; i < GC_PACER_HISTORY; i++)
		p->cons_mark = max(p->cons_mark, p->last_cons_mark[i]);
	for (i = 1; i < GC_PACER_HISTORY; i++)
		p->last_cons_mark[i - 1] = p->last_cons_mark[i];
	p->last_cons_mark[GC_PACER_HISTORY - 1] = now;
}

/**
 * gc_pacer_reset_live - begin to count anew from what was found in use
 * @p: the pacer
 * @bytes_marked: bytes marked, and allocated meanwhile
 *
 * Context: Any; the caller's lock; after gc_pacer_end_cycle().
 */
void gc_pacer_reset_live(struct gc_pacer *p, u64 bytes_marked)
{
	p->marked = bytes_marked;
	p->live = bytes_marked;
	p->heap_scan = p->heap_work;
	p->last_heap_scan = p->heap_work;
	p->last_stack_scan = p->stack_work;
	p->triggered = U64_MAX;
}

/**
 * gc_pacer_sweep_ratio - how many pages to sweep for a byte allocated
 * @p: the pacer, after gc_pacer_commit()
 * @pages: pages that are to be swept
 *
 * So that all are swept when the next cycle begins.
 *
 * Context: Any; the caller's lock.
 * Return: pages per byte, Q32.32.
 */
u64 gc_pacer_sweep_ratio(const struct gc_pacer *p, u64 pages)
{
	u64 room = sub_sat(gc_pacer_trigger(p), add_sat(p->live, SWEEP_DISTANCE));

	return ratio(pages, max_t(u64, room, SWEEP_DISTANCE_LEAST));
}
