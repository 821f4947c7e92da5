// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_charge.ko: whoever writes a verb to its parameter "do" allocates, and
 * is charged for that or is not. See memcg-main, which looks at the cgroup.
 *
 *	plain	large objects of the default heap, GFP_KERNEL
 *	large	the same with __GFP_ACCOUNT
 *	small	small objects of the default heap, with __GFP_ACCOUNT
 *	heap	small objects of a private heap made with __GFP_ACCOUNT
 *	free	free them all; the private heap keeps what it has
 *	give	give back what heaps keep
 *
 * Each allocates CHARGE_BYTES, or fails with -ENOMEM and has freed what it got.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <goalloc.h>

#define CHARGE_BYTES (16UL << 20)
#define LARGE (512UL << 10)
#define SMALL 2048UL

/* kernel_param_lock() guards all. */
static struct goalloc_heap *charge_heap;
static void **charge_obj;
static unsigned long charge_nr;
static struct goalloc_heap *charge_of;

static void charge_free(void)
{
	while (charge_nr) {
		if (charge_of)
			goalloc_heap_free(charge_of, charge_obj[--charge_nr]);
		else
			gofree(charge_obj[--charge_nr]);
	}
}

static int charge_alloc(struct goalloc_heap *heap, size_t size, gfp_t gfp)
{
	unsigned long nr = CHARGE_BYTES / size;
	void *p;

	if (charge_nr)
		return -EBUSY;
	charge_of = heap;
	while (charge_nr < nr) {
		p = heap ? goalloc_heap_alloc(heap, size, gfp) : goalloc(size, gfp);
		if (!p) {
			charge_free();
			return -ENOMEM;
		}
		memset(p, charge_nr, size);
		charge_obj[charge_nr++] = p;
	}
	return 0;
}

static int charge_do(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "plain"))
		return charge_alloc(NULL, LARGE, GFP_KERNEL);
	if (sysfs_streq(val, "large"))
		return charge_alloc(NULL, LARGE, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (sysfs_streq(val, "small"))
		return charge_alloc(NULL, SMALL, GFP_KERNEL_ACCOUNT);
	if (sysfs_streq(val, "heap"))
		return charge_alloc(charge_heap, SMALL, GFP_KERNEL);
	if (sysfs_streq(val, "free")) {
		charge_free();
		return 0;
	}
	if (sysfs_streq(val, "give")) {
		goalloc_flush(NULL);
		goalloc_scavenge(NULL, U64_MAX);
		goalloc_flush(charge_heap);
		goalloc_scavenge(charge_heap, U64_MAX);
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops charge_ops = {
	.set = charge_do,
};

module_param_cb(do, &charge_ops, NULL, 0200);
MODULE_PARM_DESC(do, "plain, large, small, heap, free, give");

static int __init charge_init(void)
{
	static const struct goalloc_heap_attr attr = { .gfp = __GFP_ACCOUNT };

	charge_heap = goalloc_heap_create("charged", &attr);
	if (IS_ERR(charge_heap))
		return PTR_ERR(charge_heap);
	charge_obj = vcalloc(CHARGE_BYTES / SMALL, sizeof(*charge_obj));
	if (!charge_obj) {
		goalloc_heap_destroy(charge_heap, true);
		return -ENOMEM;
	}
	return 0;
}

static void __exit charge_exit(void)
{
	charge_free();
	goalloc_heap_destroy(charge_heap, false);
	vfree(charge_obj);
}

module_init(charge_init);
module_exit(charge_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Allocates on behalf of whoever writes to its parameter");
