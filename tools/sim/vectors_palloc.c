// SPDX-License-Identifier: GPL-2.0-only
/*
 * vectors_palloc.c - tables about the page allocator as a whole.
 *
 * The tables count bytes in pages of 8 KiB; the core counts pages, so the same
 * tables hold for any page size.
 */
#include <stdio.h>
#include <stdlib.h>
#include "vectors.h"

#define PAGE_BYTES	8192ULL

static u64 bytes_to_pages(u64 bytes)
{
	return bytes / PAGE_BYTES + (bytes % PAGE_BYTES != 0);
}

static u64 key_chunk(const char *key)
{
	return strtoull(key, NULL, 10);
}

/* A palloc large enough for the highest chunk of @chunks, and checks on. */
static void make(struct vec_palloc *v, u64 highest)
{
	sim_mem_init(&v->mem);
	if (palloc_init(&v->p, &v->mem.mem,
			(highest + 1) << PALLOC_CHUNK_SHIFT, 0)) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	/* The tables count pages of 8 KiB, and huge pages of 2 MiB. */
	v->p.huge_pages = 256;
}

static void add_chunk(struct vec_palloc *v, u64 chunk)
{
	u64 base = chunk << PALLOC_CHUNK_SHIFT;

	if (palloc_reserve(&v->p, base, PALLOC_CHUNK_PAGES, 0)) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	palloc_grow(&v->p, base, PALLOC_CHUNK_PAGES, true);
}

static void check(struct vec_palloc *v)
{
	struct palloc_fault fault;

	if (palloc_check(&v->p, &fault))
		vec_fail("%s: chunk %llu page %llu", fault.what, fault.chunk,
			 fault.page);
}

static u64 highest_chunk(const json_t *chunks)
{
	const char *key;
	json_t *ranges;
	u64 highest = 0;

	json_object_foreach((json_t *)chunks, key, ranges)
		highest = max(highest, key_chunk(key));
	return highest;
}

/*
 * The state a table describes.  Growth marks all pages scavenged; the tables
 * begin with none, list those that are, and then allocate, which clears some.
 */
void vec_palloc_init(struct vec_palloc *v, const json_t *alloc,
		     const json_t *scav)
{
	const char *key;
	json_t *ranges;

	make(v, highest_chunk(alloc));
	json_object_foreach((json_t *)alloc, key, ranges) {
		u64 chunk = key_chunk(key);
		struct palloc_chunk *c;
		json_t *range;
		size_t i;

		add_chunk(v, chunk);
		c = palloc_chunk_of(&v->p, chunk);
		palloc_bits_clear(c->scavenged, 0, PALLOC_CHUNK_PAGES);
		scavenge_index_alloc(&v->p.scav, chunk, PALLOC_CHUNK_PAGES);
		scavenge_index_free(&v->p.scav, chunk, PALLOC_CHUNK_PAGES - 1,
				    PALLOC_CHUNK_PAGES);
		vec_bits_ranges(c->scavenged, json_object_get(scav, key));
		json_array_foreach(ranges, i, range) {
			unsigned int n = vec_at(range, 1);

			if (!n)
				continue;
			palloc_chunk_take(c, vec_at(range, 0), n);
			scavenge_index_alloc(&v->p.scav, chunk, n);
			v->p.nr_free -= n;
		}
		palloc_update_chunk(&v->p, c, chunk);
	}
	check(v);
}

void vec_palloc_destroy(struct vec_palloc *v)
{
	check(v);
	palloc_destroy(&v->p);
	vec_expect("allocations left", 0, v->mem.live);
}

static void compare_bits(struct vec_palloc *v, struct vec_palloc *want)
{
	u64 chunk;

	vec_expect("lowest chunk", want->p.start, v->p.start);
	vec_expect("highest chunk", want->p.end, v->p.end);
	for (chunk = want->p.start; chunk < want->p.end; chunk++) {
		struct palloc_chunk *a = palloc_chunk_of(&want->p, chunk);
		struct palloc_chunk *b = palloc_chunk_of(&v->p, chunk);
		char name[64];

		if (!a && !b)
			continue;
		if (!a || !b) {
			vec_fail("chunk %llu exists in one only", chunk);
			continue;
		}
		snprintf(name, sizeof(name), "chunk %llu alloc", chunk);
		vec_expect_words(name, a->alloc, b->alloc);
		snprintf(name, sizeof(name), "chunk %llu scavenged", chunk);
		vec_expect_words(name, a->scavenged, b->scavenged);
	}
}

