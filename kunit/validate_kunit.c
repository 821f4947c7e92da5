// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation: it finds each kind of damage and repairs none, and has nothing to
 * say of a heap in order, busy or not.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "listen.h"
#include "stats.h"
#include "validate.h"

#define OBJS 400

/**
 * struct validate_test - a heap with something in it
 * @fh: the heap
 * @obj: small objects, half of them freed, so that spans are partly used
 * @large: a large object
 * @span: partly used span without owner
 * @wide_obj: object in @wide
 * @wide: span of a class with several pages, among many such
 * @cache: a CPU's cache, empty
 */
struct validate_test {
	struct fake_heap *fh;
	void *obj[OBJS];
	void *large;
	void *wide_obj;
	struct goalloc_span *span;
	struct goalloc_span *wide;
	struct goalloc_cache *cache;
};

static struct goalloc_span *validate_test_span(struct validate_test *vt, void *p)
{
	return pagemap_span(&vt->fh->fake.space.map, (unsigned long)p);
}

static int validate_suite_init(struct kunit *test)
{
	struct validate_test *vt = kunit_kzalloc(test, sizeof(*vt), GFP_KERNEL);
	struct goalloc_heap *heap;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, vt);
	test->priv = vt;
	vt->fh = fake_heap_create(test, 4096, 1);
	heap = vt->fh->heap;
	for (i = 0; i < OBJS; i++) {
		vt->obj[i] = goalloc_heap_alloc(heap, 96, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, vt->obj[i]);
	}
	for (i = 0; i < OBJS; i += 2) {
		goalloc_heap_free(heap, vt->obj[i]);
		vt->obj[i] = NULL;
	}
	/* More than are looked at in one go. */
	for (i = 0; i < 80; i++) {
		void *large = goalloc_heap_alloc(heap, 50000, GFP_KERNEL);
		void *wide = goalloc_heap_alloc(heap, 20000, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, large);
		KUNIT_ASSERT_NOT_NULL(test, wide);
		if (i == 60) {
			vt->large = large;
			vt->wide_obj = wide;
		}
	}
	goalloc_heap_free(heap, goalloc_heap_alloc(heap, 300000, GFP_KERNEL));
	preempt_disable();
	vt->cache = cache_get(heap);
	preempt_enable();
	KUNIT_ASSERT_PTR_NE(test, &cache_none, vt->cache);
	goalloc_flush(heap);
	/* The one that a cache had last: with slots that never were out. */
	vt->span = validate_test_span(vt, vt->obj[OBJS - 1]);
	KUNIT_ASSERT_EQ(test, (int)SPAN_PARTIAL, (int)vt->span->place);
	KUNIT_ASSERT_GT(test, span_bits_unused(&vt->span->bits), 0U);
	vt->wide = validate_test_span(vt, vt->wide_obj);
	KUNIT_ASSERT_GT(test, vt->wide->npages, 1U);
	return 0;
}

static void validate_suite_exit(struct kunit *test)
{
	struct validate_test *vt = test->priv;

	listen_stop();
	if (vt && vt->fh)
		fake_heap_destroy(test, vt->fh);
}

/**
 * struct plant - damage to be done
 * @where: what is overwritten
 * @size: bytes, up to 8
 * @value: with what
 */
struct plant {
	void *where;
	size_t size;
	u64 value;
};

#define PLANT(field, to) ((struct plant){				\
	.where = &(field), .size = sizeof(field), .value = (u64)(to),	\
})

static unsigned int free_slot(const struct goalloc_span *span)
{
	return (u8 *)memchr(span->state, SLOT_FREE, span->bits.nelems) - span->state;
}

static unsigned int live_slot(const struct goalloc_span *span)
{
	return (u8 *)memchr(span->state, SLOT_LIVE, span->bits.nelems) - span->state;
}

/* The slot that would be handed out next, which has an alloc bit that counts. */
static struct plant plant_alloc_bit(struct goalloc_span *span)
{
	unsigned int slot;

	for (slot = 0; !span_bits_is_free(&span->bits, slot); slot++)
		if (slot + 1 == span->bits.nelems)
			return (struct plant){};
	return PLANT(span->bits.words[slot / SPAN_BITS_WINDOW],
		     span->bits.words[slot / SPAN_BITS_WINDOW] |
		     1ULL << slot % SPAN_BITS_WINDOW);
}

