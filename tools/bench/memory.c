// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_memory.ko: how much memory is held for how much is in use, where
 * allocators have a hard time. Prints rows while it is loaded.
 *
 *	half	everything of some kind is allocated, half of it freed at random,
 *		and then 16 MiB are allocated in blocks of 64 KiB. With blocks of
 *		64 KiB from the beginning this is Go's own test of how well free
 *		memory is used: no more than a tenth may be held in addition.
 *	pair	for a minute one CPU allocates and another frees what it gets from
 *		it. What is held must not grow.
 *
 * Held is what goalloc's ledger says, metadata included. For kmalloc it is the
 * kernel's count of slab pages; goalloc counts its own there as well, but holds
 * none then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include <goalloc.h>
#include <goalloc_stats.h>

static unsigned int secs = 60;
module_param(secs, uint, 0444);
MODULE_PARM_DESC(secs, "how long the pair works");

static bool half = true;
module_param(half, bool, 0444);
MODULE_PARM_DESC(half, "what is freed by half as well, not the pair alone");

#define BLOCK (64UL << 10)
#define FIRST_BYTES (32UL << 20)
#define THEN_BYTES (16UL << 20)
#define MAX_OBJS (FIRST_BYTES / 64)

struct memory_obj {
	void *p;
	u32 size;
};

static struct memory_obj *memory_objs;
static struct rnd_state memory_rnd;
static bool memory_kmalloc;
static u64 memory_base;

static u32 memory_random(u32 below)
{
	return prandom_u32_state(&memory_rnd) % below;
}

static u64 memory_slab(void)
{
	long pages = global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		     global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B);
	int cpu, nid;

	for_each_online_node(nid) {
		for_each_online_cpu(cpu) {
			const s8 *diff = per_cpu_ptr(NODE_DATA(nid)->per_cpu_nodestats,
						     cpu)->vm_node_stat_diff;

			pages += diff[NR_SLAB_RECLAIMABLE_B] + diff[NR_SLAB_UNRECLAIMABLE_B];
		}
	}
	return (u64)pages << PAGE_SHIFT;
}

static u64 memory_metadata(void)
{
	struct goalloc_stats st;

	goalloc_heap_stats(NULL, &st);
	return st.metadata_bytes;
}

static u64 memory_held(void)
{
	struct goalloc_stats st;

	if (memory_kmalloc)
		return memory_slab() - memory_base;
	goalloc_heap_stats(NULL, &st);
	return st.sys_bytes + st.metadata_bytes;
}

static void *memory_alloc(size_t size)
{
	return memory_kmalloc ? kmalloc(size, GFP_KERNEL) : goalloc(size, GFP_KERNEL);
}

static void memory_free(void *p)
{
	if (memory_kmalloc)
		kfree(p);
	else
		gofree(p);
}

/* Tenths of a percent that are held in addition to what is in use. */
static u64 memory_over(u64 held, u64 used)
{
	return held > used ? div64_u64((held - used) * 1000, used) : 0;
}

static void memory_row(const char *kind, const char *when, u64 used)
{
	u64 held = memory_held(), over = memory_over(held, used);

	pr_info("half %-10s %-14s %-16s %8llu KiB used %8llu KiB held %4llu.%llu%% over\n",
		memory_kmalloc ? "kmalloc" : "goalloc", kind, when, used >> 10,
		held >> 10, over / 10, over % 10);
}

/**
 * struct memory_kind - what is allocated first
 * @name: in the rows
 * @min: bytes, at least
 * @max: bytes, at most; a power of two times @min
 */
struct memory_kind {
	const char *name;
	u32 min, max;
};

/* Each doubling of the size is as likely as any other. */
static u32 memory_size(const struct memory_kind *kind)
{
	u32 max = kind->max >> memory_random(ilog2(kind->max / kind->min));

	return max - memory_random(max / 2);
}

