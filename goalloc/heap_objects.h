/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap of an object cache.
 */
#ifndef GOALLOC_HEAP_OBJECTS_H
#define GOALLOC_HEAP_OBJECTS_H

#include "heap.h"
#include "rcu_batch.h"

/**
 * struct heap_objects - what the heap of an object cache does that others do not
 * @ctor: called for every slot of a new span, or NULL
 * @bin: the bin of the objects
 * @typesafe: spans that have become free wait for a grace period
 * @retired: those that do
 */
struct heap_objects {
	void (*ctor)(void *obj);
	unsigned int bin;
	bool typesafe;
	struct rcu_batch retired;
};

int heap_objects_init(struct goalloc_heap *heap, unsigned int bin,
		      void (*ctor)(void *obj), bool typesafe);
void heap_objects_construct(struct goalloc_span *span);
void heap_objects_retire(struct goalloc_span *span);
void heap_objects_end(struct goalloc_heap *heap);

/* May objects of a heap be read while they are free? */
static inline bool objects_are_typesafe(const struct goalloc_heap *heap)
{
	return heap->objects && heap->objects->typesafe;
}

#endif /* GOALLOC_HEAP_OBJECTS_H */
