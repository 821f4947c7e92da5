/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which node is near which.
 */
#ifndef GOALLOC_NODE_ORDER_H
#define GOALLOC_NODE_ORDER_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "meta.h"
#include "page_source.h"

/**
 * struct node_order - the nodes of an address space by distance
 * @nr: nodes are numbered below this
 * @near: a row of @nr for each of them, itself first, then the nearest first:
 *        distance in the upper half of a word, number in the lower
 *
 * Nodes without memory are in it, too: it is theirs that decides where their
 * CPUs' memory comes from. Sorted anew when a node is added; read without a
 * lock, and whoever reads a row just then may miss a node or see one twice.
 */
struct node_order {
	int nr;
	u32 *near;
};

int node_order_init(struct node_order *order, const struct page_source *source,
		    struct goalloc_meta *meta);
void node_order_destroy(struct node_order *order, struct goalloc_meta *meta);
void node_order_sort(struct node_order *order, const struct page_source *source);

static inline u32 node_order_entry(const struct node_order *order, int nid, int i)
{
	return READ_ONCE(order->near[nid * order->nr + i]);
}

/* The @i-th nearest node to @nid, itself for 0. */
static inline int node_order_nid(const struct node_order *order, int nid, int i)
{
	return node_order_entry(order, nid, i) & 0xffff;
}

/* How far away that is, in the kernel's measure: 10 for itself. */
static inline unsigned int node_order_distance(const struct node_order *order,
					       int nid, int i)
{
	return node_order_entry(order, nid, i) >> 16;
}

#endif /* GOALLOC_NODE_ORDER_H */
