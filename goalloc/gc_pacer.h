/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a collected heap is collected, and how hard mutators have to help. Pure: no
 * locks, no memory, no clock; see gc_pacer.c.
 *
 * Integers only; a ratio is a u64 with 32 fraction bits ("Q32.32"): from 2^-32 to 2^32,
 * and what would be more stays there.
 */
#ifndef GOALLOC_GC_PACER_H
#define GOALLOC_GC_PACER_H

#include "core_env.h"

#define GC_Q_SHIFT 32
#define GC_Q_ONE BIT_ULL(GC_Q_SHIFT)

/* The number @num / @den in Q32.32, for constants. */
#define GC_Q(num, den) ((u64)(num) * GC_Q_ONE / (u64)(den))

/* No percentage, and no limit. */
#define GC_PACER_OFF (-1)
#define GC_PACER_NO_LIMIT ((u64)S64_MAX)

/* Cycles whose ratio of allocating to marking is remembered. */
#define GC_PACER_HISTORY 4

/**
 * struct gc_pacer_mem - memory that a limit is about
 * @ready: bytes of pages held
 * @heap_free: of these, bytes in no span
 * @total_alloc: bytes of objects ever allocated
 * @total_free: bytes of objects ever freed
 */
struct gc_pacer_mem {
	u64 ready;
	u64 heap_free;
	u64 total_alloc;
	u64 total_free;
};

/**
 * struct gc_pacer - what is known of a heap, and what follows
 * @percent: how much may be allocated until the next collection, in percent of what
 *           is in use and of roots, or GC_PACER_OFF
 * @heap_minimum: bytes of heap that @percent = 100 allows in any case
 * @limit: bytes of memory that the heap should not pass, or GC_PACER_NO_LIMIT
 * @mem: memory now
 * @live: bytes in use, and allocated since
 * @marked: bytes that the last cycle found in use
 * @triggered: @live when the cycle that is going on began; U64_MAX if none is
 * @heap_scan: bytes of @live that may hold pointers
 * @last_heap_scan: bytes of objects that the last cycle scanned
 * @last_stack_scan: bytes of frames that the last cycle scanned
 * @max_stack_scan: bytes of frames there are
 * @globals_scan: bytes of roots there are
 * @heap_work: bytes of objects scanned in this cycle
 * @stack_work: bytes of frames scanned in this cycle
 * @globals_work: bytes of roots scanned in this cycle
 * @cons_mark: bytes allocated per byte marked, each per CPU time, Q32.32
 * @last_cons_mark: the same of the last cycles, the oldest first
 * @runway: bytes that are expected to be allocated while marking
 * @pct_goal: bytes in use to end at by @percent
 * @sweep_min: bytes in use below which no cycle is to begin, so that sweeping can end
 * @work_per_byte: bytes to scan for a byte allocated, Q32.32
 * @bytes_per_work: bytes that may be allocated for a byte scanned, Q32.32
 * @begin_ns: when the cycle began
 * @assist_ns: CPU time that mutators have marked in it
 * @idle_ns: CPU time that idle CPUs have
 * @dedicated: workers that mark all the time
 * @fractional: share of its time that each CPU is to mark besides, Q32.32
 *
 * Changed under a lock of the caller's. Each is one word, so that others may read it.
 */
struct gc_pacer {
	int percent;
	u64 heap_minimum;
	u64 limit;
	struct gc_pacer_mem mem;
	u64 live;
	u64 marked;
	u64 triggered;
	u64 heap_scan;
	u64 last_heap_scan;
	u64 last_stack_scan;
	u64 max_stack_scan;
	u64 globals_scan;
	u64 heap_work;
	u64 stack_work;
	u64 globals_work;
	u64 cons_mark;
	u64 last_cons_mark[GC_PACER_HISTORY];
	u64 runway;
	u64 pct_goal;
	u64 sweep_min;
	u64 work_per_byte;
	u64 bytes_per_work;
	u64 begin_ns;
	u64 assist_ns;
	u64 idle_ns;
	unsigned int dedicated;
	u64 fractional;
};

void gc_pacer_init(struct gc_pacer *p, int percent, u64 heap_minimum, u64 limit);
void gc_pacer_commit(struct gc_pacer *p, bool sweep_done);
u64 gc_pacer_limit_goal(const struct gc_pacer *p);
u64 gc_pacer_goal(const struct gc_pacer *p);
u64 gc_pacer_trigger(const struct gc_pacer *p);
void gc_pacer_start_cycle(struct gc_pacer *p, u64 now_ns, unsigned int cpus);
void gc_pacer_revise(struct gc_pacer *p);
void gc_pacer_end_cycle(struct gc_pacer *p, u64 now_ns, unsigned int cpus);
void gc_pacer_reset_live(struct gc_pacer *p, u64 bytes_marked);
u64 gc_pacer_sweep_ratio(const struct gc_pacer *p, u64 pages);
u64 gc_q_mul(u64 q, u64 x);

#endif /* GOALLOC_GC_PACER_H */
