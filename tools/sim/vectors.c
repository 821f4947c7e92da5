// SPDX-License-Identifier: GPL-2.0-only
/*
 * vectors DIR - run the tables in the JSON files of a directory.
 *
 * The files hold inputs and outputs of Go's own page allocator and pacer; each explains
 * itself under "_schema".  A section is recognized by its name and the shape of
 * its entries, whatever the file is called, so that other files of the same
 * form can be run.  Sections that nothing here knows are reported as skipped.
 *
 * Each entry passes or fails as a whole; the last line sums up.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "json_text.h"
#include "vectors.h"

/* What the entry being run is called, and whether it has failed. */
static char entry_name[512];
static bool entry_failed;

static void entry_begin(const char *file, const char *section,
			const char *name, size_t index)
{
	if (name)
		snprintf(entry_name, sizeof(entry_name), "%s %s %s", file,
			 section, name);
	else
		snprintf(entry_name, sizeof(entry_name), "%s %s #%zu", file,
			 section, index);
	entry_failed = false;
}

static void entry_end(void)
{
	if (!entry_failed)
		sim_pass();
}

void vec_fail(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!entry_failed)
		sim_fail("%s: %s", entry_name, text);
	entry_failed = true;
}

void vec_expect(const char *what, u64 expected, u64 got)
{
	if (expected == got)
		return;
	vec_fail("%s: expected %" PRIu64 " (%#" PRIx64 "), got %" PRIu64
		 " (%#" PRIx64 ")", what, (uint64_t)expected,
		 (uint64_t)expected, (uint64_t)got, (uint64_t)got);
}

/* A number: an integer, or a string with one (hexadecimal words are). */
u64 vec_u64(const json_t *v)
{
	if (json_is_integer(v))
		return json_integer_value(v);
	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 0);
	if (json_is_real(v) && json_real_value(v) >= 0 &&
	    json_real_value(v) < 18446744073709551616.0)
		return json_real_value(v);
	vec_fail("not a number in the file");
	return 0;
}

u64 vec_at(const json_t *array, size_t i)
{
	return vec_u64(json_array_get(array, i));
}

/* A number, or @none for null. */
u64 vec_or_null(const json_t *v, u64 none)
{
	return !v || json_is_null(v) ? none : vec_u64(v);
}

struct section {
	const char *name;
	/* A key of the entries that tells sections of one name apart. */
	const char *key;
	/* Whether that key must hold an object (chunks) or an array. */
	bool chunks;
	void (*run)(const json_t *entry);
};

static const struct section sections[] = {
	{ "alloc_range_words", NULL, false, vec_alloc_range_words },
	{ "popcnt_range", NULL, false, vec_popcnt_range },
	{ "summarize", NULL, false, vec_summarize },
	{ "alloc", "cache", false, vec_cache_alloc },
	{ "alloc", "before", false, vec_bits_alloc },
	{ "alloc", "before", true, vec_page_alloc },
	{ "free", "before_free", false, vec_bits_free },
	{ "free", "before", true, vec_page_free },
	{ "summarize_random", NULL, false, vec_summarize_random },
	{ "find_random", NULL, false, vec_find_random },
	{ "find_bit_range64_cases", NULL, false, vec_find_word },
	{ "find_bit_range64_random", NULL, false, vec_find_word },
	{ "fill_aligned", NULL, false, vec_fill_aligned },
	{ "grow", NULL, false, vec_grow },
	{ "alloc_and_free", NULL, false, vec_alloc_and_free },
	{ "traces", "ops", false, vec_trace },
	{ "flush", "cache", false, vec_cache_flush },
	{ "alloc_to_cache", NULL, false, vec_alloc_to_cache },
	{ "find_candidate", NULL, false, vec_find_candidate },
	{ "page_alloc_scavenge", NULL, false, vec_scavenge },
	{ "scavenge_index", "ops", false, vec_scavenge_index },
	{ "chunk_data_pack", NULL, false, vec_chunk_data_pack },
	{ "tests", "cycles", false, vec_pacer_test },
	{ "memory_limit_goal", NULL, false, vec_limit_goal },
	{ "trigger_probe", "runway", false, vec_trigger_probe },
	{ "workers", NULL, false, vec_pacer_workers },
};