static struct goalloc_span **map_entry(struct validate_test *vt, u64 page)
{
	struct pagemap_row *row = vt->fh->fake.space.map.row;

	return &row->leaf[page / ARENA_LEAF_PAGES]->span[page % ARENA_LEAF_PAGES];
}

/* A free page of the tree. */
static u64 tree_free_page(struct heap_node *node)
{
	const struct palloc *tree = &node->palloc;
	u64 page = tree->search;

	for (;; page++) {
		const struct palloc_chunk *chunk;

		chunk = palloc_chunk_of(tree, page >> PALLOC_CHUNK_SHIFT);
		if (!(chunk->alloc[page % PALLOC_CHUNK_PAGES / 64] >> page % 64 & 1))
			break;
	}
	return page;
}

enum {
	STATE_OF_FREE, STATE_OF_LIVE, STATE_IMPOSSIBLE, STATE_TAIL, STATE_UNKNOWN,
	ALLOC_BIT, FREED_BIT, NR_FREED, NR_FREE, NR_FREE_FULL, MOVE_AT, PLACE, SHAPE, HOME,
	CENTRAL_NR_FREE, CENTRAL_NR_SPANS, CENTRAL_NR_OWNED,
	MAP_SMALL, MAP_SECOND_PAGE, MAP_LARGE, MAP_OTHER_SPAN, MAP_FREE_PAGE,
	LARGE_STATE, LARGE_COUNT, LARGE_ASKED, LARGE_PAGES,
	SUM_LEAF, SUM_ROOT, CHUNK_BIT, TREE_NR_FREE, TREE_NR_OWNED, TREE_SEARCH, TREE_FAULT,
	LEDGER, CACHED, ROOM, ROOM_LIST, ROOM_SUM, ROOM_OVER, ROOM_REMOTE,
	NR_PLANTS,
};

static const char *const plant_rules[NR_PLANTS] = {
	[STATE_OF_FREE] = "free slot with another state, node 0, class ",
	[STATE_OF_LIVE] = "free slots differ from what caches have, class ",
	[STATE_IMPOSSIBLE] = "slot with an impossible state, node 0, class ",
	[STATE_TAIL] = "no end behind the last slot, node 0, class ",
	[STATE_UNKNOWN] = "slot with an impossible state, node 0, class ",
	[ALLOC_BIT] = "free slots miscounted, node 0, class ",
	[FREED_BIT] = "free slot with another state, node 0, class ",
	[NR_FREED] = "slots that came back miscounted, node 0, class ",
	[NR_FREE] = "free slots miscounted, node 0, class ",
	[NR_FREE_FULL] = "free slots miscounted, node 0, class ",
	[MOVE_AT] = "span that would not move, node 0, class ",
	[PLACE] = "span in a list it does not belong to, node 0, class ",
	[SHAPE] = "span of another shape than its list, node 0, class ",
	[HOME] = "span of another shape than its list, node 0, class ",
	[CENTRAL_NR_FREE] = "free objects of a class miscounted, node 0, class ",
	[CENTRAL_NR_SPANS] = "spans of a class miscounted, node 0, class ",
	[CENTRAL_NR_OWNED] = "spans that caches have miscounted, node 0, class ",
	[MAP_SMALL] = "page map entry of a span leads elsewhere, node 0, class ",
	[MAP_SECOND_PAGE] = "page map entry of a span leads elsewhere, node 0, class ",
	[MAP_LARGE] = "page map entry of a span leads elsewhere, node 0, page ",
	[MAP_OTHER_SPAN] = "page map entry of a span leads elsewhere, node 0, class ",
	[MAP_FREE_PAGE] = "free page is in the page map, node 0, page ",
	[LARGE_STATE] = "slot with an impossible state, node 0",
	[LARGE_COUNT] = "large objects miscounted, node 0",
	[LARGE_ASKED] = "bytes of large objects miscounted, node 0",
	[LARGE_PAGES] = "pages of large objects miscounted, node 0",
	[SUM_LEAF] = "leaf summary differs from bitmap, node 0",
	[SUM_ROOT] = "summary differs from its children, node 0",
	[CHUNK_BIT] = "free page below the search page, node 0",
	[TREE_NR_FREE] = "free pages miscounted, node 0",
	[TREE_NR_OWNED] = "owned pages miscounted, node 0",
	[TREE_SEARCH] = "free page below the search page, node 0",
	[TREE_FAULT] = "planted, node 0",
	[LEDGER] = "the ledger does not add up: is",
	[CACHED] = "free slots differ from what caches have, class ",
	[ROOM] = "room of a list miscounted, class ",
	[ROOM_LIST] = "room of a list miscounted, class ",
	[ROOM_SUM] = "what a cache may keep miscounted: is",
	[ROOM_OVER] = "cache keeps more than it may: is",
	[ROOM_REMOTE] = "cache keeps more of other nodes than it may: is",
};

