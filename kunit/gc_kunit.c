// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collected heaps: what is reachable stays, what is not goes, and what may be said of
 * types, roots, frames and handles.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#include "compat.h"
#include "gc.h"
#include "listen.h"
#include "shot.h"

#define MAGIC 0x60a110c5U

/* With checkers each object takes a hundred times as long. */
#define SCALE (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ? 10 : 1)

struct node {
	u32 magic;
	u32 value;
	struct node *left;
	struct node *right;
	u64 pad;
};

static GOALLOC_TYPE(node_type, struct node, left, right);
static GOALLOC_TYPE_NOSCAN(word_type, unsigned long);
static GOALLOC_TYPE_NOSCAN(tiny_type, u32);

/* Pointers in several words of the map, with a gap, and in an array. */
struct wide {
	void *first;
	u64 gap[70];
	void *middle;
	u64 gap2[140];
	void *last[2];
};

static GOALLOC_TYPE(wide_type, struct wide, first, middle, last[0], last[1]);

struct cell {
	void *p;
};

static GOALLOC_TYPE(cell_type, struct cell, p);

/* Heaps are made in both ways of marking; each case runs in both. */
static const struct goalloc_gc_attr gc_ways[] = {
	{ .percent = GOALLOC_GC_OFF },
	{ .percent = GOALLOC_GC_OFF, .flags = GOALLOC_GC_STOP_THE_WORLD },
};

static void gc_way_name(const struct goalloc_gc_attr *attr, char *name)
{
	strscpy(name, attr->flags ? "stopped" : "concurrent", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gc_way, gc_ways, gc_way_name);

static int gc_test_init(struct kunit *test)
{
	test->priv = NULL;
	return 0;
}

static struct goalloc_gc *gc_make(struct kunit *test)
{
	struct goalloc_gc *gc = goalloc_gc_create("collected", test->param_value);

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	test->priv = gc;
	return gc;
}

/* Everything is right with it, and then it ends. */
static void gc_finish(struct kunit *test, struct goalloc_gc *gc)
{
	struct goalloc_stats st;

	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(gc)));
	goalloc_heap_stats(goalloc_gc_heap(gc), &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&gc->bad_pointers));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
	test->priv = NULL;
}

static void gc_test_exit(struct kunit *test)
{
	listen_stop();
	/* Left by an assertion that failed. */
	if (test->priv)
		heap_destroy(goalloc_gc_heap(test->priv), true);
}

static u64 gc_live(struct goalloc_gc *gc)
{
	struct goalloc_gc_stats st;

	goalloc_gc_get_stats(gc, &st);
	return st.live_objects;
}

static struct node *gc_node(struct goalloc_mutator *m, u32 value)
{
	struct node *n = goalloc_new(m, &node_type, GFP_KERNEL);

	if (n) {
		n->magic = MAGIC;
		n->value = value;
	}
	return n;
}

/* A list of @nr nodes in front of *@root. */
static bool gc_list(struct goalloc_gc *gc, struct node **root, u32 nr)
{
	struct goalloc_mutator m;
	struct node *n;
	u32 i;

	goalloc_enter(gc, &m);
	for (i = 0; i < nr; i++) {
		n = gc_node(&m, i);
		if (!n)
			break;
		goalloc_store(&m, &n->left, *root);
		goalloc_store(&m, root, n);
	}
	goalloc_exit(&m);
	return i == nr;
}

static u32 gc_list_length(struct node *n)
{
	u32 length = 0;

	for (; n && n->magic == MAGIC; n = n->left)
		length++;
	return length;
}

/* A pattern of bits that the compiler made. */
static void gc_type_map(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, sizeof(struct node), node_type.size);
	KUNIT_EXPECT_STREQ(test, "struct node", node_type.name);
	KUNIT_EXPECT_EQ(test, 0x6UL, node_type.map[0]);
	for (i = 1; i < GOALLOC_MAP_WORDS; i++)
		KUNIT_EXPECT_EQ(test, 0UL, node_type.map[i]);
	KUNIT_EXPECT_EQ(test, 1UL, wide_type.map[0]);
	KUNIT_EXPECT_EQ(test, BIT(71 - 64), wide_type.map[1]);
	KUNIT_EXPECT_EQ(test, 0UL, wide_type.map[2]);
	KUNIT_EXPECT_EQ(test, BIT(212 - 192) | BIT(213 - 192), wide_type.map[3]);
	KUNIT_EXPECT_NULL(test, word_type.map);
}

