// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emptying the caches of CPUs that are running.
 *
 * Nobody but a CPU itself may touch its caches, so each heap has a work item
 * per CPU that empties those of the CPU it runs on: the task level with
 * preemption off, the softirq level with softirqs off, the hardirq level with
 * interrupts off, bin by bin, so that nothing is held off for longer than it
 * takes to give one list and one span back. On PREEMPT_RT softirqs are tasks,
 * use the task level, and there is no cache of the softirq level.
 *
 * The items run on a workqueue of our own that may be waited for in reclaim:
 * they take raw locks only, allocate nothing and sleep for nothing.
 *
 * A CPU that goes away between queueing and running: the item then runs
 * somewhere else, sees that, and does nothing; what the CPU had is given back
 * by hotplug.c as the CPU goes. So no lock against CPU hotplug is needed, which
 * must not be taken in reclaim.
 *
 * Idle caches: one delayed work looks at the caches of all CPUs twice per
 * idle_drain_ms. Sums of numbers that only ever grow, and do so with every
 * allocation and free, tell whether a CPU has done anything since the last
 * look. Caches that hold something and stood still are drained. When no cache
 * holds anything the work parks itself, and whoever next puts something into a
 * cache starts it again. A drained cache has no slot to hand out and its lists
 * are closed, so that this is always done on a slow path. Starting goes through
 * an irq_work: whatever locks the caller of the allocator holds, a timer's or
 * the scheduler's among them, nothing is taken here.
 *
 * CPUs that are isolated (isolcpus=, nohz_full=, a cpuset's) are not disturbed
 * for being idle: what they cache stays until they are asked to give it back,
 * by goalloc_flush() or for want of memory.
 *
 * Locks: drain_lock (mutex) is for changes of the parameter, and taken alone.
 * heaps_lock is taken by the scan, through heap_for_each(), never by the items.
 */
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "drain.h"
#include "stack_heap.h"

/* Context levels that have caches; NMI has none. */
#define DRAIN_LEVELS (CACHE_LEVELS - 1)

#define DRAIN_MAX_MS (24 * 3600 * 1000U)

/*
 * Numbers that their owner changes with plain stores while we look: a race by
 * intention. What stood there a moment ago will do.
 */
#define drain_read(number) data_race(READ_ONCE(number))

/**
 * struct drain_cpu - emptying a heap's caches on one CPU
 * @work: does it
 * @heap: the heap
 * @cpu: the CPU
 * @what: DRAIN_* bits that were asked for
 * @seen: activity of the caches at the last look; the scan alone
 */
struct drain_cpu {
	struct work_struct work;
	struct goalloc_heap *heap;
	unsigned int cpu;
	atomic_t what;
	u64 seen;
};

unsigned int drain_parked __read_mostly = 1;
GOALLOC_EXPORT_KUNIT(drain_parked);

static struct workqueue_struct *drain_wq;
static DEFINE_MUTEX(drain_lock);
/* The scan may be queued. drain_lock. */
static bool drain_up;
/* Written with drain_lock held. */
static unsigned int drain_ms = 1000;

/* Does a bin of a cache hold anything, or could it without our being told? */
static bool drain_bin_used(const struct cache_bin *b)
{
	return drain_read(b->cap) || drain_read(b->span) != &cache_no_span;
}

/*
 * Empty a bin of this CPU's cache of a level. Whoever could use it is kept
 * away. False if there is nothing more to do at this level.
 */
static bool drain_bin(struct drain_cpu *dc, unsigned int level, unsigned int bin)
{
	struct goalloc_cache *cache;

	if (smp_processor_id() != dc->cpu)
		return false;
	cache = this_cpu_ptr(dc->heap->cpus)->level[level];
	if (cache == &cache_none)
		return false;
	if (bin == GOALLOC_TINY_BIN || drain_bin_used(&cache->bin[bin]))
		atomic64_add(cache_drain_bin(cache, bin), &dc->heap->drained);
	return true;
}

static void drain_level(struct drain_cpu *dc, unsigned int level)
{
	unsigned long flags;
	unsigned int bin;
	bool more = true;

	for (bin = 0; more && bin < GOALLOC_NR_BINS; bin++) {
		switch (level) {
		case 0:
			preempt_disable();
			more = drain_bin(dc, level, bin);
			preempt_enable();
			break;
		case 1:
			local_bh_disable();
			/* On PREEMPT_RT the above does not. */
			preempt_disable();
			more = drain_bin(dc, level, bin);
			preempt_enable();
			local_bh_enable();
			break;
		case 2:
			local_irq_save(flags);
			more = drain_bin(dc, level, bin);
			local_irq_restore(flags);
			break;
		}
	}
}

static void drain_pages(struct drain_cpu *dc)
{
	preempt_disable();
	if (smp_processor_id() == dc->cpu)
		atomic64_add(cpu_pages_flush(dc->heap, dc->cpu), &dc->heap->drained);
	preempt_enable();
}

static void drain_work(struct work_struct *work)
{
	struct drain_cpu *dc = container_of(work, struct drain_cpu, work);
	unsigned int what = atomic_xchg(&dc->what, 0);
	unsigned int level;

	/* Nothing of it is given back any more. */
	if (READ_ONCE(dc->heap->detour) & DETOUR_SAFE)
		return;
	if (what & DRAIN_OBJECTS) {
		for (level = 0; level < DRAIN_LEVELS; level++) {
			drain_level(dc, level);
			cond_resched();
		}
		atomic64_add(stack_drain_cpu(dc->heap, dc->cpu), &dc->heap->drained);
	}
	if (what & DRAIN_PAGES)
		drain_pages(dc);
	atomic64_inc(&dc->heap->nr_drains);
}

/**
 * drain_add_heap - prepare a heap for being drained
 * @heap: the heap, in no list yet
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int drain_add_heap(struct goalloc_heap *heap)
{
	unsigned int cpu;

	heap->drain = alloc_percpu(struct drain_cpu);
	if (!heap->drain)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct drain_cpu *dc = per_cpu_ptr(heap->drain, cpu);

		INIT_WORK(&dc->work, drain_work);
		dc->heap = heap;
		dc->cpu = cpu;
	}
	return 0;
}

/**
 * drain_remove_heap - drain a heap no more
 * @heap: the heap, out of the list of all heaps; what is under way is waited for
 *
 * Context: Process context, may sleep.
 */
void drain_remove_heap(struct goalloc_heap *heap)
{
	unsigned int cpu;

	if (!heap->drain)
		return;
	for_each_possible_cpu(cpu)
		cancel_work_sync(&per_cpu_ptr(heap->drain, cpu)->work);
	free_percpu(heap->drain);
	heap->drain = NULL;
}

static const struct goalloc_cache *drain_cache(struct goalloc_heap *heap,
					       unsigned int cpu, unsigned int level)
{
	/* Filled in when it is seen; pairs with cache_create(). */
	return smp_load_acquire(&per_cpu_ptr(heap->cpus, cpu)->level[level]);
}

/* Do the caches of a CPU hold anything? */
static bool drain_used(struct goalloc_heap *heap, unsigned int cpu)
{
	const struct goalloc_cache *cache;
	unsigned int level, bin;

	if (drain_read(per_cpu_ptr(heap->cpu_pages, cpu)->cache.cache) ||
	    stack_cpu_used(heap, cpu))
		return true;
	for (level = 0; level < DRAIN_LEVELS; level++) {
		cache = drain_cache(heap, cpu, level);
		if (cache == &cache_none)
			continue;
		if (drain_read(cache->tiny.span) || drain_read(cache->remote.count))
			return true;
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			if (drain_bin_used(&cache->bin[bin]))
				return true;
	}
	return false;
}

/**
 * drain_activity - has a CPU used its caches?
 * @heap: the heap
 * @cpu: the CPU
 *
 * Of the objects of a bin, those requested and those freed are counted: each
 * allocation asks for a byte at least, and what came into the list but from
 * the central was freed. A drain changes neither.
 *
 * Context: Any.
 * Return: a number that differs from the last one if it has.
 */
u64 drain_activity(struct goalloc_heap *heap, unsigned int cpu)
{
	const struct cpu_pages *pages = per_cpu_ptr(heap->cpu_pages, cpu);
	u64 sum = drain_read(pages->hits) + drain_read(pages->misses) +
		  stack_cpu_activity(heap, cpu);
	const struct goalloc_cache *cache;
	unsigned int level, bin;

	for (level = 0; level < DRAIN_LEVELS; level++) {
		cache = drain_cache(heap, cpu, level);
		if (cache == &cache_none)
			continue;
		sum += drain_read(cache->tiny.allocs) + drain_read(cache->tiny.frees) +
		       drain_read(cache->remote.puts);
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
			const struct cache_bin *b = &cache->bin[bin];
			u64 line = drain_read(b->line);

			sum += cache_asked(cache, bin) + bin_pops(line) +
			       drain_read(b->flushed) + bin_count(line) -
			       drain_read(b->filled);
		}
	}
	return sum;
}

