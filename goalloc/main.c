// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc.ko: what is set up in which order, and taken down in reverse.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/module.h>

#include "cache.h"
#include "compat.h"
#include "debugfs.h"
#include "drain.h"
#include "ended.h"
#include "fault.h"
#include "guard.h"
#include "harden.h"
#include "heap.h"
#include "hotplug.h"
#include "limit.h"
#include "pressure.h"
#include "profile.h"
#include "rcu_free.h"
#include "sanitize.h"
#include "scavenger.h"
#include "shim.h"
#include "spare.h"

/* The limits of all heaps together, bytes as given; kernel_param_lock(). */
static unsigned long memory_limit, memory_max;

/* A size in bytes, with K, M or G if that is shorter. */
static int main_set_bytes(const char *val, const struct kernel_param *kp)
{
	unsigned long *bytes = kp->arg;
	unsigned long old = *bytes;
	unsigned long long size;
	char *end;

	size = memparse(val, &end);
	if (end == val || (*end && !(*end == '\n' && !end[1])) ||
	    (size && size < GOALLOC_PAGE_SIZE)) {
		pr_err("%s: not a number of bytes (0 for no limit, else at least %lu; K, M and G may follow)\n",
		       kp->name, GOALLOC_PAGE_SIZE);
		return -EINVAL;
	}
	*bytes = size;
	if (memory_limit && memory_max && memory_limit > memory_max) {
		*bytes = old;
		pr_err("%s: memory_limit (soft) must not be above memory_max (hard)\n",
		       kp->name);
		return -EINVAL;
	}
	limit_set_all(memory_limit >> GOALLOC_PAGE_SHIFT,
		      memory_max >> GOALLOC_PAGE_SHIFT);
	return 0;
}

static const struct kernel_param_ops main_bytes_ops = {
	.set = main_set_bytes,
	.get = param_get_ulong,
};

module_param_cb(memory_limit, &main_bytes_ops, &memory_limit, 0644);
MODULE_PARM_DESC(memory_limit, "soft limit in bytes for all heaps together: free pages go back before it is passed (0 = none)");
module_param_cb(memory_max, &main_bytes_ops, &memory_max, 0644);
MODULE_PARM_DESC(memory_max, "hard limit in bytes for all heaps together: allocations that would pass it fail (0 = none)");

static int __init goalloc_init(void)
{
	struct goalloc_heap_attr attr = {};
	struct goalloc_heap *heap;
	int err;

	err = harden_params(&attr);
	if (err)
		return err;
	pagemap_setup();
	ended_init();
	page_source_init_buddy(&goalloc_space.source);
	err = heap_space_init(&goalloc_space);
	if (err)
		return err;
	err = drain_init();
	if (err)
		goto fail_drain;
	err = rcu_free_init();
	if (err)
		goto fail_rcu;
	heap = heap_create("default", &attr, &goalloc_space);
	if (IS_ERR(heap)) {
		err = PTR_ERR(heap);
		goto fail_heap;
	}
	cache_make_default(heap);
	err = hotplug_init();
	if (err)
		goto fail_hotplug;
	err = scavenger_init();
	if (err)
		goto fail_scavenger;
	err = pressure_init();
	if (err)
		goto fail_pressure;
	debugfs_init(goalloc_default);
	fault_init();
	guard_init();
	profile_init();
	shim_stray_init();
	if (GOALLOC_SANITIZE)
		sanitize_init();
	pr_info("%d size classes, %lu KiB pages\n", GOALLOC_NR_CLASSES - 1,
		GOALLOC_PAGE_SIZE >> 10);
	return 0;

fail_pressure:
	scavenger_exit();
fail_scavenger:
	hotplug_exit();
fail_hotplug:
	heap_destroy(goalloc_default, true);
	heap_exit();
	spare_exit();
fail_heap:
	rcu_free_exit();
fail_rcu:
	drain_exit();
fail_drain:
	heap_space_destroy(&goalloc_space);
	return err;
}

static void __exit goalloc_exit(void)
{
	if (GOALLOC_SANITIZE)
		sanitize_exit();
	shim_stray_exit();
	fault_exit();
	debugfs_exit();
	pressure_exit();
	scavenger_exit();
	hotplug_exit();
	goalloc_rcu_barrier();
	if (!heap_exit())
		pr_info("unloaded, every page given back\n");
	rcu_free_exit();
	spare_exit();
	drain_exit();
	guard_exit();
	profile_exit();
	heap_space_destroy(&goalloc_space);
}

module_init(goalloc_init);
module_exit(goalloc_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
MODULE_DESCRIPTION("The Go runtime's memory allocator for kernel code");
