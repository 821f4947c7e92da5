/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The central list: all spans of one bin on one node, shared by the caches.
 */
#ifndef GOALLOC_CENTRAL_H
#define GOALLOC_CENTRAL_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "span.h"

/* Partial spans are kept in this many lists, the fullest spans in the first. */
#define CENTRAL_BUCKETS 4

/* Fixed point of bucket_scale: exact for up to 1024 slots. */
#define CENTRAL_BUCKET_SHIFT 28

/*
 * A free object outside its span, as caches keep it: span and slot in one word.
 * Both cannot go stale (see struct goalloc_span), and neither handing the
 * object out nor taking it home needs to look anything up. Kernel addresses are
 * sign-extended from at most 57 bits and structures aligned to 8 bytes, which
 * leaves the 10 bits that a slot number needs.
 */
typedef u64 cache_entry_t;

#define CACHE_ENTRY_SHIFT 7
#define CACHE_ENTRY_SLOTS SPAN_MAX_SLOTS

static __always_inline cache_entry_t cache_entry_make(const struct goalloc_span *span,
						      unsigned int slot)
{
	return (unsigned long)span << CACHE_ENTRY_SHIFT | slot;
}

static __always_inline struct goalloc_span *cache_entry_span(cache_entry_t entry)
{
	return (void *)((long)entry >> CACHE_ENTRY_SHIFT & ~7L);
}

static __always_inline unsigned int cache_entry_slot(cache_entry_t entry)
{
	return entry & (CACHE_ENTRY_SLOTS - 1);
}

/**
 * struct goalloc_central - spans of one bin on one node
 * @lock: guards everything below and the spans' central fields; interrupts off.
 *        Taken with no other goalloc lock held; nothing is called under it that
 *        can allocate, sleep or print.
 * @home: node of a heap that it belongs to
 * @bin: bin
 * @bucket_scale: CENTRAL_BUCKETS divided by the slots of a span; constant
 * @partial: spans with free slots, bucket 0 has those with the fewest
 * @full: spans without
 * @owned: spans that a cache allocates from
 * @deferred: spans with SLOT_DEFERRED slots; added to without the lock
 * @spare: structures of spans that are no more, the oldest first
 * @changes: counts what changes the spans' places, bits or numbers
 * @nr_spans: all of them, spare ones not counted
 * @nr_owned: those in @owned
 * @nr_free: slots free in the central's books, sum of the spans' nr_free
 * @lent: objects handed out of spans that caches had and gave back
 * @allocs: objects handed out past the caches
 * @frees: objects taken back past the caches
 * @asked: bytes requested with @allocs
 * @quarantined: objects freed and not taken back yet, in a hardened heap; no
 *               lock
 * @remote_frees: objects that other nodes' CPUs brought home, whose caches have
 *                counted them as freed
 * @remote_visits: how often they came for that
 * @locks: times that @lock was taken, but for statistics and checks
 * @contended: of these, times that somebody had to wait for it
 */
struct goalloc_central {
	raw_spinlock_t lock;
	struct heap_node *home;
	u8 bin;
	u32 bucket_scale;
	struct list_head partial[CENTRAL_BUCKETS];
	struct list_head full;
	struct list_head owned;
	struct llist_head deferred;
	struct list_head spare;
	u64 changes;
	u32 nr_spans;
	u32 nr_owned;
	u64 nr_free;
	u64 lent;
	u64 allocs;
	u64 frees;
	u64 asked;
	atomic64_t quarantined;
	u64 remote_frees;
	u64 remote_visits;
	u64 locks;
	u64 contended;
};

void central_init(struct goalloc_central *central, struct heap_node *home,
		  unsigned int bin);
struct goalloc_span *central_refill(struct goalloc_central *central,
				    struct goalloc_span *old,
				    cache_entry_t *entry, unsigned int room,
				    u8 token, unsigned int *got);
void central_own(struct goalloc_central *central, struct goalloc_span *span);
void central_add(struct goalloc_central *central, struct goalloc_span *span);
void central_disown(struct goalloc_central *central, struct goalloc_span *span);
unsigned int central_flush(struct goalloc_central *central,
			   const cache_entry_t *entry, unsigned int nr, u8 token);
struct goalloc_span *central_take(struct goalloc_central *central, size_t asked,
				  enum slot_state state, const u32 *draw,
				  unsigned int *slot);
unsigned int central_take_home(struct goalloc_central *central,
			       const cache_entry_t *entry, unsigned int nr, u8 token);
void *central_alloc(struct goalloc_central *central, size_t asked);
void central_free(struct goalloc_central *central, struct goalloc_span *span,
		  unsigned int slot);
void central_defer(struct goalloc_central *central, struct goalloc_span *span,
		   unsigned int slot);
void central_drain_deferred(struct goalloc_central *central);

/*
 * Take the lock, and count. It is tried first, which costs next to nothing more,
 * so that it can be told how often somebody else has it.
 */
static inline unsigned long central_lock(struct goalloc_central *central)
	__acquires(&central->lock)
{
	unsigned long flags;

	if (unlikely(!raw_spin_trylock_irqsave(&central->lock, flags))) {
		raw_spin_lock_irqsave(&central->lock, flags);
		central->contended++;
	}
	central->locks++;
	return flags;
}

/* CENTRAL_BUCKETS * nr_free / nelems, without the division. */
static inline unsigned int central_bucket(const struct goalloc_central *central,
					  const struct goalloc_span *span)
{
	unsigned int bucket = (u64)span->nr_free * central->bucket_scale >>
			      CENTRAL_BUCKET_SHIFT;

	return min_t(unsigned int, bucket, CENTRAL_BUCKETS - 1);
}

/* An owned span stays where it is, whatever comes back. */
#define CENTRAL_STAYS U16_MAX

/* With how many free slots a span without owner belongs into the next list. */
static inline unsigned int central_move_at(const struct goalloc_central *central,
					   const struct goalloc_span *span)
{
	if (!span->nr_free)
		return 1;
	return DIV_ROUND_UP((central_bucket(central, span) + 1) * span->bits.nelems,
			    CENTRAL_BUCKETS);
}

#endif /* GOALLOC_CENTRAL_H */
