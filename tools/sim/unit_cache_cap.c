// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit_cache_cap.c - the caches of 64 CPUs, without the objects.
 *
 * Classes are used at random as a cache's are: a refill makes room for a span, an
 * overflow asks for a longer list. After every step nobody has more than he may.
 */
#include <stdlib.h>
#include "cache_cap.h"
#include "unit.h"

#define CPUS	64
#define LEVELS	3

/**
 * struct fake_cache - a cache of which only the numbers are there
 * @cc: its charges; first
 * @uses: by class, uses
 * @left: by class, bytes left in its span
 * @gave: classes that were asked to give up
 */
struct fake_cache {
	struct cache_cap cc;
	u32 uses[GOALLOC_NR_CLASSES];
	u32 left[GOALLOC_NR_CLASSES];
	unsigned int gave;
};

static u32 fake_uses(struct cache_cap *cc, unsigned int class)
{
	return ((struct fake_cache *)cc)->uses[class];
}

static u32 fake_unused(struct cache_cap *cc, unsigned int class)
{
	return ((struct fake_cache *)cc)->left[class];
}

static void fake_give_up(struct cache_cap *cc, unsigned int class)
{
	struct fake_cache *f = (struct fake_cache *)cc;

	f->gave++;
	f->left[class] = 0;
	cache_cap_set_list(cc, class, 0);
	cache_cap_set_span(cc, class, 0);
}

static const struct cache_cap_ops fake_ops = {
	.uses = fake_uses,
	.unused = fake_unused,
	.give_up = fake_give_up,
};

static u32 span_bytes(unsigned int class)
{
	return sizeclass_size[class] * sizeclass_objs[class];
}

/* Some use is made of what a class has. */
static void fake_use(struct fake_cache *f, unsigned int class, u64 *rng)
{
	u32 left = f->left[class];

	f->uses[class]++;
	if (left)
		f->left[class] -= sim_random(rng) % (left / sizeclass_size[class] + 1) *
				  sizeclass_size[class];
}

/* The list and the span are used up: another span. */
static bool fake_refill(struct fake_cache *f, unsigned int class, u64 allowed)
{
	f->uses[class]++;
	f->left[class] = 0;
	if (!cache_cap_span(&f->cc, &fake_ops, class, span_bytes(class), allowed))
		return false;
	f->left[class] = span_bytes(class);
	return true;
}

static unsigned int fake_overflow(struct fake_cache *f, unsigned int class,
				  unsigned int level, u64 allowed)
{
	f->uses[class]++;
	return cache_cap_grow(&f->cc, &fake_ops, class, sizeclass_size[class],
			      cache_cap_max(sizeclass_size[class], level), allowed);
}

/* The sum is the sum, within the allowance, and no span has more than is noted. */
static void check(const struct fake_cache *f, unsigned int level, u64 allowed)
{
	unsigned int class;
	u64 sum = 0;

	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		const struct cache_cap_class *c = &f->cc.class[class];

		sum += c->list + c->span;
		EXPECT(c->span >= f->left[class], "class %u: %u left, %u noted", class,
		       f->left[class], c->span);
		EXPECT(c->list / sizeclass_size[class] <=
		       cache_cap_max(sizeclass_size[class], level), "class %u: list of %u",
		       class, c->list);
	}
	EXPECT(sum == f->cc.used, "%llu noted, sum %llu", f->cc.used, sum);
	EXPECT(sum <= allowed, "%llu of %llu", sum, allowed);
}

/* A random class, some much more often than others. */
static unsigned int some_class(u64 *rng)
{
	unsigned int span = 1 + sim_random(rng) % (GOALLOC_NR_CLASSES - 1);

	return 1 + sim_random(rng) % span;
}

/* 64 CPUs with three levels each at random: the total is kept at every step. */
static void total(void)
{
	static const u64 totals[] = {
		64ULL << 20, 32ULL << 20, 8ULL << 20, 1ULL << 20, 100000, 0,
	};
	struct fake_cache *f = calloc(CPUS * LEVELS, sizeof(*f));
	u64 rng = 11, share, sum, denied;
	unsigned int i, step, class, level;
	u32 largest = 0;

	for (class = 1; class < GOALLOC_NR_CLASSES; class++)
		largest = max_t(u32, largest, span_bytes(class));
	for (i = 0; i < ARRAY_SIZE(totals); i++) {
		memset(f, 0, CPUS * LEVELS * sizeof(*f));
		share = cache_cap_share(1 << 20, totals[i], CPUS);
		EXPECT(share * CPUS <= totals[i], "share %llu", share);
		EXPECT(cache_cap_level(share, 0) + cache_cap_level(share, 1) +
		       cache_cap_level(share, 2) == share, "levels of %llu", share);
		sum = 0;
		for (step = 0; step < 400000; step++) {
			unsigned int which = sim_random(&rng) % (CPUS * LEVELS);
			struct fake_cache *now = &f[which];
			u64 allowed;

			level = which % LEVELS;
			allowed = cache_cap_level(share, level);
			class = some_class(&rng);
			sum -= now->cc.used;
			switch (sim_random(&rng) % 4) {
			case 0:
				EXPECT(fake_refill(now, class, allowed) ==
				       (span_bytes(class) <= allowed), "class %u", class);
				break;
			case 1:
				fake_overflow(now, class, level, allowed);
				break;
			default:
				fake_use(now, class, &rng);
			}
			sum += now->cc.used;
			check(now, level, allowed);
			EXPECT(sum <= totals[i], "%llu of %llu", sum, totals[i]);
		}
		for (denied = 0, step = 0; step < CPUS * LEVELS; step++)
			denied += f[step].cc.denied;
		EXPECT(!denied == (cache_cap_level(share, 1) >= largest), "%llu denied of %llu",
		       denied, share);
	}
	free(f);
}

