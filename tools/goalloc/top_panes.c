// SPDX-License-Identifier: GPL-2.0-only
/* goalloc top: lines of text from samples; the summary, the ledger, the page heap. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spark.h"
#include "top.h"

#define BAR_MAX 40

const char *const pane_names[NR_PANES] = {
	"ledger", "classes", "CPUs", "page heap", "sites", "gc",
};

void page_add(struct page *page, enum style style, const char *format, ...)
{
	struct page_line *line;
	va_list args;

	/* At 0 and at each power of two there is no room left. */
	if (!(page->nr & (page->nr - 1)))
		page->line = xrealloc_array(page->line, page->nr ? 2 * page->nr : 1,
					    sizeof(*page->line));
	line = &page->line[page->nr++];
	line->style = style;
	va_start(args, format);
	if (vasprintf(&line->text, format, args) < 0)
		die(STATUS_TROUBLE, "out of memory");
	va_end(args);
}

void page_free(struct page *page)
{
	size_t i;

	for (i = 0; i < page->nr; i++)
		free(page->line[i].text);
	free(page->line);
	memset(page, 0, sizeof(*page));
}

void top_spark(const struct history *history, unsigned int columns, char *out)
{
	unsigned int nr = history ? history->nr : 0;

	*out = '\0';
	if (columns > HISTORY)
		columns = HISTORY;
	if (nr > columns)
		spark_line(out, history->value + nr - columns, columns);
	else if (nr)
		spark_line(out, history->value, nr);
}

void top_summary(const struct top *top, struct page *page)
{
	const struct heap *heap = top_now(top);
	char held[BYTES_LEN], live[BYTES_LEN], meta[BYTES_LEN], a[BYTES_LEN], f[BYTES_LEN];
	char g[BYTES_LEN], r[BYTES_LEN], clock[16], spark[SPARK_BYTES(HISTORY)];
	int64_t bad = heap_bad_frees(heap), failed = heap_stat(heap, "failed");
	time_t seconds = top->now.time;
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
	page_add(page, STYLE_TITLE, "goalloc %s  %s  every %.1f s  heap %zu of %zu", heap->name,
		 clock, top->delay, top->heap + 1, top->nr_heaps);
	page_add(page, STYLE_PLAIN, "held %-7s live %-7s %5.1f%%  metadata %-7s objects %lld",
		 format_bytes(held, heap_stat(heap, "held_bytes")),
		 format_bytes(live, heap_stat(heap, "live_bytes")),
		 percent(heap_stat(heap, "live_bytes"), heap_stat(heap, "held_bytes")),
		 format_bytes(meta, heap_stat(heap, "metadata_bytes")),
		 (long long)heap_stat(heap, "live_objects"));
	page_add(page, STYLE_PLAIN, "per second: allocs %-6s frees %-6s grown %-7s back %-7s",
		 format_count(a, top_stat_rate(top, "allocs")),
		 format_count(f, top_stat_rate(top, "frees")),
		 format_bytes(g, top_stat_rate(top, "grown_bytes")),
		 format_bytes(r, top_stat_rate(top, "released_bytes")));
	top_spark(top_history(top, "allocs"), page->width > 24 ? page->width - 20 : 4, spark);
	page_add(page, STYLE_PLAIN, "allocs/s %s", spark);
	if (bad || failed)
		page_add(page, STYLE_BAD, "%lld bad frees refused, %lld allocations failed",
			 (long long)bad, (long long)failed);
	if (heap_stat(heap, "safe_mode"))
		page_add(page, STYLE_BAD,
			 "SAFE MODE: the heap was found broken, see the kernel's log");
}

static void ledger_row(const struct top *top, struct page *page, const char *stat,
		       const char *name)
{
	const struct heap *heap = top_now(top);
	int64_t bytes = heap_stat(heap, stat), held = heap_stat(heap, "held_bytes");
	unsigned int columns = page->width > 60 ? page->width - 56 : 4;
	char human[BYTES_LEN], rate[BYTES_LEN], bar[SPARK_BYTES(BAR_MAX)];

	spark_bar(bar, percent(bytes, held) / 100, columns > BAR_MAX ? BAR_MAX : columns);
	page_add(page, STYLE_PLAIN, "%-12s %14lld %7s %6.1f%% %9s  %s", name, (long long)bytes,
		 format_bytes(human, bytes), percent(bytes, held),
		 format_bytes(rate, top_stat_rate(top, stat)), bar);
}

