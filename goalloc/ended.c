// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps that have ended, and who uses them all the same.
 *
 * struct goalloc_heap outlives its heap for a while, empty, with DETOUR_ENDED
 * and with caches that have nothing and take nothing. So a late goalloc_heap_
 * alloc(), _free() or _destroy() is refused and reported instead of reading
 * memory that is somebody else's. The last ENDED_KEPT of them are kept, some
 * hundred bytes each; a heap that ended before those is forgotten.
 *
 * Locks: ended_lock, for the row of heaps; taken alone.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "cache.h"
#include "compat.h"
#include "ended.h"

/* Frames between a late call and the code that is to blame. */
#define ENDED_FRAMES 12

/*
 * The caches of every heap that has ended. Written to by ended_init() only, and
 * not initialised here because modules' per-CPU data is not relocated.
 */
static DEFINE_PER_CPU(struct goalloc_pcpu, ended_pcpu);

static DEFINE_MUTEX(ended_lock);
static struct goalloc_heap *ended_heaps[ENDED_KEPT];
static unsigned int ended_next;

/**
 * ended_init - prepare, once, before any heap
 *
 * Context: Process context.
 */
void ended_init(void)
{
	unsigned int cpu;
	int level;

	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			per_cpu(ended_pcpu, cpu).level[level] = &cache_none;
			per_cpu(ended_pcpu, cpu).made[level] = &cache_none;
		}
	}
}

/**
 * ended_caches - what a heap that has ended has for caches
 *
 * Context: Any.
 * Return: the same for every heap.
 */
struct goalloc_pcpu __percpu *ended_caches(void)
{
	return &ended_pcpu;
}

/**
 * ended_keep - keep the structure of a heap that has ended
 * @heap: the heap, empty; the oldest one kept is freed for it
 *
 * Context: Process context, may sleep.
 */
void ended_keep(struct goalloc_heap *heap)
{
	struct goalloc_heap *oldest;

	mutex_lock(&ended_lock);
	oldest = ended_heaps[ended_next];
	ended_heaps[ended_next] = heap;
	ended_next = (ended_next + 1) % ENDED_KEPT;
	mutex_unlock(&ended_lock);
	kfree(oldest);
}

/**
 * ended_exit - forget all heaps that have ended
 *
 * Context: Process context.
 */
void ended_exit(void)
{
	unsigned int i;

	for (i = 0; i < ENDED_KEPT; i++) {
		kfree(ended_heaps[i]);
		ended_heaps[i] = NULL;
	}
}

/* The innermost caller that is not goalloc, or 0. */
static unsigned long ended_caller(void)
{
	unsigned long frame[ENDED_FRAMES];
	unsigned int i, nr = 0;

#ifdef CONFIG_STACKTRACE
	nr = stack_trace_save(frame, ENDED_FRAMES, 1);
#endif
	for (i = 0; i < nr; i++)
		if (!within_module(frame[i], THIS_MODULE))
			return frame[i];
	return 0;
}

/* Once per heap, so that somebody who goes on does not fill the log. */
static void ended_report(struct goalloc_heap *heap, const char *what)
{
	if (!atomic_xchg(&heap->ended_told, 1))
		pr_err("heap %s has ended: %s at %pS; stop using a heap before goalloc_heap_destroy(); refused\n",
		       heap->name, what, (void *)ended_caller());
}

/**
 * ended_alloc - refuse an allocation
 * @heap: heap that has ended
 *
 * Context: Any context.
 */
void ended_alloc(struct goalloc_heap *heap)
{
	atomic64_inc(&heap->nr_failed);
	ended_report(heap, "allocation");
}

/**
 * ended_free - refuse a free
 * @heap: heap that has ended
 * @p: what was to be freed
 * @caller: call site, for reports
 *
 * Counted with the default heap: this one has no statistics any more.
 *
 * Context: Any context.
 */
void ended_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	report_bad_free(heap, p, NULL, 0, BAD_FREE_ENDED, caller);
	if (goalloc_default != heap)
		atomic64_inc(&goalloc_default->nr_bad[BAD_FREE_ENDED]);
}

/**
 * ended_destroy - refuse to end a heap again
 * @heap: heap that has ended
 *
 * Context: Process context.
 */
void ended_destroy(struct goalloc_heap *heap)
{
	ended_report(heap, "goalloc_heap_destroy() again");
}
