/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guard objects: a few allocations get a page of their own between unmapped
 * pages, so that an access past the object or after its free faults at once.
 */
#ifndef GOALLOC_GUARD_H
#define GOALLOC_GUARD_H

#include <linux/types.h>

#include "heap.h"

/**
 * struct guard_stats - what became of the pool
 * @slots: slots it has; 0 if there is none
 * @bytes: memory of its pages
 * @live: objects in it
 * @allocs: objects ever handed out
 * @full: allocations that were to be guarded and found no free slot
 * @faults: accesses that faulted
 * @damaged: objects around which bytes had been overwritten when they were freed
 */
struct guard_stats {
	unsigned int slots;
	u64 bytes;
	u64 live;
	u64 allocs;
	u64 full;
	u64 faults;
	u64 damaged;
};

/* User-mode Linux sets it as well, but its page tables are of another kind. */
#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)

#include <linux/jump_label.h>

/* There is a pool; it is the default heap's, too, and an allocation may be due. */
DECLARE_STATIC_KEY_FALSE(guard_ready);
DECLARE_STATIC_KEY_FALSE(guard_sampling);

int guard_start(unsigned int slots, unsigned int interval);
bool guard_stop(void);
void guard_init(void);
void guard_exit(void);
bool guard_in_pool(const void *p);
void *guard_alloc(struct goalloc_heap *heap, size_t size, size_t align, gfp_t gfp);
void *guard_sample(struct goalloc_heap *heap, unsigned int bin, size_t size, gfp_t gfp);
void guard_free(struct goalloc_heap *heap, const void *p, unsigned long caller);
void guard_refuse(struct goalloc_heap *heap, const void *p, unsigned long caller);
size_t guard_size(const struct goalloc_heap *heap, const void *p);
struct goalloc_heap *guard_heap_of(const void *p);
u64 guard_end_heap(struct goalloc_heap *heap, bool force);
void guard_get_stats(struct guard_stats *gs);
void guard_elapse(unsigned int ms);
void guard_settle(void);
void guard_fault_probe(bool on);

static inline bool guard_available(void)
{
	return static_branch_unlikely(&guard_ready);
}

/* Does an address lie in the pool, in an object or not? */
static inline bool guard_owns(const void *p)
{
	return static_branch_unlikely(&guard_ready) && guard_in_pool(p);
}

/* May the default heap's next allocation have to be guarded? */
static inline bool guard_wanted(void)
{
	return static_branch_unlikely(&guard_sampling);
}

#else /* Page tables and faults of other architectures are not known here. */

static inline void guard_init(void) { }
static inline void guard_exit(void) { }
static inline bool guard_available(void) { return false; }
static inline bool guard_owns(const void *p) { return false; }
static inline bool guard_wanted(void) { return false; }

static inline void *guard_alloc(struct goalloc_heap *heap, size_t size,
				size_t align, gfp_t gfp)
{
	return NULL;
}

static inline void *guard_sample(struct goalloc_heap *heap, unsigned int bin,
				 size_t size, gfp_t gfp)
{
	return NULL;
}

static inline void guard_free(struct goalloc_heap *heap, const void *p,
			      unsigned long caller) { }

static inline void guard_refuse(struct goalloc_heap *heap, const void *p,
				unsigned long caller) { }

static inline size_t guard_size(const struct goalloc_heap *heap, const void *p)
{
	return 0;
}

static inline struct goalloc_heap *guard_heap_of(const void *p)
{
	return NULL;
}

static inline u64 guard_end_heap(struct goalloc_heap *heap, bool force)
{
	return 0;
}

static inline void guard_get_stats(struct guard_stats *gs)
{
	*gs = (struct guard_stats){ 0 };
}

#endif /* CONFIG_X86_64 && !CONFIG_UML */

#endif /* GOALLOC_GUARD_H */
