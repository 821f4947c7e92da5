/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory a heap, and all heaps together, may hold.
 */
#ifndef GOALLOC_LIMIT_H
#define GOALLOC_LIMIT_H

#include "heap.h"

u64 limit_peak(const struct heap_space *space);
void limit_forget_peak(struct heap_space *space);
bool limit_charge(struct goalloc_heap *heap, u64 npages, gfp_t gfp);
void limit_uncharge(struct goalloc_heap *heap, u64 npages);
bool limit_make_room(struct goalloc_heap *heap, u64 npages);
u64 limit_excess(const struct goalloc_heap *heap);
u64 limit_set(struct goalloc_heap *heap, u64 soft, u64 hard);
u64 limit_set_all(u64 soft, u64 hard);

#endif /* GOALLOC_LIMIT_H */
