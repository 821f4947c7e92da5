// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutators: how they come, go and wait, and what they tell the collector.
 *
 * The collector stops all mutators for a moment, twice, see gc_world.c. At a safe point a
 * mutator leaves for a moment; its frames are found in a list meanwhile.
 *
 * The write barrier is Go's hybrid one: while the heap is marked, what is stored and
 * what was there before go into a buffer of the CPU's, and from there to the marked
 * ones: nothing that was reachable when marking began gets lost (deletion), nor what is
 * put where marking has been already (insertion).
 *
 * Locks: gc->world, gc->roots_lock, gc_cpu.lock.
 */
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "compat.h"
#include "gc.h"

/**
 * gc_stop - wait until no mutator runs, and let none begin
 * @gc: the heap
 *
 * Context: Process context, gc->cycle held, may sleep.
 */
void gc_stop(struct goalloc_gc *gc)
{
	lockdep_assert_held(&gc->cycle);

	gc_world_close(&gc->world);
	gc_assist_release(gc);
	gc_world_wait(&gc->world);
}

/**
 * gc_start - let the mutators go on
 * @gc: the heap, stopped
 *
 * Context: As gc_stop().
 */
void gc_start(struct goalloc_gc *gc)
{
	gc_world_start(&gc->world);
}
GOALLOC_EXPORT_KUNIT(gc_start);
GOALLOC_EXPORT_KUNIT(gc_stop);

/* Mark what is in the buffer of a CPU. */
static void gc_barrier_mark(struct goalloc_gc *gc, struct gc_cpu *cpu)
{
	unsigned int i;

	lockdep_assert_held(&cpu->lock);

	for (i = 0; i < cpu->nr; i++)
		gc_grey(&cpu->work, cpu->ptr[i], NULL);
	cpu->nr = 0;
}

/**
 * gc_barrier_flush - mark what is in the buffers of all CPUs
 * @gc: the heap
 *
 * What is to be scanned then is for everybody, see gc_work_any().
 *
 * Context: While the heap is marked, or in a stop; process context.
 */
void gc_barrier_flush(struct goalloc_gc *gc)
{
	unsigned int i;

	for_each_possible_cpu(i) {
		struct gc_cpu *cpu = per_cpu_ptr(gc->cpus, i);

		spin_lock(&cpu->lock);
		gc_barrier_mark(gc, cpu);
		gc_work_done(&cpu->work);
		spin_unlock(&cpu->lock);
	}
}

/* Tell the collector of two pointers. */
static void gc_barrier(struct goalloc_gc *gc, void *a, void *b)
{
	/* Whose buffer it is does not matter, as it has a lock. */
	struct gc_cpu *cpu = raw_cpu_ptr(gc->cpus);

	spin_lock(&cpu->lock);
	if (a)
		cpu->ptr[cpu->nr++] = a;
	if (b)
		cpu->ptr[cpu->nr++] = b;
	if (cpu->nr > GC_BARRIER_ENTRIES - 2)
		gc_barrier_mark(gc, cpu);
	spin_unlock(&cpu->lock);
}

/**
 * gc_shade - an object is reachable in a way that marking may not see
 * @gc: the heap
 * @p: pointer to it, or NULL
 *
 * Context: In a mutator's section.
 */
void gc_shade(struct goalloc_gc *gc, void *p)
{
	if (p && READ_ONCE(gc->barrier))
		gc_barrier(gc, p, NULL);
}

/* See <goalloc_gc.h> for this and what follows. */
void goalloc_store_slow(struct goalloc_mutator *m, void **slot, void *ptr)
{
	gc_barrier(m->gc, READ_ONCE(*slot), ptr);
}
EXPORT_SYMBOL_GPL(goalloc_store_slow);

/* What says so of those outside, who do not look at it. */
static const bool gc_never;

void goalloc_enter(struct goalloc_gc *gc, struct goalloc_mutator *m)
{
	gc_world_enter(&gc->world);
	*m = (struct goalloc_mutator){
		.gc = gc,
		.stop = &gc->world.stop,
		.barrier = &gc->barrier,
	};
	INIT_LIST_HEAD(&m->parked);
}
EXPORT_SYMBOL_GPL(goalloc_enter);

void goalloc_exit(struct goalloc_mutator *m)
{
	struct goalloc_gc *gc = m->gc;

	if (unlikely(!gc)) {
		report_gc(NULL, __func__, "this mutator has left already", _RET_IP_);
		return;
	}
	if (unlikely(m->top))
		report_gc(gc, __func__, "a frame was not popped; pop each that was pushed",
			  _RET_IP_);
	m->gc = NULL;
	m->stop = &gc_never;
	m->barrier = &gc_never;
	m->top = NULL;
	gc_world_exit(&gc->world);
}
EXPORT_SYMBOL_GPL(goalloc_exit);

void goalloc_safepoint_slow(struct goalloc_mutator *m)
{
	struct goalloc_gc *gc = m->gc;

	might_sleep();
	if (unlikely(!gc)) {
		report_gc(NULL, "goalloc_safepoint",
			  "it is called outside of goalloc_enter() and goalloc_exit()",
			  _RET_IP_);
		return;
	}
	spin_lock(&gc->roots_lock);
	list_add(&m->parked, &gc->parked);
	spin_unlock(&gc->roots_lock);
	gc_world_exit(&gc->world);
	/* Here the collector stops everybody, and goes through our frames. */
	gc_world_enter(&gc->world);
	spin_lock(&gc->roots_lock);
	list_del_init(&m->parked);
	spin_unlock(&gc->roots_lock);
}
EXPORT_SYMBOL_GPL(goalloc_safepoint_slow);

void goalloc_pop_bad(struct goalloc_mutator *m, struct goalloc_frame *frame)
{
	struct goalloc_frame *at;

	for (at = m->top; at && at != frame; at = at->prev)
		;
	if (at) {
		report_gc(m->gc, "goalloc_pop",
			  "it is not the innermost frame; pop the later ones first", _RET_IP_);
		/* Those in between are as good as gone: so is the stack they were on. */
		m->top = frame->prev;
	} else {
		report_gc(m->gc, "goalloc_pop", "this frame was not pushed, or popped before",
			  _RET_IP_);
	}
}
EXPORT_SYMBOL_GPL(goalloc_pop_bad);
