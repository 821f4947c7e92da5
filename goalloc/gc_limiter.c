// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of the CPUs collections may take for long.
 *
 * The pacer keeps the heap's goal, whatever that costs: when next to nothing is free it
 * would let mutators do nothing but mark. So CPU time of collections goes into a bucket,
 * and all other CPU time goes out of it. When it is full, collections have had half of
 * the CPUs for a second, and mutators need not help until that gets better: the heap
 * passes its goal then.
 *
 * While a collection goes on a quarter of the CPUs is its, besides what mutators help;
 * in a stop all of them are.
 *
 * When it was last updated, and whether it limits, others read without the lock.
 */
#include "gc_limiter.h"

/* What collecting took, and everybody else. */
static void gc_limiter_take(struct gc_limiter *l, u64 others, u64 collecting)
{
	u64 room = l->capacity - l->fill;

	if (collecting >= others) {
		u64 more = collecting - others;

		/* As it was: neither better nor worse. */
		if (!more)
			return;
		if (room <= more) {
			l->overflow += more - room;
			l->fill = l->capacity;
			WRITE_ONCE(l->limiting, true);
			return;
		}
		l->fill += more;
	} else {
		l->fill -= min(l->fill, others - collecting);
	}
	WRITE_ONCE(l->limiting, false);
}

static void gc_limiter_begin_window(struct gc_limiter *l, u64 now_ns)
{
	WRITE_ONCE(l->last_ns, now_ns);
	l->assist_ns = 0;
	l->idle_ns = 0;
}

/**
 * gc_limiter_init - begin with nothing
 * @l: what to fill in
 * @now_ns: now
 * @cpus: CPUs there are
 *
 * Context: Any.
 */
void gc_limiter_init(struct gc_limiter *l, u64 now_ns, unsigned int cpus)
{
	*l = (struct gc_limiter){
		.capacity = cpus * GC_LIMITER_CPU_NS,
		.cpus = cpus,
		.last_ns = now_ns,
	};
}

/**
 * gc_limiter_resize - there are more CPUs, or fewer
 * @l: the limiter
 * @now_ns: now
 * @cpus: CPUs there are
 *
 * Context: Any.
 */
void gc_limiter_resize(struct gc_limiter *l, u64 now_ns, unsigned int cpus)
{
	gc_limiter_update(l, now_ns);
	l->cpus = cpus;
	l->capacity = cpus * GC_LIMITER_CPU_NS;
	if (l->fill > l->capacity) {
		l->fill = l->capacity;
		WRITE_ONCE(l->limiting, true);
	} else if (l->fill < l->capacity) {
		WRITE_ONCE(l->limiting, false);
	}
}

/**
 * gc_limiter_is_due - is it worth updating?
 * @l: the limiter
 * @now_ns: now
 *
 * Context: Any.
 * Return: true if the last time was long enough ago.
 */
bool gc_limiter_is_due(const struct gc_limiter *l, u64 now_ns)
{
	return now_ns > l->last_ns + GC_LIMITER_PERIOD_NS;
}

/**
 * gc_limiter_update - see what has been since the last time
 * @l: the limiter, its assist_ns and idle_ns filled in
 * @now_ns: now
 *
 * Context: Any.
 */
void gc_limiter_update(struct gc_limiter *l, u64 now_ns)
{
	u64 window, collecting;

	/* From another CPU's clock. */
	if (now_ns < l->last_ns)
		return;
	window = (now_ns - l->last_ns) * l->cpus;
	collecting = l->assist_ns;
	if (l->collecting)
		collecting += window / 4;
	window -= min(window, l->idle_ns);
	window -= min(window, collecting);
	gc_limiter_begin_window(l, now_ns);
	gc_limiter_take(l, window, collecting);
}

/**
 * gc_limiter_stop - everybody is about to be stopped
 * @l: the limiter
 * @now_ns: now
 *
 * Context: Any.
 */
void gc_limiter_stop(struct gc_limiter *l, u64 now_ns)
{
	gc_limiter_update(l, now_ns);
}

/**
 * gc_limiter_start - everybody goes on
 * @l: the limiter
 * @now_ns: now
 * @collecting: whether a collection goes on as well
 *
 * Context: Any.
 */
void gc_limiter_start(struct gc_limiter *l, u64 now_ns, bool collecting)
{
	u64 window = 0;

	if (now_ns > l->last_ns)
		window = (now_ns - l->last_ns) * l->cpus;
	gc_limiter_begin_window(l, max(now_ns, l->last_ns));
	gc_limiter_take(l, 0, window);
	l->collecting = collecting;
}
