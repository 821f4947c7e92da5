// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that mark beside the collector's: whose they are, and when all have nothing to
 * mark any more.
 *
 * All heaps share them. As in Go a collection may take a quarter of the CPUs: whole ones
 * (dedicated), the collector's thread being the first, and a part of one (fractional)
 * if a quarter of them is no whole number, or near one. What CPUs have nothing else to do
 * mark besides, as SCHED_IDLE. If that is stopped in the middle of something by
 * others who want the CPU, and nothing but that is left to mark, the collector raises
 * its priority and recalls it: it gives up what it has.
 *
 * Marking has ended when the collector has nothing, the list for everybody is empty, and
 * all markers say that they have nothing. That is seen under gc->work_lock, and from then
 * on they are paused: what comes in the stop is the collector's alone.
 *
 * Mutators who help count as markers while they scan. A stop that began meanwhile would
 * have to wait for them, everybody else standing still; and they may have much to scan.
 *
 * Locks: gc_pool_lock, taken alone; gc->work_lock.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

#include "compat.h"
#include "gc.h"

/* More threads would wait for each other. */
#define GC_POOL_MAX 63

/* Who has a part of a CPU gives way when he has had a fifth more, but not for long. */
#define GC_FRACTION_SLEEP_NS (10 * NSEC_PER_MSEC)

static DEFINE_MUTEX(gc_pool_lock);
static struct kthread_worker *gc_pool[GC_POOL_MAX];
static unsigned int gc_pool_nr;
static unsigned int gc_pool_users;

static void gc_marker_run(struct kthread_work *work);

/**
 * gc_markers_get - a collected heap is made
 * @gc: the heap
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM. To have fewer threads than CPUs is no error.
 */
int gc_markers_get(struct goalloc_gc *gc)
{
	unsigned int i, most = min(num_possible_cpus() - 1, (unsigned int)GC_POOL_MAX);

	/* First, so that nothing has to be taken back; never nothing at all. */
	gc->markers = kcalloc(most + 1, sizeof(*gc->markers), GFP_KERNEL);
	if (!gc->markers)
		return -ENOMEM;
	mutex_lock(&gc_pool_lock);
	if (!gc_pool_users)
		for (i = 0; i < most; i++) {
			struct kthread_worker *worker;

			worker = kthread_create_worker(0, "goalloc_mark/%u", i);
			if (IS_ERR(worker))
				break;
			gc_pool[i] = worker;
			WRITE_ONCE(gc_pool_nr, i + 1);
		}
	gc_pool_users++;
	mutex_unlock(&gc_pool_lock);
	for (i = 0; i < gc_pool_nr; i++) {
		kthread_init_work(&gc->markers[i].work, gc_marker_run);
		gc->markers[i].gc = gc;
	}
	return 0;
}

/**
 * gc_markers_put - a collected heap goes
 * @gc: the heap, which nobody marks; one that could not be made has none to put
 *
 * Context: Process context, may sleep.
 */
void gc_markers_put(struct goalloc_gc *gc)
{
	if (!gc->markers)
		return;
	mutex_lock(&gc_pool_lock);
	if (!--gc_pool_users)
		while (gc_pool_nr) {
			WRITE_ONCE(gc_pool_nr, gc_pool_nr - 1);
			kthread_destroy_worker(gc_pool[gc_pool_nr]);
		}
	mutex_unlock(&gc_pool_lock);
	kfree(gc->markers);
	gc->markers = NULL;
}
GOALLOC_EXPORT_KUNIT(gc_markers_put);

/* Whoever wants the CPU gets it from an idle one at once. */
static void gc_marker_class(struct task_struct *task, bool idle)
{
	const struct sched_attr attr = { .sched_policy = SCHED_IDLE };

	if (idle)
		WARN_ON_ONCE(sched_setattr_nocheck(task, &attr));
	else
		sched_set_normal(task, 0);
}

/* May this one take something up? Without the lock that is a hint. */
static bool gc_marker_may(const struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;

	return !READ_ONCE(gc->paused) && !list_empty(&gc->full) &&
	       !(w->idle && READ_ONCE(gc->recall));
}

/* Say that there is nothing to mark, and wait for more; false if it is over. */
static bool gc_marker_wait(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;
	bool more;

	gc_work_done(w);
	spin_lock(&gc->work_lock);
	WRITE_ONCE(gc->nr_idle, gc->nr_idle + 1);
	for (;;) {
		if (gc->mark_over || gc_marker_may(w))
			break;
		spin_unlock(&gc->work_lock);
		wake_up(&gc->idle_wait);
		wait_event(gc->work_wait, READ_ONCE(gc->mark_over) || gc_marker_may(w));
		spin_lock(&gc->work_lock);
	}
	WRITE_ONCE(gc->nr_idle, gc->nr_idle - 1);
	more = !gc->mark_over;
	if (!more)
		WRITE_ONCE(gc->nr_markers, gc->nr_markers - 1);
	spin_unlock(&gc->work_lock);
	return more;
}

