/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the heap below a source of stacks has to know of it.
 */
#ifndef GOALLOC_STACK_HEAP_H
#define GOALLOC_STACK_HEAP_H

#include <linux/types.h>

struct goalloc_heap;
struct goalloc_stacks;
struct goalloc_stats;

/* stack.c */
bool stack_cpu_used(const struct goalloc_heap *heap, unsigned int cpu);
u64 stack_cpu_activity(const struct goalloc_heap *heap, unsigned int cpu);
u64 stack_drain_cpu(struct goalloc_heap *heap, unsigned int cpu);

/* stack_large.c */
void stack_ledger(struct goalloc_stacks *stacks, struct goalloc_stats *st);

#endif /* GOALLOC_STACK_HEAP_H */
