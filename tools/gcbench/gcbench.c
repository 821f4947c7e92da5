// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known as GCBench, by Ellis, Kovac and Boehm: beside a tree and an array that
 * stay, trees come and go, made from the top, so that pointers are stored into old
 * objects, and from the bottom.
 *
 * Numbers are whole ones here, as the kernel has no others.
 */
#include <linux/math64.h>

#include <goalloc_gc.h>

#include "gcbench.h"

#define BOEHM_ARRAY 500000U

struct bnode {
	struct bnode *left;
	struct bnode *right;
	int i;
	int j;
};

static GOALLOC_TYPE(bnode_type, struct bnode, left, right);
static GOALLOC_TYPE_NOSCAN(number_type, u64);

static struct bnode *boehm_new(struct gcbench_thread *t)
{
	struct bnode *node = goalloc_new(&t->m, &bnode_type, GFP_KERNEL);

	if (node)
		t->nodes++;
	else
		t->failed = true;
	return node;
}

/* From the top: what leads to @node keeps it. */
static void boehm_populate(struct gcbench_thread *t, struct bnode *node, unsigned int depth)
{
	gcbench_safepoint(t);
	if (!depth || !node)
		return;
	goalloc_store(&t->m, &node->left, boehm_new(t));
	goalloc_store(&t->m, &node->right, boehm_new(t));
	boehm_populate(t, node->left, depth - 1);
	boehm_populate(t, node->right, depth - 1);
}

static struct bnode *boehm_make(struct gcbench_thread *t, unsigned int depth);

static noinline struct bnode *boehm_make_inner(struct gcbench_thread *t, unsigned int depth)
{
	struct bnode *left = NULL, *right, *node;

	GOALLOC_FRAME(frame, &left);

	goalloc_push(&t->m, &frame);
	left = boehm_make(t, depth - 1);
	right = boehm_make(t, depth - 1);
	goalloc_pop(&t->m, &frame);
	node = boehm_new(t);
	if (node) {
		goalloc_store(&t->m, &node->left, left);
		goalloc_store(&t->m, &node->right, right);
	}
	return node;
}

/* From the bottom. */
static struct bnode *boehm_make(struct gcbench_thread *t, unsigned int depth)
{
	gcbench_safepoint(t);
	return depth ? boehm_make_inner(t, depth) : boehm_new(t);
}

static u64 boehm_count(struct gcbench_thread *t, const struct bnode *node)
{
	gcbench_safepoint(t);
	return node ? 1 + boehm_count(t, node->left) + boehm_count(t, node->right) : 0;
}

static void boehm_from_top(struct gcbench_thread *t, unsigned int depth)
{
	struct bnode *node = boehm_new(t);

	GOALLOC_FRAME(frame, &node);

	goalloc_push(&t->m, &frame);
	boehm_populate(t, node, depth);
	goalloc_pop(&t->m, &frame);
}

static void boehm_begin(struct gcbench_thread *t)
{
	unsigned int i;
	u64 *array;

	boehm_make(t, gcbench_depth + 2);
	goalloc_store(&t->m, &gcbench_kept[0], (void *)boehm_new(t));
	boehm_populate(t, gcbench_kept[0], gcbench_depth);
	array = goalloc_new_array(&t->m, &number_type, BOEHM_ARRAY, GFP_KERNEL);
	if (!array) {
		t->failed = true;
		return;
	}
	for (i = 0; i < BOEHM_ARRAY / 2; i++)
		array[i] = div_u64(U64_MAX, i + 1);
	goalloc_store(&t->m, &gcbench_kept[1], (void *)array);
}

/* As many as make twice the nodes of the first one. */
static u64 boehm_trees_of(unsigned int depth)
{
	return div64_u64(2 * gcbench_tree_nodes(gcbench_depth + 2), gcbench_tree_nodes(depth));
}

static void boehm_run(struct gcbench_thread *t)
{
	unsigned int depth;
	u64 i;

	for (depth = GCBENCH_MIN_DEPTH; depth <= gcbench_depth; depth += 2) {
		for (i = t->nr; i < boehm_trees_of(depth) && !t->failed; i += gcbench_threads)
			boehm_from_top(t, depth);
		for (i = t->nr; i < boehm_trees_of(depth) && !t->failed; i += gcbench_threads)
			boehm_make(t, depth);
	}
}

static void boehm_end(struct gcbench_thread *t)
{
	const u64 *array = gcbench_kept[1];
	unsigned int i;

	t->nodes += boehm_count(t, gcbench_kept[0]);
	for (i = 0; array && i < BOEHM_ARRAY; i++)
		if (array[i] != (i < BOEHM_ARRAY / 2 ? div_u64(U64_MAX, i + 1) : 0))
			t->failed = true;
}

/* That stays is counted again in the end. */
static u64 boehm_nodes(void)
{
	u64 nodes = gcbench_tree_nodes(gcbench_depth + 2) +
		    2 * gcbench_tree_nodes(gcbench_depth);
	unsigned int depth;

	for (depth = GCBENCH_MIN_DEPTH; depth <= gcbench_depth; depth += 2)
		nodes += 2 * boehm_trees_of(depth) * gcbench_tree_nodes(depth);
	return nodes;
}

static u64 boehm_kept(void)
{
	return gcbench_tree_nodes(gcbench_depth) + 1;
}

const struct gcbench_work gcbench_boehm = {
	.name = "gcbench",
	.begin = boehm_begin,
	.run = boehm_run,
	.end = boehm_end,
	.nodes = boehm_nodes,
	.kept = boehm_kept,
};
