// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the ledger of a heap at rest: what the torture and the OOM module
 * have in common.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "torture.h"

/**
 * ledger_settle - have everything that was freed counted as free
 *
 * What was freed in NMI waits until somebody takes the lock of its central or
 * node. Visit them all: by allocating past the caches, and for the blocks of
 * tiny objects, which cannot be had so, by using up what the caches have.
 *
 * Context: Process context, may sleep. Nobody else uses the default heap.
 */
void ledger_settle(void)
{
	enum { NR = 600 };
	void **p = kvcalloc(NR, sizeof(*p), GFP_KERNEL);
	size_t size;
	int nid, cpu, i;

	if (!p) {
		torture_fail("no memory at the end", NULL, 0, 0);
		return;
	}
	for_each_node_state(nid, N_MEMORY) {
		for (size = 1; size <= GOALLOC_MAX_SMALL_SIZE;
		     size = goalloc_size_roundup(size) + 1)
			gofree(goalloc_node(size, GFP_KERNEL, nid));
		gofree(goalloc_node(GOALLOC_MAX_SMALL_SIZE * 2, GFP_KERNEL, nid));
	}
	for_each_online_cpu(cpu) {
		if (set_cpus_allowed_ptr(current, cpumask_of(cpu)))
			continue;
		for (i = 0; i < NR; i++)
			p[i] = goalloc_tiny(13, GFP_KERNEL);
		for (i = 0; i < NR; i++)
			gofree(p[i]);
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	kvfree(p);
}

/**
 * ledger_read - read the ledger of a heap that nobody uses
 * @heap: the heap, or NULL for the default one
 * @st: what to fill in
 *
 * What the heap does by itself, such as emptying the caches of a CPU that goes
 * away, moves memory between rows while they are read; so no CPU may go, and a
 * ledger that does not add up is read again. One that is wrong stays wrong.
 *
 * Context: Process context, may sleep.
 * Return: the sum of the rows.
 */
u64 ledger_read(struct goalloc_heap *heap, struct goalloc_stats *st)
{
	unsigned int tries;
	u64 sum;

	for (tries = 0; tries < 5; tries++) {
		if (tries)
			msleep(50);
		cpus_read_lock();
		goalloc_heap_stats(heap, st);
		cpus_read_unlock();
		sum = st->live_bytes + st->rounding_bytes + st->cached_bytes +
		      st->central_bytes + st->quarantine_bytes + st->tail_bytes +
		      st->page_cache_bytes + st->free_bytes;
		if (sum == st->sys_bytes)
			break;
	}
	return sum;
}

/**
 * ledger_verify - everything is freed: does the default heap say so?
 */
void ledger_verify(void)
{
	struct goalloc_stats st;
	u64 sum;

	sum = ledger_read(NULL, &st);
	pr_info(KBUILD_MODNAME ": ledger: held %llu = live %llu + rounding %llu + cached %llu + central %llu + tail %llu + page cache %llu + free %llu: %s\n",
		st.sys_bytes, st.live_bytes, st.rounding_bytes, st.cached_bytes,
		st.central_bytes, st.tail_bytes, st.page_cache_bytes,
		st.free_bytes, sum == st.sys_bytes ? "holds" : "DOES NOT HOLD");
	if (sum != st.sys_bytes)
		torture_fail("the ledger does not add up", NULL, sum, st.sys_bytes);
	if (st.tiny_objects)
		torture_fail("tiny objects are lost", NULL, st.tiny_objects, 0);
	/* A block of tiny objects per cache is being packed, and so counts. */
	if (st.live_objects > 3 * nr_cpu_ids ||
	    st.live_bytes != 16 * st.live_objects)
		torture_fail("objects are lost", NULL, st.live_objects, st.live_bytes);
	if (st.bad_frees)
		torture_fail("good frees were refused", NULL, st.bad_frees, 0);
}
