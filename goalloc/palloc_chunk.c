// SPDX-License-Identifier: GPL-2.0-only
/*
 * palloc_chunk.c - searching and summarizing the bitmaps of one chunk.
 *
 * Everything here works on eight words in a register each and has no state.
 * Two ideas carry the file:
 *
 * A run of n free bits inside one word is found without looking at bits one by
 * one.  If c has a 1 for each free page, c & c >> 1 has a 1 wherever two free
 * pages follow each other; doing the same to the result with a shift of 2
 * leaves four in a row, and so on: log2(n) steps.
 *
 * A run across words is found by carrying the number of free pages at the top
 * of the previous word.  Words that are all ones or all zeros need no search.
 *
 * Searches go upwards for allocation (lowest address first) and downwards for
 * releasing memory (highest address first), so that the two stay out of each
 * other's way.
 */
#include "palloc_chunk.h"

/* Free bits at the low end of a word of a bitmap; 64 if all are free. */
static inline unsigned int free_low(u64 word)
{
	return word ? __ffs64(word) : 64;
}

/* Free bits at the high end of a word of a bitmap; 64 if all are free. */
static inline unsigned int free_high(u64 word)
{
	return 64 - fls64(word);
}

/**
 * palloc_word_find() - find a run of ones in a word
 * @ones: the word
 * @n: length of the run, 1 to 64
 *
 * Context: Any.
 * Return: the lowest bit at which @n ones begin, or 64 if there is no such run.
 */
unsigned int palloc_word_find(u64 ones, unsigned int n)
{
	unsigned int left = n - 1;
	unsigned int shift = 1;

	while (left) {
		if (left <= shift) {
			ones &= ones >> left;
			break;
		}
		ones &= ones >> shift;
		if (!ones)
			return 64;
		left -= shift;
		shift *= 2;
	}
	return free_low(ones);
}
GOALLOC_EXPORT_KUNIT(palloc_word_find);

/**
 * palloc_word_fill_aligned() - set whole groups in which any bit is set
 * @x: the word
 * @m: bits in a group, a power of two, 1 to 64
 *
 * Context: Any.
 * Return: @x with each aligned group of @m bits all ones, if any bit of the
 * group was one, else all zeros.
 */
u64 palloc_word_fill_aligned(u64 x, unsigned int m)
{
	unsigned int s;

	if (m == 1)
		return x;
	/* Collect each group in its lowest bit; other bits become noise ... */
	for (s = 1; s < m; s *= 2)
		x |= x >> s;
	/* ... which goes: a one at every m-th bit ... */
	x &= m == 64 ? 1 : ~0ULL / ((1ULL << m) - 1);
	/* ... is spread over its group. */
	for (s = 1; s < m; s *= 2)
		x |= x << s;
	return x;
}
GOALLOC_EXPORT_KUNIT(palloc_word_fill_aligned);

/**
 * palloc_bits_set() - set a range of bits
 * @bits: PALLOC_CHUNK_WORDS words
 * @i: first bit
 * @n: number of bits; @i + @n is at most PALLOC_CHUNK_PAGES
 *
 * Context: The lock of the palloc held.
 */
void palloc_bits_set(u64 *bits, unsigned int i, unsigned int n)
{
	while (n) {
		unsigned int k = min(n, 64 - i % 64);

		bits[i / 64] |= palloc_word_mask(i % 64, k);
		i += k;
		n -= k;
	}
}
GOALLOC_EXPORT_KUNIT(palloc_bits_set);

/**
 * palloc_bits_clear() - clear a range of bits
 * @bits: PALLOC_CHUNK_WORDS words
 * @i: first bit
 * @n: number of bits; @i + @n is at most PALLOC_CHUNK_PAGES
 *
 * Context: The lock of the palloc held.
 */
void palloc_bits_clear(u64 *bits, unsigned int i, unsigned int n)
{
	while (n) {
		unsigned int k = min(n, 64 - i % 64);

		bits[i / 64] &= ~palloc_word_mask(i % 64, k);
		i += k;
		n -= k;
	}
}
GOALLOC_EXPORT_KUNIT(palloc_bits_clear);

/**
 * palloc_bits_popcount() - count the ones in a range
 * @bits: PALLOC_CHUNK_WORDS words
 * @i: first bit
 * @n: number of bits; @i + @n is at most PALLOC_CHUNK_PAGES
 *
 * Context: The lock of the palloc held.
 * Return: the number of ones.
 */
unsigned int palloc_bits_popcount(const u64 *bits, unsigned int i,
				  unsigned int n)
{
	unsigned int sum = 0;

	while (n) {
		unsigned int k = min(n, 64 - i % 64);

		sum += hweight64(bits[i / 64] & palloc_word_mask(i % 64, k));
		i += k;
		n -= k;
	}
	return sum;
}
GOALLOC_EXPORT_KUNIT(palloc_bits_popcount);

