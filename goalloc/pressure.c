// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving memory back when the kernel is short of it.
 *
 * A shrinker tells the kernel per NUMA node what could be had: free pages, and
 * what the caches of the node's CPUs hold. Asked for some of it, it gives back
 * free pages at once, the highest addresses first, and what quarantines can
 * spare. If that is not enough it has the caches of all CPUs drained, without
 * waiting: what becomes free by that is there when the kernel asks again. So it
 * can be called from any reclaim context, whatever the caller may not wait for.
 *
 * Before the kernel kills a process for want of memory it is waited for the
 * drain, once, and everything free goes back: that comes after all else, and
 * there is nothing left to be careful with.
 *
 * Locks: heaps_lock, which is only tried, because memory may be short while it
 * is held; then nothing is given this time. heap_node->lock in heap_scavenge().
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/shrinker.h>
#include <linux/topology.h>

#include "cache.h"
#include "compat.h"
#include "drain.h"
#include "harden.h"
#include "pressure.h"

#define PRESSURE_PAGES (1UL << (GOALLOC_PAGE_SHIFT - PAGE_SHIFT))

static atomic64_t pressure_scans, pressure_pages, pressure_drains;
static atomic64_t pressure_busy, pressure_ooms, pressure_oom_pages;

/**
 * struct pressure_ask - what is looked for in all heaps
 * @nid: on which node
 * @want: pages of PAGE_SIZE wanted
 * @pages: pages of PAGE_SIZE found
 */
struct pressure_ask {
	int nid;
	unsigned long want;
	unsigned long pages;
};

/* Bytes of objects in the lists of a CPU's caches, as they happen to be. */
static u64 pressure_cached(const struct goalloc_heap *heap, unsigned int cpu)
{
	struct goalloc_pcpu *pcpu = per_cpu_ptr(heap->cpus, cpu);
	u64 bytes = 0;
	int level, bin;

	for (level = 0; level < CACHE_LEVELS; level++) {
		/* Filled in when it is seen; pairs with cache_create(). */
		const struct goalloc_cache *cache = smp_load_acquire(&pcpu->level[level]);

		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			/* The owner counts with plain stores; any value will do. */
			bytes += bin_count(data_race(READ_ONCE(cache->bin[bin].line))) *
				 span_shape_small(bin).elemsize;
	}
	return bytes;
}

static void pressure_count(struct goalloc_heap *heap, void *arg)
{
	struct pressure_ask *ask = arg;
	struct heap_node *node;
	unsigned int cpu;
	u64 bytes = 0;

	if (heap->space != &goalloc_space)
		return;
	node = heap_node_at(heap, ask->nid);
	if (!node)
		return;
	/* The tree counts with plain stores; any number it had will do. */
	bytes = data_race(READ_ONCE(node->palloc.nr_free)) << GOALLOC_PAGE_SHIFT;
	for_each_online_cpu(cpu)
		if (heap_node_of(heap, cpu_to_mem(cpu)) == node)
			bytes += pressure_cached(heap, cpu);
	/* A quarantine is not kept by node: it is told of once. */
	if (heap->harden && ask->nid == heap_first_node(heap)->nid)
		bytes += READ_ONCE(heap->harden->bytes);
	ask->pages += bytes >> PAGE_SHIFT;
}

/**
 * pressure_available - what could be given back on a node
 * @nid: the node
 *
 * Context: Process context, in reclaim, too.
 * Return: pages of PAGE_SIZE; 0 also if the list of heaps is locked.
 */
unsigned long pressure_available(int nid)
{
	struct pressure_ask ask = { .nid = nid };

	return heap_try_for_each(pressure_count, &ask) ? ask.pages : 0;
}
GOALLOC_EXPORT_KUNIT(pressure_available);

/* Give back free pages of a node until there are enough. */
static void pressure_scavenge(struct heap_node *node, struct pressure_ask *ask)
{
	ask->pages += heap_scavenge(node, DIV_ROUND_UP(ask->want - ask->pages,
						       PRESSURE_PAGES),
				    true) * PRESSURE_PAGES;
}

static void pressure_give(struct goalloc_heap *heap, void *arg)
{
	struct pressure_ask *ask = arg;
	struct heap_node *node;

	if (heap->space != &goalloc_space || ask->pages >= ask->want)
		return;
	node = heap_node_at(heap, ask->nid);
	if (!node)
		return;
	pressure_scavenge(node, ask);
	if (ask->pages < ask->want && heap->harden &&
	    harden_drain(heap->harden, (u64)(ask->want - ask->pages) << PAGE_SHIFT))
		pressure_scavenge(node, ask);
}

static void pressure_drain(struct goalloc_heap *heap, void *arg)
{
	if (heap->space == &goalloc_space)
		drain_queue(heap, DRAIN_ALL);
}

