// SPDX-License-Identifier: GPL-2.0-only
/*
 * heap_main.c - replay inputs of the heap fuzzer, and turn them into text and back.
 *
 *	heap-run --replay FILE...		run inputs, binary or text
 *	heap-run --to-fuzz DIR FILE		text to one file per episode in DIR
 *	heap-run --to-text FILE...		binary inputs to text
 *
 * Text is a line "machine A B C D" per episode, then a line "OPERATION A C" per
 * operation, see fuzz_heap.c for what they mean.
 */
#include "world.h"

#define INPUT_MAX 65536

static u8 input[INPUT_MAX];

static void finish(const char *dir, size_t size, unsigned int episode)
{
	char name[4096];
	FILE *f;

	if (!size)
		return;
	if (!dir) {
		run_input(input, size);
		return;
	}
	snprintf(name, sizeof(name), "%s/%03u", dir, episode);
	f = fopen(name, "wb");
	if (!f || fwrite(input, 1, size, f) != size || fclose(f))
		sim_die("%s: cannot be written", name);
}

/* Episodes of a text file, each run or written to @dir; how many. */
static unsigned int text(const char *dir, const char *name)
{
	unsigned int a, b, c, d, episode = 0;
	FILE *f = fopen(name, "r");
	char line[256], word[32];
	size_t size = 0;
	int code;

	if (!f)
		sim_die("%s: cannot be read", name);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "machine %u %u %u %u", &a, &b, &c, &d) == 4) {
			finish(dir, size, episode++);
			size = 0;
			input[size++] = a;
			input[size++] = b;
			input[size++] = c;
			input[size++] = d;
			continue;
		}
		code = -1;
		if (size && sscanf(line, "%31s %u %u", word, &a, &c) == 3)
			code = op_code(word);
		if (code < 0 || size + INPUT_OP > INPUT_MAX)
			sim_die("%s: bad line: %s", name, line);
		input[size++] = code;
		input[size++] = a;
		input[size++] = c;
		input[size++] = c >> 8;
	}
	finish(dir, size, episode);
	fclose(f);
	return episode;
}

static size_t binary(const char *name)
{
	FILE *f = fopen(name, "rb");
	size_t size;

	if (!f)
		sim_die("%s: cannot be read", name);
	size = fread(input, 1, INPUT_MAX, f);
	fclose(f);
	return size;
}

static bool is_text(const char *name)
{
	size_t size = binary(name);

	return size && !memcmp(input, "# SPDX", min_t(size_t, size, 6));
}

static void to_text(const char *name)
{
	size_t size = binary(name);
	size_t i;

	if (size < INPUT_HEAD)
		return;
	printf("machine %u %u %u %u\n", input[0], input[1], input[2], input[3]);
	for (i = INPUT_HEAD; i + INPUT_OP <= size; i += INPUT_OP)
		printf("%s %u %u\n", op_name(input[i]), input[i + 1],
		       input[i + 2] | input[i + 3] << 8);
}

int main(int argc, char **argv)
{
	unsigned int passed = 0;
	int i;

	if (argc == 4 && !strcmp(argv[1], "--to-fuzz")) {
		text(argv[2], argv[3]);
		return 0;
	}
	if (argc >= 3 && !strcmp(argv[1], "--to-text")) {
		for (i = 2; i < argc; i++)
			to_text(argv[i]);
		return 0;
	}
	if (argc < 3 || strcmp(argv[1], "--replay")) {
		fputs("usage: heap-run --replay FILE... | --to-fuzz DIR FILE | --to-text FILE...\n",
		      stderr);
		return 2;
	}
	/* Whatever is wrong ends the program. */
	for (i = 2; i < argc; i++) {
		if (is_text(argv[i])) {
			passed += text(NULL, argv[i]);
		} else {
			run_input(input, binary(argv[i]));
			passed++;
		}
	}
	printf("%u passed, 0 failed\n", passed);
	return !passed;
}
