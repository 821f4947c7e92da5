// SPDX-License-Identifier: GPL-2.0-only

package main

import "math"

// gcbench.c in Go.

const arrayLen = 500000

type bnode struct {
	left, right *bnode
	i, j        int32
}

var (
	keptNode  *bnode
	keptArray []uint64
)

// From the top.
func populate(n *bnode, depth uint, nodes *uint64) {
	if depth == 0 {
		return
	}
	n.left = new(bnode)
	n.right = new(bnode)
	*nodes += 2
	populate(n.left, depth-1, nodes)
	populate(n.right, depth-1, nodes)
}

// From the bottom.
func makeNode(depth uint, nodes *uint64) *bnode {
	*nodes++
	if depth == 0 {
		return new(bnode)
	}
	left := makeNode(depth-1, nodes)
	right := makeNode(depth-1, nodes)
	return &bnode{left: left, right: right}
}

func (n *bnode) count() uint64 {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func fromTop(depth uint, nodes *uint64) *bnode {
	n := new(bnode)
	*nodes++
	populate(n, depth, nodes)
	return n
}

func boehmBegin() (nodes uint64) {
	makeNode(maxDepth+2, &nodes)
	keptNode = fromTop(maxDepth, &nodes)
	keptArray = make([]uint64, arrayLen)
	for i := 0; i < arrayLen/2; i++ {
		keptArray[i] = math.MaxUint64 / uint64(i+1)
	}
	return
}

// As many as make twice the nodes of the first one.
func boehmTreesOf(depth uint) uint64 {
	return 2 * treeNodes(maxDepth+2) / treeNodes(depth)
}

func boehmRun(nr uint) (nodes uint64) {
	for depth := uint(minDepth); depth <= maxDepth; depth += 2 {
		for i := uint64(nr); i < boehmTreesOf(depth); i += uint64(threads) {
			fromTop(depth, &nodes)
		}
		for i := uint64(nr); i < boehmTreesOf(depth); i += uint64(threads) {
			makeNode(depth, &nodes)
		}
	}
	return
}

func boehmEnd() (uint64, bool) {
	for i, v := range keptArray {
		want := uint64(0)
		if i < arrayLen/2 {
			want = math.MaxUint64 / uint64(i+1)
		}
		if v != want {
			return 0, false
		}
	}
	return keptNode.count(), true
}

func boehmNodes() uint64 {
	nodes := treeNodes(maxDepth+2) + 2*treeNodes(maxDepth)
	for depth := uint(minDepth); depth <= maxDepth; depth += 2 {
		nodes += 2 * boehmTreesOf(depth) * treeNodes(depth)
	}
	return nodes
}