/**
 * gc_thread_ns - CPU time of this thread
 *
 * The scheduler adds it up when the thread goes from its CPU, and at ticks; what has come
 * since then is added here.
 *
 * Context: Any but an interrupt.
 * Return: it, in ns, from when nobody knows: differences count.
 */
u64 gc_thread_ns(void)
{
	unsigned long flags;
	u64 ns, since;

	local_irq_save(flags);
	ns = current->se.sum_exec_runtime;
	since = local_clock() - current->se.exec_start;
	local_irq_restore(flags);
	/* The scheduler's clock may leave out interrupts, which ours does not. */
	return ns + min_t(u64, since, TICK_NSEC);
}

/**
 * gc_thread_since - CPU time of this thread since a moment
 * @begin: gc_thread_ns() then
 *
 * Context: Any but an interrupt.
 * Return: it, in ns.
 */
u64 gc_thread_since(u64 begin)
{
	u64 now = gc_thread_ns();

	return now > begin ? now - begin : 0;
}

/* Mark for a heap until it is over. */
static void gc_marker_run(struct kthread_work *work)
{
	struct gc_marker *marker = container_of(work, struct gc_marker, work);
	struct goalloc_gc *gc = marker->gc;
	bool idle = marker->idle;
	struct gc_work w;
	bool over;

	spin_lock(&gc->work_lock);
	over = gc->mark_over;
	if (!over)
		WRITE_ONCE(gc->nr_markers, gc->nr_markers + 1);
	spin_unlock(&gc->work_lock);
	if (over)
		return;
	gc_marker_class(current, idle);
	WRITE_ONCE(marker->running, true);
	gc_work_init(gc, &w);
	w.background = true;
	w.idle = idle;
	w.percent = marker->percent;
	w.from = ktime_get();
	w.cpu_from = gc_thread_ns();
	/* Not at once: everybody may be paused by now. */
	while (gc_marker_wait(&w)) {
		u64 ns, begin = gc_thread_ns();

		gc_drain(&w, U64_MAX);
		ns = gc_thread_since(begin);
		atomic64_add(ns, idle ? &gc->idle_ns : &gc->background_ns);
		if (idle)
			atomic64_add(ns, &gc->limiter_idle_ns);
	}
	WRITE_ONCE(marker->running, false);
}

/**
 * gc_markers_start - let others mark as well
 * @w: the collector's work
 * @busy: whether there is nothing else that CPUs should do
 * @idle: whether those that have nothing else to do are to help
 *
 * Context: gc->cycle held, the heap's roots are marked.
 */
void gc_markers_start(struct gc_work *w, bool busy, bool idle)
{
	struct goalloc_gc *gc = w->gc;
	unsigned int cpus = num_online_cpus(), i, nr = min(gc_pool_nr, cpus - 1);
	unsigned int dedicated = busy ? cpus : gc->pacer.dedicated;
	unsigned int percent = busy ? 0 : gc_q_mul(gc->pacer.fractional, cpus * 100);

	lockdep_assert_held(&gc->cycle);

	gc->mark_over = false;
	gc->paused = false;
	gc->recall = false;
	atomic64_set(&gc->background_ns, 0);
	atomic64_set(&gc->idle_ns, 0);
	/* The first of all is the collector. */
	w->percent = dedicated ? 0 : percent;
	w->from = ktime_get();
	w->cpu_from = gc_thread_ns();
	for (i = 0; i < nr; i++) {
		struct gc_marker *marker = &gc->markers[i];
		bool part = dedicated && percent && i + 1 == dedicated;

		marker->idle = i + 1 >= dedicated && !part;
		marker->percent = part ? percent : 0;
		if (marker->idle && !idle)
			break;
		kthread_queue_work(gc_pool[i], &marker->work);
	}
	gc->nr_started = i;
}
GOALLOC_EXPORT_KUNIT(gc_markers_start);

/**
 * gc_markers_resume - let those who were paused go on
 * @gc: the heap
 *
 * Context: gc->cycle held.
 */
void gc_markers_resume(struct goalloc_gc *gc)
{
	spin_lock(&gc->work_lock);
	WRITE_ONCE(gc->paused, false);
	WRITE_ONCE(gc->recall, false);
	spin_unlock(&gc->work_lock);
	wake_up_all(&gc->work_wait);
}
GOALLOC_EXPORT_KUNIT(gc_markers_resume);