static struct node *gc_root;

/* What a root leads to stays as it is; when it leads elsewhere all of it goes. */
static void gc_list_lives(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	struct goalloc_root root;
	struct goalloc_mutator m;
	u64 live;

	gc_root = NULL;
	goalloc_root_add(gc, &root, &gc_root, 1);
	KUNIT_ASSERT_TRUE(test, gc_list(gc, &gc_root, 3000));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 3000U, gc_list_length(gc_root));
	KUNIT_EXPECT_EQ(test, 3000ULL, gc_live(gc));
	/* Half of it. */
	goalloc_enter(gc, &m);
	{
		struct node *n = gc_root;
		int i;

		for (i = 1; i < 1500; i++)
			n = n->left;
		goalloc_store(&m, &n->left, (struct node *)NULL);
	}
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 1500U, gc_list_length(gc_root));
	KUNIT_EXPECT_EQ(test, 1500ULL, gc_live(gc));
	/* What was swept is handed out again. */
	KUNIT_ASSERT_TRUE(test, gc_list(gc, &gc_root, 1500));
	KUNIT_EXPECT_EQ(test, 3000U, gc_list_length(gc_root));
	goalloc_enter(gc, &m);
	goalloc_store(&m, &gc_root, (struct node *)NULL);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	live = gc_live(gc);
	KUNIT_EXPECT_EQ(test, 0ULL, live);
	goalloc_root_remove(gc, &root);
	gc_finish(test, gc);
}

/* Cycles go as well, which is what this is for. */
static void gc_cycles_go(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	struct goalloc_mutator m;
	struct node *first, *n, *last;
	int ring, i;

	goalloc_enter(gc, &m);
	for (ring = 0; ring < 50; ring++) {
		first = gc_node(&m, 0);
		KUNIT_ASSERT_NOT_NULL(test, first);
		last = first;
		for (i = 1; i < 20; i++) {
			n = gc_node(&m, i);
			KUNIT_ASSERT_NOT_NULL(test, n);
			goalloc_store(&m, &last->left, n);
			goalloc_store(&m, &n->right, last);
			last = n;
		}
		goalloc_store(&m, &last->left, first);
		goalloc_store(&m, &first->right, last);
	}
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 1000ULL, gc_live(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(gc));
	gc_finish(test, gc);
}

/* All pointers of a wide structure are followed, and nothing else of it is. */
static void gc_wide_fields(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	static struct wide *root_slot;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct wide *w;
	unsigned long *hidden;

	root_slot = NULL;
	goalloc_root_add(gc, &root, &root_slot, 1);
	goalloc_enter(gc, &m);
	w = goalloc_new(&m, &wide_type, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	goalloc_store(&m, &root_slot, w);
	goalloc_store(&m, &w->first, (void *)gc_node(&m, 1));
	goalloc_store(&m, &w->middle, (void *)gc_node(&m, 2));
	goalloc_store(&m, &w->last[0], (void *)gc_node(&m, 3));
	goalloc_store(&m, &w->last[1], (void *)gc_node(&m, 4));
	/* No pointers for the collector, whatever they look like. */
	w->gap[3] = (unsigned long)gc_node(&m, 5);
	hidden = goalloc_new(&m, &word_type, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hidden);
	*hidden = (unsigned long)gc_node(&m, 6);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 5ULL, gc_live(gc));
	KUNIT_EXPECT_EQ(test, 1U, ((struct node *)w->first)->value);
	KUNIT_EXPECT_EQ(test, 2U, ((struct node *)w->middle)->value);
	KUNIT_EXPECT_EQ(test, 3U, ((struct node *)w->last[0])->value);
	KUNIT_EXPECT_EQ(test, 4U, ((struct node *)w->last[1])->value);
	goalloc_root_remove(gc, &root);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(gc));
	gc_finish(test, gc);
}

