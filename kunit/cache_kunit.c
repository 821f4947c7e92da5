// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches: lists, spans, refills and flushes of a private heap.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "cache_bulk.h"
#include "crew.h"
#include "fake_source.h"
#include "stats.h"

static int cache_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 4096, 1);
	return 0;
}

static void cache_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

static void *cache_test_alloc(struct fake_heap *fh, unsigned int bin, gfp_t gfp)
{
	return cache_alloc(fh->heap, bin, span_shape_small(bin).elemsize, gfp);
}

static void cache_test_free(struct fake_heap *fh, void *p)
{
	cache_free(fh->heap, &fh->fake.space.map, p, _THIS_IP_);
}

/* Every class: fill many spans, each object is one's own, all come back. */
static void cache_every_class(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void **obj = kunit_kcalloc(test, 3000, sizeof(*obj), GFP_KERNEL);
	unsigned int bin, i;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	for (bin = 1; bin < GOALLOC_NR_BINS; bin++) {
		struct span_shape shape = span_shape_small(bin);
		unsigned int n = min(3000U, 3U * shape.nelems + 7);
		unsigned int wrong = 0;
		struct bin_stats bs;

		for (i = 0; i < n; i++) {
			obj[i] = cache_test_alloc(fh, bin, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, obj[i]);
			memset(obj[i], i, shape.elemsize);
		}
		for (i = 0; i < n; i++)
			wrong += !!memchr_inv(obj[i], i, shape.elemsize);
		KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "class %u", bin);
		stats_bin(fh->heap, bin, &bs);
		KUNIT_EXPECT_EQ(test, (u64)n, bs.allocs - bs.frees);
		fake_heap_check(test, fh);
		for (i = 0; i < n; i++)
			cache_test_free(fh, obj[i]);
		stats_bin(fh->heap, bin, &bs);
		KUNIT_EXPECT_EQ(test, bs.allocs, bs.frees);
		fake_heap_check(test, fh);
	}
	cache_drain_all(fh->heap);
	fake_heap_check(test, fh);
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct bin_stats bs;

		stats_bin(fh->heap, bin, &bs);
		KUNIT_EXPECT_EQ(test, 0ULL, bs.spans);
	}
}

