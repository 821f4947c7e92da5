// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is inside of a mutator's section, and how everybody is stopped.
 *
 * It is a lock of readers and a rare writer, with a count per CPU, as the kernel's
 * percpu_rw_semaphore. That lets its readers go without a barrier, and its writer waits
 * for a grace period of RCU instead: tens of milliseconds, twice in a collection, in
 * which mutators allocate and nothing is marked. Sections are entered and left far less
 * often than pointers are stored or objects allocated, so here readers have a barrier,
 * and the writer waits for nothing but them.
 *
 * A mutator may leave on another CPU than it came in on, so only the sum over all CPUs
 * means something. While the writer waits no one goes in: who tries counts himself, sees
 * that, and takes it back on the same CPU, so that no sum is too small.
 *
 * Locks: it is one, see gc.h.
 */
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "compat.h"
#include "gc_world.h"

/* To sleep and be woken takes longer than most stops; so look on for a moment first. */
#define GC_WORLD_SPIN_NS (50 * NSEC_PER_USEC)

#define gc_world_spin(condition) do {						\
	u64 end = ktime_get_ns() + GC_WORLD_SPIN_NS;				\
										\
	while (!(condition) && !need_resched() && ktime_get_ns() < end)		\
		cpu_relax();							\
} while (0)

/**
 * gc_world_init - begin with nobody inside
 * @w: what to fill in
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int gc_world_init(struct gc_world *w)
{
	static struct lock_class_key key;

	w->inside = alloc_percpu(int);
	if (!w->inside)
		return -ENOMEM;
	w->stop = false;
	init_waitqueue_head(&w->outside);
	init_waitqueue_head(&w->stopped);
	lockdep_init_map(&w->dep_map, "gc->world", &key, 0);
	return 0;
}

/**
 * gc_world_end - nobody comes any more
 * @w: the sections; all zeros if they have not begun
 *
 * Context: Process context.
 */
void gc_world_end(struct gc_world *w)
{
	free_percpu(w->inside);
	w->inside = NULL;
}

static bool gc_world_try(struct gc_world *w)
{
	bool in;

	preempt_disable();
	this_cpu_inc(*w->inside);
	/* Pairs with gc_world_close(): either it counts us, or we see that it waits. */
	smp_mb();
	in = !READ_ONCE(w->stop);
	if (unlikely(!in))
		this_cpu_dec(*w->inside);
	preempt_enable();
	/* We may have been counted. */
	if (unlikely(!in))
		wake_up(&w->stopped);
	return in;
}

/**
 * gc_world_enter - go in, as soon as nobody stops everybody
 * @w: the sections
 *
 * Context: Process context, may sleep.
 */
void gc_world_enter(struct gc_world *w)
{
	might_sleep();
	rwsem_acquire_read(&w->dep_map, 0, 0, _RET_IP_);
	while (unlikely(!gc_world_try(w))) {
		gc_world_spin(!READ_ONCE(w->stop));
		wait_event(w->outside, !READ_ONCE(w->stop));
	}
}

/**
 * gc_world_exit - come out
 * @w: the sections
 *
 * Context: Process context.
 */
void gc_world_exit(struct gc_world *w)
{
	int *inside;

	rwsem_release(&w->dep_map, _RET_IP_);
	preempt_disable();
	inside = this_cpu_ptr(w->inside);
	/* Who counts us out sees all that we did; pairs with gc_world_inside(). */
	smp_store_release(inside, *inside - 1);
	preempt_enable();
	/* Pairs with gc_world_close(): either it counts us out, or we wake it. */
	smp_mb();
	if (unlikely(READ_ONCE(w->stop)))
		wake_up(&w->stopped);
}

static int gc_world_inside(struct gc_world *w)
{
	unsigned int cpu;
	int sum = 0;

	for_each_possible_cpu(cpu)
		/* Pairs with gc_world_exit(). */
		sum += smp_load_acquire(per_cpu_ptr(w->inside, cpu));
	return sum;
}

/**
 * gc_world_close - let nobody in
 * @w: the sections
 *
 * Context: Process context; one at a time.
 */
void gc_world_close(struct gc_world *w)
{
	rwsem_acquire(&w->dep_map, 0, 0, _RET_IP_);
	WRITE_ONCE(w->stop, true);
	/* Pairs with gc_world_try() and gc_world_exit(). */
	smp_mb();
}

/**
 * gc_world_wait - wait until nobody is inside
 * @w: the sections, closed
 *
 * Context: Process context, may sleep.
 */
void gc_world_wait(struct gc_world *w)
{
	might_sleep();
	gc_world_spin(!gc_world_inside(w));
	wait_event(w->stopped, !gc_world_inside(w));
}

/**
 * gc_world_start - let everybody go on
 * @w: the sections, stopped
 *
 * Context: Process context.
 */
void gc_world_start(struct gc_world *w)
{
	rwsem_release(&w->dep_map, _RET_IP_);
	/* Who goes in sees all that was done; pairs with gc_world_try(). */
	smp_store_release(&w->stop, false);
	wake_up_all(&w->outside);
}
