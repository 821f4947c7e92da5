// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_cpus.ko: goalloc and kmalloc() on all CPUs at once. For the time
 * of one case while it is loaded; what goalloc's centrals had to do meanwhile is
 * in its files in debugfs, where the script in the guest reads it.
 *
 * A thread for each CPU, which does the same work many times; rounds of the two
 * contenders take turns, so that what disturbs the host disturbs both. A figure
 * is the time of a round, from the first thread's start to the last one's end,
 * times the CPUs, through the operations: what an allocation and a free take one
 * CPU, if the others do the same.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/ptr_ring.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>

#include "bench.h"

#define CPUS_MAX_ROUNDS 101

/* Pointers under way from one CPU to another, at most. */
#define CPUS_RING 1024

/* Objects that a thread has at once: few, and more than any list has room for. */
#define CPUS_FEW 32
#define CPUS_MANY 512

/* Places for objects that belong to nobody. */
#define CPUS_SLOTS 4096

static char *what = "local";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "local, remote, class or random");

static unsigned int size = 64;
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "bytes of an object, or at most (random)");

static unsigned int ops = 20000;
module_param(ops, uint, 0444);
MODULE_PARM_DESC(ops, "allocations of each thread in a round");

static unsigned int rounds = 15;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds of each contender");

/**
 * struct cpus_thread - one CPU's part
 * @task: the thread
 * @work: what it does in this round
 * @ring: from the first to the second of a pair
 * @rnd: for its choices
 * @obj: objects it has
 * @second: of a pair, the one that frees
 * @begin: when it began, ns
 * @end: when it was done, ns
 * @done: allocations, with their frees
 * @failed: allocations that failed
 */
struct cpus_thread {
	struct task_struct *task;
	void (*work)(struct cpus_thread *t);
	struct ptr_ring *ring;
	struct rnd_state rnd;
	void *obj[CPUS_MANY];
	bool second;
	u64 begin;
	u64 end;
	u64 done;
	u64 failed;
};

/**
 * struct cpus_case - one kind of work
 * @name: of the parameter
 * @goalloc: with goalloc
 * @kmalloc: with kmalloc()
 * @clean: afterwards, NULL if there is nothing left
 * @paired: needs CPUs in pairs
 */
struct cpus_case {
	const char *name;
	void (*goalloc)(struct cpus_thread *t);
	void (*kmalloc)(struct cpus_thread *t);
	void (*clean)(void (*free)(void *p));
	bool paired;
};

static struct cpus_thread *cpus_threads;
static unsigned int cpus_nr;
static struct ptr_ring *cpus_rings;
static void *cpus_slots[CPUS_SLOTS];
static DECLARE_COMPLETION(cpus_start);
static DECLARE_COMPLETION(cpus_end);
static u32 cpus_ps[2][CPUS_MAX_ROUNDS];

/* @nr objects at a time, each freed where it was allocated. */
static __always_inline void cpus_rows(const struct bench_allocator *a, struct cpus_thread *t,
				      unsigned int nr)
{
	unsigned int left, i;

	for (left = ops; left; left -= min(left, nr)) {
		unsigned int row = min(left, nr);

		for (i = 0; i < row; i++)
			t->obj[i] = a->alloc(size, GFP_KERNEL);
		for (i = 0; i < row; i++) {
			t->failed += !t->obj[i];
			a->free(t->obj[i]);
		}
		t->done += row;
		cond_resched();
	}
}

static __always_inline void cpus_local(const struct bench_allocator *a, struct cpus_thread *t)
{
	cpus_rows(a, t, CPUS_FEW);
}

static __always_inline void cpus_class(const struct bench_allocator *a, struct cpus_thread *t)
{
	cpus_rows(a, t, CPUS_MANY);
}

