// SPDX-License-Identifier: GPL-2.0-only
/*
 * Safe mode: damage of each kind is planted in a heap. The heap says so once,
 * changes nothing of itself from then on and goes on serving from kmalloc(), or
 * fails, as it was told. When the damage is undone the books are right to the
 * byte, because nothing was changed.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "detour.h"
#include "fake_source.h"
#include "listen.h"
#include "safe.h"
#include "shot.h"

static noinline size_t safe_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

static int safe_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 4096, 1);
	return 0;
}

static void safe_suite_exit(struct kunit *test)
{
	listen_stop();
	safe_choose("kmalloc");
	fake_heap_destroy(test, test->priv);
}

/**
 * struct damage - something wrong in a heap
 * @fh: the heap
 * @mate: an object that keeps its span
 * @p: an object that the damage is about
 * @got: what the allocation that met the damage returned
 * @span: span of @p
 * @word: what was overwritten
 * @list: the same for a list entry
 */
struct damage {
	struct fake_heap *fh;
	void *mate;
	void *p;
	void *got;
	struct goalloc_span *span;
	unsigned long word;
	struct list_head list;
};

static struct goalloc_span *damage_span(struct damage *d, const void *p)
{
	return pagemap_span(&d->fh->fake.space.map, (unsigned long)p);
}

/* Two objects straight from the central: their span is in its lists. */
static void damage_objects(struct damage *d, size_t size)
{
	struct goalloc_heap *heap = d->fh->heap;

	d->mate = cache_alloc_past(heap, sizeclass_of(size), size, GFP_KERNEL, 0);
	d->p = cache_alloc_past(heap, sizeclass_of(size), size, GFP_KERNEL, 0);
	d->span = damage_span(d, d->p);
}

static void damage_large(struct damage *d)
{
	d->mate = goalloc_heap_alloc(d->fh->heap, 5 * GOALLOC_PAGE_SIZE, GFP_KERNEL);
	d->p = goalloc_heap_alloc(d->fh->heap, 5 * GOALLOC_PAGE_SIZE, GFP_KERNEL);
	d->span = damage_span(d, d->p);
}

static void damage_alloc(struct damage *d)
{
	struct goalloc_heap *heap = d->fh->heap;

	/* The second time it is broken already. */
	if (detour_taken(heap))
		d->got = detour_alloc(heap, 1000, 0, GFP_ATOMIC, 0);
	else
		d->got = cache_alloc_past(heap, sizeclass_of(1000), 1000, GFP_ATOMIC, 0);
}

static void damage_free(struct damage *d)
{
	goalloc_heap_free(d->fh->heap, d->p);
}

/* A page tree that has noticed something. */
static void tree_plant(struct damage *d)
{
	struct palloc_fault *fault = &d->fh->heap->node[0]->palloc.fault;

	damage_large(d);
	fault->what = "something wrong";
	fault->page = 600;
	fault->nr_pages = 7;
}

static void tree_meet(struct damage *d)
{
	d->got = goalloc_heap_alloc(d->fh->heap, 700000, GFP_ATOMIC);
}

static void tree_mend(struct damage *d)
{
	d->fh->heap->node[0]->palloc.fault.what = NULL;
}

/* The number of free slots is not that of the bits. */
static void count_plant(struct damage *d)
{
	damage_objects(d, 1000);
	d->span->nr_free--;
}

static void count_mend(struct damage *d)
{
	/* The count was taken from the bits, the sum took the difference. */
	heap_central_of(d->span)->nr_free--;
}

/* An entry of a list points to nowhere, or to something else. */
static void list_plant(struct damage *d)
{
	damage_objects(d, 1000);
	d->list = d->span->list;
	d->span->list.next = (void *)0x1122334455667788;
}

static void list_plant_mapped(struct damage *d)
{
	list_plant(d);
	d->span->list.next = (void *)&d->list;
}

/* A new neighbour may have made itself known to it meanwhile. */
static void list_mend(struct damage *d)
{
	d->span->list.next = d->list.next;
}

