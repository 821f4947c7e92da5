// SPDX-License-Identifier: GPL-2.0-only
/*
 * A collection, from one stop to the next.
 *
 *	sweep what the last one left
 *	stop: the colour changes, so that nothing is marked; roots; the barrier goes on
 *	mark, while mutators run
 *	stop: what the barrier still has; weak handles; finalizers, for which there may be
 *	      more to be marked; the barrier goes off; sweepgen goes on, so that
 *	      everything is to be swept
 *	sweep, while mutators run
 *
 * Before the second stop the barrier's buffers are emptied with everybody running, and
 * marking goes on if something was in them, until nothing is. So what there is to do in
 * the stop is what came within a moment.
 *
 * With GOALLOC_GC_STOP_THE_WORLD, for tests and as the model of the rest, it is one stop.
 *
 * Locks: gc->cycle, gc->world.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include "compat.h"
#include "gc.h"
#include "goalloc_trace.h"

/* Buffers that are kept for the next collection. */
#define GC_KEEP_BUFS 16

/* A stop that finds more work lets the mutators go on, but not for ever. */
#define GC_TERM_TRIES 8

/* In a stop. */
static void gc_phase(struct goalloc_gc *gc, enum gc_phase phase)
{
	WRITE_ONCE(gc->phase, phase);
	trace_gc_phase(gc->heap, gc->cycles + 1, phase, atomic64_read(&gc->heap_live),
		       gc->heap_goal);
}

/* The first stop's work. */
static void gc_begin(struct goalloc_gc *gc, struct gc_work *w)
{
	/* What mutators were sweeping is done, as none is in a section. */
	gc_sweep_all(gc);
	gc->colour = gc_other_colour(gc->colour);
	atomic64_set(&gc->marked, 0);
	atomic64_set(&gc->scanned, 0);
	gc->overflow = false;
	gc->live_at_mark = atomic64_read(&gc->heap_live);
	gc_phase(gc, GC_MARK);
	gc->barrier = true;
	gc_roots_mark(w);
}

/* The second stop's: nothing is grey any more. */
static void gc_end(struct goalloc_gc *gc, struct gc_work *w)
{
	unsigned int cpu;
	u64 fresh;

	if (gc->flags & GOALLOC_GC_VERIFY) {
		gc_verify(w);
		gc_work_done(w);
	}
	WARN_ON_ONCE(gc_work_any(gc));
	gc_phase(gc, GC_MARKTERM);
	gc->barrier = false;
	if (!list_empty(&gc->final_queue))
		kthread_queue_work(gc->finalizer, &gc->final_work);
	for_each_possible_cpu(cpu)
		gc_span_flush_cpu(gc, cpu);
	/* What was allocated meanwhile is marked. */
	fresh = atomic64_read(&gc->heap_live) - gc->live_at_mark;
	gc_pace_end(gc, atomic64_read(&gc->marked) + ((s64)fresh > 0 ? fresh : 0));
	gc->sweepgen += 2;
	gc->sweep_next = 0;
	gc->sweeping = true;
	atomic64_set(&gc->pages_swept, 0);
	atomic64_set(&gc->reclaim_credit, 0);
	gc_phase(gc, GC_OFF);
	gc->cycles++;
}

/* What is left when everybody has been stopped, or never ran. */
static void gc_mark_stopped(struct goalloc_gc *gc, struct gc_work *w)
{
	do {
		gc_drain(w, U64_MAX);
		gc_barrier_flush(gc);
		gc_rescan(w);
		gc_work_done(w);
	} while (gc_work_any(gc));
}

/**
 * gc_mark_world - mark everything that is reachable, and nothing else
 * @gc: the heap
 * @w: who marks
 *
 * For those who do not mean to sweep.
 *
 * Context: In a stop, nothing is to be swept.
 */
void gc_mark_world(struct goalloc_gc *gc, struct gc_work *w)
{
	gc_begin(gc, w);
	gc_mark_stopped(gc, w);
	gc->barrier = false;
	gc_phase(gc, GC_OFF);
}

static u64 gc_since(ktime_t begin)
{
	return ktime_to_ns(ktime_sub(ktime_get(), begin));
}

/* Mutators go on after the first stop, or the second. */
static void gc_note_stop(struct goalloc_gc *gc, ktime_t begin, int stop)
{
	u64 ns = gc_since(begin);

	gc->now.stop_ns[stop] += ns;
	WRITE_ONCE(gc->stop_ns, max(gc->stop_ns, ns));
	WRITE_ONCE(gc->stop_total_ns, gc->stop_total_ns + ns);
}

/*
 * Mark until a stop finds nothing to do. Everybody is stopped when it returns.
 */
static ktime_t gc_mark_all(struct goalloc_gc *gc, struct gc_work *w)
{
	ktime_t begin;
	int tries;

	for (tries = 0; ; tries++) {
		do {
			gc_markers_resume(gc);
			do {
				gc_drain(w, U64_MAX);
			} while (gc_markers_more(w));
			gc_barrier_flush(gc);
		} while (gc_work_any(gc));
		begin = ktime_get();
		gc_stop(gc);
		gc_limit_stop(gc);
		gc_barrier_flush(gc);
		/* What could not be remembered is looked for while nothing moves. */
		gc_rescan(w);
		gc_work_done(w);
		if (!gc_work_any(gc) && !gc_roots_end(w)) {
			gc->now.mark_ns = ktime_to_ns(ktime_sub(begin, w->from));
			return begin;
		}
		if (tries == GC_TERM_TRIES) {
			gc->now.mark_ns = ktime_to_ns(ktime_sub(begin, w->from));
			do {
				gc_mark_stopped(gc, w);
			} while (gc_roots_end(w));
			return begin;
		}
		gc_limit_start(gc, true);
		gc_start(gc);
		gc_note_stop(gc, begin, 1);
	}
}

