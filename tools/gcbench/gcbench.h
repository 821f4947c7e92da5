/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc_gcbench.ko: programs that are known for what they ask of a collector, in a
 * collected heap.
 */
#ifndef GOALLOC_GCBENCH_H
#define GOALLOC_GCBENCH_H

#include <linux/compiler.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/types.h>

#include <goalloc_gc.h>

/* The shallowest of the trees that come and go. */
#define GCBENCH_MIN_DEPTH 4U

/**
 * struct gcbench_thread - a mutator
 * @m: what goalloc calls it
 * @nr: which of them, from 0
 * @failed: an allocation of its has failed
 * @nodes: nodes that it has counted
 * @since: nodes since it last let others run
 * @asked: safe points at which it found that it is to stop
 * @asked_ns: what those took, if the time is taken
 * @wait: those of them that it slept in, in ns, each
 * @nr_waits: how many these were
 * @task: its thread
 */
struct gcbench_thread {
	struct goalloc_mutator m;
	unsigned int nr;
	bool failed;
	u64 nodes;
	unsigned int since;
	u64 asked;
	u64 asked_ns;
	u32 *wait;
	unsigned int nr_waits;
	struct task_struct *task;
};

/**
 * struct gcbench_work - a program
 * @name: how it is asked for
 * @begin: what is done first, by one thread alone
 * @run: what all do at once, each its part
 * @end: what is done last, by one thread alone: to look at what was kept
 * @nodes: how many nodes are counted in all
 * @kept: how many objects are in use in the end
 */
struct gcbench_work {
	const char *name;
	void (*begin)(struct gcbench_thread *t);
	void (*run)(struct gcbench_thread *t);
	void (*end)(struct gcbench_thread *t);
	u64 (*nodes)(void);
	u64 (*kept)(void);
};

struct dentry;

extern const struct gcbench_work gcbench_trees, gcbench_boehm;
extern unsigned int gcbench_depth, gcbench_threads;

/* What lives for as long as a program runs; roots of the heap. */
extern void *gcbench_kept[2];

void gcbench_wait(struct gcbench_thread *t);

/* A safe point that may be timed if somebody is to stop at it. */
static inline void gcbench_safepoint(struct gcbench_thread *t)
{
	if (unlikely(READ_ONCE(*t->m.stop)))
		gcbench_wait(t);
	/* The kernel may be one that takes a CPU away from nobody who keeps it. */
	if (unlikely(++t->since % 1024 == 0))
		cond_resched();
}

/* Nodes of a full tree. */
static inline u64 gcbench_tree_nodes(unsigned int depth)
{
	return (2ULL << depth) - 1;
}

int gcbench_sample_start(struct goalloc_gc *gc);
void gcbench_sample_stop(void);
u64 gcbench_sample_peak(void);
void gcbench_sample_init(struct dentry *dir);
void gcbench_sample_exit(void);

#endif /* GOALLOC_GCBENCH_H */
