/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way around the caches, for heaps that want more than speed.
 *
 * A heap whose @detour is not 0 has no caches: cache_create() refuses, so every
 * fast path meets cache_none and falls into its slow path by itself, without an
 * instruction spent on the question. The slow paths ask, and come here.
 */
#ifndef GOALLOC_DETOUR_H
#define GOALLOC_DETOUR_H

#include <linux/bits.h>
#include <linux/compiler.h>

#include "heap.h"

/*
 * Bits of goalloc_heap.detour. Where several are set the last one decides, and
 * what DETOUR_GUARDED does not take is the others'.
 *
 * DETOUR_HARDENED - misuse of its objects is looked for; set when it is made
 * DETOUR_SAFE - it was found broken and changes nothing any more
 * DETOUR_ENDED - it is ending or has ended with live objects
 * DETOUR_GUARDED - its objects get unmapped pages around them; set when it is
 *	made
 * DETOUR_COLLECTED - it is below a collected heap, and hands nothing out itself; set
 *	when that is made
 */
#define DETOUR_HARDENED BIT(0)
#define DETOUR_SAFE BIT(1)
#define DETOUR_ENDED BIT(2)
#define DETOUR_GUARDED BIT(3)
#define DETOUR_COLLECTED BIT(4)

/*
 * Must a heap's caches not be used? Whoever sets a bit while the heap is in use
 * sees to it that nobody is left who has read 0.
 */
static inline bool detour_taken(const struct goalloc_heap *heap)
{
	return unlikely(READ_ONCE(heap->detour));
}

void *detour_alloc(struct goalloc_heap *heap, size_t size, size_t align,
		   gfp_t gfp, int nid);
void *detour_alloc_tiny(struct goalloc_heap *heap, size_t size, gfp_t gfp);
void detour_free(struct goalloc_heap *heap, const void *p, unsigned long caller);
size_t detour_size(struct goalloc_heap *heap, const struct slot_ref *ref, size_t size);
bool detour_resize(struct goalloc_heap *heap, const void *p, size_t old_size,
		   size_t new_size, gfp_t gfp, unsigned long caller);

#endif /* GOALLOC_DETOUR_H */
