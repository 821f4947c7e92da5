// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free objects of other nodes, on their way home.
 *
 * The lists that a cache allocates from have objects of its own node only. What
 * is freed here and came from elsewhere is collected in one more list, whatever
 * its bin and node, and goes home when that is full: one visit, with one lock,
 * to each central that has objects in it. So somebody who frees what another
 * node has allocated takes one lock per 64 objects of a kind, not one per
 * object.
 *
 * Bytes are bounded as well; objects that would use up a quarter of that go
 * home on their own. A list that is not used goes home when the cache is
 * drained.
 *
 * Locks: none here, preemption is off; central locks are taken in
 * central_take_home().
 */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "cache.h"
#include "compat.h"
#include "drain.h"
#include "remote.h"

/* Take objects of one central home. */
static void remote_home(struct goalloc_cache *cache, struct goalloc_central *central,
			const cache_entry_t *entry, unsigned int nr)
{
	cache->remote.frees[central->bin] -=
		central_take_home(central, entry, nr, cache->token);
}

/**
 * remote_flush - take everything in a cache's remote list home
 * @cache: the cache
 *
 * Context: Any but NMI, preemption off; the caller may use the cache.
 * Return: bytes of objects that were in the list.
 */
u64 remote_flush(struct goalloc_cache *cache)
{
	struct cache_remote *remote = &cache->remote;
	unsigned int first, end, i;
	u64 bytes = remote->bytes;

	/* Those of one central to the front of what is left, then off with them. */
	for (first = 0; first < remote->count; first = end) {
		struct goalloc_central *central =
			heap_central_of(cache_entry_span(remote->entry[first]));

		for (end = i = first + 1; i < remote->count; i++) {
			if (heap_central_of(cache_entry_span(remote->entry[i])) != central)
				continue;
			swap(remote->entry[i], remote->entry[end]);
			end++;
		}
		remote_home(cache, central, remote->entry + first, end - first);
	}
	remote->count = 0;
	remote->bytes = 0;
	return bytes;
}
GOALLOC_EXPORT_KUNIT(remote_flush);

/**
 * remote_put - keep a free object of another node, or take it home
 * @cache: cache of this CPU and level, not cache_none
 * @span: its span
 * @slot: its slot; the state byte is the cache's token
 *
 * Context: Any but NMI, preemption off.
 */
void remote_put(struct goalloc_cache *cache, struct goalloc_span *span,
		unsigned int slot)
{
	struct cache_remote *remote = &cache->remote;
	cache_entry_t entry = cache_entry_make(span, slot);
	u32 max = room_remote_max(cache);

	remote->puts++;
	remote->frees[span->bin]++;
	if (span->elemsize > max / 4) {
		remote_home(cache, heap_central_of(span), &entry, 1);
		return;
	}
	if (!remote->count)
		drain_note();
	remote->entry[remote->count++] = entry;
	remote->bytes += span->elemsize;
	if (remote->count == REMOTE_MAX_OBJS || remote->bytes >= max)
		remote_flush(cache);
}
GOALLOC_EXPORT_KUNIT(remote_put);
