/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The classical methods, to stand beside the segregated one: see
 * replay_classic.c and replay_genalloc.c.
 */
#ifndef REPLAY_CLASSIC_H
#define REPLAY_CLASSIC_H

#include <linux/gfp.h>
#include <linux/mm.h>

struct replay_allocator;

/* What the pools and the free list grow by: 1 MiB. */
#define CLASSIC_CHUNK_ORDER 8
#define CLASSIC_CHUNK_BYTES (PAGE_SIZE << CLASSIC_CHUNK_ORDER)

extern const struct replay_allocator replay_vmalloc;
extern const struct replay_allocator replay_page_frag;
extern const struct replay_allocator replay_next_fit;
extern const struct replay_allocator replay_genalloc_first;
extern const struct replay_allocator replay_genalloc_best;

/* Objects do not come from pages that are zero. */
static inline void *classic_init(void *p, size_t size, gfp_t gfp)
{
	if (p && gfp & __GFP_ZERO)
		memset(p, 0, size);
	return p;
}

#endif /* REPLAY_CLASSIC_H */
