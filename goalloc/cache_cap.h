/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_cap.h - how many bytes a cache may keep, and which class gets them.
 *
 * A cache has an allowance in bytes. Its lists are charged with the room they
 * have, full or not, and its spans with what can still be handed out of them,
 * so that the fast paths, which only move objects within that, need not count.
 * The sum of all charges is never more than the allowance.
 *
 * A list grows by a quarter of its maximum when it overflows, or runs out after
 * it was filled as far as it could be. When there is nothing left of the
 * allowance, a hand goes round the classes. Whoever has not been used since it
 * last came by gives up what it has; others only if a span, or the first quarter
 * of a list, cannot be had otherwise.
 */
#ifndef GOALLOC_CACHE_CAP_H
#define GOALLOC_CACHE_CAP_H

#include "sizeclass.h"

/* A list of one class never has room for more objects or more bytes. */
#define CACHE_CAP_MAX_OBJS	64U
#define CACHE_CAP_MAX_BYTES	32768U

/* Classes that the hand passes for the sake of a longer list. */
#define CACHE_CAP_LOOK	16

/* Objects of other nodes: part of a level's allowance, and bytes at most. */
#define CACHE_CAP_REMOTE_SHARE	8
#define CACHE_CAP_REMOTE_BYTES	32768

/**
 * struct cache_cap_class - what one class is charged with
 * @list: bytes that its list has room for
 * @span: bytes that can be handed out of its span, or more
 * @seen: number of uses when the hand came by last
 * @filled: the last refill filled the list as far as it could be
 */
struct cache_cap_class {
	u32 list;
	u32 span;
	u32 seen;
	bool filled;
};

/**
 * struct cache_cap - the charges of one cache
 * @used: bytes, sum over all classes
 * @steals: times that a class gave up what it had for another one
 * @grows: times that a list grew
 * @denied: times that a span did not fit whatever anybody gave up
 * @hand: next class to look at
 * @class: by class; 0 are the tiny objects
 *
 * The caller sees to it that nobody else uses it.
 */
struct cache_cap {
	u64 used;
	u64 steals;
	u64 grows;
	u64 denied;
	u32 hand;
	struct cache_cap_class class[GOALLOC_NR_CLASSES];
};

/**
 * struct cache_cap_ops - what the classes have to answer to
 * @uses: a number that changes with every use of the class
 * @unused: bytes that can still be handed out of the class's span
 * @give_up: empty the class; afterwards it is charged with nothing
 */
struct cache_cap_ops {
	u32 (*uses)(struct cache_cap *cc, unsigned int class);
	u32 (*unused)(struct cache_cap *cc, unsigned int class);
	void (*give_up)(struct cache_cap *cc, unsigned int class);
};

u64 cache_cap_share(u64 cpu_max, u64 total_max, unsigned int cpus);
unsigned int cache_cap_max(unsigned int size, unsigned int level);
void cache_cap_set_list(struct cache_cap *cc, unsigned int class, u32 bytes);
void cache_cap_set_span(struct cache_cap *cc, unsigned int class, u32 bytes);
unsigned int cache_cap_grow(struct cache_cap *cc, const struct cache_cap_ops *ops,
			    unsigned int class, unsigned int size,
			    unsigned int max, u64 allowed);
bool cache_cap_span(struct cache_cap *cc, const struct cache_cap_ops *ops,
		    unsigned int class, u32 bytes, u64 allowed);

/**
 * cache_cap_level() - a context level's part of what a CPU may keep
 * @share: bytes that the CPU may keep
 * @level: 0 for task context, 1 softirq, 2 hardirq
 *
 * Each level has a part of its own, so that nobody who interrupts another has
 * to count with him.
 *
 * Return: bytes; the three add up to @share.
 */
static inline u64 cache_cap_level(u64 share, unsigned int level)
{
	return level ? share / 8 : share - 2 * (share / 8);
}

/**
 * cache_cap_remote() - what of that may be objects of other nodes
 * @allowed: the level's bytes
 *
 * Return: bytes.
 */
static inline u32 cache_cap_remote(u64 allowed)
{
	return min_t(u64, allowed / CACHE_CAP_REMOTE_SHARE, CACHE_CAP_REMOTE_BYTES);
}

#endif /* GOALLOC_CACHE_CAP_H */
