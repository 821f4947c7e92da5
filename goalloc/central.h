/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The central list: all spans of one bin on one node, shared by the caches.
 */
#ifndef GOALLOC_CENTRAL_H
#define GOALLOC_CENTRAL_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "span.h"

/* Partial spans are kept in this many lists, the fullest spans in the first. */
#define CENTRAL_BUCKETS 4

/**
 * struct goalloc_central - spans of one bin on one node
 * @lock: guards everything below and the spans' central fields; interrupts off.
 *        Taken with no other goalloc lock held; nothing is called under it that
 *        can allocate, sleep or print.
 * @heap: heap it belongs to
 * @nid: node
 * @bin: bin
 * @partial: spans with free slots, bucket 0 has those with the fewest
 * @full: spans without
 * @owned: spans that a cache allocates from
 * @deferred: spans with SLOT_DEFERRED slots; added to without the lock
 * @nr_spans: all of them
 * @nr_owned: those in @owned
 * @nr_free: slots free in the central's books, sum of the spans' nr_free
 * @allocs: objects handed out past the caches
 * @frees: objects taken back past the caches
 * @asked: bytes requested with @allocs
 */
struct goalloc_central {
	raw_spinlock_t lock;
	struct goalloc_heap *heap;
	s16 nid;
	u8 bin;
	struct list_head partial[CENTRAL_BUCKETS];
	struct list_head full;
	struct list_head owned;
	struct llist_head deferred;
	u32 nr_spans;
	u32 nr_owned;
	u64 nr_free;
	u64 allocs;
	u64 frees;
	u64 asked;
};

void central_init(struct goalloc_central *central, struct goalloc_heap *heap,
		  int nid, unsigned int bin);
struct goalloc_span *central_refill(struct goalloc_central *central,
				    struct goalloc_span *old,
				    void **objs, unsigned int room,
				    unsigned int *got);
void central_own(struct goalloc_central *central, struct goalloc_span *span);
void central_add(struct goalloc_central *central, struct goalloc_span *span);
void central_disown(struct goalloc_central *central, struct goalloc_span *span);
unsigned int central_flush(struct goalloc_central *central,
			   void *const *objs, unsigned int nr);
void *central_alloc(struct goalloc_central *central, size_t asked);
void central_free(struct goalloc_central *central, struct goalloc_span *span,
		  unsigned int slot);
void central_defer(struct goalloc_central *central, struct goalloc_span *span,
		   unsigned int slot);
void central_drain_deferred(struct goalloc_central *central);

#endif /* GOALLOC_CENTRAL_H */
