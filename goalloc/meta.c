// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for goalloc's own structures, counted as the ledger wants it: with
 * what the underlying allocator rounds up to.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "compat.h"
#include "fault.h"
#include "meta.h"

/* Bytes that a piece of @size bytes at @p really occupies. */
static size_t meta_footprint(const void *p, size_t size)
{
	return is_vmalloc_addr(p) ? PAGE_ALIGN(size) : ksize(p);
}

/**
 * meta_zalloc - zeroed memory for a structure
 * @meta: where it is counted
 * @size: bytes
 * @gfp: the caller's flags; only what says how hard to try is used
 * @nid: preferred node or NUMA_NO_NODE
 *
 * Context: Any that @gfp allows but NMI. On PREEMPT_RT, where the kernel's
 *          allocators take sleeping locks, nothing is tried unless the caller
 *          is preemptible.
 * Return: the memory, or NULL.
 */
void *meta_zalloc(struct goalloc_meta *meta, size_t size, gfp_t gfp, int nid)
{
	void *p;

	if (in_nmi() || (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible()))
		return NULL;
	if (fault_fails(gfp, size))
		return NULL;

	gfp = (gfp & META_GFP_MASK) | __GFP_ZERO;
	/*
	 * The nodes of an invented address space need not be the machine's. And a
	 * node that is only memory may be about to go: what stays as long as the
	 * heap must not keep it.
	 */
	if (nid < 0 || nid >= nr_node_ids || !node_state(nid, N_CPU))
		nid = NUMA_NO_NODE;
	if (size > PAGE_SIZE && gfpflags_allow_blocking(gfp))
		p = kvmalloc_node(size, gfp, nid);
	else
		p = kmalloc_node(size, gfp, nid);
	if (p) {
		atomic_long_add(meta_footprint(p, size), &meta->bytes);
		atomic_long_inc(&meta->objects);
	}
	return p;
}

/**
 * meta_forget - count a piece out whose memory is freed elsewhere
 * @meta: where it was counted
 * @p: the piece, still allocated
 * @size: bytes it was asked for with
 */
void meta_forget(struct goalloc_meta *meta, const void *p, size_t size)
{
	atomic_long_sub(meta_footprint(p, size), &meta->bytes);
	atomic_long_dec(&meta->objects);
}

/**
 * meta_free - free a piece
 * @meta: where it was counted
 * @p: the piece, or NULL
 * @size: bytes it was asked for with
 *
 * Context: Any context but NMI for pieces up to a page, process context beyond.
 */
void meta_free(struct goalloc_meta *meta, void *p, size_t size)
{
	if (!p)
		return;
	meta_forget(meta, p, size);
	kvfree(p);
}
