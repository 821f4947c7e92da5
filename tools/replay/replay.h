/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of goalloc_replay.ko share.
 *
 *	replay.c	the module: loads a trace, debugfs, lifecycle
 *	replay_run.c	a thread per recorded CPU does the records
 *	replay_alloc.c	the allocators under test, and what they hold
 *	replay_classic.c, replay_genalloc.c
 *			those that show classical methods
 *	replay_latency.h a histogram of how long a call takes
 *	replay_trace.c	the file format and its check
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "replay_latency.h"
#include "replay_trace.h"

struct task_struct;

/**
 * struct replay_allocator - an allocator that a trace is replayed with
 * @name: as in the module parameter
 * @prepare: called before the baseline is taken, may be NULL
 * @finish: undoes @prepare, when nothing is allocated any more, may be NULL
 * @alloc: allocate; @exact says that the kernel had a kmem_cache for it
 * @free: free what @alloc returned for the same @size and @exact
 * @usable: bytes that the object of @size takes inside the allocator
 * @held: bytes that the allocator holds, everything included
 * @is_shared: others use it, too, so that only the difference to what it held
 *             before counts
 * @may_sleep: whatever the flags say, so that only callers that may sleep are
 *             served, and the others counted as refused
 */
struct replay_allocator {
	const char *name;
	int (*prepare)(const struct trace_record *rec, u32 nrecords);
	void (*finish)(void);
	void *(*alloc)(size_t size, gfp_t gfp, bool exact);
	void (*free)(void *p, size_t size, bool exact);
	size_t (*usable)(void *p, size_t size);
	u64 (*held)(void);
	bool is_shared;
	bool may_sleep;
};

const struct replay_allocator *replay_allocator_find(const char *name);
u64 replay_pages_free(void);

/* kmalloc's promise, and goalloc's: the largest power of two that divides @size. */
static inline unsigned long replay_align(size_t size)
{
	return clamp_t(unsigned long, size & -size, 8, PAGE_SIZE);
}

/* One slot of the trace. All but @turn belong to whose turn it is. */
struct replay_slot {
	void *p;		/* NULL: empty, or the allocation failed */
	u32 bytes;		/* as requested */
	u32 usable;		/* as the allocator says */
	u32 record;		/* that allocated it; seeds the pattern */
	u32 turn;		/* records of the slot done; release, acquire */
	bool exact;
};

/* How long the allocator takes, if that is asked for. */
struct replay_ticks {
	struct latency alloc;
	struct latency free;
};

/* What a thread counts; its own, others read it between windows only. */
struct replay_count {
	u64 allocs;			/* operations */
	u64 frees;
	u64 empty_allocs;		/* of 0 bytes: an address, but no object */
	u64 empty_frees;
	u64 in_context[TRACE_NR_CONTEXTS];
	u64 waits;			/* for a record of another thread */
	u64 failures;			/* allocations that gave NULL */
	u64 refused;			/* not asked for: the caller may not sleep */
	u64 pattern_errors;		/* objects that were not as left */
	u64 zero_errors;		/* __GFP_ZERO objects that were not zero */
	u64 align_errors;		/* objects aligned less than promised */
	u64 short_errors;		/* objects smaller than requested */
	s64 objects;			/* live; frees of others' count here too */
	s64 requested;			/* bytes live */
	s64 allocated;			/* bytes live, as the allocator rounds */
};

/* The heap at one point of the trace, all threads stopped. */
struct replay_sample {
	u32 records;		/* done before it */
	s64 objects;
	s64 requested;		/* bytes */
	s64 allocated;		/* bytes */
	s64 held;		/* bytes, by the allocator's own account */
	s64 taken;		/* bytes gone from the buddy allocator since the baseline */
};

/* What the samples are of. */
struct replay_moment {
	u32 ms;			/* of the trace's time */
	struct replay_sample sample;
};

struct replay {
	/* Constant once loaded. */
	void *file;
	const struct trace_record *rec;
	struct trace_info info;
	u32 *turns;			/* per record: its turn in the slot */
	bool pace;			/* not faster than recorded */
	unsigned int linger;		/* seconds to go on looking at the end */
	bool latency;			/* clock each call of the allocator */
	const struct replay_allocator *allocator;

	struct replay_slot *slots;

	/* replay_run.c's */
	struct replay_crew *crew;
	struct replay_count total;	/* valid between windows */
	struct replay_ticks *ticks;	/* all threads', at the end; if @latency */
	u64 overhead_alloc;		/* ticks of clocking a call that does nothing */
	u64 overhead_free;
	u64 base_held;			/* bytes */
	u64 base_free;			/* bytes */

	/* The result; written by the one who replays or releases. */
	struct replay_moment *moments;	/* one for each window, and the last seconds */
	u32 nmoments;
	u32 max_moments;
	struct replay_sample peak;
	struct replay_sample end;
	struct replay_sample released;
	s64 max_held;			/* bytes, at any window's end */
	u64 run_ns;
	u64 release_ns;
	bool is_released;
};

u32 replay_moments_needed(const struct replay *r);
int replay_run(struct replay *r);
void replay_release(struct replay *r);

#endif /* REPLAY_H */
