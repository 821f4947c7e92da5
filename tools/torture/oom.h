/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc_oom: what its parts share.
 */
#ifndef GOALLOC_OOM_H
#define GOALLOC_OOM_H

#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/llist.h>

#include "torture.h"

/**
 * struct oom_list - objects that somebody holds
 * @first: the latest
 */
struct oom_list {
	struct llist_head first;
};

/**
 * struct oom_job - take memory, or give it back, in one context
 * @heap: heap to use, NULL for the default one
 * @level: context to work in
 * @gfp: flags to allocate with
 * @take: take until there is no more; else give back what @list holds
 * @until_oom: take until the kernel has begun to kill somebody
 * @list: the objects; while the job runs nobody else touches it
 * @other: where every second object goes to instead, or NULL
 * @at: index of the size that is asked for, larger ones were refused
 * @refused: allocations refused since there was no memory for any size
 * @got: objects taken
 * @failed: allocations refused
 * @given: objects given back
 * @timer: for hardirq context
 * @tasklet: for softirq context
 * @work: for the thread, or for who sends NMIs
 * @over: set last, when the job is done
 */
struct oom_job {
	struct goalloc_heap *heap;
	enum torture_level level;
	gfp_t gfp;
	bool take;
	bool until_oom;
	struct oom_list *list;
	struct oom_list *other;

	/* private: */
	unsigned int at;
	unsigned int refused;
	unsigned long got;
	unsigned long failed;
	unsigned long given;
	bool over;
	struct hrtimer timer;
	struct tasklet_struct tasklet;
	struct kthread_work work;
};

/* Where in the row of sizes an @at is. */
#define OOM_AT_9472 3
#define OOM_AT_1024 5

extern atomic_t oom_kills;
size_t oom_jobs_size(unsigned int at);
void oom_jobs_run(struct oom_job *job, unsigned int nr);
int oom_jobs_init(void);
void oom_jobs_exit(void);

#endif /* GOALLOC_OOM_H */
