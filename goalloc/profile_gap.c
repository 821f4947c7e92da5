// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which objects are sampled: a Poisson process over the bytes requested, as in
 * Go. The distance from one sample to the next is drawn from an exponential
 * distribution, and the object that the next byte to be sampled lies in is the
 * sample. So an object of s bytes is sampled with the chance 1 - e^(-s/rate),
 * whatever came before it, and stands for the inverse of that number of objects.
 *
 * Such a process has no memory. That is why every CPU, context and size class can
 * count down a gap of its own, why gaps may be drawn anew at any time, and why
 * an object on a slow path may as well have a coin tossed for it alone.
 *
 * Fixed point throughout; the kernel has no other.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>

#include "compat.h"
#include "profile_gap.h"

/* ln(2) */
#define LN2_Q24 11629080ULL
#define LN2_Q40 762123384786ULL

#define ONE_Q32 (1ULL << 32)
#define ONE_Q40 (1ULL << 40)

/* Bits of the logarithm behind the point. */
#define LOG_BITS 24

/* As good as never: no stream asks for so many bytes. */
#define GAP_NEVER (1LL << 61)

/*
 * Bytes per sample, 0 for no samples, 1 for all objects; and how often it was
 * changed. Written under profile_mutex, see profile.c; read by anybody.
 */
unsigned int profile_rate;
u32 profile_gen = 1;
GOALLOC_EXPORT_KUNIT(profile_rate);

static atomic64_t profile_state = ATOMIC64_INIT(0x6a09e667f3bcc909LL);

/**
 * profile_seed - begin a sequence of random numbers, for tests
 * @seed: any number
 *
 * Context: Any context.
 */
void profile_seed(u64 seed)
{
	atomic64_set(&profile_state, seed);
}
GOALLOC_EXPORT_KUNIT(profile_seed);

/**
 * profile_random - a random number
 *
 * A counter and a mixing function (splitmix64): no lock, so in any context.
 *
 * Context: Any context.
 * Return: 32 bits.
 */
u32 profile_random(void)
{
	u64 z = atomic64_add_return(0x9e3779b97f4a7c15LL, &profile_state);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) >> 32;
}
GOALLOC_EXPORT_KUNIT(profile_random);

/**
 * profile_distance - bytes to the next sample
 * @random: 32 random bits
 * @rate: bytes per sample, 1 to PROFILE_MAX_RATE
 *
 * Return: -ln(u) * @rate, with u the random number as one from above 0 to 1.
 */
u64 profile_distance(u32 random, u64 rate)
{
	u64 v = (u64)random + 1;
	unsigned int whole = fls64(v) - 1;
	u64 m, log = (u64)whole << LOG_BITS;
	int i;

	/* The mantissa in [1, 2), squared over and over: a bit each time. */
	m = whole > 31 ? v >> (whole - 31) : v << (31 - whole);
	for (i = LOG_BITS - 1; i >= 0; i--) {
		m = m * m >> 31;
		if (m >> 32) {
			m >>= 1;
			log |= 1ULL << i;
		}
	}
	log = (32ULL << LOG_BITS) - log;
	return mul_u64_u64_shr(rate, log * LN2_Q24, LOG_BITS + 24);
}
GOALLOC_EXPORT_KUNIT(profile_distance);

/**
 * profile_chance - with what chance is an object sampled?
 * @size: its bytes, 1 to 2^23
 * @rate: bytes per sample, 1 to PROFILE_MAX_RATE
 *
 * Return: 1 - e^(-@size/@rate) in units of 2^-40, never 0; 2^40 for @rate 1.
 */
u64 profile_chance(u64 size, u64 rate)
{
	u64 x, whole, rest, h = ONE_Q32;
	unsigned int k;

	if (rate <= 1)
		return ONE_Q40;
	x = div64_u64(size << 40, rate);
	whole = div64_u64(x, LN2_Q40);
	if (whole >= 40)
		return ONE_Q40;
	rest = x - whole * LN2_Q40;
	/* 1 - e^-r = r (1 - r/2 (1 - r/3 (...))) */
	for (k = 14; k >= 2; k--)
		h = ONE_Q32 - div_u64((rest >> 8) * h >> 32, k);
	rest = mul_u64_u64_shr(rest, h, 32);
	return max(ONE_Q40 - ((ONE_Q40 - rest) >> whole), 1ULL);
}
GOALLOC_EXPORT_KUNIT(profile_chance);

/**
 * profile_weight - how many objects does a sample stand for?
 * @size: its bytes, 1 to 2^23
 * @rate: bytes per sample, 1 to PROFILE_MAX_RATE
 *
 * Return: the inverse of the chance, in units of 2^-16.
 */
u64 profile_weight(u64 size, u64 rate)
{
	return div64_u64(1ULL << 56, profile_chance(size, rate));
}
GOALLOC_EXPORT_KUNIT(profile_weight);

static s64 profile_gap_draw(void)
{
	unsigned int rate = READ_ONCE(profile_rate);

	if (rate <= 1)
		return rate ? 0 : GAP_NEVER;
	return profile_distance(profile_random(), rate);
}

/* The sum first, so that whoever reads finds no more left than was drawn. */
static void profile_set(struct profile_gap *gap, s64 *left, s64 now)
{
	WRITE_ONCE(gap->drawn, gap->drawn + (now - *left));
	/* Pairs with profile_asked(). */
	smp_wmb();
	WRITE_ONCE(*left, now);
}

/**
 * profile_due - a gap is over: is its last object a sample?
 * @gap: the stream's gap
 * @left: bytes left of it, now below 0
 * @asked: bytes of the object
 *
 * Draws the next gap.
 *
 * Context: Any context; the caller owns the stream.
 * Return: true if the object is a sample; false if there is no profile, or if it
 *         is the first since the rate was changed and the new gap is longer.
 */
bool profile_due(struct profile_gap *gap, s64 *left, size_t asked)
{
	u32 gen = READ_ONCE(profile_gen);
	s64 next = profile_gap_draw();
	bool hit = true;

	if (gap->gen != gen) {
		gap->gen = gen;
		hit = next < (s64)asked;
		next = hit ? profile_gap_draw() : next - (s64)asked;
	}
	profile_set(gap, left, next);
	return hit && READ_ONCE(profile_rate);
}
GOALLOC_EXPORT_KUNIT(profile_due);

/**
 * profile_restart - have the next object of a stream draw a gap
 * @gap: the stream's gap
 * @left: bytes left of it
 *
 * Context: Any context; nobody uses the stream.
 */
void profile_restart(struct profile_gap *gap, s64 *left)
{
	gap->gen = READ_ONCE(profile_gen) - 1;
	profile_set(gap, left, 0);
}

/**
 * profile_draw - is an object that is of no stream a sample?
 * @size: its bytes, not 0
 *
 * Context: Any context.
 * Return: true if so.
 */
bool profile_draw(size_t size)
{
	unsigned int rate = READ_ONCE(profile_rate);

	return rate && (u64)profile_random() << 8 < profile_chance(size, rate);
}
GOALLOC_EXPORT_KUNIT(profile_draw);