static struct plant plant(struct validate_test *vt, unsigned int kind)
{
	struct heap_node *node = vt->fh->heap->node[0];
	struct goalloc_central *central = heap_central_of(vt->span);
	struct goalloc_span *large = validate_test_span(vt, vt->large);
	struct palloc *tree = &node->palloc;
	u64 *freed = span_bits_freed(&vt->span->bits);
	struct palloc_chunk *chunk;

	switch (kind) {
	case STATE_OF_FREE:
		return PLANT(vt->span->state[free_slot(vt->span)], SLOT_LIVE);
	case STATE_OF_LIVE:
		return PLANT(vt->span->state[live_slot(vt->span)], SLOT_FREE);
	case STATE_IMPOSSIBLE:
		return PLANT(vt->span->state[live_slot(vt->span)], SLOT_LARGE);
	case STATE_TAIL:
		return PLANT(vt->span->state[vt->span->bits.nelems], SLOT_FREE);
	case STATE_UNKNOWN:
		return PLANT(vt->span->state[live_slot(vt->span)], SLOT_TAIL - 1);
	case ALLOC_BIT:
		return plant_alloc_bit(vt->span);
	case FREED_BIT:
		return PLANT(freed[live_slot(vt->span) / 64], freed[live_slot(vt->span) / 64] |
			     1ULL << live_slot(vt->span) % 64);
	case NR_FREED:
		return PLANT(vt->span->bits.nr_freed, vt->span->bits.nr_freed + 1);
	case NR_FREE:
		return PLANT(vt->span->nr_free, vt->span->nr_free - 1);
	case NR_FREE_FULL:
		return PLANT(vt->wide->nr_free, vt->wide->nr_free + 1);
	case MOVE_AT:
		return PLANT(vt->span->move_at, vt->span->move_at + 1);
	case PLACE:
		return PLANT(vt->span->place, SPAN_OWNED);
	case SHAPE:
		return PLANT(vt->span->elemsize, vt->span->elemsize + 8);
	case HOME:
		return PLANT(vt->span->home, 0);
	case CENTRAL_NR_FREE:
		return PLANT(central->nr_free, central->nr_free - 1);
	case CENTRAL_NR_SPANS:
		return PLANT(central->nr_spans, central->nr_spans + 1);
	case CENTRAL_NR_OWNED:
		return PLANT(central->nr_owned, central->nr_owned + 1);
	case MAP_SMALL:
		return PLANT(*map_entry(vt, vt->span->page), &pagemap_no_span);
	case MAP_SECOND_PAGE:
		return PLANT(*map_entry(vt, vt->wide->page + vt->wide->npages - 1),
			     &pagemap_no_span);
	case MAP_LARGE:
		return PLANT(*map_entry(vt, large->page + 1), &pagemap_no_span);
	case MAP_OTHER_SPAN:
		return PLANT(*map_entry(vt, vt->span->page), vt->wide);
	case MAP_FREE_PAGE:
		return PLANT(*map_entry(vt, tree_free_page(node)), vt->span);
	case LARGE_STATE:
		return PLANT(large->state[0], SLOT_TINY);
	case LARGE_COUNT:
		return PLANT(node->large_frees, node->large_frees - 1);
	case LARGE_ASKED:
		return PLANT(node->large_asked, node->large_asked + 1);
	case LARGE_PAGES:
		return PLANT(node->large_pages, node->large_pages - 1);
	case SUM_LEAF:
		return PLANT(tree->sum[PALLOC_LEAF][vt->span->page >> PALLOC_CHUNK_SHIFT],
			     tree->sum[PALLOC_LEAF][vt->span->page >> PALLOC_CHUNK_SHIFT] + 1);
	case SUM_ROOT:
		return PLANT(tree->sum[0][0], tree->sum[0][0] + 1);
	case CHUNK_BIT:
		/* A page of the large object is free. */
		chunk = palloc_chunk_of(tree, large->page >> PALLOC_CHUNK_SHIFT);
		return PLANT(chunk->alloc[large->page % PALLOC_CHUNK_PAGES / 64],
			     chunk->alloc[large->page % PALLOC_CHUNK_PAGES / 64] &
			     ~(1ULL << large->page % 64));
	case TREE_NR_FREE:
		return PLANT(tree->nr_free, tree->nr_free + 1);
	case TREE_NR_OWNED:
		return PLANT(tree->nr_owned, tree->nr_owned - 1);
	case TREE_SEARCH:
		return PLANT(tree->search, PALLOC_NONE);
	case TREE_FAULT:
		return PLANT(tree->fault.what, "planted");
	case LEDGER:
		return PLANT(node->grown, node->grown + 1);
	case CACHED:
		return PLANT(vt->cache->bin[vt->span->bin].count, 1);
	case ROOM:
		return PLANT(vt->cache->bin[vt->span->bin].cap, 1);
	case ROOM_LIST:
		return PLANT(vt->cache->cap.class[vt->span->bin].list, 96);
	case ROOM_SUM:
		return PLANT(vt->cache->cap.used, 8);
	case ROOM_OVER:
		/* With something that it has. */
		goalloc_heap_free(vt->fh->heap,
				  goalloc_heap_alloc(vt->fh->heap, 96, GFP_KERNEL));
		return PLANT(vt->fh->heap->cache_share, 80);
	case ROOM_REMOTE:
		goalloc_flush(vt->fh->heap);
		return PLANT(vt->cache->remote.bytes, 96);
	}
	return (struct plant){};
}

