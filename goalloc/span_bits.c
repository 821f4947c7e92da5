// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which slots of a span may be handed out.
 *
 * This is Go's scheme: allocation never writes a bitmap. The owner of a span
 * walks it upwards, freeindex first, through a 64-bit window (alloc_cache) that
 * holds the complement of the alloc bits, so that the next free slot is a count
 * of trailing zeros. A slot is free exactly if it is at or above freeindex and
 * its alloc bit is clear; whatever lies below freeindex counts as taken.
 *
 * In Go the alloc bits are replaced by the mark bits when a span is swept.
 * Here objects come back one by one: each sets a bit among the freed bits,
 * which nobody reads while a cache owns the span. When the span has no owner, a
 * sweep folds them in: the new alloc bits are everything taken so far less what
 * came back, and the walk starts again at slot 0. A collected heap can hand
 * over mark bits through the same door.
 *
 * So the owner works without a lock and those who free work under the central
 * lock, and they touch different words.
 */
#include "span_bits.h"

/* Load the window with the word that holds freeindex, which is in range. */
static void span_bits_refill(struct span_bits *b)
{
	unsigned int slot = b->freeindex;

	b->alloc_cache = ~b->words[slot / SPAN_BITS_WINDOW] >>
			 (slot % SPAN_BITS_WINDOW);
}

/**
 * span_bits_init - all slots free
 * @b: bits, with room for span_bits_bytes(@nelems) behind them
 * @nelems: number of slots
 */
void span_bits_init(struct span_bits *b, unsigned int nelems)
{
	b->freeindex = 0;
	b->nelems = nelems;
	b->nr_freed = 0;
	b->alloc_cache = ~0ULL;
	memset(b->words, 0, span_bits_bytes(nelems));
}
GOALLOC_EXPORT_KUNIT(span_bits_init);

/**
 * span_bits_next - take the next free slot
 * @b: bits of a span that the caller owns
 *
 * Return: the slot, now taken, or @b->nelems if there is none.
 */
unsigned int span_bits_next(struct span_bits *b)
{
	unsigned int slot = b->freeindex;
	unsigned int skip;

	if (slot >= b->nelems)
		return b->nelems;

	while (!b->alloc_cache) {
		slot = (slot / SPAN_BITS_WINDOW + 1) * SPAN_BITS_WINDOW;
		if (slot >= b->nelems) {
			b->freeindex = b->nelems;
			return b->nelems;
		}
		b->freeindex = slot;
		span_bits_refill(b);
	}

	skip = __ffs64(b->alloc_cache);
	slot = b->freeindex + skip;
	if (slot >= b->nelems) {
		b->freeindex = b->nelems;
		return b->nelems;
	}
	b->alloc_cache = b->alloc_cache >> skip >> 1;
	b->freeindex = slot + 1;
	if (b->freeindex % SPAN_BITS_WINDOW == 0 && b->freeindex != b->nelems)
		span_bits_refill(b);
	return slot;
}
GOALLOC_EXPORT_KUNIT(span_bits_next);

/**
 * span_bits_free - note that a slot came back
 * @b: bits; the caller holds the central lock
 * @slot: its number, below @b->nelems
 *
 * Return: false if it had come back already; then nothing is changed.
 */
bool span_bits_free(struct span_bits *b, unsigned int slot)
{
	u64 *word = span_bits_freed(b) + slot / SPAN_BITS_WINDOW;
	u64 bit = 1ULL << (slot % SPAN_BITS_WINDOW);

	if (*word & bit)
		return false;
	*word |= bit;
	b->nr_freed++;
	return true;
}
GOALLOC_EXPORT_KUNIT(span_bits_free);

/* Alloc bits of word @i with everything below freeindex counted as taken. */
static u64 span_bits_taken(const struct span_bits *b, unsigned int i)
{
	unsigned int base = i * SPAN_BITS_WINDOW;
	u64 taken = b->words[i];

	if (b->freeindex >= base + SPAN_BITS_WINDOW)
		taken = ~0ULL;
	else if (b->freeindex > base)
		taken |= (1ULL << (b->freeindex - base)) - 1;
	return taken;
}

/* The slots of word @i that exist. */
static u64 span_bits_valid(const struct span_bits *b, unsigned int i)
{
	unsigned int left = b->nelems - i * SPAN_BITS_WINDOW;

	return left >= SPAN_BITS_WINDOW ? ~0ULL : (1ULL << left) - 1;
}

/**
 * span_bits_sweep - make the slots that came back free again
 * @b: bits of a span without an owner; the caller holds the central lock
 *
 * Return: number of free slots.
 */
unsigned int span_bits_sweep(struct span_bits *b)
{
	unsigned int words = span_bits_words(b->nelems);
	u64 *freed = span_bits_freed(b);
	unsigned int nr_free = 0;
	unsigned int i;

	for (i = 0; i < words; i++) {
		b->words[i] = span_bits_taken(b, i) & ~freed[i];
		freed[i] = 0;
		nr_free += hweight64(~b->words[i] & span_bits_valid(b, i));
	}
	b->nr_freed = 0;
	b->freeindex = 0;
	span_bits_refill(b);
	return nr_free;
}
GOALLOC_EXPORT_KUNIT(span_bits_sweep);

/**
 * span_bits_take - take one free slot of several
 * @b: bits of a span that the caller owns
 * @nth: which of the free slots, counted from 0 in ascending order
 *
 * Unlike span_bits_next() it leaves what lies below the slot free. It looks at
 * every word, and is for those who do not want to be predictable.
 *
 * Return: the slot, now taken, or @b->nelems if fewer than @nth + 1 are free.
 */
unsigned int span_bits_take(struct span_bits *b, unsigned int nth)
{
	unsigned int words = span_bits_words(b->nelems);
	unsigned int i;

	for (i = 0; i < words; i++) {
		u64 free = ~span_bits_taken(b, i) & span_bits_valid(b, i);
		unsigned int nr = hweight64(free);

		if (nth >= nr) {
			nth -= nr;
			continue;
		}
		while (nth--)
			free &= free - 1;
		b->words[i] |= 1ULL << __ffs64(free);
		/* The window shows the alloc bits of its word. */
		if (i == b->freeindex / SPAN_BITS_WINDOW)
			span_bits_refill(b);
		return i * SPAN_BITS_WINDOW + __ffs64(free);
	}
	return b->nelems;
}
GOALLOC_EXPORT_KUNIT(span_bits_take);

/**
 * span_bits_unused - slots that the owner can still take
 * @b: bits; while the owner is at work the answer is of some moment past
 *
 * Return: number of free slots at or above freeindex, freed bits not counted.
 */
unsigned int span_bits_unused(const struct span_bits *b)
{
	unsigned int words = span_bits_words(b->nelems);
	unsigned int unused = 0;
	unsigned int i;

	for (i = 0; i < words; i++)
		unused += hweight64(~span_bits_taken(b, i) & span_bits_valid(b, i));
	return unused;
}
GOALLOC_EXPORT_KUNIT(span_bits_unused);

/**
 * span_bits_is_free - could this slot be handed out by the owner?
 * @b: bits
 * @slot: its number, below @b->nelems
 *
 * Return: true if it is at or above freeindex and its alloc bit is clear.
 */
bool span_bits_is_free(const struct span_bits *b, unsigned int slot)
{
	return !(span_bits_taken(b, slot / SPAN_BITS_WINDOW) >>
		 (slot % SPAN_BITS_WINDOW) & 1);
}
GOALLOC_EXPORT_KUNIT(span_bits_is_free);
