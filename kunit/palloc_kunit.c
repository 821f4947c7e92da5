// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page allocator: Go's tables, an invented address space of 64 TiB, and
 * random work, on private pallocs.
 *
 * Nothing here touches a page: a palloc deals in page numbers. The tables are
 * the ones tools/sim runs in user space; after each operation every summary is
 * compared with what it summarizes.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "page_cache.h"
#include "palloc.h"

/* A part of one of the long arrays in palloc_vectors.h. */
struct slice {
	u16 from;
	u16 nr;
};

struct vector_range {
	u16 start;
	u16 nr;
};

struct vector_chunk {
	u32 chunk;
	struct slice alloc;
	struct slice scav;
};

enum vector_kind {
	OP_ALLOC,	/* n pages: page, a = scavenged pages */
	OP_FREE,	/* n pages at page */
	OP_CACHE_GET,	/* cache id: page = base, a = cache, b = scav */
	OP_CACHE_ALLOC,	/* cache id, n pages: page, a = scavenged, b = cache */
	OP_CACHE_FLUSH,	/* cache id */
	OP_SCAVENGE,	/* n pages: page = released */
	OP_MARK,	/* pages page to a: allocated and freed */
	OP_NEXT_GEN,
	OP_FIND,	/* page = chunk, a = page of it */
};

struct vector_op {
	u8 kind;
	u8 id;
	u64 n;
	u64 page;
	u64 a;
	u64 b;
};

/* @before, @ops, @after; no chunks in @after: not compared. */
struct palloc_vector {
	const char *name;
	struct slice before;
	struct slice after;
	struct slice ops;
};

struct bits_alloc_vector {
	const char *name;
	struct slice before;
	u16 n;
	struct slice hits;
	struct slice after;
};

struct summarize_vector {
	const char *name;
	struct slice free;
	u16 start, max, end;
};

struct find_vector {
	u64 words[PALLOC_CHUNK_WORDS];
	u16 n;
	u16 from;
	u32 at;
	u32 first;
};

struct word_vector {
	u64 word;
	u8 n;
	u64 want;
};

struct candidate_vector {
	const char *name;
	struct slice alloc;
	struct slice scav;
	u16 min, max;
	u16 start, n;
};

struct index_vector {
	const char *name;
	bool force;
	struct slice ops;
};

#include "palloc_vectors.h"

#define NR_CACHES 256

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

/* A palloc of so many pages; fails the case if there is no memory for it. */
static struct palloc *palloc_test_new(struct kunit *test, u64 nr_pages)
{
	struct palloc *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, 0, palloc_init(p, &test_mem, nr_pages,
					     GFP_KERNEL));
	/* The tables count pages of 8 KiB. */
	p->huge_pages = 256;
	return p;
}

static void palloc_test_check(struct kunit *test, struct palloc *p)
{
	struct palloc_fault f = {};

	if (!palloc_check(p, &f))
		return;
	KUNIT_FAIL(test, "%s: chunk %llu page %llu", f.what, f.chunk, f.page);
}

static void palloc_test_destroy(struct kunit *test, struct palloc *p)
{
	palloc_test_check(test, p);
	palloc_destroy(p);
	KUNIT_EXPECT_EQ(test, 0ULL, palloc_metadata_bytes(p));
}

static void palloc_test_add(struct kunit *test, struct palloc *p, u64 base,
			    u64 n)
{
	if (palloc_reserve(p, base, n, GFP_KERNEL)) {
		palloc_destroy(p);
		KUNIT_ASSERT_TRUE_MSG(test, false, "no memory for bitmaps");
	}
	palloc_grow(p, base, n, true);
}

static void set_ranges(u64 *bits, struct slice s)
{
	const struct vector_range *r = vector_ranges + s.from;
	unsigned int i;

	for (i = 0; i < s.nr; i++)
		palloc_bits_set(bits, r[i].start, r[i].nr);
}

/*
 * A palloc in the state a table describes: each chunk grown, then without
 * scavenged pages but those listed, then with those allocated that are listed.
 */
static struct palloc *palloc_test_state(struct kunit *test, struct slice state)
{
	const struct vector_chunk *v = vector_chunks + state.from;
	struct palloc *p;
	u64 highest = 0;
	unsigned int i, k;