/* Allocated on one CPU, freed on another. */
static __always_inline void cpus_remote(const struct bench_allocator *a, struct cpus_thread *t)
{
	unsigned int i;
	void *p;

	for (i = 0; i < ops; i++) {
		if (t->second) {
			while (!(p = __ptr_ring_consume(t->ring)))
				cond_resched();
			a->free(p);
			continue;
		}
		while (!(p = a->alloc(size, GFP_KERNEL))) {
			t->failed++;
			cond_resched();
		}
		while (__ptr_ring_produce(t->ring, p))
			cond_resched();
		t->done++;
	}
}

/* As many small sizes as large ones, by the power of two. */
static __always_inline size_t cpus_some_size(struct cpus_thread *t)
{
	u32 r = prandom_u32_state(&t->rnd);

	return max_t(size_t, size >> (r % 8), 8) - (r >> 8) % 8;
}

/* Whatever is in a place is freed by whoever comes by, and something else put there. */
static __always_inline void cpus_random(const struct bench_allocator *a, struct cpus_thread *t)
{
	unsigned int i;
	void *p;

	for (i = 0; i < ops; i++) {
		p = a->alloc(cpus_some_size(t), GFP_KERNEL);
		t->failed += !p;
		p = xchg(&cpus_slots[prandom_u32_state(&t->rnd) % CPUS_SLOTS], p);
		a->free(p);
		t->done++;
		if (!(i % 64))
			cond_resched();
	}
}

static void cpus_random_clean(void (*free)(void *p))
{
	unsigned int i;

	for (i = 0; i < CPUS_SLOTS; i++)
		free(xchg(&cpus_slots[i], NULL));
}

/* A function for each contender, so that the calls are direct, see bench.h. */
static void cpus_local_goalloc(struct cpus_thread *t)
{
	cpus_local(&bench_goalloc, t);
}

static void cpus_local_kmalloc(struct cpus_thread *t)
{
	cpus_local(&bench_kmalloc, t);
}

static void cpus_remote_goalloc(struct cpus_thread *t)
{
	cpus_remote(&bench_goalloc, t);
}

static void cpus_remote_kmalloc(struct cpus_thread *t)
{
	cpus_remote(&bench_kmalloc, t);
}

static void cpus_class_goalloc(struct cpus_thread *t)
{
	cpus_class(&bench_goalloc, t);
}

static void cpus_class_kmalloc(struct cpus_thread *t)
{
	cpus_class(&bench_kmalloc, t);
}

static void cpus_random_goalloc(struct cpus_thread *t)
{
	cpus_random(&bench_goalloc, t);
}

static void cpus_random_kmalloc(struct cpus_thread *t)
{
	cpus_random(&bench_kmalloc, t);
}

static const struct cpus_case cpus_cases[] = {
	{ "local", cpus_local_goalloc, cpus_local_kmalloc },
	{ "remote", cpus_remote_goalloc, cpus_remote_kmalloc, .paired = true },
	{ "class", cpus_class_goalloc, cpus_class_kmalloc },
	{ "random", cpus_random_goalloc, cpus_random_kmalloc, cpus_random_clean },
};

