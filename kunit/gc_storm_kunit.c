// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collected heaps under storm: mutators on all CPUs build, cut, move and share a random
 * graph while collections run without pause.
 *
 * Each node has a canary, a number of its own, and the sum of the numbers of those it
 * points to, so whoever follows a pointer to what was freed notices. After each
 * collection everybody is stopped, and the graph is gone through in the test's own way:
 * everything reachable has to live. In the end nothing else may.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#include "compat.h"
#include "crew.h"
#include "gc.h"

#define MAGIC 0x60a1570a00000000ULL
#define EDGES 3
#define ROOTS 64
#define LOCKS 64
#define KEPT 4
#define MEMBERS 4

struct vertex {
	u64 magic;
	u64 sum;
	u64 seen;
	struct vertex *edge[EDGES];
};

static GOALLOC_TYPE(vertex_type, struct vertex, edge[0], edge[1], edge[2]);
static GOALLOC_TYPE_NOSCAN(blob_type, u64);

/**
 * struct storm - a storm
 * @gc: the heap
 * @root: where the graph can be got at
 * @lock: of a vertex, by its address: guards its edges and sum
 * @root_lock: guards @root
 * @until: jiffies at which it ends
 * @ids: numbers that were given
 * @wrong: vertices that were not what they should be
 * @failed: allocations that failed
 * @traced: vertices that were reached in traces
 * @stack: what is still to be looked at in a trace
 */
struct storm {
	struct goalloc_gc *gc;
	struct vertex *root[ROOTS];
	spinlock_t lock[LOCKS]; /* edges and sums */
	spinlock_t root_lock; /* @root */
	unsigned long until;
	atomic64_t ids;
	atomic_t wrong;
	atomic_t failed;
	u64 traced;
	struct vertex **stack;
};

/* More than there can be at once. */
#define STORM_STACK SZ_1M

static spinlock_t *storm_lock(struct storm *storm, const struct vertex *v)
{
	return &storm->lock[((unsigned long)v >> 4) % LOCKS];
}

static u64 storm_id(const struct vertex *v)
{
	return v ? v->magic : 0;
}

static bool storm_sound(const struct vertex *v)
{
	u64 sum = 0;
	int i;

	if ((v->magic & GENMASK_ULL(63, 40)) != (MAGIC & GENMASK_ULL(63, 40)))
		return false;
	for (i = 0; i < EDGES; i++)
		sum += storm_id(v->edge[i]);
	return sum == v->sum;
}

static void storm_look(struct storm *storm, const struct vertex *v)
{
	if (!v)
		return;
	spin_lock(storm_lock(storm, v));
	if (!storm_sound(v))
		atomic_inc(&storm->wrong);
	spin_unlock(storm_lock(storm, v));
}

/* A vertex that is some steps from a root. */
static struct vertex *storm_walk(struct storm *storm, struct rnd_state *rnd)
{
	unsigned int steps = prandom_u32_state(rnd) % 12;
	struct vertex *v, *next;

	spin_lock(&storm->root_lock);
	v = storm->root[prandom_u32_state(rnd) % ROOTS];
	spin_unlock(&storm->root_lock);
	while (v && steps--) {
		spin_lock(storm_lock(storm, v));
		if (!storm_sound(v))
			atomic_inc(&storm->wrong);
		next = v->edge[prandom_u32_state(rnd) % EDGES];
		spin_unlock(storm_lock(storm, v));
		if (!next)
			break;
		v = next;
	}
	return v;
}

static void storm_set_edge(struct storm *storm, struct goalloc_mutator *m,
			   struct vertex *v, unsigned int i, struct vertex *to)
{
	spin_lock(storm_lock(storm, v));
	v->sum += storm_id(to) - storm_id(v->edge[i]);
	goalloc_store(m, &v->edge[i], to);
	spin_unlock(storm_lock(storm, v));
}