/* A span in a list that is of another central. */
static void bin_plant(struct damage *d)
{
	damage_objects(d, 1000);
	d->word = d->span->bin;
	d->span->bin = 200;
}

static void bin_mend(struct damage *d)
{
	d->span->bin = d->word;
}

/* A span that belongs to nobody. */
static void home_plant(struct damage *d)
{
	damage_objects(d, 1000);
	d->word = (unsigned long)d->span->home;
	d->span->home = (void *)0xdead000000000100;
}

static void home_plant_mapped(struct damage *d)
{
	home_plant(d);
	d->span->home = (void *)d->fh;
}

static void home_mend(struct damage *d)
{
	d->span->home = (void *)d->word;
}

/* A slot in a state that there is not. */
static void state_plant(struct damage *d)
{
	damage_objects(d, 1000);
	goalloc_heap_free(d->fh->heap, d->p);
	goalloc_heap_free(d->fh->heap, d->mate);
	d->p = NULL;
	d->mate = NULL;
	d->span->state[d->span->bits.nelems - 1] = 0x0f;
}

static void state_meet(struct damage *d)
{
	cache_drain_all(d->fh->heap);
}

static void state_mend(struct damage *d)
{
	d->span->state[d->span->bits.nelems - 1] = SLOT_FREE;
}

/* The page map does not name the span that is freed. */
static void map_plant_large(struct damage *d)
{
	damage_large(d);
	pagemap_set(&d->fh->fake.space.map, d->span->page + d->span->npages - 1, 1,
		    damage_span(d, d->mate));
}

static void map_mend_large(struct damage *d)
{
	pagemap_set(&d->fh->fake.space.map, d->span->page, d->span->npages, d->span);
	d->span->state[0] = SLOT_LARGE;
}

static void map_plant_small(struct damage *d)
{
	d->p = cache_alloc_node(d->fh->heap, sizeclass_of(20480), 20480, GFP_KERNEL, 0);
	d->span = damage_span(d, d->p);
	goalloc_heap_free(d->fh->heap, d->p);
	d->p = NULL;
	pagemap_set(&d->fh->fake.space.map, d->span->page + 1, 1, NULL);
}

static void map_mend_small(struct damage *d)
{
	pagemap_set(&d->fh->fake.space.map, d->span->page, d->span->npages, d->span);
	/* It was on its way out. */
	heap_free_span(d->span);
}

/* A large object that its neighbours do not know. */
static void row_plant(struct damage *d)
{
	damage_large(d);
	d->list = d->span->list;
	d->span->list.prev = NULL;
}

static void row_mend(struct damage *d)
{
	d->span->list = d->list;
	map_mend_large(d);
}

#define DAMAGE_CENTRAL "central list of 1024-byte objects, node 0: "

static const struct damage_kind {
	const char *name;
	const char *says;
	void (*plant)(struct damage *d);
	void (*meet)(struct damage *d);
	void (*mend)(struct damage *d);
	bool any_context;
} damage_kinds[] = {
	{ "page tree", "page tree, node 0: something wrong, page 600, 7 pages",
	  tree_plant, tree_meet, tree_mend, },
	{ "count", DAMAGE_CENTRAL "bits and count of free slots differ",
	  count_plant, damage_alloc, count_mend, true },
	{ "list, wild", DAMAGE_CENTRAL "what is in a list is no span of it",
	  list_plant, damage_alloc, list_mend, true },
	{ "list, mapped", DAMAGE_CENTRAL "what is in a list is no span of it",
	  list_plant_mapped, damage_alloc, list_mend, true },
	{ "bin, in a list", DAMAGE_CENTRAL "what is in a list is no span of it",
	  bin_plant, damage_alloc, bin_mend, true },
	{ "bin, freed", "span, node 0: the shape is of no bin",
	  bin_plant, damage_free, bin_mend, true },
	{ "home, in a list", DAMAGE_CENTRAL "what is in a list is no span of it",
	  home_plant, damage_alloc, home_mend, true },
	{ "home, freed", "span, node 0: a span that is of no heap",
	  home_plant, damage_free, home_mend, true },
	{ "home, mapped", "span, node 0: a span that is of no heap",
	  home_plant_mapped, damage_free, home_mend, true },
	{ "state", DAMAGE_CENTRAL "the state of a slot is none",
	  state_plant, state_meet, state_mend, },
	{ "map, large", "page map, node 0: its pages name another span",
	  map_plant_large, damage_free, map_mend_large, },
	{ "map, small",
	  "page map of 20480-byte objects, node 0: its pages name another span",
	  map_plant_small, state_meet, map_mend_small, },
	{ "large list", "list of large objects, node 0: its neighbours do not know it",
	  row_plant, damage_free, row_mend, },
};

