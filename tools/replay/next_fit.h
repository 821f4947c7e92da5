/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A circular free list with next fit: see next_fit.c. In the benchmark only.
 *
 * next_fit.c and this file are compiled into goalloc_replay.ko and, over the
 * shim headers in user/, into the host program classic-test.
 */
#ifndef NEXT_FIT_H
#define NEXT_FIT_H

#include <linux/types.h>

/*
 * In front of each block, free or not. Its size is the unit that everything is
 * a multiple of, and so the least alignment.
 */
struct next_fit_block {
	struct next_fit_block *next;	/* by address; free blocks only */
	size_t units;			/* with this header; 0 in @next_fit.base */
};

#define NEXT_FIT_UNIT sizeof(struct next_fit_block)

/* No locks here: all is the caller's who has it. */
struct next_fit {
	struct next_fit_block base;	/* in the list, so that it is never empty */
	struct next_fit_block *rover;	/* the search begins behind it */
};

void next_fit_init(struct next_fit *nf);
void next_fit_add(struct next_fit *nf, void *mem, size_t bytes);
void *next_fit_alloc(struct next_fit *nf, size_t size, size_t align);
void next_fit_free(struct next_fit *nf, void *p);
size_t next_fit_usable(const void *p);

#endif /* NEXT_FIT_H */
