// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_oom.ko - take all memory of a machine through goalloc and give it
 * back, and see that goalloc is none the worse for it.
 *
 *	echo PART >/sys/module/goalloc_oom/parameters/run
 *
 * does one part and returns when it is over; errors are in the parameter of that
 * name. tools/torture/oom boots a small guest for it. The parts:
 *
 * atomic   GFP_NOWAIT and GFP_ATOMIC, in each context and in all of them at
 *          once, with private heaps; each context gives back what another has
 *          taken
 * default  GFP_ATOMIC in all contexts at once, with the default heap
 * reclaim  GFP_KERNEL, until the kernel has to kill a process; somebody who
 *          may be killed and has enough memory has to be there
 * nofail   the same with __GFP_NOFAIL
 * warn     GFP_ATOMIC without __GFP_NOWARN: the kernel says so, once
 * verify   everything is given back: does the default heap say so?
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "oom.h"

static unsigned int errors;
module_param(errors, uint, 0444);
MODULE_PARM_DESC(errors, "what was found wrong");

/* What the caches of the guest's four CPUs may keep, in KiB. */
#define OOM_CACHES_KIB 1024

/* Parameters, and so parts, are written one at a time. */
static struct oom_job job[NR_LEVELS];
static struct oom_list lists[NR_LEVELS];

static const char *const level_names[NR_LEVELS] = {
	[LEVEL_TASK] = "task",
	[LEVEL_SOFTIRQ] = "softirq",
	[LEVEL_HARDIRQ] = "hardirq",
	[LEVEL_NMI] = "nmi",
};

/**
 * torture_fail - something is wrong
 * @what: what
 * @p: which object
 * @a: a number that says more
 * @b: another
 *
 * Context: Any context.
 */
void torture_fail(const char *what, const void *p, size_t a, size_t b)
{
	if (errors++ < 20)
		pr_err("FAILED: %s: %p, %zu, %zu\n", what, p, a, b);
}

/* Memory for whoever has to unload a heap that has all the rest. */
#define BALLAST_PAGES 2048

static LIST_HEAD(ballast);

static void ballast_take(void)
{
	unsigned int i;

	for (i = 0; i < BALLAST_PAGES; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			return;
		list_add(&page->lru, &ballast);
	}
}

static void ballast_drop(unsigned int n)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &ballast, lru) {
		if (!n--)
			return;
		list_del(&page->lru);
		__free_page(page);
	}
}

static u64 held(struct goalloc_heap *heap)
{
	struct goalloc_stats st;

	goalloc_heap_stats(heap, &st);
	return st.sys_bytes >> 10;
}

static void job_init(struct oom_job *j, struct goalloc_heap *heap,
		     enum torture_level level, bool take, gfp_t gfp,
		     unsigned int list)
{
	memset(j, 0, sizeof(*j));
	j->heap = heap;
	j->level = level;
	j->take = take;
	j->gfp = gfp;
	j->list = &lists[list];
}

static void give_list(struct goalloc_heap *heap, unsigned int list)
{
	job_init(&job[0], heap, LEVEL_TASK, false, 0, list);
	oom_jobs_run(job, 1);
}

/* Give back list i in the context behind i, all at once. */
static void give_back(struct goalloc_heap *heap, unsigned long taken)
{
	unsigned long given = 0;
	int i;

	for (i = 0; i < NR_LEVELS; i++)
		job_init(&job[i], heap, (i + 1) % NR_LEVELS, false, 0, i);
	oom_jobs_run(job, NR_LEVELS);
	for (i = 0; i < NR_LEVELS; i++)
		given += job[i].given;
	if (given != taken)
		torture_fail("objects were lost", heap, given, taken);
}

/*
 * What was freed in NMI waits for somebody with the lock of its central. In this
 * heap there are objects of the sizes that jobs ask for only.
 */
static void settle(struct goalloc_heap *heap)
{
	static void *p[600];
	unsigned int i;
	size_t size;
	int at;

	for (at = 0; (size = oom_jobs_size(at)); at++) {
		unsigned int n = size > GOALLOC_MAX_SMALL_SIZE ? 1 : ARRAY_SIZE(p);

		for (i = 0; i < n; i++)
			p[i] = goalloc_heap_alloc(heap, size, GFP_NOWAIT | __GFP_NOWARN);
		for (i = 0; i < n; i++)
			goalloc_heap_free(heap, p[i]);
	}
}

/*
 * Everything was given back to the heap: have the heap give it to the kernel,
 * which may have nothing left. The default heap cannot be limited.
 */
