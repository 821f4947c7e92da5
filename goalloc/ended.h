/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heaps that have ended, and who uses them all the same.
 */
#ifndef GOALLOC_ENDED_H
#define GOALLOC_ENDED_H

#include <linux/types.h>

struct goalloc_heap;
struct goalloc_pcpu;

/* The last so many heaps that ended are known. */
#define ENDED_KEPT 16

void ended_init(void);
struct goalloc_pcpu __percpu *ended_caches(void);
void ended_keep(struct goalloc_heap *heap);
void ended_exit(void);

void ended_alloc(struct goalloc_heap *heap);
void ended_free(struct goalloc_heap *heap, const void *p, unsigned long caller);
void ended_destroy(struct goalloc_heap *heap);

#endif /* GOALLOC_ENDED_H */
