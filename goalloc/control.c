// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control files in debugfs: a verb per write, for root.
 *
 *	flush             empty the caches of all CPUs
 *	scavenge [bytes]  give free pages back to the kernel
 *	validate          check everything that has to be so
 *	gc                collect a collected heap; not at the top
 *	leakscan          look for objects that nothing reaches, see gc_leaks.c; not at
 *	                  the top
 *	leakclear         those that are in the file leaks are known; not at the top
 *	forget_peak       peak_bytes in the file kmalloc is what is held now; at the top
 *
 * The file at the top is for all heaps, heaps/<name>/control for that one. What
 * is not exactly a verb with what belongs to it, at most one newline behind it,
 * is refused with -EINVAL, and nothing has been done.
 *
 * Locks: heaps_lock, through heap_for_each(), for all heaps.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <goalloc_gc.h>

#include "compat.h"
#include "control.h"
#include "drain.h"
#include "gc.h"
#include "heap.h"
#include "limit.h"
#include "validate.h"

/* The longest write that can be right: "scavenge", 20 digits, a newline. */
#define CONTROL_MAX 32

static int control_flush(struct goalloc_heap *heap, u64 unused)
{
	if (heap)
		goalloc_flush(heap);
	else
		drain_flush_all();
	return 0;
}

/* What is left to be given back goes from heap to heap. */
static void control_scavenge_one(struct goalloc_heap *heap, void *arg)
{
	u64 *left = arg;

	*left -= min(*left, goalloc_scavenge(heap, *left));
}

static int control_scavenge(struct goalloc_heap *heap, u64 bytes)
{
	if (heap)
		goalloc_scavenge(heap, bytes);
	else
		heap_for_each(control_scavenge_one, &bytes);
	return 0;
}

static int control_validate(struct goalloc_heap *heap, u64 unused)
{
	/* That not everything could be judged is no failure. */
	return heap ? min(goalloc_validate(heap), 0) : validate_all();
}

/* It is that of all heaps together. */
static int control_forget_peak(struct goalloc_heap *heap, u64 unused)
{
	if (heap)
		return -EINVAL;
	limit_forget_peak(&goalloc_space);
	return 0;
}

/* Not for all at once: each may have to wait for what its mutators do. */
static int control_gc(struct goalloc_heap *heap, u64 unused)
{
	return heap && heap->gc ? goalloc_gc(heap->gc) : -EINVAL;
}

static int control_leakscan(struct goalloc_heap *heap, u64 unused)
{
	return heap && heap->gc ? min(goalloc_gc_find_leaks(heap->gc), 0) : -EINVAL;
}

static int control_leakclear(struct goalloc_heap *heap, u64 unused)
{
	return heap && heap->gc ? gc_leaks_clear(heap->gc) : -EINVAL;
}

static const struct {
	const char *name;
	bool number;	/* may a number follow? */
	int (*run)(struct goalloc_heap *heap, u64 number);
} control_verbs[] = {
	{ "flush", false, control_flush },
	{ "scavenge", true, control_scavenge },
	{ "validate", false, control_validate },
	{ "forget_peak", false, control_forget_peak },
	{ "gc", false, control_gc },
	{ "leakscan", false, control_leakscan },
	{ "leakclear", false, control_leakclear },
};

/**
 * control_do - do what was written to a control file
 * @heap: heap it belongs to, or NULL for all heaps
 * @text: what was written; is cut in pieces
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL for what is no verb; -EUCLEAN if a heap is not in order.
 */
int control_do(struct goalloc_heap *heap, char *text)
{
	size_t len = strlen(text);
	u64 number = U64_MAX;
	unsigned int i;
	char *arg;

	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	arg = text;
	text = strsep(&arg, " ");
	for (i = 0; i < ARRAY_SIZE(control_verbs); i++)
		if (!strcmp(text, control_verbs[i].name))
			break;
	if (i == ARRAY_SIZE(control_verbs))
		return -EINVAL;
	/* Digits from end to end: kstrtou64() takes a sign and a newline. */
	if (arg && (!control_verbs[i].number || !isdigit(*arg) ||
		    arg[strspn(arg, "0123456789")] || kstrtou64(arg, 10, &number)))
		return -EINVAL;
	return control_verbs[i].run(heap, number);
}
GOALLOC_EXPORT_KUNIT(control_do);

static int control_open(struct inode *inode, struct file *file)
{
	/* Nothing to be read, not even by who may open everything. */
	if (file->f_mode & FMODE_READ)
		return -EACCES;
	return simple_open(inode, file);
}

static ssize_t control_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	char text[CONTROL_MAX + 1];
	int err;

	if (!len || len > CONTROL_MAX)
		return -EINVAL;
	if (copy_from_user(text, buf, len))
		return -EFAULT;
	text[len] = '\0';
	if (strlen(text) != len)
		return -EINVAL;
	err = control_do(file->private_data, text);
	return err ?: len;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.write = control_write,
};

/**
 * control_add_file - make a control file
 * @dir: directory
 * @heap: heap it is for, or NULL for all heaps
 *
 * Context: Process context.
 */
void control_add_file(struct dentry *dir, struct goalloc_heap *heap)
{
	debugfs_create_file("control", 0200, dir, heap, &control_fops);
}