static int cpus_thread(void *arg)
{
	struct cpus_thread *t = arg;

	wait_for_completion(&cpus_start);
	t->begin = ktime_get_ns();
	t->work(t);
	t->end = ktime_get_ns();
	complete(&cpus_end);
	/* Until it is told to stop: whoever does looks at the figures. */
	set_current_state(TASK_UNINTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_UNINTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* A thread on each CPU; returns how many there are. */
static unsigned int cpus_begin(void (*work)(struct cpus_thread *t))
{
	unsigned int cpu, n = 0;

	for_each_online_cpu(cpu) {
		struct cpus_thread *t = &cpus_threads[n];

		if (n == cpus_nr)
			break;
		t->work = work;
		t->ring = &cpus_rings[n / 2];
		t->second = n % 2;
		t->done = 0;
		prandom_seed_state(&t->rnd, 1 + n);
		t->task = kthread_create_on_cpu(cpus_thread, t, cpu, "goalloc_cpus/%u");
		if (IS_ERR(t->task))
			break;
		wake_up_process(t->task);
		n++;
	}
	return n;
}

/* One round; picoseconds of a CPU for an operation, or 0. */
static u32 cpus_round(void (*work)(struct cpus_thread *t), bool *odd)
{
	u64 begin = U64_MAX, end = 0, done = 0;
	unsigned int n, i;

	reinit_completion(&cpus_start);
	n = cpus_begin(work);
	/* A second one without a first would wait for ever. */
	if (n != cpus_nr) {
		*odd = true;
		for (i = 0; i < n; i++)
			cpus_threads[i].work = cpus_local_kmalloc;
	}
	complete_all(&cpus_start);
	/* One that is stopped before its turn would do nothing at all. */
	for (i = 0; i < n; i++)
		wait_for_completion(&cpus_end);
	for (i = 0; i < n; i++) {
		struct cpus_thread *t = &cpus_threads[i];

		kthread_stop(t->task);
		begin = min(begin, t->begin);
		end = max(end, t->end);
		done += t->done;
	}
	return done ? div64_u64((end - begin) * 1000 * n, done) : 0;
}

static void cpus_print(const char *name, u32 *ps)
{
	sort(ps, rounds, sizeof(*ps), bench_compare, NULL);
	pr_info("%s.%u.%s.ps_median %u\n", what, size, name, ps[rounds / 2]);
	pr_info("%s.%u.%s.ps_min %u\n", what, size, name, ps[0]);
}

static int cpus_measure(const struct cpus_case *c)
{
	bool odd = false;
	u64 failed = 0;
	unsigned int i;

	for (i = 0; i < rounds && !odd; i++) {
		cpus_ps[0][i] = cpus_round(c->goalloc, &odd);
		if (c->clean)
			c->clean(bench_goalloc.free);
		cpus_ps[1][i] = cpus_round(c->kmalloc, &odd);
		if (c->clean)
			c->clean(bench_kmalloc.free);
	}
	if (odd)
		return -EAGAIN;
	for (i = 0; i < cpus_nr; i++)
		failed += cpus_threads[i].failed;
	if (failed) {
		pr_err("%llu allocations failed\n", failed);
		return -ENOMEM;
	}
	cpus_print("goalloc", cpus_ps[0]);
	cpus_print("kmalloc", cpus_ps[1]);
	pr_info("%s.%u.goalloc.ops %llu\n", what, size,
		(u64)ops * rounds * (c->paired ? cpus_nr / 2 : cpus_nr));
	return 0;
}

static int __init cpus_module_init(void)
{
	const struct cpus_case *c = NULL;
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(cpus_cases); i++)
		if (!strcmp(cpus_cases[i].name, what))
			c = &cpus_cases[i];
	cpus_nr = num_online_cpus();
	if (c && c->paired)
		cpus_nr = round_down(cpus_nr, 2);
	if (!c || !cpus_nr || !size || !ops || !rounds || rounds > CPUS_MAX_ROUNDS) {
		pr_err("there is no case %s with %u bytes, %u operations and %u rounds (at most %u) on %u CPUs\n",
		       what, size, ops, rounds, CPUS_MAX_ROUNDS, num_online_cpus());
		return -EINVAL;
	}
	cpus_threads = kvcalloc(cpus_nr, sizeof(*cpus_threads), GFP_KERNEL);
	cpus_rings = kcalloc(cpus_nr, sizeof(*cpus_rings), GFP_KERNEL);
	if (!cpus_threads || !cpus_rings)
		err = -ENOMEM;
	for (i = 0; i < cpus_nr && !err; i++)
		err = ptr_ring_init(&cpus_rings[i], CPUS_RING, GFP_KERNEL);
	if (!err)
		err = cpus_measure(c);
	for (i = 0; i < cpus_nr && cpus_rings; i++)
		if (cpus_rings[i].queue)
			ptr_ring_cleanup(&cpus_rings[i], NULL);
	kfree(cpus_rings);
	kvfree(cpus_threads);
	return err;
}

static void __exit cpus_module_exit(void)
{
}

module_init(cpus_module_init);
module_exit(cpus_module_exit);

MODULE_DESCRIPTION("goalloc beside kmalloc() on all CPUs at once");
MODULE_LICENSE("GPL");
