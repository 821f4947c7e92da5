/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free objects of other nodes, on their way home.
 */
#ifndef GOALLOC_REMOTE_H
#define GOALLOC_REMOTE_H

#include <linux/types.h>

#include "central.h"

/*
 * A list goes home when it has so many objects, or as many bytes of them as
 * room_remote_max() says.
 */
#define REMOTE_MAX_OBJS 64

struct goalloc_cache;

/**
 * struct cache_remote - a cache's free objects of nodes that are not its own
 * @count: objects in @entry
 * @bytes: bytes in them
 * @frees: objects ever put in, by bin; those that were not free after all do not
 *         count
 * @puts: objects ever put in, of all bins
 * @entry: the objects, of any bin and any node
 *
 * Written by the CPU and level alone; others may read the numbers for
 * statistics. Which objects of a bin are still here nobody counts: what went in
 * at all caches, less what the centrals say came home, cannot be counted twice
 * or missed while a list moves. The first @count entries are free objects that no central has in
 * its books as free, as those in a cache's lists.
 */
struct cache_remote {
	u16 count;
	u32 bytes;
	u64 frees[GOALLOC_NR_BINS];
	u64 puts;
	cache_entry_t entry[REMOTE_MAX_OBJS];
};

void remote_put(struct goalloc_cache *cache, struct goalloc_span *span,
		unsigned int slot);
u64 remote_flush(struct goalloc_cache *cache);

#endif /* GOALLOC_REMOTE_H */
