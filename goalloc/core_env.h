/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core_env.h - everything the pure core takes from its surroundings.
 *
 * The core (size classes, summaries, chunks, page allocator, page cache,
 * scavenge index and pacing, span bitmaps) is compiled twice from the same
 * files: into the module, and into user space by tools/sim, where the headers
 * below are small stand-ins.  A core file includes this header and other core
 * headers, nothing else, so that the list here is the whole contract.
 *
 * The angle brackets around compat.h are deliberate: quotes would always find
 * the kernel's one next to this file, and tools/sim has its own.
 */
#ifndef GOALLOC_CORE_ENV_H
#define GOALLOC_CORE_ENV_H

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <compat.h>

/*
 * GOALLOC_DEBUG turns on the checks that cost more than a compare.  A constant
 * rather than #ifdef at each check, so that the checks always compile.
 */
#ifdef GOALLOC_DEBUG
#define GOALLOC_CORE_DEBUG	1
#else
#define GOALLOC_CORE_DEBUG	0
#endif

#endif /* GOALLOC_CORE_ENV_H */
