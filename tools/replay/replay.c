// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_replay.ko - replay a recorded kernel allocation trace.
 *
 *	insmod goalloc_replay.ko trace=/boot.goaltrc allocator=goalloc
 *
 * replays the trace while insmod waits, with progress in the kernel log. Then
 * the objects that the trace leaves live are live, and the allocator under test
 * can be looked at:
 *
 *	/sys/kernel/debug/goalloc_replay/result		"name value" lines
 *	/sys/kernel/debug/goalloc_replay/samples	a row per window of the trace
 *	/sys/kernel/debug/goalloc_replay/release	write: free those objects
 *
 * With pace=1 it is done no faster than it was recorded, so that what allocators
 * do in the background has its time; with linger=SECONDS the samples go on for
 * so long after the last record.
 *
 * With latency=1 each call of the allocator is clocked, and the result has how
 * long they took, in ticks of get_cycles(), without what clocking takes itself.
 * Objects that replay_release() frees are not among them. With records=N the
 * replay ends after so many records, and is as that of a trace that ends there.
 *
 * After a release the result has the lines about it as well. Unloading the
 * module releases, too, and says in the log if that found an object damaged.
 *
 * The trace must be uncompressed. All memory of the replay itself comes from
 * vmalloc() and is there before the first sample, so that it does not count as
 * the allocator's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#include "replay.h"

static char *trace;
module_param(trace, charp, 0444);
MODULE_PARM_DESC(trace, "path of the trace, uncompressed");

static char *allocator = "goalloc";
module_param(allocator, charp, 0444);
MODULE_PARM_DESC(allocator, "goalloc, kmalloc, kmem_cache, vmalloc, page_frag, genalloc-first, genalloc-best or next-fit");

static bool pace;
module_param(pace, bool, 0444);
MODULE_PARM_DESC(pace, "not faster than recorded");

static unsigned int linger;
module_param(linger, uint, 0444);
MODULE_PARM_DESC(linger, "seconds to go on looking after the last record (up to 3600)");

static bool latency;
module_param(latency, bool, 0444);
MODULE_PARM_DESC(latency, "clock each call of the allocator");

static unsigned int records;
module_param(records, uint, 0444);
MODULE_PARM_DESC(records, "replay only so many records of the trace (0: all)");

/* The one replay; @replay_lock guards it from the moment debugfs shows it. */
static struct replay replay;
static DEFINE_MUTEX(replay_lock);
static struct dentry *replay_dir;

static void put_sample(struct seq_file *m, const char *when,
		       const struct replay_sample *sample)
{
	seq_printf(m, "%s_records %u\n", when, sample->records);
	seq_printf(m, "%s_objects %lld\n", when, sample->objects);
	seq_printf(m, "%s_requested %lld\n", when, sample->requested);
	seq_printf(m, "%s_allocated %lld\n", when, sample->allocated);
	seq_printf(m, "%s_held %lld\n", when, sample->held);
	seq_printf(m, "%s_taken %lld\n", when, sample->taken);
}

static void put_latency(struct seq_file *m, const char *what, const struct latency *l)
{
	seq_printf(m, "%s_calls %llu\n", what, l->n);
	seq_printf(m, "%s_ticks %llu\n", what, l->sum);
	seq_printf(m, "%s_median %llu\n", what, latency_percentile(l, 50));
	seq_printf(m, "%s_p99 %llu\n", what, latency_percentile(l, 99));
	seq_printf(m, "%s_max %llu\n", what, l->max);
}

