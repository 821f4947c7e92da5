// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmem_cache_create() and what goes with it, for modules that were compiled with
 * <goalloc_kmalloc.h> in front of them; see there.
 *
 * Modules use caches of the kernel's as well (that of path names, for one), so a
 * pointer to a cache says whose it is: one of ours has its lowest bit set. Should it
 * come into the kernel's hands all the same, an access there is to fault at once:
 * where that is possible the pointer is no address.
 */
/* The functions themselves are here. */
#define GOALLOC_NO_HOOKS
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/kmemleak.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc_gok.h>
#include <goalloc_objects.h>
#include <goalloc_stats.h>

#include "api.h"
#include "compat.h"
#include "heap.h"
#include "shim.h"

#define SHIM_CACHE_MARK BIT(0)

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)
/* An address that is not canonical. */
#define SHIM_CACHE_TURN (SHIM_CACHE_MARK | BIT(62))
#else
#define SHIM_CACHE_TURN SHIM_CACHE_MARK
#endif

static struct kmem_cache *shim_cache_hide(struct goalloc_objects *objects)
{
	return (struct kmem_cache *)((unsigned long)objects ^ SHIM_CACHE_TURN);
}

/* One of ours, or NULL. */
static struct goalloc_objects *shim_cache(const struct kmem_cache *s)
{
	if (unlikely(!((unsigned long)s & SHIM_CACHE_MARK)))
		return NULL;
	return (struct goalloc_objects *)((unsigned long)s ^ SHIM_CACHE_TURN);
}

/* A heap's name has no slash, and not every cache has a name. */
static void shim_cache_name(char *name, const char *wanted)
{
	strscpy(name, wanted && *wanted ? wanted : "unnamed", HEAP_NAME_LEN);
	strreplace(name, '/', '_');
}

struct kmem_cache *gok_kmem_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *))
{
	struct goalloc_objects_attr attr = {
		.size = size,
		.align = align,
		.ctor = ctor,
	};
	char heap_name[HEAP_NAME_LEN];
	struct goalloc_objects *objects;

	if (flags & SLAB_TYPESAFE_BY_RCU)
		attr.flags |= GOALLOC_OBJECTS_TYPESAFE;
	if (flags & SLAB_HWCACHE_ALIGN)
		attr.flags |= GOALLOC_OBJECTS_HWALIGN;
	if (flags & SLAB_CACHE_DMA)
		attr.gfp = __GFP_DMA;
	else if (flags & SLAB_CACHE_DMA32)
		attr.gfp = __GFP_DMA32;
	shim_cache_name(heap_name, name);
	objects = goalloc_objects_create(heap_name, &attr);
	if (IS_ERR(objects)) {
		if (flags & SLAB_PANIC)
			panic("goalloc: no cache %s: error %ld\n", heap_name,
			      PTR_ERR(objects));
		return NULL;
	}
	/* Nobody has its address any more. */
	kmemleak_not_leak(objects);
	atomic64_inc(&shim_counts.caches);
	return shim_cache_hide(objects);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_create);

void gok_kmem_cache_destroy(struct kmem_cache *s)
{
	struct goalloc_objects *objects = shim_cache(s);
	struct goalloc_stats st;

	if (!s)
		return;
	if (!objects) {
		kmem_cache_destroy(s);
		return;
	}
	/* What waits for a grace period is to be counted as freed. */
	goalloc_rcu_barrier();
	goalloc_heap_stats(goalloc_objects_heap(objects), &st);
	goalloc_objects_destroy(objects);
	atomic64_add(st.allocs, &shim_counts.gone_allocs);
	atomic64_add(st.frees, &shim_counts.gone_frees);
	atomic64_dec(&shim_counts.caches);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_destroy);

int gok_kmem_cache_shrink(struct kmem_cache *s)
{
	struct goalloc_objects *objects = shim_cache(s);

	if (!objects)
		return kmem_cache_shrink(s);
	goalloc_flush(goalloc_objects_heap(objects));
	goalloc_scavenge(goalloc_objects_heap(objects), U64_MAX);
	return 0;
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_shrink);

unsigned int gok_kmem_cache_size(struct kmem_cache *s)
{
	struct goalloc_objects *objects = shim_cache(s);

	return objects ? goalloc_objects_size(objects) : kmem_cache_size(s);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_size);

/* The zone is the cache's, and what is asked for beside it is of no use. */
static __always_inline void *shim_cache_alloc(struct goalloc_objects *objects, gfp_t flags)
{
	return goalloc_objects_alloc(objects, flags & ~API_ZONE_FLAGS);
}

void *gok_kmem_cache_alloc(struct kmem_cache *s, gfp_t flags)
{
	struct goalloc_objects *objects = shim_cache(s);

	return likely(objects) ? shim_cache_alloc(objects, flags) :
				 kmem_cache_alloc(s, flags);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_alloc);

/* A heap's memory is that of the nearest node. */
void *gok_kmem_cache_alloc_node(struct kmem_cache *s, gfp_t flags, int node)
{
	struct goalloc_objects *objects = shim_cache(s);

	return likely(objects) ? shim_cache_alloc(objects, flags) :
				 kmem_cache_alloc_node(s, flags, node);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_alloc_node);

/* Objects are charged to nobody, so no list of a memory cgroup has to be made. */
void *gok_kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t flags)
{
	struct goalloc_objects *objects = shim_cache(s);

	return likely(objects) ? shim_cache_alloc(objects, flags) :
				 kmem_cache_alloc_lru(s, lru, flags);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_alloc_lru);

int gok_kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t nr, void **p)
{
	struct goalloc_objects *objects = shim_cache(s);

	if (unlikely(!objects))
		return kmem_cache_alloc_bulk(s, flags, nr, p);
	return goalloc_objects_alloc_bulk(objects, flags & ~API_ZONE_FLAGS, nr, p);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_alloc_bulk);

void gok_kmem_cache_free(struct kmem_cache *s, void *p)
{
	struct goalloc_objects *objects = shim_cache(s);
	struct goalloc_heap *heap;

	if (unlikely(!objects)) {
		kmem_cache_free(s, p);
		return;
	}
	heap = goalloc_objects_heap(objects);
	api_free_by(heap, heap->cpus, &goalloc_space.map, p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_free);

void gok_kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	struct goalloc_objects *objects = shim_cache(s);

	if (!s)
		gok_kfree_bulk(nr, p);
	else if (objects)
		goalloc_objects_free_bulk(objects, nr, p);
	else
		kmem_cache_free_bulk(s, nr, p);
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_free_bulk);

bool gok_kmem_cache_charge(void *p, gfp_t flags)
{
#if GOALLOC_KERNEL_FROM(6, 12)
	if (!api_heap_of(p))
		return kmem_cache_charge(p, flags);
#endif
	return true;
}
EXPORT_SYMBOL_GPL(gok_kmem_cache_charge);

void *gok_mempool_alloc_slab(gfp_t flags, void *pool_data)
{
	return gok_kmem_cache_alloc(pool_data, flags);
}
EXPORT_SYMBOL_GPL(gok_mempool_alloc_slab);

void gok_mempool_free_slab(void *element, void *pool_data)
{
	gok_kmem_cache_free(pool_data, element);
}
EXPORT_SYMBOL_GPL(gok_mempool_free_slab);
