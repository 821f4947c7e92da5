/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread that gives free pages back to the kernel.
 */
#ifndef GOALLOC_SCAVENGER_H
#define GOALLOC_SCAVENGER_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "heap.h"
#include "scavenge_pace.h"

/* Goalloc pages to release at a time, see SCAVENGE_QUANTUM_BYTES. */
#define SCAVENGER_QUANTUM (SCAVENGE_QUANTUM_BYTES >> GOALLOC_PAGE_SHIFT)

/**
 * struct scavenger_slice - what one slice of work came to
 * @released: goalloc pages given back
 * @worked_ns: time it took
 * @more: there is more to give back
 */
struct scavenger_slice {
	u64 released;
	u64 worked_ns;
	bool more;
};

/**
 * struct scavenger_stats - what the thread did since the module was loaded
 * @slices: slices of work
 * @worked_ns: time they took
 * @slept_ns: time slept between slices that were followed by another
 * @released: goalloc pages given back
 * @generations: generations ended
 * @parks: times it went to sleep for good
 * @ratio: time worked over time slept, in parts per million, as the controller
 *         has it now
 * @parked: whether it sleeps for good now
 */
struct scavenger_stats {
	u64 slices;
	u64 worked_ns;
	u64 slept_ns;
	u64 released;
	u64 generations;
	u64 parks;
	u64 ratio;
	bool parked;
};

/* Whoever frees pages looks here, under the lock, and calls scavenger_unpark(). */
extern bool scavenger_parked;

int scavenger_init(void);
void scavenger_exit(void);
void scavenger_unpark(void);
void scavenger_hurry(void);
u64 scavenger_goal(const struct goalloc_heap *heap);
u64 scavenger_next_gen(struct goalloc_heap *heap);
void scavenger_slice(struct goalloc_heap *heap, struct scavenger_slice *slice);
void scavenger_read(struct scavenger_stats *st);

#endif /* GOALLOC_SCAVENGER_H */
