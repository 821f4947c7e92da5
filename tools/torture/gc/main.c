// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_torture_gc.ko - use collected heaps from all CPUs at once, collect them all the
 * time, and see that nothing reachable is lost and nothing else is left.
 *
 *	insmod goalloc_torture_gc.ko secs=30 seed=1
 *
 * runs while insmod waits and prints progress every 5 seconds. Then every heap is
 * counted, emptied and ended. The verdict is in
 * /sys/module/goalloc_torture_gc/parameters: errors (0 is good) and operations.
 * tools/torture/run boots a guest for it, which does to it what it does to
 * goalloc_torture.ko.
 *
 * The same seed gives the same choices in each thread; how the threads interleave is up
 * to the machine.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../session.h"
#include "gc_torture.h"

#define MAX_REPORTS 20

/*
 * How long a section is at most: most are over before a collection is, but what a
 * frame keeps is to be looked at after some.
 */
#define SECTION_MS 100
#define LONG_SECTION_MS 1000

/* Threads that change graphs per CPU, and those that collect. */
#define MUTATORS_PER_CPU 2
#define NR_COLLECTORS 2

/* Fewer, in a short run or a kernel full of checkers, need not have seen everything. */
#define OPERATIONS_FOR_ALL 500000

static const char *const count_names[NR_COUNTS] = {
	[COUNT_STEP] = "step",
	[COUNT_CELL] = "cell",
	[COUNT_BLOB] = "blob",
	[COUNT_LEAF] = "leaf",
	[COUNT_LARGE] = "large",
	[COUNT_FAILED] = "failed",
	[COUNT_SHELVED] = "shelved",
	[COUNT_FINALIZED] = "finalized",
	[COUNT_SAVED] = "saved",
	[COUNT_WEAK_LOADED] = "weak_loaded",
	[COUNT_WEAK_GONE] = "weak_gone",
	[COUNT_HANDLE] = "handle",
	[COUNT_COLLECTED] = "collected",
	[COUNT_BY_ITSELF] = "by_itself",
	[COUNT_CENSUS] = "census",
	[COUNT_COUNTED] = "counted",
	[COUNT_ENDED] = "ended",
	[COUNT_ENDED_MARK] = "ended_mark",
	[COUNT_ENDED_OFF] = "ended_off",
};

/**
 * struct worker - a thread
 * @task: the thread
 * @rnd: its random numbers
 * @heap: the heap that it makes and ends, if it does
 */
struct worker {
	struct task_struct *task;
	struct rnd_state rnd;
	struct heap *heap;
};

DEFINE_PER_CPU(u64 [NR_COUNTS], tg_counts);
bool tg_stop;
static atomic_t nr_errors;
static struct worker *workers;
static unsigned int nr_workers;

/**
 * tg_problem - something is wrong
 * @fmt: what
 *
 * Context: Any but an NMI.
 */
void tg_problem(const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (atomic_inc_return(&nr_errors) > MAX_REPORTS)
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("problem: %pV\n", &vaf);
	va_end(args);
}

static u64 count_sum(enum tg_count what)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu) {
		/* Its CPU goes on counting. */
		sum += data_race(per_cpu(tg_counts, cpu)[what]);
	}
	return sum;
}

/* What is not counted a second time elsewhere. */
static u64 count_operations(void)
{
	static const enum tg_count counted[] = {
		COUNT_STEP, COUNT_CELL, COUNT_BLOB, COUNT_LEAF, COUNT_LARGE, COUNT_SHELVED,
		COUNT_FINALIZED, COUNT_COLLECTED, COUNT_ENDED,
	};
	u64 sum = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(counted); i++)
		sum += count_sum(counted[i]);
	return sum;
}

static int mutate(void *arg)
{
	struct worker *w = arg;

	while (!kthread_should_stop()) {
		struct heap *h = &heaps[below(&w->rnd, NR_HEAPS)];
		unsigned int ms = below(&w->rnd, 8) ? SECTION_MS : LONG_SECTION_MS;

		if (down_read_trylock(&h->gate)) {
			if (h->gc)
				graph_section(h, &w->rnd, below(&w->rnd, ms));
			up_read(&h->gate);
			cond_resched();
		} else {
			schedule_timeout_uninterruptible(1);
		}
	}
	return 0;
}

