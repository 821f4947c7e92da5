// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 64-page cache by itself: Go's tables for allocating from it and for
 * flushing it. Moving windows in and out of the tree is among the tables of
 * the goalloc_palloc suite.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "page_cache.h"

struct cache_hit {
	u16 n;
	u64 page;
	u16 scav;
};

struct cache_vector {
	const char *name;
	u64 cache;
	u64 scav;
	u16 from;
	u16 nr;
};

struct flush_vector {
	u16 base;
	u64 cache;
	u64 scav;
};

#include "page_cache_vectors.h"

static void *test_zalloc(const struct palloc_mem *mem, size_t bytes, gfp_t gfp)
{
	return kvzalloc(bytes, gfp);
}

static void test_free(const struct palloc_mem *mem, void *p, size_t bytes)
{
	kvfree(p);
}

static const struct palloc_mem test_mem = {
	.zalloc = test_zalloc,
	.free = test_free,
};

/* One chunk, all of it free. */
static struct palloc *one_chunk(struct kunit *test)
{
	struct palloc *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, 0, palloc_init(p, &test_mem, PALLOC_CHUNK_PAGES,
					     GFP_KERNEL));
	if (palloc_reserve(p, 0, PALLOC_CHUNK_PAGES, GFP_KERNEL)) {
		palloc_destroy(p);
		KUNIT_ASSERT_TRUE_MSG(test, false, "no memory for bitmaps");
	}
	palloc_grow(p, 0, PALLOC_CHUNK_PAGES, false);
	return p;
}

static void one_chunk_done(struct kunit *test, struct palloc *p)
{
	struct palloc_fault f = {};

	if (palloc_check(p, &f))
		KUNIT_FAIL(test, "%s: page %llu", f.what, f.page);
	palloc_destroy(p);
}

static void page_cache_alloc_tables(struct kunit *test)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(cache_vectors); i++) {
		const struct cache_vector *v = &cache_vectors[i];
		struct page_cache c = { .cache = v->cache, .scav = v->scav };

		for (k = 0; k < v->nr; k++) {
			const struct cache_hit *hit = &cache_hits[v->from + k];
			unsigned int scav;

			KUNIT_EXPECT_EQ_MSG(test, hit->page,
					    page_cache_alloc(&c, hit->n, &scav),
					    "%s", v->name);
			KUNIT_EXPECT_EQ_MSG(test, (unsigned int)hit->scav, scav,
					    "%s", v->name);
		}
	}
}

static void page_cache_flush_tables(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flush_vectors); i++) {
		const struct flush_vector *v = &flush_vectors[i];
		struct page_cache c = { v->base, v->cache, v->scav };
		struct palloc *p = one_chunk(test);
		struct palloc_chunk *chunk = palloc_chunk_of(p, 0);
		u64 scav;

		KUNIT_EXPECT_EQ(test, 0ULL, palloc_alloc(p, PALLOC_CHUNK_PAGES,
							 &scav));
		page_cache_flush(&c, p);
		KUNIT_EXPECT_TRUE(test, page_cache_empty(&c));
		KUNIT_EXPECT_EQ(test, 0ULL, c.scav);
		KUNIT_EXPECT_EQ_MSG(test, ~v->cache, chunk->alloc[v->base / 64],
				    "flush %u", i);
		KUNIT_EXPECT_EQ_MSG(test, v->scav,
				    chunk->scavenged[v->base / 64], "flush %u",
				    i);
		KUNIT_EXPECT_EQ(test, (u64)hweight64(v->cache), p->nr_free);
		one_chunk_done(test, p);
	}
}

/* Windows come in address order, and what is not used goes back. */
static void page_cache_windows(struct kunit *test)
{
	struct palloc *p = one_chunk(test);
	struct page_cache c = {};
	unsigned int scav, i;
	u64 all;

	KUNIT_EXPECT_EQ(test, 0ULL, palloc_alloc(p, 70, &all));
	palloc_alloc_to_cache(p, &c);
	KUNIT_EXPECT_EQ(test, 64ULL, c.base);
	KUNIT_EXPECT_EQ(test, 58U, (unsigned int)hweight64(c.cache));
	for (i = 0; i < 58; i++)
		KUNIT_EXPECT_EQ(test, 70ULL + i, page_cache_alloc(&c, 1, &scav));
	KUNIT_EXPECT_EQ(test, PALLOC_NONE, page_cache_alloc(&c, 1, &scav));
	KUNIT_EXPECT_TRUE(test, page_cache_empty(&c));
	palloc_alloc_to_cache(p, &c);
	KUNIT_EXPECT_EQ(test, 128ULL, page_cache_alloc(&c, 15, &scav));
	KUNIT_EXPECT_EQ(test, 512ULL - 192, p->nr_free);
	page_cache_flush(&c, p);
	KUNIT_EXPECT_EQ(test, 512ULL - 143, p->nr_free);
	KUNIT_EXPECT_EQ(test, 143ULL, palloc_alloc(p, 1, &all));
	one_chunk_done(test, p);
}

static struct kunit_case page_cache_cases[] = {
	KUNIT_CASE(page_cache_alloc_tables),
	KUNIT_CASE(page_cache_flush_tables),
	KUNIT_CASE(page_cache_windows),
	{}
};

static struct kunit_suite page_cache_suite = {
	.name = "goalloc_page_cache",
	.test_cases = page_cache_cases,
};

kunit_test_suites(&page_cache_suite);
