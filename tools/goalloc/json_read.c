// SPDX-License-Identifier: GPL-2.0-only
/* The JSON of json.c back into a snapshot. All strings go into one text per part. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "source.h"

/* A text that cells point into: room for all strings of a value is made first. */
struct arena {
	char *text;
	size_t used;
};

static size_t strings_size(const json_t *value)
{
	size_t size = 0, i;
	const char *key;
	json_t *member;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_length(value) + 1;
	case JSON_INTEGER:
		return 24;
	case JSON_ARRAY:
		json_array_foreach(value, i, member)
			size += strings_size(member);
		return size;
	case JSON_OBJECT:
		json_object_foreach((json_t *)value, key, member)
			size += strlen(key) + 1 + strings_size(member);
		return size;
	default:
		return 1;
	}
}

static void arena_init(struct arena *arena, const json_t *value)
{
	arena->text = xmalloc(strings_size(value) + 1);
	arena->text[0] = '\0';
	arena->used = 1;
}

static const char *arena_put(struct arena *arena, const char *s)
{
	char *at = arena->text + arena->used;
	size_t len = strlen(s) + 1;

	memcpy(at, s, len);
	arena->used += len;
	return at;
}

static void arena_cell(struct arena *arena, struct cell *cell, const json_t *value)
{
	char digits[24];

	if (json_is_integer(value)) {
		snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
		cell->text = arena_put(arena, digits);
		cell->num = json_integer_value(value);
		cell->is_num = true;
	} else {
		cell->text = arena_put(arena, json_is_string(value) ?
				       json_string_value(value) : "");
		cell->num = 0;
		cell->is_num = false;
	}
}

static bool read_pairs(void *out, json_t *object)
{
	struct pairs *pairs = out;
	struct arena arena;
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return false;
	arena_init(&arena, object);
	pairs->text = arena.text;
	pairs->names = xcalloc(json_object_size(object), sizeof(*pairs->names));
	pairs->values = xcalloc(json_object_size(object), sizeof(*pairs->values));
	json_object_foreach(object, key, value) {
		pairs->names[pairs->nr] = arena_put(&arena, key);
		arena_cell(&arena, &pairs->values[pairs->nr++], value);
	}
	return true;
}

/* The columns are those of the first row. */
static bool read_table(void *out, json_t *array)
{
	struct table *table = out;
	json_t *row, *first = json_array_get(array, 0);
	struct arena arena;
	const char *key;
	json_t *value;
	size_t i, col;

	if (!json_is_array(array))
		return false;
	if (!first)
		return true;
	if (!json_is_object(first))
		return false;
	arena_init(&arena, array);
	table->text = arena.text;
	table->ncols = json_object_size(first);
	table->cols = xcalloc(table->ncols, sizeof(*table->cols));
	table->cells = xcalloc(json_array_size(array), table->ncols * sizeof(*table->cells));
	col = 0;
	json_object_foreach(first, key, value)
		table->cols[col++] = arena_put(&arena, key);
	json_array_foreach(array, i, row) {
		for (col = 0; col < table->ncols; col++) {
			struct cell *cell = &table->cells[i * table->ncols + col];

			value = json_object_get(row, table->cols[col]);
			if (value)
				arena_cell(&arena, cell, value);
			else
				cell->text = "";
		}
		table->nrows++;
	}
	return true;
}

static int64_t get_num(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void read_pageheap_node(struct pageheap *ph, struct arena *arena, json_t *object)
{
	struct pageheap_value *v;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		if (!strcmp(key, "node"))
			continue;
		v = &ph->values[ph->nr_values++];
		v->node = get_num(object, "node");
		v->name = arena_put(arena, key);
		arena_cell(arena, &v->value, value);
	}
}

static bool read_pageheap(void *out, json_t *object)
{
	struct pageheap *ph = out;
	json_t *nodes = json_object_get(object, "nodes");
	json_t *roots = json_object_get(object, "roots");
	json_t *runs = json_object_get(object, "runs");
	struct arena arena;
	size_t i, room = 0;
	json_t *row;

	if (!json_is_array(nodes) || !json_is_array(roots) || !json_is_array(runs))
		return false;
	arena_init(&arena, object);
	ph->text = arena.text;
	json_array_foreach(nodes, i, row)
		room += json_object_size(row);
	ph->values = xcalloc(room, sizeof(*ph->values));
	json_array_foreach(nodes, i, row)
		read_pageheap_node(ph, &arena, row);
	ph->roots = xcalloc(json_array_size(roots), sizeof(*ph->roots));
	json_array_foreach(roots, i, row)
		ph->roots[ph->nr_roots++] = (struct pageheap_root) {
			.node = get_num(row, "node"),
			.entry = get_num(row, "entry"),
			.first_page = get_num(row, "first_page"),
			.start = get_num(row, "start"),
			.max = get_num(row, "max"),
			.end = get_num(row, "end"),
		};
	ph->runs = xcalloc(json_array_size(runs), sizeof(*ph->runs));
	json_array_foreach(runs, i, row)
		ph->runs[ph->nr_runs++] = (struct pageheap_runs) {
			.node = get_num(row, "node"),
			.min = get_num(row, "min"),
			.max = get_num(row, "max"),
			.runs = get_num(row, "runs"),
			.pages = get_num(row, "pages"),
		};
	return true;
}

