/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which objects are sampled: a Poisson process over the bytes requested.
 */
#ifndef GOALLOC_PROFILE_GAP_H
#define GOALLOC_PROFILE_GAP_H

#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* The largest mean distance of two samples, in bytes. */
#define PROFILE_MAX_RATE (1U << 30)

/**
 * struct profile_gap - how far a stream of objects is from its next sample
 * @drawn: bytes of all gaps drawn so far; less what is left of the last one they
 *         are the bytes requested
 * @gen: profile_gen when the last one was drawn
 *
 * What is left is kept by the owner of the stream, who counts it down.
 */
struct profile_gap {
	u64 drawn;
	u32 gen;
};

extern unsigned int profile_rate;
extern u32 profile_gen;

u32 profile_random(void);
void profile_seed(u64 seed);
u64 profile_distance(u32 random, u64 rate);
u64 profile_chance(u64 size, u64 rate);
u64 profile_weight(u64 size, u64 rate);
bool profile_due(struct profile_gap *gap, s64 *left, size_t asked);
void profile_restart(struct profile_gap *gap, s64 *left);
bool profile_draw(size_t size);

/* Bytes requested of a stream. Any CPU may read while its owner goes on. */
static inline u64 profile_asked(const struct profile_gap *gap, const s64 *left)
{
	s64 now = data_race(READ_ONCE(*left));

	/* Pairs with profile_set(): never more left than was drawn. */
	smp_rmb();
	return data_race(READ_ONCE(gap->drawn)) - now;
}

#endif /* GOALLOC_PROFILE_GAP_H */
