/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spans in the lists of a central, moved under its lock; for central.c only.
 */
#ifndef GOALLOC_CENTRAL_SPAN_H
#define GOALLOC_CENTRAL_SPAN_H

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
bool central_put(struct goalloc_central *central, struct goalloc_span *span,
		 unsigned int slot, struct central_after *after);
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

#endif /* GOALLOC_CENTRAL_SPAN_H */
