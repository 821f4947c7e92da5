// SPDX-License-Identifier: GPL-2.0-only
/*
 * Object caches: a heap with objects of one size.
 *
 * Most are nothing but that. Those with a constructor, and those whose objects may
 * be looked at while they are free, rely on no byte of a free object being the
 * allocator's: what was in it when it was freed is there when it is handed out
 * again. All that is left to do is to construct the slots of a new span, to keep
 * everybody from clearing objects, and to let spans that have become free wait for
 * a grace period before their pages can be anything else (heap_objects.c).
 *
 * An object that a heap in safe mode has from kmalloc() is constructed when it is
 * handed out.
 *
 * Locks: none.
 */
/* The functions themselves are here. */
#define GOALLOC_NO_HOOKS

#include <linux/cache.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc_objects.h>

#include "api.h"
#include "compat.h"
#include "debugfs.h"
#include "detour.h"
#include "heap_objects.h"
#include "rcu_free.h"

/**
 * struct goalloc_objects - an object cache
 * @heap: its heap
 * @size: bytes of an object
 * @asked: bytes to ask of the heap for it: @size rounded up to the alignment
 * @bin: the bin of @asked; 0 if it is large
 * @ctor: its constructor, or NULL
 */
struct goalloc_objects {
	struct goalloc_heap *heap;
	size_t size;
	size_t asked;
	unsigned int bin;
	void (*ctor)(void *obj);
};

static const char *objects_wrong(const struct goalloc_objects_attr *attr)
{
	if (!attr || !attr->size)
		return "an object cache needs the size of its objects";
	if (attr->flags & ~(GOALLOC_OBJECTS_TYPESAFE | GOALLOC_OBJECTS_HWALIGN))
		return "an object cache's flags have some that are not there";
	if (attr->align && (!is_power_of_2(attr->align) || attr->align > PAGE_SIZE))
		return "an object cache's alignment must be a power of two up to a page";
	if (attr->size > GOALLOC_MAX_SIZE - PAGE_SIZE)
		return "an object cache's objects are too large";
	if (attr->flags & GOALLOC_OBJECTS_TYPESAFE && attr->size > GOALLOC_MAX_SMALL)
		return "objects that stay what they are must be small";
	return NULL;
}

static size_t objects_align(const struct goalloc_objects_attr *attr)
{
	size_t align = max_t(size_t, attr->align, sizeof(u64));
	size_t line = cache_line_size();

	if (!(attr->flags & GOALLOC_OBJECTS_HWALIGN))
		return align;
	/* Small ones as far apart as lets the most share a line. */
	while (attr->size <= line / 2)
		line /= 2;
	return max(align, line);
}

