// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc pprof: the sampled profile in the form that go tool pprof reads, a
 * profile.proto message packed by gzip. Names come from the file, which has
 * symbols and no addresses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "profile.pb-c.h"
#include "snapshot.h"

typedef Perftools__Profiles__Profile profile_t;
typedef Perftools__Profiles__ValueType value_type_t;
typedef Perftools__Profiles__Sample sample_t;
typedef Perftools__Profiles__Location location_t;
typedef Perftools__Profiles__Line line_t;
typedef Perftools__Profiles__Function function_t;
typedef Perftools__Profiles__Mapping mapping_t;

/* Strings that were seen, each with the number it got. */
struct names {
	size_t nr, room;
	const char **name;	/* by number */
	size_t *slot;		/* open addressing: number plus 1, or 0 */
	size_t nr_slots;	/* a power of two */
};

static size_t names_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3;
	return h ^ h >> 32;
}

static void names_rehash(struct names *names)
{
	size_t i;

	free(names->slot);
	names->nr_slots = names->nr_slots ? 2 * names->nr_slots : 256;
	names->slot = xcalloc(names->nr_slots, sizeof(*names->slot));
	for (i = 0; i < names->nr; i++) {
		size_t at = names_hash(names->name[i]) & (names->nr_slots - 1);

		while (names->slot[at])
			at = (at + 1) & (names->nr_slots - 1);
		names->slot[at] = i + 1;
	}
}

/* The number of a string, which is new if it is the highest. */
static size_t names_get(struct names *names, const char *s)
{
	size_t at;

	if (2 * names->nr >= names->nr_slots)
		names_rehash(names);
	at = names_hash(s) & (names->nr_slots - 1);
	while (names->slot[at]) {
		if (!strcmp(names->name[names->slot[at] - 1], s))
			return names->slot[at] - 1;
		at = (at + 1) & (names->nr_slots - 1);
	}
	if (names->nr == names->room) {
		names->room = names->room ? 2 * names->room : 256;
		names->name = xrealloc_array(names->name, names->room, sizeof(*names->name));
	}
	names->name[names->nr] = xstrdup(s);
	names->slot[at] = ++names->nr;
	return names->nr - 1;
}

/* The profile as it grows; ids of the format are numbers plus 1. */
struct builder {
	profile_t profile;
	struct names strings, frames, functions, mappings;
};

static int64_t string_of(struct builder *b, const char *s)
{
	return names_get(&b->strings, s);
}

static void *append(void *array, size_t *nr, void *entry)
{
	void **pointers = array;

	/* At 0 and at each power of two there is no room left. */
	if (!(*nr & (*nr - 1)))
		pointers = xrealloc_array(pointers, *nr ? 2 * *nr : 1, sizeof(*pointers));
	pointers[(*nr)++] = entry;
	return pointers;
}

static value_type_t *value_type(struct builder *b, const char *type, const char *unit)
{
	value_type_t *vt = xmalloc(sizeof(*vt));

	perftools__profiles__value_type__init(vt);
	vt->type = string_of(b, type);
	vt->unit = string_of(b, unit);
	return vt;
}

static uint64_t mapping_of(struct builder *b, const char *module)
{
	size_t nr = names_get(&b->mappings, *module ? module : "[kernel]");

	if (nr == b->profile.n_mapping) {
		mapping_t *mapping = xmalloc(sizeof(*mapping));

		perftools__profiles__mapping__init(mapping);
		mapping->id = nr + 1;
		mapping->filename = string_of(b, b->mappings.name[nr]);
		mapping->has_functions = true;
		b->profile.mapping = append(b->profile.mapping, &b->profile.n_mapping, mapping);
	}
	return nr + 1;
}

static uint64_t function_of(struct builder *b, const struct frame_name *name)
{
	char key[sizeof(*name) + 4];
	size_t nr;

	snprintf(key, sizeof(key), "%s [%s]", name->symbol, name->module);
	nr = names_get(&b->functions, key);
	if (nr == b->profile.n_function) {
		function_t *function = xmalloc(sizeof(*function));

		perftools__profiles__function__init(function);
		function->id = nr + 1;
		function->name = string_of(b, name->symbol);
		function->system_name = function->name;
		function->filename = string_of(b, name->module);
		b->profile.function = append(b->profile.function, &b->profile.n_function,
					     function);
	}
	return nr + 1;
}

static uint64_t location_of(struct builder *b, const char *frame)
{
	size_t nr = names_get(&b->frames, frame), nr_lines = 0;

	if (nr == b->profile.n_location) {
		location_t *location = xmalloc(sizeof(*location));
		line_t *line = xmalloc(sizeof(*line));
		struct frame_name name;

		frame_split(frame, &name);
		perftools__profiles__line__init(line);
		line->function_id = function_of(b, &name);
		perftools__profiles__location__init(location);
		location->id = nr + 1;
		location->mapping_id = mapping_of(b, name.module);
		location->line = append(NULL, &nr_lines, line);
		location->n_line = nr_lines;
		b->profile.location = append(b->profile.location, &b->profile.n_location,
					     location);
	}
	return nr + 1;
}

