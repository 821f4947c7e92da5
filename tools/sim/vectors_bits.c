// SPDX-License-Identifier: GPL-2.0-only
/*
 * vectors_bits.c - tables about one chunk, one word, or one page cache.
 */
#include <stdio.h>
#include "vectors.h"

/* Set the ranges [first, length] of a list. */
void vec_bits_ranges(u64 *bits, const json_t *ranges)
{
	json_t *range;
	size_t i;

	json_array_foreach(ranges, i, range)
		palloc_bits_set(bits, vec_at(range, 0), vec_at(range, 1));
}

void vec_expect_words(const char *what, const u64 *expected, const u64 *got)
{
	char name[64];
	unsigned int w;

	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		snprintf(name, sizeof(name), "%s, word %u", what, w);
		vec_expect(name, expected[w], got[w]);
	}
}

static void read_words(u64 *bits, const json_t *words)
{
	unsigned int w;

	for (w = 0; w < PALLOC_CHUNK_WORDS; w++)
		bits[w] = vec_at(words, w);
}

void vec_alloc_range_words(const json_t *entry)
{
	const json_t *range = json_object_get(entry, "range");
	const json_t *words = json_object_get(entry, "words");
	u64 bits[PALLOC_CHUNK_WORDS] = {};
	u64 want[PALLOC_CHUNK_WORDS] = {};
	unsigned int w;

	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		char key[16];
		const json_t *word;

		snprintf(key, sizeof(key), "%u", w);
		word = json_object_get(words, key);
		if (word)
			want[w] = vec_u64(word);
	}
	palloc_bits_set(bits, vec_at(range, 0), vec_at(range, 1));
	vec_expect_words("bitmap", want, bits);
}

void vec_popcnt_range(const json_t *entry)
{
	u64 bits[PALLOC_CHUNK_WORDS] = {};
	json_t *q;
	size_t i;

	vec_bits_ranges(bits, json_object_get(entry, "set"));
	json_array_foreach(json_object_get(entry, "queries"), i, q)
		vec_expect("ones in range", vec_at(q, 2),
			   palloc_bits_popcount(bits, vec_at(q, 0),
						vec_at(q, 1)));
}

static void expect_sum(palloc_sum_t sum, u64 start, u64 max, u64 end)
{
	vec_expect("start", start, palloc_sum_start(sum));
	vec_expect("max", max, palloc_sum_max(sum));
	vec_expect("end", end, palloc_sum_end(sum));
}

void vec_summarize(const json_t *entry)
{
	const json_t *want = json_object_get(entry, "expect");
	u64 bits[PALLOC_CHUNK_WORDS] = {};
	unsigned int w;

	vec_bits_ranges(bits, json_object_get(entry, "free"));
	for (w = 0; w < PALLOC_CHUNK_WORDS; w++)
		bits[w] = ~bits[w];
	expect_sum(palloc_bits_summarize(bits), vec_at(want, 0),
		   vec_at(want, 1), vec_at(want, 2));
}

void vec_bits_alloc(const json_t *entry)
{
	unsigned int n = vec_u64(json_object_get(entry, "npages"));
	u64 bits[PALLOC_CHUNK_WORDS] = {};
	u64 want[PALLOC_CHUNK_WORDS] = {};
	json_t *hit;
	size_t i;

	vec_bits_ranges(bits, json_object_get(entry, "before"));
	vec_bits_ranges(want, json_object_get(entry, "after"));
	json_array_foreach(json_object_get(entry, "hits"), i, hit) {
		unsigned int first;
		unsigned int at = palloc_bits_find(bits, n, 0, &first);

		vec_expect("page found", vec_or_null(hit, PALLOC_CHUNK_NONE),
			   at);
		if (at != PALLOC_CHUNK_NONE)
			palloc_bits_set(bits, at, n);
	}
	vec_expect_words("bitmap afterwards", want, bits);
}

