// SPDX-License-Identifier: GPL-2.0-only
/*
 * A general allocator as small as they come, of the kind that Kernighan and
 * Ritchie explain in their book: all free blocks in one circular list, ordered by
 * address.
 *
 *	base -> block ......... -> block .... -> block .......... -> base
 *	                              ^ rover
 *
 * An allocation goes round the list, from where the last operation was to the
 * first block with room ("next fit"; from the beginning it would be "first
 * fit"), and cuts its object off the end of that. A free goes round the list to the
 * place that the block has by its address, and there becomes one with the free
 * blocks that it touches. Each block, free or not, has a header of one unit in
 * front, where its size is.
 *
 * Both operations take time proportional to the number of free blocks. That,
 * and what lies in holes too small for the requests that come, is what size
 * classes are there to avoid.
 *
 * The book's objects are aligned for the machine's types and no more. Here they
 * are aligned as the caller says: the object moves down to such an address, and what
 * lies behind it stays a free block. Since the header comes first, a row of objects
 * of 64 bytes with that alignment has 48 free bytes between every two.
 *
 * The same file is compiled into user space: it calls nothing.
 */
#include <linux/kernel.h>
#include <linux/types.h>

#include "next_fit.h"

static struct next_fit_block *block_at(unsigned long addr)
{
	return (struct next_fit_block *)addr;
}

static unsigned long block_end(const struct next_fit_block *block)
{
	return (unsigned long)block + block->units * NEXT_FIT_UNIT;
}

/* Two that touch. The base is no memory: nothing touches it. */
static bool blocks_touch(const struct next_fit_block *low, const struct next_fit_block *high)
{
	return low->units && high->units && block_end(low) == (unsigned long)high;
}

/* Is the place of @block in the list behind @prev? */
static bool block_belongs(const struct next_fit_block *prev, const struct next_fit_block *block)
{
	unsigned long from = (unsigned long)prev, to = (unsigned long)prev->next;
	unsigned long at = (unsigned long)block;

	if (from < to)
		return from < at && at < to;
	/* @prev is the last by address, and @to the first. */
	return at > from || at < to;
}

/**
 * next_fit_init - begin with no memory
 * @nf: the list
 */
void next_fit_init(struct next_fit *nf)
{
	nf->base.next = &nf->base;
	nf->base.units = 0;
	nf->rover = &nf->base;
}

/**
 * next_fit_add - give memory
 * @nf: the list
 * @mem: aligned to a unit; it stays the list's
 * @bytes: rounded down to units
 */
void next_fit_add(struct next_fit *nf, void *mem, size_t bytes)
{
	struct next_fit_block *block = mem;

	block->units = bytes / NEXT_FIT_UNIT;
	if (block->units)
		next_fit_free(nf, block + 1);
}

/* Where in a free block an object of @units, header included, begins; or 0. */
static unsigned long block_fits(const struct next_fit_block *block, size_t units, size_t align)
{
	unsigned long object;

	if (block->units < units)
		return 0;
	object = (block_end(block) - (units - 1) * NEXT_FIT_UNIT) & ~(align - 1);
	return object >= (unsigned long)block + NEXT_FIT_UNIT ? object : 0;
}

/* Take @object with @units out of the free block behind @prev. */
static void block_cut(struct next_fit_block *prev, unsigned long object, size_t units)
{
	struct next_fit_block *block = prev->next, *next = block->next, *behind;
	unsigned long begin = object - NEXT_FIT_UNIT, end = block_end(block);
	unsigned long stop = begin + units * NEXT_FIT_UNIT;

	if (stop < end) {
		behind = block_at(stop);
		behind->units = (end - stop) / NEXT_FIT_UNIT;
		behind->next = next;
		next = behind;
	}
	if ((unsigned long)block < begin) {
		block->units = (begin - (unsigned long)block) / NEXT_FIT_UNIT;
		block->next = next;
	} else {
		prev->next = next;
	}
	block_at(begin)->units = units;
}

/**
 * next_fit_alloc - allocate
 * @nf: the list
 * @size: bytes, not 0
 * @align: a power of two; a unit at least is given
 *
 * Return: the object, or NULL if no block has room.
 */
void *next_fit_alloc(struct next_fit *nf, size_t size, size_t align)
{
	size_t units = (size + NEXT_FIT_UNIT - 1) / NEXT_FIT_UNIT + 1;
	struct next_fit_block *prev = nf->rover;
	unsigned long object;

	if (align < NEXT_FIT_UNIT)
		align = NEXT_FIT_UNIT;
	do {
		object = block_fits(prev->next, units, align);
		if (object) {
			block_cut(prev, object, units);
			nf->rover = prev;
			return (void *)object;
		}
		prev = prev->next;
	} while (prev != nf->rover);
	return NULL;
}

/**
 * next_fit_free - free
 * @nf: the list that @p is from
 * @p: from next_fit_alloc()
 */
void next_fit_free(struct next_fit *nf, void *p)
{
	struct next_fit_block *block = (struct next_fit_block *)p - 1;
	struct next_fit_block *prev = nf->rover, *next;

	while (!block_belongs(prev, block))
		prev = prev->next;
	next = prev->next;

	block->next = next;
	if (blocks_touch(block, next)) {
		block->units += next->units;
		block->next = next->next;
	}
	prev->next = block;
	if (blocks_touch(prev, block)) {
		prev->units += block->units;
		prev->next = block->next;
	}
	/* Not @next: it may be no block any more. */
	nf->rover = prev;
}

/**
 * next_fit_usable - the size of an object
 * @p: from next_fit_alloc()
 *
 * Return: bytes that may be used, without the header.
 */
size_t next_fit_usable(const void *p)
{
	const struct next_fit_block *block = (const struct next_fit_block *)p - 1;

	return (block->units - 1) * NEXT_FIT_UNIT;
}