	for (i = 0; i < state.nr; i++)
		highest = max_t(u64, highest, v[i].chunk);
	p = palloc_test_new(test, (highest + 1) << PALLOC_CHUNK_SHIFT);
	for (i = 0; i < state.nr; i++, v++) {
		u64 chunk = v->chunk;
		struct palloc_chunk *c;

		palloc_test_add(test, p, chunk << PALLOC_CHUNK_SHIFT,
				PALLOC_CHUNK_PAGES);
		c = palloc_chunk_of(p, chunk);
		palloc_bits_clear(c->scavenged, 0, PALLOC_CHUNK_PAGES);
		scavenge_index_alloc(&p->scav, chunk, PALLOC_CHUNK_PAGES);
		scavenge_index_free(&p->scav, chunk, PALLOC_CHUNK_PAGES - 1,
				    PALLOC_CHUNK_PAGES);
		set_ranges(c->scavenged, v->scav);
		for (k = 0; k < v->alloc.nr; k++) {
			const struct vector_range *r =
				&vector_ranges[v->alloc.from + k];

			palloc_chunk_take(c, r->start, r->nr);
			scavenge_index_alloc(&p->scav, chunk, r->nr);
			p->nr_free -= r->nr;
		}
		palloc_update_chunk(p, c, chunk);
	}
	return p;
}

static void expect_state(struct kunit *test, struct palloc *p,
			 struct slice state, const char *name)
{
	const struct vector_chunk *v = vector_chunks + state.from;
	struct palloc *want = palloc_test_state(test, state);
	unsigned int i;

	for (i = 0; i < state.nr; i++, v++) {
		struct palloc_chunk *a = palloc_chunk_of(want, v->chunk);
		struct palloc_chunk *b = palloc_chunk_of(p, v->chunk);

		KUNIT_EXPECT_EQ_MSG(test, 0,
				    memcmp(a->alloc, b->alloc,
					   sizeof(a->alloc)),
				    "%s: alloc bits of chunk %u", name,
				    v->chunk);
		KUNIT_EXPECT_EQ_MSG(test, 0,
				    memcmp(a->scavenged, b->scavenged,
					   sizeof(a->scavenged)),
				    "%s: scavenged bits of chunk %u", name,
				    v->chunk);
	}
	palloc_test_destroy(test, want);
}

static void release_nothing(void *ctx, u64 base, u64 n)
{
}

static void run_op(struct kunit *test, struct palloc *p,
		   struct page_cache *caches, const struct vector_op *op,
		   const char *name)
{
	struct page_cache *c = &caches[op->id];
	unsigned int few;
	u64 scav;

	switch (op->kind) {
	case OP_ALLOC:
		KUNIT_EXPECT_EQ_MSG(test, op->page,
				    palloc_alloc(p, op->n, &scav), "%s", name);
		KUNIT_EXPECT_EQ_MSG(test, op->a, scav, "%s", name);
		break;
	case OP_FREE:
		palloc_free(p, op->page, op->n);
		break;
	case OP_CACHE_GET:
		palloc_alloc_to_cache(p, c);
		if (op->page != PALLOC_NONE)
			KUNIT_EXPECT_EQ_MSG(test, op->page, c->base, "%s",
					    name);
		KUNIT_EXPECT_EQ_MSG(test, op->a, c->cache, "%s", name);
		KUNIT_EXPECT_EQ_MSG(test, op->b, c->scav, "%s", name);
		break;
	case OP_CACHE_ALLOC:
		KUNIT_EXPECT_EQ_MSG(test, op->page,
				    page_cache_alloc(c, op->n, &few), "%s",
				    name);
		KUNIT_EXPECT_EQ_MSG(test, op->a, (u64)few, "%s", name);
		KUNIT_EXPECT_EQ_MSG(test, op->b, c->cache, "%s", name);
		break;
	case OP_CACHE_FLUSH:
		page_cache_flush(c, p);
		break;
	case OP_SCAVENGE:
		KUNIT_EXPECT_EQ_MSG(test, op->page,
				    palloc_scavenge(p, op->n, true,
						    release_nothing, NULL),
				    "%s", name);
		break;
	default:
		KUNIT_FAIL(test, "%s: operation %d", name, op->kind);
	}
}