struct damage_call {
	const struct damage_kind *kind;
	struct damage *d;
};

static void damage_meet(void *arg)
{
	struct damage_call *call = arg;

	call->kind->meet(call->d);
}

static void damage_run_task(void (*fn)(void *arg), void *arg)
{
	fn(arg);
}

static void (*const damage_places[])(void (*fn)(void *arg), void *arg) = {
	damage_run_task, crew_in_softirq, crew_in_hardirq, crew_as_nmi,
};

/* The whole life of a heap that breaks. */
static void damage_case(struct kunit *test, const struct damage_kind *kind,
			unsigned int place)
{
	struct damage d = { .fh = fake_heap_create(test, 1024, 1) };
	struct damage_call call = { .kind = kind, .d = &d };
	struct goalloc_heap *heap = d.fh->heap;
	struct goalloc_stats st;
	unsigned int cpu, level, caches = 0;
	u64 grown, ignored;
	void *old, *p, *got = NULL;

	/* An object from before, whose cache is to be taken away. */
	old = goalloc_heap_alloc(heap, 64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, old);
	kind->plant(&d);
	KUNIT_ASSERT_NOT_NULL(test, d.span);
	KUNIT_EXPECT_FALSE(test, safe_is_on(heap));

	listen_start(test);
	damage_places[place](damage_meet, &call);
	safe_sync(heap);
	KUNIT_EXPECT_TRUE_MSG(test, safe_is_on(heap), "%s, place %u", kind->name, place);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count("heap test is broken: "), "%s", kind->name);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_count(kind->says), "%s: %s", kind->name,
			    listen_line(0));
	KUNIT_EXPECT_EQ(test, 1U,
			listen_count("allocations come from kmalloc() (safe_mode=kmalloc)"));
	for_each_possible_cpu(cpu)
		for (level = 0; level < CACHE_LEVELS; level++)
			caches += per_cpu_ptr(heap->cpus, cpu)->level[level] != &cache_none;
	KUNIT_EXPECT_EQ(test, 0U, caches);

	/* It may have come from kmalloc() already. */
	if (d.got && safe_owns(d.got))
		goalloc_heap_free(heap, d.got);
	else
		got = d.got;
	d.got = NULL;

	/* It goes on, and nothing of it moves any more. */
	goalloc_heap_stats(heap, &st);
	grown = st.grown_bytes;
	ignored = st.safe_ignored;
	goalloc_heap_free(heap, old);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, ignored + 1, st.safe_ignored);
	p = goalloc_heap_alloc(heap, 3000, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, p ? damage_span(&d, p) : NULL);
	KUNIT_EXPECT_EQ(test, (size_t)3072, gosize(p));
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, grown, st.grown_bytes);
	KUNIT_EXPECT_EQ(test, 1ULL, st.safe_objects);
	goalloc_heap_free(heap, p);
	/* Met again: no second word; from kmalloc(), or in NMI nothing. */
	damage_places[place](damage_meet, &call);
	safe_sync(heap);
	KUNIT_EXPECT_EQ_MSG(test, !!d.got, safe_owns(d.got), "%s", kind->name);
	goalloc_heap_free(heap, d.got);
	KUNIT_EXPECT_EQ_MSG(test, 1U, listen_stop(), "%s: %s", kind->name, listen_line(1));
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&heap->safe.objects));

	kind->mend(&d);
	fake_heap_mend(heap);
	goalloc_heap_free(heap, old);
	goalloc_heap_free(heap, d.p);
	goalloc_heap_free(heap, d.mate);
	goalloc_heap_free(heap, got);
	cache_drain_all(heap);
	KUNIT_EXPECT_FALSE_MSG(test, safe_is_on(heap), "%s: %s", kind->name,
			       heap->safe.fault.what);
	fake_heap_check(test, d.fh);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.live_objects, "%s", kind->name);
	fake_heap_destroy(test, d.fh);
	rcu_barrier();
}

