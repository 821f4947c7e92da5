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
	return part == PART_CLASSES ? &heap->classes :
	       part == PART_NODES ? &heap->nodes : &heap->percpu;
}

/* The labels that tell the rows of a table apart. */
static void put_row_labels(FILE *out, const struct table *t, size_t row, unsigned int part)
{
	if (part == PART_CLASSES) {
		put_label(out, "class", table_text(t, row, "cls"));
		fputc(',', out);
		put_label(out, "size", table_text(t, row, "size"));
	} else if (part == PART_NODES) {
		put_label(out, "node", table_text(t, row, "node"));
	} else {
		put_label(out, "cpu", table_text(t, row, "cpu"));
		fputc(',', out);
		put_label(out, "level", table_text(t, row, "level"));
	}
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
			/* Not every row has every number. */
			if (!table_cell(t, row, table_col(t, m->stat))->is_num)
				continue;
			fprintf(out, "goalloc_%s{", m->name);
			put_label(out, "heap", snap->heaps[i].name);
			fputc(',', out);
			put_row_labels(out, t, row, part);
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

static void put_pageheap(FILE *out, const struct snapshot *snap, const struct metric *m)
{
	bool head = false;
	size_t i, j;

	for (i = 0; i < snap->nr_heaps; i++) {
		const struct pageheap *ph = &snap->heaps[i].pageheap;

		for (j = 0; j < ph->nr_values; j++) {
			const struct pageheap_value *v = &ph->values[j];

			if (strcmp(v->name, m->stat) || !v->value.is_num)
				continue;
			if (!head)
				put_head(out, m);
			head = true;
			fprintf(out, "goalloc_%s{", m->name);
			put_label(out, "heap", snap->heaps[i].name);
			fprintf(out, ",node=\"%lld\"} %lld\n", (long long)v->node,
				(long long)v->value.num);
		}
	}
}

/* Free runs by their length, a power of two and what is below the next. */
static void put_runs(FILE *out, const struct snapshot *snap)
{
	static const struct metric m = {
		.name = "page_heap_free_runs",
		.help = "Runs of free pages that are at least min pages long, and less than twice that.",
	};
	bool head = false;
	size_t i, j;

	for (i = 0; i < snap->nr_heaps; i++) {
		const struct pageheap *ph = &snap->heaps[i].pageheap;

		for (j = 0; j < ph->nr_runs; j++) {
			if (!head)
				put_head(out, &m);
			head = true;
			fprintf(out, "goalloc_%s{", m.name);
			put_label(out, "heap", snap->heaps[i].name);
			fprintf(out, ",node=\"%lld\",min=\"%lld\"} %lld\n",
				(long long)ph->runs[j].node, (long long)ph->runs[j].min,
				(long long)ph->runs[j].runs);
		}
	}
}

void prom_write(const struct snapshot *snap, FILE *out)
{
	const struct pairs *scavenger = &snap->heaps[0].scavenger;
	const struct metric *m;

	put_ledger(out, snap);
	for (m = prom_vmstat; m->name; m++)
		put_vmstat(out, snap, m);
	put_bad_frees(out, snap);
	for (m = prom_classes; m->name; m++)
		put_rows(out, snap, m, PART_CLASSES);
	for (m = prom_nodes; m->name; m++)
		put_rows(out, snap, m, PART_NODES);
	for (m = prom_cpus; m->name; m++)
		put_rows(out, snap, m, PART_PERCPU);
	for (m = prom_pageheap; m->name; m++)
		put_pageheap(out, snap, m);
	put_runs(out, snap);
	for (m = prom_scavenger; m->name; m++)
		put_scavenger(out, snap, m);
	for (m = prom_global; m->name; m++) {
		if (!pairs_find(scavenger, m->stat))
			continue;
		put_head(out, m);
		fprintf(out, "goalloc_%s %lld\n", m->name,
			(long long)pairs_num(scavenger, m->stat));
	}
}
