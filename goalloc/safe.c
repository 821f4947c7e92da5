// SPDX-License-Identifier: GPL-2.0-only
/*
 * Safe mode: what becomes of a heap in which a broken rule was found.
 *
 * A rule that does not hold (a page tree that contradicts itself, a span whose
 * books do not match its bits, a page map that names another span) means that
 * somebody wrote where he must not, or that goalloc has a bug. Which memory is
 * free is not known any more, so nothing of the heap is handed out or taken
 * back from then on: frees are counted and ignored, and allocations come from
 * kmalloc() (safe_objects.c) or fail, as the module parameter safe_mode says.
 * One report tells. The machine goes on.
 *
 * Whoever finds the fault may hold any goalloc lock, in any context. All it
 * does is to set DETOUR_SAFE; the rest is done by an irq_work, which runs as
 * soon as interrupts are on again: it reports, and replaces every CPU's caches
 * by cache_none. A CPU that is in the middle of an operation has its cache's
 * address already and finishes: caches that were taken away are kept until the
 * module goes, like everything else of the heap. What it finishes is one
 * operation on a heap that was broken before it began. Its next one meets
 * cache_none and takes the detour.
 *
 * A cache that is being made meanwhile: cache_create() enters it and then looks
 * at the detour, we set the detour and then take the caches away, with a full
 * barrier between on both sides; so either we replace the new cache or its
 * maker does.
 *
 * Locks: none; see safe_objects.c.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/kmemleak.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "account.h"
#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "safe.h"

enum {
	SAFE_KMALLOC,
	SAFE_FAIL,
};

static const char *const safe_names[] = {
	[SAFE_KMALLOC] = "kmalloc",
	[SAFE_FAIL] = "fail",
};

static const char *const safe_texts[] = {
	[SAFE_KMALLOC] = "come from kmalloc()",
	[SAFE_FAIL] = "fail",
};

/* What allocations do. Written by whoever sets the parameter, read anywhere. */
static int safe_choice = SAFE_KMALLOC;

/**
 * safe_choose - say what allocations do in safe mode
 * @name: "kmalloc" or "fail"
 *
 * Context: Any.
 * Return: 0, or -EINVAL for any other name.
 */
int safe_choose(const char *name)
{
	int i = __sysfs_match_string(safe_names, ARRAY_SIZE(safe_names), name);

	if (i < 0)
		return -EINVAL;
	WRITE_ONCE(safe_choice, i);
	return 0;
}
GOALLOC_EXPORT_KUNIT(safe_choose);

static int safe_param_set(const char *val, const struct kernel_param *kp)
{
	return safe_choose(val);
}

static int safe_param_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%s\n", safe_names[READ_ONCE(safe_choice)]);
}

static const struct kernel_param_ops safe_param_ops = {
	.set = safe_param_set,
	.get = safe_param_get,
};

module_param_cb(safe_mode, &safe_param_ops, NULL, 0644);
MODULE_PARM_DESC(safe_mode, "where allocations of a heap that was found broken come from: kmalloc (default), or fail");

/**
 * safe_uses_kmalloc - do allocations in safe mode come from kmalloc()?
 *
 * Context: Any.
 * Return: true, or false if they fail.
 */
bool safe_uses_kmalloc(void)
{
	return READ_ONCE(safe_choice) == SAFE_KMALLOC;
}
GOALLOC_EXPORT_KUNIT(safe_uses_kmalloc);

/**
 * safe_is_on - is a heap in safe mode?
 * @heap: the heap
 *
 * Context: Any.
 * Return: true if a broken rule was found in it.
 */
bool safe_is_on(const struct goalloc_heap *heap)
{
	return READ_ONCE(heap->detour) & DETOUR_SAFE;
}
GOALLOC_EXPORT_KUNIT(safe_is_on);

static void safe_take_caches(struct goalloc_heap *heap)
{
	/* The detour before the caches; pairs with cache_create(). */
	smp_mb();
	cache_take_away(heap->cpus);
}

/* No lock is held here, and printing is safe. */
static void safe_work(struct irq_work *work)
{
	struct safe_mode *safe = container_of(work, struct safe_mode, work);
	struct goalloc_heap *heap = container_of(safe, struct goalloc_heap, safe);
	const struct safe_fault *fault = &safe->fault;
	int choice = READ_ONCE(safe_choice);
	char of[32] = "";

	safe_take_caches(heap);
	if (fault->bin == GOALLOC_TINY_BIN)
		strscpy(of, " of tiny objects", sizeof(of));
	else if (fault->bin > 0 && fault->bin < GOALLOC_NR_BINS)
		snprintf(of, sizeof(of), " of %u-byte objects",
			 span_shape_small(fault->bin).elemsize);
	pr_err("heap %s is broken: %s%s, node %d: %s, page %llu, %llu pages; its memory is left alone from now on, frees are ignored, allocations %s (safe_mode=%s); unload goalloc or reboot when you can, and report this\n",
	       heap->name, fault->where, of, fault->nid, fault->what,
	       fault->page, fault->npages, safe_texts[choice],
	       safe_names[choice]);
}

/**
 * safe_init_heap - prepare a heap for what is not to happen
 * @heap: a new heap
 */
void safe_init_heap(struct goalloc_heap *heap)
{
	init_irq_work(&heap->safe.work, safe_work);
}

/**
 * safe_enter - a broken rule was found: switch a heap to safe mode
 * @heap: the heap
 * @fault: the rule; copied
 *
 * The first one counts; later ones are neither kept nor reported.
 *
 * Context: Any context, with any goalloc lock held.
 */
void safe_enter(struct goalloc_heap *heap, const struct safe_fault *fault)
{
	if (atomic_cmpxchg(&heap->safe.broken, 0, 1))
		return;
	heap->safe.fault = *fault;
	set_bit(ilog2(DETOUR_SAFE), &heap->detour);
	/* A barrier before the work can begin comes with it. */
	irq_work_queue(&heap->safe.work);
}
GOALLOC_EXPORT_KUNIT(safe_enter);

/**
 * safe_sync - wait until a heap that was found broken is in safe mode
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 */
void safe_sync(struct goalloc_heap *heap)
{
	irq_work_sync(&heap->safe.work);
}
GOALLOC_EXPORT_KUNIT(safe_sync);

/**
 * safe_end_heap - end a heap in safe mode
 * @heap: the heap; nobody may be using it any more
 * @force: free the objects it has from kmalloc() as well
 *
 * Its pages and all that describes them stay where they are for good: the
 * lists that would say what to free are what cannot be trusted.
 *
 * Context: Process context, may sleep.
 */
void safe_end_heap(struct goalloc_heap *heap, bool force)
{
	struct heap_node *node;
	u64 objects, pages = 0;

	safe_sync(heap);
	objects = safe_end_objects(heap, force);
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		pages += READ_ONCE(node->grown) - READ_ONCE(node->released);
		account_forget(node);
	}
	pr_err("heap %s: ended in safe mode; its %llu KiB of pages are not given back; %llu objects from kmalloc() were live and are %s\n",
	       heap->name, pages << (GOALLOC_PAGE_SHIFT - 10), objects,
	       force ? "freed" : "left to their users");
	/* Reported just now; from here on nothing refers to it. */
	kmemleak_not_leak(heap);
}