static void safe_damage(struct kunit *test)
{
	unsigned int i;

	if (GOALLOC_PAGE_SHIFT != 13)
		kunit_skip(test, "made for 8 KiB pages");
	for (i = 0; i < ARRAY_SIZE(damage_kinds); i++)
		damage_case(test, &damage_kinds[i], 0);
}

static void safe_damage_contexts(struct kunit *test)
{
	unsigned int i, place;

	for (i = 0; i < ARRAY_SIZE(damage_kinds); i++)
		for (place = 1; damage_kinds[i].any_context &&
		     place < ARRAY_SIZE(damage_places); place++)
			damage_case(test, &damage_kinds[i], place);
}

/* Every size: as aligned, as long and as empty as goalloc() promises. */
static void safe_sizes(struct kunit *test)
{
	unsigned int wrong = 0;
	size_t size;

	fake_heap_break(test, goalloc_default);
	for (size = 1; size <= GOALLOC_MAX_SIZE; size += 1 + size / 9) {
		size_t align = clamp_t(size_t, size & -size, 8, PAGE_SIZE);
		char *p = gozalloc(safe_hide(size), GFP_KERNEL);

		if (!p) {
			/* A block of the largest order may not be there. */
			wrong += size < SZ_1M;
			continue;
		}
		wrong += !IS_ALIGNED((unsigned long)p, align);
		wrong += gosize(p) != goalloc_size_roundup(size);
		wrong += !goalloc_owns(p) || pagemap_span(&goalloc_space.map, (unsigned long)p);
		wrong += !!memchr_inv(p, 0, gosize(p));
		memset(p, 0x5a, gosize(p));
		gofree(p);
		wrong += goalloc_owns(p) || gosize(p);
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_NULL(test, goalloc(safe_hide(GOALLOC_MAX_SIZE + 1), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, goalloc(safe_hide(0), GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&goalloc_default->safe.objects));
	fake_heap_mend(goalloc_default);
}

/* The whole family. */
static void safe_family(struct kunit *test)
{
	void *p, *q, *before, *bulk[5];
	size_t align;
	int nid;

	before = goalloc(safe_hide(100), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, before);
	memset(before, 0x42, 100);
	fake_heap_break(test, goalloc_default);

	for (align = 1; align <= SZ_64K; align *= 2) {
		p = goalloc_aligned(safe_hide(100), align, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, align));
		gofree(p);
	}
	for_each_node_state(nid, N_MEMORY) {
		p = goalloc_node(safe_hide(5000), GFP_KERNEL | __GFP_THISNODE, nid);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, nid, page_to_nid(virt_to_page(p)));
		gofree(p);
	}
	p = goalloc_tiny(safe_hide(5), GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, (size_t)5, gosize(p));
	gofree(p);
	KUNIT_EXPECT_EQ(test, (size_t)5, goalloc_bulk(safe_hide(40), GFP_KERNEL, 5, bulk));
	KUNIT_EXPECT_EQ(test, 5LL, (s64)atomic64_read(&goalloc_default->safe.objects));
	gofree_bulk(5, bulk);
	p = gostrdup("safe", GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, (char *)p, "safe");
	gofree_sensitive(p);
	p = gokvalloc(safe_hide(2 * GOALLOC_MAX_SIZE), GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	gokvfree(p);
	p = gokvalloc(safe_hide(3000), GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, p && goalloc_owns(p));
	gokvfree(p);

	/* From before to now, longer, shorter, and away. */
	p = gorealloc(before, safe_hide(4000), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x42, 100));
	KUNIT_EXPECT_EQ(test, 1LL, (s64)atomic64_read(&goalloc_default->safe.ignored));
	q = gorealloc(p, safe_hide(9000), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0x42, 100));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(p));
	KUNIT_EXPECT_PTR_EQ(test, gorealloc(q, safe_hide(50), GFP_KERNEL), q);
	KUNIT_EXPECT_PTR_EQ(test, gorealloc(q, safe_hide(0), GFP_KERNEL), ZERO_SIZE_PTR);

	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&goalloc_default->safe.objects));
	fake_heap_mend(goalloc_default);
	gofree(before);
}

