/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * palloc_chunk.h - the two bitmaps of 512 pages, and searches in them.
 *
 * Two bits per page, four states:
 *
 *	alloc scavenged
 *	  0      0	free, contents unknown
 *	  0      1	free, known to be zero (fresh, or released and returned)
 *	  1      0	allocated, or in somebody's page cache
 *	  1      1	not ours: never grown, or disowned
 *
 * Bit i is page i of the chunk; word i / 64, bit i % 64.
 */
#ifndef GOALLOC_PALLOC_CHUNK_H
#define GOALLOC_PALLOC_CHUNK_H

#include "palloc_sum.h"

#define PALLOC_CHUNK_WORDS	(PALLOC_CHUNK_PAGES / 64)

/* "No such page in the chunk." */
#define PALLOC_CHUNK_NONE	(~0U)

/**
 * struct palloc_chunk - the page bitmaps of one chunk
 * @alloc: 1 = not available to an allocation
 * @scavenged: with @alloc clear, 1 = known to be zero; with @alloc set,
 *	1 = not ours
 *
 * Written under the lock of the palloc it belongs to.
 */
struct palloc_chunk {
	u64 alloc[PALLOC_CHUNK_WORDS];
	u64 scavenged[PALLOC_CHUNK_WORDS];
};

/**
 * palloc_word_mask() - bits @bit to @bit + @n - 1 of a word
 * @bit: first bit, 0 to 63
 * @n: number of bits, 1 to 64 - @bit
 *
 * Context: Any.
 * Return: the mask.
 */
static inline u64 palloc_word_mask(unsigned int bit, unsigned int n)
{
	return (~0ULL >> (64 - n)) << bit;
}

unsigned int palloc_word_find(u64 ones, unsigned int n);
u64 palloc_word_fill_aligned(u64 x, unsigned int m);

void palloc_bits_set(u64 *bits, unsigned int i, unsigned int n);
void palloc_bits_clear(u64 *bits, unsigned int i, unsigned int n);
unsigned int palloc_bits_popcount(const u64 *bits, unsigned int i,
				  unsigned int n);
unsigned int palloc_bits_find(const u64 *bits, unsigned int n,
			      unsigned int from, unsigned int *first);
palloc_sum_t palloc_bits_summarize(const u64 *bits);
palloc_sum_t palloc_bits_joined(const u64 *bits, palloc_sum_t old, unsigned int i,
				unsigned int n);

unsigned int palloc_chunk_take(struct palloc_chunk *c, unsigned int i,
			       unsigned int n);
unsigned int palloc_chunk_find_candidate(const struct palloc_chunk *c,
					 unsigned int from, unsigned int min,
					 unsigned int max, unsigned int huge,
					 bool clean_too, unsigned int *n);

#endif /* GOALLOC_PALLOC_CHUNK_H */
