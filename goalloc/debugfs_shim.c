// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/goalloc/kmalloc: what modules compiled with <goalloc_kmalloc.h>
 * do, and what all heaps together hold.
 *
 * A name and a number per line, bytes and counts, names only ever added.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

#include <goalloc_stats.h>

#include "compat.h"
#include "debugfs.h"
#include "debugfs_show.h"
#include "heap.h"
#include "limit.h"
#include "rcu_free.h"
#include "shim.h"

/**
 * struct debugfs_sum - what heaps add up to; of whoever reads, no lock
 * @allocs: objects ever handed out
 * @frees: objects ever taken back
 * @live_bytes: bytes of objects in use
 * @held: bytes of pages
 * @metadata: bytes of structures
 * @bad_frees: frees that were refused
 */
struct debugfs_sum {
	u64 allocs;
	u64 frees;
	u64 live_bytes;
	u64 held;
	u64 metadata;
	u64 bad_frees;
};

static void debugfs_add_up(struct goalloc_heap *heap, void *arg)
{
	struct debugfs_sum *sum = arg;
	struct goalloc_stats st;

	if (heap->space != &goalloc_space)
		return;
	goalloc_heap_stats(heap, &st);
	sum->allocs += st.allocs;
	sum->frees += st.frees;
	sum->live_bytes += st.live_bytes;
	sum->held += st.sys_bytes;
	sum->metadata += st.metadata_bytes;
	sum->bad_frees += st.bad_frees;
}

static void debugfs_show_kmalloc(struct seq_file *m, void *unused)
{
	struct debugfs_sum sum = {
		.allocs = atomic64_read(&shim_counts.gone_allocs),
		.frees = atomic64_read(&shim_counts.gone_frees),
	};

	heap_for_each(debugfs_add_up, &sum);
	seq_printf(m, "allocs %llu\n", sum.allocs);
	seq_printf(m, "frees %llu\n", sum.frees);
	seq_printf(m, "live_objects %llu\n", sum.allocs - sum.frees);
	seq_printf(m, "live_bytes %llu\n", sum.live_bytes);
	seq_printf(m, "foreign_frees %lld\n", (s64)atomic64_read(&shim_counts.foreign));
	seq_printf(m, "fallback_allocs %lld\n", (s64)atomic64_read(&shim_counts.fallback));
	seq_printf(m, "stray_frees %lld\n", (s64)atomic64_read(&shim_counts.stray));
	seq_printf(m, "bad_frees %llu\n", sum.bad_frees);
	seq_printf(m, "rcu_waiting %llu\n", rcu_free_waiting());
	seq_printf(m, "caches %lld\n", (s64)atomic64_read(&shim_counts.caches));
	seq_printf(m, "held_bytes %llu\n", sum.held);
	seq_printf(m, "peak_bytes %llu\n", limit_peak(&goalloc_space) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "metadata_bytes %llu\n", sum.metadata);
}

DEBUGFS_SHOW(kmalloc);

/**
 * debugfs_add_shim - make the file
 * @dir: the module's directory
 *
 * Context: Process context.
 */
void debugfs_add_shim(struct dentry *dir)
{
	debugfs_create_file("kmalloc", 0444, dir, NULL, &kmalloc_fops);
}