static void add_stack(struct builder *b, const struct stacks *stacks, const struct stack *stack)
{
	sample_t *sample = xmalloc(sizeof(*sample));
	size_t i;

	perftools__profiles__sample__init(sample);
	sample->n_value = 4;
	sample->value = xcalloc(4, sizeof(*sample->value));
	sample->value[0] = stack->total_objects;
	sample->value[1] = stack->total_bytes;
	sample->value[2] = stack->in_use_objects;
	sample->value[3] = stack->in_use_bytes;
	sample->n_location_id = stack->nr_frames;
	sample->location_id = xcalloc(stack->nr_frames, sizeof(*sample->location_id));
	for (i = 0; i < stack->nr_frames; i++)
		sample->location_id[i] = location_of(b, stacks->frames[stack->first_frame + i]);
	b->profile.sample = append(b->profile.sample, &b->profile.n_sample, sample);
}

static void build(struct builder *b, const struct snapshot *snap)
{
	const struct stacks *stacks = &snap->heaps[0].stacks;
	profile_t *p = &b->profile;
	size_t i;

	memset(b, 0, sizeof(*b));
	perftools__profiles__profile__init(p);
	string_of(b, "");
	/* The first one is the program in pprof's eyes. */
	mapping_of(b, "");
	/* The names that the Go runtime gives them, so that pprof's defaults fit. */
	p->sample_type = append(p->sample_type, &p->n_sample_type,
				value_type(b, "alloc_objects", "count"));
	p->sample_type = append(p->sample_type, &p->n_sample_type,
				value_type(b, "alloc_space", "bytes"));
	p->sample_type = append(p->sample_type, &p->n_sample_type,
				value_type(b, "inuse_objects", "count"));
	p->sample_type = append(p->sample_type, &p->n_sample_type,
				value_type(b, "inuse_space", "bytes"));
	p->default_sample_type = string_of(b, "inuse_space");
	p->period_type = value_type(b, "space", "bytes");
	p->period = stacks->rate;
	p->time_nanos = snap->time * 1e9;
	for (i = 0; i < stacks->nr; i++)
		add_stack(b, stacks, &stacks->stack[i]);
	p->n_string_table = b->strings.nr;
	p->string_table = (char **)b->strings.name;
}

static void names_free(struct names *names)
{
	size_t i;

	for (i = 0; i < names->nr; i++)
		free((char *)names->name[i]);
	free(names->name);
	free(names->slot);
}

static void builder_free(struct builder *b)
{
	profile_t *p = &b->profile;
	size_t i;

	for (i = 0; i < p->n_sample; i++) {
		free(p->sample[i]->location_id);
		free(p->sample[i]->value);
		free(p->sample[i]);
	}
	for (i = 0; i < p->n_location; i++) {
		free(p->location[i]->line[0]);
		free(p->location[i]->line);
		free(p->location[i]);
	}
	for (i = 0; i < p->n_function; i++)
		free(p->function[i]);
	for (i = 0; i < p->n_mapping; i++)
		free(p->mapping[i]);
	for (i = 0; i < p->n_sample_type; i++)
		free(p->sample_type[i]);
	free(p->sample);
	free(p->location);
	free(p->function);
	free(p->mapping);
	free(p->sample_type);
	free(p->period_type);
	names_free(&b->strings);
	names_free(&b->frames);
	names_free(&b->functions);
	names_free(&b->mappings);
}

/* gzip's form of zlib, without a time of its own: the same profile, the same bytes. */
static void write_packed(const uint8_t *data, size_t size, FILE *out, const char *path)
{
	z_stream z = {};
	uint8_t *packed;
	size_t room;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		die(STATUS_TROUBLE, "cannot pack: %s", z.msg ?: "zlib failed");
	room = deflateBound(&z, size);
	packed = xmalloc(room);
	z.next_in = (uint8_t *)data;
	z.avail_in = size;
	z.next_out = packed;
	z.avail_out = room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		die(STATUS_TROUBLE, "cannot pack: %s", z.msg ?: "zlib failed");
	if (fwrite(packed, 1, z.total_out, out) != z.total_out)
		die(STATUS_TROUBLE, "cannot write %s: %s", path, strerror(errno));
	deflateEnd(&z);
	free(packed);
}

static const struct argp_option pprof_options[] = {
	{ "output", 'o', "FILE", 0, "write it to FILE instead of the output", 0 },
	{}
};

static error_t pprof_parse(int key, char *arg, struct argp_state *state)
{
	const char **output = state->input;

	switch (key) {
	case 'o':
		*output = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_pprof(int argc, char **argv)
{
	static const struct argp argp = {
		.options = pprof_options,
		.parser = pprof_parse,
		.doc = "Write the sampled profile for go tool pprof.\v"
		       "Sample types are inuse_space (the default), inuse_objects, alloc_space "
		       "and alloc_objects: go tool pprof -sample_index=alloc_space FILE.",
		.children = options_children,
	};
	const char *output = NULL;
	struct snapshot snap;
	struct builder b;
	uint8_t *data;
	size_t size;

	run_argp(&argp, argc, argv, &output);
	if (!output && isatty(STDOUT_FILENO))
		die(STATUS_USAGE, "a profile is nothing for a terminal: -o FILE");
	snapshot_read_one(&snap, PART_STACKS);
	heap_require(&snap.heaps[0], PART_STACKS);
	build(&b, &snap);
	data = xmalloc(perftools__profiles__profile__get_packed_size(&b.profile));
	size = perftools__profiles__profile__pack(&b.profile, data);
	if (output) {
		struct new_file file;

		new_file_begin(&file, output);
		write_packed(data, size, file.out, output);
		new_file_end(&file);
	} else {
		write_packed(data, size, stdout, "the output");
	}
	free(data);
	builder_free(&b);
	snapshot_free(&snap);
	return STATUS_OK;
}
