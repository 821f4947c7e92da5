// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast: what gc_pacer.c is told, and what is done about what it says; but for the
 * help of mutators, which is in gc_assist.c.
 *
 * Locks: gc->cycle is held by whoever changes the pacer.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>

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
	WRITE_ONCE(gc->heap_goal, gc_pacer_goal(p));
	WRITE_ONCE(gc->trigger, gc_pacer_trigger(p));
}
