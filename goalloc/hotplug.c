// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs and memory that come and go.
 *
 * What a dead CPU has in its caches goes back to the centrals and page trees,
 * on whichever CPU looks after it. Memory that is added makes the address space
 * longer before its first page can be allocated: the page map and every heap's
 * trees grow, and a node that gets its first memory gets its trees. Memory
 * below the address space that was there at load time is not used; the page
 * source hands it back.
 *
 * Memory that goes: the kernel looks for pages that cannot be moved, as ours,
 * before it tells anybody, and fails if it finds one. So when we are told none
 * of the pages is ours, and nothing can be given back for the kernel's sake;
 * that has to be done before. What is left to do is to turn to other nodes
 * when a node has lost its last memory.
 *
 * Only memory that the kernel may use for itself counts: a node all of whose
 * memory is movable has none for us.
 *
 * Locks: heaps_lock, through heap_for_each() and heap_space_extend().
 */
#include <linux/cpuhotplug.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/notifier.h>

#include "cache.h"
#include "hotplug.h"
#include "stack_heap.h"

static int hotplug_cpu_state;

static void hotplug_drain(struct goalloc_heap *heap, void *arg)
{
	cache_drain_cpu(heap, *(unsigned int *)arg);
	stack_drain_cpu(heap, *(unsigned int *)arg);
}

/* Runs on another CPU: nobody uses the dead one's caches. */
static int hotplug_cpu_dead(unsigned int cpu)
{
	heap_for_each(hotplug_drain, &cpu);
	return 0;
}

static int hotplug_memory(struct notifier_block *nb, unsigned long action,
			  void *arg)
{
	const struct memory_notify *mem = arg;
	unsigned long end;

	switch (action) {
	case MEM_GOING_ONLINE:
	case MEM_ONLINE:
		/*
		 * The second time for heaps made in between. Should there be no
		 * memory for it, the new memory is not used by goalloc; no
		 * reason to keep it from everybody else.
		 */
		end = (unsigned long)__va(PFN_PHYS(mem->start_pfn + mem->nr_pages));
		heap_space_extend(&goalloc_space, end, mem->status_change_nid_normal);
		break;
	case MEM_OFFLINE:
		break;
	default:
		return NOTIFY_DONE;
	}
	heap_space_refresh(&goalloc_space);
	return NOTIFY_OK;
}

static struct notifier_block hotplug_memory_nb = {
	.notifier_call = hotplug_memory,
};

/**
 * hotplug_init - begin to follow
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative error.
 */
int hotplug_init(void)
{
	int err;

	err = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "goalloc:dead",
					NULL, hotplug_cpu_dead);
	if (err < 0)
		return err;
	hotplug_cpu_state = err;
	err = register_memory_notifier(&hotplug_memory_nb);
	if (err)
		cpuhp_remove_state_nocalls(hotplug_cpu_state);
	return err;
}

/**
 * hotplug_exit - no longer follow
 *
 * Context: Process context, may sleep.
 */
void hotplug_exit(void)
{
	unregister_memory_notifier(&hotplug_memory_nb);
	cpuhp_remove_state_nocalls(hotplug_cpu_state);
}