/* palloc_bits_find() for @n pages of at most one word. */
static unsigned int find_small(const u64 *bits, unsigned int n,
			       unsigned int from, unsigned int *first)
{
	unsigned int carried = 0;
	unsigned int w;

	*first = PALLOC_CHUNK_NONE;
	for (w = from / 64; w < PALLOC_CHUNK_WORDS; w++) {
		u64 word = bits[w];
		unsigned int low, at;

		if (!~word) {
			carried = 0;
			continue;
		}
		if (*first == PALLOC_CHUNK_NONE)
			*first = w * 64 + __ffs64(~word);
		low = free_low(word);
		if (carried + low >= n)
			return w * 64 - carried;
		at = palloc_word_find(~word, n);
		if (at < 64)
			return w * 64 + at;
		carried = free_high(word);
	}
	return PALLOC_CHUNK_NONE;
}

/* palloc_bits_find() for more pages than fit in a word. */
static unsigned int find_large(const u64 *bits, unsigned int n,
			       unsigned int from, unsigned int *first)
{
	unsigned int start = 0;
	unsigned int size = 0;
	unsigned int w;

	*first = PALLOC_CHUNK_NONE;
	for (w = from / 64; w < PALLOC_CHUNK_WORDS; w++) {
		u64 word = bits[w];
		unsigned int low;

		if (!~word) {
			size = 0;
			continue;
		}
		if (*first == PALLOC_CHUNK_NONE)
			*first = w * 64 + __ffs64(~word);
		low = free_low(word);
		if (size && size + low >= n)
			return start;
		if (size && low == 64) {
			size += 64;
			continue;
		}
		/* The run ends here; another may begin at the word's top. */
		size = free_high(word);
		start = w * 64 + 64 - size;
	}
	return size >= n ? start : PALLOC_CHUNK_NONE;
}

/**
 * palloc_bits_find() - find the lowest run of free pages
 * @bits: alloc bits of a chunk, 1 = not free
 * @n: pages wanted, 1 to PALLOC_CHUNK_PAGES
 * @from: where to begin; all bits below it must be set
 * @first: where to store the lowest free page seen; only meaningful if a run
 *	was found
 *
 * Context: The lock of the palloc held.
 * Return: the page at which the run begins, or PALLOC_CHUNK_NONE.
 */
unsigned int palloc_bits_find(const u64 *bits, unsigned int n,
			      unsigned int from, unsigned int *first)
{
	unsigned int w;

	if (n > 64)
		return find_large(bits, n, from, first);
	if (n > 1)
		return find_small(bits, n, from, first);
	for (w = from / 64; w < PALLOC_CHUNK_WORDS; w++) {
		if (~bits[w]) {
			*first = w * 64 + __ffs64(~bits[w]);
			return *first;
		}
	}
	return PALLOC_CHUNK_NONE;
}
GOALLOC_EXPORT_KUNIT(palloc_bits_find);

/*
 * The longest run of zeros inside a word, not counting those at its two ends,
 * if it is longer than @best; else @best.
 */
static unsigned int interior_run(u64 word, unsigned int best)
{
	word >>= __ffs64(word);
	for (;;) {
		u64 smeared = word;
		unsigned int left = best;
		unsigned int shift = 1;
		unsigned int gap;

		/* Ones with nothing but ones below: no zero run inside. */
		if (!(word & (word + 1)))
			return best;
		/* Grow each one downwards by @best; what stays zero is longer. */
		while (left) {
			unsigned int by = min(left, shift);

			smeared |= smeared >> by;
			left -= by;
			shift *= 2;
		}
		if (!(smeared & (smeared + 1)))
			return best;
		/* The lowest survivor: extend the record by its length. */
		smeared >>= __ffs64(~smeared);
		gap = __ffs64(smeared);
		best += gap;
	}
}

/**
 * palloc_bits_summarize() - the summary of a chunk
 * @bits: alloc bits of the chunk
 *
 * Context: The lock of the palloc held.
 * Return: the packed summary.
 */
palloc_sum_t palloc_bits_summarize(const u64 *bits)
{
	unsigned int start = PALLOC_CHUNK_NONE;
	unsigned int max = 0;
	unsigned int run = 0;
	unsigned int w;

	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		u64 word = bits[w];

		if (!word) {
			run += 64;
			continue;
		}
		run += __ffs64(word);
		if (start == PALLOC_CHUNK_NONE)
			start = run;
		max = max(max, run);
		run = free_high(word);
	}
	if (start == PALLOC_CHUNK_NONE)
		return PALLOC_SUM_FREE_CHUNK;
	max = max(max, run);

	/* A run with a one on both sides in its word has 62 bits at most. */
	for (w = 0; max < 62 && w < PALLOC_CHUNK_WORDS; w++) {
		u64 word = bits[w];

		if (word && ~word)
			max = interior_run(word, max);
	}
	return palloc_sum_pack(start, max, run);
}
GOALLOC_EXPORT_KUNIT(palloc_bits_summarize);

/* The page behind the last one below @i that is allocated, 0 if there is none. */
static unsigned int run_begin(const u64 *bits, unsigned int i)
{
	unsigned int w = i / 64;
	u64 below = bits[w] & (BIT_ULL(i % 64) - 1);

	while (!below) {
		if (!w)
			return 0;
		below = bits[--w];
	}
	return w * 64 + fls64(below);
}

