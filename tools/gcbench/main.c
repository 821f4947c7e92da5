// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_gcbench.ko: runs a program in a collected heap while it is loaded, in so many
 * threads that share the heap and the work, and says in one line what came of it: in the
 * log, and in debugfs, goalloc_gcbench/result. That directory also has samples.
 *
 *	insmod goalloc_gcbench.ko work=trees depth=16 threads=4 percent=100
 *
 * It fails if a node was missing, or if something else is in use in the end than what the
 * program keeps.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include <goalloc_gc.h>
#include <goalloc_stats.h>

#include "gcbench.h"

static char *work = "trees";
module_param(work, charp, 0444);
MODULE_PARM_DESC(work, "which program: trees, gcbench");

unsigned int gcbench_depth = 14;
module_param_named(depth, gcbench_depth, uint, 0444);
MODULE_PARM_DESC(depth, "depth of the tree that stays, 4 to 24");

unsigned int gcbench_threads = 1;
module_param_named(threads, gcbench_threads, uint, 0444);
MODULE_PARM_DESC(threads, "how many threads share the work, 1 to 64");

static int percent = 100;
module_param(percent, int, 0444);
MODULE_PARM_DESC(percent, "how much may be allocated until the next collection, in percent");

static bool waits;
module_param(waits, bool, 0444);
MODULE_PARM_DESC(waits, "take the time that threads are held up for, which costs time");

/* Times of each thread that are kept; a collection has few. */
#define WAITS 16384U
#define MAX_THREADS 64U

void *gcbench_kept[2];

/* The last one is the loader's own: it begins, and ends. */
static struct gcbench_thread mutators[MAX_THREADS + 1];
static const struct gcbench_work *program;
static struct goalloc_gc *gc;
static DECLARE_COMPLETION(all_done);
static struct dentry *dir;
static char result[512];

/**
 * gcbench_wait - a safe point that somebody waits for
 * @t: the thread
 *
 * Until everybody has been told to stop it goes on at once. If it sleeps it was held up:
 * while others came to their safe points, and for what the collector did then.
 */
void gcbench_wait(struct gcbench_thread *t)
{
	unsigned long slept = current->nvcsw;
	u64 ns;

	t->asked++;
	if (!waits) {
		goalloc_safepoint(&t->m);
		return;
	}
	ns = ktime_get_ns();
	goalloc_safepoint(&t->m);
	ns = ktime_get_ns() - ns;
	t->asked_ns += ns;
	if (current->nvcsw != slept && t->nr_waits < WAITS)
		t->wait[t->nr_waits++] = min_t(u64, ns, U32_MAX);
}

/* A part of the work, as a mutator. */
static void part(struct gcbench_thread *t, void (*fn)(struct gcbench_thread *t))
{
	goalloc_enter(gc, &t->m);
	fn(t);
	goalloc_exit(&t->m);
}

static int member(void *arg)
{
	struct gcbench_thread *t = arg;

	part(t, program->run);
	complete(&all_done);
	return 0;
}

/* All threads at once. */
static int run_threads(void)
{
	unsigned int nr, i;
	int err = 0;

	for (nr = 0; nr < gcbench_threads; nr++) {
		struct task_struct *task = kthread_create(member, &mutators[nr],
							  "gcbench/%u", nr);

		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		mutators[nr].task = get_task_struct(task);
	}
	for (i = 0; i < nr && !err; i++)
		wake_up_process(mutators[i].task);
	for (i = 0; i < nr && !err; i++)
		wait_for_completion(&all_done);
	/* One that is not awake yet does not begin; one that is done is waited for. */
	for (i = 0; i < nr; i++) {
		kthread_stop(mutators[i].task);
		put_task_struct(mutators[i].task);
	}
	return err;
}