/* See <goalloc_objects.h> for this and what follows. */
struct goalloc_objects *goalloc_objects_create(const char *name,
					       const struct goalloc_objects_attr *attr)
{
	struct goalloc_heap_attr heap_attr = {};
	struct goalloc_objects *objects;
	const char *wrong = objects_wrong(attr);
	bool typesafe;
	int err;

	if (wrong) {
		report_bad_attr(wrong, _RET_IP_);
		return ERR_PTR(-EINVAL);
	}
	typesafe = attr->flags & GOALLOC_OBJECTS_TYPESAFE;
	objects = kzalloc(sizeof(*objects), GFP_KERNEL);
	if (!objects)
		return ERR_PTR(-ENOMEM);
	objects->size = attr->size;
	objects->asked = round_up(attr->size, objects_align(attr));
	objects->ctor = attr->ctor;
	/* Up to here the largest class is aligned to a page. */
	if (objects->asked <= GOALLOC_MAX_SMALL)
		objects->bin = sizeclass_of(objects->asked);
	heap_attr.gfp = attr->gfp;
	objects->heap = api_heap_create(name, &heap_attr, _RET_IP_);
	if (IS_ERR(objects->heap)) {
		err = PTR_ERR(objects->heap);
		goto fail;
	}
	if (objects->bin && (attr->ctor || typesafe)) {
		err = heap_objects_init(objects->heap, objects->bin, attr->ctor,
					typesafe);
		if (err) {
			goalloc_heap_destroy(objects->heap, true);
			goto fail;
		}
	}
	return objects;
fail:
	kfree(objects);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(goalloc_objects_create);

int goalloc_objects_destroy(struct goalloc_objects *objects)
{
	int err;

	if (IS_ERR_OR_NULL(objects))
		return 0;
	/* Objects that were given to gofree_rcu() are live until then. */
	if (rcu_free_waiting())
		goalloc_rcu_barrier();
	err = goalloc_heap_destroy(objects->heap, false);
	kfree(objects);
	return err;
}
EXPORT_SYMBOL_GPL(goalloc_objects_destroy);

static const struct cache_want objects_kept = { .kept = true };

/* An object that keeps what is in it, or is constructed. */
static noinline void *objects_alloc_kept(struct goalloc_objects *objects, gfp_t flags,
					 unsigned long caller)
{
	struct goalloc_heap *heap = objects->heap;
	gfp_t gfp = flags & ~__GFP_ZERO;
	void *obj;

	if (unlikely(objects->ctor && flags & __GFP_ZERO)) {
		report_bad_zero(heap, flags, caller);
		return NULL;
	}
	might_alloc(gfp);
	if (gfp & API_ODD_FLAGS || !objects->bin)
		obj = api_alloc_odd(objects->asked, gfp, heap, caller);
	else
		obj = cache_alloc_by(objects_kept, heap, heap->cpus, objects->bin,
				     objects->asked, gfp);
	if (!obj)
		return NULL;
	/* Of no span of ours that was constructed: large, or the heap is broken. */
	if (objects->ctor && (!objects->bin || detour_taken(heap)))
		objects->ctor(obj);
	if (flags & __GFP_ZERO)
		memset(obj, 0, objects->size);
	if (api_watched())
		api_watch(objects->asked, flags, NUMA_NO_NODE, caller, obj);
	return obj;
}

static __always_inline void *objects_get(struct goalloc_objects *objects, gfp_t flags,
					 unsigned long caller)
{
	struct goalloc_heap *heap = objects->heap;

	if (heap->objects || objects->ctor)
		return objects_alloc_kept(objects, flags, caller);
	return api_alloc_by(heap, heap->cpus, objects->asked, flags, caller);
}

void *goalloc_objects_alloc(struct goalloc_objects *objects, gfp_t flags)
{
	return objects_get(objects, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_objects_alloc);

void goalloc_objects_free(struct goalloc_objects *objects, const void *p)
{
	api_free_by(objects->heap, objects->heap->cpus, &goalloc_space.map, p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_objects_free);

void goalloc_objects_free_bulk(struct goalloc_objects *objects, size_t nr, void **p)
{
	size_t i;

	for (i = 0; i < nr; i++)
		api_free_by(objects->heap, objects->heap->cpus, &goalloc_space.map, p[i],
			    _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_objects_free_bulk);

size_t goalloc_objects_alloc_bulk(struct goalloc_objects *objects, gfp_t flags,
				  size_t nr, void **p)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		p[i] = objects_get(objects, flags, _RET_IP_);
		if (unlikely(!p[i])) {
			goalloc_objects_free_bulk(objects, i, p);
			return 0;
		}
	}
	return nr;
}
EXPORT_SYMBOL_GPL(goalloc_objects_alloc_bulk);

size_t goalloc_objects_size(const struct goalloc_objects *objects)
{
	return objects->size;
}
EXPORT_SYMBOL_GPL(goalloc_objects_size);

struct goalloc_heap *goalloc_objects_heap(const struct goalloc_objects *objects)
{
	return objects->heap;
}
EXPORT_SYMBOL_GPL(goalloc_objects_heap);