static void ledger_pane(const struct top *top, struct page *page)
{
	const struct heap *heap = top_now(top);
	int64_t off = heap_ledger_sum(heap) - heap_stat(heap, "held_bytes");
	int64_t hits = heap_stat(heap, "page_cache_hits");
	int64_t misses = heap_stat(heap, "page_cache_misses");
	size_t i;

	page_add(page, STYLE_HEAD, "%-12s %14s %7s %7s %9s  share of held", "LEDGER", "BYTES", "",
		 "SHARE", "CHANGE/s");
	ledger_row(top, page, "held_bytes", "held");
	for (i = 0; i < ARRAY_SIZE(ledger_rows); i++)
		ledger_row(top, page, ledger_rows[i].stat, ledger_rows[i].name);
	ledger_row(top, page, "metadata_bytes", "metadata");
	page_add(page, off ? STYLE_BAD : STYLE_PLAIN,
		 off ? "rows less held: %+lld bytes, as the heap is in use" :
		       "the rows add up to what is held",
		 (long long)off);
	page_add(page, STYLE_PLAIN,
		 "page caches hit %.1f%%; drains %lld, %lld for being idle; bad frees %lld; failed %lld",
		 percent(hits, hits + misses), (long long)heap_stat(heap, "drains"),
		 (long long)heap_stat(heap, "idle_drains"), (long long)heap_bad_frees(heap),
		 (long long)heap_stat(heap, "failed"));
	if (heap->parts & PART_SCAVENGER) {
		char goal[BYTES_LEN], soft[BYTES_LEN], hard[BYTES_LEN];
		int64_t soft_limit = pairs_num(&heap->scavenger, "heap_soft_limit_bytes");
		int64_t limit = pairs_num(&heap->scavenger, "heap_limit_bytes");

		page_add(page, STYLE_PLAIN, "scavenger: goal %s, %s; soft limit %s, limit %s",
			 format_bytes(goal, pairs_num(&heap->scavenger, "heap_goal_bytes")),
			 pairs_num(&heap->scavenger, "thread_parked") ? "parked" : "at work",
			 soft_limit ? format_bytes(soft, soft_limit) : "none",
			 limit ? format_bytes(hard, limit) : "none");
	}
}

static void pages_node(struct page *page, const struct pageheap *ph, int64_t node,
		       int64_t page_size)
{
	char owned[BYTES_LEN], free_bytes[BYTES_LEN], used[BYTES_LEN], longest[BYTES_LEN];
	int64_t free_pages = pageheap_num(ph, node, "free_pages");
	int64_t owned_pages = pageheap_num(ph, node, "owned_pages");
	const char *search = "?";
	size_t i;

	for (i = 0; i < ph->nr_values; i++)
		if (ph->values[i].node == node && !strcmp(ph->values[i].name, "search_page"))
			search = ph->values[i].value.text;
	page_add(page, STYLE_PLAIN, "%4lld %8s %8s %8s %5.1f%% %8lld %8lld %9s %12s",
		 (long long)node, format_bytes(owned, owned_pages * page_size),
		 format_bytes(used, pageheap_num(ph, node, "used_pages") * page_size),
		 format_bytes(free_bytes, free_pages * page_size),
		 percent(free_pages, owned_pages),
		 (long long)pageheap_num(ph, node, "owned_chunks"),
		 (long long)pageheap_num(ph, node, "full_chunks"),
		 format_bytes(longest, pageheap_num(ph, node, "longest_run_pages") * page_size),
		 search);
}

/* Free runs of a length, of all nodes. */
static void pages_runs(struct page *page, const struct pageheap *ph)
{
	unsigned int columns = page->width > 60 ? page->width - 40 : 20;
	int64_t all = pageheap_num(ph, -1, "free_pages");
	size_t i, j;

	page_add(page, STYLE_HEAD, "%19s %8s %9s  share of free pages", "FREE RUNS OF PAGES", "RUNS",
		 "PAGES");
	for (i = 0; i < ph->nr_runs; i++) {
		char bar[SPARK_BYTES(BAR_MAX)], range[48];
		int64_t runs = 0, pages = 0;
		bool shown = false;

		/* The same length on other nodes; shown where it comes first. */
		for (j = 0; j < ph->nr_runs; j++) {
			if (ph->runs[j].min != ph->runs[i].min)
				continue;
			shown |= j < i;
			runs += ph->runs[j].runs;
			pages += ph->runs[j].pages;
		}
		if (shown)
			continue;
		snprintf(range, sizeof(range), "%lld-%lld", (long long)ph->runs[i].min,
			 (long long)ph->runs[i].max);
		spark_bar(bar, percent(pages, all) / 100, columns > BAR_MAX ? BAR_MAX : columns);
		page_add(page, STYLE_PLAIN, "%19s %8lld %9lld  %s", range, (long long)runs,
			 (long long)pages, bar);
	}
}

static void nodes_table(const struct top *top, struct page *page)
{
	const struct table *t = &top_now(top)->nodes;
	char held[BYTES_LEN], large[BYTES_LEN], small[BYTES_LEN], pcache[BYTES_LEN];
	char free_bytes[BYTES_LEN], home[BYTES_LEN];
	size_t i;

	page_add(page, STYLE_HEAD, "%4s %8s %8s %8s %8s %8s %10s  %s", "NODE", "HELD", "LARGE",
		 "SMALL", "PCACHE", "FREE", "HOMECOMING", "NEAR");
	for (i = 0; i < t->nrows; i++)
		page_add(page, STYLE_PLAIN, "%4s %8s %8s %8s %8s %8s %10s  %s",
			 table_text(t, i, "node"),
			 format_bytes(held, table_num(t, i, "held")),
			 format_bytes(large, table_num(t, i, "large")),
			 format_bytes(small, table_num(t, i, "small")),
			 format_bytes(pcache, table_num(t, i, "pcache")),
			 format_bytes(free_bytes, table_num(t, i, "free")),
			 format_count(home, table_num(t, i, "rfrees")),
			 table_text(t, i, "near"));
}