void vec_bits_free(const json_t *entry)
{
	unsigned int n = vec_u64(json_object_get(entry, "npages"));
	u64 bits[PALLOC_CHUNK_WORDS] = {};
	u64 want[PALLOC_CHUNK_WORDS] = {};
	json_t *page;
	size_t i;
	unsigned int w;

	vec_bits_ranges(bits, json_object_get(entry, "before_free"));
	vec_bits_ranges(want, json_object_get(entry, "after_free"));
	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		bits[w] = ~bits[w];
		want[w] = ~want[w];
	}
	json_array_foreach(json_object_get(entry, "frees"), i, page)
		palloc_bits_clear(bits, vec_u64(page), n);
	vec_expect_words("bitmap afterwards", want, bits);
}

void vec_summarize_random(const json_t *entry)
{
	u64 bits[PALLOC_CHUNK_WORDS];
	palloc_sum_t sum;

	read_words(bits, json_object_get(entry, "words"));
	sum = palloc_bits_summarize(bits);
	expect_sum(sum, vec_u64(json_object_get(entry, "start")),
		   vec_u64(json_object_get(entry, "max")),
		   vec_u64(json_object_get(entry, "end")));
	vec_expect("packed summary", vec_u64(json_object_get(entry, "packed")),
		   sum);
}

void vec_find_random(const json_t *entry)
{
	u64 want = vec_or_null(json_object_get(entry, "index"),
			       PALLOC_CHUNK_NONE);
	u64 bits[PALLOC_CHUNK_WORDS];
	unsigned int first, at;

	read_words(bits, json_object_get(entry, "words"));
	at = palloc_bits_find(bits, vec_u64(json_object_get(entry, "npages")),
			      vec_u64(json_object_get(entry, "search_idx")),
			      &first);
	vec_expect("page found", want, at);
	if (want != PALLOC_CHUNK_NONE)
		vec_expect("first free page",
			   vec_u64(json_object_get(entry, "new_search_idx")),
			   first);
}

void vec_find_word(const json_t *entry)
{
	u64 want = vec_or_null(json_array_get(entry, 2), 64);
	u64 got = palloc_word_find(vec_at(entry, 0), vec_at(entry, 1));

	/* Anything from 64 on means that there is no run. */
	vec_expect("bit found", min_t(u64, want, 64), min_t(u64, got, 64));
}

void vec_fill_aligned(const json_t *entry)
{
	vec_expect("filled word", vec_at(entry, 2),
		   palloc_word_fill_aligned(vec_at(entry, 0),
					    vec_at(entry, 1)));
}

void vec_find_candidate(const json_t *entry)
{
	const json_t *want = json_object_get(entry, "want");
	struct palloc_chunk c = {};
	unsigned int i, n;

	vec_bits_ranges(c.alloc, json_object_get(entry, "alloc"));
	vec_bits_ranges(c.scavenged, json_object_get(entry, "scavenged"));
	i = palloc_chunk_find_candidate(&c, PALLOC_CHUNK_PAGES - 1,
					vec_u64(json_object_get(entry, "min")),
					vec_u64(json_object_get(entry, "max")),
					256, false, &n);
	vec_expect("length", vec_at(want, 1), n);
	if (vec_at(want, 1))
		vec_expect("start", vec_at(want, 0), i);
}

void vec_cache_alloc(const json_t *entry)
{
	struct page_cache c = {
		.base = 0,
		.cache = vec_u64(json_object_get(entry, "cache")),
		.scav = vec_u64(json_object_get(entry, "scav")),
	};
	json_t *hit;
	size_t i;

	json_array_foreach(json_object_get(entry, "hits"), i, hit) {
		unsigned int scav;
		u64 page = page_cache_alloc(&c, vec_at(hit, 0), &scav);

		vec_expect("page", vec_or_null(json_array_get(hit, 1),
					       PALLOC_NONE), page);
		vec_expect("scavenged bytes", vec_at(hit, 2), scav * 8192ULL);
	}
}