static bool drain_queue_cpu(struct goalloc_heap *heap, unsigned int cpu,
			    unsigned int what)
{
	struct drain_cpu *dc = per_cpu_ptr(heap->drain, cpu);

	/* Ordered before the run by what queueing does, queued already or not. */
	atomic_or(what, &dc->what);
	return queue_work_on(cpu, drain_wq, &dc->work);
}

/**
 * drain_queue - have the caches of all CPUs emptied
 * @heap: the heap
 * @what: DRAIN_* bits
 *
 * CPUs whose caches hold nothing are left alone.
 *
 * Context: Any but NMI, reclaim included. Does not wait, see drain_wait().
 */
void drain_queue(struct goalloc_heap *heap, unsigned int what)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (drain_used(heap, cpu))
			drain_queue_cpu(heap, cpu, what);
}
GOALLOC_EXPORT_KUNIT(drain_queue);

/**
 * drain_over - empty the caches of CPUs that keep more than they may now
 * @heap: the heap, whose cache_share has become less
 *
 * Context: Process context, may sleep; not in reclaim.
 */
void drain_over(struct goalloc_heap *heap)
{
	unsigned int cpu;

	/* Whoever is at it with the old number has ended then. */
	synchronize_rcu();
	for_each_online_cpu(cpu)
		if (room_over(heap, cpu) ||
		    hweight64(drain_read(per_cpu_ptr(heap->cpu_pages, cpu)->cache.cache)) >
		    cpu_pages_max(heap))
			drain_queue_cpu(heap, cpu, DRAIN_ALL);
	drain_wait(heap);
}
GOALLOC_EXPORT_KUNIT(drain_over);

