// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collected heaps: what is done wrong with them is said, and does no harm.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/sizes.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#include "compat.h"
#include "fault.h"
#include "gc.h"
#include "listen.h"
#include "shot.h"

/* With checkers each object takes a hundred times as long. */
#define SCALE (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ? 8 : 1)

struct pair {
	struct pair *next;
	unsigned long value;
};

static GOALLOC_TYPE(pair_type, struct pair, next);

static struct goalloc_type odd_type = {
	.name = "odd",
	.size = 12,
	.map = (const unsigned long []){ 1 },
};

static struct goalloc_type empty_type = { .name = "empty" };

static struct goalloc_gc *misuse_make(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = GOALLOC_GC_OFF };
	struct goalloc_gc *gc = goalloc_gc_create("misused", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	listen_start(test);
	return gc;
}

static void misuse_end(struct kunit *test, struct goalloc_gc *gc)
{
	listen_stop();
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(gc)));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
}

static void gc_misuse_exit(struct kunit *test)
{
	listen_stop();
}

static void gc_misuse_attr(struct kunit *test)
{
	const struct goalloc_gc_attr flags = { .flags = 0x8000 };
	const struct goalloc_gc_attr percent = { .percent = -2 };

	listen_start(test);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(goalloc_gc_create("bad", &flags)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(goalloc_gc_create("bad", &percent)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(goalloc_gc_create("bad/name", NULL)));
	KUNIT_EXPECT_EQ(test, 3U, listen_count("bad new heap"));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_gc(NULL));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("this is no heap"));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(NULL));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(ERR_PTR(-ENOMEM)));
	KUNIT_EXPECT_EQ(test, 4U, listen_heard());
}

static void gc_misuse_outside(struct kunit *test)
{
	struct goalloc_gc *gc = misuse_make(test);
	struct goalloc_mutator m;

	goalloc_enter(gc, &m);
	goalloc_exit(&m);
	KUNIT_EXPECT_NULL(test, goalloc_new(&m, &pair_type, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("outside of goalloc_enter() and goalloc_exit()"));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("this mutator has left already"));
	goalloc_safepoint_slow(&m);
	KUNIT_EXPECT_EQ(test, 2U, listen_count("outside of goalloc_enter() and goalloc_exit()"));
	/* As good as before. */
	goalloc_enter(gc, &m);
	KUNIT_EXPECT_NOT_NULL(test, goalloc_new(&m, &pair_type, GFP_KERNEL));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	misuse_end(test, gc);
}

static void gc_misuse_frames(struct kunit *test)
{
	struct goalloc_gc *gc = misuse_make(test);
	struct pair *a = NULL, *b = NULL;
	struct goalloc_mutator m;

	GOALLOC_FRAME(outer, &a, &b);
	GOALLOC_FRAME(inner, &b);

	KUNIT_EXPECT_EQ(test, 2U, outer.nr);
	KUNIT_EXPECT_PTR_EQ(test, (void *)&b, (void *)outer.local[1]);
	goalloc_enter(gc, &m);
	goalloc_push(&m, &outer);
	goalloc_push(&m, &inner);
	goalloc_pop(&m, &outer);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("not the innermost frame"));
	KUNIT_EXPECT_NULL(test, m.top);
	goalloc_pop(&m, &inner);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("was not pushed, or popped before"));
	goalloc_push(&m, &outer);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("a frame was not popped"));
	KUNIT_EXPECT_EQ(test, 3U, listen_heard());
	/* It is not looked at any more. */
	a = (struct pair *)0x10;
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&gc->bad_pointers));
	misuse_end(test, gc);
}

static struct pair *misuse_root;

/* A pointer out of the heap, and one to what is free. */
static void gc_misuse_pointers(struct kunit *test)
{
	struct goalloc_gc *gc = misuse_make(test), *other;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct pair *stale;
	void *plain;

	misuse_root = NULL;
	goalloc_root_add(gc, &root, &misuse_root, 1);
	plain = goalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	goalloc_enter(gc, &m);
	goalloc_store(&m, &misuse_root, goalloc_new(&m, &pair_type, GFP_KERNEL));
	KUNIT_ASSERT_NOT_NULL(test, misuse_root);
	goalloc_store(&m, &misuse_root->next, (struct pair *)plain);
	stale = goalloc_new(&m, &pair_type, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stale);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&gc->bad_pointers));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("out of the heap; list only pointers into it"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("of type struct pair"));
	/* The same again is counted, and not said. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 2, atomic64_read(&gc->bad_pointers));
	KUNIT_EXPECT_EQ(test, 1U, listen_heard());
	gofree(plain);

	/* By now it has been swept. */
	other = goalloc_gc_create("misused as well", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	goalloc_enter(gc, &m);
	goalloc_store(&m, &misuse_root->next, stale);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 3, atomic64_read(&gc->bad_pointers));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(other));
	goalloc_root_remove(gc, &root);
	misuse_end(test, gc);
}

