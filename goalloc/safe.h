/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Safe mode: what becomes of a heap in which a broken rule was found.
 */
#ifndef GOALLOC_SAFE_H
#define GOALLOC_SAFE_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/types.h>

struct goalloc_heap;

/* "No bin": what is broken does not belong to one. */
#define SAFE_NO_BIN (-1)

/**
 * struct safe_fault - the broken rule that was found
 * @where: which structure, a few words
 * @what: the rule, a few words
 * @nid: node it belongs to
 * @bin: bin it belongs to, or SAFE_NO_BIN
 * @page: number of the first goalloc page concerned
 * @npages: how many
 */
struct safe_fault {
	const char *where;
	const char *what;
	int nid;
	int bin;
	u64 page;
	u64 npages;
};

/**
 * struct safe_mode - safe mode of one heap
 * @broken: 1 from the first broken rule on; whoever changed it writes @fault
 * @fault: the first broken rule; constant once @work is queued
 * @work: says so and takes the caches away, where no lock is held
 * @ignored: frees that were ignored
 * @objects: objects from kmalloc() that live
 * @bytes: bytes of them, with what was rounded up
 */
struct safe_mode {
	atomic_t broken;
	struct safe_fault fault;
	struct irq_work work;
	atomic64_t ignored;
	atomic64_t objects;
	atomic64_t bytes;
};

void safe_init_heap(struct goalloc_heap *heap);
void safe_enter(struct goalloc_heap *heap, const struct safe_fault *fault);
void safe_sync(struct goalloc_heap *heap);
bool safe_is_on(const struct goalloc_heap *heap);
bool safe_uses_kmalloc(void);
int safe_choose(const char *name);
void safe_end_heap(struct goalloc_heap *heap, bool force);
void safe_exit(void);

void *safe_alloc(struct goalloc_heap *heap, size_t size, size_t usable,
		 size_t align, gfp_t gfp, int nid);
void safe_free(struct goalloc_heap *heap, const void *p, unsigned long caller);
size_t safe_size(const struct goalloc_heap *heap, const void *p);
bool safe_owns(const void *p);
struct goalloc_heap *safe_heap_of(const void *p);
u64 safe_end_objects(struct goalloc_heap *heap, bool force);

#endif /* GOALLOC_SAFE_H */
