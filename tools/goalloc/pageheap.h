/* SPDX-License-Identifier: GPL-2.0-only */
/* pageheap: the page tree of each node. */
#ifndef GOALLOC_PAGEHEAP_H
#define GOALLOC_PAGEHEAP_H

#include "parse.h"

struct pageheap_value {
	int64_t node;
	const char *name;
	struct cell value;
};

struct pageheap_root {
	int64_t node, entry;
	int64_t first_page, start, max, end;	/* pages */
};

/* Free runs of @min to @max pages. */
struct pageheap_runs {
	int64_t node;
	int64_t min, max;
	int64_t runs, pages;
};

struct pageheap {
	char *text;
	size_t nr_values, nr_roots, nr_runs;
	struct pageheap_value *values;
	struct pageheap_root *roots;
	struct pageheap_runs *runs;
};

int parse_pageheap(struct pageheap *ph, char *text, struct fault *fault);
void pageheap_free(struct pageheap *ph);

/* A value of a node, or of all of them added up (@node -1); 0 without one. */
int64_t pageheap_num(const struct pageheap *ph, int64_t node, const char *name);

#endif /* GOALLOC_PAGEHEAP_H */