/**
 * pressure_relieve - give back some of what is available on a node
 * @nid: the node
 * @nr_pages: pages of PAGE_SIZE wanted
 *
 * Context: Process context, in reclaim, too; waits for nothing.
 * Return: pages of PAGE_SIZE given back.
 */
unsigned long pressure_relieve(int nid, unsigned long nr_pages)
{
	struct pressure_ask ask = { .nid = nid, .want = nr_pages };

	atomic64_inc(&pressure_scans);
	if (!heap_try_for_each(pressure_give, &ask)) {
		atomic64_inc(&pressure_busy);
		return 0;
	}
	if (ask.pages < nr_pages && heap_try_for_each(pressure_drain, NULL))
		atomic64_inc(&pressure_drains);
	atomic64_add(ask.pages, &pressure_pages);
	return ask.pages;
}
GOALLOC_EXPORT_KUNIT(pressure_relieve);

static void pressure_give_all(struct goalloc_heap *heap, void *arg)
{
	unsigned long *pages = arg;
	struct heap_node *node;

	if (heap->space != &goalloc_space)
		return;
	drain_wait(heap);
	if (heap->harden)
		harden_drain(heap->harden, U64_MAX);
	for (node = heap_first_node(heap); node; node = heap_next_node(node))
		*pages += heap_scavenge(node, U64_MAX, true) * PRESSURE_PAGES;
}

/**
 * pressure_relieve_all - give back everything that is not in use
 *
 * Context: Process context, in reclaim, too; waits until every CPU has drained
 *          its caches.
 * Return: pages of PAGE_SIZE given back.
 */
unsigned long pressure_relieve_all(void)
{
	unsigned long pages = 0;

	/* All at once, and then one after the other is waited for. */
	if (!heap_try_for_each(pressure_drain, NULL) ||
	    !heap_try_for_each(pressure_give_all, &pages))
		atomic64_inc(&pressure_busy);
	return pages;
}
GOALLOC_EXPORT_KUNIT(pressure_relieve_all);

static unsigned long pressure_count_objects(struct shrinker *shrinker,
					    struct shrink_control *sc)
{
	return pressure_available(sc->nid) ?: SHRINK_EMPTY;
}

static unsigned long pressure_scan_objects(struct shrinker *shrinker,
					   struct shrink_control *sc)
{
	return pressure_relieve(sc->nid, sc->nr_to_scan) ?: SHRINK_STOP;
}

static int pressure_oom(struct notifier_block *nb, unsigned long unused, void *arg)
{
	unsigned long *freed = arg;
	unsigned long pages = pressure_relieve_all();

	atomic64_inc(&pressure_ooms);
	atomic64_add(pages, &pressure_oom_pages);
	*freed += pages;
	return NOTIFY_OK;
}

static struct notifier_block pressure_oom_nb = {
	.notifier_call = pressure_oom,
};

#if GOALLOC_KERNEL_FROM(6, 7)
static struct shrinker *pressure_shrinker;

static int pressure_shrinker_init(void)
{
	pressure_shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "goalloc");
	if (!pressure_shrinker)
		return -ENOMEM;
	pressure_shrinker->count_objects = pressure_count_objects;
	pressure_shrinker->scan_objects = pressure_scan_objects;
	shrinker_register(pressure_shrinker);
	return 0;
}

static void pressure_shrinker_exit(void)
{
	shrinker_free(pressure_shrinker);
}
#else
static struct shrinker pressure_shrinker = {
	.count_objects = pressure_count_objects,
	.scan_objects = pressure_scan_objects,
	.seeks = DEFAULT_SEEKS,
	.flags = SHRINKER_NUMA_AWARE,
};

static int pressure_shrinker_init(void)
{
	return register_shrinker(&pressure_shrinker, "goalloc");
}

static void pressure_shrinker_exit(void)
{
	unregister_shrinker(&pressure_shrinker);
}
#endif

/**
 * pressure_read - read what was asked for and given
 * @st: what to fill in
 *
 * Context: Any.
 */
void pressure_read(struct pressure_stats *st)
{
	*st = (struct pressure_stats){
		.scans = atomic64_read(&pressure_scans),
		.pages = atomic64_read(&pressure_pages),
		.drains = atomic64_read(&pressure_drains),
		.busy = atomic64_read(&pressure_busy),
		.ooms = atomic64_read(&pressure_ooms),
		.oom_pages = atomic64_read(&pressure_oom_pages),
	};
}
GOALLOC_EXPORT_KUNIT(pressure_read);

/**
 * pressure_init - from now on give back on demand
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pressure_init(void)
{
	int err = pressure_shrinker_init();

	if (err)
		return err;
	err = register_oom_notifier(&pressure_oom_nb);
	if (err)
		pressure_shrinker_exit();
	return err;
}

/**
 * pressure_exit - no longer
 *
 * Context: Process context, may sleep.
 */
void pressure_exit(void)
{
	unregister_oom_notifier(&pressure_oom_nb);
	pressure_shrinker_exit();
}
