// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way around the caches: which feature of a heap gets what comes here.
 *
 * Every slow entry of the allocator asks detour_taken() and hands over. What no
 * feature claims goes on as it would where there is no cache.
 *
 * Locks: none here.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/numa.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "ended.h"
#include "guard.h"
#include "harden.h"
#include "profile.h"
#include "sanitize.h"

/**
 * detour_alloc - allocate an object
 * @heap: the heap, on a detour
 * @size: bytes requested, not 0
 * @align: alignment in bytes, a power of two; 0 for the one that goalloc()
 *         promises
 * @gfp: as for goalloc()
 * @nid: preferred node
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
void *detour_alloc(struct goalloc_heap *heap, size_t size, size_t align,
		   gfp_t gfp, int nid)
{
	unsigned long detour = READ_ONCE(heap->detour);
	unsigned int class;
	void *obj;

	if (detour & DETOUR_ENDED) {
		ended_alloc(heap);
		return NULL;
	}
	if (detour & DETOUR_COLLECTED) {
		report_gc_outside(heap);
		return NULL;
	}
	if (detour & DETOUR_SAFE)
		return safe_alloc(heap, size, goalloc_size_roundup(size), align, gfp, nid);
	if (detour & DETOUR_GUARDED) {
		obj = guard_alloc(heap, size, align, gfp);
		if (obj)
			return profile_odd(heap, obj, size);
	}
	if (heap->harden)
		return profile_odd(heap, harden_alloc(heap, size, align, gfp, nid), size);
	if (size <= GOALLOC_MAX_SMALL && align <= GOALLOC_PAGE_SIZE) {
		for (class = sizeclass_of(size); class < GOALLOC_NR_CLASSES; class++)
			if (!align || sizeclass_aligned(class, align))
				return cache_alloc_past(heap, class, size, gfp, nid);
	}
	if (size > GOALLOC_MAX_SIZE || in_nmi())
		return NULL;
	obj = heap_alloc_large(heap, size, max_t(size_t, align, 1), gfp, nid);
	if (!obj)
		atomic64_inc(&heap->nr_failed);
	return profile_odd(heap, obj, size);
}
GOALLOC_EXPORT_KUNIT(detour_alloc);

/**
 * detour_alloc_tiny - allocate an object of less than 16 bytes
 * @heap: the heap, on a detour
 * @size: bytes requested, 1 to 15
 * @gfp: as for goalloc()
 *
 * Context: Any context that @gfp allows.
 * Return: the object, not packed with others, or NULL.
 */
void *detour_alloc_tiny(struct goalloc_heap *heap, size_t size, gfp_t gfp)
{
	/* As tightly as packed: gosize() tells what was asked for. */
	if ((READ_ONCE(heap->detour) & (DETOUR_SAFE | DETOUR_ENDED)) == DETOUR_SAFE)
		return safe_alloc(heap, size, size, 0, gfp, numa_mem_id());
	return detour_alloc(heap, size, 0, gfp, numa_mem_id());
}
GOALLOC_EXPORT_KUNIT(detour_alloc_tiny);

/**
 * detour_free - check and free any object
 * @heap: heap it should belong to, on a detour
 * @p: the object
 * @caller: call site, for reports
 *
 * Context: Any context.
 */
void detour_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	unsigned long detour = READ_ONCE(heap->detour);

	if (detour & DETOUR_ENDED)
		ended_free(heap, p, caller);
	else if (detour & DETOUR_SAFE)
		safe_free(heap, p, caller);
	else if (heap->harden)
		harden_free(heap, p, caller);
	else
		cache_free_past(heap, p, caller);
}
GOALLOC_EXPORT_KUNIT(detour_free);

/**
 * detour_size - bytes that may be used of an object
 * @heap: the object's heap, on a detour
 * @ref: its slot
 * @size: what they would be of an ordinary object; 0 if it is none
 *
 * Context: Any context, preemption off.
 * Return: bytes.
 */
size_t detour_size(struct goalloc_heap *heap, const struct slot_ref *ref, size_t size)
{
	if (heap->harden)
		return harden_size(ref, size);
	return size;
}
GOALLOC_EXPORT_KUNIT(detour_size);

/**
 * detour_resize - change the size of an object where it is
 * @heap: the object's heap, on a detour
 * @p: a live object of it
 * @old_size: its size, from gosize()
 * @new_size: bytes requested, not 0
 * @gfp: as for goalloc()
 * @caller: call site, for reports
 *
 * Context: Any context.
 * Return: false if it has to be moved.
 */
bool detour_resize(struct goalloc_heap *heap, const void *p, size_t old_size,
		   size_t new_size, gfp_t gfp, unsigned long caller)
{
	unsigned long detour = READ_ONCE(heap->detour);

	/* What it handed out before it broke is left alone. */
	if (detour & (DETOUR_SAFE | DETOUR_ENDED)) {
		if (new_size > old_size || !safe_owns(p))
			return false;
		if (want_init_on_alloc(gfp))
			memset((char *)p + new_size, 0, old_size - new_size);
		return true;
	}
	if (heap->harden)
		return harden_resize(heap, p, old_size, new_size, gfp, caller);
	if (new_size > old_size)
		return false;
	if (want_init_on_alloc(gfp)) {
		sanitize_usable(p, old_size);
		memset((char *)p + new_size, 0, old_size - new_size);
	}
	sanitize_resize(heap, p, new_size, old_size, gfp);
	return true;
}
GOALLOC_EXPORT_KUNIT(detour_resize);
