/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Emptying the caches of CPUs that are running.
 */
#ifndef GOALLOC_DRAIN_H
#define GOALLOC_DRAIN_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct goalloc_heap;

/*
 * What to empty.
 *
 * DRAIN_OBJECTS - caches of objects, of every context level
 * DRAIN_PAGES - caches of pages
 */
#define DRAIN_OBJECTS BIT(0)
#define DRAIN_PAGES BIT(1)
#define DRAIN_ALL (DRAIN_OBJECTS | DRAIN_PAGES)

/* No scan for idle caches is under way, because all of them are empty. */
extern unsigned int drain_parked;

int drain_init(void);
void drain_exit(void);
int drain_add_heap(struct goalloc_heap *heap);
void drain_remove_heap(struct goalloc_heap *heap);

void drain_queue(struct goalloc_heap *heap, unsigned int what);
void drain_over(struct goalloc_heap *heap);
void drain_wait(struct goalloc_heap *heap);
u64 drain_flush_all(void);

u64 drain_activity(struct goalloc_heap *heap, unsigned int cpu);
bool drain_tick(void);
void drain_wake(void);

/**
 * drain_note - something was put into a cache
 *
 * Called in the section with preemption off in which a cache that may have been
 * empty gets something; see drain_tick() for what that is good for. Only slow
 * paths do so: a drained cache takes and gives nothing without them.
 *
 * Context: Any context, preemption off.
 */
static inline void drain_note(void)
{
	if (unlikely(READ_ONCE(drain_parked)))
		drain_wake();
}

#endif /* GOALLOC_DRAIN_H */
