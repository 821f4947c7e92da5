/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A span: a run of pages cut into equal slots, or one large object.
 */
#ifndef GOALLOC_SPAN_H
#define GOALLOC_SPAN_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "sizeclass.h"
#include "span_bits.h"

struct goalloc_heap;
struct heap_node;

/*
 * Bins number the kinds of small spans within a heap: a size class has the bin
 * of its own number, and the tiny spans have bin 0, which class 0 (large
 * objects) does not need. A collected heap will have a second set for scan
 * spans.
 */
#define GOALLOC_TINY_BIN 0
#define GOALLOC_NR_BINS GOALLOC_NR_CLASSES

/**
 * enum slot_state - what the allocator knows about one slot
 * @SLOT_FREE: not in anybody's hands; in a span or in a central
 * @SLOT_LIVE: a small object
 * @SLOT_LARGE: a large object, the only slot of its span
 * @SLOT_TINY_OPEN: a tiny block that a cache still packs objects into
 * @SLOT_TINY: a tiny block with objects, closed
 * @SLOT_DEFERRED: freed where no lock could be had; the central collects it
 * @SLOT_BUSY: in a hardened heap: in the hands of an allocation or a free
 * @SLOT_QUARANTINE: freed, and kept from reuse
 * @SLOT_SAMPLED: a small object that is in the profile, or on a line in
 *                /proc/allocinfo
 * @SLOT_COLOUR_A: an object of a collected heap, in one of the two colours that say
 *                 whether it is marked
 * @SLOT_COLOUR_B: the same, in the other
 * @SLOT_CACHED: from here to below @SLOT_TAIL: free, and noted in the list of
 *               the cache whose token this is, see slot_token()
 * @SLOT_TAIL: no slot: what lies behind the last one
 *
 * A byte per slot instead of a bit makes a plain store safe against the
 * neighbours' stores, so neither allocation nor free needs a locked
 * instruction.
 */
enum slot_state {
	SLOT_FREE,
	SLOT_LIVE,
	SLOT_LARGE,
	SLOT_TINY_OPEN,
	SLOT_TINY,
	SLOT_DEFERRED,
	SLOT_BUSY,
	SLOT_QUARANTINE,
	SLOT_SAMPLED,
	SLOT_COLOUR_A,
	SLOT_COLOUR_B,
	SLOT_CACHED = 0x10,
	SLOT_TAIL = 0xff,
};

/* Tokens there are. */
#define SLOT_TOKENS (SLOT_TAIL - SLOT_CACHED)

/* Is a slot in nobody's hands? No other token is any cache's. */
static inline bool slot_is_free(u8 state)
{
	return state == SLOT_FREE ||
	       (state >= SLOT_CACHED &&
		state < SLOT_CACHED + min(nr_cpu_ids * 3U, (unsigned int)SLOT_TOKENS));
}

/*
 * What the state of a slot says while a cache has it in its list. Each cache has
 * a token of its own if there are no more than 79 CPUs, as 3 levels have caches.
 */
static inline u8 slot_token(unsigned int cpu, unsigned int level)
{
	return SLOT_CACHED + (cpu * 3 + level) % SLOT_TOKENS;
}

/**
 * enum span_kind - what a span holds
 * @SPAN_SMALL: slots of one size class
 * @SPAN_TINY: 16-byte blocks of tiny objects
 * @SPAN_LARGE: one large object
 */
enum span_kind {
	SPAN_SMALL,
	SPAN_TINY,
	SPAN_LARGE,
};

/**
 * enum span_place - who has a small span
 * @SPAN_NOWHERE: nobody yet, or nobody any more
 * @SPAN_OWNED: a cache allocates from it
 * @SPAN_PARTIAL: the central, with free slots
 * @SPAN_FULL: the central, without
 */
enum span_place {
	SPAN_NOWHERE,
	SPAN_OWNED,
	SPAN_PARTIAL,
	SPAN_FULL,
};

/**
 * struct tiny_block - what lives in a 16-byte block
 * @live: bit per start offset of a live object; bit 15 also stands for the
 *        cache that packs the block, see tiny.c. Changed by cmpxchg().
 * @ends: bit per last offset of an object, live or not. Written by the packing
 *        cache before the object is handed out, never cleared until the block
 *        is used anew.
 */
struct tiny_block {
	u16 live;
	u16 ends;
};