/* A pointer inside an object keeps all of it. */
static void gc_interior(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	static u32 *root_slot;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct node *n;

	root_slot = NULL;
	goalloc_root_add(gc, &root, &root_slot, 1);
	goalloc_enter(gc, &m);
	n = gc_node(&m, 77);
	KUNIT_ASSERT_NOT_NULL(test, n);
	goalloc_store(&m, &n->left, gc_node(&m, 78));
	goalloc_store(&m, &root_slot, &n->value);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 2ULL, gc_live(gc));
	KUNIT_EXPECT_EQ(test, 77U, *root_slot);
	goalloc_root_remove(gc, &root);
	gc_finish(test, gc);
}

/* Arrays of all sizes: small, several pages, and so large that they have oblets. */
static void gc_arrays(struct kunit *test)
{
	static const size_t lengths[] = { 1, 3, 500, 4000, 5000, 40000, 200000 };
	struct goalloc_gc *gc = gc_make(test);
	static struct cell *root_slot;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct cell *cell;
	size_t i, n, wrong;
	unsigned int k;

	root_slot = NULL;
	goalloc_root_add(gc, &root, &root_slot, 1);
	for (k = 0; k < ARRAY_SIZE(lengths); k++) {
		n = lengths[k];
		goalloc_enter(gc, &m);
		cell = goalloc_new_array(&m, &cell_type, n, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, cell);
		KUNIT_EXPECT_NULL(test, memchr_inv(cell, 0, n * sizeof(*cell)));
		goalloc_store(&m, &root_slot, cell);
		/* At both ends, and every so often. */
		for (i = 0; i < n; i += 1 + n / 100)
			goalloc_store(&m, &cell[i].p, (void *)gc_node(&m, i));
		goalloc_store(&m, &cell[n - 1].p, (void *)gc_node(&m, n - 1));
		goalloc_exit(&m);
		KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
		wrong = 0;
		for (i = 0; i < n; i += 1 + n / 100)
			wrong += ((struct node *)cell[i].p)->value != i;
		wrong += ((struct node *)cell[n - 1].p)->value != n - 1;
		KUNIT_EXPECT_EQ_MSG(test, 0UL, wrong, "of %zu", n);
	}
	goalloc_enter(gc, &m);
	goalloc_store(&m, &root_slot, (struct cell *)NULL);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(gc));
	goalloc_root_remove(gc, &root);
	gc_finish(test, gc);
}

/* Tiny objects share blocks, and a block stays for any of them. */
static void gc_tiny_objects(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	static struct cell *root_slot;
	struct goalloc_gc_stats st;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct cell *cell;
	unsigned int i;
	u32 *t;

	root_slot = NULL;
	goalloc_root_add(gc, &root, &root_slot, 1);
	goalloc_enter(gc, &m);
	cell = goalloc_new_array(&m, &cell_type, 400, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cell);
	goalloc_store(&m, &root_slot, cell);
	for (i = 0; i < 4000; i++) {
		t = goalloc_new(&m, &tiny_type, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t);
		KUNIT_ASSERT_EQ(test, 0U, *t);
		*t = i;
		if (i % 10 == 0)
			goalloc_store(&m, &cell[i / 10].p, (void *)t);
	}
	goalloc_exit(&m);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_GT(test, st.tiny_allocs, 2500ULL);
	KUNIT_EXPECT_LT(test, st.live_objects, 1600ULL);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	for (i = 0; i < 400; i++)
		KUNIT_EXPECT_EQ(test, i * 10, *(u32 *)cell[i].p);
	KUNIT_EXPECT_LE(test, gc_live(gc), 401ULL);
	KUNIT_EXPECT_GE(test, gc_live(gc), 399ULL);
	goalloc_root_remove(gc, &root);
	gc_finish(test, gc);
}

/**
 * struct gc_thread - a mutator in a thread of its own
 * @gc: the heap
 * @ready: it has made its list
 * @go: it may look at it
 * @done: it has
 * @length: what it found
 */
struct gc_thread {
	struct goalloc_gc *gc;
	struct completion ready;
	struct completion done;
	bool go;
	u32 length;
};