/* A hot class gets all it can have, at the cost of those that are idle. */
static void hot_and_idle(void)
{
	struct fake_cache *f = calloc(1, sizeof(*f));
	unsigned int hot, class, i, max, cap = 0;
	u64 allowed = 512 << 10;

	for (hot = 1; hot < GOALLOC_NR_CLASSES; hot += 11) {
		memset(f, 0, sizeof(*f));
		max = cache_cap_max(sizeclass_size[hot], 0);
		/* Everybody takes what he can get. */
		for (i = 0; i < 4; i++) {
			for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
				if (class == hot)
					continue;
				fake_overflow(f, class, 0, allowed);
				fake_refill(f, class, allowed);
				check(f, 0, allowed);
			}
		}
		/* Then only one goes on. */
		for (i = 0; i < 40 && cap < max; i++) {
			fake_refill(f, hot, allowed);
			cap = fake_overflow(f, hot, 0, allowed);
			check(f, 0, allowed);
		}
		EXPECT(cap == max, "class %u: %u of %u", hot, cap, max);
		cap = 0;
		/* More wants: every idle class has had to give up in the end. */
		for (i = 0; i < 400 && f->cc.used - f->cc.class[hot].list -
			    f->cc.class[hot].span; i++) {
			fake_refill(f, hot, span_bytes(hot) + f->cc.class[hot].list);
			check(f, 0, allowed);
		}
		for (class = 1; class < GOALLOC_NR_CLASSES; class++)
			EXPECT(class == hot || !(f->cc.class[class].list | f->cc.class[class].span),
			       "class %u keeps something beside %u", class, hot);
		EXPECT(f->gave == f->cc.steals, "%u gave up, %llu steals", f->gave,
		       f->cc.steals);
	}
	free(f);
}

/* For a longer list nobody in use gives anything up; for a span he does. */
static void in_use(void)
{
	struct fake_cache *f = calloc(1, sizeof(*f));
	unsigned int class, i, cap, gave;
	u64 allowed = 0;

	for (class = 1; class <= 20; class++)
		allowed += span_bytes(class);
	for (class = 1; class <= 20; class++)
		EXPECT(fake_refill(f, class, allowed), "class %u", class);
	/* But the first quarter has to be. */
	cap = fake_overflow(f, 30, 0, allowed);
	EXPECT(cap == (cache_cap_max(sizeclass_size[30], 0) + 3) / 4, "list of %u", cap);
	gave = f->gave;
	EXPECT(gave >= 1 && gave <= 4, "%u gave up", gave);
	allowed = f->cc.used;
	for (i = 0; i < 100; i++) {
		for (class = 1; class <= 20; class++)
			f->uses[class]++;
		EXPECT(fake_overflow(f, 30, 0, allowed) == cap && f->gave == gave,
		       "%u gave up", f->gave);
	}
	EXPECT(fake_refill(f, 30, allowed), "no span");
	EXPECT(f->gave > gave && f->gave <= gave + 4, "%u gave up", f->gave);
	check(f, 0, allowed);
	/* Its own list goes last. */
	memset(f, 0, sizeof(*f));
	cap = fake_overflow(f, 5, 0, span_bytes(5));
	EXPECT(cap, "no list");
	EXPECT(fake_refill(f, 5, span_bytes(5)), "no span");
	EXPECT(!f->cc.class[5].list && f->cc.used == span_bytes(5), "%llu", f->cc.used);
	/* What is more than all there is is not to be had, and costs nobody anything. */
	EXPECT(!fake_refill(f, 40, span_bytes(40) - 1), "a span that does not fit");
	EXPECT(f->cc.denied == 1 && f->cc.class[5].span, "denied %llu", f->cc.denied);
	free(f);
}

/* Less is allowed from now on: the next that asks makes it so. */
static void lowered(void)
{
	struct fake_cache *f = calloc(1, sizeof(*f));
	unsigned int class, i;
	u64 rng = 3;

	for (i = 0; i < 2000; i++) {
		class = some_class(&rng);
		fake_refill(f, class, 1 << 20);
		fake_overflow(f, class, 0, 1 << 20);
	}
	EXPECT(f->cc.used > 400000, "only %llu", f->cc.used);
	fake_overflow(f, 5, 0, 100000);
	EXPECT(fake_refill(f, 5, 100000), "no span");
	check(f, 0, 100000);
	free(f);
}

const struct unit_case unit_cache_cap[] = {
	{ "cache_cap: 64 CPUs keep to the total", total },
	{ "cache_cap: a hot class, idle ones", hot_and_idle },
	{ "cache_cap: classes in use", in_use },
	{ "cache_cap: less than before", lowered },
	{}
};