/**
 * drain_wait - wait until what was queued before is done
 * @heap: the heap
 *
 * Context: Process context, may sleep. Reclaim included: what is waited for
 *          needs no memory and no lock that anybody sleeps with.
 */
void drain_wait(struct goalloc_heap *heap)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		flush_work(&per_cpu_ptr(heap->drain, cpu)->work);
}
GOALLOC_EXPORT_KUNIT(drain_wait);

/* What NMIs freed counts as cached, too. */
static void drain_deferred(struct goalloc_heap *heap)
{
	struct heap_node *node;
	unsigned int bin;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			central_drain_deferred(&node->central[bin]);
		heap_drain_deferred(node);
	}
}

/* See <goalloc.h>. */
u64 goalloc_flush(struct goalloc_heap *heap)
{
	u64 before;

	might_sleep();
	if (!heap)
		heap = goalloc_default;
	/* It has no caches any more, or keeps what it has. */
	if (READ_ONCE(heap->detour) & (DETOUR_SAFE | DETOUR_ENDED))
		return 0;
	before = atomic64_read(&heap->drained);
	drain_queue(heap, DRAIN_ALL);
	drain_wait(heap);
	drain_deferred(heap);
	return atomic64_read(&heap->drained) - before;
}
EXPORT_SYMBOL_GPL(goalloc_flush);

static void drain_flush_heap(struct goalloc_heap *heap, void *arg)
{
	*(u64 *)arg += goalloc_flush(heap);
}

/**
 * drain_flush_all - empty the caches of all heaps on all CPUs, and wait
 *
 * Context: Process context, may sleep; not in reclaim, because of heaps_lock.
 * Return: bytes that left caches.
 */
u64 drain_flush_all(void)
{
	u64 bytes = 0;

	heap_for_each(drain_flush_heap, &bytes);
	return bytes;
}
GOALLOC_EXPORT_KUNIT(drain_flush_all);

static void drain_scan_heap(struct goalloc_heap *heap, void *arg)
{
	bool *left = arg;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct drain_cpu *dc = per_cpu_ptr(heap->drain, cpu);
		u64 activity = drain_activity(heap, cpu);
		bool still = activity == dc->seen;

		dc->seen = activity;
		if (goalloc_cpu_isolated(cpu) || !drain_used(heap, cpu))
			continue;
		*left = true;
		if (still && drain_queue_cpu(heap, cpu, DRAIN_ALL))
			atomic64_inc(&heap->nr_idle_drains);
	}
}