static void pages_pane(const struct top *top, struct page *page)
{
	const struct heap *heap = top_now(top);
	const struct pageheap *ph = &heap->pageheap;
	size_t i;

	if (heap->parts & PART_PAGEHEAP) {
		page_add(page, STYLE_HEAD, "%4s %8s %8s %8s %6s %8s %8s %9s %12s", "NODE",
			 "OWNED", "USED", "FREE", "FREE", "CHUNKS", "FULL", "LONGEST", "SEARCH PAGE");
		for (i = 0; i < ph->nr_values; i++)
			if (!i || ph->values[i].node != ph->values[i - 1].node)
				pages_node(page, ph, ph->values[i].node, heap_page_size(heap));
		pages_runs(page, ph);
	} else {
		page_add(page, STYLE_HEAD, "PAGE HEAP");
		page_add(page, STYLE_PLAIN, "this module has no file \"pageheap\"");
	}
	if (heap->parts & PART_NODES)
		nodes_table(top, page);
}

/* Only collected heaps have a collector. */
bool top_has_pane(const struct top *top, enum pane pane)
{
	return pane != PANE_GC || pairs_find(&top_now(top)->vmstat, "gc_cycles");
}

static void gc_row(const struct top *top, struct page *page, const char *stat, const char *name,
		   int64_t most)
{
	int64_t bytes = heap_stat(top_now(top), stat);
	unsigned int columns = page->width > 60 ? page->width - 56 : 4;
	char human[BYTES_LEN], bar[SPARK_BYTES(BAR_MAX)];

	/* With GOALLOC_GC_OFF there is neither trigger nor goal: U64_MAX. */
	if (bytes < 0) {
		page_add(page, STYLE_PLAIN, "%-12s %14s", name, "none");
		return;
	}
	spark_bar(bar, percent(bytes, most) / 100, columns > BAR_MAX ? BAR_MAX : columns);
	page_add(page, STYLE_PLAIN, "%-12s %14lld %7s %17s  %s", name, (long long)bytes,
		 format_bytes(human, bytes), "", bar);
}

static void gc_pane(const struct top *top, struct page *page)
{
	const struct heap *heap = top_now(top);
	int64_t live = heap_stat(heap, "gc_heap_live_bytes");
	int64_t goal = heap_stat(heap, "gc_heap_goal_bytes");
	int64_t most = goal > live ? goal : live;
	int64_t cycles = heap_stat(heap, "gc_cycles");

	if (!top_has_pane(top, PANE_GC)) {
		page_add(page, STYLE_HEAD, "COLLECTOR");
		page_add(page, STYLE_PLAIN, "the heap is no collected one");
		return;
	}
	page_add(page, STYLE_HEAD, "%-12s %14s %7s %17s  share of the most", "COLLECTOR", "BYTES",
		 "", "");
	gc_row(top, page, "gc_heap_marked_bytes", "marked", most);
	gc_row(top, page, "gc_heap_live_bytes", "in use", most);
	gc_row(top, page, "gc_trigger_bytes", "trigger", most);
	gc_row(top, page, "gc_heap_goal_bytes", "goal", most);
	page_add(page, STYLE_PLAIN, "%s; collections %lld, forced %lld, %.2f per second",
		 heap_stat(heap, "gc_marking") ? "marking" : "not marking", (long long)cycles,
		 (long long)heap_stat(heap, "gc_forced"), top_stat_rate(top, "gc_cycles"));
	page_add(page, STYLE_PLAIN,
		 "stops: longest %.3f ms, mean %.3f ms, %.2f ms per second",
		 heap_stat(heap, "gc_stop_max_ns") / 1e6,
		 cycles ? heap_stat(heap, "gc_stop_total_ns") / 2e6 / cycles : 0,
		 top_stat_rate(top, "gc_stop_total_ns") / 1e6);
	page_add(page, STYLE_PLAIN,
		 "ms per second: marking %.1f, CPU time %.1f, of that mutators %.1f; finalized %lld",
		 top_stat_rate(top, "gc_mark_total_ns") / 1e6,
		 top_stat_rate(top, "gc_cpu_total_ns") / 1e6,
		 top_stat_rate(top, "gc_assist_total_ns") / 1e6,
		 (long long)heap_stat(heap, "gc_finalized"));
}

void top_pane(const struct top *top, enum pane pane, struct page *page)
{
	switch (pane) {
	case PANE_LEDGER:
		ledger_pane(top, page);
		break;
	case PANE_CLASSES:
		top_classes(top, page);
		break;
	case PANE_CPUS:
		top_cpus(top, page);
		break;
	case PANE_PAGES:
		pages_pane(top, page);
		break;
	case PANE_GC:
		gc_pane(top, page);
		break;
	default:
		top_sites(top, page);
		break;
	}
}