/**
 * struct goalloc_span - a run of pages
 * @base: address of slot 0
 * @state: enum slot_state per slot and one SLOT_TAIL behind them, see
 *         span_own_state(); span_no_state from when a small span is given up.
 *         A slot's byte is written by whoever has the slot in hand; a racing
 *         double free may read it at any time. Central lock.
 * @home: node of its heap that its pages are on, and whose central and page
 *        tree it belongs to
 * @divmul: reciprocal of @elemsize for sizeclass_index(), 0 for large spans
 * @elemsize: bytes per slot; for large spans bytes of the whole span
 * @bin: see GOALLOC_NR_BINS
 * @spanclass: Go's span class: size class and noscan
 * @kind: enum span_kind
 * @place: enum span_place. Central lock.
 * @needzero: a free slot may hold something else than zeros; 0 only in a span
 *            of fresh zero pages none of whose slots came back. Owner, set
 *            under the central lock.
 * @charged: a large object whose pages are charged to a memory cgroup
 * @nr_free: slots free in the central's books: for an owned span those that
 *           came back since. Central lock.
 * @move_at: when @nr_free gets there the span changes lists, see central_move_at().
 *           Central lock.
 * @lent: slots that were free when a cache got the span. Central lock.
 * @npages: length in goalloc pages
 * @page: number of its first page in the heap's address space
 * @asked: bytes requested (large spans)
 * @list: place in a list of the central, or of the heap's large spans. Central
 *        lock, heap lock.
 * @rcu: frees the structure of a large span when no bad free can be looking at
 *       it any more
 * @grace: of an unused structure: from when on that is so. Central lock.
 * @deferred: place among the spans with SLOT_DEFERRED slots
 * @nr_deferred: slots marked SLOT_DEFERRED and not collected; @deferred is in
 *               use while there are any
 * @sweepgen: in a collected heap, see gc_sweep.c; lock of its gc_central
 * @tiny: block array of tiny spans
 * @tracks: of others: the records of the slots, each a struct harden_track in a
 *          hardened heap, else what allocinfo.h needs; NULL if that is nothing
 * @bits: which slots are free; must be last
 *
 * Fields without a lock do not change while the span is in the page map.
 *
 * The structure of a small span is never given back while its heap lives: it
 * goes to the central's spare ones and becomes a span of the same bin again. So
 * whatever a cache has noted of a slot always names some slot of that bin, even
 * after bad frees.
 */
struct goalloc_span {
	unsigned long base;
	u8 *state;
	struct heap_node *home;
	u32 divmul;
	u32 elemsize;
	u8 bin;
	u8 spanclass;
	u8 kind;
	u8 place;
	u8 needzero;
	bool charged;
	u16 nr_free;
	u16 move_at;
	u16 lent;
	u32 npages;
	union {
		atomic_t nr_deferred;
		u32 sweepgen;
	};
	u64 page;
	size_t asked;
	union {
		struct list_head list;
		struct rcu_head rcu;
	};
	unsigned long grace;
	struct llist_node deferred;
	union {
		struct tiny_block *tiny;
		void *tracks;
	};
	struct span_bits bits;
};

/*
 * What makes two spans differ before they have pages. track_bytes, of each
 * slot's record, is 0 but in hardened heaps, and not in the tables.
 */
struct span_shape {
	u8 bin;
	u8 kind;
	u8 spanclass;
	u32 npages;
	u32 elemsize;
	u16 nelems;
	u32 divmul;
	u32 track_bytes;
};

/* The class that spans of a bin are of. */
static inline unsigned int span_bin_class(unsigned int bin)
{
	return bin == GOALLOC_TINY_BIN ? sizeclass_of(16) : bin;
}

struct span_shape span_shape_small(unsigned int bin);
struct span_shape span_shape_large(u32 npages);
size_t span_bytes(const struct span_shape *shape);
u8 *span_own_state(const struct goalloc_span *span, u32 track_bytes);
void span_init(struct goalloc_span *span, const struct span_shape *shape);

/* Slots in a span at most, fixed by what the notes of a cache have room for. */
#define SPAN_MAX_SLOTS 1024

/* What a span that is none says of its slots: SLOT_TAIL throughout. */
extern u8 span_no_state[SPAN_MAX_SLOTS + 1];

/* A slot's state byte. The span may be given up meanwhile. */
static __always_inline u8 *span_slot_state(const struct goalloc_span *span,
					   unsigned int slot)
{
	return READ_ONCE(span->state) + slot;
}

/* Bytes behind the last slot. */
static inline u32 span_tail(const struct goalloc_span *span)
{
	return ((size_t)span->npages << GOALLOC_PAGE_SHIFT) -
	       span->elemsize * span->bits.nelems;
}

/* Number of the slot that an address within the span lies in, or nelems. */
static __always_inline unsigned int span_slot(const struct goalloc_span *span,
					      unsigned long addr)
{
	return sizeclass_index(span->divmul, addr - span->base);
}

/*
 * The same, and whether the slot begins there: the low half of the product is
 * the remainder, in units of the reciprocal, so it is less than one unit
 * exactly for multiples of the slot size. (The tests try every offset.) Never
 * true for large spans, whose reciprocal is 0.
 */
static __always_inline bool span_slot_exact(const struct goalloc_span *span,
					    unsigned long addr, unsigned int *slot)
{
	u64 product = (u64)(u32)(addr - span->base) * span->divmul;

	*slot = product >> 32;
	return (u32)product < span->divmul;
}

static __always_inline unsigned long span_slot_addr(const struct goalloc_span *span,
						    unsigned int slot)
{
	return span->base + (unsigned long)slot * span->elemsize;
}

#endif /* GOALLOC_SPAN_H */
