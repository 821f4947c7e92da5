// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failing on purpose: /sys/kernel/debug/fail_goalloc, with the attributes that
 * the kernel's own fault injection has (Documentation/fault-injection in the
 * kernel's tree). What fails is what can: taking pages from the kernel, and
 * memory for goalloc's own structures. Compiled to nothing where the kernel has
 * no fault injection.
 */
#include <linux/debugfs.h>
#include <linux/err.h>

#include "compat.h"
#include "fault.h"

#ifdef CONFIG_FAULT_INJECTION

DECLARE_FAULT_ATTR(fault_attr_goalloc);
GOALLOC_EXPORT_KUNIT(fault_attr_goalloc);

static struct dentry *fault_dir;

/**
 * fault_init - make the attributes
 *
 * Context: Process context.
 */
void fault_init(void)
{
	struct dentry *dir;

	dir = fault_create_debugfs_attr("fail_goalloc", NULL, &fault_attr_goalloc);
	fault_dir = IS_ERR(dir) ? NULL : dir;
}

/**
 * fault_exit - remove the attributes
 *
 * Context: Process context, may sleep.
 */
void fault_exit(void)
{
	debugfs_remove_recursive(fault_dir);
}

/**
 * fault_fails - is this allocation to fail?
 * @gfp: its flags; what must not fail does not
 * @size: its bytes
 *
 * Context: Any context.
 * Return: true if it is to fail.
 */
bool fault_fails(gfp_t gfp, size_t size)
{
	return !(gfp & __GFP_NOFAIL) && should_fail(&fault_attr_goalloc, size);
}

#endif
