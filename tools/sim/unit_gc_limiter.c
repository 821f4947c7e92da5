// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit_gc_limiter.c - how the limiter fills and empties, with 14 CPUs, as Go's test of
 * its own has it: the same steps, twice over.
 */
#include "gc_limiter.h"
#include "unit.h"

#define CPUS 14
#define MS 1000000ULL
#define SECOND (1000 * MS)

/* A collection's stop that takes that long. */
static void transition(struct gc_limiter *l, u64 *now, u64 ns, bool collecting)
{
	gc_limiter_stop(l, *now);
	*now += ns;
	gc_limiter_start(l, *now, collecting);
}

static void pass(struct gc_limiter *l, u64 *now, u64 ns)
{
	*now += ns;
	gc_limiter_update(l, *now);
}

/* Of that, mutators mark so much beside the quarter: all together @percent. */
static void mark(struct gc_limiter *l, u64 *now, u64 ns, unsigned int percent)
{
	l->assist_ns += (u64)ns * CPUS * (percent - 25) / 100;
	pass(l, now, ns);
}

static void unit_limiter_round(struct gc_limiter *l, u64 *now)
{
	u64 overflow;

	/* Nobody collects: it stays empty, and is not looked at all the time. */
	EXPECT(!l->fill && !l->limiting, "wrong");
	EXPECT(!gc_limiter_is_due(l, *now + 5 * MS), "wrong");
	EXPECT(gc_limiter_is_due(l, *now + 15 * MS), "wrong");
	pass(l, now, 15 * MS);
	EXPECT(!l->fill, "wrong");
	/* A stop is all CPUs'. */
	transition(l, now, 2001000, true);
	EXPECT(l->fill == 2001000 * CPUS, "wrong");
	/* A quarter for marking: it empties at half the rate. */
	pass(l, now, MS);
	EXPECT(l->fill == 1501000 * CPUS, "wrong");
	pass(l, now, 3002000);
	EXPECT(!l->fill, "wrong");
	/* Half of all keeps it where it is; all of it fills it. */
	mark(l, now, MS, 50);
	EXPECT(!l->fill, "wrong");
	mark(l, now, MS, 100);
	EXPECT(l->fill == MS * CPUS, "wrong");
	mark(l, now, MS, 50);
	EXPECT(l->fill == MS * CPUS, "wrong");
	/* Full to the brim, and nothing over. */
	overflow = l->overflow;
	mark(l, now, SECOND - MS, 100);
	EXPECT(l->fill == l->capacity && l->limiting, "wrong");
	EXPECT(l->overflow == overflow, "wrong");
	mark(l, now, MS, 50);
	EXPECT(l->fill == l->capacity && l->limiting && l->overflow == overflow, "wrong");
	mark(l, now, 5 * MS, 100);
	EXPECT(l->limiting && l->overflow == overflow + 5 * MS * CPUS, "wrong");
	overflow = l->overflow;
	/* Idle CPUs are nobody's. */
	l->idle_ns = 8 * MS * CPUS / 2;
	pass(l, now, 8 * MS);
	EXPECT(l->fill == l->capacity && l->limiting, "wrong");
	/* The end: the stop, and help that was not counted before. */
	l->assist_ns = 3 * MS;
	transition(l, now, MS, false);
	EXPECT(l->overflow == overflow + MS * CPUS + 3 * MS, "wrong");
	EXPECT(l->limiting, "wrong");
	overflow = l->overflow;
	/* Half a second for mutators. */
	pass(l, now, SECOND / 2);
	EXPECT(l->fill == l->capacity / 2 && !l->limiting, "wrong");
	/* More CPUs, and fewer. */
	l->fill = l->capacity;
	l->limiting = true;
	gc_limiter_resize(l, *now, CPUS + 10);
	EXPECT(l->fill == CPUS * SECOND && !l->limiting, "wrong");
	gc_limiter_resize(l, *now, CPUS - 10);
	EXPECT(l->fill == (CPUS - 10) * SECOND && l->limiting, "wrong");
	EXPECT(l->overflow == overflow, "wrong");
	gc_limiter_resize(l, *now, CPUS);
	EXPECT(!l->limiting, "wrong");
	gc_limiter_resize(l, *now, CPUS);
	pass(l, now, SECOND);
	EXPECT(!l->fill, "wrong");
}

/* A clock that goes back, as CPUs' may. */
static void unit_limiter_clock(void)
{
	struct gc_limiter l;

	gc_limiter_init(&l, SECOND, 2);
	gc_limiter_update(&l, SECOND - 1);
	EXPECT(l.last_ns == SECOND && !l.fill, "wrong");
	gc_limiter_start(&l, SECOND - 1, true);
	EXPECT(l.last_ns == SECOND && !l.fill && l.collecting, "wrong");
	/* More help than there was time. */
	l.assist_ns = 3 * SECOND;
	gc_limiter_update(&l, SECOND + MS);
	EXPECT(l.fill == l.capacity && l.limiting, "wrong");
}

static void unit_limiter_twice(void)
{
	struct gc_limiter l;
	u64 now = 1;

	gc_limiter_init(&l, now, CPUS);
	EXPECT(l.capacity == CPUS * SECOND, "wrong");
	unit_limiter_round(&l, &now);
	unit_limiter_round(&l, &now);
}

const struct unit_case unit_gc_limiter[] = {
	{ "limiter_twice", unit_limiter_twice },
	{ "limiter_clock", unit_limiter_clock },
	{},
};
