// SPDX-License-Identifier: GPL-2.0-only
/*
 * All CPUs free the same objects at the same time: the race of two bad frees
 * that goalloc's plain loads and stores let through.
 *
 * It must do no more harm than the bug itself: afterwards, when all of them want
 * memory at once, no object is handed out twice, and the heap can be ended. Run before
 * the torture proper, on heaps of its own, round after round.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "torture.h"

#define MISUSE_OBJECTS 96
#define MISUSE_CPUS 8
#define MISUSE_SECONDS 5
#define MISUSE_WAIT_NS (10 * NSEC_PER_MSEC)

/* One round. */
struct misuse {
	struct goalloc_heap *heap;
	size_t size;
	atomic_t here;
	int cpus;
	void *p[MISUSE_OBJECTS];
	void *again[MISUSE_CPUS][MISUSE_OBJECTS];
};

/*
 * Start together, or the first would be done before the last begins. But not at
 * any price: with interrupts off another CPU may wait for a lock that its owner,
 * here, was interrupted with.
 */
static void misuse_meet(struct misuse *m)
{
	u64 end = ktime_get_mono_fast_ns() + MISUSE_WAIT_NS;

	atomic_inc(&m->here);
	while (atomic_read(&m->here) < m->cpus && ktime_get_mono_fast_ns() < end)
		cpu_relax();
}

static void misuse_free(void *arg)
{
	struct misuse *m = arg;
	int i;

	misuse_meet(m);
	for (i = 0; i < MISUSE_OBJECTS; i++)
		goalloc_heap_free(m->heap, m->p[i]);
}

static void misuse_alloc(void *arg)
{
	struct misuse *m = arg;
	int cpu = smp_processor_id();
	int i;

	if (cpu >= MISUSE_CPUS)
		return;
	misuse_meet(m);
	for (i = 0; i < MISUSE_OBJECTS; i++) {
		char *p = goalloc_heap_alloc(m->heap, m->size, GFP_ATOMIC | __GFP_NOWARN);

		m->again[cpu][i] = p;
		if (p)
			memset(p, cpu + 1, m->size);
	}
}

/* Each object still says which CPU got it, or it was handed out twice. */
static void misuse_check(struct misuse *m)
{
	int cpu, i;

	for (cpu = 0; cpu < MISUSE_CPUS; cpu++)
		for (i = 0; i < MISUSE_OBJECTS; i++) {
			char *p = m->again[cpu][i];

			if (p && memchr_inv(p, cpu + 1, m->size))
				torture_fail("an object freed twice was handed out twice",
					     p, m->size, cpu);
		}
}

static int misuse_round(struct misuse *m, size_t size, u64 *refused)
{
	struct goalloc_stats st;
	int i, err;

	memset(m, 0, sizeof(*m));
	m->size = size;
	m->heap = goalloc_heap_create("misuse", NULL);
	if (IS_ERR(m->heap))
		return PTR_ERR(m->heap);
	for (i = 0; i < MISUSE_OBJECTS; i++)
		m->p[i] = goalloc_heap_alloc(m->heap, size, GFP_KERNEL);
	cpus_read_lock();
	m->cpus = num_online_cpus();
	on_each_cpu(misuse_free, m, 1);
	atomic_set(&m->here, 0);
	on_each_cpu(misuse_alloc, m, 1);
	cpus_read_unlock();
	misuse_check(m);
	goalloc_heap_stats(m->heap, &st);
	*refused += st.bad_frees;
	err = goalloc_heap_destroy(m->heap, true);
	if (err)
		torture_fail("a heap could not be ended after bad frees", NULL, size, 0);
	return 0;
}

/**
 * misuse_run - let CPUs free the same objects at once
 * @rounds: how often at most
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error.
 */
int misuse_run(unsigned int rounds)
{
	static const u16 sizes[] = { 8, 64, 208, 1024, 8192, 32768 };
	struct misuse *m = kvzalloc(sizeof(*m), GFP_KERNEL);
	time64_t start = ktime_get_seconds();
	u64 refused = 0;
	unsigned int i;
	int err = 0;

	if (!m)
		return -ENOMEM;
	/* Some seconds are enough, but every size has its turn. */
	for (i = 0; i < rounds && !err; i++) {
		if (i >= ARRAY_SIZE(sizes) && ktime_get_seconds() - start > MISUSE_SECONDS)
			break;
		err = misuse_round(m, sizes[i % ARRAY_SIZE(sizes)], &refused);
	}
	pr_info("goalloc_torture: %u rounds of racing bad frees, %llu refused\n", i, refused);
	kvfree(m);
	return err;
}