static int collect(void *arg)
{
	struct worker *w = arg;

	while (!kthread_should_stop()) {
		struct heap *h = &heaps[below(&w->rnd, NR_HEAPS)];

		if (!down_read_trylock(&h->gate)) {
			schedule_timeout_uninterruptible(1);
			continue;
		}
		if (h->gc && !goalloc_gc(h->gc))
			tg_count(COUNT_COLLECTED);
		/* As somebody may do at any time. */
		if (h->gc && !below(&w->rnd, 8))
			goalloc_set_gc_percent(h->gc, 10 + below(&w->rnd, 100));
		up_read(&h->gate);
		cond_resched();
	}
	return 0;
}

static int count_all(void *arg)
{
	struct worker *w = arg;

	while (!kthread_should_stop()) {
		struct heap *h = &heaps[below(&w->rnd, NR_STAYING)];

		down_write(&h->gate);
		census(h);
		up_write(&h->gate);
		msleep(100 + below(&w->rnd, 300));
	}
	return 0;
}

static int pass(void *arg)
{
	struct worker *w = arg;

	while (!kthread_should_stop())
		passing_round(w->heap, &w->rnd);
	return 0;
}

static int worker_start(int (*fn)(void *arg), const char *name, struct heap *h)
{
	struct worker *w = &workers[nr_workers];

	w->heap = h;
	prandom_seed_state(&w->rnd, session_seed * 1024 + nr_workers);
	w->task = kthread_run(fn, w, "tg_%s/%u", name, nr_workers);
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	nr_workers++;
	return 0;
}

static int workers_start(void)
{
	unsigned int nr = MUTATORS_PER_CPU * num_online_cpus(), i;
	int err = 0;

	workers = kcalloc(nr + NR_COLLECTORS + NR_PASSING + 1, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	for (i = 0; !err && i < nr; i++)
		err = worker_start(mutate, "mutate", NULL);
	for (i = 0; !err && i < NR_COLLECTORS; i++)
		err = worker_start(collect, "collect", NULL);
	for (i = 0; !err && i < NR_PASSING; i++)
		err = worker_start(pass, "pass", &heaps[NR_STAYING + i]);
	return err ?: worker_start(count_all, "census", NULL);
}

static void workers_stop(void)
{
	WRITE_ONCE(tg_stop, true);
	while (nr_workers)
		kthread_stop(workers[--nr_workers].task);
	kfree(workers);
}

static void report_progress(unsigned int at)
{
	pr_info("%u s: %llu operations, %llu collections, %llu censuses of %llu objects, %llu finalized (%llu saved), %llu weak handles led nowhere, failed %llu, %llu heaps ended (%llu while marked), %ld times out of memory, %d errors\n",
		at, count_operations(), count_sum(COUNT_COLLECTED), count_sum(COUNT_CENSUS),
		count_sum(COUNT_COUNTED), count_sum(COUNT_FINALIZED), count_sum(COUNT_SAVED),
		count_sum(COUNT_WEAK_GONE), count_sum(COUNT_FAILED), count_sum(COUNT_ENDED),
		count_sum(COUNT_ENDED_MARK), atomic_long_read(&pressure_rounds),
		atomic_read(&nr_errors));
}

static void report_counts(void)
{
	char line[500];
	int len = 0;
	int i;

	session_operations = count_operations();
	for (i = 0; i < NR_COUNTS; i++) {
		len += scnprintf(line + len, sizeof(line) - len, " %s %llu", count_names[i],
				 count_sum(i));
		if (!count_sum(i) && session_operations >= OPERATIONS_FOR_ALL)
			tg_problem("nothing was counted as %s", count_names[i]);
	}
	pr_info("counts:%s\n", line);
}

static int torture_run(void)
{
	int err;

	err = census_init();
	if (!err)
		err = heaps_start();
	if (!err)
		err = workers_start();
	if (!err && session_pressure)
		err = pressure_start();
	if (!err)
		err = session_wait(report_progress);
	pressure_stop();
	workers_stop();
	if (!err && !session_rest())
		tg_problem("the helpers do not stop");
	heaps_end();
	if (!err)
		report_counts();
	return err;
}

static int __init torture_init(void)
{
	int err;

	pr_info("%u s, seed %lu, %u CPUs, pressure %s\n", session_secs, session_seed,
		num_online_cpus(), session_pressure ? "on" : "off");
	heaps_init();
	err = torture_run();
	census_exit();
	if (!err && goalloc_validate(NULL) < 0)
		tg_problem("the default heap is not as it must be");
	if (err) {
		pr_err("could not run: %pe\n", ERR_PTR(err));
		return err;
	}
	session_errors = atomic_read(&nr_errors);
	pr_info("%lu operations, %u errors\n", session_operations, session_errors);
	return 0;
}

static void __exit torture_exit(void)
{
}

module_init(torture_init);
module_exit(torture_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Uses collected heaps from all CPUs at once and counts what lives in them");