/* What is no live object is refused as ever, and so is another heap's. */
static void safe_misuse(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *slab = kmalloc(safe_hide(100), GFP_KERNEL);
	struct heap_shot shot;
	char *p, *q;
	u64 ignored;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	q = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
	fake_heap_break(test, goalloc_default);
	p = goalloc(safe_hide(100), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	ignored = atomic64_read(&goalloc_default->safe.ignored);

	shot_take(goalloc_default, &shot);
	gofree(p + 8);
	gofree(p + 16);
	gofree(slab);
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_FOREIGN, 3, "foreign");
	KUNIT_EXPECT_NULL(test, gorealloc(slab, safe_hide(10), GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(slab));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p + 8));
	KUNIT_EXPECT_EQ(test, (size_t)112, gosize(p));
	/* Of a heap in safe mode, on one that is not. */
	shot_take(fh->heap, &shot);
	goalloc_heap_free(fh->heap, p);
	shot_expect_refused(test, fh->heap, &shot, BAD_FREE_HEAP, 1, "of the default heap");

	gofree(p);
	shot_take(goalloc_default, &shot);
	gofree(p);
	shot_expect_refused(test, goalloc_default, &shot, BAD_FREE_FOREIGN, 1, "double");
	KUNIT_EXPECT_EQ(test, ignored, (u64)atomic64_read(&goalloc_default->safe.ignored));
	fake_heap_mend(goalloc_default);

	/* The other way round. */
	fake_heap_break(test, fh->heap);
	p = goalloc(safe_hide(100), GFP_KERNEL);
	shot_take(fh->heap, &shot);
	goalloc_heap_free(fh->heap, slab);
	shot_expect_refused(test, fh->heap, &shot, BAD_FREE_FOREIGN, 1, "foreign");
	goalloc_heap_free(fh->heap, q);
	KUNIT_EXPECT_EQ(test, 1LL, (s64)atomic64_read(&fh->heap->safe.ignored));
	fake_heap_mend(fh->heap);
	goalloc_heap_free(fh->heap, q);
	gofree(p);
	kfree(slab);
	fake_heap_check(test, fh);
}

/* safe_mode=fail; names that are none are refused and change nothing. */
static void safe_fails(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats st;
	void *p, *q;

	KUNIT_EXPECT_EQ(test, -EINVAL, safe_choose("nonsense"));
	KUNIT_EXPECT_EQ(test, -EINVAL, safe_choose(""));
	KUNIT_EXPECT_EQ(test, -EINVAL, safe_choose("failure"));
	KUNIT_EXPECT_TRUE(test, safe_uses_kmalloc());
	KUNIT_EXPECT_EQ(test, 0, safe_choose("fail\n"));
	KUNIT_EXPECT_FALSE(test, safe_uses_kmalloc());

	p = goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	listen_start(test);
	fake_heap_break(test, fh->heap);
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	KUNIT_EXPECT_EQ(test, 1U,
			listen_count("frees are ignored, allocations fail (safe_mode=fail)"));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, tiny_alloc(fh->heap, 3, GFP_KERNEL));
	/* Who cannot handle NULL does not get it. */
	q = goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	goalloc_heap_free(fh->heap, q);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 3ULL, st.failed);

	/* At run time, while objects of the other choice live. */
	KUNIT_EXPECT_EQ(test, 0, safe_choose("kmalloc"));
	q = goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, 0, safe_choose("fail"));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL));
	goalloc_heap_free(fh->heap, q);
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->safe.objects));
	fake_heap_mend(fh->heap);
	goalloc_heap_free(fh->heap, p);
	fake_heap_check(test, fh);
}

