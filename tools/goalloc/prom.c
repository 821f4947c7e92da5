// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot in Prometheus' text format, version 0.0.4.
 *
 * All samples of a metric stand together below its HELP and TYPE lines, so the
 * outer loop is over metrics and the inner one over heaps. Names of counters end
 * in _total, units are base units, as promtool wants it.
 */
#include <string.h>

#include "prom.h"

struct metric {
	const char *stat;	/* in vmstat, scavenger, or a column */
	const char *name;
	bool counter;
	const char *help;
};

static const struct metric vmstat_metrics[] = {
	{ "held_bytes", "held_bytes", false, "Pages that the heap has from the kernel." },
	{ "metadata_bytes", "metadata_bytes", false, "The heap's own structures, beside held." },
	{ "grown_bytes", "grown_bytes_total", true, "Pages ever taken from the kernel." },
	{ "released_bytes", "released_bytes_total", true,
	  "Pages ever given back to the kernel." },
	{ "live_objects", "live_objects", false, "Objects in use." },
	{ "tiny_objects", "tiny_objects", false, "Tiny objects in use." },
	{ "allocs", "allocs_total", true, "Objects ever handed out." },
	{ "frees", "frees_total", true, "Objects ever taken back." },
	{ "asked_bytes", "asked_bytes_total", true, "Bytes ever requested of small objects." },
	{ "alloc_bytes", "alloc_bytes_total", true,
	  "Bytes of the classes that small objects were served from." },
	{ "page_cache_hits", "page_cache_hits_total", true,
	  "Requests for pages that page caches served." },
	{ "page_cache_misses", "page_cache_misses_total", true,
	  "Requests for pages that went on to the page tree." },
	{ "drains", "drains_total", true, "Times that a CPU's caches were emptied." },
	{ "idle_drains", "idle_drains_total", true, "Drains of caches that were not used." },
	{ "drained_bytes", "drained_bytes_total", true, "Bytes that drains took from caches." },
	{ "guard_bytes", "guard_bytes", false, "Pages of the pool of guarded objects." },
	{ "guard_objects", "guard_objects", false, "Guarded objects in use." },
	{ "guard_allocs", "guard_allocs_total", true, "Guarded objects ever handed out." },
	{ "guard_full", "guard_full_total", true, "Times that the pool had no free slot." },
	{ "guard_faults", "guard_faults_total", true, "Faults in the pool of guarded objects." },
	{ "guard_damaged", "guard_damaged_total", true,
	  "Guarded objects with bytes beside them overwritten." },
	{ "failed", "failed_total", true, "Allocations that failed for want of memory." },
	{ "overflows", "overflows_total", true,
	  "Times that bytes behind an object were found changed." },
	{ "use_after_frees", "use_after_frees_total", true,
	  "Times that a free object was found changed." },
	{ "safe_mode", "safe_mode", false, "1 if the heap was found broken." },
	{ "safe_ignored_frees", "safe_ignored_frees_total", true, "Frees ignored in safe mode." },
	{ "safe_objects", "safe_objects", false, "Objects from kmalloc() in safe mode." },
	{ "safe_bytes", "safe_bytes", false, "Bytes of objects from kmalloc() in safe mode." },
};

static const struct metric class_metrics[] = {
	{ "allocs", "class_allocs_total", true, "Objects of the class ever handed out." },
	{ "frees", "class_frees_total", true, "Objects of the class ever taken back." },
	{ "live", "class_live_objects", false, "Objects of the class in use." },
	{ "cached", "class_cached_objects", false, "Free objects of the class in CPU caches." },
	{ "central", "class_central_objects", false,
	  "Free objects of the class in central spans." },
	{ "spans", "class_spans", false, "Spans of the class." },
	{ "full", "class_full_spans", false, "Spans of the class without a free object." },
	{ "partial", "class_partial_spans", false, "Spans of the class in the central lists." },
	{ "waste", "class_waste_bytes", false,
	  "Bytes held for the class that are not in objects in use." },
	{ "locks", "class_lock_acquisitions_total", true,
	  "Times that the central's lock of the class was taken." },
	{ "contended", "class_lock_contentions_total", true,
	  "Times that the central's lock of the class was waited for." },
};

