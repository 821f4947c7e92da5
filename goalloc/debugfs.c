// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/goalloc: what a heap does, as text.
 *
 * stats is for people: the ledger, in which every byte is in one row and the
 * rows add up. vmstat is for programs: a name and a number per line, bytes and
 * counts, names only ever added. classes has a row per size class, nodes one per
 * NUMA node, percpu one per CPU and context level. scavenger tells what goes back
 * to the kernel. What lies where is in debugfs_spans.c and debugfs_pages.c, the
 * heap profile in debugfs_profile.c. Each heap has its files under heaps/<name>;
 * those of the default heap are at the top as well.
 *
 * Files are world-readable, can be opened for reading only, except for control
 * (see control.c), and give away no address. They are generated while
 * allocation goes on.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

#include "cache.h"
#include "compat.h"
#include "control.h"
#include "debugfs.h"
#include "debugfs_show.h"
#include "pressure.h"
#include "scavenger.h"
#include "stats.h"

#define DEBUGFS_VERSION "1.0"

static struct dentry *debugfs_root;
static struct dentry *debugfs_heaps;

static void debugfs_row(struct seq_file *m, const char *name, u64 bytes, u64 of,
			const char *what)
{
	/* Tenths of a percent; a heap that holds nothing has no shares. */
	u64 share = of ? div64_u64(bytes * 1000, of) : 0;

	seq_printf(m, "  %-14s %14llu %10llu.%llu KiB %4llu.%llu%%  %s\n", name,
		   bytes, bytes >> 10, (bytes & 1023) * 10 >> 10, share / 10,
		   share % 10, what);
}

/**
 * debugfs_show_stats - the ledger, for people
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context.
 */
