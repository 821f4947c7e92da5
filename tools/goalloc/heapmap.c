// SPDX-License-Identifier: GPL-2.0-only
/* heapmap: the run-length code of a chunk's pages. */
#include <ctype.h>
#include <string.h>

#include "heapmap.h"

int heapmap_decode(const char *code, char pages[CHUNK_PAGES])
{
	unsigned int done = 0;

	while (*code) {
		unsigned int count = 0;
		char letter = *code++;

		if (!isalpha((unsigned char)letter) || !isdigit((unsigned char)*code))
			return -1;
		while (isdigit((unsigned char)*code)) {
			count = 10 * count + *code++ - '0';
			if (count > CHUNK_PAGES)
				return -1;
		}
		if (!count || done + count > CHUNK_PAGES)
			return -1;
		memset(pages + done, letter, count);
		done += count;
	}
	return done == CHUNK_PAGES ? 0 : -1;
}
