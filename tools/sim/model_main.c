// SPDX-License-Identifier: GPL-2.0-only
/*
 * model - long random runs of the page allocator against the model.
 *
 *	model [--steps N] [--seed S] [--mutation K]
 *	model --replay FILE...
 *
 * A run is cut into episodes that begin with an empty allocator.  When one
 * fails, operations are left out as long as it still fails, and what remains
 * is printed, and written to model-failure.trace, in the form that --replay
 * reads.  FILE may also be one of the fuzzer's inputs (not text).
 *
 * --mutation breaks the allocator on purpose in one of several ways, after
 * every step, to see that the comparison notices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "model.h"

#define TRACE_FILE "model-failure.trace"

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
	i = wrong != NULL;
	model_delete(m);
	return i;
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
		[MODEL_ALLOC] = 24, [MODEL_ALLOC_LARGE] = 2, [MODEL_FREE] = 16,
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

/* A trace in text form; false if the file is not one. */
static bool read_text(FILE *f, struct episode *e, unsigned int max)
{
	char name[32];
	unsigned int a, b;
	int k;

	if (fscanf(f, "layout %u\n", &e->layout) != 1)
		return false;
	while (e->nr < max && fscanf(f, "%31s %u %u\n", name, &a, &b) == 3) {
		for (k = 0; k < MODEL_NR_KINDS; k++)
			if (!strcmp(name, model_kind_name[k]))
				break;
		if (k == MODEL_NR_KINDS)
			return false;
		e->op[e->nr++] = (struct model_op){ k, a, b };
	}
	return true;
}

static int replay(char **files, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		struct episode e = {};
		unsigned int steps;
		char text[256];
		FILE *f = fopen(files[i], "r");

		if (!f) {
			perror(files[i]);
			return 2;
		}
		e.op = calloc(1 << 20, sizeof(*e.op));
		if (!read_text(f, &e, 1 << 20)) {
			int layout;

			rewind(f);
			layout = fgetc(f);
			e.layout = layout == EOF ? 0 : layout;
			e.nr = fread(e.op, sizeof(*e.op), 1 << 20, f);
		}
		fclose(f);
		if (episode_fails(&e, text, sizeof(text), &steps))
			sim_fail("%s: after %u steps: %s", files[i], steps,
				 text);
		else
			sim_pass();
		free(e.op);
	}
	return sim_result();
}

int main(int argc, char **argv)
{
	unsigned long steps = 1000000;
	u64 seed = time(NULL);
	int i;

	setlinebuf(stdout);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--replay") && i + 1 < argc)
			return replay(argv + i + 1, argc - i - 1);
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
			"usage: model [--steps N] [--seed S] [--mutation K] | --replay FILE...\n");
		return 2;
	}
	return run_random(steps, seed);
}