static void trim(struct goalloc_heap *heap)
{
	struct goalloc_stats st;
	u64 before = held(heap);
	int err;

	if (!heap)
		return;
	settle(heap);
	err = goalloc_heap_set_limit(heap, 64 << 10, 0);
	goalloc_heap_stats(heap, &st);
	if (err && err != -EAGAIN)
		torture_fail("a heap cannot be limited", heap, -err, 0);
	/* Reclaim may have taken nearly all before; caches keep what they may. */
	if (st.sys_bytes >> 10 > max_t(u64, before / 2, OOM_CACHES_KIB)) {
		torture_fail("a heap without objects keeps its memory", heap, before,
			     st.sys_bytes >> 10);
		pr_err("live %llu rounding %llu cached %llu central %llu page cache %llu free %llu\n",
		       st.live_bytes, st.rounding_bytes, st.cached_bytes,
		       st.central_bytes, st.page_cache_bytes, st.free_bytes);
	}
	goalloc_heap_set_limit(heap, 0, 0);
}

/* It works: every size class and some large sizes can be had, and hold. */
static void works(struct goalloc_heap *heap)
{
	size_t size;

	for (size = 1; size <= 4 * GOALLOC_MAX_SMALL_SIZE;
	     size = max(goalloc_size_roundup(size), size) + 1) {
		u8 *p = heap ? goalloc_heap_alloc(heap, size, GFP_KERNEL) :
			       goalloc(size, GFP_KERNEL);

		if (!p) {
			torture_fail("no memory where there should be some", heap, size, 0);
			continue;
		}
		memset(p, size & 0xff, size);
		if (memchr_inv(p, size & 0xff, size))
			torture_fail("memory does not hold what it is given", p, size, 0);
		if (heap)
			goalloc_heap_free(heap, p);
		else
			gofree(p);
	}
}

/*
 * In NMI only what is at hand can be had, and free pages are not: fill the heap
 * and give every second object back.
 */
static unsigned long prime(struct goalloc_heap *heap, gfp_t gfp)
{
	unsigned long got;

	job_init(&job[0], heap, LEVEL_TASK, true, gfp, LEVEL_TASK);
	job[0].other = &lists[LEVEL_SOFTIRQ];
	job[0].at = OOM_AT_1024;
	oom_jobs_run(job, 1);
	got = job[0].got;
	give_list(heap, LEVEL_SOFTIRQ);
	return got - job[0].given;
}

/* Take in @n contexts from @level on at once, then give back and try. */
static void take_and_give(struct goalloc_heap *heap, enum torture_level level,
			  unsigned int n, gfp_t gfp)
{
	unsigned long got = 0, failed = 0, primed = 0;
	unsigned int i;

	if (level == LEVEL_NMI)
		primed = prime(heap, gfp);
	for (i = 0; i < n; i++)
		job_init(&job[i], heap, level + i, true, gfp, level + i);
	oom_jobs_run(job, n);
	for (i = 0; i < n; i++) {
		got += job[i].got;
		failed += job[i].failed;
	}
	pr_info("%s heap, %s%s, %s: %lu objects, then %lu refused, %llu KiB held\n",
		heap ? "private" : "default", level_names[level], n > 1 ? " and all others" : "",
		gfp & __GFP_HIGH ? "GFP_ATOMIC" : "GFP_NOWAIT", got, failed, held(heap));
	if (!got)
		torture_fail("there was no memory to begin with", heap, level, n);
	if (!failed)
		torture_fail("memory has no end", heap, level, n);
	give_back(heap, primed + got);
	trim(heap);
	works(heap);
}

/* Do something with a heap of its own, which is ended as if nothing had been. */
static int with_heap(void (*fn)(struct goalloc_heap *heap))
{
	struct goalloc_heap *heap = goalloc_heap_create("oom", NULL);
	struct goalloc_stats st;
	u64 sum;

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	fn(heap);
	sum = ledger_read(heap, &st);
	if (sum != st.sys_bytes)
		torture_fail("the ledger of a private heap does not add up", heap, sum,
			     st.sys_bytes);
	if (st.bad_frees)
		torture_fail("good frees were refused", heap, st.bad_frees, 0);
	if (goalloc_heap_destroy(heap, true))
		torture_fail("a private heap could not be ended", heap, 0, 0);
	return 0;
}

static enum torture_level atomic_level;
static unsigned int atomic_nr;
static gfp_t atomic_gfp;

static void atomic_heap(struct goalloc_heap *heap)
{
	take_and_give(heap, atomic_level, atomic_nr, atomic_gfp);
}

