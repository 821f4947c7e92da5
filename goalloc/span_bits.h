/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which slots of a span may be handed out. Pure: no locks, no memory of its
 * own; see span_bits.c for how the parts work together.
 */
#ifndef GOALLOC_SPAN_BITS_H
#define GOALLOC_SPAN_BITS_H

#include "core_env.h"

/* Slots described by one word, and by the window. */
#define SPAN_BITS_WINDOW 64

/**
 * struct span_bits - free slots of one span
 * @alloc_cache: window: complement of the alloc bits from @freeindex on, bit 0
 *               is slot @freeindex; may hold ones beyond @nelems. Owner.
 * @freeindex: slots below it count as allocated; 0..@nelems. Owner.
 * @nelems: number of slots
 * @nr_freed: freed bits that are set. Central lock.
 * @words: alloc bits (1 = not free), then freed bits (1 = came back since the
 *         last sweep), span_bits_words(@nelems) words each. Alloc bits change
 *         only in a sweep, freed bits under the central lock.
 *
 * "Owner" is the cache that allocates from the span, or whoever holds the
 * central lock while no cache does.
 */
struct span_bits {
	u64 alloc_cache;
	u16 freeindex;
	u16 nelems;
	u16 nr_freed;
	u64 words[];
};

/* Words of 64 slots for @nelems slots. */
static inline unsigned int span_bits_words(unsigned int nelems)
{
	return (nelems + SPAN_BITS_WINDOW - 1) / SPAN_BITS_WINDOW;
}

/* Bytes of the two bitmaps for @nelems slots. */
static inline size_t span_bits_bytes(unsigned int nelems)
{
	return 2 * span_bits_words(nelems) * sizeof(u64);
}

static inline u64 *span_bits_freed(struct span_bits *b)
{
	return b->words + span_bits_words(b->nelems);
}

void span_bits_init(struct span_bits *b, unsigned int nelems);
unsigned int span_bits_next(struct span_bits *b);
unsigned int span_bits_take(struct span_bits *b, unsigned int nth);
bool span_bits_free(struct span_bits *b, unsigned int slot);
unsigned int span_bits_sweep(struct span_bits *b);
unsigned int span_bits_unused(const struct span_bits *b);
bool span_bits_is_free(const struct span_bits *b, unsigned int slot);

/**
 * span_bits_next_fast - take the next free slot if the window shows it
 * @b: bits of a span that the caller owns
 *
 * Return: the slot, now taken, or a number >= @b->nelems if span_bits_next()
 *         must be asked: the window is used up, or taking the slot would leave
 *         it at a word boundary, where it has to be loaded anew.
 */
static __always_inline unsigned int span_bits_next_fast(struct span_bits *b)
{
	u64 window = b->alloc_cache;
	unsigned int skip, slot, next;

	if (unlikely(!window))
		return ~0U;
	skip = __ffs64(window);
	slot = b->freeindex + skip;
	if (unlikely(slot >= b->nelems))
		return ~0U;
	next = slot + 1;
	if (unlikely(next % SPAN_BITS_WINDOW == 0 && next != b->nelems))
		return ~0U;
	/* Two shifts, because skip + 1 may be 64. */
	b->alloc_cache = window >> skip >> 1;
	b->freeindex = next;
	return slot;
}

/**
 * span_bits_put - note that a slot came back, if it was out
 * @b: bits; the caller holds the central lock
 * @slot: its number, below @b->nelems
 *
 * Return: false if it is free already, for the owner to hand out or come back
 *         since; then nothing is changed.
 */
static __always_inline bool span_bits_put(struct span_bits *b, unsigned int slot)
{
	unsigned int word = slot / SPAN_BITS_WINDOW;
	u64 bit = 1ULL << (slot % SPAN_BITS_WINDOW);
	u64 *freed = span_bits_freed(b) + word;

	if (unlikely(*freed & bit ||
		     (slot >= b->freeindex && !(b->words[word] & bit))))
		return false;
	*freed |= bit;
	b->nr_freed++;
	return true;
}

#endif /* GOALLOC_SPAN_BITS_H */
