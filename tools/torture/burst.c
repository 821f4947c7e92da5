// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bursts: many quick operations on small objects of one size, beside the full
 * mix of obj.c. Races of the fast paths are a few instructions long, so what
 * finds them is how often, with interrupts and NMIs in between, and little else
 * done; every byte of every object still carries a pattern, which is looked at
 * before the object is freed.
 *
 * A context has some bursts of its own. One that is full is freed where it is,
 * or exchanged with one in a common row of boxes as records are, and then freed
 * by whoever got it, mostly on another CPU.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "torture.h"

/**
 * struct torture_burst - objects of one size
 * @p: the objects; the first @n are there
 * @key: object i is filled with @key + i
 * @size: bytes requested of each
 * @n: how many
 * @cpu: where they were allocated
 */
struct torture_burst {
	void *p[BURST_MAX];
	u64 key;
	u32 size;
	u16 n;
	u16 cpu;
};

#define NR_BURST_BOXES 64

static struct torture_burst **burst_boxes;

/*
 * KCSAN delays whoever it looks at. That is for goalloc's memory, not for ours:
 * an object that two have shows in the pattern.
 */
static __no_kcsan void burst_write(void *p, size_t size, u64 key)
{
	u64 *word = p;
	size_t i;

	if (size < sizeof(*word)) {
		memset(p, (u8)key, size);
		return;
	}
	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = key;
}

static __no_kcsan bool burst_reads(const void *p, size_t size, u64 key)
{
	const u64 *word = p;
	size_t i;

	if (size < sizeof(*word))
		return !memchr_inv(p, (u8)key, size);
	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i] != key)
			return false;
	return true;
}

static void *burst_alloc(size_t size, gfp_t gfp, u64 key)
{
	void *p = size < 8 ? goalloc_tiny(size, gfp) : goalloc(size, gfp);

	if (!p)
		return NULL;
	if (gfp & __GFP_ZERO && !burst_reads(p, size, 0))
		torture_fail("an object of a burst should be zero and is not", p, size, 0);
	burst_write(p, size, key);
	return p;
}

static void burst_check(const void *p, size_t size, u64 key)
{
	if (!burst_reads(p, size, key))
		torture_fail("an object of a burst was changed by somebody else", p,
			     size, 0);
}

static size_t burst_size(struct torture_ctx *ctx)
{
	static const u16 sizes[] = {
		3, 8, 8, 16, 16, 24, 32, 32, 40, 48, 64, 64, 96, 128, 192, 256,
	};

	return sizes[torture_below(ctx, ARRAY_SIZE(sizes))];
}

static unsigned int burst_length(struct torture_ctx *ctx)
{
	return 1 + torture_below(ctx, ctx->level == LEVEL_TASK ? BURST_MAX : BURST_MAX / 4);
}

static void burst_fill(struct torture_ctx *ctx, struct torture_burst *b, gfp_t gfp)
{
	unsigned int n = burst_length(ctx);
	unsigned int i;

	b->size = burst_size(ctx);
	b->key = (u64)torture_random(ctx) << 32 | torture_random(ctx);
	b->cpu = raw_smp_processor_id();
	for (i = 0; i < n; i++) {
		b->p[i] = burst_alloc(b->size, gfp, b->key + i);
		if (!b->p[i])
			break;
	}
	b->n = i;
	torture_count(ctx, COUNT_ALLOC, min(i + 1, n));
	if (i < n)
		torture_count(ctx, COUNT_FAILED, 1);
}

/**
 * burst_empty - check and free what is in a burst
 * @ctx: the context
 * @b: burst
 */
void burst_empty(struct torture_ctx *ctx, struct torture_burst *b)
{
	/* Any odd step visits every place once: forward, backward, mixed up. */
	unsigned int step = torture_random(ctx) | 1;
	unsigned int i, at;

	for (i = 0; i < b->n; i++)
		burst_check(b->p[i], b->size, b->key + i);
	if (!torture_below(ctx, 8)) {
		gofree_bulk(b->n, b->p);
		torture_count(ctx, COUNT_FREE_OTHER, b->n);
	} else {
		for (i = 0; i < BURST_MAX; i++) {
			at = i * step % BURST_MAX;
			if (at < b->n)
				gofree(b->p[at]);
		}
		torture_count(ctx, COUNT_FREE, b->n);
	}
	if (b->cpu != raw_smp_processor_id())
		torture_count(ctx, COUNT_REMOTE, b->n);
	b->n = 0;
}

/* Over and over the same few objects, as most kernel code uses them. */
static void burst_pairs(struct torture_ctx *ctx, gfp_t gfp)
{
	unsigned int n = burst_length(ctx);
	size_t size = burst_size(ctx);
	u64 key = (u64)torture_random(ctx) << 32 | torture_random(ctx);
	unsigned int i;

	for (i = 0; i < n; i++) {
		void *p = burst_alloc(size, gfp, key + i);

		if (!p) {
			torture_count(ctx, COUNT_FAILED, 1);
			break;
		}
		burst_check(p, size, key + i);
		gofree(p);
	}
	torture_count(ctx, COUNT_ALLOC, min(i + 1, n));
	torture_count(ctx, COUNT_FREE, i);
}

/**
 * burst_step - fill, pass on, free a burst, or free as fast as it is allocated
 * @ctx: the context, which nobody else uses
 * @gfp: what it may do
 */
void burst_step(struct torture_ctx *ctx, gfp_t gfp)
{
	struct torture_burst **place = &ctx->burst[torture_below(ctx, BURSTS_PER_CTX)];
	u32 what = torture_below(ctx, 8);

	torture_count(ctx, COUNT_BURST, 1);
	if (!torture_below(ctx, 8))
		gfp |= __GFP_ZERO;
	if (what == 0) {
		burst_pairs(ctx, gfp);
	} else if (!(*place)->n) {
		burst_fill(ctx, *place, gfp);
	} else if (what < 4) {
		/* Fully ordered: the burst and the objects go with it. */
		*place = xchg(&burst_boxes[torture_below(ctx, NR_BURST_BOXES)], *place);
		torture_count(ctx, COUNT_PASS, 1);
	} else {
		burst_empty(ctx, *place);
	}
}

/**
 * burst_create - make bursts
 * @n: how many
 *
 * Context: Process context, one at a time.
 * Return: where they are, or NULL. It is torture_mem().
 */
struct torture_burst **burst_create(unsigned int n)
{
	struct torture_burst *b = torture_mem(n * sizeof(*b));
	struct torture_burst **row = torture_mem(n * sizeof(*row));
	unsigned int i;

	if (!b || !row)
		return NULL;
	for (i = 0; i < n; i++)
		row[i] = &b[i];
	return row;
}

/**
 * burst_start - make the boxes
 *
 * Return: 0 or -ENOMEM.
 */
int burst_start(void)
{
	burst_boxes = burst_create(NR_BURST_BOXES);
	return burst_boxes ? 0 : -ENOMEM;
}

/**
 * burst_free_boxes - free what is in the boxes
 * @ctx: a context that nobody else uses
 *
 * Context: Process context, when nobody passes bursts on any more.
 */
void burst_free_boxes(struct torture_ctx *ctx)
{
	unsigned int i;

	for (i = 0; burst_boxes && i < NR_BURST_BOXES; i++)
		burst_empty(ctx, burst_boxes[i]);
}