/* Go's tables, and one of its recorded traces. */
static void palloc_tables(struct kunit *test)
{
	struct page_cache *caches;
	unsigned int i, k;

	caches = kunit_kcalloc(test, NR_CACHES, sizeof(*caches), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, caches);
	for (i = 0; i < ARRAY_SIZE(palloc_vectors); i++) {
		const struct palloc_vector *v = &palloc_vectors[i];
		struct palloc *p = palloc_test_state(test, v->before);
		bool small = palloc_nr_pages(p) <= 8ULL << PALLOC_ROOT_SHIFT;

		memset(caches, 0, NR_CACHES * sizeof(*caches));
		palloc_test_check(test, p);
		for (k = 0; k < v->ops.nr; k++) {
			run_op(test, p, caches, &vector_ops[v->ops.from + k],
			       v->name);
			/* Walking large spaces each time would take long. */
			if (small && (k < 20 || k % 16 == 0))
				palloc_test_check(test, p);
		}
		if (v->after.nr)
			expect_state(test, p, v->after, v->name);
		palloc_test_destroy(test, p);
	}
}

/* Four chunks, taken n pages at a time until nothing is left. */
static void palloc_exhaust(struct kunit *test)
{
	static const u16 sizes[] = {
		1, 2, 3, 4, 5, 8, 16, 64, 1024, 1025, 2048, 2049
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 n = sizes[i], k, scav;
		struct palloc *p = palloc_test_new(test, 2048);

		palloc_test_add(test, p, 0, 2048);
		for (k = 0; k < 2048 / n; k++)
			KUNIT_EXPECT_EQ(test, k * n, palloc_alloc(p, n, &scav));
		KUNIT_EXPECT_EQ(test, PALLOC_NONE, palloc_alloc(p, n, &scav));
		KUNIT_EXPECT_EQ(test, 2048 % n, p->nr_free);
		palloc_test_destroy(test, p);
	}
}

static void palloc_bits_tables(struct kunit *test)
{
	unsigned int i, k, first, at;

	for (i = 0; i < ARRAY_SIZE(bits_alloc_vectors); i++) {
		const struct bits_alloc_vector *v = &bits_alloc_vectors[i];
		u64 bits[PALLOC_CHUNK_WORDS] = {};
		u64 want[PALLOC_CHUNK_WORDS] = {};

		set_ranges(bits, v->before);
		set_ranges(want, v->after);
		for (k = 0; k < v->hits.nr; k++) {
			at = palloc_bits_find(bits, v->n, 0, &first);
			KUNIT_EXPECT_EQ_MSG(test, vector_hits[v->hits.from + k],
					    at, "%s", v->name);
			if (at != PALLOC_CHUNK_NONE)
				palloc_bits_set(bits, at, v->n);
		}
		KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(bits, want, sizeof(bits)),
				    "%s", v->name);
	}
	for (i = 0; i < ARRAY_SIZE(find_vectors); i++) {
		const struct find_vector *v = &find_vectors[i];

		at = palloc_bits_find(v->words, v->n, v->from, &first);
		KUNIT_EXPECT_EQ_MSG(test, v->at, at, "find %u", i);
		if (at != PALLOC_CHUNK_NONE)
			KUNIT_EXPECT_EQ_MSG(test, v->first, first, "find %u",
					    i);
	}
	for (i = 0; i < ARRAY_SIZE(find_word_vectors); i++) {
		const struct word_vector *v = &find_word_vectors[i];

		KUNIT_EXPECT_EQ_MSG(test, v->want,
				    (u64)palloc_word_find(v->word, v->n),
				    "run of %u in %llx", v->n, v->word);
	}
	for (i = 0; i < ARRAY_SIZE(fill_aligned_vectors); i++) {
		const struct word_vector *v = &fill_aligned_vectors[i];

		KUNIT_EXPECT_EQ_MSG(test, v->want,
				    palloc_word_fill_aligned(v->word, v->n),
				    "groups of %u in %llx", v->n, v->word);
	}
}

