// SPDX-License-Identifier: GPL-2.0-only
/*
 * bitmap.c - baseline: first fit by scanning one flat bitmap, a word at a time.
 *
 * The obvious way to be address-ordered.  It remembers, as the tree does, below
 * which page nothing is free.
 */
#include <stdlib.h>
#include "heaps.h"

struct bitmap {
	struct heap heap;
	u64 *bits;		/* 1 = allocated */
	u64 nr_pages;
	u64 low;
};

static u64 bitmap_alloc(struct heap *h, u64 n)
{
	struct bitmap *b = container_of(h, struct bitmap, heap);
	u64 page = b->low, run = 0, base;
	bool seen = false;

	while (page < b->nr_pages) {
		u64 word = b->bits[page / 64] >> page % 64;
		u64 left = 64 - page % 64;
		u64 k;

		if (word & 1) {
			/* Skip what is allocated. */
			k = ~word ? __ffs64(~word) : 64;
			page += min(k, left);
			run = 0;
			continue;
		}
		if (!seen)
			b->low = page;
		seen = true;
		k = word ? __ffs64(word) : left;
		run += k;
		page += k;
		if (run < n)
			continue;
		base = page - run;
		for (k = 0; k < n;) {
			unsigned int at = (base + k) % 64;
			unsigned int m = min_t(u64, n - k, 64 - at);

			b->bits[(base + k) / 64] |= palloc_word_mask(at, m);
			k += m;
		}
		return base;
	}
	return PALLOC_NONE;
}

static void bitmap_free(struct heap *h, u64 base, u64 n)
{
	struct bitmap *b = container_of(h, struct bitmap, heap);

	b->low = min(b->low, base);
	while (n) {
		unsigned int m = min_t(u64, n, 64 - base % 64);

		b->bits[base / 64] &= ~palloc_word_mask(base % 64, m);
		base += m;
		n -= m;
	}
}

static bool bitmap_used(struct heap *h, u64 base, u64 n)
{
	struct bitmap *b = container_of(h, struct bitmap, heap);

	for (; n; n--, base++)
		if (!(b->bits[base / 64] >> base % 64 & 1))
			return false;
	return true;
}

static void bitmap_destroy(struct heap *h)
{
	struct bitmap *b = container_of(h, struct bitmap, heap);

	free(b->bits);
	free(b);
}

static void bitmap_run(void *ctx, u64 base, u64 n)
{
	struct bitmap *b = ctx;

	bitmap_free(&b->heap, base, n);
}

struct heap *bitmap_new(u64 nr_pages, unsigned int percent)
{
	struct bitmap *b = calloc(1, sizeof(*b));

	b->nr_pages = nr_pages;
	b->low = nr_pages;
	b->bits = malloc(nr_pages / 8);
	if (!b->bits) {
		free(b);
		return NULL;
	}
	memset(b->bits, 0xff, nr_pages / 8);
	heap_runs(nr_pages, percent, bitmap_run, b);
	b->heap = (struct heap){
		"bitmap", bitmap_alloc, bitmap_free, bitmap_used,
		bitmap_destroy,
	};
	return &b->heap;
}
