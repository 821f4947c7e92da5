// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file gc of a collected heap: what it has done, and its last collections.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include <goalloc_gc.h>

#include "compat.h"
#include "debugfs.h"
#include "gc.h"

static const char *gc_phase_name(const struct goalloc_gc *gc)
{
	switch (READ_ONCE(gc->phase)) {
	case GC_MARK:
		return "mark";
	case GC_MARKTERM:
		return "mark termination";
	default:
		return "off";
	}
}

/* The last collections, the oldest first. */
static void debugfs_gc_records(struct seq_file *m, struct goalloc_gc *gc)
{
	u64 nr = gc->cycles > GC_RECORDS ? gc->cycles - GC_RECORDS : 0;
	char line[256];

	while (nr < gc->cycles) {
		const struct gc_record *r = &gc->records[++nr % GC_RECORDS];

		/* One whose memory could not be had, or that is going on. */
		if (r->nr != nr)
			continue;
		gc_trace_text(r, line, sizeof(line));
		seq_printf(m, "%s\n", line);
	}
}

/**
 * debugfs_show_gc - print what a collected heap has done
 * @m: where to print
 * @heap: the heap below it
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_gc(struct seq_file *m, struct goalloc_heap *heap)
{
	struct goalloc_gc *gc = heap->gc;
	struct goalloc_gc_stats st;

	goalloc_gc_get_stats(gc, &st);
	seq_puts(m, "goalloc gc - version: 1\n");
	seq_printf(m, "phase %s\n", gc_phase_name(gc));
	seq_printf(m, "percent %d\n", READ_ONCE(gc->percent));
	seq_printf(m, "cycles %llu\n", st.cycles);
	seq_printf(m, "forced %llu\n", st.forced);
	seq_printf(m, "heap_live_bytes %llu\n", st.heap_live);
	seq_printf(m, "heap_marked_bytes %llu\n", st.heap_marked);
	seq_printf(m, "heap_goal_bytes %llu\n", st.heap_goal);
	seq_printf(m, "trigger_bytes %llu\n", READ_ONCE(gc->trigger));
	seq_printf(m, "allocs %llu\n", st.allocs);
	seq_printf(m, "frees %llu\n", st.frees);
	seq_printf(m, "live_objects %llu\n", st.live_objects);
	seq_printf(m, "tiny_allocs %llu\n", st.tiny_allocs);
	seq_printf(m, "finalized %llu\n", st.finalized);
	seq_printf(m, "stop_max_ns %llu\n", st.stop_ns);
	seq_printf(m, "stop_total_ns %llu\n", st.stop_total_ns);
	seq_printf(m, "mark_total_ns %llu\n", st.mark_ns);
	seq_printf(m, "bad_pointers %llu\n", st.bad_pointers);
	mutex_lock(&gc->cycle);
	debugfs_gc_records(m, gc);
	mutex_unlock(&gc->cycle);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_gc);

static int debugfs_gc_show(struct seq_file *m, void *v)
{
	debugfs_show_gc(m, m->private);
	return 0;
}

static int debugfs_gc_open(struct inode *inode, struct file *file)
{
	/* Root may open whatever it likes, but has nothing to write here. */
	return file->f_mode & FMODE_WRITE ? -EACCES :
	       single_open(file, debugfs_gc_show, inode->i_private);
}

static const struct file_operations debugfs_gc_fops = {
	.owner = THIS_MODULE,
	.open = debugfs_gc_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * debugfs_add_gc - make the file
 * @heap: the heap below a collected one, shown already
 *
 * Context: Process context.
 */
void debugfs_add_gc(struct goalloc_heap *heap)
{
	if (!IS_ERR_OR_NULL(heap->dir))
		debugfs_create_file("gc", 0444, heap->dir, heap, &debugfs_gc_fops);
}