static void palloc_summaries(struct kunit *test)
{
	unsigned int i, w;

	KUNIT_EXPECT_EQ(test, 1ULL << 63,
			palloc_sum_pack(1 << 21, 1 << 21, 1 << 21));
	KUNIT_EXPECT_EQ(test, 1U << 21, palloc_sum_max(1ULL << 63));
	for (i = 0; i < ARRAY_SIZE(summarize_vectors); i++) {
		const struct summarize_vector *v = &summarize_vectors[i];
		u64 bits[PALLOC_CHUNK_WORDS] = {};

		set_ranges(bits, v->free);
		for (w = 0; w < PALLOC_CHUNK_WORDS; w++)
			bits[w] = ~bits[w];
		KUNIT_EXPECT_EQ_MSG(test,
				    palloc_sum_pack(v->start, v->max, v->end),
				    palloc_bits_summarize(bits), "%s", v->name);
	}
}

/* What becomes free in a chunk, wherever and however much, is summed up rightly. */
static void palloc_joins(struct kunit *test)
{
	u64 bits[PALLOC_CHUNK_WORDS];
	unsigned int round, i, n, wrong = 0;
	struct rnd_state rnd;
	palloc_sum_t sum;

	prandom_seed_state(&rnd, 1);
	for (round = 0; round < 20000; round++) {
		/* From nearly full to nearly free. */
		unsigned int full = 1 + round % 31;

		memset(bits, 0, sizeof(bits));
		for (i = 0; i < PALLOC_CHUNK_PAGES; i++)
			if (prandom_u32_state(&rnd) % 32 < full)
				bits[i / 64] |= BIT_ULL(i % 64);
		i = prandom_u32_state(&rnd) % PALLOC_CHUNK_PAGES;
		n = 1 + prandom_u32_state(&rnd) % (PALLOC_CHUNK_PAGES - i);
		if (round % 3)
			n = min(n, 1 + prandom_u32_state(&rnd) % 4);
		/* Also where there is nothing around it. */
		if (round % 64 == 0)
			memset(bits, 0, sizeof(bits));
		palloc_bits_set(bits, i, n);
		sum = palloc_bits_summarize(bits);
		palloc_bits_clear(bits, i, n);
		wrong += palloc_bits_joined(bits, sum, i, n) != palloc_bits_summarize(bits);
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
}

static void palloc_candidates(struct kunit *test)
{
	unsigned int i, at, n;

	for (i = 0; i < ARRAY_SIZE(candidate_vectors); i++) {
		const struct candidate_vector *v = &candidate_vectors[i];
		struct palloc_chunk c = {};

		set_ranges(c.alloc, v->alloc);
		set_ranges(c.scavenged, v->scav);
		at = palloc_chunk_find_candidate(&c, PALLOC_CHUNK_PAGES - 1,
						 v->min, v->max, 256, false,
						 &n);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned int)v->n, n, "%s", v->name);
		if (v->n)
			KUNIT_EXPECT_EQ_MSG(test, (unsigned int)v->start, at,
					    "%s", v->name);
	}
}

/* Tell the index that a range was allocated, then freed. */
static void mark(struct scavenge_index *si, u64 base, u64 limit)
{
	u64 page;

	for (page = base; page < limit; page++)
		scavenge_index_alloc(si, page >> PALLOC_CHUNK_SHIFT, 1);
	for (page = base; page < limit; page++)
		scavenge_index_free(si, page >> PALLOC_CHUNK_SHIFT,
				    palloc_page_in_chunk(page), 1);
}