/* The heap's limit holds for kmalloc() as well. */
static void safe_limit(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .limit = 16 * GOALLOC_PAGE_SIZE };
	struct fake_heap *fh = test->priv;
	unsigned int nr = 0;
	void *p[64];

	KUNIT_ASSERT_EQ(test, 0, heap_destroy(fh->heap, true));
	fh->heap = heap_create("limited", &attr, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	fake_heap_break(test, fh->heap);
	while (nr < ARRAY_SIZE(p) &&
	       (p[nr] = goalloc_heap_alloc(fh->heap, GOALLOC_PAGE_SIZE, GFP_KERNEL)))
		nr++;
	KUNIT_EXPECT_EQ(test, 16U, nr);
	while (nr)
		goalloc_heap_free(fh->heap, p[--nr]);
	p[0] = goalloc_heap_alloc(fh->heap, 16 * GOALLOC_PAGE_SIZE, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	goalloc_heap_free(fh->heap, p[0]);
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->safe.bytes));
	fake_heap_mend(fh->heap);
}

#define SAFE_OBJECTS 64

struct safe_work {
	struct goalloc_heap *heap;
	atomic_t bad;
	atomic_t got;
	atomic_long_t shared[SAFE_OBJECTS];
};

/* Some objects of each kind; one of them is exchanged with the other CPUs. */
static void safe_round(struct safe_work *work, gfp_t gfp, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		size_t size = 1 + (seed * 977 + i * 3001) % 20000;
		char *p = goalloc_heap_alloc(work->heap, size, gfp);

		if (!p) {
			if (!in_nmi() && !IS_ENABLED(CONFIG_PREEMPT_RT))
				atomic_inc(&work->bad);
			continue;
		}
		atomic_inc(&work->got);
		memset(p, i, size);
		/* gosize() does not know the address space of a test. */
		if ((safe_owns(p) && gosize(p) < size) || memchr_inv(p, i, size))
			atomic_inc(&work->bad);
		p = (void *)atomic_long_xchg(&work->shared[(seed + i) % SAFE_OBJECTS],
					     (long)p);
		goalloc_heap_free(work->heap, p);
	}
}

static void safe_call(void *arg)
{
	safe_round(arg, GFP_ATOMIC, 7);
}

/* Frees only: the objects of the others. */
static void safe_call_nmi(void *arg)
{
	struct safe_work *work = arg;
	unsigned int i;

	for (i = 0; i < SAFE_OBJECTS; i += 5)
		goalloc_heap_free(work->heap,
				  (void *)atomic_long_xchg(&work->shared[i], 0));
	safe_round(arg, GFP_ATOMIC, 11);
}

static void safe_member(void *arg, unsigned int member)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		safe_round(arg, GFP_KERNEL, member * 100 + i);
		crew_in_hardirq(safe_call, arg);
		crew_as_nmi(safe_call_nmi, arg);
		crew_in_softirq(safe_call, arg);
		cond_resched();
	}
}

/* From every context of every CPU at once, objects crossing between them. */
static void safe_contexts(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct safe_work *work = kunit_kzalloc(test, sizeof(*work), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, work);
	work->heap = fh->heap;
	fake_heap_break(test, fh->heap);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, safe_member, work));
	for (i = 0; i < SAFE_OBJECTS; i++)
		goalloc_heap_free(fh->heap, (void *)atomic_long_read(&work->shared[i]));
	/* What NMIs freed is on its way. */
	safe_end_objects(fh->heap, false);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&work->bad));
	KUNIT_EXPECT_GT(test, atomic_read(&work->got), 3000);
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->safe.objects));
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->safe.bytes));
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->safe.ignored));
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&fh->heap->nr_bad[BAD_FREE_FOREIGN]));
	fake_heap_mend(fh->heap);
	fake_heap_check(test, fh);
}

