// SPDX-License-Identifier: GPL-2.0-only
/*
 * model - long random runs of the page allocator against the model.
 *
 *	model [--steps N] [--seed S] [--mutation K]
 *	model --replay FILE...
 *	model --to-text FILE...
 *	model --to-fuzz DIR FILE...
 *
 * A run is cut into episodes that begin with an empty allocator.  When one
 * fails, operations are left out as long as it still fails, and what remains
 * is printed, and written to model-failure.trace, in the form that --replay
 * reads.  FILE may also be one of the fuzzer's inputs (not text); the last two
 * forms turn one into the other.
 *
 * --mutation breaks the allocator on purpose in one of several ways, after
 * every step, to see that the comparison notices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "model.h"

#define TRACE_FILE "model-failure.trace"
#define MAX_OPS 1000000

struct episode {
	unsigned int layout;
	struct model_op *op;
	unsigned int nr;
};

/* Run an episode; what went wrong, copied to @text, and after how many steps. */
static bool episode_fails(const struct episode *e, char *text, size_t size,
			  unsigned int *steps)
{
	struct model *m = model_new(e->layout);
	const char *wrong = NULL;
	unsigned int i;

	for (i = 0; i < e->nr && !wrong; i++)
		wrong = model_step(m, &e->op[i]);
	if (!wrong)
		wrong = model_check_all(m, e->nr >= 4096);
	if (wrong)
		snprintf(text, size, "%s", wrong);
	*steps = i;
	model_delete(m);
	return wrong;
}

/* Leave out pieces, large ones first, as long as it keeps failing. */
static void minimize(struct episode *e)
{
	struct episode try = {
		.layout = e->layout,
		.op = calloc(e->nr, sizeof(*try.op)),
	};
	unsigned int piece = e->nr / 2;
	unsigned int runs = 0;
	char text[256];

	while (piece && runs < 20000) {
		bool shorter = false;
		unsigned int at;

		for (at = 0; at + piece <= e->nr;) {
			unsigned int steps;

			memcpy(try.op, e->op, at * sizeof(*e->op));
			memcpy(try.op + at, e->op + at + piece,
			       (e->nr - at - piece) * sizeof(*e->op));
			try.nr = e->nr - piece;
			runs++;
			if (!episode_fails(&try, text, sizeof(text), &steps)) {
				at += piece;
				continue;
			}
			/* Nothing behind the failing step matters. */
			memcpy(e->op, try.op, steps * sizeof(*e->op));
			e->nr = steps;
			shorter = true;
		}
		if (!shorter)
			piece /= 2;
	}
	free(try.op);
}

static void write_trace(FILE *f, const struct episode *e)
{
	unsigned int i;

	fprintf(f, "layout %u\n", e->layout);
	for (i = 0; i < e->nr; i++)
		fprintf(f, "%s %u %u\n",
			model_kind_name[e->op[i].kind % MODEL_NR_KINDS],
			e->op[i].a, e->op[i].b);
}

static void report(struct episode *e, const char *text, unsigned int steps)
{
	unsigned int again;
	char now[256];
	FILE *f;

	sim_fail("after %u steps of an episode: %s", steps, text);
	e->nr = steps;
	minimize(e);
	episode_fails(e, now, sizeof(now), &again);
	printf("%u operations are enough (%s):\n", e->nr, now);
	write_trace(stdout, e);
	f = fopen(TRACE_FILE, "w");
	if (f) {
		write_trace(f, e);
		fclose(f);
		printf("replay with: model --replay %s\n", TRACE_FILE);
	}
}

/*
 * What an operation is likely to be changes from episode to episode, so that
 * some heaps are full, some empty, some in pieces.
 */
static void fill_episode(struct episode *e, u64 *rng)
{
	static const u8 usual[MODEL_NR_KINDS] = {
		[MODEL_ALLOC] = 24, [MODEL_ALLOC_LARGE] = 2, [MODEL_ALLOC_AT] = 1,
		[MODEL_FREE] = 16,
		[MODEL_FREE_PART] = 3, [MODEL_FREE_MANY] = 1, [MODEL_GROW] = 2,
		[MODEL_GROW_CHUNKS] = 1, [MODEL_DISOWN] = 1,
		[MODEL_CACHE_GET] = 3, [MODEL_CACHE_ALLOC] = 10,
		[MODEL_CACHE_FLUSH] = 2, [MODEL_SCAVENGE] = 1,
		[MODEL_NEXT_GEN] = 1, [MODEL_EXTEND] = 1, [MODEL_NO_MEMORY] = 0,
	};
	unsigned int weight[MODEL_NR_KINDS], total = 0, i, k;

	e->layout = sim_random(rng) % (2 * MODEL_NR_LAYOUTS);
	for (k = 0; k < MODEL_NR_KINDS; k++) {
		weight[k] = usual[k] * (1 + sim_random(rng) % 4);
		total += weight[k];
	}
	if (sim_random(rng) % 8 == 0) {
		weight[MODEL_NO_MEMORY] = 2;
		total += 2;
	}
	for (i = 0; i < e->nr; i++) {
		unsigned int pick = sim_random(rng) % total;

		for (k = 0; pick >= weight[k]; k++)
			pick -= weight[k];
		/* Begin with room for the address space and something in it. */
		if (i == 0)
			k = MODEL_EXTEND;
		else if (i < 4)
			k = MODEL_GROW_CHUNKS;
		e->op[i].kind = k;
		e->op[i].a = sim_random(rng) >> 40;
		e->op[i].b = sim_random(rng) >> 40;
	}
}

