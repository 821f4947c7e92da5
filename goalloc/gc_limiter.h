/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much of the CPUs collections may take for long: half. Pure: no locks, no memory, no
 * clock; see gc_limiter.c.
 */
#ifndef GOALLOC_GC_LIMITER_H
#define GOALLOC_GC_LIMITER_H

#include "core_env.h"

/* What may be saved up for each CPU, and how often it is worth looking. */
#define GC_LIMITER_CPU_NS 1000000000ULL
#define GC_LIMITER_PERIOD_NS 10000000ULL

/**
 * struct gc_limiter - a bucket that collecting fills and everything else empties
 * @fill: CPU time in it, in ns
 * @capacity: how much of it there may be, in ns
 * @overflow: what there was too much of it, in ns in all
 * @last_ns: up to when time is in it
 * @assist_ns: CPU time of mutators that helped since, in ns
 * @idle_ns: CPU time that nobody wanted since, in ns
 * @cpus: CPUs there are
 * @collecting: a collection is going on
 * @limiting: there is no room, so that mutators are not to help
 *
 * Changed under a lock of the caller's.
 */
struct gc_limiter {
	u64 fill;
	u64 capacity;
	u64 overflow;
	u64 last_ns;
	u64 assist_ns;
	u64 idle_ns;
	unsigned int cpus;
	bool collecting;
	bool limiting;
};

void gc_limiter_init(struct gc_limiter *l, u64 now_ns, unsigned int cpus);
void gc_limiter_resize(struct gc_limiter *l, u64 now_ns, unsigned int cpus);
bool gc_limiter_is_due(const struct gc_limiter *l, u64 now_ns);
void gc_limiter_update(struct gc_limiter *l, u64 now_ns);
void gc_limiter_stop(struct gc_limiter *l, u64 now_ns);
void gc_limiter_start(struct gc_limiter *l, u64 now_ns, bool collecting);

#endif /* GOALLOC_GC_LIMITER_H */
