/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What heaps hold, in the kernel's own counters.
 */
#ifndef GOALLOC_ACCOUNT_H
#define GOALLOC_ACCOUNT_H

#include "heap.h"

void account_sync(struct heap_node *node);
void account_forget(struct heap_node *node);

#endif /* GOALLOC_ACCOUNT_H */
