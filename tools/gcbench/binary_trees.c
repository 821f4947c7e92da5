// SPDX-License-Identifier: GPL-2.0-only
/*
 * binary-trees, as the Benchmarks Game has it: a tree that stretches the heap, one that
 * stays, and then many that are made, counted and dropped, of depth 4, 6, 8 and so on,
 * the fewer the deeper.
 */
#include <goalloc_gc.h>

#include "gcbench.h"

struct tree {
	struct tree *left;
	struct tree *right;
};

static GOALLOC_TYPE(tree_type, struct tree, left, right);

static struct tree *tree_make(struct gcbench_thread *t, unsigned int depth);

static struct tree *tree_new(struct gcbench_thread *t)
{
	struct tree *tree = goalloc_new(&t->m, &tree_type, GFP_KERNEL);

	if (!tree)
		t->failed = true;
	return tree;
}

static noinline struct tree *tree_make_inner(struct gcbench_thread *t, unsigned int depth)
{
	struct tree *left = NULL, *right, *tree;

	GOALLOC_FRAME(frame, &left);

	/* The right one is made without a safe point behind it: it needs no frame. */
	goalloc_push(&t->m, &frame);
	left = tree_make(t, depth - 1);
	right = tree_make(t, depth - 1);
	goalloc_pop(&t->m, &frame);
	tree = tree_new(t);
	if (tree) {
		goalloc_store(&t->m, &tree->left, left);
		goalloc_store(&t->m, &tree->right, right);
	}
	return tree;
}

/* Nothing of the caller's is given up that is in a frame. */
static struct tree *tree_make(struct gcbench_thread *t, unsigned int depth)
{
	gcbench_safepoint(t);
	return depth ? tree_make_inner(t, depth) : tree_new(t);
}

/* Nobody changes a tree, so its top, in the caller's frame or a root, keeps all of it. */
static u64 tree_count(struct gcbench_thread *t, const struct tree *tree)
{
	gcbench_safepoint(t);
	if (!tree)
		return 0;
	if (!tree->left)
		return 1;
	return 1 + tree_count(t, tree->left) + tree_count(t, tree->right);
}

static void tree_make_and_count(struct gcbench_thread *t, unsigned int depth)
{
	struct tree *tree = NULL;

	GOALLOC_FRAME(frame, &tree);

	goalloc_push(&t->m, &frame);
	tree = tree_make(t, depth);
	t->nodes += tree_count(t, tree);
	goalloc_pop(&t->m, &frame);
}

static void trees_begin(struct gcbench_thread *t)
{
	tree_make_and_count(t, gcbench_depth + 1);
	goalloc_store(&t->m, &gcbench_kept[0], tree_make(t, gcbench_depth));
}

static u64 trees_of(unsigned int depth)
{
	return 1ULL << (gcbench_depth - depth + GCBENCH_MIN_DEPTH);
}

static void trees_run(struct gcbench_thread *t)
{
	unsigned int depth;
	u64 i;

	for (depth = GCBENCH_MIN_DEPTH; depth <= gcbench_depth; depth += 2)
		for (i = t->nr; i < trees_of(depth) && !t->failed; i += gcbench_threads)
			tree_make_and_count(t, depth);
}

static void trees_end(struct gcbench_thread *t)
{
	t->nodes += tree_count(t, gcbench_kept[0]);
}

static u64 trees_nodes(void)
{
	u64 nodes = gcbench_tree_nodes(gcbench_depth + 1) + gcbench_tree_nodes(gcbench_depth);
	unsigned int depth;

	for (depth = GCBENCH_MIN_DEPTH; depth <= gcbench_depth; depth += 2)
		nodes += trees_of(depth) * gcbench_tree_nodes(depth);
	return nodes;
}

static u64 trees_kept(void)
{
	return gcbench_tree_nodes(gcbench_depth);
}

const struct gcbench_work gcbench_trees = {
	.name = "trees",
	.begin = trees_begin,
	.run = trees_run,
	.end = trees_end,
	.nodes = trees_nodes,
	.kept = trees_kept,
};