void debugfs_show_stats(struct seq_file *m, struct goalloc_heap *heap)
{
	struct goalloc_stats st;
	const char *quarantine = heap->harden ? "quarantine + " : "";
	u64 sum, waste;
	int i;

	goalloc_heap_stats(heap, &st);
	sum = stats_ledger_sum(&st);

	seq_puts(m, "goalloc stats - version: " DEBUGFS_VERSION "\n");
	seq_printf(m, "# heap %s, page %lu bytes, %d size classes; shares are of held\n\n",
		   heap->name, GOALLOC_PAGE_SIZE, GOALLOC_NR_CLASSES - 1);

	debugfs_row(m, "held", st.sys_bytes, st.sys_bytes, "pages taken from the kernel");
	debugfs_row(m, "live", st.live_bytes, st.sys_bytes, "objects in use");
	debugfs_row(m, "rounding", st.rounding_bytes, st.sys_bytes,
		    "large objects: whole pages less what was requested");
	debugfs_row(m, "cached", st.cached_bytes, st.sys_bytes, "free objects in CPU caches");
	debugfs_row(m, "central", st.central_bytes, st.sys_bytes, "free objects in central spans");
	if (heap->harden)
		debugfs_row(m, "quarantine", st.quarantine_bytes, st.sys_bytes,
			    "free objects kept from reuse");
	debugfs_row(m, "tail", st.tail_bytes, st.sys_bytes, "room behind the last object of spans");
	debugfs_row(m, "page cache", st.page_cache_bytes, st.sys_bytes, "free pages in CPU caches");
	debugfs_row(m, "free pages", st.free_bytes, st.sys_bytes, "free pages in the page tree");
	debugfs_row(m, "metadata", st.metadata_bytes, st.sys_bytes,
		    "spans, bitmaps, maps, caches; beside held");
	if (st.guard_bytes)
		debugfs_row(m, "guard pool", st.guard_bytes, st.sys_bytes,
			    "pages of guarded objects; beside held");

	seq_puts(m, "\nidentities\n");
	if (sum == st.sys_bytes)
		seq_printf(m, "  held = live + rounding + cached + central + %stail + page cache + free pages: holds\n",
			   quarantine);
	else
		seq_printf(m, "  held = live + rounding + cached + central + %stail + page cache + free pages: off by %lld bytes (exact only while the heap is quiet)\n",
			   quarantine, (s64)(sum - st.sys_bytes));
	seq_printf(m, "  held = grown - released: %llu = %llu - %llu\n",
		   st.sys_bytes, st.grown_bytes, st.released_bytes);

	seq_puts(m, "\ntotals\n");
	seq_printf(m, "  objects        %14llu live, %llu allocated, %llu freed\n",
		   st.live_objects, st.allocs, st.frees);
	seq_printf(m, "  tiny objects   %14llu live\n", st.tiny_objects);
	if (st.guard_bytes || st.guard_allocs)
		seq_printf(m, "  guarded        %14llu live, %llu allocated; pool full %llu, faults %llu, damaged %llu\n",
			   st.guard_objects, st.guard_allocs, st.guard_full,
			   st.guard_faults, st.guard_damaged);
	waste = st.asked_bytes && st.alloc_bytes > st.asked_bytes ?
		div64_u64((st.alloc_bytes - st.asked_bytes) * 1000, st.asked_bytes) : 0;
	seq_printf(m, "  class rounding %11llu.%llu%% of what small objects ever requested\n",
		   waste / 10, waste % 10);
	seq_printf(m, "  page caches    %14llu hits, %llu misses, %llu%% hit\n",
		   st.page_cache_hits, st.page_cache_misses,
		   div64_u64(st.page_cache_hits * 100,
			     max(st.page_cache_hits + st.page_cache_misses, 1ULL)));
	seq_printf(m, "  drains         %14llu of a CPU's caches, %llu for being idle, %llu bytes\n",
		   st.drains, st.idle_drains, st.drained_bytes);
	seq_printf(m, "  failed         %14llu allocations\n", st.failed);
	seq_printf(m, "  bad frees      %14llu refused:", st.bad_frees);
	for (i = 0; i < NR_BAD_FREES; i++)
		seq_printf(m, " %s %lld", report_bad_free_name(i),
			   (s64)atomic64_read(&heap->nr_bad[i]));
	seq_putc(m, '\n');
	if (heap->harden)
		seq_printf(m, "  found          %14llu overflows, %llu uses after free\n",
			   st.overflows, st.use_after_frees);
	if (safe_is_on(heap))
		seq_printf(m, "  safe mode      %14llu frees ignored, %llu objects of %llu bytes from kmalloc(); the heap was found broken, see the log\n",
			   st.safe_ignored, st.safe_objects, st.safe_bytes);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_stats);

/**
 * debugfs_show_vmstat - the same numbers, for programs
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context.
 */
