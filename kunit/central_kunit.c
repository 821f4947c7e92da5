// SPDX-License-Identifier: GPL-2.0-only
/*
 * Central lists: who has a span, where it is kept, when it goes.
 *
 * The tests play the cache: they take slots out of a span that they own and
 * bring them back. So that the ledger holds they count what a cache would.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "central.h"
#include "crew.h"
#include "fake_source.h"
#include "sanitize.h"
#include "spare.h"
#include "stats.h"

/* An eighth of a page: 8 slots in a span of one page. */
#define BIN sizeclass_of(GOALLOC_PAGE_SIZE / 8)
#define SLOTS 8

static int central_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 512, 2);
	return 0;
}

static void central_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

static struct goalloc_central *central_of(struct fake_heap *fh)
{
	return &fh->heap->node[0]->central[BIN];
}

static unsigned long addr_of(struct fake_heap *fh, u64 page)
{
	return heap_page_addr(fh->heap, page);
}

/* A new span that the test owns, with @live slots taken from it. */
static struct goalloc_span *span_owned(struct kunit *test, unsigned int live)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span;

	span = heap_alloc_span(fh->heap->node[0], BIN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, span);
	KUNIT_ASSERT_EQ(test, SLOTS, (int)span->bits.nelems);
	central_own(central, span);
	while (live--)
		span->state[span_bits_next(&span->bits)] = SLOT_LIVE;
	return span;
}

/* A span that the central keeps, with @live slots taken from it. */
static struct goalloc_span *span_kept(struct kunit *test, unsigned int live)
{
	struct goalloc_span *span = span_owned(test, live);

	central_disown(central_of(test->priv), span);
	return span;
}

/* What a cache does before it flushes. */
static cache_entry_t slot_give(struct goalloc_central *central,
			       struct goalloc_span *span, unsigned int slot)
{
	WRITE_ONCE(span->state[slot], SLOT_FREE);
	central->frees++;
	return cache_entry_make(span, slot);
}

