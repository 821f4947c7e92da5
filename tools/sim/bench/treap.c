// SPDX-License-Identifier: GPL-2.0-only
/*
 * treap.c - baseline: best fit in a treap of free runs, as Go did until 1.12.
 *
 * A node per free run, ordered by length and then by address, with random
 * priorities.  A map from page to run, at both ends of each run, finds the
 * neighbours that a freed run merges with.
 */
#include <stdlib.h>
#include "heaps.h"

struct node {
	u32 base, n;		/* pages */
	u32 left, right;	/* indices of nodes, 0 = none */
	u32 prio;
};

struct treap {
	struct heap heap;
	struct node *node;
	u32 *at;		/* by page: the free run that begins or ends */
	u32 nr_nodes, max_nodes;
	u32 spare;		/* nodes to use again, linked by left */
	u32 root;
	u64 nr_pages;
	u64 rng;
};

static bool less(const struct node *a, const struct node *b)
{
	return a->n != b->n ? a->n < b->n : a->base < b->base;
}

/* Split @t into what is less than @key and the rest. */
static void split(struct treap *h, u32 t, const struct node *key, u32 *lo,
		  u32 *hi)
{
	while (t) {
		struct node *node = &h->node[t];

		if (less(node, key)) {
			*lo = t;
			lo = &node->right;
			t = node->right;
		} else {
			*hi = t;
			hi = &node->left;
			t = node->left;
		}
	}
	*lo = 0;
	*hi = 0;
}

static u32 merge(struct treap *h, u32 a, u32 b)
{
	u32 root = 0, *link = &root;

	while (a && b) {
		if (h->node[a].prio > h->node[b].prio) {
			*link = a;
			link = &h->node[a].right;
			a = *link;
		} else {
			*link = b;
			link = &h->node[b].left;
			b = *link;
		}
	}
	*link = a ? a : b;
	return root;
}

static void insert(struct treap *h, u32 base, u32 n)
{
	u32 i = h->spare, *link = &h->root;
	struct node *node;

	if (i) {
		h->spare = h->node[i].left;
	} else {
		if (h->nr_nodes == h->max_nodes) {
			h->max_nodes *= 2;
			h->node = realloc(h->node,
					  h->max_nodes * sizeof(*h->node));
		}
		i = h->nr_nodes++;
	}
	node = &h->node[i];
	*node = (struct node){ base, n, 0, 0, sim_random(&h->rng) >> 32 };
	while (*link && h->node[*link].prio >= node->prio)
		link = less(&h->node[*link], node) ? &h->node[*link].right :
						     &h->node[*link].left;
	split(h, *link, node, &node->left, &node->right);
	*link = i;
	h->at[base] = i;
	h->at[base + n - 1] = i;
}

static void take_out(struct treap *h, u32 i)
{
	struct node *node = &h->node[i];
	u32 *link = &h->root;

	while (*link != i)
		link = less(&h->node[*link], node) ? &h->node[*link].right :
						     &h->node[*link].left;
	*link = merge(h, node->left, node->right);
	h->at[node->base] = 0;
	h->at[node->base + node->n - 1] = 0;
	node->left = h->spare;
	h->spare = i;
}

static u64 treap_alloc(struct heap *heap, u64 n)
{
	struct treap *h = container_of(heap, struct treap, heap);
	struct node key = { .base = 0, .n = n };
	u32 best = 0, t = h->root;
	u32 base, left;

	while (t) {
		if (less(&h->node[t], &key)) {
			t = h->node[t].right;
		} else {
			best = t;
			t = h->node[t].left;
		}
	}
	if (!best)
		return PALLOC_NONE;
	base = h->node[best].base;
	left = h->node[best].n - n;
	take_out(h, best);
	if (left)
		insert(h, base + n, left);
	return base;
}

static void treap_free(struct heap *heap, u64 base, u64 n)
{
	struct treap *h = container_of(heap, struct treap, heap);
	u32 before = base ? h->at[base - 1] : 0;
	u32 after = base + n < h->nr_pages ? h->at[base + n] : 0;

	if (before) {
		base = h->node[before].base;
		n += h->node[before].n;
		take_out(h, before);
	}
	if (after) {
		n += h->node[after].n;
		take_out(h, after);
	}
	insert(h, base, n);
}

/* A free run inside would have to begin or end there, or cover it all. */
static bool treap_used(struct heap *heap, u64 base, u64 n)
{
	struct treap *h = container_of(heap, struct treap, heap);
	u64 i;

	for (i = base; i < base + n; i++)
		if (h->at[i])
			return false;
	/* Covered by one run: look for its end. */
	for (i = base + n; i < h->nr_pages && i < base + n + 8 * GROUP_PAGES;
	     i++)
		if (h->at[i])
			return h->node[h->at[i]].base == i;
	return true;
}

static void treap_destroy(struct heap *heap)
{
	struct treap *h = container_of(heap, struct treap, heap);

	free(h->node);
	free(h->at);
	free(h);
}

static void treap_run(void *ctx, u64 base, u64 n)
{
	insert(ctx, base, n);
}

struct heap *treap_new(u64 nr_pages, unsigned int percent)
{
	struct treap *h = calloc(1, sizeof(*h));

	h->nr_pages = nr_pages;
	h->rng = 77;
	h->nr_nodes = 1;
	h->max_nodes = 1024;
	h->node = malloc(h->max_nodes * sizeof(*h->node));
	h->at = calloc(nr_pages, sizeof(*h->at));
	if (!h->at) {
		free(h->node);
		free(h);
		return NULL;
	}
	heap_runs(nr_pages, percent, treap_run, h);
	h->heap = (struct heap){
		"treap", treap_alloc, treap_free, treap_used, treap_destroy,
	};
	return &h->heap;
}
