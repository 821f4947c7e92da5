/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects in /proc/allocinfo: each on the line of code that asked for it.
 */
#ifndef GOALLOC_ALLOCINFO_H
#define GOALLOC_ALLOCINFO_H

#include <linux/types.h>

#include "span.h"

#ifdef CONFIG_MEM_ALLOC_PROFILING
#include <linux/alloc_tag.h>
#include <linux/jump_label.h>

#define GOALLOC_ALLOCINFO 1

/* Of a slot: the line that its object is on, first in the slot's record. */
#define ALLOCINFO_BYTES sizeof(union codetag_ref)

DECLARE_STATIC_KEY_MAYBE(CONFIG_MEM_ALLOC_PROFILING_ENABLED_BY_DEFAULT, allocinfo_key);

/* Are objects put on lines? */
static __always_inline bool allocinfo_enabled(void)
{
	return static_branch_maybe(CONFIG_MEM_ALLOC_PROFILING_ENABLED_BY_DEFAULT,
				   &allocinfo_key);
}

void allocinfo_add(const void *obj);
void allocinfo_freed(struct goalloc_span *span, unsigned int slot);
void allocinfo_end_span(struct goalloc_span *span);

#else /* The kernel knows no such lines. */
#define GOALLOC_ALLOCINFO 0
#define ALLOCINFO_BYTES 0U

static inline bool allocinfo_enabled(void) { return false; }
static inline void allocinfo_add(const void *obj) { }
static inline void allocinfo_freed(struct goalloc_span *span, unsigned int slot) { }
static inline void allocinfo_end_span(struct goalloc_span *span) { }

#endif

#endif /* GOALLOC_ALLOCINFO_H */
