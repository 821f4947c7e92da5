// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a heap holds and has in use, every 10 ms while a program runs.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#include <goalloc_gc.h>
#include <goalloc_stats.h>

#include "gcbench.h"

/* Of ten minutes; later ones count for the peak only. */
#define SAMPLES 60000U

struct sample {
	u64 when;
	u64 live;
	u64 goal;
	u64 held;
	u64 cycles;
};

static struct sample *samples;
static unsigned int nr_samples;
static u64 sample_peak;
static struct task_struct *sample_task;
static struct goalloc_gc *sample_gc;

static void sample_take(void)
{
	struct goalloc_gc_stats st;
	struct goalloc_stats all;
	struct sample s;

	goalloc_heap_stats(goalloc_gc_heap(sample_gc), &all);
	goalloc_gc_get_stats(sample_gc, &st);
	s = (struct sample){
		.when = ktime_get_ns(),
		.live = st.heap_live,
		.goal = st.heap_goal,
		.held = all.sys_bytes + all.metadata_bytes,
		.cycles = st.cycles,
	};
	sample_peak = max(sample_peak, s.held);
	if (nr_samples < SAMPLES)
		samples[nr_samples++] = s;
}

static int sample_run(void *unused)
{
	while (!kthread_should_stop()) {
		sample_take();
		usleep_range(9900, 10100);
	}
	return 0;
}

/* Begin to look at a heap. */
int gcbench_sample_start(struct goalloc_gc *gc)
{
	samples = vcalloc(SAMPLES, sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	sample_gc = gc;
	sample_task = kthread_run(sample_run, NULL, "gcbench_sample");
	return PTR_ERR_OR_ZERO(sample_task);
}

/* Look for the last time; the heap may go then. */
void gcbench_sample_stop(void)
{
	if (IS_ERR_OR_NULL(sample_task))
		return;
	kthread_stop(sample_task);
	sample_task = NULL;
	sample_take();
}

/* The most that the heap has held. */
u64 gcbench_sample_peak(void)
{
	return sample_peak;
}

static int samples_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	seq_puts(m, "#ns live_bytes goal_bytes held_bytes cycles\n");
	for (i = 0; i < nr_samples; i++)
		seq_printf(m, "%llu %llu %llu %llu %llu\n", samples[i].when, samples[i].live,
			   samples[i].goal, samples[i].held, samples[i].cycles);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(samples);

void gcbench_sample_init(struct dentry *dir)
{
	debugfs_create_file("samples", 0444, dir, NULL, &samples_fops);
}

void gcbench_sample_exit(void)
{
	vfree(samples);
}