static void index_run(struct kunit *test, const struct index_vector *v)
{
	struct palloc *p = palloc_test_new(test, 64 * PALLOC_CHUNK_PAGES);
	struct scavenge_index *si = &p->scav;
	unsigned int k, page;
	u64 chunk;

	palloc_test_add(test, p, 0, 64 * PALLOC_CHUNK_PAGES);
	for (chunk = 0; chunk < 64; chunk++) {
		scavenge_index_alloc(si, chunk, PALLOC_CHUNK_PAGES);
		scavenge_index_next_gen(si);
		scavenge_index_free(si, chunk, PALLOC_CHUNK_PAGES - 1,
				    PALLOC_CHUNK_PAGES);
		scavenge_index_set_empty(si, chunk);
	}
	si->forced = 0;
	si->background = 0;
	si->free_hwm = 0;
	for (k = 0; k < v->ops.nr; k++) {
		const struct vector_op *op = &vector_ops[v->ops.from + k];

		if (op->kind == OP_MARK) {
			mark(si, op->page, op->a);
		} else if (op->kind == OP_NEXT_GEN) {
			scavenge_index_next_gen(si);
		} else if (scavenge_index_find(si, v->force, &chunk, &page)) {
			KUNIT_EXPECT_EQ_MSG(test, op->page, chunk, "%s",
					    v->name);
			KUNIT_EXPECT_EQ_MSG(test, op->a, (u64)page, "%s",
					    v->name);
			scavenge_index_set_empty(si, chunk);
		} else {
			KUNIT_EXPECT_EQ_MSG(test, op->page, PALLOC_NONE, "%s",
					    v->name);
		}
	}
	palloc_test_destroy(test, p);
}

static void palloc_scavenge_index(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(index_vectors); i++)
		index_run(test, &index_vectors[i]);
}

/* 64 TiB of address space, islands of memory far apart in it. */
static void palloc_64_tib(struct kunit *test)
{
	static const u8 tib[] = { 0, 1, 5, 33, 63 };
	u64 per_tib = (1ULL << 40) / GOALLOC_PAGE_SIZE;
	u64 scav, n;
	struct palloc *p;
	int i;

	/* 128 MiB of summaries at the leaf level alone. */
	if (totalram_pages() < (512UL << 20) >> PAGE_SHIFT)
		kunit_skip(test, "less than 512 MiB of memory");
	p = palloc_test_new(test, 64 * per_tib);
	for (i = ARRAY_SIZE(tib) - 1; i >= 0; i--)
		palloc_test_add(test, p, tib[i] * per_tib + 700, 1000 * (i + 1));
	KUNIT_EXPECT_EQ(test, 15000ULL, p->nr_free);
	/* Each request fits into one of the islands only. */
	for (i = ARRAY_SIZE(tib) - 1; i >= 0; i--) {
		n = 1000 * i + 1;
		KUNIT_EXPECT_EQ(test, tib[i] * per_tib + 700,
				palloc_alloc(p, n, &scav));
		KUNIT_EXPECT_EQ(test, n, scav);
	}
	KUNIT_EXPECT_EQ(test, PALLOC_NONE, palloc_alloc(p, 1000, &scav));
	for (i = 0; i < ARRAY_SIZE(tib); i++)
		palloc_free(p, tib[i] * per_tib + 700, 1000 * i + 1);
	KUNIT_EXPECT_EQ(test, 700ULL, palloc_alloc(p, 1, &scav));
	palloc_test_destroy(test, p);
}

