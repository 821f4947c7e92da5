/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a structure that slow paths are about to use what it should be?
 */
#ifndef GOALLOC_SANITY_H
#define GOALLOC_SANITY_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "heap.h"

struct goalloc_heap *sanity_heap_of(const struct goalloc_span *span);
bool sanity_span(const struct goalloc_span *span);
bool sanity_list(const struct list_head *entry);
bool sanity_central(const struct goalloc_central *central,
		    const struct goalloc_span *span);
bool sanity_mapped(const struct goalloc_span *span);

void sanity_fail(struct heap_node *node, const char *where, const char *what,
		 int bin, const struct goalloc_span *span);
void sanity_fail_tree(struct heap_node *node);

/* Has the page tree found nothing wrong with itself? Heap lock. */
static inline bool sanity_tree(struct heap_node *node)
{
	lockdep_assert_held(&node->lock);

	if (likely(!node->palloc.fault.what))
		return true;
	sanity_fail_tree(node);
	return false;
}

#endif /* GOALLOC_SANITY_H */