/**
 * struct misuse_move - a pointer that is moved to and fro behind the collector's back
 * @gc: the heap
 * @place: what it is moved between
 */
struct misuse_move {
	struct goalloc_gc *gc;
	struct pair *place[2];
};

static int misuse_mover(void *arg)
{
	struct misuse_move *move = arg;
	struct goalloc_mutator m;
	unsigned int at = 0;

	goalloc_enter(move->gc, &m);
	while (!kthread_should_stop()) {
		struct pair *p = move->place[at]->next;

		/* As goalloc_store() must not be left out. */
		WRITE_ONCE(move->place[!at]->next, p);
		WRITE_ONCE(move->place[at]->next, NULL);
		at = !at;
		goalloc_safepoint(&m);
		cond_resched();
	}
	goalloc_exit(&m);
	return 0;
}

/*
 * A pointer is where the collector has been whenever it comes by. Whether it is at
 * each of its places when that is looked at is chance, so there are many tries.
 */
static void gc_misuse_bare_store(struct kunit *test)
{
	const struct goalloc_gc_attr attr = {
		.percent = GOALLOC_GC_OFF,
		.flags = GOALLOC_GC_VERIFY,
	};
	struct goalloc_gc *gc = goalloc_gc_create("verified", &attr);
	struct misuse_move move = { .gc = gc };
	struct pair *p, *moved = NULL;
	struct task_struct *mover;
	struct goalloc_root root;
	struct goalloc_mutator m;
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	listen_start(test);
	misuse_root = NULL;
	goalloc_root_add(gc, &root, &misuse_root, 1);
	goalloc_enter(gc, &m);
	/* A long list with the two places at its ends. */
	for (i = 0; i < 20000 / SCALE; i++) {
		p = goalloc_new(&m, &pair_type, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		goalloc_store(&m, &p->next, misuse_root);
		goalloc_store(&m, &misuse_root, p);
		if (!i)
			move.place[1] = p;
	}
	p = goalloc_new_array(&m, &pair_type, 2, GFP_KERNEL);
	moved = goalloc_new(&m, &pair_type, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, p && moved);
	moved->value = 0x77;
	goalloc_store(&m, &p[1].next, misuse_root);
	goalloc_store(&m, &p[0].next, moved);
	goalloc_store(&m, &misuse_root, p);
	move.place[0] = p;
	goalloc_exit(&m);
	mover = kthread_run(misuse_mover, &move, "gc_mover");
	KUNIT_ASSERT_FALSE(test, IS_ERR(mover));
	for (i = 0; i < 1000 && !gc->missed; i++)
		KUNIT_ASSERT_EQ(test, 0, goalloc_gc(gc));
	kthread_stop(mover);
	KUNIT_EXPECT_GE(test, gc->missed, 1ULL);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("was stored without goalloc_store()"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("of type struct pair"));
	/* It was kept. */
	KUNIT_EXPECT_EQ(test, 0x77UL, moved->value);
	KUNIT_EXPECT_TRUE(test, move.place[0]->next == moved || move.place[1]->next == moved);
	goalloc_root_remove(gc, &root);
	misuse_end(test, gc);
}

/* What is for other heaps does nothing to a collected one. */
static void gc_misuse_other_heaps(struct kunit *test)
{
	struct goalloc_gc *gc = misuse_make(test);
	struct goalloc_heap *heap = goalloc_gc_heap(gc);
	struct goalloc_mutator m;
	struct heap_shot before;
	struct pair *p, *large;

	goalloc_enter(gc, &m);
	p = goalloc_new(&m, &pair_type, GFP_KERNEL);
	large = goalloc_new_array(&m, &pair_type, 5000, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, p && large);
	p->value = 0x1234;
	shot_take(goalloc_default, &before);
	gofree(p);
	gofree(large);
	KUNIT_EXPECT_EQ(test, 2U, listen_count("belongs to the collected heap misused"));
	shot_expect_refused(test, goalloc_default, &before, BAD_FREE_HEAP, 2, "objects");
	shot_take(heap, &before);
	goalloc_heap_free(heap, p);
	goalloc_heap_free(heap, large);
	goalloc_heap_free(heap, &p->value);
	KUNIT_EXPECT_EQ(test, 5U, listen_count("belongs to the collected heap misused"));
	shot_expect_refused(test, heap, &before, BAD_FREE_HEAP, 3, "objects");
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap, 16, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap, 100000, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("it is collected; use goalloc_new()"));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_heap_destroy(heap, true));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("ends with goalloc_gc_destroy()"));
	KUNIT_EXPECT_EQ(test, 0x1234UL, p->value);
	KUNIT_EXPECT_TRUE(test, goalloc_owns(p) && heap);
	goalloc_exit(&m);
	misuse_end(test, gc);
}

