// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_holder: objects of every kind, and a heap, for as long as it is loaded,
 * and in the log where they are. What a debugger says of these addresses can be
 * compared with that. With bad=1 it also frees what it must not free, for those
 * who want to see that.
 */
#define pr_fmt(fmt) "goalloc_holder: " fmt

#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <goalloc.h>

static bool bad;
module_param(bad, bool, 0444);
MODULE_PARM_DESC(bad, "free an object twice, and one by an address inside it");

static struct goalloc_heap *holder_heap;
static void *holder_small, *holder_tiny, *holder_large, *holder_own, *holder_foreign;

static void holder_say(const char *name, const void *p)
{
	pr_info("%s %lx\n", name, (unsigned long)p);
}

/* Not a part of the init code, whose name is gone when somebody asks for it. */
static noinline void holder_misuse(void *freed)
{
	gofree(freed);
	gofree(holder_small + 8);
}

static void holder_exit(void)
{
	gofree(holder_small);
	gofree(holder_tiny);
	gofree(holder_large);
	kfree(holder_foreign);
	if (!IS_ERR_OR_NULL(holder_heap)) {
		goalloc_heap_free(holder_heap, holder_own);
		goalloc_heap_destroy(holder_heap, false);
	}
}
module_exit(holder_exit);

static int __init holder_init(void)
{
	void *freed;

	holder_heap = goalloc_heap_create("holder", NULL);
	holder_small = goalloc(100, GFP_KERNEL);
	holder_tiny = goalloc_tiny(5, GFP_KERNEL);
	holder_large = goalloc(100000, GFP_KERNEL);
	holder_foreign = kmalloc(100, GFP_KERNEL);
	freed = goalloc(700, GFP_KERNEL);
	if (!IS_ERR(holder_heap))
		holder_own = goalloc_heap_alloc(holder_heap, 48, GFP_KERNEL);
	if (!holder_small || !holder_tiny || !holder_large || !holder_foreign ||
	    !freed || !holder_own) {
		gofree(freed);
		holder_exit();
		return -ENOMEM;
	}
	/* Addresses as such, which is what this is for. */
	holder_say("small", holder_small);
	holder_say("tiny", holder_tiny);
	holder_say("large", holder_large);
	holder_say("own", holder_own);
	holder_say("foreign", holder_foreign);
	holder_say("freed", freed);
	gofree(freed);
	if (bad)
		holder_misuse(freed);
	return 0;
}
module_init(holder_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Objects for a debugger to look at");