/* Sections of which the whole, not each element, is one entry. */
static const struct section whole[] = {
	{ "exhaust", "npages", false, vec_exhaust },
	{ "pi_controller", "kp", false, vec_pi_controller },
	{ "scavenger_sim", "phases", false, vec_scavenger_sim },
	{ "leak", NULL, false, NULL },
};

static bool shape_fits(const struct section *s, const json_t *entry)
{
	const json_t *v;

	if (!s->key)
		return true;
	v = json_object_get(entry, s->key);
	return v && json_is_object(v) == s->chunks;
}

static const struct section *section_of(const char *name, const json_t *entry)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(sections[i].name, name) &&
		    shape_fits(&sections[i], entry))
			return &sections[i];
	return NULL;
}

/* Run a section; the number of entries run, or -1 if nothing knows it. */
static long run_section(const char *file, const char *name, json_t *section)
{
	const struct section *s;
	long ran = 0;
	size_t i;
	const char *key;
	json_t *entry;

	for (i = 0; i < ARRAY_SIZE(whole); i++) {
		if (strcmp(whole[i].name, name) || !whole[i].run ||
		    !shape_fits(&whole[i], section))
			continue;
		entry_begin(file, name, "", 0);
		whole[i].run(section);
		entry_end();
		return 1;
	}
	/* Some tables are wrapped together with a note. */
	if (json_is_object(section) && json_object_get(section, "cases"))
		section = json_object_get(section, "cases");

	if (json_is_object(section)) {
		json_object_foreach(section, key, entry) {
			s = section_of(name, entry);
			if (!s)
				return ran ? ran : -1;
			entry_begin(file, name, key, 0);
			s->run(entry);
			entry_end();
			ran++;
		}
		return ran;
	}
	if (json_is_array(section)) {
		json_array_foreach(section, i, entry) {
			const char *n;

			s = section_of(name, entry);
			if (!s)
				return ran ? ran : -1;
			n = json_string_value(json_object_get(entry, "name"));
			entry_begin(file, name, n, i);
			s->run(entry);
			entry_end();
			ran++;
		}
		return ran;
	}
	return -1;
}

static json_t *load(const char *path)
{
	char *text = json_read(path);
	json_error_t err;
	json_t *root;

	root = json_loads(text, JSON_REJECT_DUPLICATES, &err);
	free(text);
	if (!root)
		sim_fail("%s:%d: %s", path, err.line, err.text);
	return root;
}

static void run_file(const char *dir, const char *name)
{
	unsigned long failed = sim_failed;
	char path[1024], note[512] = "";
	long total = 0;
	const char *key;
	json_t *root, *section;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	root = load(path);
	if (!root)
		return;
	json_object_foreach(root, key, section) {
		long ran;

		if (*key == '_' || !json_is_object(section) &&
		    !json_is_array(section))
			continue;
		ran = run_section(name, key, section);
		if (ran >= 0) {
			total += ran;
			continue;
		}
		snprintf(note + strlen(note), sizeof(note) - strlen(note),
			 "%s%s", *note ? ", " : "; skipped: ", key);
	}
	json_decref(root);
	printf("%-20s %5ld entries run, %lu failed%s\n", name, total,
	       sim_failed - failed, note);
}

static int is_json(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && !strcmp(d->d_name + len - 5, ".json");
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int i, n;

	if (argc != 2) {
		fprintf(stderr, "usage: vectors DIR\n");
		return 2;
	}
	n = scandir(argv[1], &names, is_json, alphasort);
	if (n < 0) {
		perror(argv[1]);
		return 2;
	}
	for (i = 0; i < n; i++) {
		run_file(argv[1], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return sim_result();
}