void debugfs_show_vmstat(struct seq_file *m, struct goalloc_heap *heap)
{
	struct goalloc_gc *gc;
	struct goalloc_stats st;
	int i;

	goalloc_heap_stats(heap, &st);
	seq_puts(m, "goalloc vmstat - version: " DEBUGFS_VERSION "\n");
	seq_printf(m, "held_bytes %llu\n", st.sys_bytes);
	seq_printf(m, "live_bytes %llu\n", st.live_bytes);
	seq_printf(m, "rounding_bytes %llu\n", st.rounding_bytes);
	seq_printf(m, "cached_bytes %llu\n", st.cached_bytes);
	seq_printf(m, "central_bytes %llu\n", st.central_bytes);
	seq_printf(m, "quarantine_bytes %llu\n", st.quarantine_bytes);
	seq_printf(m, "tail_bytes %llu\n", st.tail_bytes);
	seq_printf(m, "page_cache_bytes %llu\n", st.page_cache_bytes);
	seq_printf(m, "free_bytes %llu\n", st.free_bytes);
	seq_printf(m, "metadata_bytes %llu\n", st.metadata_bytes);
	seq_printf(m, "grown_bytes %llu\n", st.grown_bytes);
	seq_printf(m, "released_bytes %llu\n", st.released_bytes);
	seq_printf(m, "live_objects %llu\n", st.live_objects);
	seq_printf(m, "allocs %llu\n", st.allocs);
	seq_printf(m, "frees %llu\n", st.frees);
	seq_printf(m, "asked_bytes %llu\n", st.asked_bytes);
	seq_printf(m, "alloc_bytes %llu\n", st.alloc_bytes);
	seq_printf(m, "tiny_objects %llu\n", st.tiny_objects);
	seq_printf(m, "page_cache_hits %llu\n", st.page_cache_hits);
	seq_printf(m, "page_cache_misses %llu\n", st.page_cache_misses);
	seq_printf(m, "drains %llu\n", st.drains);
	seq_printf(m, "idle_drains %llu\n", st.idle_drains);
	seq_printf(m, "drained_bytes %llu\n", st.drained_bytes);
	seq_printf(m, "guard_bytes %llu\n", st.guard_bytes);
	seq_printf(m, "guard_objects %llu\n", st.guard_objects);
	seq_printf(m, "guard_allocs %llu\n", st.guard_allocs);
	seq_printf(m, "guard_full %llu\n", st.guard_full);
	seq_printf(m, "guard_faults %llu\n", st.guard_faults);
	seq_printf(m, "guard_damaged %llu\n", st.guard_damaged);
	seq_printf(m, "failed %llu\n", st.failed);
	for (i = 0; i < NR_BAD_FREES; i++)
		seq_printf(m, "bad_frees_%s %lld\n", report_bad_free_name(i),
			   (s64)atomic64_read(&heap->nr_bad[i]));
	seq_printf(m, "overflows %llu\n", st.overflows);
	seq_printf(m, "use_after_frees %llu\n", st.use_after_frees);
	seq_printf(m, "safe_mode %d\n", safe_is_on(heap));
	seq_printf(m, "safe_ignored_frees %llu\n", st.safe_ignored);
	seq_printf(m, "safe_objects %llu\n", st.safe_objects);
	seq_printf(m, "safe_bytes %llu\n", st.safe_bytes);
	/* Pairs with goalloc_gc_create(). */
	gc = smp_load_acquire(&heap->gc);
	if (gc)
		debugfs_gc_vmstat(m, gc);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_vmstat);

static void debugfs_show_use(struct seq_file *m, const u64 *use)
{
	unsigned int i;

	for (i = 0; i < STATS_DECILES; i++)
		seq_printf(m, " %7llu", use[i]);
	seq_putc(m, '\n');
}

/**
 * debugfs_show_classes - a row per size class
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context.
 */
