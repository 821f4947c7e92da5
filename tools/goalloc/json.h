/* SPDX-License-Identifier: GPL-2.0-only */
/* Snapshots as JSON, and back. */
#ifndef GOALLOC_JSON_H
#define GOALLOC_JSON_H

#include "snapshot.h"

/* The form of the JSON; a reader refuses another major version. */
#define JSON_VERSION "1.0"

void json_write(const struct snapshot *snap, FILE *out);

/* Ends the program if @path is no such file. */
void json_read(struct snapshot *snap, const char *path);

/* As json_read(), of a text; -1 and @fault if it is none. */
int json_parse(struct snapshot *snap, const char *text, size_t size, struct fault *fault);

#endif /* GOALLOC_JSON_H */