static int gc_frame_thread(void *arg)
{
	struct gc_thread *t = arg;
	struct goalloc_mutator m;
	struct node *head = NULL, *n;
	u32 i;

	GOALLOC_FRAME(frame, &head);

	goalloc_enter(t->gc, &m);
	goalloc_push(&m, &frame);
	for (i = 0; i < 100; i++) {
		n = gc_node(&m, i);
		if (!n)
			break;
		goalloc_store(&m, &n->left, head);
		head = n;
		/* Garbage as well. */
		gc_node(&m, i);
	}
	complete(&t->ready);
	while (!READ_ONCE(t->go)) {
		goalloc_safepoint(&m);
		cond_resched();
	}
	t->length = gc_list_length(head);
	goalloc_pop(&m, &frame);
	goalloc_exit(&m);
	complete(&t->done);
	return 0;
}

/* What only a frame leads to is kept while its owner is stopped. */
static void gc_frames(struct kunit *test)
{
	struct gc_thread t = { .gc = gc_make(test) };
	struct task_struct *task;

	init_completion(&t.ready);
	init_completion(&t.done);
	task = kthread_run(gc_frame_thread, &t, "gc_frame");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&t.ready);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(t.gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(t.gc));
	KUNIT_EXPECT_EQ(test, 100ULL, gc_live(t.gc));
	WRITE_ONCE(t.go, true);
	wait_for_completion(&t.done);
	KUNIT_EXPECT_EQ(test, 100U, t.length);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(t.gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(t.gc));
	gc_finish(test, t.gc);
}

static void gc_handles(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	struct goalloc_handle *handle;
	struct goalloc_mutator m;
	struct node *n;

	goalloc_enter(gc, &m);
	n = gc_node(&m, 9);
	KUNIT_ASSERT_NOT_NULL(test, n);
	goalloc_store(&m, &n->left, gc_node(&m, 10));
	handle = goalloc_handle_new(&m, n, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, handle);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 2ULL, gc_live(gc));
	KUNIT_EXPECT_PTR_EQ(test, handle, goalloc_handle_get(handle));
	goalloc_enter(gc, &m);
	n = goalloc_handle_obj(&m, handle);
	KUNIT_EXPECT_EQ(test, 9U, n->value);
	goalloc_handle_put(&m, handle);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 2ULL, gc_live(gc));
	goalloc_enter(gc, &m);
	goalloc_handle_put(&m, handle);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(gc));
	gc_finish(test, gc);
}

static void gc_weak_handles(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	struct goalloc_weak *kept, *lost;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct node *n;

	gc_root = NULL;
	goalloc_root_add(gc, &root, &gc_root, 1);
	goalloc_enter(gc, &m);
	n = gc_node(&m, 1);
	KUNIT_ASSERT_NOT_NULL(test, n);
	goalloc_store(&m, &gc_root, n);
	kept = goalloc_weak_new(&m, n, GFP_KERNEL);
	lost = goalloc_weak_new(&m, gc_node(&m, 2), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, kept && lost);
	KUNIT_EXPECT_NOT_NULL(test, goalloc_weak_load(&m, lost));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	goalloc_enter(gc, &m);
	KUNIT_EXPECT_PTR_EQ(test, (void *)n, goalloc_weak_load(&m, kept));
	KUNIT_EXPECT_NULL(test, goalloc_weak_load(&m, lost));
	goalloc_weak_put(&m, kept);
	goalloc_weak_put(&m, lost);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 1ULL, gc_live(gc));
	goalloc_root_remove(gc, &root);
	gc_finish(test, gc);
}

static atomic_t gc_finals_called;
static struct node *gc_saved;

static void gc_final_saves(struct goalloc_mutator *m, void *obj)
{
	struct node *n = obj;

	/* What it points to is there still. */
	if (n->magic == MAGIC && n->left && n->left->value == n->value + 1)
		atomic_inc(&gc_finals_called);
	if (n->value % 2)
		goalloc_store(m, &gc_saved, n);
}

static struct goalloc_type final_type = {
	GOALLOC_TYPE_INIT(struct node, left, right),
	.finalizer = gc_final_saves,
};