static bool read_sites(void *out, json_t *array)
{
	struct sites *sites = out;
	struct arena arena;
	json_t *row;
	size_t i;

	if (!json_is_array(array))
		return false;
	arena_init(&arena, array);
	sites->text = arena.text;
	sites->site = xcalloc(json_array_size(array), sizeof(*sites->site));
	json_array_foreach(array, i, row) {
		const char *where = json_string_value(json_object_get(row, "where"));

		if (!where)
			return false;
		sites->site[sites->nr++] = (struct site) {
			.where = arena_put(&arena, where),
			.bytes = get_num(row, "bytes"),
			.objects = get_num(row, "objects"),
		};
	}
	return true;
}

#define PART(bit, name, read) { bit, #name, offsetof(struct heap, name), read }

static const struct {
	unsigned int bit;
	const char *name;
	size_t offset;		/* in struct heap */
	bool (*read)(void *out, json_t *value);
} parts[] = {
	PART(PART_SCAVENGER, scavenger, read_pairs),
	PART(PART_CLASSES, classes, read_table),
	PART(PART_NODES, nodes, read_table),
	PART(PART_PERCPU, percpu, read_table),
	PART(PART_PAGEHEAP, pageheap, read_pageheap),
	PART(PART_SITES, sites, read_sites),
};

static int read_heap(struct heap *heap, json_t *object, struct fault *fault)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	json_t *part;
	size_t i;

	if (!name)
		return fault_set(fault, 0, "a heap without a name");
	heap->name = xstrdup(name);
	if (!read_pairs(&heap->vmstat, json_object_get(object, "vmstat")))
		return fault_set(fault, 0, "heap \"%.40s\" has no vmstat", name);

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		part = json_object_get(object, parts[i].name);
		if (!part)
			continue;
		if (!parts[i].read((char *)heap + parts[i].offset, part))
			return fault_set(fault, 0, "%s of heap \"%.40s\"", parts[i].name, name);
		heap->parts |= parts[i].bit;
	}
	return 0;
}

static int read_root(struct snapshot *snap, json_t *root, struct fault *fault)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	const char *version = json_string_value(json_object_get(root, "version"));
	json_t *heaps = json_object_get(root, "heaps");
	json_t *object;
	size_t i;

	if (!format || strcmp(format, "goalloc") || !version || !json_is_array(heaps))
		return fault_set(fault, 0, "this is not the output of goalloc stat --json");
	if (strncmp(version, "1.", 2)) {
		fault->version = true;
		return fault_set(fault, 0, "the format has version %.20s, this program knows 1.x",
				 version);
	}
	snap->time = json_number_value(json_object_get(root, "time"));
	snap->heaps = xcalloc(json_array_size(heaps), sizeof(*snap->heaps));
	json_array_foreach(heaps, i, object)
		if (read_heap(&snap->heaps[snap->nr_heaps++], object, fault))
			return -1;
	return 0;
}

int json_parse(struct snapshot *snap, const char *text, size_t size, struct fault *fault)
{
	json_error_t error;
	json_t *root;
	int err;

	memset(snap, 0, sizeof(*snap));
	root = json_loadb(text, size, 0, &error);
	if (!root)
		return fault_set(fault, error.line > 0 ? error.line : 0, "%.120s", error.text);
	err = read_root(snap, root, fault);
	json_decref(root);
	return err;
}

void json_read(struct snapshot *snap, const char *path)
{
	struct fault fault = {};
	size_t size;
	char *text = read_whole_file(path, &size);

	if (!text)
		die(errno == EACCES ? STATUS_NO_PERMISSION : STATUS_TROUBLE,
		    "cannot read %s: %s", path, strerror(errno));
	if (json_parse(snap, text, size, &fault)) {
		if (fault.line)
			die(STATUS_FORMAT, "%s, line %u: %s", path, fault.line, fault.text);
		die(STATUS_FORMAT, "%s: %s", path, fault.text);
	}
	free(text);
}
