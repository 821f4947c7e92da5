/* SPDX-License-Identifier: GPL-2.0-only */
/* The C library's string functions, and one it lacks. */
#ifndef SIM_LINUX_STRING_H
#define SIM_LINUX_STRING_H

#include <string.h>

/* The first byte that is not @c, or NULL. */
static inline void *memchr_inv(const void *p, int c, size_t size)
{
	const unsigned char *s = p;

	for (; size; size--, s++)
		if (*s != (unsigned char)c)
			return (void *)s;
	return NULL;
}

#endif /* SIM_LINUX_STRING_H */