static void drain_look_heap(struct goalloc_heap *heap, void *arg)
{
	bool *left = arg;
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (!goalloc_cpu_isolated(cpu) && drain_used(heap, cpu))
			*left = true;
}

/**
 * drain_tick - look at all caches once, and drain those that stood still
 *
 * Parks when there is nothing left that could become idle. Whoever puts
 * something into a cache meanwhile either sees drain_parked set and wakes us,
 * or did so in a section that began before everybody could see it; such
 * sections are waited for, and then what they left is seen here.
 *
 * Context: Process context, may sleep.
 * Return: true if it has to be called again; false if it has parked.
 */
bool drain_tick(void)
{
	bool left = false;

	heap_for_each(drain_scan_heap, &left);
	if (left)
		return true;
	WRITE_ONCE(drain_parked, 1);
	synchronize_rcu();
	heap_for_each(drain_look_heap, &left);
	return left && xchg(&drain_parked, 0);
}
GOALLOC_EXPORT_KUNIT(drain_tick);

static void drain_scan_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(drain_scan, drain_scan_work);

static void drain_schedule(void)
{
	unsigned int ms = READ_ONCE(drain_ms);

	if (ms)
		queue_delayed_work(system_unbound_wq, &drain_scan,
				   max(msecs_to_jiffies(ms / 2), 1UL));
}

static void drain_scan_work(struct work_struct *work)
{
	if (drain_tick())
		drain_schedule();
}

static void drain_irq(struct irq_work *work)
{
	drain_schedule();
}

static struct irq_work drain_irq_work = IRQ_WORK_INIT_LAZY(drain_irq);

/**
 * drain_wake - start to look for idle caches again
 *
 * Context: Any context, NMI included, whatever locks are held.
 */
void drain_wake(void)
{
	if (xchg(&drain_parked, 0))
		irq_work_queue(&drain_irq_work);
}
GOALLOC_EXPORT_KUNIT(drain_wake);

/* Nothing is queued and nothing runs when it returns; caches may wake it. */
static void drain_stop(void)
{
	lockdep_assert_held(&drain_lock);

	/* Once more, because what we stop first may be what the second does. */
	irq_work_sync(&drain_irq_work);
	cancel_delayed_work_sync(&drain_scan);
	irq_work_sync(&drain_irq_work);
	cancel_delayed_work_sync(&drain_scan);
}

static int drain_set_ms(const char *val, const struct kernel_param *kp)
{
	unsigned int ms;
	int err;

	err = kstrtouint(val, 0, &ms);
	if (err)
		return err;
	if (ms > DRAIN_MAX_MS)
		return -EINVAL;
	mutex_lock(&drain_lock);
	WRITE_ONCE(drain_ms, ms);
	if (drain_up) {
		drain_stop();
		/* With 0 it never ticks, and need not be woken. */
		WRITE_ONCE(drain_parked, 0);
		drain_schedule();
	}
	mutex_unlock(&drain_lock);
	return 0;
}

static const struct kernel_param_ops drain_ms_ops = {
	.set = drain_set_ms,
	.get = param_get_uint,
};

module_param_cb(idle_drain_ms, &drain_ms_ops, &drain_ms, 0644);
MODULE_PARM_DESC(idle_drain_ms,
		 "empty the caches of CPUs that have not used them for this long (0: never; up to 86400000)");

/**
 * drain_init - make what draining needs; before the first heap
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int drain_init(void)
{
	drain_wq = alloc_workqueue("goalloc_drain", WQ_MEM_RECLAIM, 0);
	if (!drain_wq)
		return -ENOMEM;
	mutex_lock(&drain_lock);
	drain_up = true;
	mutex_unlock(&drain_lock);
	return 0;
}

/**
 * drain_exit - no more draining; after the last heap
 *
 * Context: Process context, may sleep.
 */
void drain_exit(void)
{
	mutex_lock(&drain_lock);
	drain_up = false;
	WRITE_ONCE(drain_ms, 0);
	drain_stop();
	mutex_unlock(&drain_lock);
	destroy_workqueue(drain_wq);
}