static unsigned int list_length(const struct list_head *list)
{
	const struct list_head *pos;
	unsigned int n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

static bool list_has(const struct list_head *list, const struct goalloc_span *span)
{
	const struct goalloc_span *pos;

	list_for_each_entry(pos, list, list)
		if (pos == span)
			return true;
	return false;
}

/* From a cache to the central and back, and what the books say at each step. */
static void central_lend_and_return(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_owned(test, 3);
	unsigned int got = 99, i;

	KUNIT_EXPECT_EQ(test, (int)SPAN_OWNED, (int)span->place);
	KUNIT_EXPECT_EQ(test, 1U, central->nr_owned);
	KUNIT_EXPECT_EQ(test, 0ULL, central->nr_free);

	central_disown(central, span);
	KUNIT_EXPECT_EQ(test, (int)SPAN_PARTIAL, (int)span->place);
	KUNIT_EXPECT_EQ(test, 0U, central->nr_owned);
	KUNIT_EXPECT_EQ(test, 5ULL, central->nr_free);
	fake_heap_check(test, fh);

	KUNIT_ASSERT_PTR_EQ(test, span, central_refill(central, NULL, NULL, 0, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 0U, got);
	KUNIT_EXPECT_EQ(test, (int)SPAN_OWNED, (int)span->place);
	KUNIT_EXPECT_EQ(test, 1U, central->nr_owned);
	KUNIT_EXPECT_EQ(test, 0ULL, central->nr_free);
	for (i = 3; i < SLOTS; i++) {
		KUNIT_ASSERT_EQ(test, i, span_bits_next(&span->bits));
		span->state[i] = SLOT_LIVE;
	}

	/* Nothing left to exchange the used-up span for. */
	KUNIT_EXPECT_NULL(test, central_refill(central, span, NULL, 0, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 0U, got);
	KUNIT_EXPECT_EQ(test, (int)SPAN_FULL, (int)span->place);
	KUNIT_EXPECT_TRUE(test, list_has(&central->full, span));
	KUNIT_EXPECT_EQ(test, 0U, central->nr_owned);
	KUNIT_EXPECT_EQ(test, 1U, central->nr_spans);
	fake_heap_check(test, fh);
}

/* Pages that the node's tree has given out. */
static u64 pages_out(const struct heap_node *node)
{
	return node->palloc.nr_owned - node->palloc.nr_free;
}

/* A span without a live object does not stay in the central. */
static void central_empty_goes(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct heap_node *node = fh->heap->node[0];
	struct goalloc_span *span;
	cache_entry_t entry[SLOTS];
	unsigned int how, i;
	u64 page;

	for (how = 0; how < 4; how++) {
		span = how ? span_kept(test, SLOTS) : span_owned(test, 0);
		page = span->page;
		KUNIT_EXPECT_EQ(test, (u64)span->npages, pages_out(node));
		KUNIT_EXPECT_PTR_EQ(test, span,
				    pagemap_span(&fh->fake.space.map, addr_of(fh, page)));
		switch (how) {
		case 0: /* given back unused */
			central_disown(central, span);
			break;
		case 1: /* its objects come back at once */
			for (i = 0; i < SLOTS; i++)
				entry[i] = slot_give(central, span, i);
			KUNIT_EXPECT_EQ(test, 0U, central_flush(central, entry, SLOTS, SLOT_FREE));
			break;
		case 2: /* one by one */
			for (i = 0; i < SLOTS; i++) {
				KUNIT_EXPECT_EQ(test, 1U, central->nr_spans);
				WRITE_ONCE(span->state[i], SLOT_FREE);
				central_free(central, span, i);
			}
			break;
		case 3: /* without a lock */
			for (i = 0; i < SLOTS; i++)
				central_defer(central, span, i);
			KUNIT_EXPECT_EQ(test, 1U, central->nr_spans);
			central_drain_deferred(central);
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, 0U, central->nr_spans, "way %u", how);
		KUNIT_EXPECT_EQ_MSG(test, 0ULL, central->nr_free, "way %u", how);
		KUNIT_EXPECT_EQ_MSG(test, 0ULL, pages_out(node), "way %u", how);
		KUNIT_EXPECT_NULL(test, pagemap_span(&fh->fake.space.map, addr_of(fh, page)));
		fake_heap_check(test, fh);
	}
}

/* Buckets by fullness; the fullest span is used first, from whichever bucket. */
static void central_fullest_first(struct kunit *test)
{
	/* free slots, bucket */
	static const u8 rows[][2] = {
		{ 7, 3 }, { 6, 3 }, { 5, 2 }, { 4, 2 }, { 3, 1 }, { 2, 1 }, { 1, 0 },
	};
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span[ARRAY_SIZE(rows)];
	unsigned int i, total = 0, bucket = 0;
	struct goalloc_span *first;
	cache_entry_t entry;
	void *obj;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		span[i] = span_kept(test, SLOTS - rows[i][0]);
		total += rows[i][0];
		KUNIT_EXPECT_EQ(test, rows[i][0], (u8)span[i]->nr_free);
		KUNIT_EXPECT_TRUE_MSG(test, list_has(&central->partial[rows[i][1]], span[i]),
				      "%u free", rows[i][0]);
	}
	KUNIT_EXPECT_EQ(test, (u64)total, central->nr_free);
	fake_heap_check(test, fh);

	/* A free moves a span to where it belongs now. */
	entry = slot_give(central, span[6], 0);
	KUNIT_EXPECT_EQ(test, 0U, central_flush(central, &entry, 1, SLOT_FREE));
	KUNIT_EXPECT_TRUE(test, list_has(&central->partial[1], span[6]));
	KUNIT_EXPECT_EQ(test, 0U, list_length(&central->partial[0]));
	total++;

	/* Each object comes from the lowest bucket that has a span. */
	for (i = 0; i < total; i++) {
		while (bucket < CENTRAL_BUCKETS && list_empty(&central->partial[bucket]))
			bucket++;
		KUNIT_ASSERT_LT(test, bucket, (unsigned int)CENTRAL_BUCKETS);
		first = list_first_entry(&central->partial[bucket], struct goalloc_span, list);
		obj = central_alloc(central, 1000);
		KUNIT_EXPECT_PTR_EQ(test, first,
				    pagemap_span(&fh->fake.space.map, (unsigned long)obj));
		/* The span it came from is fuller now. */
		bucket = 0;
		KUNIT_EXPECT_EQ(test, (u64)total - i - 1, central->nr_free);
	}
	KUNIT_EXPECT_NULL(test, central_alloc(central, 1000));
	KUNIT_EXPECT_EQ(test, (unsigned int)ARRAY_SIZE(rows), list_length(&central->full));
	fake_heap_check(test, fh);
}

/* The order in which spans are emptied, seen from the objects. */
static void central_alloc_order(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *sparse = span_kept(test, 1);
	struct goalloc_span *dense = span_kept(test, 7);
	void *obj;

	obj = central_alloc(central, 1000);
	KUNIT_EXPECT_PTR_EQ(test, (void *)span_slot_addr(dense, 7), obj);
	KUNIT_EXPECT_EQ(test, (u8)SLOT_LIVE, dense->state[7]);
	KUNIT_EXPECT_EQ(test, (int)SPAN_FULL, (int)dense->place);
	obj = central_alloc(central, 1000);
	KUNIT_EXPECT_PTR_EQ(test, (void *)span_slot_addr(sparse, 1), obj);
	KUNIT_EXPECT_EQ(test, 2000ULL, central->asked);
	fake_heap_check(test, fh);
}

/* A refill takes single objects out of the fullest spans before it lends one. */
static void central_refill_extracts(struct kunit *test)
{
	static const struct {
		u8 room;	/* the cache's */
		u8 got;		/* objects, from spans with 1, 3, 2 and 7 free */
	} rows[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 4 }, { 5, 4 },
		{ 6, 4 }, { 7, 4 }, { 8, 4 }, { 9, 6 }, { 12, 6 }, { 13, 13 },
		{ 32, 13 },
	};
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	unsigned int row, i, got;
	struct goalloc_span *span;
	cache_entry_t entry[32];

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		struct goalloc_span *kept[] = {
			span_kept(test, SLOTS - 1), span_kept(test, SLOTS - 2),
			span_kept(test, SLOTS - 3), span_kept(test, 1),
		};
		unsigned int wrong = 0;

		got = 99;
		span = central_refill(central, NULL, entry, rows[row].room, SLOT_FREE, &got);
		KUNIT_EXPECT_EQ_MSG(test, (unsigned int)rows[row].got, got,
				    "room %u", rows[row].room);
		/* Objects or a span, not both. */
		KUNIT_EXPECT_PTR_EQ(test, span, got ? NULL : kept[0]);
		for (i = 0; i < got; i++) {
			unsigned int slot = cache_entry_slot(entry[i]);
			struct goalloc_span *from = cache_entry_span(entry[i]);

			/* Free, taken in the books, and each a different one. */
			if (from->state[slot] != SLOT_FREE ||
			    span_bits_is_free(&from->bits, slot)) {
				wrong++;
				continue;
			}
			from->state[slot] = SLOT_LIVE;
			central->allocs++;
		}
		KUNIT_EXPECT_EQ(test, 0U, wrong);
		if (span)
			central_disown(central, span);
		fake_heap_check(test, fh);

		/* Everything back, by what the state bytes say. */
		for (i = 0; i < ARRAY_SIZE(kept); i++) {
			unsigned int slot, n = 0;

			for (slot = 0; slot < SLOTS; slot++)
				if (kept[i]->state[slot] == SLOT_LIVE)
					entry[n++] = slot_give(central, kept[i], slot);
			KUNIT_EXPECT_EQ(test, 0U, central_flush(central, entry, n, SLOT_FREE));
		}
		KUNIT_ASSERT_EQ(test, 0U, central->nr_spans);
		fake_heap_check(test, fh);
	}
}

