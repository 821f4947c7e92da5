// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmalloc() and its relatives, for modules that were compiled with
 * <goalloc_kmalloc.h> in front of them; see there for what each does.
 *
 * Memory crosses: the kernel frees what a module allocated, and a module what the
 * kernel did. The second is told here by the page map. That an address is in no span
 * does not make it the kernel's yet: it may be an object of goalloc's that was freed
 * twice. So only what the kernel's page says is slab memory, or a compound page as
 * large objects of kmalloc()'s are, is handed on; everything else is a bad free. The
 * first kind is shim_stray.c's.
 */
/* The functions themselves are here. */
#define GOALLOC_NO_HOOKS

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <goalloc_gok.h>

#include "api.h"
#include "compat.h"
#include "guard.h"
#include "rcu_free.h"
#include "shim.h"

struct shim_counts shim_counts;
GOALLOC_EXPORT_KUNIT(shim_counts);

/* Could the kernel have handed this out by kmalloc()? */
static bool shim_plausible(const void *p)
{
	struct page *page;

	if (!virt_addr_valid(p))
		return false;
	page = virt_to_head_page(p);
	/* Whose it is stands in the page while an object of it is live. */
	return PageSlab(page) || PageHead(page);
}

/**
 * shim_foreign - is this the kernel's memory? If so it is counted
 * @p: what a module frees or resizes, not NULL
 *
 * Context: Any.
 * Return: true if the kernel is to have it; false if goalloc, be it to refuse it.
 */
bool shim_foreign(const void *p)
{
	if (api_heap_of(p) || !shim_plausible(p))
		return false;
	atomic64_inc(&shim_counts.foreign);
	return true;
}

/**
 * shim_free - free what may be of either
 * @p: the object
 * @caller: call site, for reports
 *
 * Context: As kfree().
 */
void shim_free(const void *p, unsigned long caller)
{
	struct goalloc_heap *heap;

	if (ZERO_OR_NULL_PTR(p))
		return;
	heap = api_heap_of(p);
	if (likely(heap == goalloc_default)) {
		api_free(p, caller);
	} else if (heap) {
		api_free_by(heap, heap->cpus, &goalloc_space.map, p, caller);
	} else if (shim_foreign(p)) {
		kfree(p);
	} else {
		/* Nobody's: to be refused. */
		api_free(p, caller);
	}
}

static __always_inline void *shim_alloc(size_t size, gfp_t flags, unsigned long caller)
{
	if (unlikely(flags & API_ZONE_FLAGS)) {
		atomic64_inc(&shim_counts.fallback);
		return kmalloc(size, flags);
	}
	return api_alloc(size, flags, caller);
}