/**
 * gc_collect - collect a heap
 * @gc: the heap
 * @reason: why
 *
 * Context: Process context, gc->cycle held, may sleep.
 */
void gc_collect(struct goalloc_gc *gc, enum gc_reason reason)
{
	ktime_t begin, stopped;
	struct gc_work w;

	lockdep_assert_held(&gc->cycle);

	gc_sweep_all(gc);
	gc_trace_begin(gc, reason == GC_BY_CALL);
	gc_work_init(gc, &w);
	w.paced = true;
	w.background = true;
	gc_limit_begin(gc);
	begin = ktime_get();
	gc_stop(gc);
	gc_limit_stop(gc);
	stopped = begin;
	gc_begin(gc, &w);
	gc_pace_begin(gc);
	if (gc->flags & GOALLOC_GC_STOP_THE_WORLD) {
		gc_markers_start(&w, true, true);
		do {
			gc_drain(&w, U64_MAX);
		} while (gc_markers_more(&w));
		do {
			gc_mark_stopped(gc, &w);
		} while (gc_roots_end(&w));
	} else {
		gc_limit_start(gc, true);
		gc_start(gc);
		gc_note_stop(gc, begin, 0);
		gc_markers_start(&w, false, reason != GC_BY_TIME);
		stopped = gc_mark_all(gc, &w);
		gc->now.cpu_ns = gc_thread_since(w.cpu_from);
	}
	gc->now.cpu_ns += atomic64_read(&gc->background_ns);
	gc->now.idle_ns = atomic64_read(&gc->idle_ns);
	gc->now.at_end = atomic64_read(&gc->heap_live);
	gc_end(gc, &w);
	gc->forced += reason == GC_BY_CALL;
	gc_set_goal(gc, false);
	gc_limit_start(gc, false);
	gc_start(gc);
	gc_note_stop(gc, stopped, 1);
	gc_markers_end(gc);
	gc->now.marked = gc->heap_marked;
	WRITE_ONCE(gc->mark_ns, gc->mark_ns + gc->now.mark_ns);
	gc_trace_end(gc);
	gc_work_trim(gc, GC_KEEP_BUFS);
	gc_sweep_all(gc);
	if (READ_ONCE(gc->percent) >= 0)
		kthread_mod_delayed_work(gc->collector, &gc->periodic, gc->period);
}

/**
 * gc_cycle - collect a heap if it is due
 * @work: cycle_work of the heap
 *
 * Context: The heap's own thread.
 */
void gc_cycle(struct kthread_work *work)
{
	struct goalloc_gc *gc = container_of(work, struct goalloc_gc, cycle_work);

	mutex_lock(&gc->cycle);
	/* Somebody else may have done it. */
	if (!gc->ending && (xchg(&gc->wanted, false) ||
			    atomic64_read(&gc->heap_live) >= READ_ONCE(gc->trigger)))
		gc_collect(gc, GC_BY_HEAP);
	mutex_unlock(&gc->cycle);
}

/**
 * gc_periodic - there was no collection for a while
 * @work: periodic of the heap
 *
 * Finalizers and weak handles are not to wait for ever, nor memory that is not needed.
 *
 * Context: The heap's own thread.
 */
void gc_periodic(struct kthread_work *work)
{
	struct goalloc_gc *gc = container_of(work, struct goalloc_gc, periodic.work);

	mutex_lock(&gc->cycle);
	if (!gc->ending && READ_ONCE(gc->percent) >= 0)
		gc_collect(gc, GC_BY_TIME);
	mutex_unlock(&gc->cycle);
}

/* See <goalloc_gc.h>. */
int goalloc_gc(struct goalloc_gc *gc)
{
	if (IS_ERR_OR_NULL(gc)) {
		report_gc(NULL, __func__, "this is no heap", _RET_IP_);
		return -EINVAL;
	}
	if (gc->flags & GOALLOC_GC_EXPLICIT) {
		report_gc(gc, __func__, "objects of this heap are freed with goalloc_delete()",
			  _RET_IP_);
		return -EINVAL;
	}
	mutex_lock(&gc->cycle);
	gc_collect(gc, GC_BY_CALL);
	mutex_unlock(&gc->cycle);
	return 0;
}
EXPORT_SYMBOL_GPL(goalloc_gc);

int goalloc_set_gc_percent(struct goalloc_gc *gc, int percent)
{
	int before;

	if (gc->flags & GOALLOC_GC_EXPLICIT)
		return GOALLOC_GC_OFF;
	before = xchg(&gc->percent, max(percent, GOALLOC_GC_OFF));

	/* Nobody else changes the goal; from the next collection on, or now. */
	if (mutex_trylock(&gc->cycle)) {
		gc_set_goal(gc, true);
		mutex_unlock(&gc->cycle);
	}
	return before;
}
EXPORT_SYMBOL_GPL(goalloc_set_gc_percent);
