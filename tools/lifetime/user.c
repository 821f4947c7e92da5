// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that uses goalloc, for the lifetime test: it allocates when it is
 * loaded and frees when it is unloaded, all but what "leave" says. With early=1
 * it frees while it is being loaded, so that caches are warm and whoever wakes
 * because of that has work when goalloc is unloaded.
 */
#include <linux/err.h>
#include <linux/module.h>

#include <goalloc.h>

#define USER_OBJECTS 3000

static unsigned int leave;
module_param(leave, uint, 0444);
MODULE_PARM_DESC(leave, "objects not to free");

static bool early;
module_param(early, bool, 0444);
MODULE_PARM_DESC(early, "free at once");

static void *user_obj[USER_OBJECTS];
static struct goalloc_heap *user_heap;

static void user_free(void)
{
	unsigned int i;

	for (i = leave; i < USER_OBJECTS; i++) {
		gofree(user_obj[i]);
		user_obj[i] = NULL;
	}
}

static int __init user_init(void)
{
	static const size_t sizes[] = { 5, 16, 100, 1000, 5000, 32768, 100000 };
	unsigned int i;

	for (i = 0; i < USER_OBJECTS; i++) {
		size_t size = sizes[i % (i % 10 ? 4 : ARRAY_SIZE(sizes))];

		user_obj[i] = size < 16 ? goalloc_tiny(size, GFP_KERNEL) :
					  goalloc(size, GFP_KERNEL);
		if (!user_obj[i])
			goto fail;
	}
	user_heap = goalloc_heap_create("user", NULL);
	if (IS_ERR(user_heap) || !goalloc_heap_alloc(user_heap, 200, GFP_KERNEL))
		goto fail;
	if (early)
		user_free();
	return 0;

fail:
	goalloc_heap_destroy(user_heap, true);
	user_free();
	return -ENOMEM;
}

static void __exit user_exit(void)
{
	goalloc_heap_destroy(user_heap, true);
	user_free();
}

module_init(user_init);
module_exit(user_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Uses goalloc, for a test");
