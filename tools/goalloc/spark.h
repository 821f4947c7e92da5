/* SPDX-License-Identifier: GPL-2.0-only */
/* Small drawings of text: sparklines and bars. */
#ifndef GOALLOC_SPARK_H
#define GOALLOC_SPARK_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes per character at most, and the NUL. */
#define SPARK_BYTES(columns) (3 * (columns) + 1)

/* Use blocks of Unicode, not letters: what the terminal can do. */
extern bool spark_unicode;

/* One character per value, scaled to the largest. */
void spark_line(char *out, const double *values, size_t nr);

/* A bar of @columns characters, as long as @share (0 to 1) says. */
void spark_bar(char *out, double share, unsigned int columns);

#endif /* GOALLOC_SPARK_H */
