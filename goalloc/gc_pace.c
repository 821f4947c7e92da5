// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast: what gc_pacer.c is told, and what is done about what it says; but for the
 * help of mutators, which is in gc_assist.c.
 *
 * Locks: gc->cycle is held by whoever changes the pacer; gc->limiter_lock, the innermost.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/tick.h>

#include <goalloc_stats.h>

#include "compat.h"
#include "gc.h"

/**
 * gc_allocated - memory is about to be used
 * @gc: the heap
 * @bytes: how much
 * @noscan: it holds no pointers
 *
 * Context: In a mutator's section; any but an interrupt.
 */
void gc_allocated(struct goalloc_gc *gc, u64 bytes, bool noscan)
{
	u64 live = atomic64_add_return(bytes, &gc->heap_live);

	if (!noscan)
		atomic64_add(bytes, &gc->heap_scan);
	if (unlikely(live >= READ_ONCE(gc->trigger)) && READ_ONCE(gc->phase) == GC_OFF)
		kthread_queue_work(gc->collector, &gc->cycle_work);
}

/**
 * gc_unallocated - memory is not used after all, or no more
 * @gc: the heap
 * @bytes: how much
 * @noscan: it holds no pointers
 *
 * Context: In a mutator's section, or a stop; any but an interrupt.
 */
void gc_unallocated(struct goalloc_gc *gc, u64 bytes, bool noscan)
{
	atomic64_sub(bytes, &gc->heap_live);
	if (!noscan)
		atomic64_sub(bytes, &gc->heap_scan);
}

/**
 * gc_pace_init - a heap is made
 * @gc: the heap
 * @attr: how
 *
 * Context: Process context.
 */
void gc_pace_init(struct goalloc_gc *gc, const struct goalloc_gc_attr *attr)
{
	gc_pacer_init(&gc->pacer, gc->percent, GC_MIN_HEAP,
		      attr && attr->soft_limit ? attr->soft_limit : GC_PACER_NO_LIMIT);
}

/**
 * gc_pace_begin - marking begins
 * @gc: the heap, its roots marked
 *
 * Context: In a stop.
 */
void gc_pace_begin(struct goalloc_gc *gc)
{
	struct gc_pacer *p = &gc->pacer;

	atomic64_set(&gc->credit, 0);
	atomic64_set(&gc->assist_ns, 0);
	p->live = atomic64_read(&gc->heap_live);
	p->heap_scan = atomic64_read(&gc->heap_scan);
	p->max_stack_scan = gc->now.frames;
	p->globals_scan = gc->now.roots;
	gc_pacer_start_cycle(p, ktime_get_ns(), num_online_cpus());
	/* They have been scanned already. */
	p->stack_work = gc->now.frames;
	p->globals_work = gc->now.roots;
}

/**
 * gc_pace - see how far marking is
 * @w: work of the collector's thread
 *
 * Context: gc->cycle held; the heap is being marked.
 */
void gc_pace(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;
	struct gc_pacer *p = &gc->pacer;

	lockdep_assert_held(&gc->cycle);

	p->live = atomic64_read(&gc->heap_live);
	p->heap_scan = atomic64_read(&gc->heap_scan);
	p->heap_work = atomic64_read(&gc->scanned);
	gc_pacer_revise(p);
	gc_markers_unrecall(gc);
	gc_limit_update(gc);
}

/**
 * gc_pace_end - marking has ended
 * @gc: the heap
 * @marked: bytes that were marked, and allocated meanwhile
 *
 * Context: In a stop.
 */
void gc_pace_end(struct goalloc_gc *gc, u64 marked)
{
	struct gc_pacer *p = &gc->pacer;

	p->live = atomic64_read(&gc->heap_live);
	p->heap_work = atomic64_read(&gc->scanned);
	p->assist_ns = atomic64_read(&gc->assist_ns);
	p->idle_ns = gc->now.idle_ns;
	gc->now.assist_ns = p->assist_ns;
	WRITE_ONCE(gc->assist_total_ns, gc->assist_total_ns + p->assist_ns);
	gc_pacer_end_cycle(p, ktime_get_ns(), num_online_cpus());
	gc_pacer_reset_live(p, marked);
	gc->heap_marked = marked;
	atomic64_set(&gc->heap_live, marked);
	atomic64_set(&gc->heap_scan, p->heap_scan);
}

/**
 * gc_set_goal - how much may be in use until the next collection
 * @gc: the heap
 * @swept: nothing is left to be swept
 *
 * Context: gc->cycle held, or the heap is not used yet.
 */
