// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps that come and go: made, used by all mutators, and ended while the collector is
 * wherever it is; most often in the middle of marking.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "gc.h"
#include "gc_torture.h"

/* Before marking is taken for not coming, or for over. */
#define PHASE_WAIT_MS 50

/* A collection is due before so much has been allocated. */
#define PASSING_ROUNDS 200
#define PASSING_BLOBS 16

static enum gc_phase phase_of(const struct heap *h)
{
	/* From outside, and it may change at once: no more than a hint. */
	return data_race(READ_ONCE(h->gc->phase));
}

/* Allocate until the heap's own thread begins to collect it. */
static void passing_fill(struct heap *h, struct rnd_state *rnd)
{
	unsigned int round, i;

	for (round = 0; round < PASSING_ROUNDS && phase_of(h) == GC_OFF; round++) {
		struct goalloc_mutator m;

		goalloc_enter(h->gc, &m);
		for (i = 0; i < PASSING_BLOBS; i++)
			blob_new(h, &m, rnd);
		goalloc_exit(&m);
		cond_resched();
	}
}

static void passing_wait(struct heap *h, enum gc_phase phase)
{
	unsigned long end = jiffies + msecs_to_jiffies(PHASE_WAIT_MS);

	while (phase_of(h) != phase && time_before(jiffies, end)) {
		udelay(5);
		cond_resched();
	}
}

static void passing_end(struct heap *h, struct rnd_state *rnd)
{
	u32 how = below(rnd, 10);

	if (how < 6)
		passing_fill(h, rnd);
	if (how < 4)
		passing_wait(h, GC_MARK);
	/* Anywhere in it, or in what follows. */
	if (how & 1)
		usleep_range(10, 10 + below(rnd, 2000));
	heap_clear(h);
	goalloc_root_remove(h->gc, &h->in_roots);
	/* All finalizers are called just then, and what they allocate is collected. */
	if (how >= 8)
		goalloc_gc(h->gc);
	tg_count(COUNT_ENDED);
	tg_count(phase_of(h) == GC_OFF ? COUNT_ENDED_OFF : COUNT_ENDED_MARK);
	heap_end(h);
}

/**
 * passing_round - make a heap, have it used, end it
 * @h: which
 * @rnd: random numbers
 *
 * Context: Process context, may sleep.
 */
void passing_round(struct heap *h, struct rnd_state *rnd)
{
	static const unsigned int flags[] = {
		0, 0, 0, GOALLOC_GC_VERIFY, GOALLOC_GC_ORIGINS, GOALLOC_GC_STOP_THE_WORLD,
	};
	struct goalloc_gc_attr attr = {
		.percent = 1 + below(rnd, 40),
		.flags = flags[below(rnd, ARRAY_SIZE(flags))],
		.limit = below(rnd, 4) ? 0 : SZ_2M,
	};
	unsigned long end = jiffies + msecs_to_jiffies(below(rnd, 300));
	char name[16];
	int err;

	scnprintf(name, sizeof(name), "passing%td", h - heaps);
	down_write(&h->gate);
	h->max_bytes = SZ_1M;
	err = heap_make(h, name, &attr);
	up_write(&h->gate);
	if (err) {
		tg_count(COUNT_FAILED);
		msleep(20);
		return;
	}
	do {
		down_read(&h->gate);
		graph_section(h, rnd, 50);
		up_read(&h->gate);
		cond_resched();
	} while (time_before(jiffies, end));
	down_write(&h->gate);
	if (!below(rnd, 8))
		census(h);
	passing_end(h, rnd);
	up_write(&h->gate);
}
