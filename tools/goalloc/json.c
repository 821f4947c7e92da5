// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots as JSON, and back.
 *
 *	{ "format": "goalloc", "version": "1.0", "time": SECONDS,
 *	  "heaps": [ { "name": ..., "vmstat": { name: number, ... },
 *		       "scavenger": { ... }, "classes": [ { column: value, ... } ],
 *		       "nodes": [ ... ], "percpu": [ ... ],
 *		       "pageheap": { "nodes": [ ... ], "roots": [ ... ], "runs": [ ... ] },
 *		       "sites": [ { "where": ..., "bytes": ..., "objects": ... } ] } ] }
 *
 * Names and columns are those of goalloc's files. What was not there is left out.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "source.h"

static void set_new(json_t *object, const char *key, json_t *value)
{
	if (!value || json_object_set_new(object, key, value))
		die(STATUS_TROUBLE, "out of memory, or \"%s\" is not UTF-8", key);
}

static void append_new(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		die(STATUS_TROUBLE, "out of memory");
}

static json_t *json_cell(const struct cell *cell)
{
	return cell->is_num ? json_integer(cell->num) : json_string(cell->text);
}

static json_t *json_pairs(const struct pairs *pairs)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < pairs->nr; i++)
		set_new(object, pairs->names[i], json_cell(&pairs->values[i]));
	return object;
}

static json_t *json_table(const struct table *table)
{
	json_t *array = json_array();
	size_t row, col;

	for (row = 0; row < table->nrows; row++) {
		json_t *object = json_object();

		for (col = 0; col < table->ncols; col++)
			set_new(object, table->cols[col], json_cell(table_cell(table, row, col)));
		append_new(array, object);
	}
	return array;
}

/* The nodes' values, an object per node, in the order of the file. */
static json_t *json_pageheap_nodes(const struct pageheap *ph)
{
	json_t *array = json_array(), *object = NULL;
	size_t i;

	for (i = 0; i < ph->nr_values; i++) {
		if (!i || ph->values[i].node != ph->values[i - 1].node) {
			object = json_object();
			set_new(object, "node", json_integer(ph->values[i].node));
			append_new(array, object);
		}
		set_new(object, ph->values[i].name, json_cell(&ph->values[i].value));
	}
	return array;
}

static json_t *json_pageheap(const struct pageheap *ph)
{
	json_t *object = json_object(), *roots = json_array(), *runs = json_array();
	size_t i;

	for (i = 0; i < ph->nr_roots; i++) {
		const struct pageheap_root *r = &ph->roots[i];

		append_new(roots, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}",
					    "node", (json_int_t)r->node,
					    "entry", (json_int_t)r->entry,
					    "first_page", (json_int_t)r->first_page,
					    "start", (json_int_t)r->start,
					    "max", (json_int_t)r->max,
					    "end", (json_int_t)r->end));
	}
	for (i = 0; i < ph->nr_runs; i++) {
		const struct pageheap_runs *r = &ph->runs[i];

		append_new(runs, json_pack("{s:I, s:I, s:I, s:I, s:I}",
					   "node", (json_int_t)r->node,
					   "min", (json_int_t)r->min,
					   "max", (json_int_t)r->max,
					   "runs", (json_int_t)r->runs,
					   "pages", (json_int_t)r->pages));
	}
	set_new(object, "nodes", json_pageheap_nodes(ph));
	set_new(object, "roots", roots);
	set_new(object, "runs", runs);
	return object;
}

static json_t *json_sites(const struct sites *sites)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < sites->nr; i++)
		append_new(array, json_pack("{s:s, s:I, s:I}", "where", sites->site[i].where,
					    "bytes", (json_int_t)sites->site[i].bytes,
					    "objects", (json_int_t)sites->site[i].objects));
	return array;
}

static json_t *json_heap(const struct heap *heap)
{
	json_t *object = json_object();

	set_new(object, "name", json_string(heap->name));
	set_new(object, "vmstat", json_pairs(&heap->vmstat));
	if (heap->parts & PART_SCAVENGER)
		set_new(object, "scavenger", json_pairs(&heap->scavenger));
	if (heap->parts & PART_CLASSES)
		set_new(object, "classes", json_table(&heap->classes));
	if (heap->parts & PART_NODES)
		set_new(object, "nodes", json_table(&heap->nodes));
	if (heap->parts & PART_PERCPU)
		set_new(object, "percpu", json_table(&heap->percpu));
	if (heap->parts & PART_PAGEHEAP)
		set_new(object, "pageheap", json_pageheap(&heap->pageheap));
	if (heap->parts & PART_SITES)
		set_new(object, "sites", json_sites(&heap->sites));
	return object;
}

void json_write(const struct snapshot *snap, FILE *out)
{
	json_t *root = json_object(), *heaps = json_array();
	size_t i;

	set_new(root, "format", json_string("goalloc"));
	set_new(root, "version", json_string(JSON_VERSION));
	set_new(root, "time", json_real(snap->time));
	for (i = 0; i < snap->nr_heaps; i++)
		append_new(heaps, json_heap(&snap->heaps[i]));
	set_new(root, "heaps", heaps);
	if (json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(13)))
		die(STATUS_TROUBLE, "cannot write the output: %s", strerror(errno));
	fputc('\n', out);
	json_decref(root);
}