static int memory_half(const struct memory_kind *kind)
{
	u64 used = 0, then = 0;
	u32 nr = 0, i, size;
	void *p;

	memory_base = memory_slab();
	prandom_seed_state(&memory_rnd, 1);
	while (used < FIRST_BYTES) {
		size = kind->min == kind->max ? kind->min : memory_size(kind);
		p = memory_alloc(size);
		if (!p || nr == MAX_OBJS)
			return -ENOMEM;
		memory_objs[nr++] = (struct memory_obj){ p, size };
		used += size;
	}
	memory_row(kind->name, "all", used);
	for (i = 0; i < nr / 2; i++) {
		u32 j = i + memory_random(nr - i);

		swap(memory_objs[i], memory_objs[j]);
		used -= memory_objs[i].size;
		memory_free(memory_objs[i].p);
	}
	memory_row(kind->name, "half freed", used);
	/* The places of what was freed are room for the blocks. */
	for (i = 0; then < THEN_BYTES; i++, then += BLOCK) {
		p = memory_alloc(BLOCK);
		if (!p || i >= nr / 2)
			return -ENOMEM;
		memory_objs[i] = (struct memory_obj){ p, BLOCK };
	}
	memory_row(kind->name, "and 16 MiB", used + then);
	if (!memory_kmalloc) {
		goalloc_flush(NULL);
		goalloc_scavenge(NULL, U64_MAX);
		memory_row(kind->name, "and scavenged", used + then);
	}
	while (i)
		memory_free(memory_objs[--i].p);
	for (i = nr / 2; i < nr; i++)
		memory_free(memory_objs[i].p);
	if (!memory_kmalloc) {
		goalloc_flush(NULL);
		goalloc_scavenge(NULL, U64_MAX);
	}
	return 0;
}

#define RING 4096

/* From one CPU to another; each index is written by one side. */
static struct {
	void *slot[RING];
	unsigned int head;	/* release by the producer, acquire by the consumer */
	unsigned int tail;	/* the other way round */
	bool stop;
} ring;

static int memory_producer(void *arg)
{
	static const struct memory_kind kind = { "", 8, 8192 };
	unsigned int head = 0;

	while (!kthread_should_stop()) {
		if (head - smp_load_acquire(&ring.tail) == RING) {
			cond_resched();
			cpu_relax();
			continue;
		}
		ring.slot[head % RING] = memory_alloc(memory_size(&kind));
		smp_store_release(&ring.head, ++head);
		if (head % 256 == 0)
			cond_resched();
	}
	return 0;
}

static int memory_consumer(void *arg)
{
	unsigned int tail = 0;

	while (!kthread_should_stop()) {
		if (tail == smp_load_acquire(&ring.head)) {
			cond_resched();
			cpu_relax();
			continue;
		}
		memory_free(ring.slot[tail % RING]);
		smp_store_release(&ring.tail, ++tail);
		if (tail % 256 == 0)
			cond_resched();
	}
	while (tail != smp_load_acquire(&ring.head))
		memory_free(ring.slot[tail++ % RING]);
	WRITE_ONCE(ring.tail, tail);
	return 0;
}

static struct task_struct *memory_start(int (*fn)(void *arg), unsigned int cpu)
{
	struct task_struct *task = kthread_create(fn, NULL, "goalloc_pair/%u", cpu);

	if (!IS_ERR(task)) {
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	return task;
}

static int memory_pair(void)
{
	unsigned int from = cpumask_first(cpu_online_mask);
	unsigned int to = cpumask_next(from, cpu_online_mask);
	struct task_struct *producer, *consumer;
	unsigned int sec;

	if (to >= nr_cpu_ids)
		return -ENODEV;
	memset(&ring, 0, sizeof(ring));
	consumer = memory_start(memory_consumer, to);
	if (IS_ERR(consumer))
		return PTR_ERR(consumer);
	producer = memory_start(memory_producer, from);
	if (IS_ERR(producer)) {
		kthread_stop(consumer);
		return PTR_ERR(producer);
	}
	for (sec = 1; sec <= secs; sec++) {
		schedule_timeout_uninterruptible(HZ);
		pr_info("pair goalloc %3u s %10u passed %8llu KiB held, %8llu KiB of it metadata\n",
			sec, READ_ONCE(ring.tail), memory_held() >> 10,
			memory_metadata() >> 10);
	}
	kthread_stop(producer);
	kthread_stop(consumer);
	return 0;
}

static int __init memory_init(void)
{
	static const struct memory_kind kinds[] = {
		{ "64 KiB", BLOCK, BLOCK },
		{ "8..2048", 8, 2048 },
		{ "8..65536", 8, BLOCK },
	};
	unsigned int kmalloc_too, i;
	int err = 0;

	memory_objs = vcalloc(MAX_OBJS, sizeof(*memory_objs));
	if (!memory_objs)
		return -ENOMEM;
	for (i = 0; half && i < ARRAY_SIZE(kinds) && !err; i++) {
		for (kmalloc_too = 0; kmalloc_too < 2 && !err; kmalloc_too++) {
			memory_kmalloc = kmalloc_too;
			err = memory_half(&kinds[i]);
		}
	}
	memory_kmalloc = false;
	if (!err)
		err = memory_pair();
	vfree(memory_objs);
	if (err)
		pr_err("failed: %pe\n", ERR_PTR(err));
	return err;
}

static void __exit memory_exit(void)
{
}

module_init(memory_init);
module_exit(memory_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("How much memory is held for how much is in use");