void debugfs_show_classes(struct seq_file *m, struct goalloc_heap *heap)
{
	u64 all_full[STATS_DECILES] = {};
	struct large_stats ls;
	unsigned int i;

	seq_puts(m, "goalloc classes - version: " DEBUGFS_VERSION "\n");
	seq_puts(m, "# size: bytes per object; pages: goalloc pages per span; waste: bytes held for the class and not in live objects\n");
	seq_puts(m, "# locks: times that a central's lock was taken; contended: of these, times that it was not free\n");
	seq_puts(m, "# 10% ... 100%: spans by the share of their slots that is out of them, in objects or in lists of CPU caches\n");
	seq_printf(m, "#%4s %6s %5s %5s %12s %12s %10s %10s %10s %8s %8s %8s %12s %10s %9s",
		   "cls", "size", "pages", "objs", "allocs", "frees", "live",
		   "cached", "central", "spans", "full", "partial", "waste",
		   "locks", "contended");
	for (i = 1; i <= STATS_DECILES; i++)
		seq_printf(m, " %6u%%", i * 100 / STATS_DECILES);
	seq_putc(m, '\n');
	for (i = 1; i <= GOALLOC_NR_BINS; i++) {
		/* The tiny bin comes last. */
		unsigned int bin = i % GOALLOC_NR_BINS;
		struct span_shape shape = span_shape_small(bin);
		struct bin_stats bs;
		char name[8];

		stats_bin(heap, bin, &bs);
		if (bin == GOALLOC_TINY_BIN)
			snprintf(name, sizeof(name), "tiny");
		else
			snprintf(name, sizeof(name), "%u", bin);
		seq_printf(m, "%5s %6u %5u %5u %12llu %12llu %10llu %10llu %10llu %8llu %8llu %8llu %12llu %10llu %9llu",
			   name, shape.elemsize, shape.npages, shape.nelems,
			   bs.allocs, bs.frees, bs.allocs - bs.frees, bs.cached,
			   bs.central, bs.spans, bs.full, bs.partial,
			   bs.spans * (shape.npages << GOALLOC_PAGE_SHIFT) -
			   (bs.allocs - bs.frees) * shape.elemsize, bs.locks,
			   bs.contended);
		debugfs_show_use(m, bs.use);
	}
	stats_large(heap, &ls);
	seq_printf(m, "%5s %6s %5s %5u %12llu %12llu %10llu %10u %10u %8llu %8llu %8u %12llu %10s %9s",
		   "large", "-", "-", 1, ls.allocs, ls.frees,
		   ls.allocs - ls.frees, 0, 0, ls.allocs - ls.frees,
		   ls.allocs - ls.frees, 0,
		   (ls.pages << GOALLOC_PAGE_SHIFT) - ls.asked, "-", "-");
	all_full[STATS_DECILES - 1] = ls.allocs - ls.frees;
	debugfs_show_use(m, all_full);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_classes);

/**
 * debugfs_show_scavenger - what is given back to the kernel, and how fast
 * @m: where to print
 * @heap: the heap; the lines of the thread are about all heaps
 *
 * Context: Process context.
 */
void debugfs_show_scavenger(struct seq_file *m, struct goalloc_heap *heap)
{
	struct scavenger_stats st;
	struct pressure_stats ps;

	scavenger_read(&st);
	seq_puts(m, "goalloc scavenger - version: " DEBUGFS_VERSION "\n");
	seq_puts(m, "# heap: this heap, bytes; thread: all heaps since loading; ratio: time worked per 10^6 of time slept\n");
	seq_printf(m, "heap_held_bytes %llu\n",
		   (u64)atomic64_read(&heap->held) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "heap_goal_bytes %llu\n",
		   scavenger_goal(heap) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "heap_soft_limit_bytes %llu\n",
		   READ_ONCE(heap->soft_limit) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "heap_limit_bytes %llu\n",
		   READ_ONCE(heap->limit) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "all_held_bytes %llu\n",
		   (u64)atomic64_read(&heap->space->held) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "all_soft_limit_bytes %llu\n",
		   READ_ONCE(heap->space->soft_limit) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "all_limit_bytes %llu\n",
		   READ_ONCE(heap->space->limit) << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "thread_parked %d\n", st.parked);
	seq_printf(m, "thread_slices %llu\n", st.slices);
	seq_printf(m, "thread_worked_ns %llu\n", st.worked_ns);
	seq_printf(m, "thread_slept_ns %llu\n", st.slept_ns);
	seq_printf(m, "thread_ratio %llu\n", st.ratio);
	seq_printf(m, "thread_released_bytes %llu\n", st.released << GOALLOC_PAGE_SHIFT);
	seq_printf(m, "thread_generations %llu\n", st.generations);
	seq_printf(m, "thread_parks %llu\n", st.parks);
	pressure_read(&ps);
	seq_printf(m, "shrinker_scans %llu\n", ps.scans);
	seq_printf(m, "shrinker_released_bytes %llu\n", ps.pages << PAGE_SHIFT);
	seq_printf(m, "shrinker_drains %llu\n", ps.drains);
	seq_printf(m, "shrinker_busy %llu\n", ps.busy);
	seq_printf(m, "oom_calls %llu\n", ps.ooms);
	seq_printf(m, "oom_released_bytes %llu\n", ps.oom_pages << PAGE_SHIFT);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_scavenger);

