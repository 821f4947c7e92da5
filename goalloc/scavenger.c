// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that gives free pages back to the kernel.
 *
 * How much: a heap keeps what it had in use at its recent peak plus a tenth
 * (scavenge_retain), and with a soft limit no more than 95% of that. The peak is
 * the highest use in this generation and the one before; a generation is a
 * stretch of time (scavenge_period_ms), where Go has the time between two
 * garbage collections. So memory that is freed and wanted again within two
 * periods stays, and nothing stays longer.
 *
 * Which: the highest addresses first, huge pages whole, not from chunks that
 * are nearly all in use, and nothing freed in this generation; see
 * scavenge_index.c.
 *
 * How fast: in slices of about a millisecond with sleeps between them that a PI
 * controller sets so that the work takes 1% of the CPUs (scavenge_percent); see
 * scavenge_pace.c.
 *
 * When: a slice while there is more, else at the end of the generation. After
 * generations in which nothing could be given back and nothing changed it is
 * parked and costs nothing; a free of pages starts it again.
 *
 * Locks: heaps_lock, through heap_for_each(), for a slice at a time.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>

#include "compat.h"
#include "detour.h"
#include "drain.h"
#include "limit.h"
#include "scavenger.h"

/* Generations without anything to do before it is parked. */
#define SCAVENGER_IDLE_GENS 3

/* A slice ends when it has lasted so long. */
#define SCAVENGER_SLICE_NS 1000000

static unsigned int scavenge_percent = 1;
static unsigned int scavenge_retain = 10;
static unsigned int scavenge_period_ms = 2500;

bool scavenger_parked;
GOALLOC_EXPORT_KUNIT(scavenger_parked);

static struct kthread_worker *scavenger_worker;

/* The next kick is to start work at once; xchg() by the kick. */
static bool scavenger_hurried;

/*
 * What the thread knows. Its own, but for what others may read for statistics.
 */
static struct {
	struct scavenge_pace pace;
	struct scavenger_stats st;
	u64 gen_end;	/* when the generation ends, ktime in ns */
	u64 slept_from;	/* when the last slice ended */
	u64 worked_ns;	/* and how long it was; 0 if no sleep has to be judged */
	u64 quiet_in_use;	/* pages in use when the last generation ended */
	u64 quiet_released;	/* st.released then */
	unsigned int idle_gens;	/* generations since either changed */
} scavenger;

static void scavenger_run(struct kthread_work *work);
static struct kthread_delayed_work scavenger_work;