/* A finalizer is called once, finds what its object points to, and may save it. */
static void gc_finalizer_calls(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	struct goalloc_weak *weak = NULL;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct node *n;
	u32 i;

	atomic_set(&gc_finals_called, 0);
	gc_saved = NULL;
	goalloc_root_add(gc, &root, &gc_saved, 1);
	goalloc_enter(gc, &m);
	for (i = 0; i < 10; i++) {
		n = goalloc_new(&m, &final_type, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, n);
		n->magic = MAGIC;
		n->value = i;
		goalloc_store(&m, &n->left, gc_node(&m, i + 1));
		/* One that points to itself goes as well. */
		goalloc_store(&m, &n->right, n);
		if (!i)
			weak = goalloc_weak_new(&m, n, GFP_KERNEL);
	}
	KUNIT_ASSERT_NOT_NULL(test, weak);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	goalloc_gc_drain(gc);
	KUNIT_EXPECT_EQ(test, 10, atomic_read(&gc_finals_called));
	/* Weak handles of what is being finalized lead nowhere. */
	goalloc_enter(gc, &m);
	KUNIT_EXPECT_NULL(test, goalloc_weak_load(&m, weak));
	goalloc_weak_put(&m, weak);
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 20ULL, gc_live(gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	goalloc_gc_drain(gc);
	/* The last one that was saved, whichever that was, and what it points to. */
	KUNIT_EXPECT_EQ(test, 2ULL, gc_live(gc));
	KUNIT_EXPECT_EQ(test, 1U, gc_saved->value % 2);
	KUNIT_EXPECT_EQ(test, gc_saved->value + 1, gc_saved->left->value);
	KUNIT_EXPECT_EQ(test, 10, atomic_read(&gc_finals_called));
	goalloc_root_remove(gc, &root);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	goalloc_gc_drain(gc);
	KUNIT_EXPECT_EQ(test, 10, atomic_read(&gc_finals_called));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(gc));
	gc_finish(test, gc);
}

#define ROUNDS (400 / SCALE)

/* A large object of several oblets. */
#define CELLS 20000

/* With hardly any memory for marking everything is found all the same. */
static void gc_no_buffers(struct kunit *test)
{
	struct goalloc_gc *gc = gc_make(test);
	static struct cell *root_slot;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct cell *cell;
	unsigned int i;

	root_slot = NULL;
	goalloc_root_add(gc, &root, &root_slot, 1);
	goalloc_enter(gc, &m);
	cell = goalloc_new_array(&m, &cell_type, CELLS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cell);
	goalloc_store(&m, &root_slot, cell);
	for (i = 0; i < CELLS; i += SCALE) {
		struct node *n = gc_node(&m, i);

		KUNIT_ASSERT_NOT_NULL(test, n);
		goalloc_store(&m, &cell[i].p, (void *)n);
		goalloc_store(&m, &n->right, gc_node(&m, i));
	}
	goalloc_exit(&m);
	gc_work_trim(gc, 1);
	gc->max_bufs = 1;
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 2 * CELLS / SCALE + 1ULL, gc_live(gc));
	gc->max_bufs = 0;
	gc_work_trim(gc, 0);
	/* Short enough for going through the heap for each level of it. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 2 * CELLS / SCALE + 1ULL, gc_live(gc));
	gc->max_bufs = UINT_MAX;
	goalloc_root_remove(gc, &root);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0ULL, gc_live(gc));
	gc_finish(test, gc);
}

/* What is allocated while the heap is marked is paid for by scanning. */
static void gc_assists(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = 100 };
	struct goalloc_gc *gc = goalloc_gc_create("assisted", &attr);
	struct goalloc_gc_stats st;
	struct goalloc_root root;
	struct goalloc_mutator m;
	struct cell *cell;
	unsigned int i, k;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	gc_root = NULL;
	goalloc_root_add(gc, &root, &gc_root, 1);
	/* As much to be marked as takes a while. */
	KUNIT_ASSERT_TRUE(test, gc_list(gc, &gc_root, 200000 / SCALE));
	for (i = 0; i < 200; i++) {
		goalloc_enter(gc, &m);
		for (k = 0; k < 100; k++) {
			cell = goalloc_new_array(&m, &cell_type, 100, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, cell);
		}
		goalloc_exit(&m);
		goalloc_gc_get_stats(gc, &st);
		/* Far beyond what it was to end at, it would not be held back. */
		KUNIT_ASSERT_LE(test, st.heap_live, 3 * (st.heap_marked + (8ULL << 20)));
	}
	KUNIT_EXPECT_EQ(test, 200000U / SCALE, gc_list_length(gc_root));
	kthread_flush_work(&gc->cycle_work);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_GE(test, st.cycles, 1ULL);
	KUNIT_EXPECT_GT(test, gc->pacer.cons_mark, 0ULL);
	kunit_info(test, "%llu collections, assists %llu us, marking %llu us\n", st.cycles,
		   st.assist_ns / 1000, st.mark_ns / 1000);
	goalloc_root_remove(gc, &root);
	gc_finish(test, gc);
}

