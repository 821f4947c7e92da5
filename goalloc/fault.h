/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failing on purpose, where the kernel has fault injection.
 */
#ifndef GOALLOC_FAULT_H
#define GOALLOC_FAULT_H

#include <linux/gfp.h>
#include <linux/types.h>

#ifdef CONFIG_FAULT_INJECTION
#include <linux/fault-inject.h>

extern struct fault_attr fault_attr_goalloc;

void fault_init(void);
void fault_exit(void);
bool fault_fails(gfp_t gfp, size_t size);
#else
static inline void fault_init(void) { }
static inline void fault_exit(void) { }
static inline bool fault_fails(gfp_t gfp, size_t size)
{
	return false;
}
#endif

#endif /* GOALLOC_FAULT_H */