static void storm_set_root(struct storm *storm, struct goalloc_mutator *m, unsigned int i,
			   struct vertex *to)
{
	spin_lock(&storm->root_lock);
	goalloc_store(m, &storm->root[i], to);
	spin_unlock(&storm->root_lock);
}

static struct vertex *storm_new(struct storm *storm, struct goalloc_mutator *m)
{
	struct vertex *v = goalloc_new(m, &vertex_type, GFP_KERNEL);

	if (v)
		v->magic = MAGIC + atomic64_inc_return(&storm->ids);
	else
		atomic_inc(&storm->failed);
	return v;
}

/* A new part of the graph, on top of what is there. */
static void storm_build(struct storm *storm, struct goalloc_mutator *m,
			struct rnd_state *rnd)
{
	unsigned int nr = 1 + prandom_u32_state(rnd) % 20;
	struct vertex *top = storm_walk(storm, rnd), *v;

	while (nr--) {
		v = storm_new(storm, m);
		if (!v)
			return;
		storm_set_edge(storm, m, v, 0, top);
		storm_set_edge(storm, m, v, 1, storm_walk(storm, rnd));
		top = v;
		/* Garbage of other sizes. */
		goalloc_new_array(m, &blob_type, prandom_u32_state(rnd) % 200, GFP_KERNEL);
	}
	storm_set_root(storm, m, prandom_u32_state(rnd) % ROOTS, top);
}

/* Out of the graph: from here on perhaps only the caller's frame leads there. */
static struct vertex *storm_take(struct storm *storm, struct goalloc_mutator *m,
				 struct rnd_state *rnd)
{
	unsigned int i = prandom_u32_state(rnd) % EDGES;
	struct vertex *v = storm_walk(storm, rnd), *taken;

	if (!v)
		return NULL;
	spin_lock(storm_lock(storm, v));
	taken = v->edge[i];
	v->sum -= storm_id(taken);
	goalloc_store(m, &v->edge[i], (struct vertex *)NULL);
	spin_unlock(storm_lock(storm, v));
	return taken;
}

static void storm_member(void *arg, unsigned int member)
{
	struct storm *storm = arg;
	struct vertex *kept[KEPT] = {}, *v;
	struct goalloc_mutator m;
	struct rnd_state rnd;
	unsigned int n, k;

	GOALLOC_FRAME(frame, &kept[0], &kept[1], &kept[2], &kept[3]);

	prandom_seed_state(&rnd, 1000 + member);
	while (time_before(jiffies, storm->until)) {
		goalloc_enter(storm->gc, &m);
		goalloc_push(&m, &frame);
		for (n = 0; n < 2000; n++) {
			switch (prandom_u32_state(&rnd) % 8) {
			case 0:
				storm_build(storm, &m, &rnd);
				break;
			case 1: /* cut */
				v = storm_walk(storm, &rnd);
				if (v)
					storm_set_edge(storm, &m, v,
						       prandom_u32_state(&rnd) % EDGES, NULL);
				break;
			case 2: /* share, and make cycles */
				v = storm_walk(storm, &rnd);
				if (v)
					storm_set_edge(storm, &m, v,
						       prandom_u32_state(&rnd) % EDGES,
						       storm_walk(storm, &rnd));
				break;
			case 3: /* move: out of the graph, and in again elsewhere, later */
				k = prandom_u32_state(&rnd) % KEPT;
				storm_look(storm, kept[k]);
				storm_set_root(storm, &m, prandom_u32_state(&rnd) % ROOTS,
					       kept[k]);
				kept[k] = storm_take(storm, &m, &rnd);
				break;
			case 4: /* a whole part goes */
				storm_set_root(storm, &m, prandom_u32_state(&rnd) % ROOTS, NULL);
				break;
			default:
				storm_walk(storm, &rnd);
				break;
			}
			/* Part of it is reachable through the frame alone by now. */
			goalloc_safepoint(&m);
		}
		memset(kept, 0, sizeof(kept));
		goalloc_pop(&m, &frame);
		goalloc_exit(&m);
		cond_resched();
	}
}