void *gok_kmalloc(size_t size, gfp_t flags)
{
	return shim_alloc(size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kmalloc);

static void *shim_alloc_node(size_t size, gfp_t flags, int node, unsigned long caller)
{
	if (node == NUMA_NO_NODE)
		return shim_alloc(size, flags, caller);
	if (unlikely(flags & API_ZONE_FLAGS)) {
		atomic64_inc(&shim_counts.fallback);
		return kmalloc_node(size, flags, node);
	}
	return api_alloc_node(size, flags, node, caller);
}

void *gok_kmalloc_node(size_t size, gfp_t flags, int node)
{
	return shim_alloc_node(size, flags, node, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kmalloc_node);

void *gok_kmalloc_track(size_t size, gfp_t flags, int node, unsigned long caller)
{
	return shim_alloc_node(size, flags, node, caller);
}
EXPORT_SYMBOL_GPL(gok_kmalloc_track);

void *gok_krealloc(const void *p, size_t new_size, gfp_t flags)
{
	if (!ZERO_OR_NULL_PTR(p) && shim_foreign(p))
		return krealloc(p, new_size, flags);
	if (unlikely(flags & API_ZONE_FLAGS && ZERO_OR_NULL_PTR(p)))
		return shim_alloc(new_size, flags, _RET_IP_);
	return api_realloc(p, new_size, flags & ~API_ZONE_FLAGS, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_krealloc);

void *gok_kvmalloc_node(size_t size, gfp_t flags, int node)
{
	void *p;

	if (unlikely(flags & API_ZONE_FLAGS)) {
		atomic64_inc(&shim_counts.fallback);
		return kvmalloc_node(size, flags, node);
	}
	if (node != NUMA_NO_NODE) {
		/* No great effort for that one node. */
		p = api_alloc_node(size, (flags & ~__GFP_NOFAIL) | __GFP_NORETRY | __GFP_NOWARN,
				   node, _RET_IP_);
		if (p)
			return p;
	}
	return api_kvalloc(size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kvmalloc_node);

void gok_kfree(const void *p)
{
	shim_free(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kfree);

void gok_kfree_sensitive(const void *p)
{
	size_t size;

	if (ZERO_OR_NULL_PTR(p))
		return;
	if (shim_foreign(p)) {
		kfree_sensitive(p);
		return;
	}
	size = gosize(p);
	memzero_explicit((void *)p, size);
	api_free_any(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kfree_sensitive);

void gok_kfree_bulk(size_t nr, void **p)
{
	size_t i;

	for (i = 0; i < nr; i++)
		shim_free(p[i], _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kfree_bulk);

/* Memory of vmalloc()'s has no owner: either side may free it. */
static bool shim_is_vmalloc(const void *p)
{
	return is_vmalloc_addr(p) && !guard_owns(p);
}

void gok_kvfree(const void *p)
{
	if (shim_is_vmalloc(p))
		vfree(p);
	else
		shim_free(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kvfree);

void gok_kvfree_sensitive(const void *p, size_t len)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	memzero_explicit((void *)p, len);
	if (shim_is_vmalloc(p))
		vfree(p);
	else
		shim_free(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kvfree_sensitive);

size_t gok_ksize(const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return 0;
	if (!api_heap_of(p) && shim_plausible(p))
		return ksize(p);
	return gosize(p);
}
EXPORT_SYMBOL_GPL(gok_ksize);

size_t gok_kmalloc_size_roundup(size_t size)
{
	return goalloc_size_roundup(size);
}
EXPORT_SYMBOL_GPL(gok_kmalloc_size_roundup);

/* Into a new place, where it may be vmalloc()'s. */
static void *shim_kvmove(const void *p, size_t old_size, size_t new_size, gfp_t flags,
			 unsigned long caller)
{
	void *new = api_kvalloc(new_size, flags & ~API_ZONE_FLAGS, caller);

	if (!new)
		return NULL;
	memcpy(new, p, min(old_size, new_size));
	gok_kvfree(p);
	return new;
}

#if GOALLOC_KERNEL_FROM(6, 12)
void *gok_kvrealloc(const void *p, size_t size, gfp_t flags)
{
	void *new;

	if (!ZERO_OR_NULL_PTR(p) && (shim_is_vmalloc(p) || shim_foreign(p)))
		return kvrealloc(p, size, flags);
	/* No great effort if there is another way. */
	new = api_realloc(p, size, (flags | __GFP_NORETRY | __GFP_NOWARN) &
			  ~(API_ZONE_FLAGS | __GFP_NOFAIL), _RET_IP_);
	if (new || !size)
		return new;
	return shim_kvmove(p, ZERO_OR_NULL_PTR(p) ? 0 : gosize(p), size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kvrealloc);
#else
void *gok_kvrealloc_old(const void *p, size_t old_size, size_t new_size, gfp_t flags)
{
	return old_size >= new_size ? (void *)p :
	       shim_kvmove(p, old_size, new_size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kvrealloc_old);
#endif

/* Without @head the caller may sleep. */
static bool shim_free_rcu(struct rcu_head *head, const void *p, unsigned long caller)
{
	if (!ZERO_OR_NULL_PTR(p) && (shim_is_vmalloc(p) || shim_foreign(p)))
		return false;
	if (head)
		rcu_free(head, p, caller);
	else
		rcu_free_mightsleep(p, caller);
	return true;
}

#if GOALLOC_KERNEL_FROM(6, 2)
void gok_kvfree_call_rcu(struct rcu_head *head, void *p)
{
	if (!shim_free_rcu(head, p, _RET_IP_))
		kvfree_call_rcu(head, p);
}
EXPORT_SYMBOL_GPL(gok_kvfree_call_rcu);
#else
void gok_kvfree_call_rcu_old(struct rcu_head *head, rcu_callback_t func)
{
	/* The offset of the head, or without one the object itself. */
	void *p = head ? (void *)head - (unsigned long)func : (void *)func;

	if (!shim_free_rcu(head, p, _RET_IP_))
		kvfree_call_rcu(head, func);
}
EXPORT_SYMBOL_GPL(gok_kvfree_call_rcu_old);
#endif

void gok_kvfree_rcu_barrier(void)
{
	goalloc_rcu_barrier();
#if GOALLOC_KERNEL_FROM(6, 12)
	kvfree_rcu_barrier();
#endif
}
EXPORT_SYMBOL_GPL(gok_kvfree_rcu_barrier);

void *gok_mempool_kmalloc(gfp_t flags, void *pool_data)
{
	return shim_alloc((size_t)pool_data, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_mempool_kmalloc);

void gok_mempool_kfree(void *element, void *pool_data)
{
	shim_free(element, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_mempool_kfree);

void *gok_mempool_kvmalloc(gfp_t flags, void *pool_data)
{
	return api_kvalloc((size_t)pool_data, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_mempool_kvmalloc);

void gok_mempool_kvfree(void *element, void *pool_data)
{
	gok_kvfree(element);
}
EXPORT_SYMBOL_GPL(gok_mempool_kvfree);