static int run_random(unsigned long steps, u64 seed)
{
	struct episode e = {};
	unsigned long done = 0, episodes = 0;
	u64 rng = seed * 2 + 1;

	e.op = calloc(32768, sizeof(*e.op));
	printf("model: seed %llu, %lu steps\n", seed, steps);
	while (done < steps) {
		unsigned int ran;
		char text[256];

		e.nr = 64 << sim_random(&rng) % 10;
		fill_episode(&e, &rng);
		if (episode_fails(&e, text, sizeof(text), &ran)) {
			report(&e, text, ran);
			break;
		}
		done += ran;
		episodes++;
		sim_pass();
	}
	printf("model: %lu steps in %lu episodes, compared after each\n", done,
	       episodes);
	free(e.op);
	return sim_result();
}

/*
 * Files may hold several episodes, each beginning with its "layout" line, and
 * comments at the beginning.  Each episode read is given to @each.
 */
static int read_file(const char *name, void (*each)(const char *name,
						    unsigned int nr,
						    struct episode *e))
{
	static struct model_op op[MAX_OPS];
	struct episode e = { .op = op };
	unsigned int a, b, nr = 0;
	FILE *f = fopen(name, "r");
	char line[128] = "", kind[32];
	bool text = false;
	int k;

	if (!f) {
		perror(name);
		return 2;
	}
	while (fgets(line, sizeof(line), f) && *line == '#')
		;
	do {
		unsigned int layout;

		if (sscanf(line, "layout %u", &layout) == 1) {
			if (text)
				each(name, nr++, &e);
			text = true;
			e.layout = layout;
			e.nr = 0;
			continue;
		}
		if (!text || sscanf(line, "%31s %u %u", kind, &a, &b) != 3)
			break;
		for (k = 0; k < MODEL_NR_KINDS; k++)
			if (!strcmp(kind, model_kind_name[k]))
				break;
		if (k == MODEL_NR_KINDS || e.nr == MAX_OPS)
			break;
		e.op[e.nr++] = (struct model_op){ k, a, b };
	} while (fgets(line, sizeof(line), f));

	if (text && !feof(f)) {
		fprintf(stderr, "%s: cannot read '%s'\n", name, line);
		fclose(f);
		return 2;
	}
	if (!text) {
		/* One of the fuzzer's. */
		rewind(f);
		k = fgetc(f);
		e.layout = k == EOF ? 0 : k % (2 * MODEL_NR_LAYOUTS);
		e.nr = fread(op, sizeof(*op), MAX_OPS, f);
	}
	fclose(f);
	each(name, nr, &e);
	return 0;
}

static void replay(const char *name, unsigned int nr, struct episode *e)
{
	unsigned int steps;
	char text[256];

	if (episode_fails(e, text, sizeof(text), &steps))
		sim_fail("%s, episode %u: after %u steps: %s", name, nr, steps,
			 text);
	else
		sim_pass();
}

static void to_text(const char *name, unsigned int nr, struct episode *e)
{
	(void)name;
	(void)nr;
	write_trace(stdout, e);
}

static const char *fuzz_dir;

static void to_fuzz(const char *name, unsigned int nr, struct episode *e)
{
	char path[1024];
	FILE *f;

	(void)name;
	snprintf(path, sizeof(path), "%s/episode-%04u", fuzz_dir, nr);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(2);
	}
	fputc(e->layout, f);
	fwrite(e->op, sizeof(*e->op), e->nr, f);
	fclose(f);
}

static int read_files(char **files, int nr, void (*each)(const char *name,
							 unsigned int nr,
							 struct episode *e))
{
	int i, err = 0;

	for (i = 0; i < nr && !err; i++)
		err = read_file(files[i], each);
	return err;
}

int main(int argc, char **argv)
{
	unsigned long steps = 1000000;
	u64 seed = time(NULL);
	int i;

	setlinebuf(stdout);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--replay") && i + 1 < argc) {
			if (read_files(argv + i + 1, argc - i - 1, replay))
				return 2;
			return sim_result();
		}
		if (!strcmp(argv[i], "--to-text") && i + 1 < argc)
			return read_files(argv + i + 1, argc - i - 1, to_text);
		if (!strcmp(argv[i], "--to-fuzz") && i + 2 < argc) {
			fuzz_dir = argv[i + 1];
			return read_files(argv + i + 2, argc - i - 2, to_fuzz);
		}
		if (!strcmp(argv[i], "--steps") && i + 1 < argc)
			steps = strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--mutation") && i + 1 < argc)
			model_mutation = atoi(argv[++i]);
		else
			break;
	}
	if (i < argc) {
		fprintf(stderr,
			"usage: model [--steps N] [--seed S] [--mutation K] | --replay FILE... |\n"
			"             --to-text FILE... | --to-fuzz DIR FILE...\n");
		return 2;
	}
	return run_random(steps, seed);
}
