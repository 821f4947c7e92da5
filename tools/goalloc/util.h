/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is there or the program ends, text, time, files. */
#ifndef GOALLOC_UTIL_H
#define GOALLOC_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "goalloc.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PRINTF(a, b)	__attribute__((format(printf, a, b)))

/* Room for a number of bytes as format_bytes() writes it. */
#define BYTES_LEN	16

/* "goalloc: ..." on stderr; die() ends the program with @status. */
void warn(const char *format, ...) PRINTF(1, 2);
_Noreturn void die(enum exit_status status, const char *format, ...) PRINTF(2, 3);

/* Called before die() speaks: whoever has the terminal gives it back. */
extern void (*die_hook)(void);

void *xmalloc(size_t size);
void *xcalloc(size_t nr, size_t size);
void *xrealloc(void *old, size_t size);
void *xrealloc_array(void *old, size_t nr, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *format, ...) PRINTF(1, 2);

/* Three digits and a binary unit: 512B, 17.5M. */
const char *format_bytes(char *out, int64_t bytes);

/* Three digits and a decimal unit, of counts and rates: 950, 12.3k. */
const char *format_count(char *out, double count);

/* Tenths of a percent of @of, which may be 0. */
double percent(int64_t part, int64_t of);

/* Seconds since the epoch, or what SOURCE_DATE_EPOCH says. */
double time_now(void);

/* Seconds that only go forward. */
double time_monotonic(void);

void sleep_seconds(double seconds);

/* A file that replaces @path only when all of it is written. */
struct new_file {
	const char *path;
	char *temporary;
	FILE *out;
};

void new_file_begin(struct new_file *file, const char *path);
void new_file_end(struct new_file *file);

/* End the program with a word if what went to stdout did not arrive. */
void flush_stdout(void);

#endif /* GOALLOC_UTIL_H */
