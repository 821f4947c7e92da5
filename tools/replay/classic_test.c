// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests of what the replay has of its own: the free list with next fit, and
 * the histogram. Prints a line per failed expectation, and the sum.
 */
#include <stdint.h>
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "next_fit.h"
#include "replay_latency.h"

static unsigned int passed, failed;

#define expect(what, ...) do {						\
	if (what) {							\
		passed++;						\
	} else if (failed++ < 20) {					\
		printf("%s:%d: %s: ", __FILE__, __LINE__, #what);	\
		printf(__VA_ARGS__);					\
		putchar('\n');						\
	}								\
} while (0)

#define REGIONS		3
#define REGION_BYTES	(64 * 1024)
#define OBJECTS		600
#define STEPS		200000

struct object {
	unsigned char *p;
	size_t size;
	unsigned char fill;
};

static char *regions[REGIONS];

static u64 rng = 1;

static u64 random_u64(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* In the list, in units; and is it sound? */
static size_t free_units(const struct next_fit *nf, unsigned int *blocks)
{
	const struct next_fit_block *b = &nf->base;
	unsigned int wraps = 0, rovers = 0;
	size_t units = 0;

	*blocks = 0;
	do {
		const struct next_fit_block *next = b->next;

		wraps += next <= b;
		rovers += b == nf->rover;
		units += b->units;
		*blocks += b != &nf->base;
		/* No two that touch are apart. */
		if (b->units && next->units && b + b->units == next)
			return 0;
		b = next;
	} while (b != &nf->base);
	return wraps == 1 && rovers == 1 ? units : 0;
}

static bool is_filled(const struct object *o)
{
	size_t i;

	for (i = 0; i < o->size; i++)
		if (o->p[i] != o->fill)
			return false;
	return true;
}

static bool is_inside(const struct object *o)
{
	unsigned int i;

	for (i = 0; i < REGIONS; i++) {
		if ((char *)o->p >= regions[i] &&
		    (char *)o->p + o->size <= regions[i] + REGION_BYTES)
			return true;
	}
	return false;
}

/*
 * Allocate and free at random. Objects have contents, so one that overlaps
 * another, or a header, shows; what is free and what is not adds up.
 */
static void test_random(void)
{
	static struct object objects[OBJECTS];
	const size_t all = REGIONS * REGION_BYTES / NEXT_FIT_UNIT;
	unsigned int i, blocks, refused = 0;
	size_t units, used = 0;
	struct next_fit nf;

	next_fit_init(&nf);
	for (i = 0; i < REGIONS; i++)
		next_fit_add(&nf, regions[i], REGION_BYTES);
	for (i = 0; i < STEPS; i++) {
		struct object *o = &objects[random_u64() % OBJECTS];
		size_t align = 8UL << random_u64() % 10;

		if (o->p) {
			expect(is_filled(o), "%zu bytes were not as they were left", o->size);
			used -= next_fit_usable(o->p) / NEXT_FIT_UNIT + 1;
			next_fit_free(&nf, o->p);
			o->p = NULL;
		} else {
			o->size = 1 + random_u64() % (1UL << (3 + random_u64() % 9));
			o->fill = random_u64();
			o->p = next_fit_alloc(&nf, o->size, align);
			refused += !o->p;
			if (!o->p)
				continue;
			expect(is_inside(o), "outside of the memory that was given");
			expect((uintptr_t)o->p % align == 0, "not aligned to %zu", align);
			expect(next_fit_usable(o->p) >= o->size, "%zu bytes", o->size);
			used += next_fit_usable(o->p) / NEXT_FIT_UNIT + 1;
			memset(o->p, o->fill, o->size);
		}
		if (i % 16 == 0) {
			units = free_units(&nf, &blocks);
			expect(units + used == all, "%zu units free, %zu used", units, used);
		}
	}
	expect(refused, "never full: make it larger");
	for (i = 0; i < OBJECTS; i++) {
		if (!objects[i].p)
			continue;
		expect(is_filled(&objects[i]), "%zu bytes", objects[i].size);
		next_fit_free(&nf, objects[i].p);
	}
	units = free_units(&nf, &blocks);
	expect(units == all, "%zu of %zu units are free in the end", units, all);
	expect(blocks <= REGIONS, "%u blocks in the end", blocks);
}

/* The search goes on where the last one ended, and comes round. */
static void test_next(void)
{
	struct next_fit nf;
	void *a, *b, *c, *wall[3];
	unsigned int i;

	next_fit_init(&nf);
	expect(!next_fit_alloc(&nf, 1, 16), "from no memory");
	next_fit_add(&nf, regions[0], 3 * 256);
	/* Six blocks of 128 bytes, header included, each below the one before. */
	for (i = 0; i < 3; i++)
		wall[i] = next_fit_alloc(&nf, 112, 16);
	for (i = 0; i < 3; i++)
		expect(wall[i], "no wall %u", i);
	a = next_fit_alloc(&nf, 112, 16);
	b = next_fit_alloc(&nf, 112, 16);
	c = next_fit_alloc(&nf, 112, 16);
	expect(a && b && c, "six blocks of 128 bytes make up 768");
	expect(!next_fit_alloc(&nf, 1, 16), "from a full list");
	expect((char *)wall[0] > (char *)a, "not from the end of the block");
	/* The rover is in front of the block that was freed last, not at the beginning. */
	next_fit_free(&nf, b);
	next_fit_free(&nf, wall[2]);
	next_fit_free(&nf, wall[0]);
	expect(next_fit_alloc(&nf, 100, 16) == wall[0], "not where the rover is");
	expect(next_fit_alloc(&nf, 100, 16) == b, "it does not come round");
	expect(next_fit_alloc(&nf, 100, 16) == wall[2], "not the one that is left");
	expect(!next_fit_alloc(&nf, 1, 16), "from a full list");
	next_fit_free(&nf, wall[0]);
	expect(!next_fit_alloc(&nf, 113, 16), "more than the hole has");
	expect(next_fit_alloc(&nf, 112, 16) == wall[0], "all that the hole has");
}

static void test_latency(void)
{
	static struct latency l, other;
	unsigned int i, before = 0;
	u64 v;

	for (v = 0; v < 1ULL << LATENCY_BITS; v += v / 50 + 1) {
		unsigned int bucket = latency_bucket(v);
		u64 lowest = latency_lowest(bucket);

		expect(bucket < LATENCY_BUCKETS && bucket >= before, "%llu: bucket %u", v, bucket);
		expect(lowest <= v && v - lowest <= v / LATENCY_PARTS,
		       "%llu: from %llu", v, lowest);
		expect(latency_bucket(lowest) == bucket, "%llu: %u", lowest, bucket);
		before = bucket;
	}
	expect(latency_bucket(~0ULL) == LATENCY_BUCKETS - 1, "the largest value");
	expect(latency_percentile(&l, 50) == 0, "of no value");
	for (i = 1; i <= 100; i++)
		latency_add(i % 2 ? &l : &other, i);
	latency_merge(&l, &other);
	expect(l.n == 100 && l.sum == 5050 && l.max == 100, "%llu %llu", l.n, l.sum);
	expect(latency_percentile(&l, 50) == 50, "%llu", latency_percentile(&l, 50));
	expect(latency_percentile(&l, 99) == 99, "%llu", latency_percentile(&l, 99));
	expect(latency_percentile(&l, 100) == 100, "%llu", latency_percentile(&l, 100));
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < REGIONS; i++) {
		regions[i] = aligned_alloc(4096, REGION_BYTES);
		if (!regions[i])
			return 2;
	}
	test_random();
	test_next();
	test_latency();
	for (i = 0; i < REGIONS; i++)
		free(regions[i]);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
