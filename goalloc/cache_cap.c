// SPDX-License-Identifier: GPL-2.0-only
/*
 * cache_cap.c - how many bytes a cache may keep, and which class gets them.
 *
 * Pure arithmetic, see cache_cap.h for the rules.
 */
#include "cache_cap.h"

/**
 * cache_cap_share() - what the caches of one CPU may keep
 * @cpu_max: bytes that no CPU may pass
 * @total_max: bytes that all of them together may not pass
 * @cpus: how many there can be
 *
 * Return: bytes.
 */
u64 cache_cap_share(u64 cpu_max, u64 total_max, unsigned int cpus)
{
	return min_t(u64, cpu_max, div_u64(total_max, cpus));
}

/**
 * cache_cap_max() - how long a list can get
 * @size: bytes of an object
 * @level: context level; interrupts get by with a quarter
 *
 * Return: objects, at least one.
 */
unsigned int cache_cap_max(unsigned int size, unsigned int level)
{
	unsigned int max = clamp(CACHE_CAP_MAX_BYTES / size, 1U, CACHE_CAP_MAX_OBJS);

	return level ? max_t(unsigned int, max / 4, 1U) : max;
}

/**
 * cache_cap_set_list() - note how many bytes a list has room for
 * @cc: the charges
 * @class: the class
 * @bytes: its list's room; the caller has made sure that it fits
 */
void cache_cap_set_list(struct cache_cap *cc, unsigned int class, u32 bytes)
{
	cc->used += (u64)bytes - cc->class[class].list;
	cc->class[class].list = bytes;
}

/**
 * cache_cap_set_span() - note how many bytes a span has left
 * @cc: the charges
 * @class: the class
 * @bytes: what can still be handed out of its span; not more than was noted,
 *         or the caller has made sure that it fits
 */
void cache_cap_set_span(struct cache_cap *cc, unsigned int class, u32 bytes)
{
	cc->used += (u64)bytes - cc->class[class].span;
	cc->class[class].span = bytes;
}

/*
 * Move the hand on by @steps classes at most, until @bytes more fit. Classes in
 * use give up nothing, unless @force is set; never @self.
 */
static bool cache_cap_room(struct cache_cap *cc, const struct cache_cap_ops *ops,
			   unsigned int self, u32 bytes, u64 allowed,
			   unsigned int steps, bool force)
{
	struct cache_cap_class *c;
	unsigned int class;
	u32 uses;
	bool used;

	while (cc->used + bytes > allowed) {
		if (!steps--)
			return false;
		class = cc->hand;
		cc->hand = (class + 1) % GOALLOC_NR_CLASSES;
		c = &cc->class[class];
		if (class == self || !(c->list || c->span))
			continue;
		if (c->span)
			cache_cap_set_span(cc, class, ops->unused(cc, class));
		uses = ops->uses(cc, class);
		used = uses != c->seen;
		c->seen = uses;
		if (used && !force)
			continue;
		ops->give_up(cc, class);
		cc->steals++;
	}
	return true;
}

/**
 * cache_cap_grow() - make a list longer, if there is room
 * @cc: the charges
 * @ops: what the classes answer to
 * @class: the class
 * @size: bytes of its objects
 * @max: objects that its list can have room for
 * @allowed: bytes that the cache may keep
 *
 * By a quarter of the maximum; what is missing comes from classes that are not
 * used. For the first quarter others have to give up something as well.
 *
 * Return: objects that the list has room for now.
 */
unsigned int cache_cap_grow(struct cache_cap *cc, const struct cache_cap_ops *ops,
			    unsigned int class, unsigned int size,
			    unsigned int max, u64 allowed)
{
	unsigned int cap = cc->class[class].list / size;
	unsigned int more = min_t(unsigned int, (max + 3) / 4, max - cap);

	if (!more || (u64)more * size > allowed)
		return cap;
	if (!cache_cap_room(cc, ops, class, more * size, allowed, CACHE_CAP_LOOK, false) &&
	    (cap || !cache_cap_room(cc, ops, class, more * size, allowed,
				    GOALLOC_NR_CLASSES, true)))
		return cap;
	cache_cap_set_list(cc, class, (cap + more) * size);
	cc->grows++;
	return cap + more;
}

/**
 * cache_cap_span() - make room for a span
 * @cc: the charges
 * @ops: what the classes answer to
 * @class: the class; it has no span
 * @bytes: what can be handed out of a whole span
 * @allowed: bytes that the cache may keep
 *
 * All others give up what they have if need be, in the end the class's own list.
 *
 * Return: false if it does not fit; else it is charged already.
 */
bool cache_cap_span(struct cache_cap *cc, const struct cache_cap_ops *ops,
		    unsigned int class, u32 bytes, u64 allowed)
{
	/* Did it have one after all, that is gone now. */
	cache_cap_set_span(cc, class, 0);
	if (bytes > allowed) {
		cc->denied++;
		return false;
	}
	if (!cache_cap_room(cc, ops, class, bytes, allowed, GOALLOC_NR_CLASSES, false) &&
	    !cache_cap_room(cc, ops, class, bytes, allowed, GOALLOC_NR_CLASSES, true))
		ops->give_up(cc, class);
	cache_cap_set_span(cc, class, bytes);
	return true;
}
