// SPDX-License-Identifier: GPL-2.0-only
/*
 * pprof_decode FILE - unpack a profile, check what its format demands, and print it:
 * a line per sample with its values and its functions, innermost first.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "profile.pb-c.h"
#include "util.h"

typedef Perftools__Profiles__Profile profile_t;

struct options options = { .root = "." };

static const char *string_at(const profile_t *p, int64_t i)
{
	if (i < 0 || (size_t)i >= p->n_string_table)
		die(STATUS_FALSE, "string %" PRId64 " of %zu", i, p->n_string_table);
	return p->string_table[i];
}

static const Perftools__Profiles__Location *location_at(const profile_t *p, uint64_t id)
{
	size_t i;

	for (i = 0; i < p->n_location; i++)
		if (p->location[i]->id == id)
			return p->location[i];
	die(STATUS_FALSE, "no location %" PRIu64, id);
}

static const Perftools__Profiles__Function *function_at(const profile_t *p, uint64_t id)
{
	size_t i;

	for (i = 0; i < p->n_function; i++)
		if (p->function[i]->id == id)
			return p->function[i];
	die(STATUS_FALSE, "no function %" PRIu64, id);
}

static const char *mapping_at(const profile_t *p, uint64_t id)
{
	size_t i;

	for (i = 0; i < p->n_mapping; i++)
		if (p->mapping[i]->id == id)
			return string_at(p, p->mapping[i]->filename);
	die(STATUS_FALSE, "no mapping %" PRIu64, id);
}

/* Ids are not 0, and each is there once. */
static void check_ids(const profile_t *p)
{
	size_t i, j;

	for (i = 0; i < p->n_location; i++) {
		if (!p->location[i]->id || p->location[i]->n_line != 1)
			die(STATUS_FALSE, "location %zu", i);
		for (j = 0; j < i; j++)
			if (p->location[i]->id == p->location[j]->id)
				die(STATUS_FALSE, "location %zu is there twice", i);
	}
	if (!p->n_string_table || *p->string_table[0])
		die(STATUS_FALSE, "the first string is not empty");
}

static void print_sample(const profile_t *p, const Perftools__Profiles__Sample *sample)
{
	size_t i;

	if (sample->n_value != p->n_sample_type)
		die(STATUS_FALSE, "%zu values of %zu", sample->n_value, p->n_sample_type);
	for (i = 0; i < sample->n_value; i++)
		printf("%s%" PRId64, i ? " " : "sample ", sample->value[i]);
	for (i = 0; i < sample->n_location_id; i++) {
		const Perftools__Profiles__Location *l = location_at(p, sample->location_id[i]);
		const Perftools__Profiles__Function *f = function_at(p, l->line[0]->function_id);

		printf(" %s@%s", string_at(p, f->name), mapping_at(p, l->mapping_id));
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	static uint8_t data[1 << 24];
	gzFile in = gzopen(argc > 1 ? argv[1] : "", "rb");
	int size = in ? gzread(in, data, sizeof(data)) : -1;
	profile_t *p;
	size_t i;

	if (size <= 0)
		die(STATUS_TROUBLE, "cannot unpack the profile");
	gzclose(in);
	p = perftools__profiles__profile__unpack(NULL, size, data);
	if (!p)
		die(STATUS_FALSE, "this is no profile");
	check_ids(p);
	for (i = 0; i < p->n_sample_type; i++)
		printf("type %s %s\n", string_at(p, p->sample_type[i]->type),
		       string_at(p, p->sample_type[i]->unit));
	printf("default %s\nperiod %" PRId64 " %s %s\ntime %" PRId64 "\n",
	       string_at(p, p->default_sample_type), p->period,
	       string_at(p, p->period_type->type), string_at(p, p->period_type->unit),
	       p->time_nanos);
	for (i = 0; i < p->n_sample; i++)
		print_sample(p, p->sample[i]);
	perftools__profiles__profile__free_unpacked(p, NULL);
	return 0;
}