/**
 * debugfs_show_nodes - a row per NUMA node
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context.
 */
void debugfs_show_nodes(struct seq_file *m, struct goalloc_heap *heap)
{
	const struct node_order *order = &heap->space->order;
	int nid, i;

	seq_puts(m, "goalloc nodes - version: " DEBUGFS_VERSION "\n");
	seq_puts(m, "# bytes; held = large + small + pcache + free; rfrees: objects that CPUs of other nodes brought home, in rvisits visits with a lock each\n");
	seq_puts(m, "# memory: no if the kernel has none to give there; near: where memory comes from in turn, node:distance\n");
	seq_printf(m, "#%4s %6s %12s %12s %12s %12s %12s %14s %14s %10s %10s  %s\n",
		   "node", "memory", "held", "large", "small", "pcache", "free",
		   "grown", "released", "rfrees", "rvisits", "near");
	for (nid = 0; nid < heap->nr_nodes; nid++) {
		struct heap_node *node = heap_near(heap, nid, 0);
		struct node_stats ns = {};

		if (node)
			stats_node(node, &ns);
		seq_printf(m, "%5d %6s %12llu %12llu %12llu %12llu %12llu %14llu %14llu %10llu %10llu  ",
			   nid, node && !READ_ONCE(node->gone) ? "yes" : "no",
			   ns.held, ns.large, ns.small, ns.page_cache, ns.free,
			   ns.grown, ns.released, ns.remote_frees, ns.remote_visits);
		for (i = 0; i < heap->nr_nodes; i++) {
			node = heap_near(heap, nid, i);
			if (node && !READ_ONCE(node->gone))
				seq_printf(m, "%d:%u ", node->nid,
					   node_order_distance(order, nid, i));
		}
		seq_putc(m, '\n');
	}
}
GOALLOC_EXPORT_KUNIT(debugfs_show_nodes);

static void debugfs_percpu_pages(struct seq_file *m, struct goalloc_heap *heap,
				 unsigned int cpu)
{
	const struct cpu_pages *pages = per_cpu_ptr(heap->cpu_pages, cpu);
	/* Their CPU goes on meanwhile: races by intention. */
	u64 used = hweight64(data_race(READ_ONCE(pages->cache.cache)));
	/* The same. */
	u64 hits = data_race(READ_ONCE(pages->hits));
	/* The same. */
	u64 misses = data_race(READ_ONCE(pages->misses));
	/* The same. */
	u64 fills = data_race(READ_ONCE(pages->fills));

	if (!fills)
		return;
	seq_printf(m, "%5u %-7s %10llu %10llu %10llu %12llu %12llu %10llu %12s %10s %10s %8s %8s %12s\n",
		   cpu, "pages", (u64)cpu_pages_max(heap) << GOALLOC_PAGE_SHIFT,
		   used << GOALLOC_PAGE_SHIFT, used << GOALLOC_PAGE_SHIFT,
		   hits + misses, hits, fills,
		   "-", "-", "-", "-", "-", "-");
}

/**
 * debugfs_show_percpu - a row per cache
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context.
 */
