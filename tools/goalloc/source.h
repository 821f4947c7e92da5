/* SPDX-License-Identifier: GPL-2.0-only */
/* goalloc's files in debugfs, or in a directory that was recorded from there. */
#ifndef GOALLOC_SOURCE_H
#define GOALLOC_SOURCE_H

#include "parse.h"

/*
 * The text of a heap's file; the caller frees it. NULL if the file is not there
 * and @optional; in all other cases the program ends with a word on what to do.
 */
char *source_read(const char *heap, const char *file, bool optional);

/* End the program if there is nothing of goalloc's to read at all. */
void source_check(void);

/* Names of all heaps, the default one first. */
char **source_heaps(size_t *nr);

/* End the program because a file's text is not what it should be. */
_Noreturn void source_fault(const char *heap, const char *file, const struct fault *fault);

/* All of a file, NUL behind it; NULL with errno set. */
char *read_whole_file(const char *path, size_t *size);

#endif /* GOALLOC_SOURCE_H */
