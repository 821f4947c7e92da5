/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks: what their parts know of each other.
 *
 * Order of locks: stack_cpu.lock, stack_pool.lock, and then those of the heap below.
 */
#ifndef GOALLOC_STACK_H
#define GOALLOC_STACK_H

#include <linux/list.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <goalloc_stack.h>
#include <goalloc_stats.h>

#include "heap.h"
#include "pagemap.h"
#include "stack_heap.h"

/* 2, 4, 8 and 16 KiB come from spans of 32 KiB, and from lists of CPUs. */
#define STACK_ORDERS 4
#define STACK_SPAN_BYTES (32UL << 10)
#define STACK_SPAN_SLOTS (STACK_SPAN_BYTES / GOALLOC_STACK_MIN)

/* Of an order a CPU keeps less than so much; half of it stays, or is fetched. */
#define STACK_CACHE_BYTES (32UL << 10)

/* The most by default, and at all. */
#define STACK_MAX ((size_t)SZ_64M)
#define STACK_MAX_MAX ((size_t)SZ_1G)

/**
 * enum stack_state - where a stack of a span is
 * @STACK_FREE: in its span's list
 * @STACK_CACHED: in a CPU's list
 * @STACK_OUT: somebody's
 */
enum stack_state {
	STACK_FREE,
	STACK_CACHED,
	STACK_OUT,
};

/**
 * struct stack_span - a span that is cut into stacks of one order, or a large stack
 * @list: place in its pool if it has free stacks; stack_pool.lock
 * @free: the first of these, each leads to the next; stack_pool.lock
 * @nr_out: stacks that are not in @free; stack_pool.lock
 * @order: log2 of its stacks' size in GOALLOC_STACK_MIN; STACK_ORDERS of a large one
 * @state: enum stack_state, by stack; its owner's
 *
 * It is the record of the large object that the span is to the heap.
 */
struct stack_span {
	struct list_head list;
	void *free;
	u8 nr_out;
	u8 order;
	u8 state[STACK_SPAN_SLOTS];
};

/**
 * struct stack_pool - spans of one order that have free stacks
 * @lock: guards what follows, and the lists of its spans
 * @spans: they
 * @nr_spans: all spans of the order
 * @nr_free: free stacks in all of them
 */
struct stack_pool {
	spinlock_t lock; /* all that follows */
	struct list_head spans;
	u64 nr_spans;
	u64 nr_free;
} ____cacheline_aligned_in_smp;

struct stack_cached;

/**
 * struct stack_cpu - stacks of a CPU
 * @lock: guards all that follows; who has moved to another CPU may come as well
 * @first: the last freed of each order, each leads to the next
 * @nr: how many there are
 * @allocs: stacks handed out
 * @frees: stacks freed
 */
struct stack_cpu {
	spinlock_t lock; /* all that follows */
	struct stack_cached *first[STACK_ORDERS];
	unsigned int nr[STACK_ORDERS];
	u64 allocs;
	u64 frees;
};

/**
 * struct goalloc_stacks - a source of stacks
 * @heap: the heap that their spans are large objects of
 * @cpus: what CPUs have
 * @pool: by order
 * @max: bytes of the largest stack
 * @flags: as &struct goalloc_stacks_attr.flags
 * @large: bytes of large stacks, those in @mapped included
 * @mapped: pages of stacks that are mapped, by number of their first
 * @mapped_ever: goalloc pages that were ever mapped
 * @grown: stacks moved to larger ones
 * @shrunk: stacks moved to smaller ones
 * @copied: bytes copied by that
 */
struct goalloc_stacks {
	struct goalloc_heap *heap;
	struct stack_cpu __percpu *cpus;
	struct stack_pool pool[STACK_ORDERS];
	size_t max;
	unsigned int flags;
	atomic64_t large;
	struct xarray mapped;
	atomic64_t mapped_ever;
	atomic64_t grown;
	atomic64_t shrunk;
	atomic64_t copied;
};

static inline size_t stack_order_bytes(unsigned int order)
{
	return (size_t)GOALLOC_STACK_MIN << order;
}

/**
 * struct stack_ref - a stack of a span, found by its address
 * @span: its span
 * @ss: what the span is cut into
 * @at: bytes from the span's begin
 */
struct stack_ref {
	struct goalloc_span *span;
	struct stack_span *ss;
	size_t at;
};

/* False if the address is in no span of ours. */
static __always_inline bool stack_find(struct goalloc_stacks *stacks, const void *p,
				       struct stack_ref *ref)
{
	ref->span = pagemap_find(&stacks->heap->space->map, (unsigned long)p);
	if (unlikely(heap_of(ref->span) != stacks->heap))
		return false;
	ref->ss = ref->span->tracks;
	ref->at = (unsigned long)p - ref->span->base;
	return true;
}

static inline struct stack_span *stack_span_of(struct goalloc_stacks *stacks, const void *p)
{
	struct stack_ref ref;

	return stack_find(stacks, p, &ref) ? ref.ss : NULL;
}

static __always_inline u8 *stack_ref_state(const struct stack_ref *ref)
{
	return &ref->ss->state[ref->at >> (ilog2(GOALLOC_STACK_MIN) + ref->ss->order)];
}

static inline u8 *stack_state(struct goalloc_stacks *stacks, const void *p)
{
	struct stack_ref ref;

	return stack_find(stacks, p, &ref) ? stack_ref_state(&ref) : NULL;
}

/* stack.c */
bool stack_is_ours(struct goalloc_stacks *stacks, const struct goalloc_stack *stack,
		   const char *where, unsigned long caller);

/* stack_large.c */
void *stack_alloc_large(struct goalloc_stacks *stacks, size_t size, gfp_t gfp);
void stack_free_large(struct goalloc_stacks *stacks, void *p, size_t size);
size_t stack_mapped_size(struct goalloc_stacks *stacks, const void *p);

/* stack_guard.c */
void stack_guard_arm(struct goalloc_stacks *stacks, const struct goalloc_stack *stack);
int stack_guard_check(struct goalloc_stacks *stacks, const struct goalloc_stack *stack,
		      unsigned long caller);

/* report_stack.c */
void report_stack(const struct goalloc_stacks *stacks, const void *base, const char *where,
		  const char *what, unsigned long caller);

#endif /* GOALLOC_STACK_H */
