// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that uses goalloc and goes at an awkward moment: what it does when
 * it is loaded, and leaves behind, is the parameter scene. See scenes-main.
 */
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include <goalloc.h>

#include "compat.h"
#include "heap.h"
#include "safe.h"

static char *scene = "user";
module_param(scene, charp, 0444);
MODULE_PARM_DESC(scene, "what to do: user, heap, live, deferred, broken");

static struct goalloc_heap *scenes_heap;

/* Objects in the default heap and in one that nobody will destroy. */
static int scenes_live(void)
{
	struct goalloc_heap *heap = goalloc_heap_create("leftover", NULL);

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	return goalloc(100, GFP_KERNEL) && goalloc(100000, GFP_KERNEL) &&
	       goalloc_heap_alloc(heap, 1000, GFP_KERNEL) ? 0 : -ENOMEM;
}

/* Freed as if in an NMI, and nobody comes by to take it back. */
static int scenes_deferred(void)
{
	static const size_t sizes[] = { 8, 1000, 20000, 100000, 1 << 20 };
	unsigned long flags;
	void *p[ARRAY_SIZE(sizes)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = goalloc(sizes[i], GFP_KERNEL);
		if (!p[i])
			return -ENOMEM;
	}
	local_irq_save(flags);
	__preempt_count_add(NMI_OFFSET + HARDIRQ_OFFSET);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		gofree(p[i]);
	__preempt_count_sub(NMI_OFFSET + HARDIRQ_OFFSET);
	local_irq_restore(flags);
	/* Its structure waits for a grace period. */
	gofree(goalloc(200000, GFP_KERNEL));
	return 0;
}

/* The default heap is found broken, and goes on. */
static int scenes_broken(void)
{
	struct safe_fault fault = {
		.where = "test",
		.what = "on request",
		.bin = SAFE_NO_BIN,
	};
	void *before = goalloc(100, GFP_KERNEL);
	void *after;

	safe_enter(goalloc_default, &fault);
	safe_sync(goalloc_default);
	after = goalloc(100, GFP_KERNEL);
	if (!before || !after)
		return -ENOMEM;
	gofree(before);
	gofree(after);
	return 0;
}

static int __init scenes_init(void)
{
	if (!strcmp(scene, "live"))
		return scenes_live();
	if (!strcmp(scene, "deferred"))
		return scenes_deferred();
	if (!strcmp(scene, "broken"))
		return scenes_broken();
	if (!strcmp(scene, "heap"))
		scenes_heap = goalloc_heap_create("held", NULL);
	else if (strcmp(scene, "user"))
		return -EINVAL;
	return PTR_ERR_OR_ZERO(scenes_heap);
}

static void __exit scenes_exit(void)
{
	goalloc_heap_destroy(scenes_heap, true);
}

module_init(scenes_init);
module_exit(scenes_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("goalloc's users at awkward moments");
GOALLOC_IMPORT_KUNIT();