/* One that is in use on all CPUs breaks: nobody notices but the log. */
static void safe_storm_member(void *arg, unsigned int member)
{
	struct safe_work *work = arg;
	unsigned int i;

	for (i = 0; i < 600; i++) {
		if (member == 1 && i == 200) {
			struct safe_fault fault = {
				.where = "test",
				.what = "in mid-flight",
				.bin = SAFE_NO_BIN,
			};

			safe_enter(work->heap, &fault);
		}
		safe_round(work, GFP_KERNEL, member * 1000 + i);
		if (i % 16 == 0)
			crew_in_hardirq(safe_call, work);
		cond_resched();
	}
}

static void safe_storm(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct safe_work *work = kunit_kzalloc(test, sizeof(*work), GFP_KERNEL);
	struct goalloc_stats st;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, work);
	work->heap = fh->heap;
	listen_start(test);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, safe_storm_member, work));
	for (i = 0; i < SAFE_OBJECTS; i++)
		goalloc_heap_free(fh->heap, (void *)atomic_long_read(&work->shared[i]));
	safe_end_objects(fh->heap, false);
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&work->bad));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.safe_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	/* What was handed out before and freed since is all that is live. */
	KUNIT_EXPECT_EQ(test, st.live_objects, st.safe_ignored);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	fake_heap_mend(fh->heap);
	fake_heap_check(test, fh);
}

/* A heap that ends in safe mode keeps its pages; kmalloc()'s depend on force. */
static void safe_ends(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int force;
	char line[200];
	void *p, *q;
	u64 out;

	for (force = 0; force < 2; force++) {
		p = goalloc_heap_alloc(fh->heap, 1000, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		fake_heap_break(test, fh->heap);
		q = goalloc_heap_alloc(fh->heap, 2000, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		out = fh->fake.nr_out;

		listen_start(test);
		KUNIT_EXPECT_EQ(test, -EBUSY, heap_destroy(fh->heap, force));
		KUNIT_EXPECT_EQ(test, 1U, listen_stop());
		snprintf(line, sizeof(line),
			 "heap test: ended in safe mode; its %llu KiB of pages are not given back; 1 objects from kmalloc() were live and are %s",
			 out << (GOALLOC_PAGE_SHIFT - 10),
			 force ? "freed" : "left to their users");
		KUNIT_EXPECT_EQ(test, 1U, listen_count(line));
		KUNIT_EXPECT_EQ(test, out, fh->fake.nr_out);
		KUNIT_EXPECT_EQ(test, !force, safe_owns(q));
		KUNIT_EXPECT_EQ(test, -EINVAL, heap_destroy(fh->heap, force));
		/* Refused from here on, with or without it. */
		goalloc_heap_free(fh->heap, q);
		KUNIT_EXPECT_EQ(test, !force, safe_owns(q));
		KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 8, GFP_KERNEL));

		fake_heap_mend(fh->heap);
		safe_end_objects(fh->heap, true);
		KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, true));
		fh->heap = heap_create("test", NULL, &fh->fake.space);
		KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	}
}

static struct kunit_case safe_cases[] = {
	KUNIT_CASE(safe_damage),
	KUNIT_CASE(safe_damage_contexts),
	KUNIT_CASE(safe_sizes),
	KUNIT_CASE(safe_family),
	KUNIT_CASE(safe_misuse),
	KUNIT_CASE(safe_fails),
	KUNIT_CASE(safe_limit),
	KUNIT_CASE(safe_contexts),
	KUNIT_CASE(safe_storm),
	KUNIT_CASE(safe_ends),
	{}
};

static struct kunit_suite safe_suite = {
	.name = "goalloc_safe",
	.init = safe_suite_init,
	.exit = safe_suite_exit,
	.test_cases = safe_cases,
};

kunit_test_suites(&safe_suite);
