// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a collected heap: gc, what it has done, and its last collections; leaks,
 * what the last scan for leaks has found.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include <goalloc_gc.h>

#include "compat.h"
#include "debugfs.h"
#include "debugfs_show.h"
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

/* What both gc and vmstat have, there with another beginning. */
static void debugfs_gc_sums(struct seq_file *m, const struct goalloc_gc *gc,
			    const struct goalloc_gc_stats *st, const char *prefix)
{
	seq_printf(m, "%scycles %llu\n", prefix, st->cycles);
	seq_printf(m, "%sforced %llu\n", prefix, st->forced);
	seq_printf(m, "%sheap_live_bytes %llu\n", prefix, st->heap_live);
	seq_printf(m, "%sheap_marked_bytes %llu\n", prefix, st->heap_marked);
	seq_printf(m, "%sheap_goal_bytes %llu\n", prefix, st->heap_goal);
	seq_printf(m, "%strigger_bytes %llu\n", prefix, READ_ONCE(gc->trigger));
	seq_printf(m, "%sfinalized %llu\n", prefix, st->finalized);
	seq_printf(m, "%sstop_max_ns %llu\n", prefix, st->stop_ns);
	seq_printf(m, "%sstop_total_ns %llu\n", prefix, st->stop_total_ns);
	seq_printf(m, "%smark_total_ns %llu\n", prefix, st->mark_ns);
	seq_printf(m, "%sassist_total_ns %llu\n", prefix, st->assist_ns);
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
	seq_puts(m, "goalloc gc - version: 1.0\n");
	seq_printf(m, "phase %s\n", gc_phase_name(gc));
	seq_printf(m, "percent %d\n", READ_ONCE(gc->percent));
	debugfs_gc_sums(m, gc, &st, "");
	seq_printf(m, "allocs %llu\n", st.allocs);
	seq_printf(m, "frees %llu\n", st.frees);
	seq_printf(m, "live_objects %llu\n", st.live_objects);
	seq_printf(m, "tiny_allocs %llu\n", st.tiny_allocs);
	seq_printf(m, "bad_pointers %llu\n", st.bad_pointers);
	seq_printf(m, "assist_waits %llu\n", READ_ONCE(gc->assist_waits));
	seq_printf(m, "limiting %d\n", READ_ONCE(gc->limiter.limiting));
	seq_printf(m, "limited_cycle %llu\n", READ_ONCE(gc->limited_cycle));
	seq_printf(m, "pages %lld\n", (s64)atomic64_read(&gc->pages));
	seq_printf(m, "pages_swept %lld\n", (s64)atomic64_read(&gc->pages_swept));
	mutex_lock(&gc->cycle);
	debugfs_gc_records(m, gc);
	mutex_unlock(&gc->cycle);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_gc);

/**
 * debugfs_gc_vmstat - what a collected heap has in vmstat besides
 * @m: where to print
 * @gc: the collected heap
 *
 * Context: Process context.
 */
void debugfs_gc_vmstat(struct seq_file *m, struct goalloc_gc *gc)
{
	struct goalloc_gc_stats st;

	goalloc_gc_get_stats(gc, &st);
	debugfs_gc_sums(m, gc, &st, "gc_");
	seq_printf(m, "gc_cpu_total_ns %llu\n", READ_ONCE(gc->cpu_ns));
	seq_printf(m, "gc_marking %d\n", READ_ONCE(gc->phase) != GC_OFF);
}

static void debugfs_leak(struct seq_file *m, const struct gc_leak *leak)
{
	unsigned long *entries;
	unsigned int nr, i;

	seq_printf(m, "%p %8u %6u ", leak->obj, leak->size, leak->missed);
	if (leak->event.site)
		seq_printf(m, "%10u %s %pS\n", harden_now() - leak->event.when,
			   leak->type->name, (void *)leak->event.site);
	else
		seq_printf(m, "%10s %s\n", "-", leak->type->name);
	nr = harden_stack(&leak->event, &entries);
	for (i = 0; i < nr; i++)
		seq_printf(m, "    %pS\n", (void *)entries[i]);
}

/**
 * debugfs_show_leaks - print the objects that nothing reaches
 * @m: where to print
 * @heap: the heap below a collected one
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_leaks(struct seq_file *m, struct goalloc_heap *heap)
{
	struct goalloc_gc *gc = heap->gc;
	unsigned int i;

	seq_puts(m, "goalloc leaks - version: 1.0\n");
	mutex_lock(&gc->cycle);
	seq_printf(m, "# %llu scans; %llu objects of %llu bytes, %u of them here\n",
		   gc->leaks.scans, gc->leaks.found, gc->leaks.bytes, gc->leaks.nr);
	seq_printf(m, "#%-15s %8s %6s %10s %s\n", "object", "bytes", "scans", "age_ms",
		   "type allocated_by");
	for (i = 0; i < gc->leaks.nr; i++)
		debugfs_leak(m, &gc->leaks.leak[i]);
	mutex_unlock(&gc->cycle);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_leaks);

DEBUGFS_SHOW(gc);
DEBUGFS_SHOW(leaks);

/**
 * debugfs_add_gc - make the files
 * @heap: the heap below a collected one, shown already
 *
 * Context: Process context.
 */
void debugfs_add_gc(struct goalloc_heap *heap)
{
	if (IS_ERR_OR_NULL(heap->dir))
		return;
	debugfs_create_file("gc", 0444, heap->dir, heap, &gc_fops);
	if (gc_has_origins(heap->gc))
		debugfs_create_file("leaks", 0444, heap->dir, heap, &leaks_fops);
}