static void gc_misuse_sizes(struct kunit *test)
{
	struct goalloc_gc *gc = misuse_make(test);
	struct goalloc_mutator m;
	struct pair *p;

	goalloc_enter(gc, &m);
	KUNIT_EXPECT_NULL(test, goalloc_new(&m, &odd_type, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("no multiple of 8"));
	KUNIT_EXPECT_NULL(test, goalloc_new(&m, &empty_type, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_new(&m, NULL, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 2U, listen_count("its type has no size"));
	KUNIT_EXPECT_NULL(test, goalloc_new(&m, &pair_type, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("others than how hard to try"));
	listen_clear();
	KUNIT_EXPECT_NULL(test, goalloc_new_array(&m, &pair_type, SIZE_MAX / 8, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_new_array(&m, &pair_type, 1UL << 40, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 2U, listen_heard());
	/* An array of none is an object of its own. */
	p = goalloc_new_array(&m, &pair_type, 0, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, goalloc_owns(p));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	misuse_end(test, gc);
}

static void gc_misuse_destroy(struct kunit *test)
{
	struct goalloc_gc *gc = misuse_make(test);
	struct goalloc_weak *weak;
	struct goalloc_root root;
	struct goalloc_mutator m;

	misuse_root = NULL;
	goalloc_root_add(gc, &root, &misuse_root, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_gc_destroy(gc));
	goalloc_enter(gc, &m);
	goalloc_store(&m, &misuse_root, goalloc_new(&m, &pair_type, GFP_KERNEL));
	weak = goalloc_weak_new(&m, misuse_root, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, weak);
	goalloc_exit(&m);
	goalloc_root_remove(gc, &root);
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_gc_destroy(gc));
	KUNIT_EXPECT_EQ(test, 2U, listen_count("handles or weak handles are left"));
	goalloc_enter(gc, &m);
	goalloc_weak_put(&m, weak);
	goalloc_exit(&m);
	misuse_end(test, gc);
}

/* At its limit a heap hands out nothing, and after a collection it does again. */
static void gc_misuse_limit(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = GOALLOC_GC_OFF, .limit = SZ_1M / SCALE };
	struct goalloc_gc *gc = goalloc_gc_create("limited", &attr);
	struct goalloc_mutator m;
	unsigned int round, n;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	for (round = 0; round < 3; round++) {
		goalloc_enter(gc, &m);
		for (n = 0; goalloc_new(&m, &pair_type, GFP_KERNEL | __GFP_NOWARN); n++)
			;
		KUNIT_EXPECT_GT(test, n, 50000U / SCALE);
		KUNIT_EXPECT_LE(test, n, SZ_1M / SCALE / 16U);
		KUNIT_EXPECT_NULL(test, goalloc_new_array(&m, &pair_type, 4000,
							  GFP_KERNEL | __GFP_NOWARN));
		goalloc_exit(&m);
		KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(gc)));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
}

static struct kunit_case gc_misuse_cases[] = {
	KUNIT_CASE(gc_misuse_attr),
	KUNIT_CASE(gc_misuse_outside),
	KUNIT_CASE(gc_misuse_frames),
	KUNIT_CASE(gc_misuse_pointers),
	KUNIT_CASE(gc_misuse_bare_store),
	KUNIT_CASE(gc_misuse_other_heaps),
	KUNIT_CASE(gc_misuse_sizes),
	KUNIT_CASE(gc_misuse_destroy),
	KUNIT_CASE(gc_misuse_limit),
	{}
};

static struct kunit_suite gc_misuse_suite = {
	.name = "goalloc_gc_misuse",
	.exit = gc_misuse_exit,
	.test_cases = gc_misuse_cases,
};

kunit_test_suite(gc_misuse_suite);