/* The last object freed is the first handed out. */
static void cache_lifo(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *a, *b;

	a = cache_test_alloc(fh, 6, GFP_KERNEL);
	b = cache_test_alloc(fh, 6, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	migrate_disable();
	cache_test_free(fh, a);
	cache_test_free(fh, b);
	KUNIT_EXPECT_PTR_EQ(test, b, cache_test_alloc(fh, 6, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, a, cache_test_alloc(fh, 6, GFP_KERNEL));
	migrate_enable();
	cache_test_free(fh, a);
	cache_test_free(fh, b);
}

/* The cache of this CPU; the caller stays on it. */
static struct goalloc_cache *cache_mine(struct fake_heap *fh)
{
	struct goalloc_cache *cache;

	preempt_disable();
	cache = cache_get(fh->heap);
	preempt_enable();
	return cache;
}

/* The list of a bin on this CPU; the caller stays on it. */
static struct cache_bin *cache_list(struct fake_heap *fh, unsigned int bin)
{
	return &cache_mine(fh)->bin[bin];
}

static struct goalloc_central *cache_central(struct fake_heap *fh, int nid, unsigned int bin)
{
	return &fh->heap->node[nid]->central[bin];
}

/* The node whose memory this CPU's cache has. */
static int cache_home(struct fake_heap *fh)
{
	return heap_node_of(fh->heap, numa_mem_id())->nid;
}

/* A list never holds more than so many objects and bytes, whatever is freed. */
static void cache_bounded(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int bin, i, n, over;
	void **obj;

	obj = kunit_kcalloc(test, 3 * CACHE_CAP_MAX_OBJS + 1, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	migrate_disable();
	for (bin = 1; bin < GOALLOC_NR_BINS; bin++) {
		unsigned int size = span_shape_small(bin).elemsize;
		unsigned int cap = clamp(32768 / size, 1U, 64U);
		struct cache_bin *b;
		u32 flushes;

		/* What others have is none of its concern here. */
		cache_drain_all(fh->heap);
		n = 3 * cap + 1;
		for (i = 0; i < n; i++) {
			obj[i] = cache_test_alloc(fh, bin, GFP_KERNEL);
			if (!obj[i])
				break;
		}
		KUNIT_EXPECT_EQ(test, n, i);
		b = cache_list(fh, bin);
		flushes = b->flushes;
		over = 0;
		while (i--) {
			cache_test_free(fh, obj[i]);
			over += b->count > cap;
		}
		KUNIT_EXPECT_EQ_MSG(test, cap, (unsigned int)b->cap, "bin %u", bin);
		KUNIT_EXPECT_EQ(test, 0U, over);
		KUNIT_EXPECT_GT(test, (unsigned int)b->count, 0U);
		KUNIT_EXPECT_GT(test, b->flushes, flushes);
	}
	migrate_enable();
	fake_heap_check(test, fh);
}

/* A full list gives its older half to the central, and keeps the younger. */
static void cache_flushes_older_half(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int bin = sizeclass_of(64), i, wrong = 0;
	struct goalloc_central *central;
	struct cache_bin *b;
	void *obj[80];
	u64 before;

	migrate_disable();
	for (i = 0; i < ARRAY_SIZE(obj); i++)
		obj[i] = cache_test_alloc(fh, bin, GFP_KERNEL);
	central = cache_central(fh, cache_home(fh), bin);
	for (i = 0; i < 64; i++)
		cache_test_free(fh, obj[i]);
	b = cache_list(fh, bin);
	before = central->nr_free;
	KUNIT_EXPECT_EQ(test, 64, (int)b->count);
	KUNIT_EXPECT_EQ(test, 0U, b->flushes);
	cache_test_free(fh, obj[64]);
	KUNIT_EXPECT_EQ(test, 33, (int)b->count);
	KUNIT_EXPECT_EQ(test, 1U, b->flushes);
	KUNIT_EXPECT_EQ(test, before + 32, central->nr_free);
	/* Last in, first out, across what was moved. */
	for (i = 64; i >= 32; i--)
		wrong += cache_test_alloc(fh, bin, GFP_KERNEL) != obj[i];
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_EQ(test, 0, (int)b->count);
	migrate_enable();
	fake_heap_check(test, fh);
}

/* A refill takes what several nearly full spans have left. */
static void cache_refills_from_fullest(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int bin = sizeclass_of(1024), i;
	struct goalloc_span *span[10];
	struct cache_bin *b;
	void *obj[80], *p;
	u64 filled;

	if (GOALLOC_PAGE_SHIFT != 13)
		kunit_skip(test, "written for spans of 8 KiB");
	migrate_disable();
	for (i = 0; i < ARRAY_SIZE(obj); i++)
		obj[i] = cache_test_alloc(fh, bin, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(span); i++)
		span[i] = pagemap_span(&fh->fake.space.map, (unsigned long)obj[8 * i]);
	/* One free object in each of six spans, four in another. */
	for (i = 0; i < 6; i++)
		cache_test_free(fh, obj[8 * i]);
	for (i = 0; i < 4; i++)
		cache_test_free(fh, obj[8 * 9 + i]);
	cache_drain_all(fh->heap);
	b = cache_list(fh, bin);
	filled = b->filled;
	/* Closed until it is used again. */
	KUNIT_EXPECT_EQ(test, 0, (int)b->cap);
	p = cache_test_alloc(fh, bin, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 8, (int)b->cap);
	/* Half of the list's room, a span each. */
	KUNIT_EXPECT_EQ(test, filled + 4, b->filled);
	KUNIT_EXPECT_EQ(test, 3, (int)b->count);
	KUNIT_EXPECT_PTR_EQ(test, &cache_no_span, b->span);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_PTR_NE(test, span[9],
				    pagemap_span(&fh->fake.space.map, (unsigned long)p));
		p = i < 3 ? cache_test_alloc(fh, bin, GFP_KERNEL) : p;
	}
	KUNIT_EXPECT_EQ(test, 6ULL, cache_central(fh, cache_home(fh), bin)->nr_free);
	migrate_enable();
	fake_heap_check(test, fh);
}

/*
 * Objects of another node never go into a list here. They are collected, counted
 * as cached, and taken to their own central together.
 */
static void cache_remote(struct kunit *test)
{
	struct goalloc_central *central;
	struct cache_remote *remote;
	struct fake_heap *fh;
	unsigned int bin, i, count;
	void *obj[REMOTE_MAX_OBJS + 6];
	int nid;

	fake_heap_destroy(test, test->priv);
	fh = fake_heap_create(test, 2048, 2);
	test->priv = fh;
	migrate_disable();
	nid = !cache_home(fh);
	for (bin = 1; bin < GOALLOC_NR_BINS; bin += 6) {
		/* A list there is, with something in it. */
		cache_test_free(fh, cache_test_alloc(fh, bin, GFP_KERNEL));
		count = cache_list(fh, bin)->count;
		KUNIT_EXPECT_EQ(test, 1U, count);
		central = cache_central(fh, nid, bin);
		for (i = 0; i < ARRAY_SIZE(obj); i++)
			obj[i] = cache_alloc_node(fh->heap, bin, 1, GFP_KERNEL, nid);
		remote = &cache_mine(fh)->remote;
		for (i = 0; i < ARRAY_SIZE(obj); i++) {
			struct goalloc_span *span;

			span = pagemap_span(&fh->fake.space.map, (unsigned long)obj[i]);
			KUNIT_EXPECT_EQ(test, nid, (int)span->home->nid);
			cache_test_free(fh, obj[i]);
			KUNIT_EXPECT_EQ(test, (u64)i + 1, remote->frees[bin]);
			KUNIT_EXPECT_LT(test, (unsigned int)remote->count, REMOTE_MAX_OBJS);
			KUNIT_EXPECT_LT(test, remote->bytes, room_remote_max(cache_mine(fh)));
		}
		KUNIT_EXPECT_EQ(test, count, (unsigned int)cache_list(fh, bin)->count);
		fake_heap_check(test, fh);
		preempt_disable();
		remote_flush(cache_mine(fh));
		preempt_enable();
		KUNIT_EXPECT_EQ(test, 0U, (unsigned int)remote->count);
		KUNIT_EXPECT_EQ(test, 0U, remote->bytes);
		KUNIT_EXPECT_EQ(test, (u64)ARRAY_SIZE(obj), remote->frees[bin]);
		KUNIT_EXPECT_EQ(test, 0U, central->nr_spans);
		KUNIT_EXPECT_EQ(test, (u64)ARRAY_SIZE(obj), central->remote_frees);
	}
	migrate_enable();
	fake_heap_check(test, fh);
}

struct cache_row {
	struct fake_heap *fh;
	unsigned int allocs;
	unsigned int frees;
	void *p;
};

static void cache_bulk_elsewhere(void *arg)
{
	struct cache_row *row = arg;
	void *p;

	row->allocs = cache_take_bulk(row->fh->heap->cpus, sizeclass_of(64), 64, 1, &p) +
		      cache_carve_bulk(row->fh->heap->cpus, sizeclass_of(1024), 64, 1, &p);
	row->frees = cache_put_bulk(row->fh->heap->cpus, &row->fh->fake.space.map, 1, &row->p);
}

/* What is freed first, and what the span's window can show then. */
#define CACHE_BULK_OBJS (48 + 16)

/* Several at once: what is at hand and plain, counted as others are, and no more. */
static void cache_bulk(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_pcpu __percpu *cpus = fh->heap->cpus;
	const struct pagemap *map = &fh->fake.space.map;
	unsigned int bin = sizeclass_of(64), i, j, wrong = 0;
	/* All that a word has, but its last slot if the span goes on behind it. */
	unsigned int shown = sizeclass_objs[bin] > 64 ? 63 : 64;
	struct cache_row row = { .fh = fh };
	struct bin_stats before, after;
	struct goalloc_span *span;
	struct cache_bin *b;
	void **obj = kunit_kcalloc(test, CACHE_BULK_OBJS, sizeof(*obj), GFP_KERNEL), *none;
	s64 left;
	u8 *state;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	migrate_disable();
	for (i = 0; i < 48; i++)
		obj[i] = cache_test_alloc(fh, bin, GFP_KERNEL);
	for (i = 0; i < 48; i++)
		cache_test_free(fh, obj[i]);
	b = cache_list(fh, bin);
	KUNIT_ASSERT_EQ(test, 48, (int)b->count);
	none = obj[47];
	stats_bin(fh->heap, bin, &before);

	/* The youngest of them. */
	KUNIT_EXPECT_EQ(test, CACHE_BULK, (int)cache_take_bulk(cpus, bin, 60, 100, obj));
	KUNIT_EXPECT_PTR_EQ(test, none, obj[CACHE_BULK - 1]);
	KUNIT_EXPECT_EQ(test, 0U, cache_carve_bulk(cpus, bin, 60, 100, &none));
	KUNIT_EXPECT_EQ(test, 16, (int)cache_take_bulk(cpus, bin, 60, 100, obj + CACHE_BULK));
	KUNIT_EXPECT_EQ(test, 0U, cache_take_bulk(cpus, bin, 60, 100, &none));
	/* Then those of the span, up to the end of its window. */
	KUNIT_ASSERT_EQ(test, shown - 48, cache_carve_bulk(cpus, bin, 60, 100, obj + 48));
	KUNIT_EXPECT_EQ(test, 0U, cache_carve_bulk(cpus, bin, 60, 100, &none));
	for (i = 0; i < shown; i++) {
		span = pagemap_span(map, (unsigned long)obj[i]);
		wrong += !span || span->state[span_slot(span, (unsigned long)obj[i])] != SLOT_LIVE;
		for (j = 0; j < i; j++)
			wrong += obj[i] == obj[j];
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	stats_bin(fh->heap, bin, &after);
	KUNIT_EXPECT_EQ(test, before.allocs + shown, after.allocs);
	KUNIT_EXPECT_EQ(test, before.frees, after.frees);
	KUNIT_EXPECT_EQ(test, before.asked + shown * 60, after.asked);
	fake_heap_check(test, fh);

	/* What is not plain ends the row, and is left as it is. */
	obj[5] += 8;
	KUNIT_EXPECT_EQ(test, 5U, cache_put_bulk(cpus, map, 48, obj));
	obj[5] -= 8;
	KUNIT_EXPECT_EQ(test, 0U, cache_put_bulk(cpus, map, 1, obj));
	none = NULL;
	KUNIT_EXPECT_EQ(test, 0U, cache_put_bulk(cpus, map, 1, &none));
	none = &none;
	KUNIT_EXPECT_EQ(test, 0U, cache_put_bulk(cpus, map, 1, &none));
	KUNIT_EXPECT_EQ(test, CACHE_BULK, (int)cache_put_bulk(cpus, map, 43, obj + 5));
	stats_bin(fh->heap, bin, &after);
	KUNIT_EXPECT_EQ(test, before.frees + 5 + CACHE_BULK, after.frees);

	/* A sample of the profile goes its own way, as does a note that is stale. */
	left = b->left;
	b->left = 3 * 60 - 1;
	KUNIT_EXPECT_EQ(test, 2U, cache_take_bulk(cpus, bin, 60, 3, obj));
	KUNIT_EXPECT_EQ(test, 0U, cache_take_bulk(cpus, bin, 60, 3, &none));
	KUNIT_EXPECT_EQ(test, 2U, cache_put_bulk(cpus, map, 2, obj));
	b->left = left;
	span = cache_entry_span(b->entry[b->count - 2]);
	state = span_slot_state(span, cache_entry_slot(b->entry[b->count - 2]));
	WRITE_ONCE(*state, SLOT_LIVE);
	KUNIT_EXPECT_EQ(test, 1U, cache_take_bulk(cpus, bin, 60, 3, obj));
	KUNIT_EXPECT_EQ(test, 1U, cache_take_bulk(cpus, bin, 60, 1, obj + 1));
	KUNIT_EXPECT_EQ(test, 0U, cache_take_bulk(cpus, bin, 60, 1, &none));
	WRITE_ONCE(*state, b->token);
	KUNIT_EXPECT_EQ(test, 1U, cache_put_bulk(cpus, map, 1, obj + 1));

	/* Only the task's list. */
	row.p = obj[0];
	crew_in_hardirq(cache_bulk_elsewhere, &row);
	KUNIT_EXPECT_EQ(test, 0U, row.allocs);
	KUNIT_EXPECT_EQ(test, 0U, row.frees);
	KUNIT_EXPECT_EQ(test, 1U, cache_put_bulk(cpus, map, 1, obj));
	/* Up to the list's capacity; and objects of any bins. */
	KUNIT_EXPECT_EQ(test, 11U, cache_put_bulk(cpus, map, 26, obj + 37));
	for (i = 48; i < shown; i++)
		cache_test_free(fh, obj[i]);
	for (i = 0; i < 8; i++)
		obj[i] = cache_test_alloc(fh, sizeclass_of(i % 4 < 2 ? 64 : 1024), GFP_KERNEL);
	cache_test_free(fh, obj[7]);
	KUNIT_EXPECT_EQ(test, 7U, cache_put_bulk(cpus, map, 7, obj));
	migrate_enable();
	fake_heap_check(test, fh);
}

/* __GFP_ZERO is zero, from fresh, clean and dirty memory, by every way in. */
static void cache_zeroes(struct kunit *test)
{
	unsigned int clean, bin, i, wrong = 0;
	struct fake_heap *fh;
	void *obj[70];

	for (clean = 0; clean < 2; clean++) {
		fake_heap_destroy(test, test->priv);
		fh = fake_heap_create(test, 2048, 1);
		test->priv = fh;
		fh->fake.clean = clean;
		for (bin = 1; bin < GOALLOC_NR_BINS; bin++) {
			unsigned int size = span_shape_small(bin).elemsize;
			unsigned int round;

			for (round = 0; round < 4; round++) {
				for (i = 0; i < ARRAY_SIZE(obj); i++) {
					obj[i] = round == 3 && i % 2 ?
						 cache_alloc_node(fh->heap, bin, size,
								  GFP_KERNEL | __GFP_ZERO, 0) :
						 cache_test_alloc(fh, bin,
								  GFP_KERNEL | __GFP_ZERO);
					KUNIT_ASSERT_NOT_NULL(test, obj[i]);
					wrong += !!memchr_inv(obj[i], 0, size);
				}
				for (i = 0; i < ARRAY_SIZE(obj); i++) {
					memset(obj[i], 0xa0 + round, size);
					cache_test_free(fh, obj[i]);
				}
				if (round == 1)
					cache_drain_all(fh->heap);
			}
			KUNIT_ASSERT_EQ_MSG(test, 0U, wrong, "bin %u, clean %u", bin, clean);
		}
		fake_heap_check(test, fh);
	}
}

/* No page to be had: NULL and counted; then from what other nodes still have. */
static void cache_out_of_memory(struct kunit *test)
{
	unsigned int bin = sizeclass_of(4096), n = 0;
	struct fake_heap *fh;
	void *p = NULL, *q;

	fake_heap_destroy(test, test->priv);
	fh = fake_heap_create(test, 32, 2);
	test->priv = fh;
	while ((q = cache_test_alloc(fh, bin, GFP_KERNEL))) {
		p = q;
		n++;
	}
	KUNIT_EXPECT_EQ(test, 32 * (unsigned int)(GOALLOC_PAGE_SIZE / 4096), n);
	KUNIT_EXPECT_EQ(test, 1LL, (s64)atomic64_read(&fh->heap->nr_failed));
	fake_heap_check(test, fh);
	/* One object comes back, on whichever node: it is found. */
	KUNIT_ASSERT_NOT_NULL(test, p);
	cache_test_free(fh, p);
	cache_drain_all(fh->heap);
	KUNIT_EXPECT_PTR_EQ(test, p, cache_test_alloc(fh, bin, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, cache_test_alloc(fh, bin, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 2LL, (s64)atomic64_read(&fh->heap->nr_failed));
	fake_heap_check(test, fh);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(cache_every_class),
	KUNIT_CASE(cache_lifo),
	KUNIT_CASE(cache_bounded),
	KUNIT_CASE(cache_flushes_older_half),
	KUNIT_CASE(cache_refills_from_fullest),
	KUNIT_CASE(cache_remote),
	KUNIT_CASE(cache_bulk),
	KUNIT_CASE(cache_zeroes),
	KUNIT_CASE(cache_out_of_memory),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "goalloc_cache",
	.init = cache_suite_init,
	.exit = cache_suite_exit,
	.test_cases = cache_cases,
};

kunit_test_suites(&cache_suite);