void vec_palloc_compare(struct vec_palloc *v, const json_t *alloc,
			const json_t *scav)
{
	struct vec_palloc want;

	vec_palloc_init(&want, alloc, scav);
	compare_bits(v, &want);
	vec_palloc_destroy(&want);
}

/* Which chunks are ours, as the coalesced ranges the table lists. */
void vec_grow(const json_t *entry)
{
	const json_t *chunks = json_object_get(entry, "chunks");
	const json_t *in_use = json_object_get(entry, "in_use");
	struct vec_palloc v;
	u64 highest = 0, chunk, from = 0;
	bool inside = false;
	size_t i, nr = 0;
	json_t *c;

	json_array_foreach(chunks, i, c)
		highest = max(highest, vec_u64(c));
	make(&v, highest + 1);
	json_array_foreach(chunks, i, c)
		add_chunk(&v, vec_u64(c));
	for (chunk = 0; chunk <= highest + 1; chunk++) {
		struct palloc_chunk *pc = palloc_chunk_of(&v.p, chunk);
		bool ours = pc && !palloc_bits_popcount(pc->alloc, 0,
							PALLOC_CHUNK_PAGES);

		if (ours && !inside)
			from = chunk;
		if (!ours && inside) {
			const json_t *r = json_array_get(in_use, nr++);

			if (!r) {
				vec_fail("a range too many");
				break;
			}
			vec_expect("range begins", vec_at(r, 0),
				   from << PALLOC_CHUNK_SHIFT);
			vec_expect("range ends", vec_at(r, 1),
				   chunk << PALLOC_CHUNK_SHIFT);
		}
		inside = ours;
	}
	vec_expect("ranges", json_array_size(in_use), nr);
	vec_palloc_destroy(&v);
}

static void do_alloc(struct vec_palloc *v, u64 n, u64 want, u64 want_scav)
{
	u64 scav;
	u64 page = palloc_alloc(&v->p, n, &scav);

	vec_expect("page", want, page);
	vec_expect("scavenged bytes", want_scav, scav * PAGE_BYTES);
}

void vec_page_alloc(const json_t *entry)
{
	const json_t *scav = json_object_get(entry, "scav");
	struct vec_palloc v;
	json_t *hit;
	size_t i;

	vec_palloc_init(&v, json_object_get(entry, "before"), scav);
	json_array_foreach(json_object_get(entry, "hits"), i, hit) {
		do_alloc(&v, vec_at(hit, 0),
			 vec_or_null(json_array_get(hit, 1), PALLOC_NONE),
			 vec_at(hit, 2));
		check(&v);
	}
	vec_palloc_compare(&v, json_object_get(entry, "after"), scav);
	vec_palloc_destroy(&v);
}

void vec_page_free(const json_t *entry)
{
	u64 n = vec_u64(json_object_get(entry, "npages"));
	struct vec_palloc v;
	json_t *page;
	size_t i;

	vec_palloc_init(&v, json_object_get(entry, "before"), NULL);
	json_array_foreach(json_object_get(entry, "frees"), i, page) {
		palloc_free(&v.p, vec_u64(page), n);
		check(&v);
	}
	vec_palloc_compare(&v, json_object_get(entry, "after"), NULL);
	vec_palloc_destroy(&v);
}

void vec_alloc_and_free(const json_t *entry)
{
	struct vec_palloc v;
	json_t *op;
	size_t i;

	vec_palloc_init(&v, json_object_get(entry, "init"), NULL);
	json_array_foreach(json_object_get(entry, "hits"), i, op) {
		u64 n = vec_at(op, 1);
		u64 page = vec_or_null(json_array_get(op, 2), PALLOC_NONE);
		u64 scav;

		if (!strcmp(json_string_value(json_array_get(op, 0)), "alloc"))
			vec_expect("page", page,
				   palloc_alloc(&v.p, n, &scav));
		else
			palloc_free(&v.p, page, n);
		check(&v);
	}
	vec_palloc_destroy(&v);
}