static const struct metric node_metrics[] = {
	{ "held", "node_held_bytes", false, "Pages that the heap has from the node." },
	{ "large", "node_large_bytes", false, "Pages of large objects on the node." },
	{ "small", "node_small_bytes", false, "Pages of spans of small objects on the node." },
	{ "pcache", "node_page_cache_bytes", false, "Pages of the node in page caches." },
	{ "free", "node_free_bytes", false, "Free pages in the node's page tree." },
	{ "grown", "node_grown_bytes_total", true, "Pages ever taken from the node." },
	{ "released", "node_released_bytes_total", true, "Pages ever given back to the node." },
	{ "rfrees", "node_remote_frees_total", true,
	  "Objects that CPUs of other nodes brought home." },
	{ "rvisits", "node_remote_visits_total", true, "Visits with which they did." },
};

static const struct metric scavenger_metrics[] = {
	{ "heap_goal_bytes", "scavenger_goal_bytes", false,
	  "What the heap is to hold at most, after the scavenger's work." },
	{ "heap_soft_limit_bytes", "soft_limit_bytes", false,
	  "The heap's soft limit, 0 for none." },
	{ "heap_limit_bytes", "limit_bytes", false, "The heap's limit, 0 for none." },
};

/* Of all heaps: told once, with the default heap's file. */
static const struct metric global_metrics[] = {
	{ "all_held_bytes", "all_held_bytes", false, "Pages that all heaps have." },
	{ "all_soft_limit_bytes", "all_soft_limit_bytes", false,
	  "The soft limit of all heaps together, 0 for none." },
	{ "all_limit_bytes", "all_limit_bytes", false,
	  "The limit of all heaps together, 0 for none." },
	{ "thread_released_bytes", "scavenger_released_bytes_total", true,
	  "Bytes that the scavenger gave back." },
	{ "thread_parked", "scavenger_parked", false, "1 if the scavenger has nothing to do." },
	{ "shrinker_scans", "shrinker_scans_total", true, "Calls of the shrinker." },
	{ "shrinker_released_bytes", "shrinker_released_bytes_total", true,
	  "Bytes that the shrinker gave back." },
	{ "oom_calls", "oom_calls_total", true, "Calls for the machine being out of memory." },
	{ "oom_released_bytes", "oom_released_bytes_total", true,
	  "Bytes that these calls gave back." },
};

static void put_head(FILE *out, const struct metric *m)
{
	fprintf(out, "# HELP goalloc_%s %s\n# TYPE goalloc_%s %s\n", m->name, m->help, m->name,
		m->counter ? "counter" : "gauge");
}

/* Quotes, backslashes and ends of lines are not allowed to stand there bare. */
static void put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void put_vmstat(FILE *out, const struct snapshot *snap, const struct metric *m)
{
	size_t i;

	if (!pairs_find(&snap->heaps[0].vmstat, m->stat))
		return;
	put_head(out, m);
	for (i = 0; i < snap->nr_heaps; i++) {
		fprintf(out, "goalloc_%s{", m->name);
		put_label(out, "heap", snap->heaps[i].name);
		fprintf(out, "} %lld\n", (long long)heap_stat(&snap->heaps[i], m->stat));
	}
}

static void put_ledger(FILE *out, const struct snapshot *snap)
{
	static const struct metric m = {
		.name = "ledger_bytes",
		.help = "Where the bytes that are held are; the rows add up to held.",
	};
	size_t i, j;

	put_head(out, &m);
	for (i = 0; i < snap->nr_heaps; i++) {
		for (j = 0; j < ARRAY_SIZE(ledger_rows); j++) {
			const char *stat = ledger_rows[j].stat;

			fputs("goalloc_ledger_bytes{", out);
			put_label(out, "heap", snap->heaps[i].name);
			/* Without the unit: the metric has it. */
			fprintf(out, ",row=\"%.*s\"} %lld\n",
				(int)(strlen(stat) - strlen("_bytes")), stat,
				(long long)heap_stat(&snap->heaps[i], stat));
		}
	}
}