static void plant_swap(struct plant *plant)
{
	u64 old = 0;

	memcpy(&old, plant->where, plant->size);
	memcpy(plant->where, &plant->value, plant->size);
	plant->value = old;
}

/* Each kind of damage: found, named, and left as it is. */
static void validate_finds(struct kunit *test)
{
	struct validate_test *vt = test->priv;
	unsigned int kind;

	if (GOALLOC_PAGE_SHIFT != 13)
		kunit_skip(test, "made for 8 KiB pages");
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(vt->fh->heap));
	for (kind = 0; kind < NR_PLANTS; kind++) {
		struct plant p = plant(vt, kind);
		u64 planted = p.value, left = 0;
		char text[128];

		KUNIT_ASSERT_NOT_NULL_MSG(test, p.where, "kind %u", kind);
		plant_swap(&p);
		KUNIT_EXPECT_NE_MSG(test, planted, p.value, "%s", plant_rules[kind]);
		listen_start(test);
		KUNIT_EXPECT_EQ_MSG(test, -EUCLEAN, goalloc_validate(vt->fh->heap),
				    "%s", plant_rules[kind]);
		listen_stop();
		snprintf(text, sizeof(text), "heap test: validate: %s", plant_rules[kind]);
		KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(text), "'%s', got '%s'", text,
				    listen_line(0));
		KUNIT_EXPECT_EQ(test, 1U, listen_count("; nothing was changed; please report"));
		KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc"));
		memcpy(&left, p.where, p.size);
		KUNIT_EXPECT_EQ_MSG(test, planted, left, "%s", plant_rules[kind]);
		plant_swap(&p);
		KUNIT_EXPECT_EQ_MSG(test, 0, goalloc_validate(vt->fh->heap), "after %s",
				    plant_rules[kind]);
	}
}

/* A span in the bucket of others. */
static void validate_finds_bucket(struct kunit *test)
{
	struct validate_test *vt = test->priv;
	struct goalloc_central *central = heap_central_of(vt->span);
	unsigned int bucket = central_bucket(central, vt->span);

	list_move(&vt->span->list, &central->partial[(bucket + 1) % CENTRAL_BUCKETS]);
	listen_start(test);
	KUNIT_EXPECT_EQ(test, -EUCLEAN, goalloc_validate(vt->fh->heap));
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("span in the wrong bucket, node 0, class "));
	list_move(&vt->span->list, &central->partial[bucket]);
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(vt->fh->heap));
}

struct validate_storm {
	struct goalloc_heap *heap;
	atomic_t running;
	atomic_t wrong;
	atomic_t checks;
	atomic_t skipped;
	struct validate v;
};

#define STORM_OBJS 64