static void exhaust(u64 nr_chunks, u64 n)
{
	u64 total = nr_chunks << PALLOC_CHUNK_SHIFT;
	json_t *before = json_object(), *after = json_object();
	struct vec_palloc v;
	u64 i, got, scav;

	for (i = 0; i < nr_chunks; i++) {
		u64 base = i << PALLOC_CHUNK_SHIFT;
		u64 used = total / n * n;
		char key[24];

		used = used > base ? min_t(u64, used - base, 512) : 0;
		snprintf(key, sizeof(key), "%llu", i);
		json_object_set_new(before, key, json_array());
		json_object_set_new(after, key, used ?
				    json_pack("[[i,i]]", 0, (int)used) :
				    json_array());
	}
	vec_palloc_init(&v, before, NULL);
	for (i = 0; i < total / n; i++) {
		got = palloc_alloc(&v.p, n, &scav);
		if (got != i * n)
			vec_fail("allocation %llu of %llu pages: expected page %llu, got %llu",
				 i, n, i * n, got);
	}
	got = palloc_alloc(&v.p, n, &scav);
	if (got != PALLOC_NONE)
		vec_fail("allocation of %llu pages: expected none, got %llu",
			 n, got);
	vec_palloc_compare(&v, after, NULL);
	vec_palloc_destroy(&v);
	json_decref(before);
	json_decref(after);
}

void vec_exhaust(const json_t *section)
{
	u64 chunks = vec_u64(json_object_get(section, "chunks"));
	json_t *n;
	size_t i;

	json_array_foreach(json_object_get(section, "npages"), i, n)
		exhaust(chunks, vec_u64(n));
}

void vec_cache_flush(const json_t *entry)
{
	struct palloc_chunk want;
	struct vec_palloc v;
	struct page_cache c = {
		.base = vec_u64(json_object_get(entry, "base")),
		.cache = vec_u64(json_object_get(entry, "cache")),
		.scav = vec_u64(json_object_get(entry, "scav")),
	};
	u64 n, scav;

	/* All of the chunk free but the cache's 64 pages. */
	make(&v, 0);
	add_chunk(&v, 0);
	palloc_bits_clear(palloc_chunk_of(&v.p, 0)->scavenged, 0,
			  PALLOC_CHUNK_PAGES);
	palloc_alloc(&v.p, PALLOC_CHUNK_PAGES, &scav);
	if (c.base)
		palloc_free(&v.p, 0, c.base);
	n = PALLOC_CHUNK_PAGES - c.base - 64;
	if (n)
		palloc_free(&v.p, c.base + 64, n);
	want = *palloc_chunk_of(&v.p, 0);
	want.alloc[c.base / 64] = ~c.cache;
	want.scavenged[c.base / 64] = c.scav;

	page_cache_flush(&c, &v.p);
	vec_expect("pages left in the cache", 0, c.cache);
	vec_expect("scavenged bits left in the cache", 0, c.scav);
	vec_expect_words("alloc", want.alloc, palloc_chunk_of(&v.p, 0)->alloc);
	vec_expect_words("scavenged", want.scavenged,
			 palloc_chunk_of(&v.p, 0)->scavenged);
	vec_palloc_destroy(&v);
}

static void expect_cache(const struct page_cache *c, const json_t *base,
			 const json_t *cache, const json_t *scav)
{
	if (json_is_null(base))
		vec_expect("empty cache", 0, c->cache);
	else
		vec_expect("base of cache", vec_u64(base), c->base);
	vec_expect("cache", vec_u64(cache), c->cache);
	vec_expect("scavenged word", vec_u64(scav), c->scav);
}

void vec_alloc_to_cache(const json_t *entry)
{
	struct vec_palloc v;
	json_t *hit;
	size_t i;

	vec_palloc_init(&v, json_object_get(entry, "before_alloc"),
			json_object_get(entry, "before_scav"));
	json_array_foreach(json_object_get(entry, "hits"), i, hit) {
		struct page_cache c;

		palloc_alloc_to_cache(&v.p, &c);
		expect_cache(&c, json_object_get(hit, "base_page"),
			     json_object_get(hit, "cache"),
			     json_object_get(hit, "scav"));
		check(&v);
	}
	vec_palloc_compare(&v, json_object_get(entry, "after_alloc"),
			   json_object_get(entry, "after_scav"));
	vec_palloc_destroy(&v);
}