/* The first page from @i on that is allocated, or the end of the chunk. */
static unsigned int run_end(const u64 *bits, unsigned int i)
{
	unsigned int w = i / 64;
	u64 above;

	if (i == PALLOC_CHUNK_PAGES)
		return i;
	above = bits[w] & ~0ULL << i % 64;
	while (!above) {
		if (++w == PALLOC_CHUNK_WORDS)
			return PALLOC_CHUNK_PAGES;
		above = bits[w];
	}
	return w * 64 + __ffs64(above);
}

/**
 * palloc_bits_joined() - the summary of a chunk some of whose pages became free
 * @bits: alloc bits of the chunk, as they are now
 * @old: the summary before
 * @i: first page that became free
 * @n: how many
 *
 * Only one run has become longer, that with these pages in it; so there is no
 * need to look at the others, as palloc_bits_summarize() does.
 *
 * Context: The lock of the palloc held.
 * Return: the packed summary.
 */
palloc_sum_t palloc_bits_joined(const u64 *bits, palloc_sum_t old, unsigned int i,
				unsigned int n)
{
	unsigned int begin = run_begin(bits, i);
	unsigned int end = run_end(bits, i + n);
	unsigned int run = end - begin;

	return palloc_sum_pack(begin ? palloc_sum_start(old) : run,
			       max(palloc_sum_max(old), run),
			       end < PALLOC_CHUNK_PAGES ? palloc_sum_end(old) : run);
}
GOALLOC_EXPORT_KUNIT(palloc_bits_joined);

/**
 * palloc_chunk_take() - mark free pages allocated
 * @c: the chunk
 * @i: first page
 * @n: number of pages; @i + @n is at most PALLOC_CHUNK_PAGES
 *
 * Allocated pages are about to be written, so they lose their scavenged bit.
 *
 * Context: The lock of the palloc held.
 * Return: how many of the pages were scavenged.
 */
unsigned int palloc_chunk_take(struct palloc_chunk *c, unsigned int i,
			       unsigned int n)
{
	unsigned int scav = 0;

	while (n) {
		unsigned int k = min(n, 64 - i % 64);
		u64 mask = palloc_word_mask(i % 64, k);
		unsigned int w = i / 64;
		u64 clean = c->scavenged[w] & mask;

		c->alloc[w] |= mask;
		if (clean) {
			scav += hweight64(clean);
			c->scavenged[w] &= ~mask;
		}
		i += k;
		n -= k;
	}
	return scav;
}
GOALLOC_EXPORT_KUNIT(palloc_chunk_take);

/* A one for each page of a word that cannot be released. */
static inline u64 not_candidate(const struct palloc_chunk *c, unsigned int w,
				unsigned int min, bool clean_too)
{
	u64 bad = c->alloc[w];

	if (!clean_too)
		bad |= c->scavenged[w];
	return palloc_word_fill_aligned(bad, min);
}

/**
 * palloc_chunk_find_candidate() - find the highest run of pages to release
 * @c: the chunk
 * @from: page to begin at, downwards; the whole 64-page word it is in counts
 * @min: smallest piece that can be released, and its alignment: a power of two,
 *	1 to 64
 * @max: pages wanted; 0 means @min, rounded up to a multiple of @min
 * @huge: pages of a huge page, or 0; a power of two, at most the chunk
 * @clean_too: pages with the scavenged bit are candidates as well
 * @n: where to store the length of the run, 0 if there is none
 *
 * The run is the top end of the highest free run.  It is longer than @max
 * where cutting at @max would split a huge page that is free as a whole:
 * either all of that goes or nothing of it.
 *
 * Context: The lock of the palloc held.
 * Return: the first page of the run, a multiple of @min.
 */
unsigned int palloc_chunk_find_candidate(const struct palloc_chunk *c,
					 unsigned int from, unsigned int min,
					 unsigned int max, unsigned int huge,
					 bool clean_too, unsigned int *n)
{
	unsigned int top, start, end, run, size;
	int w = from / 64;
	u64 bad = ~0ULL;

	max = max ? round_up(max, min) : min;
	*n = 0;

	for (; w >= 0; w--) {
		bad = not_candidate(c, w, min, clean_too);
		if (~bad)
			break;
	}
	if (w < 0)
		return 0;

	/* The highest zeros of this word, and what follows below them. */
	top = fls64(~bad);
	end = w * 64 + top;
	run = min(top, free_high(bad << (64 - top)));
	if (run == top) {
		while (--w >= 0) {
			unsigned int more;

			bad = not_candidate(c, w, min, clean_too);
			more = free_high(bad);
			run += more;
			if (more < 64)
				break;
		}
	}
	size = min(run, max);
	start = end - size;

	if (huge > 1) {
		unsigned int above = round_up(start, huge);
		unsigned int below = round_down(start, huge);

		/* @start splits a huge page whose both parts are free? */
		if (above <= end && below >= end - run) {
			size += start - below;
			start = below;
		}
	}
	*n = size;
	return start;
}
GOALLOC_EXPORT_KUNIT(palloc_chunk_find_candidate);