static void put_bad_frees(FILE *out, const struct snapshot *snap)
{
	static const struct metric m = {
		.name = "bad_frees_total", .counter = true,
		.help = "Frees that were refused, by kind.",
	};
	static const char prefix[] = "bad_frees_";
	size_t i, j, len = strlen(prefix);

	put_head(out, &m);
	for (i = 0; i < snap->nr_heaps; i++) {
		const struct pairs *vmstat = &snap->heaps[i].vmstat;

		for (j = 0; j < vmstat->nr; j++) {
			if (strncmp(vmstat->names[j], prefix, len))
				continue;
			fputs("goalloc_bad_frees_total{", out);
			put_label(out, "heap", snap->heaps[i].name);
			fputc(',', out);
			put_label(out, "kind", vmstat->names[j] + len);
			fprintf(out, "} %lld\n", (long long)vmstat->values[j].num);
		}
	}
}

static const struct table *heap_rows(const struct heap *heap, unsigned int part)
{
	return part == PART_CLASSES ? &heap->classes : &heap->nodes;
}

/* A metric with a sample for each row of a table. */
static void put_rows(FILE *out, const struct snapshot *snap, const struct metric *m,
		     unsigned int part)
{
	size_t i, row;

	if (!(snap->heaps[0].parts & part) ||
	    table_col(heap_rows(&snap->heaps[0], part), m->stat) < 0)
		return;
	put_head(out, m);
	for (i = 0; i < snap->nr_heaps; i++) {
		const struct table *t = heap_rows(&snap->heaps[i], part);

		for (row = 0; row < t->nrows; row++) {
			fprintf(out, "goalloc_%s{", m->name);
			put_label(out, "heap", snap->heaps[i].name);
			fputc(',', out);
			if (part == PART_CLASSES) {
				put_label(out, "class", table_text(t, row, "cls"));
				fputc(',', out);
				put_label(out, "size", table_text(t, row, "size"));
			} else {
				put_label(out, "node", table_text(t, row, "node"));
			}
			fprintf(out, "} %lld\n", (long long)table_num(t, row, m->stat));
		}
	}
}

static void put_scavenger(FILE *out, const struct snapshot *snap, const struct metric *m)
{
	size_t i;

	if (!pairs_find(&snap->heaps[0].scavenger, m->stat))
		return;
	put_head(out, m);
	for (i = 0; i < snap->nr_heaps; i++) {
		fprintf(out, "goalloc_%s{", m->name);
		put_label(out, "heap", snap->heaps[i].name);
		fprintf(out, "} %lld\n",
			(long long)pairs_num(&snap->heaps[i].scavenger, m->stat));
	}
}

void prom_write(const struct snapshot *snap, FILE *out)
{
	const struct pairs *scavenger = &snap->heaps[0].scavenger;
	size_t i;

	put_ledger(out, snap);
	for (i = 0; i < ARRAY_SIZE(vmstat_metrics); i++)
		put_vmstat(out, snap, &vmstat_metrics[i]);
	put_bad_frees(out, snap);
	for (i = 0; i < ARRAY_SIZE(class_metrics); i++)
		put_rows(out, snap, &class_metrics[i], PART_CLASSES);
	for (i = 0; i < ARRAY_SIZE(node_metrics); i++)
		put_rows(out, snap, &node_metrics[i], PART_NODES);
	for (i = 0; i < ARRAY_SIZE(scavenger_metrics); i++)
		put_scavenger(out, snap, &scavenger_metrics[i]);
	for (i = 0; i < ARRAY_SIZE(global_metrics); i++) {
		const struct metric *m = &global_metrics[i];

		if (!pairs_find(scavenger, m->stat))
			continue;
		put_head(out, m);
		fprintf(out, "goalloc_%s %lld\n", m->name,
			(long long)pairs_num(scavenger, m->stat));
	}
}
