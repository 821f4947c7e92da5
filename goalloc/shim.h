/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <goalloc_kmalloc.h> sends here: inside the module.
 */
#ifndef GOALLOC_SHIM_H
#define GOALLOC_SHIM_H

#include <linux/atomic.h>
#include <linux/types.h>

struct seq_file;

/**
 * struct shim_counts - what went by, of all modules; no lock
 * @foreign: pieces of memory that were not goalloc's and went to the kernel
 * @fallback: requests that the kernel's kmalloc() served
 * @stray: objects of goalloc's that the kernel was about to free, see shim_stray.c
 * @caches: object caches that there are
 * @gone_allocs: objects ever handed out by caches that are no more
 * @gone_frees: those taken back
 */
struct shim_counts {
	atomic64_t foreign;
	atomic64_t fallback;
	atomic64_t stray;
	atomic64_t caches;
	atomic64_t gone_allocs;
	atomic64_t gone_frees;
};

extern struct shim_counts shim_counts;

void shim_free(const void *p, unsigned long caller);
bool shim_foreign(const void *p);
void shim_stray_init(void);
void shim_stray_exit(void);

#endif /* GOALLOC_SHIM_H */
