// SPDX-License-Identifier: GPL-2.0-only

package main

// binary_trees.c in Go.

type tree struct {
	left, right *tree
}

var keptTree *tree

func makeTree(depth uint) *tree {
	if depth == 0 {
		return new(tree)
	}
	return &tree{makeTree(depth - 1), makeTree(depth - 1)}
}

func (t *tree) count() uint64 {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.count() + t.right.count()
}

func treesOf(depth uint) uint64 {
	return 1 << (maxDepth - depth + minDepth)
}

func treesBegin() uint64 {
	nodes := makeTree(maxDepth + 1).count()
	keptTree = makeTree(maxDepth)
	return nodes
}

func treesRun(nr uint) (nodes uint64) {
	for depth := uint(minDepth); depth <= maxDepth; depth += 2 {
		for i := uint64(nr); i < treesOf(depth); i += uint64(threads) {
			nodes += makeTree(depth).count()
		}
	}
	return
}

func treesEnd() (uint64, bool) {
	return keptTree.count(), true
}

func treesNodes() uint64 {
	nodes := treeNodes(maxDepth+1) + treeNodes(maxDepth)
	for depth := uint(minDepth); depth <= maxDepth; depth += 2 {
		nodes += treesOf(depth) * treeNodes(depth)
	}
	return nodes
}
