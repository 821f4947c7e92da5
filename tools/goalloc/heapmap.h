/* SPDX-License-Identifier: GPL-2.0-only */
/* heapmap: what every page of a heap is. */
#ifndef GOALLOC_HEAPMAP_H
#define GOALLOC_HEAPMAP_H

#include "parse.h"

#define CHUNK_PAGES 512

/* The letters of the file; others may be added. */
#define PAGE_USED	'u'	/* in a span, or in a page cache */
#define PAGE_FREE	'f'
#define PAGE_ZERO	'z'	/* free, and known to be zero */
#define PAGE_FOREIGN	'n'	/* not goalloc's */

/*
 * Undo the run-length code of a chunk, "u40f3z57n412". -1 if it is not one of
 * exactly 512 pages.
 */
int heapmap_decode(const char *code, char pages[CHUNK_PAGES]);

#endif /* GOALLOC_HEAPMAP_H */