/* Those who mark only what is left of CPUs' time are to give up what they have. */
static void gc_markers_recall(struct goalloc_gc *gc)
{
	unsigned int i;

	WRITE_ONCE(gc->recall, true);
	for (i = 0; i < gc->nr_started; i++)
		if (gc->markers[i].idle && READ_ONCE(gc->markers[i].running))
			gc_marker_class(gc_pool[i]->task, false);
}

/**
 * gc_markers_unrecall - the collector has enough to do again
 * @gc: the heap
 *
 * Context: gc->cycle held.
 */
void gc_markers_unrecall(struct goalloc_gc *gc)
{
	if (!READ_ONCE(gc->recall))
		return;
	WRITE_ONCE(gc->recall, false);
	if (gc_work_any(gc))
		wake_up(&gc->work_wait);
}
GOALLOC_EXPORT_KUNIT(gc_markers_unrecall);

/**
 * gc_markers_more - the collector has nothing to mark; does anybody?
 * @w: the collector's work
 *
 * Context: gc->cycle held, may sleep.
 * Return: true if there is work for everybody now; false if nobody has any, and the
 * markers are paused.
 */
bool gc_markers_more(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;
	bool more, all;

	gc_work_done(w);
	for (;;) {
		spin_lock(&gc->work_lock);
		more = !list_empty(&gc->full);
		all = gc->nr_idle == gc->nr_markers;
		if (!more && all)
			WRITE_ONCE(gc->paused, true);
		spin_unlock(&gc->work_lock);
		if (more || all)
			break;
		if (!READ_ONCE(gc->recall))
			gc_markers_recall(gc);
		wait_event(gc->idle_wait, !list_empty(&gc->full) ||
			   READ_ONCE(gc->nr_idle) == READ_ONCE(gc->nr_markers));
	}
	return more;
}
GOALLOC_EXPORT_KUNIT(gc_markers_more);

/**
 * gc_markers_join - a mutator is about to scan
 * @gc: the heap, which is being marked
 *
 * Context: In the mutator's section.
 * Return: false if nobody is to take anything up, as marking comes to its end.
 */
bool gc_markers_join(struct goalloc_gc *gc)
{
	bool may;

	spin_lock(&gc->work_lock);
	may = !gc->paused && !gc->mark_over;
	if (may)
		WRITE_ONCE(gc->nr_markers, gc->nr_markers + 1);
	spin_unlock(&gc->work_lock);
	return may;
}
GOALLOC_EXPORT_KUNIT(gc_markers_join);

/**
 * gc_markers_leave - a mutator has scanned
 * @w: its work; what is left of it goes to everybody
 *
 * Context: In the mutator's section, after gc_markers_join().
 */
void gc_markers_leave(struct gc_work *w)
{
	struct goalloc_gc *gc = w->gc;

	gc_work_done(w);
	spin_lock(&gc->work_lock);
	WRITE_ONCE(gc->nr_markers, gc->nr_markers - 1);
	spin_unlock(&gc->work_lock);
	wake_up(&gc->idle_wait);
}
GOALLOC_EXPORT_KUNIT(gc_markers_leave);

/**
 * gc_markers_end - nothing is to be marked any more
 * @gc: the heap
 *
 * Context: gc->cycle held, may sleep.
 */
void gc_markers_end(struct goalloc_gc *gc)
{
	unsigned int i;

	lockdep_assert_held(&gc->cycle);

	spin_lock(&gc->work_lock);
	WRITE_ONCE(gc->mark_over, true);
	spin_unlock(&gc->work_lock);
	wake_up_all(&gc->work_wait);
	for (i = 0; i < gc->nr_started; i++)
		kthread_cancel_work_sync(&gc->markers[i].work);
	gc->nr_started = 0;
	WARN_ON_ONCE(gc->nr_markers || gc->nr_idle);
}
GOALLOC_EXPORT_KUNIT(gc_markers_end);

/**
 * gc_markers_throttle - somebody who may have a part of a CPU has marked for a while
 * @w: his work
 *
 * What he leaves is for those who mark when a CPU is idle, and for mutators.
 *
 * Context: The heap is being marked; process context, may sleep.
 */
void gc_markers_throttle(struct gc_work *w)
{
	u64 elapsed = ktime_to_ns(ktime_sub(ktime_get(), w->from));
	u64 busy = gc_thread_since(w->cpu_from);
	u64 us;

	if (busy * 100 <= elapsed * w->percent / 5 * 6)
		return;
	us = min_t(u64, div_u64(busy * 100, w->percent) - elapsed, GC_FRACTION_SLEEP_NS);
	us = div_u64(us, NSEC_PER_USEC);
	gc_work_done(w);
	usleep_range(us, us + 50);
}
