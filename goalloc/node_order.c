// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which node is near which.
 *
 * Distances are asked for once and kept as sorted rows, so that whoever falls
 * back to another node just walks a row. Of nodes that are equally far away the
 * ones with the next higher numbers come first, round to the lower ones: then
 * the nodes of a machine do not all fall back to the same one.
 *
 * Locks: none; sorting is done under heaps_lock.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/numa.h>

#include "compat.h"
#include "node_order.h"

/* What the firmware says of a node itself and of others, if it says nothing. */
#define NODE_LOCAL 10
#define NODE_REMOTE 20

static size_t node_order_bytes(const struct node_order *order)
{
	return (size_t)order->nr * order->nr * sizeof(*order->near);
}

static u32 node_order_ask(const struct page_source *source, int from, int to)
{
	if (from == to)
		return NODE_LOCAL;
	if (!source->distance)
		return NODE_REMOTE;
	/* Nothing is as near as the node itself, whatever the firmware says. */
	return clamp_t(u32, source->distance(source, from, to), NODE_LOCAL + 1, U16_MAX);
}

/**
 * node_order_sort - ask for all distances again
 * @order: the order
 * @source: pages of the same nodes
 *
 * Context: Process context; the caller keeps others from sorting.
 */
void node_order_sort(struct node_order *order, const struct page_source *source)
{
	int nid, step, i;

	for (nid = 0; nid < order->nr; nid++) {
		u32 *row = order->near + nid * order->nr;

		/* By insertion: equal ones stay in the order of the steps. */
		for (step = 0; step < order->nr; step++) {
			int other = (nid + step) % order->nr;
			u32 distance = node_order_ask(source, nid, other);

			for (i = step; i > 0 && row[i - 1] >> 16 > distance; i--)
				WRITE_ONCE(row[i], row[i - 1]);
			WRITE_ONCE(row[i], distance << 16 | other);
		}
	}
}

/**
 * node_order_init - sort the nodes of a source by distance
 * @order: what to fill in
 * @source: the source
 * @meta: where the memory is counted
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int node_order_init(struct node_order *order, const struct page_source *source,
		    struct goalloc_meta *meta)
{
	order->nr = source->nr_nodes;
	order->near = meta_zalloc(meta, node_order_bytes(order), GFP_KERNEL,
				  NUMA_NO_NODE);
	if (!order->near)
		return -ENOMEM;
	node_order_sort(order, source);
	return 0;
}
GOALLOC_EXPORT_KUNIT(node_order_init);

/**
 * node_order_destroy - free an order
 * @order: the order; nobody may be looking at it any more
 * @meta: where the memory is counted
 *
 * Context: Process context.
 */
void node_order_destroy(struct node_order *order, struct goalloc_meta *meta)
{
	meta_free(meta, order->near, node_order_bytes(order));
	order->near = NULL;
}
GOALLOC_EXPORT_KUNIT(node_order_destroy);