void gc_set_goal(struct goalloc_gc *gc, bool swept)
{
	struct gc_pacer *p = &gc->pacer;
	struct goalloc_stats st;

	p->percent = READ_ONCE(gc->percent);
	if (p->percent < 0 && p->limit == GC_PACER_NO_LIMIT) {
		WRITE_ONCE(gc->heap_goal, U64_MAX);
		WRITE_ONCE(gc->trigger, U64_MAX);
		return;
	}
	if (p->limit != GC_PACER_NO_LIMIT) {
		goalloc_heap_stats(gc->heap, &st);
		p->mem.ready = st.sys_bytes;
		p->mem.heap_free = st.free_bytes + st.page_cache_bytes;
		/* What is about to be swept counts as well, as it does in Go. */
		p->mem.total_alloc = st.live_bytes;
		p->mem.total_free = 0;
	}
	gc_pacer_commit(p, swept);
	if (!swept) {
		gc->sweep_live = atomic64_read(&gc->heap_live);
		WRITE_ONCE(gc->sweep_ratio,
			   gc_pacer_sweep_ratio(p, atomic64_read(&gc->pages)));
	}
	WRITE_ONCE(gc->heap_goal, gc_pacer_goal(p));
	WRITE_ONCE(gc->trigger, gc_pacer_trigger(p));
}

/* CPU time that nobody has wanted since the machine came up, as far as that is known. */
static u64 gc_idle_ns(void)
{
	u64 us = 0;
#if IS_ENABLED(CONFIG_NO_HZ_COMMON)
	int cpu;

	for_each_online_cpu(cpu) {
		u64 idle = get_cpu_idle_time_us(cpu, NULL);

		/* Not known: they are busy, for all that can be said. */
		if (idle == U64_MAX)
			return 0;
		us += idle;
	}
#endif
	return us * NSEC_PER_USEC;
}

/* What has been since the last time. */
static void gc_limit_fill(struct goalloc_gc *gc)
{
	u64 idle = gc_idle_ns();

	lockdep_assert_held(&gc->limiter_lock);

	gc->limiter.assist_ns += atomic64_xchg(&gc->limiter_assist_ns, 0);
	gc->limiter.idle_ns += atomic64_xchg(&gc->limiter_idle_ns, 0);
	/* CPUs that went took theirs with them. */
	gc->limiter.idle_ns += idle - min(idle, gc->idle_before);
	gc->idle_before = idle;
}

/* Remember when it was needed. */
static void gc_limit_note(struct goalloc_gc *gc)
{
	bool limiting = gc->limiter.limiting;

	if (limiting && !gc->limited)
		WRITE_ONCE(gc->limited_cycle, gc->cycles + 1);
	gc->limited = limiting;
}

/**
 * gc_limit_begin - a collection begins: are there as many CPUs as before?
 * @gc: the heap
 *
 * Context: gc->cycle held.
 */
void gc_limit_begin(struct goalloc_gc *gc)
{
	spin_lock(&gc->limiter_lock);
	gc_limit_fill(gc);
	gc_limiter_resize(&gc->limiter, ktime_get_ns(), num_online_cpus());
	gc_limit_note(gc);
	spin_unlock(&gc->limiter_lock);
}

/**
 * gc_limit_update - see whether collecting takes too much, if it is time to
 * @gc: the heap
 *
 * Context: Any but an interrupt.
 */
void gc_limit_update(struct goalloc_gc *gc)
{
	u64 now = ktime_get_ns();

	if (now <= READ_ONCE(gc->limiter.last_ns) + GC_LIMITER_PERIOD_NS ||
	    !spin_trylock(&gc->limiter_lock))
		return;
	if (gc_limiter_is_due(&gc->limiter, now)) {
		gc_limit_fill(gc);
		gc_limiter_update(&gc->limiter, now);
		gc_limit_note(gc);
	}
	spin_unlock(&gc->limiter_lock);
}

/**
 * gc_limit_stop - everybody has been stopped
 * @gc: the heap
 *
 * Context: gc->cycle held.
 */
void gc_limit_stop(struct goalloc_gc *gc)
{
	spin_lock(&gc->limiter_lock);
	gc_limit_fill(gc);
	gc_limiter_stop(&gc->limiter, ktime_get_ns());
	spin_unlock(&gc->limiter_lock);
}

/**
 * gc_limit_start - everybody is about to go on
 * @gc: the heap
 * @collecting: whether it is still being marked
 *
 * Context: gc->cycle held.
 */
void gc_limit_start(struct goalloc_gc *gc, bool collecting)
{
	spin_lock(&gc->limiter_lock);
	/* In a stop all is the collection's. */
	gc_limit_fill(gc);
	gc_limiter_start(&gc->limiter, ktime_get_ns(), collecting);
	gc_limit_note(gc);
	spin_unlock(&gc->limiter_lock);
}