/* The span that a cache brings back is lent again if there is nothing else. */
static void central_refill_keeps_last(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_owned(test, SLOTS);
	struct goalloc_span *other;
	cache_entry_t entry[SLOTS];
	unsigned int i, got;

	for (i = 0; i < SLOTS; i++)
		entry[i] = slot_give(central, span, i);
	KUNIT_EXPECT_EQ(test, 0U, central_flush(central, entry, SLOTS, SLOT_FREE));
	/* Empty, but somebody allocates from it. */
	KUNIT_EXPECT_EQ(test, 1U, central->nr_spans);
	KUNIT_EXPECT_EQ(test, (u64)SLOTS, central->nr_free);

	KUNIT_ASSERT_PTR_EQ(test, span, central_refill(central, span, NULL, 0, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 1U, central->nr_spans);
	KUNIT_EXPECT_EQ(test, 1U, central->nr_owned);
	KUNIT_EXPECT_EQ(test, 0ULL, central->nr_free);
	KUNIT_EXPECT_EQ(test, (unsigned int)SLOTS, span_bits_unused(&span->bits));

	/* With something else to lend it goes. */
	other = span_kept(test, 1);
	KUNIT_ASSERT_PTR_EQ(test, other, central_refill(central, span, NULL, 0, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 1U, central->nr_spans);
	central_disown(central, other);
	fake_heap_check(test, fh);
}

/* What comes back to an owned span is not the owner's before the return. */
static void central_owner_sees_late(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_owned(test, 6);
	cache_entry_t entry = slot_give(central, span, 2);
	unsigned int got;

	KUNIT_EXPECT_EQ(test, 0U, central_flush(central, &entry, 1, SLOT_FREE));
	KUNIT_EXPECT_EQ(test, 1ULL, central->nr_free);
	KUNIT_EXPECT_EQ(test, (int)SPAN_OWNED, (int)span->place);
	KUNIT_EXPECT_EQ(test, 6U, span_bits_next(&span->bits));
	KUNIT_EXPECT_EQ(test, 7U, span_bits_next(&span->bits));
	KUNIT_EXPECT_EQ(test, (unsigned int)SLOTS, span_bits_next(&span->bits));
	KUNIT_ASSERT_PTR_EQ(test, span, central_refill(central, span, NULL, 0, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 2U, span_bits_next(&span->bits));
	KUNIT_EXPECT_EQ(test, (unsigned int)SLOTS, span_bits_next(&span->bits));
	central_disown(central, span);
}

/* Only what is free, of this node, and not there yet is taken. */
static void central_flush_refuses(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_kept(test, 4);
	struct goalloc_span *mine = span_owned(test, 4);
	struct goalloc_span *gone = span_owned(test, 0);
	struct goalloc_span *remote;
	cache_entry_t entry[7];
	u64 before;

	remote = heap_alloc_span(fh->heap->node[1], BIN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, remote);
	KUNIT_ASSERT_PTR_EQ(test, fh->heap->node[1], remote->home);
	central_disown(central, gone);
	before = central->nr_free;
	entry[0] = slot_give(central, span, 0);
	entry[1] = entry[0];				/* came twice */
	entry[2] = cache_entry_make(span, 1);		/* live */
	entry[3] = cache_entry_make(span, 5);		/* never handed out */
	entry[4] = cache_entry_make(mine, 5);		/* nor this, in an owned span */
	entry[5] = cache_entry_make(gone, 0);		/* its span is no more */
	entry[6] = cache_entry_make(remote, 0);		/* another node's */
	KUNIT_EXPECT_EQ(test, 6U, central_flush(central, entry, 7, SLOT_FREE));
	KUNIT_EXPECT_EQ(test, before + 1, central->nr_free);
	KUNIT_EXPECT_EQ(test, 1U, central_flush(central, entry, 1, SLOT_FREE));
	KUNIT_EXPECT_EQ(test, before + 1, central->nr_free);
	KUNIT_EXPECT_EQ(test, 5, (int)span->nr_free);
	heap_free_span(remote);
	central_disown(central, mine);
	fake_heap_check(test, fh);
}

/* What a cache notes of an object is span and slot, for any of both. */
static void central_entries(struct kunit *test)
{
	static const unsigned long spans[] = {
		0xffff888000000000, 0xffff8880000007f8, 0xffffc90000001238,
		0xff11000000000008, 0xffffffffffffff00,
	};
	unsigned int i, slot, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(spans); i++) {
		for (slot = 0; slot < CACHE_ENTRY_SLOTS; slot++) {
			cache_entry_t entry = cache_entry_make((void *)spans[i], slot);

			wrong += cache_entry_span(entry) != (void *)spans[i];
			wrong += cache_entry_slot(entry) != slot;
		}
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	for (i = 0; i < GOALLOC_NR_BINS; i++)
		KUNIT_EXPECT_LE(test, (unsigned long)span_shape_small(i).nelems, CACHE_ENTRY_SLOTS);
}

/* The structure of a span that went is used again, but not too early. */
static void central_spares(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_kept(test, SLOTS - 1), *other;
	unsigned int i;

	for (i = 0; i < SLOTS - 1; i++) {
		WRITE_ONCE(span->state[i], SLOT_FREE);
		central_free(central, span, i);
	}
	KUNIT_EXPECT_EQ(test, 1U, list_length(&central->spare));
	/* No slot of it can be had meanwhile. */
	for (i = 0; i < SLOTS; i++)
		KUNIT_EXPECT_EQ(test, (u8)SLOT_TAIL, span->state[i]);
	synchronize_rcu();
	other = span_owned(test, 0);
	KUNIT_EXPECT_PTR_EQ(test, span, other);
	KUNIT_EXPECT_EQ(test, 0U, list_length(&central->spare));
	for (i = 0; i < SLOTS; i++) {
		KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, other->state[i]);
		KUNIT_EXPECT_EQ(test, i, span_bits_next(&other->bits));
		other->state[i] = SLOT_LIVE;
	}
	/* Growing fails: the structure is kept for the next one. */
	for (i = 0; i < SLOTS; i++) {
		WRITE_ONCE(other->state[i], SLOT_FREE);
		central_free(central, other, i);
	}
	/*
	 * Until a grace period is over there is none to be had, and whoever wants
	 * one sees to it that there will be: nobody else here asks for one.
	 */
	rcu_read_lock();
	central_disown(central, other);
	KUNIT_EXPECT_NULL(test, spare_take(central));
	KUNIT_EXPECT_TRUE(test, spare_waits());
	rcu_read_unlock();
	heap_scavenge(fh->heap->node[0], U64_MAX, true);
	for (i = 0; spare_waits() && i < 3000; i++)
		msleep(20);
	KUNIT_EXPECT_FALSE(test, spare_waits());
	fh->fake.fail_from = fh->fake.gets + 1;
	KUNIT_EXPECT_NULL(test, heap_alloc_span(fh->heap->node[0], BIN, GFP_KERNEL));
	fh->fake.fail_from = 0;
	KUNIT_EXPECT_EQ(test, 1U, list_length(&central->spare));
	fake_heap_check(test, fh);
}

/* Free in the books and live to somebody: two bad frees raced. Never again. */
static void central_skips_live(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_kept(test, 4);
	cache_entry_t entry[16];
	unsigned int got, i;

	WRITE_ONCE(span->state[5], SLOT_LIVE);
	KUNIT_EXPECT_PTR_EQ(test, (void *)span_slot_addr(span, 4), central_alloc(central, 1));
	KUNIT_EXPECT_PTR_EQ(test, (void *)span_slot_addr(span, 6), central_alloc(central, 1));
	WRITE_ONCE(span->state[5], SLOT_FREE);
	/* It was dropped from the books when it was passed over. */
	KUNIT_EXPECT_EQ(test, 1ULL, central->nr_free);
	WRITE_ONCE(span->state[7], SLOT_LIVE);
	KUNIT_EXPECT_NULL(test, central_refill(central, NULL, entry, 16, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 0U, got);
	KUNIT_EXPECT_EQ(test, 0ULL, central->nr_free);
	/* Both can be brought home as if they had been handed out. */
	entry[0] = cache_entry_make(span, 5);
	KUNIT_EXPECT_EQ(test, 0U, central_flush(central, entry, 1, SLOT_FREE));
	for (i = 0; i < SLOTS; i++) {
		if (i == 5)
			continue;
		WRITE_ONCE(span->state[i], SLOT_FREE);
		central_free(central, span, i);
	}
	KUNIT_EXPECT_EQ(test, 0U, central->nr_spans);
}

/* Objects whose free found no lock: counted when they are collected. */
static void central_deferred(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *a = span_kept(test, SLOTS);
	struct goalloc_span *b = span_kept(test, SLOTS);
	unsigned int got;
	void *obj;

	central_defer(central, a, 0);
	central_defer(central, b, 7);
	central_defer(central, a, 3);
	KUNIT_EXPECT_EQ(test, (u8)SLOT_DEFERRED, a->state[3]);
	KUNIT_EXPECT_EQ(test, 0ULL, central->frees);
	KUNIT_EXPECT_EQ(test, 0ULL, central->nr_free);
	fake_heap_check(test, fh);

	/* Whoever comes next collects them all. */
	obj = central_alloc(central, 1000);
	KUNIT_EXPECT_PTR_EQ(test, (void *)span_slot_addr(b, 7), obj);
	KUNIT_EXPECT_EQ(test, 3ULL, central->frees);
	KUNIT_EXPECT_EQ(test, 2ULL, central->nr_free);
	KUNIT_EXPECT_TRUE(test, llist_empty(&central->deferred));
	fake_heap_check(test, fh);

	/* Twice in a row, and by each of the other ways in. */
	central_defer(central, a, 4);
	central_drain_deferred(central);
	KUNIT_EXPECT_EQ(test, 3ULL, central->nr_free);
	central_defer(central, b, 0);
	WRITE_ONCE(a->state[5], SLOT_FREE);
	central_free(central, a, 5);
	KUNIT_EXPECT_EQ(test, 5ULL, central->nr_free);
	central_defer(central, b, 1);
	KUNIT_ASSERT_PTR_EQ(test, b, central_refill(central, NULL, NULL, 0, SLOT_FREE, &got));
	KUNIT_EXPECT_EQ(test, 4ULL, central->nr_free);
	/* An owned span's, too. */
	central_defer(central, b, 2);
	central_disown(central, b);
	KUNIT_EXPECT_EQ(test, 7ULL, central->nr_free);
	fake_heap_check(test, fh);
}

static void nmi_alloc(void *arg)
{
	struct kunit *test = arg;

	test->priv = central_alloc(test->priv, 1000);
}

/* In NMI what a lock-holder has is left alone, and empty spans stay. */
static void central_nmi(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span = span_kept(test, 1);
	unsigned long flags;
	void *obj;

	test->priv = central;
	raw_spin_lock_irqsave(&central->lock, flags);
	crew_as_nmi(nmi_alloc, test);
	raw_spin_unlock_irqrestore(&central->lock, flags);
	obj = test->priv;
	test->priv = fh;
	KUNIT_EXPECT_NULL(test, obj);

	central_defer(central, span, 0);
	test->priv = central;
	crew_as_nmi(nmi_alloc, test);
	obj = test->priv;
	test->priv = fh;
	KUNIT_EXPECT_PTR_EQ(test, (void *)span_slot_addr(span, 1), obj);
	KUNIT_EXPECT_FALSE(test, llist_empty(&central->deferred));
	central_drain_deferred(central);
	KUNIT_EXPECT_EQ(test, 7ULL, central->nr_free);
	fake_heap_check(test, fh);
}

/* A span of fresh zero pages is clean until the first object comes back. */
static void central_needzero(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_central *central = central_of(fh);
	struct goalloc_span *span;
	cache_entry_t entry;

	span = span_kept(test, 1);
	KUNIT_EXPECT_TRUE(test, span->needzero);
	entry = slot_give(central, span, 0);
	KUNIT_EXPECT_EQ(test, 0U, central_flush(central, &entry, 1, SLOT_FREE));
	heap_scavenge(fh->heap->node[0], U64_MAX, true);

	fh->fake.clean = true;
	span = span_owned(test, 2);
	KUNIT_EXPECT_FALSE(test, span->needzero);
	central_disown(central, span);
	KUNIT_EXPECT_FALSE(test, span->needzero);
	entry = slot_give(central, span, 0);
	KUNIT_EXPECT_EQ(test, 0U, central_flush(central, &entry, 1, SLOT_FREE));
	KUNIT_EXPECT_NOT_NULL(test, central_alloc(central, 1000));
	KUNIT_EXPECT_TRUE(test, span->needzero);
}

#define STORM_OBJS 24
#define STORM_STEPS 4000

struct storm {
	struct goalloc_central *central;
	struct heap_node *node;
	struct pagemap *map;
	atomic_t wrong;
};

/* Each thread: allocate, free in every way there is, own and disown spans. */
static void storm_member(void *arg, unsigned int member)
{
	struct storm *storm = arg;
	struct goalloc_central *central = storm->central;
	struct goalloc_span *span;
	void *mine[STORM_OBJS] = {};
	struct rnd_state rnd;
	struct slot_ref ref;
	unsigned int step, i;

	/* Not get_random_u32(): early on it makes all CPUs wait for one lock. */
	prandom_seed_state(&rnd, member);
	for (step = 0; step < STORM_STEPS + STORM_OBJS; step++) {
		/* At last everything back. */
		i = step < STORM_STEPS ? prandom_u32_state(&rnd) % STORM_OBJS :
					 step - STORM_STEPS;
		if (step % 64 == 0)
			cond_resched();
		if (!mine[i] && step < STORM_STEPS) {
			mine[i] = central_alloc(central, 1000);
			if (!mine[i]) {
				span = heap_alloc_span(storm->node, BIN, GFP_KERNEL);
				if (span)
					central_add(central, span);
				else
					atomic_inc(&storm->wrong);
				continue;
			}
			/* To KASAN it is no object: no cache has handed it out. */
			sanitize_pause();
			memset(mine[i], 0x40 + member, GOALLOC_PAGE_SIZE / 8);
			sanitize_resume();
			continue;
		}
		if (!mine[i])
			continue;
		sanitize_pause();
		if (memchr_inv(mine[i], 0x40 + member, GOALLOC_PAGE_SIZE / 8))
			atomic_inc(&storm->wrong);
		sanitize_resume();
		if (!slot_find(storm->map, (unsigned long)mine[i], &ref)) {
			atomic_inc(&storm->wrong);
			continue;
		}
		if (prandom_u32_state(&rnd) % 2) {
			preempt_disable();
			central_defer(central, ref.span, ref.slot);
			preempt_enable();
		} else {
			WRITE_ONCE(*ref.state, SLOT_FREE);
			central_free(central, ref.span, ref.slot);
		}
		mine[i] = NULL;
	}
}

/* Four CPUs at one central: every object is one thread's, nothing is lost. */
static void central_storm(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct storm storm = {
		.central = central_of(fh),
		.node = fh->heap->node[0],
		.map = &fh->fake.space.map,
	};

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, storm_member, &storm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm.wrong));
	central_drain_deferred(storm.central);
	KUNIT_EXPECT_EQ(test, storm.central->allocs, storm.central->frees);
	KUNIT_EXPECT_GT(test, storm.central->allocs, (u64)STORM_STEPS);
	fake_heap_check(test, fh);
}

static struct kunit_case central_cases[] = {
	KUNIT_CASE(central_lend_and_return),
	KUNIT_CASE(central_empty_goes),
	KUNIT_CASE(central_fullest_first),
	KUNIT_CASE(central_alloc_order),
	KUNIT_CASE(central_refill_extracts),
	KUNIT_CASE(central_refill_keeps_last),
	KUNIT_CASE(central_owner_sees_late),
	KUNIT_CASE(central_flush_refuses),
	KUNIT_CASE(central_entries),
	KUNIT_CASE(central_spares),
	KUNIT_CASE(central_skips_live),
	KUNIT_CASE(central_deferred),
	KUNIT_CASE(central_nmi),
	KUNIT_CASE(central_needzero),
	KUNIT_CASE(central_storm),
	{}
};

static struct kunit_suite central_suite = {
	.name = "goalloc_central",
	.init = central_suite_init,
	.exit = central_suite_exit,
	.test_cases = central_cases,
};

kunit_test_suites(&central_suite);
