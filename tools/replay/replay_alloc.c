// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allocators that a trace can be replayed with, and what each of them
 * holds.
 *
 *	goalloc		goalloc() for every record
 *	kmalloc		kmalloc() for every record
 *	kmem_cache	kmalloc() for what the recorded kernel got from kmalloc,
 *			and a kmem_cache of exactly that size for what it got
 *			from a kmem_cache
 *
 * and the classical methods of replay_classic.c and replay_genalloc.c.
 *
 * goalloc against kmalloc is the comparison of like with like: two general
 * allocators that are told a size and nothing else. kmem_cache is nearer to
 * what the recorded kernel did, by means that goalloc does not have here.
 *
 * What an allocator holds is counted by its owner: for goalloc the pages in
 * its ledger and all its metadata, for the other two the kernel's count of slab
 * pages, which includes the pages of kmalloc() requests too large for a slab.
 * Both are beside the point if pages are missing from either account, so there
 * is also replay_pages_free(), which asks the buddy allocator and knows nothing
 * of who took what.
 *
 * The kernel keeps its counters in per-CPU pieces that are folded now and then;
 * read without those pieces they can be off by half a megabyte. The functions
 * here add the pieces up. They race with updates, so they are exact only as
 * long as the machine is quiet, which between two windows of a replay it is.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmstat.h>
#include <linux/xarray.h>

#include "goalloc.h"
#include "goalloc_stats.h"
#include "replay.h"
#include "replay_classic.h"

/* Types of the recorded kernel are no larger; beyond, kmalloc() serves. */
#define EXACT_SIZE_MAX (8 * PAGE_SIZE)

#ifndef SLAB_NO_MERGE
#define SLAB_NO_MERGE 0
#endif

static s64 node_pages(enum node_stat_item item)
{
	s64 pages = global_node_page_state_pages(item);
	int cpu, nid;

	for_each_online_node(nid) {
		struct pglist_data *node = NODE_DATA(nid);

		for_each_online_cpu(cpu)
			pages += per_cpu_ptr(node->per_cpu_nodestats, cpu)->vm_node_stat_diff[item];
	}
	return pages;
}

static s64 zone_pages_free(struct zone *zone)
{
	s64 pages = zone_page_state(zone, NR_FREE_PAGES);
	int cpu;

	for_each_online_cpu(cpu) {
#ifdef CONFIG_SMP
		pages += per_cpu_ptr(zone->per_cpu_zonestats, cpu)->vm_stat_diff[NR_FREE_PAGES];
#endif
		pages += READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset, cpu)->count);
	}
	return pages;
}

/**
 * replay_pages_free - memory that nobody holds
 *
 * Context: Any; approximate while others allocate.
 * Return: bytes in the buddy allocator, its per-CPU lists included.
 */
u64 replay_pages_free(void)
{
	s64 pages = 0;
	int nid, i;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			if (populated_zone(zone))
				pages += zone_pages_free(zone);
		}
	}
	return pages << PAGE_SHIFT;
}

static void *replay_goalloc(size_t size, gfp_t gfp, bool exact)
{
	return goalloc(size, gfp);
}

static void replay_gofree(void *p, size_t size, bool exact)
{
	gofree(p);
}

static size_t replay_gosize(void *p, size_t size)
{
	return gosize(p);
}

static u64 replay_goalloc_held(void)
{
	struct goalloc_stats st;

	goalloc_heap_stats(NULL, &st);
	return st.sys_bytes + st.metadata_bytes;
}

static void *replay_kmalloc(size_t size, gfp_t gfp, bool exact)
{
	return kmalloc(size, gfp);
}

static void replay_kfree(void *p, size_t size, bool exact)
{
	kfree(p);
}

static size_t replay_ksize(void *p, size_t size)
{
	return ksize(p);
}

static u64 replay_slab_held(void)
{
	s64 pages = node_pages(NR_SLAB_RECLAIMABLE_B) + node_pages(NR_SLAB_UNRECLAIMABLE_B);

	return pages << PAGE_SHIFT;
}

/* Exact size to struct kmem_cache; written by prepare and finish only. */
static DEFINE_XARRAY(replay_caches);

static void replay_caches_destroy(void)
{
	struct kmem_cache *cache;
	unsigned long size;

	xa_for_each(&replay_caches, size, cache)
		kmem_cache_destroy(cache);
	xa_destroy(&replay_caches);
}

static int replay_caches_create(const struct trace_record *rec, u32 nrecords)
{
	struct kmem_cache *cache;
	char name[40];
	u32 n, size;
	int err;

	for (n = 0; n < nrecords; n++, rec++) {
		size = le32_to_cpu(rec->bytes);
		if (!(rec->flags & TRACE_F_CACHE) || rec->flags & TRACE_F_FREE ||
		    !size || size > EXACT_SIZE_MAX || xa_load(&replay_caches, size))
			continue;
		snprintf(name, sizeof(name), "goalloc_replay-%u", size);
		cache = kmem_cache_create(name, size, 0, SLAB_NO_MERGE, NULL);
		err = cache ? xa_err(xa_store(&replay_caches, size, cache, GFP_KERNEL)) : -ENOMEM;
		if (err) {
			kmem_cache_destroy(cache);
			replay_caches_destroy();
			return err;
		}
	}
	return 0;
}

static struct kmem_cache *replay_cache_of(size_t size, bool exact)
{
	return exact ? xa_load(&replay_caches, size) : NULL;
}

static void *replay_cache_alloc(size_t size, gfp_t gfp, bool exact)
{
	struct kmem_cache *cache = replay_cache_of(size, exact);

	return cache ? kmem_cache_alloc(cache, gfp) : kmalloc(size, gfp);
}

static void replay_cache_free(void *p, size_t size, bool exact)
{
	struct kmem_cache *cache = replay_cache_of(size, exact);

	if (cache)
		kmem_cache_free(cache, p);
	else
		kfree(p);
}

static const struct replay_allocator replay_goalloc_itself = {
	.name = "goalloc",
	.alloc = replay_goalloc,
	.free = replay_gofree,
	.usable = replay_gosize,
	.held = replay_goalloc_held,
};

static const struct replay_allocator replay_kmalloc_only = {
	.name = "kmalloc",
	.alloc = replay_kmalloc,
	.free = replay_kfree,
	.usable = replay_ksize,
	.held = replay_slab_held,
	.is_shared = true,
};

static const struct replay_allocator replay_kmem_cache = {
	.name = "kmem_cache",
	.prepare = replay_caches_create,
	.finish = replay_caches_destroy,
	.alloc = replay_cache_alloc,
	.free = replay_cache_free,
	.usable = replay_ksize,
	.held = replay_slab_held,
	.is_shared = true,
};

static const struct replay_allocator * const replay_allocators[] = {
	&replay_goalloc_itself,
	&replay_kmalloc_only,
	&replay_kmem_cache,
	&replay_vmalloc,
	&replay_page_frag,
#ifdef CONFIG_GENERIC_ALLOCATOR
	&replay_genalloc_first,
	&replay_genalloc_best,
#endif
	&replay_next_fit,
};

/**
 * replay_allocator_find - look an allocator up
 * @name: as in the module parameter
 *
 * Context: Any.
 * Return: the allocator, or NULL.
 */
const struct replay_allocator *replay_allocator_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(replay_allocators); i++) {
		if (!strcmp(name, replay_allocators[i]->name))
			return replay_allocators[i];
	}
	return NULL;
}
