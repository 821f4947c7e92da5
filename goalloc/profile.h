/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap profile: who allocated what is in use, and what ever was, from samples.
 */
#ifndef GOALLOC_PROFILE_H
#define GOALLOC_PROFILE_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "profile_gap.h"

struct goalloc_heap;

/* Bytes per sample if nothing else is said: as in Go. */
#define PROFILE_RATE 524288

/* At most so many samples in use of all heaps, and so many stacks of each. */
#define PROFILE_MAX_SAMPLES 65536
#define PROFILE_MAX_STACKS 4096

/**
 * struct profile_sum - what samples come to
 * @objects: objects that they stand for, in units of 2^-16
 * @bytes: bytes requested that they stand for
 * @samples: how many they are
 */
struct profile_sum {
	u64 objects;
	u64 bytes;
	u64 samples;
};

/**
 * struct profile_site - a place that allocates
 * @list: place among the heap's, in the order they were seen
 * @addr: return address in the caller of goalloc
 * @in_use: samples that have not been freed
 * @total: all samples
 *
 * Guarded by profile_lock; is there as long as the heap's files.
 */
struct profile_site {
	struct list_head list;
	unsigned long addr;
	struct profile_sum in_use;
	struct profile_sum total;
};

/**
 * struct profile_stack - a stack that allocates
 * @list: place among the heap's, in the order they were seen
 * @node: place in the heap's table
 * @site: its innermost place
 * @handle: the stack in the kernel's stack depot
 * @id: its number in the heap
 * @in_use: samples that have not been freed
 * @total: all samples
 *
 * As struct profile_site.
 */
struct profile_stack {
	struct list_head list;
	struct hlist_node node;
	struct profile_site *site;
	u32 handle;
	u32 id;
	struct profile_sum in_use;
	struct profile_sum total;
};

#define PROFILE_STACK_BITS 8

/**
 * struct profile - the profile of a heap
 * @stacks: its stacks
 * @sites: its places
 * @table: its stacks, by handle
 * @nr_stacks: how many there are
 * @dropped: samples for which there was no memory or no room
 *
 * Guarded by profile_lock. Made with the first sample.
 */
struct profile {
	struct list_head stacks;
	struct list_head sites;
	struct hlist_head table[1 << PROFILE_STACK_BITS];
	u32 nr_stacks;
	u64 dropped;
};

#if defined(CONFIG_STACKDEPOT) && defined(CONFIG_STACKTRACE)
#define GOALLOC_PROFILE 1

extern raw_spinlock_t profile_lock;

int profile_set_rate(unsigned int rate);
void profile_init(void);
void profile_exit(void);
void profile_note(struct goalloc_heap *heap, void *obj, size_t asked);
void profile_forget(const void *obj);
void profile_end_heap(struct goalloc_heap *heap);
void profile_settle(void);
unsigned int profile_samples(void);

/* Samples in use, of all heaps. Read without profile_lock. */
extern unsigned int profile_nr_samples;

/* An object is about to be freed, and is in the caller's hands. */
static inline void profile_freed(const void *obj)
{
	if (unlikely(data_race(READ_ONCE(profile_nr_samples))))
		profile_forget(obj);
}

#else /* Nobody remembers a stack. */
#define GOALLOC_PROFILE 0

static inline void profile_init(void) { }
static inline void profile_exit(void) { }
static inline void profile_note(struct goalloc_heap *heap, void *obj, size_t asked) { }
static inline void profile_freed(const void *obj) { }
static inline void profile_end_heap(struct goalloc_heap *heap) { }

#endif

/* Make an object a sample if it is a @hit. Returns it. */
static inline void *profile_mark(struct goalloc_heap *heap, void *obj, size_t asked, bool hit)
{
	if (unlikely(hit) && obj)
		profile_note(heap, obj, asked);
	return obj;
}

/* The same for an object, or NULL, that is of no stream. */
static inline void *profile_odd(struct goalloc_heap *heap, void *obj, size_t asked)
{
	return profile_mark(heap, obj, asked, obj && profile_draw(asked));
}

#endif /* GOALLOC_PROFILE_H */
