// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation of collected heaps: each kind of damage to what they have beside the heap
 * below is found, and named.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#include "cache.h"
#include "compat.h"
#include "gc.h"
#include "validate.h"

#define OBJECTS 3000

struct link {
	struct link *next;
	u64 pad[5];
};

static GOALLOC_TYPE(link_type, struct link, next);

/**
 * struct gc_damage - a heap with something in it
 * @gc: the heap
 * @root: its objects, all in a row
 * @r: @root, as the heap knows it
 * @sc: their span class
 * @cached: a CPU's span of that class
 * @full: a span in the full set
 */
struct gc_damage {
	struct goalloc_gc *gc;
	struct link *root;
	struct goalloc_root r;
	u8 sc;
	struct goalloc_span *cached;
	struct goalloc_span *full;
};

static int gc_validate_init(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = GOALLOC_GC_OFF };
	struct gc_damage *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	struct goalloc_mutator m;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->gc = goalloc_gc_create("damaged", &attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(d->gc));
	test->priv = d;
	goalloc_root_add(d->gc, &d->r, &d->root, 1);
	goalloc_enter(d->gc, &m);
	for (i = 0; i < OBJECTS; i++) {
		struct link *link = goalloc_new(&m, &link_type, GFP_KERNEL);

		if (!link)
			break;
		goalloc_store(&m, &link->next, d->root);
		goalloc_store(&m, &d->root, link);
	}
	goalloc_exit(&m);
	KUNIT_ASSERT_EQ(test, OBJECTS, i);
	d->cached = pagemap_span(&goalloc_gc_heap(d->gc)->space->map, (unsigned long)d->root);
	d->sc = d->cached->spanclass;
	d->full = list_first_entry_or_null(&d->gc->central[d->sc].full[GC_SWEPT(d->gc->sweepgen)],
					   struct goalloc_span, list);
	KUNIT_ASSERT_NOT_NULL(test, d->full);
	KUNIT_ASSERT_EQ(test, d->gc->sweepgen + 3, d->cached->sweepgen);
	return 0;
}

static void gc_validate_exit(struct kunit *test)
{
	struct gc_damage *d = test->priv;

	if (!d)
		return;
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(d->gc)));
	goalloc_root_remove(d->gc, &d->r);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(d->gc));
}

/* The rule that does not hold, or nothing. */
static void gc_damage_expect(struct kunit *test, const char *rule)
{
	struct gc_damage *d = test->priv;
	struct validate v;
	int err = validate_heap(goalloc_gc_heap(d->gc), &v);

	KUNIT_EXPECT_EQ(test, -EUCLEAN, err);
	KUNIT_EXPECT_STREQ(test, rule, v.rule ?: "");
}

static void gc_validate_fine(struct kunit *test)
{
	struct gc_damage *d = test->priv;
	struct validate v;

	KUNIT_EXPECT_EQ(test, 0, validate_heap(goalloc_gc_heap(d->gc), &v));
	KUNIT_EXPECT_GE(test, v.spans, OBJECTS * sizeof(struct link) / GOALLOC_PAGE_SIZE);
	goalloc_gc(d->gc);
	KUNIT_EXPECT_EQ(test, 0, validate_heap(goalloc_gc_heap(d->gc), &v));
	/* Not while a collection goes on. */
	mutex_lock(&d->gc->cycle);
	KUNIT_EXPECT_EQ(test, 1, validate_heap(goalloc_gc_heap(d->gc), &v));
	mutex_unlock(&d->gc->cycle);
}

static void gc_validate_generations(struct kunit *test)
{
	struct gc_damage *d = test->priv;

	d->full->sweepgen -= 2;
	gc_damage_expect(test, "a span is of its set's generation");
	d->full->sweepgen += 2;
	d->cached->sweepgen--;
	gc_damage_expect(test, "a span is of its set's generation");
	d->cached->sweepgen++;
}

static void gc_validate_slots(struct kunit *test)
{
	struct gc_damage *d = test->priv;
	u8 state = d->full->state[3];
	u16 *track = gc_track(d->gc, d->full, 2), type = *track;

	d->full->state[3] = SLOT_BUSY;
	gc_damage_expect(test, "a collected slot has a colour, or is free");
	d->full->state[3] = gc_other_colour(d->gc->colour);
	gc_damage_expect(test, "what is not marked is free once it was swept");
	d->full->state[3] = SLOT_FREE;
	gc_damage_expect(test, "free slots are those whose bits say so");
	d->full->state[3] = state;
	*track = 0;
	gc_damage_expect(test, "an object has a type");
	*track = type;
}

static void gc_validate_sets(struct kunit *test)
{
	struct gc_damage *d = test->priv;
	struct gc_central *central = &d->gc->central[d->sc];
	u32 h = GC_SWEPT(d->gc->sweepgen);

	d->full->nr_free = 1;
	gc_damage_expect(test, "spans with free slots are with their like");
	d->full->nr_free = 0;
	list_move(&d->full->list, &central->partial[h]);
	gc_damage_expect(test, "spans with free slots are with their like");
	d->full->nr_free = 1;
	gc_damage_expect(test, "a span in a set counts its free slots");
	d->full->nr_free = 0;
	list_move(&d->full->list, &central->full[h]);
	d->full->spanclass ^= 1;
	gc_damage_expect(test, "a span is with its span class");
	d->full->spanclass ^= 1;
}

static void gc_validate_sums(struct kunit *test)
{
	struct gc_damage *d = test->priv;
	struct gc_central *central = &d->gc->central[d->sc];

	central->nr_free++;
	gc_damage_expect(test, "a span class counts the free slots of its sets");
	central->nr_free--;
	central->nr_spans++;
	gc_damage_expect(test, "a span class counts its spans");
	central->nr_spans--;
	atomic64_inc(&d->gc->pages);
	gc_damage_expect(test, "a collected heap counts the pages of its spans");
	atomic64_dec(&d->gc->pages);
}

static struct kunit_case gc_validate_cases[] = {
	KUNIT_CASE(gc_validate_fine),
	KUNIT_CASE(gc_validate_generations),
	KUNIT_CASE(gc_validate_slots),
	KUNIT_CASE(gc_validate_sets),
	KUNIT_CASE(gc_validate_sums),
	{}
};

static struct kunit_suite gc_validate_suite = {
	.name = "goalloc_gc_validate",
	.init = gc_validate_init,
	.exit = gc_validate_exit,
	.test_cases = gc_validate_cases,
};

kunit_test_suite(gc_validate_suite);