static int scavenger_set_param(const char *val, const struct kernel_param *kp)
{
	static const struct {
		const char *name;
		unsigned int min, max;
	} range[] = {
		{ "scavenge_percent", 0, 100 },
		{ "scavenge_retain", 0, 1000 },
		{ "scavenge_period_ms", 10, 3600000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(range); i++)
		if (!strcmp(kp->name, range[i].name))
			break;
	if (WARN_ON_ONCE(i == ARRAY_SIZE(range)) ||
	    param_set_uint_minmax(val, kp, range[i].min, range[i].max)) {
		pr_err("%s: not a number from %u to %u\n", kp->name,
		       range[i].min, range[i].max);
		return -EINVAL;
	}
	scavenger_unpark();
	return 0;
}

static const struct kernel_param_ops scavenger_param_ops = {
	.set = scavenger_set_param,
	.get = param_get_uint,
};

module_param_cb(scavenge_percent, &scavenger_param_ops, &scavenge_percent, 0644);
MODULE_PARM_DESC(scavenge_percent, "CPU time to spend on giving memory back, percent of all CPUs (1; 0 = never in the background)");
module_param_cb(scavenge_retain, &scavenger_param_ops, &scavenge_retain, 0644);
MODULE_PARM_DESC(scavenge_retain, "free memory to keep, percent of the recent peak of use (10)");
module_param_cb(scavenge_period_ms, &scavenger_param_ops, &scavenge_period_ms, 0644);
MODULE_PARM_DESC(scavenge_period_ms, "length of a generation in ms; \"recent\" is two of them (2500)");

/**
 * scavenger_goal - what a heap may hold by its recent use
 * @heap: the heap
 *
 * Context: Any.
 * Return: goalloc pages.
 */
u64 scavenger_goal(const struct goalloc_heap *heap)
{
	struct heap_node *node;
	u64 peak = 0;

	for (node = heap_first_node(heap); node; node = heap_next_node(node))
		peak += max(READ_ONCE(node->peak), READ_ONCE(node->last_peak));
	return peak + div_u64(peak * READ_ONCE(scavenge_retain), 100);
}
GOALLOC_EXPORT_KUNIT(scavenger_goal);

/**
 * scavenger_next_gen - a heap's generation ends
 * @heap: the heap
 *
 * Context: Process context.
 * Return: goalloc pages in use.
 */
u64 scavenger_next_gen(struct goalloc_heap *heap)
{
	struct heap_node *node;
	unsigned long flags;
	u64 in_use = 0;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		raw_spin_lock_irqsave(&node->lock, flags);
		WRITE_ONCE(node->last_peak, node->peak);
		WRITE_ONCE(node->peak, heap_node_used(node));
		in_use += node->peak;
		scavenge_index_next_gen(&node->palloc.scav);
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
	return in_use;
}
GOALLOC_EXPORT_KUNIT(scavenger_next_gen);

/* Pages that a heap holds beyond its goal; those that are mapped are no tree's. */
static u64 scavenger_excess(const struct goalloc_heap *heap)
{
	u64 held = atomic64_read(&heap->held);
	u64 goal = scavenger_goal(heap) + atomic64_read(&heap->mapped);

	return max(held > goal ? held - goal : 0, limit_excess(heap));
}

/**
 * scavenger_slice - give back what a heap holds beyond its goal
 * @heap: the heap
 * @slice: what has been done in this slice so far, and is added to
 *
 * Context: Process context.
 */
void scavenger_slice(struct goalloc_heap *heap, struct scavenger_slice *slice)
{
	struct heap_node *node = heap_first_node(heap);
	u64 start = ktime_get_ns();
	u64 before = slice->worked_ns;
	u64 excess, got;

	while (node && (excess = scavenger_excess(heap))) {
		if (slice->worked_ns >= SCAVENGER_SLICE_NS) {
			slice->more = true;
			break;
		}
		got = heap_scavenge(node, min_t(u64, excess, SCAVENGER_QUANTUM), false);
		slice->released += got;
		if (!got)
			node = heap_next_node(node);
		slice->worked_ns = before + ktime_get_ns() - start;
	}
}
GOALLOC_EXPORT_KUNIT(scavenger_slice);

/* Give back up to @npages of what is free in the heap's trees. */
static u64 scavenger_release(struct goalloc_heap *heap, u64 npages)
{
	struct heap_node *node = heap_first_node(heap);
	u64 released = 0;
	u64 got;

	while (node && released < npages) {
		got = heap_scavenge(node, min_t(u64, npages - released, SCAVENGER_QUANTUM),
				    true);
		released += got;
		if (!got)
			node = heap_next_node(node);
		cond_resched();
	}
	return released;
}

/* See <goalloc.h>. */
u64 goalloc_scavenge(struct goalloc_heap *heap, u64 bytes)
{
	u64 npages = (bytes >> GOALLOC_PAGE_SHIFT) + !!(bytes & (GOALLOC_PAGE_SIZE - 1));
	u64 released;

	might_sleep();
	if (!heap)
		heap = goalloc_default;
	if (READ_ONCE(heap->detour) & (DETOUR_SAFE | DETOUR_ENDED))
		return 0;
	released = scavenger_release(heap, npages);
	if (released < npages) {
		drain_queue(heap, DRAIN_PAGES);
		drain_wait(heap);
		released += scavenger_release(heap, npages - released);
	}
	return released << GOALLOC_PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(goalloc_scavenge);

static void scavenger_heap(struct goalloc_heap *heap, void *arg)
{
	/* An invented address space is its test's business. */
	if (heap->space == &goalloc_space)
		scavenger_slice(heap, arg);
}

/* A generation ends; @arg adds up what is in use. */
static void scavenger_heap_gen(struct goalloc_heap *heap, void *arg)
{
	u64 *in_use = arg;

	if (heap->space == &goalloc_space)
		*in_use += scavenger_next_gen(heap);
}

/* Nothing given back and nothing changed for some generations? */
static bool scavenger_idle(u64 in_use)
{
	if (scavenger.st.released != scavenger.quiet_released ||
	    in_use != scavenger.quiet_in_use)
		scavenger.idle_gens = 0;
	else
		scavenger.idle_gens++;
	scavenger.quiet_released = scavenger.st.released;
	scavenger.quiet_in_use = in_use;
	return scavenger.idle_gens >= SCAVENGER_IDLE_GENS;
}

/* Have the thread work in @delay jiffies, unless scavenger_exit() is at it. */
static void scavenger_queue(unsigned long delay)
{
	struct kthread_worker *worker = READ_ONCE(scavenger_worker);

	if (worker)
		kthread_mod_delayed_work(worker, &scavenger_work, delay);
}

static void scavenger_sleep(u64 ns)
{
	/* A jiffy at least: the rest is the controller's business. */
	scavenger_queue(max(nsecs_to_jiffies(ns), 1UL));
}

static void scavenger_run(struct kthread_work *work)
{
	struct scavenger_slice slice = {};
	unsigned int percent = READ_ONCE(scavenge_percent);
	u64 now = ktime_get_ns();
	u64 in_use = 0;
	bool ends, idle = false;

	if (scavenger.worked_ns) {
		scavenge_pace_slept(&scavenger.pace, scavenger.worked_ns,
				    now - scavenger.slept_from);
		scavenger.st.slept_ns += now - scavenger.slept_from;
	}
	scavenger.pace.target = SCAVENGE_Q(percent, 100);
	scavenger.pace.nr_cpus = num_online_cpus();
	ends = now >= scavenger.gen_end;
	if (ends) {
		/*
		 * Before the heaps are looked at: whoever frees pages after
		 * that, under the lock we look under, will see it and wake us.
		 */
		WRITE_ONCE(scavenger_parked, true);
		heap_for_each(scavenger_heap_gen, &in_use);
	}
	/* After that, so that what a generation gives up goes at its end. */
	if (percent)
		heap_for_each(scavenger_heap, &slice);
	scavenger.st.slices++;
	scavenger.st.worked_ns += slice.worked_ns;
	scavenger.st.released += slice.released;

	if (ends) {
		scavenger.st.generations++;
		idle = scavenger_idle(in_use);
		scavenger.gen_end = now + (u64)READ_ONCE(scavenge_period_ms) * NSEC_PER_MSEC;
	}

	now = ktime_get_ns();
	scavenger.slept_from = now;
	scavenger.worked_ns = slice.more ? slice.worked_ns : 0;
	scavenger.st.ratio = mul_u64_u64_shr(scavenger.pace.sleep_ratio, 1000000,
					     SCAVENGE_Q_SHIFT);
	if (percent && (slice.more || !idle)) {
		WRITE_ONCE(scavenger_parked, false);
		scavenger_sleep(slice.more ?
				scavenge_pace_sleep_ns(&scavenger.pace, slice.worked_ns) :
				scavenger.gen_end - min(now, scavenger.gen_end));
	} else {
		WRITE_ONCE(scavenger_parked, true);
		scavenger.st.parks++;
		/* Whoever wakes us has freed pages: as much patience as before. */
		scavenger.idle_gens = 0;
	}
}

/* Runs with no lock of anybody's held. */
static void scavenger_kick(struct irq_work *work)
{
	bool hurry = xchg(&scavenger_hurried, false);

	scavenger_queue(hurry ? 0 : msecs_to_jiffies(READ_ONCE(scavenge_period_ms)));
}

static DEFINE_IRQ_WORK(scavenger_kick_work, scavenger_kick);

static void scavenger_wake(void)
{
	/* Parameters are set before there is a thread, too. */
	if (!READ_ONCE(scavenger_worker) || !READ_ONCE(scavenge_percent))
		return;
	WRITE_ONCE(scavenger_parked, false);
	irq_work_queue(&scavenger_kick_work);
}

/**
 * scavenger_unpark - work again, from the end of a generation on
 *
 * Whoever frees pages may hold any lock of the kernel, a timer's or the
 * scheduler's among them, so the thread is woken by way of an irq_work.
 *
 * Context: Any but NMI.
 */
void scavenger_unpark(void)
{
	scavenger_wake();
}
GOALLOC_EXPORT_KUNIT(scavenger_unpark);

/**
 * scavenger_hurry - a limit is passed: do not wait for the generation's end
 *
 * Context: Any but NMI.
 */
void scavenger_hurry(void)
{
	WRITE_ONCE(scavenger_hurried, true);
	scavenger_wake();
}
GOALLOC_EXPORT_KUNIT(scavenger_hurry);

/**
 * scavenger_read - read what the thread did
 * @st: what to fill in
 *
 * Context: Any.
 */
void scavenger_read(struct scavenger_stats *st)
{
	/* The thread counts with plain stores; numbers of a moment ago will do. */
	*st = data_race(scavenger.st);
	st->parked = READ_ONCE(scavenger_parked);
}
GOALLOC_EXPORT_KUNIT(scavenger_read);

/**
 * scavenger_init - start the thread
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative error.
 */
int scavenger_init(void)
{
	struct kthread_worker *worker;

	scavenge_pace_init(&scavenger.pace, num_online_cpus());
	worker = kthread_create_worker(0, "goalloc_scavenge");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	/* Not from a time before, when it was another thread's. */
	kthread_init_delayed_work(&scavenger_work, scavenger_run);
	scavenger_parked = true;
	/* Pairs with scavenger_unpark(), which a parameter may call any time. */
	WRITE_ONCE(scavenger_worker, worker);
	return 0;
}
GOALLOC_EXPORT_KUNIT(scavenger_init);

/**
 * scavenger_exit - stop the thread
 *
 * Context: Process context, may sleep; no heap is used any more.
 */
void scavenger_exit(void)
{
	struct kthread_worker *worker = scavenger_worker;

	/* Parameters may still be set. */
	kernel_param_lock(THIS_MODULE);
	WRITE_ONCE(scavenger_parked, false);
	WRITE_ONCE(scavenger_worker, NULL);
	kernel_param_unlock(THIS_MODULE);
	irq_work_sync(&scavenger_kick_work);
	kthread_cancel_delayed_work_sync(&scavenger_work);
	kthread_destroy_worker(worker);
}
GOALLOC_EXPORT_KUNIT(scavenger_exit);