static void validate_storm_member(void *arg, unsigned int member)
{
	struct validate_storm *storm = arg;
	void *obj[STORM_OBJS] = {};
	struct rnd_state rnd;
	unsigned int step, i;
	int err;

	if (!member) {
		do {
			err = validate_heap(storm->heap, &storm->v);
			atomic_inc(&storm->checks);
			atomic_add(err == 1, &storm->skipped);
			/* The first is the interesting one. */
			if (err < 0) {
				atomic_inc(&storm->wrong);
				break;
			}
		} while (atomic_read(&storm->running));
		return;
	}
	prandom_seed_state(&rnd, member);
	for (step = 0; step < 3000 || !atomic_read(&storm->checks); step++) {
		i = prandom_u32_state(&rnd) % STORM_OBJS;
		if (obj[i]) {
			goalloc_heap_free(storm->heap, obj[i]);
			obj[i] = NULL;
		} else if (i % 8 == 7) {
			obj[i] = tiny_alloc(storm->heap, 1 + i % 15, GFP_KERNEL);
		} else {
			obj[i] = goalloc_heap_alloc(storm->heap, 1 + prandom_u32_state(&rnd) %
						    (i % 16 ? 3000 : 60000), GFP_KERNEL);
		}
		cond_resched();
	}
	for (i = 0; i < STORM_OBJS; i++)
		if (obj[i])
			goalloc_heap_free(storm->heap, obj[i]);
	atomic_dec(&storm->running);
}

/* Nothing is found in a heap in use that is in order; and exact afterwards. */
static void validate_busy(struct kunit *test)
{
	struct validate_test *vt = test->priv;
	struct validate_storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->heap = vt->fh->heap;
	atomic_set(&storm->running, CREW_FULL - 1);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, validate_storm_member, storm));
	KUNIT_EXPECT_EQ_MSG(test, 0, atomic_read(&storm->wrong),
			    "%s, node %d, bin %d, page %llu, slot %d: is %llu, should be %llu",
			    storm->v.rule ?: "?", storm->v.nid, storm->v.bin, storm->v.page,
			    storm->v.slot, storm->v.is, storm->v.want);
	/* With caches that hold something, and then with none. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(vt->fh->heap));
	goalloc_flush(vt->fh->heap);
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(vt->fh->heap));
}

/* What is in a state between two for a moment is no damage. */
static void validate_deferred(struct kunit *test)
{
	struct validate_test *vt = test->priv;
	struct validate v;

	central_defer(heap_central_of(vt->span), vt->span, live_slot(vt->span));
	KUNIT_EXPECT_EQ(test, 0, validate_heap(vt->fh->heap, &v));
	KUNIT_EXPECT_NULL(test, v.rule);
	KUNIT_EXPECT_GT(test, v.spans, 30ULL);
	goalloc_flush(vt->fh->heap);
	KUNIT_EXPECT_EQ(test, 0, validate_heap(vt->fh->heap, &v));
}

/* Locks are known to lockdep by the names that the documentation has. */
static void validate_lock_names(struct kunit *test)
{
#ifdef CONFIG_LOCKDEP
	struct validate_test *vt = test->priv;
	struct heap_node *node = vt->fh->heap->node[0];

	KUNIT_EXPECT_STREQ(test, "goalloc_central.lock", node->central[3].lock.dep_map.name);
	KUNIT_EXPECT_STREQ(test, "heap_node.lock", node->lock.dep_map.name);
	KUNIT_EXPECT_STREQ(test, "pagemap.lock", vt->fh->fake.space.map.lock.dep_map.name);
	KUNIT_EXPECT_PTR_EQ(test, node->central[3].lock.dep_map.key,
			    goalloc_default->node[0]->central[0].lock.dep_map.key);
	KUNIT_EXPECT_PTR_NE(test, node->central[3].lock.dep_map.key, node->lock.dep_map.key);
#else
	kunit_skip(test, "no lockdep in this kernel");
#endif
}

static struct kunit_case validate_cases[] = {
	KUNIT_CASE(validate_finds),
	KUNIT_CASE(validate_finds_bucket),
	KUNIT_CASE(validate_busy),
	KUNIT_CASE(validate_deferred),
	KUNIT_CASE(validate_lock_names),
	{}
};

static struct kunit_suite validate_suite = {
	.name = "goalloc_validate",
	.init = validate_suite_init,
	.exit = validate_suite_exit,
	.test_cases = validate_cases,
};

kunit_test_suites(&validate_suite);
