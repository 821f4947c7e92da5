/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for goalloc's own structures, counted. It comes from the kernel's
 * allocators: kmalloc() up to a page, kvmalloc() beyond, never from goalloc.
 */
#ifndef GOALLOC_META_H
#define GOALLOC_META_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/types.h>

/**
 * struct goalloc_meta - counter of metadata bytes of one heap
 * @bytes: bytes really occupied, rounding of the underlying allocator included
 * @objects: number of pieces
 */
struct goalloc_meta {
	atomic_long_t bytes;
	atomic_long_t objects;
};

void *meta_zalloc(struct goalloc_meta *meta, size_t size, gfp_t gfp, int nid);
void meta_free(struct goalloc_meta *meta, void *p, size_t size);
void meta_forget(struct goalloc_meta *meta, const void *p, size_t size);

/*
 * What of a caller's flags holds for metadata: how hard to try and whether to
 * complain. Zones and zeroing are decided here, not by the caller.
 */
#define META_GFP_MASK (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH | \
		       __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_NOWARN | \
		       __GFP_NORETRY | __GFP_RETRY_MAYFAIL | __GFP_NOFAIL)

#endif /* GOALLOC_META_H */