static void release_nothing(void *ctx, u64 base, u64 n)
{
	(void)ctx;
	(void)base;
	(void)n;
}

static u64 scavenge_bytes(struct vec_palloc *v, u64 bytes)
{
	return palloc_scavenge(&v->p, bytes_to_pages(bytes), true,
			       release_nothing, NULL) * PAGE_BYTES;
}

void vec_scavenge(const json_t *entry)
{
	struct vec_palloc v;
	json_t *hit;
	size_t i;

	vec_palloc_init(&v, json_object_get(entry, "before_alloc"),
			json_object_get(entry, "before_scav"));
	json_array_foreach(json_object_get(entry, "expect"), i, hit) {
		vec_expect("released bytes", vec_at(hit, 1),
			   scavenge_bytes(&v, vec_at(hit, 0)));
		check(&v);
	}
	vec_palloc_compare(&v, json_object_get(entry, "before_alloc"),
			   json_object_get(entry, "after_scav"));
	vec_palloc_destroy(&v);
}

#define MAX_CACHES	1024

static void trace_op(struct vec_palloc *v, struct page_cache *caches,
		     const json_t *op)
{
	const char *name = json_string_value(json_array_get(op, 0));
	u64 a = vec_at(op, 1);
	struct page_cache *c = &caches[a % MAX_CACHES];
	unsigned int scav;

	if (!strcmp(name, "alloc")) {
		do_alloc(v, a, vec_or_null(json_array_get(op, 2), PALLOC_NONE),
			 vec_at(op, 3));
	} else if (!strcmp(name, "free")) {
		palloc_free(&v->p, vec_at(op, 2), a);
	} else if (!strcmp(name, "cache_get")) {
		palloc_alloc_to_cache(&v->p, c);
		expect_cache(c, json_array_get(op, 2), json_array_get(op, 3),
			     json_array_get(op, 4));
	} else if (!strcmp(name, "cache_alloc")) {
		vec_expect("page from cache",
			   vec_or_null(json_array_get(op, 3), PALLOC_NONE),
			   page_cache_alloc(c, vec_at(op, 2), &scav));
		vec_expect("scavenged bytes", vec_at(op, 4), scav * PAGE_BYTES);
		vec_expect("cache", vec_at(op, 5), c->cache);
		vec_expect("scavenged word", vec_at(op, 6), c->scav);
	} else if (!strcmp(name, "cache_flush")) {
		page_cache_flush(c, &v->p);
	} else if (!strcmp(name, "scavenge_force")) {
		vec_expect("released bytes", vec_at(op, 2),
			   scavenge_bytes(v, a));
	} else {
		vec_fail("unknown operation %s", name);
	}
}

void vec_trace(const json_t *entry)
{
	static struct page_cache caches[MAX_CACHES];
	const json_t *chunks = json_object_get(entry, "chunks");
	struct vec_palloc v;
	u64 highest = 0;
	const char *key;
	json_t *val;
	size_t i;

	memset(caches, 0, sizeof(caches));
	json_array_foreach(chunks, i, val)
		highest = max(highest, vec_u64(val));
	make(&v, highest);
	/*
	 * The traces were recorded on a heap whose index was told that every
	 * chunk has been full and become free.
	 */
	json_array_foreach(chunks, i, val) {
		u64 chunk = vec_u64(val);

		add_chunk(&v, chunk);
		scavenge_index_alloc(&v.p.scav, chunk, PALLOC_CHUNK_PAGES);
		scavenge_index_free(&v.p.scav, chunk, PALLOC_CHUNK_PAGES - 1,
				    PALLOC_CHUNK_PAGES);
	}
	json_array_foreach(json_object_get(entry, "ops"), i, val) {
		trace_op(&v, caches, val);
		if (i % 16 == 0)
			check(&v);
	}
	json_object_foreach(json_object_get(entry, "final"), key, val) {
		const struct palloc_chunk *c;
		json_t *word;

		c = palloc_chunk_of(&v.p, key_chunk(key));
		json_array_foreach(json_object_get(val, "alloc"), i, word)
			vec_expect("final alloc word", vec_u64(word),
				   c->alloc[i]);
		json_array_foreach(json_object_get(val, "scav"), i, word)
			vec_expect("final scavenged word", vec_u64(word),
				   c->scavenged[i]);
	}
	vec_palloc_destroy(&v);
}