void debugfs_show_percpu(struct seq_file *m, struct goalloc_heap *heap)
{
	static const char *const names[CACHE_LEVELS] = { "task", "softirq", "hardirq", "nmi" };
	unsigned int cpu, level;
	struct level_stats ls;

	seq_puts(m, "goalloc percpu - version: " DEBUGFS_VERSION "\n");
	seq_puts(m, "# allowed, charged, used: bytes; charged: room of the lists, used or not, and what can be handed out of spans\n");
	seq_puts(m, "# hits: allocations without a refill; passed: frees for which there was no room; steals: classes that gave up theirs for another\n");
	seq_puts(m, "# denied: spans that did not fit; remote: frees of other nodes' objects; a row for what was used at least once\n");
	seq_printf(m, "#%4s %-7s %10s %10s %10s %12s %12s %10s %12s %10s %10s %8s %8s %12s\n",
		   "cpu", "level", "allowed", "charged", "used", "allocs", "hits",
		   "refills", "frees", "flushes", "passed", "steals", "denied", "remote");
	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			if (!stats_level(heap, cpu, level, &ls))
				continue;
			seq_printf(m, "%5u %-7s %10llu %10llu %10llu %12llu %12llu %10llu %12llu %10llu %10llu %8llu %8llu %12llu\n",
				   cpu, names[level], ls.allowed, ls.charged, ls.used,
				   ls.allocs, ls.allocs - min(ls.allocs, ls.refills),
				   ls.refills, ls.frees, ls.flushes, ls.passed,
				   ls.steals, ls.denied, ls.remote);
		}
		debugfs_percpu_pages(m, heap, cpu);
	}
}
GOALLOC_EXPORT_KUNIT(debugfs_show_percpu);

DEBUGFS_SHOW(stats);
DEBUGFS_SHOW(vmstat);
DEBUGFS_SHOW(classes);
DEBUGFS_SHOW(nodes);
DEBUGFS_SHOW(pageheap);
DEBUGFS_SHOW(percpu);
DEBUGFS_SHOW(scavenger);

static void debugfs_add_files(struct goalloc_heap *heap, struct dentry *dir)
{
	debugfs_create_file("stats", 0444, dir, heap, &stats_fops);
	debugfs_create_file("vmstat", 0444, dir, heap, &vmstat_fops);
	debugfs_create_file("classes", 0444, dir, heap, &classes_fops);
	debugfs_create_file("nodes", 0444, dir, heap, &nodes_fops);
	debugfs_create_file("spans", 0444, dir, heap, &debugfs_spans_fops);
	debugfs_create_file("pageheap", 0444, dir, heap, &pageheap_fops);
	debugfs_create_file("heapmap", 0444, dir, heap, &debugfs_heapmap_fops);
	debugfs_create_file("percpu", 0444, dir, heap, &percpu_fops);
	debugfs_create_file("scavenger", 0444, dir, heap, &scavenger_fops);
	debugfs_add_profile(dir, heap);
}

/**
 * debugfs_add_heap - show a heap under heaps/
 * @heap: a heap that is complete
 *
 * A second heap of the same name is not shown.
 *
 * Context: Process context.
 */
void debugfs_add_heap(struct goalloc_heap *heap)
{
	heap->dir = debugfs_create_dir(heap->name, debugfs_heaps);
	if (IS_ERR(heap->dir))
		return;
	debugfs_add_files(heap, heap->dir);
	control_add_file(heap->dir, heap);
}

/**
 * debugfs_remove_heap - stop showing a heap
 * @heap: the heap; readers are waited for
 *
 * Context: Process context, may sleep.
 */
void debugfs_remove_heap(struct goalloc_heap *heap)
{
	debugfs_remove_recursive(heap->dir);
	heap->dir = NULL;
}

/**
 * debugfs_init - make the directory and show the default heap
 * @heap: the default heap
 *
 * Nothing depends on debugfs being there, so errors are not ours to handle.
 *
 * Context: Process context.
 */
void debugfs_init(struct goalloc_heap *heap)
{
	debugfs_root = debugfs_create_dir("goalloc", NULL);
	debugfs_heaps = debugfs_create_dir("heaps", debugfs_root);
	debugfs_add_files(heap, debugfs_root);
	control_add_file(debugfs_root, NULL);
	debugfs_add_shim(debugfs_root);
	debugfs_add_heap(heap);
}

/**
 * debugfs_exit - remove everything; readers are waited for
 *
 * Context: Process context, may sleep.
 */
void debugfs_exit(void)
{
	debugfs_remove_recursive(debugfs_root);
	debugfs_root = NULL;
	debugfs_heaps = NULL;
}
