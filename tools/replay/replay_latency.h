/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of how long something took, in ticks of whatever clock.
 *
 * Powers of two, each cut into LATENCY_PARTS equal buckets: small values have a
 * bucket each, up to 127 with 64 parts, and of any other the bucket's lowest
 * value is at most 1/64 off. Sum, number and largest value are exact.
 *
 * The replay includes this and, over the shim headers in user/, classic-test.
 */
#ifndef REPLAY_LATENCY_H
#define REPLAY_LATENCY_H

#include <linux/bitops.h>
#include <linux/types.h>

#define LATENCY_PART_SHIFT	6
#define LATENCY_PARTS		((u32)BIT(LATENCY_PART_SHIFT))
#define LATENCY_BITS		40	/* larger values count as the largest with so many */
#define LATENCY_BUCKETS		((LATENCY_BITS - LATENCY_PART_SHIFT + 1) * LATENCY_PARTS)

/* Its owner's; no locks. */
struct latency {
	u64 n;
	u64 sum;			/* ticks */
	u64 max;			/* ticks */
	u32 buckets[LATENCY_BUCKETS];
};

static inline unsigned int latency_bucket(u64 ticks)
{
	unsigned int shift;

	if (ticks < LATENCY_PARTS)
		return ticks;
	if (ticks >> LATENCY_BITS)
		return LATENCY_BUCKETS - 1;
	shift = fls64(ticks) - 1 - LATENCY_PART_SHIFT;
	return shift * LATENCY_PARTS + (ticks >> shift);
}

/* The lowest value that belongs into it. */
static inline u64 latency_lowest(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * LATENCY_PARTS)
		return bucket;
	shift = bucket / LATENCY_PARTS - 1;
	return (u64)(bucket - shift * LATENCY_PARTS) << shift;
}

static inline void latency_add(struct latency *l, u64 ticks)
{
	l->n++;
	l->sum += ticks;
	if (ticks > l->max)
		l->max = ticks;
	l->buckets[latency_bucket(ticks)]++;
}

static inline void latency_merge(struct latency *sum, const struct latency *l)
{
	unsigned int i;

	sum->n += l->n;
	sum->sum += l->sum;
	if (l->max > sum->max)
		sum->max = l->max;
	for (i = 0; i < LATENCY_BUCKETS; i++)
		sum->buckets[i] += l->buckets[i];
}

/* What @percent of all values do not exceed, but for the width of a bucket. */
static inline u64 latency_percentile(const struct latency *l, unsigned int percent)
{
	u64 seen = 0;
	unsigned int i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		seen += l->buckets[i];
		if (seen && seen * 100 >= l->n * percent)
			return latency_lowest(i);
	}
	return 0;
}

#endif /* REPLAY_LATENCY_H */