/* Go through the graph while everybody is stopped. Returns how much there is of it. */
static u64 storm_trace(struct storm *storm, u64 epoch)
{
	struct goalloc_gc *gc = storm->gc;
	unsigned int nr = 0, i;
	u64 reached = 0;

	mutex_lock(&gc->cycle);
	gc_stop(gc);
	for (i = 0; i < ROOTS; i++)
		if (storm->root[i])
			storm->stack[nr++] = storm->root[i];
	while (nr) {
		struct vertex *v = storm->stack[--nr];
		struct goalloc_span *span;

		if (v->seen == epoch)
			continue;
		v->seen = epoch;
		reached++;
		span = pagemap_span(&gc->heap->space->map, (unsigned long)v);
		if (!storm_sound(v) || !span || !gc_is_marked(gc, span, gc_slot(span, v)))
			atomic_inc(&storm->wrong);
		for (i = 0; i < EDGES && nr < STORM_STACK; i++)
			if (v->edge[i] && v->edge[i]->seen != epoch)
				storm->stack[nr++] = v->edge[i];
	}
	gc_start(gc);
	mutex_unlock(&gc->cycle);
	storm->traced += reached;
	return reached;
}

static void storm_crew(void *arg, unsigned int member)
{
	struct storm *storm = arg;
	u64 epoch = 1;

	if (member) {
		storm_member(storm, member);
		return;
	}
	while (time_before(jiffies, storm->until)) {
		goalloc_gc(storm->gc);
		storm_trace(storm, epoch++);
	}
}

static void storm_run(struct kunit *test, const struct goalloc_gc_attr *attr)
{
	struct goalloc_gc_stats st;
	struct goalloc_root root;
	struct storm *storm;
	u64 reached;
	int i;

	storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->stack = vmalloc(array_size(STORM_STACK + EDGES, sizeof(void *)));
	KUNIT_ASSERT_NOT_NULL(test, storm->stack);
	storm->gc = goalloc_gc_create("storm", attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(storm->gc));
	for (i = 0; i < LOCKS; i++)
		spin_lock_init(&storm->lock[i]);
	spin_lock_init(&storm->root_lock);
	goalloc_root_add(storm->gc, &root, storm->root, ROOTS);
	storm->until = jiffies + 4 * HZ;
	KUNIT_EXPECT_EQ(test, 0, crew_run(MEMBERS, storm_crew, storm));

	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(storm->gc));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(storm->gc));
	reached = storm_trace(storm, U64_MAX);
	goalloc_gc_get_stats(storm->gc, &st);
	kunit_info(test, "%llu collections, %lld vertices, %llu traced, %llu in the end\n",
		   st.cycles, atomic64_read(&storm->ids), storm->traced, reached);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm->wrong));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm->failed));
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_pointers);
	/* Nothing that is marked led to what was not. */
	KUNIT_EXPECT_EQ(test, 0ULL, storm->gc->missed);
	KUNIT_EXPECT_EQ(test, reached, st.live_objects);
	KUNIT_EXPECT_GT(test, st.cycles, 2ULL);
	KUNIT_EXPECT_GT(test, storm->traced, 1000ULL);
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(storm->gc)));
	goalloc_root_remove(storm->gc, &root);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(storm->gc));
	vfree(storm->stack);
}

static void gc_storm_concurrent(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = 20, .flags = GOALLOC_GC_VERIFY };

	storm_run(test, &attr);
}

static void gc_storm_stopped(struct kunit *test)
{
	const struct goalloc_gc_attr attr = {
		.percent = 20,
		.flags = GOALLOC_GC_STOP_THE_WORLD,
	};

	storm_run(test, &attr);
}

static struct kunit_case gc_storm_cases[] = {
	KUNIT_CASE(gc_storm_concurrent),
	KUNIT_CASE(gc_storm_stopped),
	{}
};

static struct kunit_suite gc_storm_suite = {
	.name = "goalloc_gc_storm",
	.test_cases = gc_storm_cases,
};

kunit_test_suite(gc_storm_suite);
