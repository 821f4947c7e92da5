/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checking everything that has to be so in a heap.
 */
#ifndef GOALLOC_VALIDATE_H
#define GOALLOC_VALIDATE_H

#include <linux/types.h>

#include "heap.h"

/**
 * struct validate - what a walk through a heap has found
 * @heap: the heap
 * @rule: the first rule that does not hold, or NULL
 * @nid: node it was noticed on, or NUMA_NO_NODE
 * @bin: bin, or -1
 * @page: goalloc page: of the span, or of the page map
 * @slot: slot of a span, or -1
 * @is: what was found there
 * @want: what should have been
 * @spans: spans looked at
 * @skipped: bins and lists that changed too fast to be walked to their end
 * @sums_skipped: page trees whose sums could not be compared
 * @free_slots: slots whose state byte says that they are free, by bin
 */
struct validate {
	struct goalloc_heap *heap;
	const char *rule;
	int nid;
	int bin;
	u64 page;
	int slot;
	u64 is;
	u64 want;
	u64 spans;
	unsigned int skipped;
	unsigned int sums_skipped;
	u64 free_slots[GOALLOC_NR_BINS];
};

int validate_heap(struct goalloc_heap *heap, struct validate *v);
int validate_all(void);

#endif /* GOALLOC_VALIDATE_H */
