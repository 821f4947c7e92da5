// SPDX-License-Identifier: GPL-2.0-only
/* json_text.c - read a JSON file in which integers may be large. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json_text.h"

/*
 * Integers above 2^63 - 1 are no integers to the JSON library.  Put them into
 * quotes; vec_u64() reads both.
 */
static char *quote_large_integers(const char *text)
{
	char *out = malloc(2 * strlen(text) + 1);
	char *to = out;
	bool in_string = false;

	while (*text) {
		size_t digits = strspn(text, "0123456789");
		char after;

		if (in_string || !digits) {
			if (*text == '\\' && text[1])
				*to++ = *text++;
			else if (*text == '"')
				in_string = !in_string;
			*to++ = *text++;
			continue;
		}
		after = text[digits];
		errno = 0;
		strtoll(text, NULL, 10);
		if (errno == ERANGE && after != '.' && after != 'e' &&
		    after != 'E' && text[-1] != '.')
			to += sprintf(to, "\"%.*s\"", (int)digits, text);
		else
			to += sprintf(to, "%.*s", (int)digits, text);
		text += digits;
	}
	*to = '\0';
	return out;
}

/* The file's text with large integers as strings; malloc()ed. */
char *json_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text, *quoted;
	long size = -1;

	if (f && !fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (size < 0) {
		perror(path);
		exit(2);
	}
	rewind(f);
	text = malloc(size + 1);
	if (fread(text, 1, size, f) != (size_t)size) {
		perror(path);
		exit(2);
	}
	text[size] = '\0';
	fclose(f);
	quoted = quote_large_integers(text);
	free(text);
	return quoted;
}