static int result_show(struct seq_file *m, void *unused)
{
	const struct replay *r = &replay;
	const struct replay_count *total = &r->total;

	mutex_lock(&replay_lock);
	seq_printf(m, "trace %s\n", r->info.name);
	seq_printf(m, "allocator %s\n", r->allocator->name);
	seq_printf(m, "threads %u\n", r->info.ncpu);
	seq_printf(m, "records %u\n", r->info.nrecords);
	seq_printf(m, "trace_peak_bytes %llu\n", r->info.peak_bytes);
	seq_printf(m, "trace_end_bytes %llu\n", r->info.end_bytes);
	seq_printf(m, "trace_atomic_allocs %u\n", r->info.atomic_allocs);
	seq_printf(m, "allocs %llu\n", total->allocs);
	seq_printf(m, "frees %llu\n", total->frees);
	seq_printf(m, "empty_allocs %llu\n", total->empty_allocs);
	seq_printf(m, "empty_frees %llu\n", total->empty_frees);
	seq_printf(m, "task_ops %llu\n", total->in_context[TRACE_TASK]);
	seq_printf(m, "softirq_ops %llu\n", total->in_context[TRACE_SOFTIRQ]);
	seq_printf(m, "hardirq_ops %llu\n", total->in_context[TRACE_HARDIRQ]);
	seq_printf(m, "waits %llu\n", total->waits);
	seq_printf(m, "failures %llu\n", total->failures);
	seq_printf(m, "refused %llu\n", total->refused);
	seq_printf(m, "pattern_errors %llu\n", total->pattern_errors);
	seq_printf(m, "zero_errors %llu\n", total->zero_errors);
	seq_printf(m, "align_errors %llu\n", total->align_errors);
	seq_printf(m, "short_errors %llu\n", total->short_errors);
	seq_printf(m, "run_ns %llu\n", r->run_ns);
	seq_printf(m, "base_held %llu\n", r->base_held);
	seq_printf(m, "max_held %lld\n", r->max_held);
	if (r->latency) {
		seq_printf(m, "alloc_overhead %llu\n", r->overhead_alloc);
		put_latency(m, "alloc", &r->ticks->alloc);
		seq_printf(m, "free_overhead %llu\n", r->overhead_free);
		put_latency(m, "free", &r->ticks->free);
	}
	put_sample(m, "peak", &r->peak);
	put_sample(m, "end", &r->end);
	if (r->is_released) {
		seq_printf(m, "release_ns %llu\n", r->release_ns);
		put_sample(m, "released", &r->released);
	}
	mutex_unlock(&replay_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int samples_show(struct seq_file *m, void *unused)
{
	const struct replay *r = &replay;
	u32 i;

	seq_printf(m, "#%9s %10s %12s %12s %12s\n", "ms", "records", "requested",
		   "allocated", "held");
	for (i = 0; i < r->nmoments; i++) {
		const struct replay_sample *s = &r->moments[i].sample;

		seq_printf(m, "%10u %10u %12lld %12lld %12lld\n", r->moments[i].ms,
			   s->records, s->requested, s->allocated, s->held);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(samples);

static void release_once(void)
{
	mutex_lock(&replay_lock);
	if (!replay.is_released)
		replay_release(&replay);
	mutex_unlock(&replay_lock);
}

static ssize_t release_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	release_once();
	return len;
}

static const struct file_operations release_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = release_write,
	.llseek = noop_llseek,
};

/*
 * Read a whole file into @r->file. Not by kernel_read_file(): that is for what
 * the kernel is going to trust, and security modules have a say there.
 */
static int replay_read(struct replay *r, const char *path, size_t *size)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t end, pos = 0;
	ssize_t got = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	end = i_size_read(file_inode(file));
	if (!S_ISREG(file_inode(file)->i_mode) || end <= 0 || end > INT_MAX) {
		got = -EINVAL;
		goto close;
	}
	r->file = vmalloc(end);
	if (!r->file) {
		got = -ENOMEM;
		goto close;
	}
	while (pos < end) {
		got = kernel_read(file, r->file + pos, end - pos, &pos);
		if (got <= 0)
			break;
	}
	*size = pos;
close:
	filp_close(file, NULL);
	return got < 0 ? got : 0;
}

/* Make @r's trace end after so many records, as if it had no others. */
static void replay_cut(struct replay *r, u32 nrecords)
{
	u32 i, nslots = 1;

	if (nrecords >= r->info.nrecords)
		return;
	for (i = 0; i < nrecords; i++)
		nslots = max(nslots, le32_to_cpu(r->rec[i].slot) + 1);
	r->info.nrecords = nrecords;
	/* The check is yet to come: what is more than there are it will find. */
	r->info.nslots = min(r->info.nslots, nslots);
}

/* Read the trace and check what is replayed of it; afterwards it can be trusted. */
static int replay_load(struct replay *r, const char *path)
{
	char fault[TRACE_FAULT_LEN];
	struct trace_slot *states;
	size_t size = 0;
	int err;

	err = replay_read(r, path, &size);
	if (err) {
		pr_err("%s: cannot be read: %pe\n", path, ERR_PTR(err));
		return err;
	}
	r->rec = trace_records(r->file);

	err = trace_check_header(r->file, size, &r->info, fault);
	if (err) {
		pr_err("%s: %s\n", path, fault);
		return err;
	}
	if (records)
		replay_cut(r, records);
	if (r->latency) {
		r->ticks = vzalloc(sizeof(*r->ticks));
		if (!r->ticks)
			return -ENOMEM;
	}
	r->slots = vcalloc(r->info.nslots, sizeof(*r->slots));
	r->turns = vcalloc(r->info.nrecords, sizeof(*r->turns));
	r->max_moments = replay_moments_needed(r);
	r->moments = vcalloc(r->max_moments, sizeof(*r->moments));
	states = vcalloc(r->info.nslots, sizeof(*states));
	if (!r->slots || !r->turns || !r->moments || !states) {
		pr_err("%s: no memory for %u records and %u slots\n", path,
		       r->info.nrecords, r->info.nslots);
		err = -ENOMEM;
	} else {
		err = trace_check_records(r->file, &r->info, states, r->turns, fault);
		if (err)
			pr_err("%s: %s\n", path, fault);
	}
	vfree(states);
	return err;
}

static void replay_unload(struct replay *r)
{
	vfree(r->ticks);
	vfree(r->moments);
	vfree(r->turns);
	vfree(r->slots);
	vfree(r->file);
}

static int __init replay_init(void)
{
	struct replay *r = &replay;
	int err;

	if (!trace) {
		pr_err("no trace: give trace=FILE\n");
		return -EINVAL;
	}
	if (linger > 3600) {
		pr_err("linger=%u: up to 3600\n", linger);
		return -EINVAL;
	}
	r->pace = pace;
	r->linger = linger;
	r->latency = latency;
	r->allocator = replay_allocator_find(allocator);
	if (!r->allocator) {
		pr_err("allocator=%s is not known: see modinfo\n", allocator);
		return -EINVAL;
	}
	err = replay_load(r, trace);
	if (err)
		goto unload;
	if (r->allocator->prepare) {
		err = r->allocator->prepare(r->rec, r->info.nrecords);
		if (err)
			goto unload;
	}
	err = replay_run(r);
	if (err) {
		replay_release(r);
		goto finish;
	}

	replay_dir = debugfs_create_dir("goalloc_replay", NULL);
	debugfs_create_file("result", 0444, replay_dir, NULL, &result_fops);
	debugfs_create_file("samples", 0444, replay_dir, NULL, &samples_fops);
	debugfs_create_file("release", 0200, replay_dir, NULL, &release_fops);
	return 0;

finish:
	if (r->allocator->finish)
		r->allocator->finish();
unload:
	replay_unload(r);
	return err;
}

static void __exit replay_exit(void)
{
	struct replay *r = &replay;

	debugfs_remove_recursive(replay_dir);
	release_once();
	if (r->total.pattern_errors)
		pr_err("%s through %s: %llu objects were not as they were left\n",
		       r->info.name, r->allocator->name, r->total.pattern_errors);
	if (r->allocator->finish)
		r->allocator->finish();
	replay_unload(r);
}

module_init(replay_init);
module_exit(replay_exit);
MODULE_DESCRIPTION("Replays recorded kernel allocation traces through goalloc and kmalloc");
MODULE_LICENSE("GPL");