/* Each time a new heap: what one has freed it need not give to the kernel. */
static int part_atomic(void)
{
	static const gfp_t gfp[] = { GFP_NOWAIT | __GFP_NOWARN, GFP_ATOMIC | __GFP_NOWARN };
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(gfp) && !err; i++) {
		atomic_gfp = gfp[i];
		atomic_nr = 1;
		for (atomic_level = 0; atomic_level < NR_LEVELS && !err; atomic_level++)
			err = with_heap(atomic_heap);
		atomic_level = 0;
		atomic_nr = NR_LEVELS;
		if (!err)
			err = with_heap(atomic_heap);
	}
	return err;
}

/* The last before unloading: the memory is the default heap's until then. */
static int part_default(void)
{
	ballast_take();
	take_and_give(NULL, 0, NR_LEVELS, GFP_ATOMIC | __GFP_NOWARN);
	/* The rest is for whoever unloads us. */
	ballast_drop(BALLAST_PAGES / 2);
	return 0;
}

/* May the kernel kill somebody now? */
static bool may_kill;

/*
 * One, and only when it was announced. Whoever else needs memory now is told
 * that some was found, and tries again: it is about to be given back. The last
 * in the chain: goalloc itself may have found some.
 */
static int oom_notify(struct notifier_block *nb, unsigned long unused, void *arg)
{
	unsigned long *freed = arg;

	if (!*freed && (!READ_ONCE(may_kill) || atomic_inc_return(&oom_kills) > 1))
		*freed = 1;
	return NOTIFY_OK;
}

static struct notifier_block oom_nb = {
	.notifier_call = oom_notify,
	.priority = INT_MIN,
};

static void take_until_oom(struct goalloc_heap *heap, gfp_t gfp, unsigned int at)
{
	unsigned long got;

	job_init(&job[0], heap, LEVEL_TASK, true, gfp, 0);
	job[0].until_oom = true;
	job[0].at = at;
	atomic_set(&oom_kills, 0);
	WRITE_ONCE(may_kill, true);
	oom_jobs_run(job, 1);
	got = job[0].got;
	WRITE_ONCE(may_kill, false);
	pr_info("private heap, task, %s: %lu objects, %lu refused, %llu KiB held\n",
		gfp & __GFP_NOFAIL ? "__GFP_NOFAIL" : "GFP_KERNEL", got,
		job[0].failed, held(heap));
	if (!atomic_read(&oom_kills))
		torture_fail("nobody was killed", heap, got, job[0].failed);
	if (gfp & __GFP_NOFAIL && job[0].failed)
		torture_fail("__GFP_NOFAIL failed", heap, job[0].failed, got);
	give_back(heap, got);
	trim(heap);
	works(heap);
}

static void reclaim_heap(struct goalloc_heap *heap)
{
	take_until_oom(heap, GFP_KERNEL | __GFP_NOWARN, 0);
}

/* As the kernel has it: for small sizes. */
static void nofail_heap(struct goalloc_heap *heap)
{
	take_until_oom(heap, GFP_KERNEL | __GFP_NOFAIL, OOM_AT_9472);
}

static int part_reclaim(void)
{
	return with_heap(reclaim_heap);
}

static int part_nofail(void)
{
	return with_heap(nofail_heap);
}

static void warn_heap(struct goalloc_heap *heap)
{
	take_and_give(heap, LEVEL_TASK, 1, GFP_ATOMIC);
}

static int part_warn(void)
{
	return with_heap(warn_heap);
}

static int part_verify(void)
{
	works(NULL);
	ledger_settle();
	ledger_verify();
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void);
} parts[] = {
	{ "atomic", part_atomic },
	{ "default", part_default },
	{ "reclaim", part_reclaim },
	{ "nofail", part_nofail },
	{ "warn", part_warn },
	{ "verify", part_verify },
};

static int run_set(const char *val, const struct kernel_param *kp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (sysfs_streq(val, parts[i].name))
			return parts[i].fn();
	return -EINVAL;
}

static const struct kernel_param_ops run_ops = { .set = run_set };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "a part to do");

static int __init oom_init(void)
{
	int err = register_oom_notifier(&oom_nb);

	if (err)
		return err;
	err = oom_jobs_init();
	if (err)
		unregister_oom_notifier(&oom_nb);
	return err;
}

static void __exit oom_exit(void)
{
	oom_jobs_exit();
	ballast_drop(UINT_MAX);
	unregister_oom_notifier(&oom_nb);
}

module_init(oom_init);
module_exit(oom_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Takes all memory through goalloc, in any context, and gives it back");
