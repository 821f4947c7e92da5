/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics of a heap for other kernel code; people read debugfs.
 */
#ifndef GOALLOC_STATS_H
#define GOALLOC_STATS_H

#include <linux/types.h>

struct goalloc_heap;

/**
 * struct goalloc_stats - where every byte of a heap is
 * @sys_bytes: pages held, sum of the eight rows that follow
 * @live_bytes: small objects in use, by class size, and large ones as requested
 * @rounding_bytes: what large objects got beyond what was requested
 * @cached_bytes: free objects in caches
 * @central_bytes: free objects in spans
 * @quarantine_bytes: objects freed that a hardened heap keeps from reuse
 * @tail_bytes: room behind the last object of each span
 * @page_cache_bytes: free pages in page caches
 * @free_bytes: free pages in the page trees
 * @metadata_bytes: goalloc's own structures, which are not part of @sys_bytes
 * @guard_bytes: pages of the pool of guarded objects, beside @sys_bytes, too;
 *               all of them are the default heap's
 * @grown_bytes: pages ever taken from the kernel
 * @released_bytes: pages ever given back; @sys_bytes is the difference
 * @live_objects: objects in use; a block of tiny objects counts once, and a
 *                guarded object like any other
 * @allocs: objects ever handed out
 * @frees: objects ever taken back
 * @asked_bytes: bytes ever requested of small objects
 * @alloc_bytes: bytes of the classes they were served from
 * @tiny_objects: tiny objects in use
 * @page_cache_hits: requests for a few pages served by page caches
 * @page_cache_misses: those that went on to the page tree
 * @guard_objects: guarded objects in use
 * @guard_allocs: guarded objects ever handed out
 * @guard_full: allocations that were to be guarded and found no free slot, of
 *              all heaps; in the default heap's statistics, like the next two
 * @guard_faults: accesses to the pool that faulted
 * @guard_damaged: guarded objects beside which bytes were found overwritten
 * @failed: allocations that returned NULL for want of memory
 * @bad_frees: frees that were refused
 * @drains: times that a running CPU's caches were emptied
 * @idle_drains: how many of these were for not being used
 * @drained_bytes: bytes of objects and pages that left caches so
 * @overflows: times bytes behind an object were found changed
 * @use_after_frees: times a free object was found changed
 * @safe_ignored: frees that were ignored because the heap is in safe mode
 * @safe_objects: objects in use that it has from kmalloc() since then
 * @safe_bytes: bytes of them; not part of @sys_bytes
 *
 * All taken while allocation goes on: rows that move between each other's
 * readings may be off by what was under way. When the heap is quiet they add
 * up exactly.
 */
struct goalloc_stats {
	u64 sys_bytes;
	u64 live_bytes;
	u64 rounding_bytes;
	u64 cached_bytes;
	u64 central_bytes;
	u64 quarantine_bytes;
	u64 tail_bytes;
	u64 page_cache_bytes;
	u64 free_bytes;
	u64 metadata_bytes;
	u64 guard_bytes;
	u64 grown_bytes;
	u64 released_bytes;
	u64 live_objects;
	u64 allocs;
	u64 frees;
	u64 asked_bytes;
	u64 alloc_bytes;
	u64 tiny_objects;
	u64 page_cache_hits;
	u64 page_cache_misses;
	u64 guard_objects;
	u64 guard_allocs;
	u64 guard_full;
	u64 guard_faults;
	u64 guard_damaged;
	u64 failed;
	u64 bad_frees;
	u64 drains;
	u64 idle_drains;
	u64 drained_bytes;
	u64 overflows;
	u64 use_after_frees;
	u64 safe_ignored;
	u64 safe_objects;
	u64 safe_bytes;
};

/**
 * goalloc_heap_stats - read a heap's statistics
 * @heap: the heap, or NULL for the default one
 * @st: what to fill in
 *
 * Context: Any but NMI. Does not stop allocation.
 */
void goalloc_heap_stats(struct goalloc_heap *heap, struct goalloc_stats *st);

#endif /* GOALLOC_STATS_H */