static int by_size(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* All times that mutators were held up, in one array that is sorted. */
static u32 *all_waits(unsigned int *nr)
{
	unsigned int i, n = 0;
	u32 *all;

	for (i = 0; i <= gcbench_threads; i++)
		n += mutators[i].nr_waits;
	/* There is a first one in any case, to be looked at. */
	all = vcalloc(n + 1, sizeof(*all));
	if (!all)
		return NULL;
	*nr = n;
	for (i = 0, n = 0; i <= gcbench_threads; n += mutators[i++].nr_waits)
		memcpy(all + n, mutators[i].wait, mutators[i].nr_waits * sizeof(*all));
	sort(all, n, sizeof(*all), by_size, NULL);
	return all;
}

/* What came of it; @st is from when the time was taken. */
static int report(u64 ns, const struct goalloc_gc_stats *st)
{
	u64 nodes = 0, wanted = program->nodes(), kept = program->kept();
	u64 asked = 0, asked_ns = 0;
	struct goalloc_gc_stats after;
	unsigned int nr, i;
	bool failed = false;
	u32 *wait;

	for (i = 0; i <= gcbench_threads; i++) {
		nodes += mutators[i].nodes;
		asked += mutators[i].asked;
		asked_ns += mutators[i].asked_ns;
		failed |= mutators[i].failed;
	}
	/* What the program keeps, and nothing else. */
	goalloc_gc(gc);
	goalloc_gc_get_stats(gc, &after);
	failed |= nodes != wanted || after.live_objects != kept || after.bad_pointers;
	wait = all_waits(&nr);
	if (!wait)
		return -ENOMEM;
	scnprintf(result, sizeof(result),
		  "work=%s depth=%u threads=%u percent=%d ok=%d nodes=%llu wanted=%llu kept=%llu live=%llu ns=%llu cycles=%llu peak=%llu bytes=%llu mark_ns=%llu assist_ns=%llu stop_ns=%llu stop_max_ns=%llu asked=%llu asked_ns=%llu waits=%u wait_p50=%u wait_p99=%u wait_max=%u",
		  program->name, gcbench_depth, gcbench_threads, percent, !failed, nodes,
		  wanted, kept, after.live_objects, ns, st->cycles, gcbench_sample_peak(),
		  after.live_bytes, st->mark_ns, st->assist_ns, st->stop_total_ns, st->stop_ns,
		  asked, asked_ns, nr, wait[nr / 2], wait[nr * 99 / 100], wait[nr ? nr - 1 : 0]);
	vfree(wait);
	pr_info("%s\n", result);
	return failed ? -EIO : 0;
}

static int run(void)
{
	struct gcbench_thread *self = &mutators[gcbench_threads];
	struct goalloc_gc_stats st;
	struct goalloc_root root;
	u64 begin, ns;
	int err;

	goalloc_root_add(gc, &root, gcbench_kept, ARRAY_SIZE(gcbench_kept));
	err = gcbench_sample_start(gc);
	if (err)
		goto out;
	begin = ktime_get_ns();
	part(self, program->begin);
	err = run_threads();
	part(self, program->end);
	ns = ktime_get_ns() - begin;
	goalloc_gc_get_stats(gc, &st);
	gcbench_sample_stop();
	if (!err)
		err = report(ns, &st);
out:
	gcbench_sample_stop();
	goalloc_root_remove(gc, &root);
	return err;
}

static int result_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", result);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static void clean_up(void)
{
	unsigned int i;

	debugfs_remove(dir);
	gcbench_sample_exit();
	for (i = 0; i <= gcbench_threads; i++)
		vfree(mutators[i].wait);
}

static int prepare(void)
{
	/* A heap that would take all there is fails, and nobody else; it has metadata, too. */
	const struct goalloc_gc_attr attr = {
		.percent = percent,
		.limit = ((u64)si_mem_available() << PAGE_SHIFT) / 3 * 2,
	};
	unsigned int i;

	for (i = 0; i <= gcbench_threads; i++) {
		mutators[i].nr = i;
		mutators[i].wait = vcalloc(WAITS, sizeof(*mutators[i].wait));
		if (!mutators[i].wait)
			return -ENOMEM;
	}
	gc = goalloc_gc_create("gcbench", &attr);
	return PTR_ERR_OR_ZERO(gc);
}

static int __init gcbench_init(void)
{
	int err;

	if (!strcmp(work, gcbench_trees.name))
		program = &gcbench_trees;
	else if (!strcmp(work, gcbench_boehm.name))
		program = &gcbench_boehm;
	else
		return -EINVAL;
	if (gcbench_depth < GCBENCH_MIN_DEPTH || gcbench_depth > 24 ||
	    !gcbench_threads || gcbench_threads > MAX_THREADS)
		return -EINVAL;
	err = prepare();
	if (!err)
		err = run();
	goalloc_gc_destroy(gc);
	if (err) {
		pr_err("failed: %pe\n", ERR_PTR(err));
		clean_up();
		return err;
	}
	dir = debugfs_create_dir("goalloc_gcbench", NULL);
	debugfs_create_file("result", 0444, dir, NULL, &result_fops);
	gcbench_sample_init(dir);
	return 0;
}

static void __exit gcbench_exit(void)
{
	clean_up();
}

module_init(gcbench_init);
module_exit(gcbench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Programs that are hard on a collector, in a collected heap");