/* Chunks of which only some pages are ours, and address space that grows. */
static void palloc_partly_owned(struct kunit *test)
{
	struct palloc *p = palloc_test_new(test, 1);
	u64 before = palloc_nr_pages(p);
	u64 scav;

	palloc_test_add(test, p, 100, 10);
	palloc_test_add(test, p, 200, 1000);
	KUNIT_EXPECT_EQ(test, 1010ULL, p->nr_owned);
	KUNIT_EXPECT_EQ(test, 200ULL, palloc_alloc(p, 11, &scav));
	KUNIT_EXPECT_EQ(test, 11ULL, scav);
	palloc_free(p, 200, 11);
	KUNIT_EXPECT_EQ(test, 100ULL, palloc_alloc(p, 10, &scav));
	/* Allocated, free, and across chunks. */
	palloc_disown(p, 100, 10);
	palloc_disown(p, 500, 100);
	KUNIT_EXPECT_EQ(test, 900ULL, p->nr_owned);
	KUNIT_EXPECT_EQ(test, 900ULL, p->nr_free);
	palloc_test_check(test, p);
	KUNIT_EXPECT_EQ(test, 600ULL, palloc_alloc(p, 301, &scav));

	KUNIT_EXPECT_EQ(test, -EINVAL, palloc_reserve(p, before, 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, palloc_extend(p, before + 1, GFP_KERNEL));
	palloc_test_add(test, p, before - 300, 600);
	KUNIT_EXPECT_EQ(test, before - 300, palloc_alloc(p, 600, &scav));
	palloc_test_destroy(test, p);
}

/* What must not be: growing over owned pages, and summaries that lie. */
static void palloc_bad_input(struct kunit *test)
{
	struct palloc *p = palloc_test_new(test, 1);
	struct palloc_fault f;
	u64 scav;

	palloc_test_add(test, p, 0, 1024);
	palloc_grow(p, 1000, 48, true);
	KUNIT_ASSERT_NOT_NULL(test, p->fault.what);
	KUNIT_EXPECT_STREQ(test, "growing over a page that is owned",
			   p->fault.what);
	KUNIT_EXPECT_EQ(test, 1000ULL, p->fault.page);
	KUNIT_EXPECT_EQ(test, 1024ULL, p->nr_owned);
	p->fault.what = NULL;

	if (GOALLOC_CORE_DEBUG) {
		palloc_free(p, 5, 1);
		KUNIT_ASSERT_NOT_NULL(test, p->fault.what);
		KUNIT_EXPECT_STREQ(test, "freeing a page that is not allocated",
				   p->fault.what);
		KUNIT_EXPECT_EQ(test, 1024ULL, p->nr_free);
		p->fault.what = NULL;
	}

	KUNIT_EXPECT_EQ(test, 0ULL, palloc_alloc(p, 1024, &scav));
	p->sum[PALLOC_LEAF][1] = palloc_sum_pack(1, 1, 0);
	p->search = 512;
	KUNIT_EXPECT_EQ(test, PALLOC_NONE, palloc_alloc(p, 1, &scav));
	KUNIT_ASSERT_NOT_NULL(test, p->fault.what);
	KUNIT_EXPECT_EQ(test, 1ULL, p->fault.chunk);
	KUNIT_EXPECT_EQ(test, -EUCLEAN, palloc_check(p, &f));
	p->sum[PALLOC_LEAF][1] = 0;
	p->fault.what = NULL;
	palloc_test_destroy(test, p);
}

/* Random work; every summary on every level after each step. */
static void palloc_random(struct kunit *test)
{
	struct palloc *p = palloc_test_new(test, 1);
	u64 *live = kunit_kcalloc(test, 512, sizeof(*live), GFP_KERNEL);
	u8 *len = kunit_kcalloc(test, 512, 1, GFP_KERNEL);
	u64 rng = 88172645463325252ULL;
	u64 used = 0, scav;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, live);
	KUNIT_ASSERT_NOT_NULL(test, len);
	palloc_test_add(test, p, 100, 3000);
	palloc_test_add(test, p, 4000, 5000);
	for (i = 0; i < 3000; i++) {
		unsigned int k;

		rng ^= rng << 13;
		rng ^= rng >> 7;
		rng ^= rng << 17;
		k = rng % 512;
		if (len[k]) {
			palloc_free(p, live[k], len[k]);
			used -= len[k];
			len[k] = 0;
		} else {
			unsigned int n = 1 + (rng >> 20) % 60;

			live[k] = palloc_alloc(p, n, &scav);
			if (live[k] != PALLOC_NONE) {
				len[k] = n;
				used += n;
			}
		}
		if (p->nr_free + used != 8000)
			break;
		if (i % 16 == 0)
			palloc_test_check(test, p);
	}
	KUNIT_EXPECT_EQ(test, 3000U, i);
	KUNIT_EXPECT_EQ(test, 8000ULL, p->nr_free + used);
	palloc_test_destroy(test, p);
}

static struct kunit_case palloc_cases[] = {
	KUNIT_CASE(palloc_summaries),
	KUNIT_CASE(palloc_bits_tables),
	KUNIT_CASE(palloc_joins),
	KUNIT_CASE(palloc_candidates),
	KUNIT_CASE(palloc_tables),
	KUNIT_CASE(palloc_exhaust),
	KUNIT_CASE(palloc_scavenge_index),
	KUNIT_CASE(palloc_partly_owned),
	KUNIT_CASE(palloc_bad_input),
	KUNIT_CASE(palloc_random),
	KUNIT_CASE(palloc_64_tib),
	{}
};

static struct kunit_suite palloc_suite = {
	.name = "goalloc_palloc",
	.test_cases = palloc_cases,
};

kunit_test_suites(&palloc_suite);
