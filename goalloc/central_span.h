/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spans in the lists of a central, moved under its lock; for central.c only.
 */
#ifndef GOALLOC_CENTRAL_SPAN_H
#define GOALLOC_CENTRAL_SPAN_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>

#include "central.h"

/**
 * struct central_after - what to do when the lock has been dropped
 * @empty: spans to give back
 * @raced: objects found to have been freed twice at once
 * @slot: slot of the last of them
 * @span: its span
 */
struct central_after {
	struct list_head empty;
	unsigned int raced;
	unsigned int slot;
	struct goalloc_span *span;
};

static inline void central_after_init(struct central_after *after)
{
	INIT_LIST_HEAD(&after->empty);
	after->raced = 0;
}

/* Two frees of one object both passed, and this is where one is found out. */
static inline void central_raced(struct central_after *after,
				 struct goalloc_span *span, unsigned int slot)
{
	after->raced++;
	after->span = span;
	after->slot = slot;
}

void central_place(struct goalloc_central *central, struct goalloc_span *span);
void central_sweep(struct goalloc_central *central, struct goalloc_span *span,
		   unsigned int expect);
void central_reopen(struct goalloc_central *central, struct goalloc_span *span);
void central_unlink(struct goalloc_central *central, struct goalloc_span *span,
		    struct central_after *after);
void central_release(struct central_after *after);
void central_settle(struct goalloc_central *central, struct goalloc_span *span,
		    struct central_after *after);
void central_take_back(struct goalloc_central *central, struct goalloc_span *span,
		       unsigned int slot, struct central_after *after);
void central_collect(struct goalloc_central *central, struct central_after *after);
void central_taken(struct goalloc_central *central, struct central_after *after,
		   struct goalloc_span *span, unsigned int slot);
unsigned int central_extract(struct goalloc_central *central,
			     struct goalloc_span *span, cache_entry_t *entry,
			     u8 token, struct central_after *after);
struct goalloc_span *central_fullest(struct goalloc_central *central);
void central_lend(struct goalloc_central *central, struct goalloc_span *span);
void central_return(struct goalloc_central *central, struct goalloc_span *span,
		    struct central_after *after);

/**
 * central_put - take one slot back, whose state byte says SLOT_FREE already
 * @central: the central list, in whose @nr_free the slot has been counted
 * @span: its span
 * @slot: the slot
 * @after: what to do when the lock has been dropped
 *
 * The owner of a span moves freeindex meanwhile, but whoever frees an object that
 * the owner handed out knows of that.
 *
 * Context: Any but NMI; central lock held.
 * Return: false if the books have it as free: two bad frees of one object that
 *         raced each other can leave it in two caches.
 */
static __always_inline bool central_put(struct goalloc_central *central,
					struct goalloc_span *span, unsigned int slot,
					struct central_after *after)
{
	/*
	 * A race by intention: the owner moves freeindex with plain stores. It
	 * only grows while it has the span, and has passed this slot unless the
	 * free is bad.
	 */
	if (unlikely(!data_race(span_bits_put(&span->bits, slot))))
		return false;
	if (unlikely(++span->nr_free >= span->move_at))
		central_settle(central, span, after);
	return true;
}

#endif /* GOALLOC_CENTRAL_SPAN_H */