/* A soft limit brings collections on, though the percentage would never. */
static void gc_soft_limit(struct kunit *test)
{
	const struct goalloc_gc_attr attr = {
		.percent = GOALLOC_GC_OFF,
		.soft_limit = 8 << 20,
	};
	struct goalloc_gc *gc = goalloc_gc_create("limited", &attr);
	struct goalloc_gc_stats st;
	struct goalloc_mutator m;
	unsigned int i, k;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	for (i = 0; i < ROUNDS; i++) {
		goalloc_enter(gc, &m);
		for (k = 0; k < 100; k++)
			KUNIT_ASSERT_NOT_NULL(test, goalloc_new_array(&m, &cell_type, 120 * SCALE,
								      GFP_KERNEL));
		goalloc_exit(&m);
		/* Slower than the collector, which the limit is worth nothing without. */
		kthread_flush_work(&gc->cycle_work);
	}
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_GE(test, st.cycles, 1ULL);
	KUNIT_EXPECT_EQ(test, 0ULL, st.forced);
	KUNIT_EXPECT_LE(test, st.heap_goal, 8ULL << 20);
	gc_finish(test, gc);
}

/* It begins by itself when enough has been allocated, and not before. */
static void gc_by_itself(struct kunit *test)
{
	struct goalloc_gc_attr attr = *(const struct goalloc_gc_attr *)test->param_value;
	struct goalloc_gc_stats st;
	struct goalloc_mutator m;
	struct goalloc_gc *gc;
	unsigned int i;

	attr.percent = 50 / SCALE;
	gc = goalloc_gc_create("collected", &attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	test->priv = gc;
	goalloc_enter(gc, &m);
	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_NOT_NULL(test, gc_node(&m, i));
	goalloc_exit(&m);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cycles);
	KUNIT_EXPECT_EQ(test, (4ULL << 20) * attr.percent / 100, st.heap_goal);
	for (i = 0; i < ROUNDS; i++) {
		unsigned int k;

		goalloc_enter(gc, &m);
		for (k = 0; k < 1000; k++)
			KUNIT_ASSERT_NOT_NULL(test, gc_node(&m, k));
		goalloc_exit(&m);
	}
	kthread_flush_work(&gc->cycle_work);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_GE(test, st.cycles, 1ULL);
	KUNIT_EXPECT_EQ(test, 0ULL, st.forced);
	KUNIT_EXPECT_EQ(test, (ROUNDS + 1) * 1000ULL, st.allocs);
	KUNIT_EXPECT_EQ(test, st.allocs - st.frees, st.live_objects);
	KUNIT_EXPECT_EQ(test, attr.percent, goalloc_set_gc_percent(gc, GOALLOC_GC_OFF));
	gc_finish(test, gc);
}

static struct kunit_case gc_cases[] = {
	KUNIT_CASE(gc_type_map),
	KUNIT_CASE_PARAM(gc_list_lives, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_cycles_go, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_wide_fields, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_interior, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_arrays, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_tiny_objects, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_frames, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_handles, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_weak_handles, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_finalizer_calls, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_no_buffers, gc_way_gen_params),
	KUNIT_CASE_PARAM(gc_by_itself, gc_way_gen_params),
	KUNIT_CASE(gc_assists),
	KUNIT_CASE(gc_soft_limit),
	{}
};

static struct kunit_suite gc_suite = {
	.name = "goalloc_gc",
	.init = gc_test_init,
	.exit = gc_test_exit,
	.test_cases = gc_cases,
};

kunit_test_suite(gc_suite);
