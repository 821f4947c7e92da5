/* SPDX-License-Identifier: GPL-2.0-only */
/* Call stacks as a tree, outermost function first, and its picture. */
#ifndef GOALLOC_FLAME_H
#define GOALLOC_FLAME_H

#include <stddef.h>
#include <stdint.h>

struct flame {
	char *name;		/* symbol, with its module if it has one */
	int64_t value;		/* of this and all below */
	size_t nr;
	struct flame *child;	/* by name */
};

/* Width in pixels, or 0 for the usual one. */
void flame_draw(const struct flame *root, const char *title, const char *unit, double width,
		const char *path);

unsigned int flame_depth(const struct flame *node);

#endif /* GOALLOC_FLAME_H */
