// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc.ko: what is set up in which order, and taken down in reverse.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/module.h>

#include "compat.h"
#include "debugfs.h"
#include "fault.h"
#include "heap.h"
#include "hotplug.h"

static int __init goalloc_init(void)
{
	int err;

	pagemap_setup();
	page_source_init_buddy(&goalloc_space.source);
	err = heap_space_init(&goalloc_space);
	if (err)
		return err;
	goalloc_default = heap_create("default", NULL, &goalloc_space);
	if (IS_ERR(goalloc_default)) {
		err = PTR_ERR(goalloc_default);
		goto fail_heap;
	}
	err = hotplug_init();
	if (err)
		goto fail_hotplug;
	debugfs_init(goalloc_default);
	fault_init();
	pr_info("%d size classes, %lu KiB pages\n", GOALLOC_NR_CLASSES - 1,
		GOALLOC_PAGE_SIZE >> 10);
	return 0;

fail_hotplug:
	heap_destroy(goalloc_default, true);
fail_heap:
	heap_space_destroy(&goalloc_space);
	return err;
}

static void __exit goalloc_exit(void)
{
	fault_exit();
	debugfs_exit();
	hotplug_exit();
	if (!heap_destroy(goalloc_default, false))
		pr_info("unloaded, every page given back\n");
	heap_space_destroy(&goalloc_space);
}

module_init(goalloc_init);
module_exit(goalloc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The Go runtime's memory allocator for kernel code");
