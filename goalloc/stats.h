/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adding up what the tiers count.
 */
#ifndef GOALLOC_STATS_INTERNAL_H
#define GOALLOC_STATS_INTERNAL_H

#include <goalloc_stats.h>

#include "heap.h"

#define STATS_DECILES 10

/**
 * struct bin_stats - one bin over all CPUs and nodes
 * @allocs: objects ever handed out
 * @frees: objects ever freed
 * @asked: bytes requested with @allocs
 * @remote_frees: of @frees, objects that other nodes' CPUs brought home
 * @quarantined: those freed and not taken back yet, in a hardened heap
 * @cached: free objects in caches, in their lists and in their spans
 * @central: free objects in centrals
 * @spans: spans
 * @owned: spans that caches allocate from
 * @full: spans in centrals without a free object
 * @partial: spans in centrals with free objects
 * @refills: visits of caches to centrals for memory
 * @flushes: visits of caches to centrals with memory
 * @locks: times that a central's lock was taken, but for statistics and checks
 * @contended: of these, times that somebody had to wait for it
 * @use: spans by the share of their slots that are out of them, in objects or
 *       noted by caches: up to a tenth, up to two tenths, ...
 */
struct bin_stats {
	u64 allocs;
	u64 frees;
	u64 asked;
	u64 remote_frees;
	u64 quarantined;
	u64 cached;
	u64 central;
	u64 spans;
	u64 owned;
	u64 full;
	u64 partial;
	u64 refills;
	u64 flushes;
	u64 locks;
	u64 contended;
	u64 use[STATS_DECILES];
};

/**
 * struct tiny_stats - tiny objects over all CPUs
 * @allocs: objects handed out by caches
 * @frees: objects taken back by caches
 * @asked: bytes requested with @allocs
 * @live: objects in use
 */
struct tiny_stats {
	u64 allocs;
	u64 frees;
	u64 asked;
	u64 live;
};

/**
 * struct large_stats - large objects over all nodes
 * @allocs: objects ever handed out
 * @frees: objects ever freed
 * @asked: bytes requested with those in use
 * @pages: goalloc pages of those in use
 * @quarantined_pages: of those freed and not taken back yet
 */
struct large_stats {
	u64 allocs;
	u64 frees;
	u64 asked;
	u64 pages;
	u64 quarantined_pages;
};

/**
 * struct page_stats - page caches over all CPUs
 * @pages: free goalloc pages in them
 * @hits: requests served
 * @misses: requests that went to the tree
 * @fills: windows taken from the tree
 */
struct page_stats {
	u64 pages;
	u64 hits;
	u64 misses;
	u64 fills;
};

/**
 * struct level_stats - the cache of one CPU at one context level
 * @allowed: bytes of free objects that it may keep
 * @charged: bytes that its lists have room for and its spans have left, and of
 *           objects of other nodes; what it counts with
 * @used: bytes of free objects that it has
 * @allocs: objects that it ever handed out
 * @refills: visits to centrals for memory
 * @frees: objects that were ever freed into it
 * @flushes: visits to centrals with memory
 * @passed: objects freed past it, for want of room
 * @steals: times that a class gave up what it had for another one
 * @denied: times that a span did not fit
 * @remote: objects of other nodes that were freed here
 */
struct level_stats {
	u64 allowed;
	u64 charged;
	u64 used;
	u64 allocs;
	u64 refills;
	u64 frees;
	u64 flushes;
	u64 passed;
	u64 steals;
	u64 denied;
	u64 remote;
};

/**
 * struct node_stats - one node's share of a heap
 * @held: bytes of pages held; sum of the next four
 * @large: bytes of pages in large objects
 * @small: bytes of pages in spans of small objects
 * @page_cache: bytes of free pages in page caches
 * @free: bytes of free pages in the page tree
 * @grown: bytes of pages ever taken
 * @released: bytes of pages ever given back
 * @remote_frees: objects of the node that CPUs of other nodes brought home
 * @remote_visits: visits to centrals for that
 */
struct node_stats {
	u64 held;
	u64 large;
	u64 small;
	u64 page_cache;
	u64 free;
	u64 grown;
	u64 released;
	u64 remote_frees;
	u64 remote_visits;
};

void stats_pages(struct goalloc_heap *heap, struct page_stats *ps);
bool stats_level(struct goalloc_heap *heap, unsigned int cpu, unsigned int level,
		 struct level_stats *ls);
void stats_node(struct heap_node *node, struct node_stats *ns);
void stats_bin(struct goalloc_heap *heap, unsigned int bin, struct bin_stats *bs);
void stats_tiny(struct goalloc_heap *heap, struct tiny_stats *ts);
void stats_large(struct goalloc_heap *heap, struct large_stats *ls);
u64 stats_ledger_sum(const struct goalloc_stats *st);

#endif /* GOALLOC_STATS_INTERNAL_H */
