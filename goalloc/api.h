/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The straight way in and out, for every file that exports functions to clients.
 * Each of them has a copy, so that nobody pays for a call, and call sites are the
 * clients' own.
 */
#ifndef GOALLOC_API_H
#define GOALLOC_API_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/instruction_pointer.h>

#include "allocinfo.h"
#include "cache.h"
#include "goalloc_trace.h"

/* Zones that only a heap made for them has memory of. */
#define API_ZONE_FLAGS (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)

/* What the straight way cannot serve: its cache may have a span of any node. */
#define API_ODD_FLAGS (API_ZONE_FLAGS | __GFP_THISNODE)

/*
 * Does the kernel look whether who may sleep may do so where he is? If not, all that
 * might_alloc() does is to let others run, and that is done where it takes long.
 */
#define API_CHECKS_SLEEP (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || IS_ENABLED(CONFIG_LOCKDEP))

static const struct cache_want api_plain = { .of_size = true, .zero = 0 };

void *api_alloc_odd(size_t size, gfp_t gfp, struct goalloc_heap *heap,
		    unsigned long caller);
void *api_alloc_flagged(size_t size, gfp_t gfp, struct goalloc_heap *heap,
			unsigned long caller);
void *api_alloc_watched(size_t size, gfp_t gfp, struct goalloc_heap *heap,
			unsigned long caller);
void *api_watch(size_t size, gfp_t gfp, int nid, unsigned long caller, void *obj);
void *api_alloc_node(size_t size, gfp_t gfp, int node, unsigned long caller);
void api_free_traced(const void *p, struct goalloc_heap *heap,
		     const struct pagemap *map, unsigned long caller);
size_t api_size(const struct goalloc_heap *heap, const void *p);
struct goalloc_heap *api_heap_of(const void *p);
void api_free_any(const void *p, unsigned long caller);
struct goalloc_heap *api_heap_create(const char *name,
				     const struct goalloc_heap_attr *attr,
				     unsigned long caller);
void *api_kvalloc(size_t size, gfp_t flags, unsigned long caller);
void *api_realloc(const void *p, size_t new_size, gfp_t flags, unsigned long caller);

/*
 * The straight way, for small sizes and no odd flags. That sleeping is allowed is
 * checked out of line, because a call in here would make everybody save registers.
 * For that reason, too, @heap is NULL for the default one, and @caller 0 for that
 * of the function this is part of: both are found out when they are needed.
 */
static __always_inline void *api_get(struct goalloc_heap *heap,
				     struct goalloc_pcpu __percpu *cpus, size_t size,
				     gfp_t gfp, unsigned long caller)
{
	unsigned int bin;

	if (API_CHECKS_SLEEP && gfpflags_allow_blocking(gfp))
		return api_alloc_odd(size, gfp, cache_heap(heap), caller ?: _RET_IP_);
	if (unlikely(gfp & (API_ODD_FLAGS | __GFP_ZERO)))
		return api_alloc_flagged(size, gfp, cache_heap(heap), caller ?: _RET_IP_);
	/* 0 wraps around to the largest size; the small ones with one comparison. */
	if (likely(size - 1 < SIZECLASS_FINE_MAX))
		bin = sizeclass_of(size);
	else if (likely(size - 1 < GOALLOC_MAX_SMALL))
		bin = sizeclass_of(size);
	else
		return api_alloc_odd(size, gfp, cache_heap(heap), caller ?: _RET_IP_);
	return cache_alloc_by(api_plain, heap, cpus, bin, size, gfp);
}

/* Does anybody want to know of each allocation? */
static __always_inline bool api_watched(void)
{
	return trace_alloc_enabled() || allocinfo_enabled();
}

/* From any heap; @heap, @cpus and @caller are as those of api_get(). */
static __always_inline void *api_alloc_by(struct goalloc_heap *heap,
					  struct goalloc_pcpu __percpu *cpus,
					  size_t size, gfp_t gfp, unsigned long caller)
{
	if (api_watched())
		return api_alloc_watched(size, gfp, cache_heap(heap), caller ?: _RET_IP_);
	return api_get(heap, cpus, size, gfp, caller);
}

/* From the default heap. */
static __always_inline void *api_alloc(size_t size, gfp_t gfp, unsigned long caller)
{
	return api_alloc_by(NULL, &cache_default, size, gfp, caller);
}

/* To any heap; @heap, @cpus and @caller are as those of cache_free_by(). */
static __always_inline void api_free_by(struct goalloc_heap *heap,
					struct goalloc_pcpu __percpu *cpus,
					const struct pagemap *map, const void *p,
					unsigned long caller)
{
	if (trace_free_enabled()) {
		api_free_traced(p, cache_heap(heap), map, caller ?: _RET_IP_);
		return;
	}
	cache_free_by(heap, cpus, map, p, caller);
}

/* To the default heap. */
static __always_inline void api_free(const void *p, unsigned long caller)
{
	api_free_by(NULL, &cache_default, &goalloc_space.map, p, caller);
}

#endif /* GOALLOC_API_H */
