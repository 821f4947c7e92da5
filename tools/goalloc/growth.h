/* SPDX-License-Identifier: GPL-2.0-only */
/* What became more, and what less, between two snapshots of a heap. */
#ifndef GOALLOC_GROWTH_H
#define GOALLOC_GROWTH_H

#include "snapshot.h"

struct growth {
	const char *name;	/* a class, a call site, a name of vmstat */
	int64_t size;		/* bytes per object of a class, else 0 */
	int64_t bytes, objects;	/* what was added; negative: what went */
	int64_t before, now;	/* bytes; or the values of vmstat */
};

/* Largest change first; *@nr entries without those that are the same. */
struct growth *growth_classes(const struct heap *before, const struct heap *now, size_t *nr);
struct growth *growth_sites(const struct heap *before, const struct heap *now, size_t *nr);

/* In the order of the file. */
struct growth *growth_vmstat(const struct heap *before, const struct heap *now, size_t *nr);

#endif /* GOALLOC_GROWTH_H */
