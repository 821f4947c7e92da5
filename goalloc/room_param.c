// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parameters that bound what caches keep.
 *
 * Both are of each heap. When one is lowered, the caches of CPUs that keep more
 * than they may from now on are emptied before the write returns.
 *
 * Locks: heaps_lock, through heap_for_each().
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "cache.h"
#include "drain.h"

static void room_apply(struct goalloc_heap *heap, void *arg)
{
	u64 old = heap->cache_share;
	u64 share = room_share(heap);

	WRITE_ONCE(heap->cache_share, share);
	if (share < old)
		drain_over(heap);
}

/* A size in bytes, with K, M or G if that is shorter. */
static int room_set_bytes(const char *val, const struct kernel_param *kp)
{
	unsigned long long size;
	char *end;

	size = memparse(val, &end);
	if (end == val || (*end && !(*end == '\n' && !end[1])) || size > SZ_1T) {
		pr_err("%s: not a number of bytes (K, M and G may follow)\n", kp->name);
		return -EINVAL;
	}
	WRITE_ONCE(*(unsigned long *)kp->arg, size);
	heap_for_each(room_apply, NULL);
	return 0;
}

static const struct kernel_param_ops room_bytes_ops = {
	.set = room_set_bytes,
	.get = param_get_ulong,
};

module_param_cb(cache_cpu_max, &room_bytes_ops, &room_cpu_max, 0644);
MODULE_PARM_DESC(cache_cpu_max, "bytes of free objects that the caches of one CPU may keep of a heap (0: none)");
module_param_cb(cache_total_max, &room_bytes_ops, &room_total_max, 0644);
MODULE_PARM_DESC(cache_total_max, "bytes of free objects that the caches of all CPUs may keep of a heap (0: none)");
