// SPDX-License-Identifier: GPL-2.0-only
/*
 * How to use goalloc from a module of your own.
 *
 * Loading this module allocates in the ways a driver would, says in the kernel
 * log what it got, and gives everything back; loading fails if anything is not
 * as expected.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/string.h>

#include <goalloc.h>

struct sample {
	u64 when;
	u32 values[31];
};

/* Single objects: the kmalloc family with "go" for "k". */
static int example_object(void)
{
	struct sample *one = gozalloc(sizeof(*one), GFP_KERNEL);
	char *name = gostrdup("temperature", GFP_KERNEL);
	int err = -ENOMEM;

	if (one && name) {
		pr_info("asked for %zu bytes, may use %zu; \"%s\" may use %zu\n",
			sizeof(*one), gosize(one), name, gosize(name));
		err = one->when || gosize(one) < sizeof(*one) ? -EIO : 0;
	}
	gofree(name);
	gofree(one);		/* NULL is fine */
	return err;
}

/* Arrays: the multiplication is checked. */
static int example_array(void)
{
	struct sample *many = goalloc_array(100, sizeof(*many), GFP_KERNEL);
	struct sample *more;

	if (!many)
		return -ENOMEM;
	many[99].when = 42;
	more = gorealloc_array(many, 300, sizeof(*many), GFP_KERNEL);
	if (!more) {
		gofree(many);	/* still ours */
		return -ENOMEM;
	}
	pr_info("array of 300 in %zu bytes, element 99 kept %llu\n",
		gosize(more), more[99].when);
	if (more[99].when != 42) {
		gofree(more);
		return -EIO;
	}
	gofree(more);
	return goalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL) ? -EIO : 0;
}

/* A heap of one's own: limited, and destroyed with all that is in it. */
static int example_heap(void)
{
	const struct goalloc_heap_attr attr = { .limit = 8 << 20 };
	struct goalloc_heap *heap = goalloc_heap_create("example", &attr);
	unsigned int n = 0;

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	while (goalloc_heap_alloc(heap, 1000, GFP_KERNEL | __GFP_NOWARN))
		n++;
	pr_info("a heap limited to 8 MiB gave %u objects of 1000 bytes\n", n);

	/* With force, none of them needs to be freed one by one. */
	if (goalloc_heap_destroy(heap, true))
		return -EIO;
	return n > 4000 && n <= (8 << 20) / 1000 ? 0 : -EIO;
}

static int __init example_init(void)
{
	int err;

	err = example_object();
	if (!err)
		err = example_array();
	if (!err)
		err = example_heap();
	if (!err)
		pr_info("all is well\n");
	return err;
}

static void __exit example_exit(void)
{
}

module_init(example_init);
module_exit(example_exit);
MODULE_DESCRIPTION("How to use goalloc from another module");
MODULE_LICENSE("GPL");
