// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map on a terminal: a character per page. Lines that say nothing new are left
 * out, as hexdump does it.
 */
#include <stdlib.h>
#include <string.h>

#include "picture.h"

/* Objects of up to 8 bytes, 16, 32 ... 32 KiB. */
static const char small_letters[] = "123456789abcd";

static char letter_of_size(int64_t size)
{
	unsigned int i = 0;

	while (small_letters[i + 1] && size > 8ll << i)
		i++;
	return small_letters[i];
}

static char letter_of_kind(const struct picture *pic, unsigned int kind)
{
	static const char letters[KIND_SMALL] = {
		[KIND_FOREIGN] = ' ',
		[KIND_FREE] = '.',
		[KIND_ZERO] = '_',
		[KIND_CACHED] = 'p',
		[KIND_USED] = '#',
		[KIND_OTHER] = '?',
		[KIND_LARGE] = 'L',
		[KIND_TINY] = 't',
	};

	return kind < KIND_SMALL ? letters[kind] : letter_of_size(pic->size[kind]);
}

/* A colour of the terminal's cube of 6 by 6 by 6. */
static unsigned int colour_256(uint32_t rgb)
{
	unsigned int r = (rgb >> 16) * 5 / 255, g = (rgb >> 8 & 0xff) * 5 / 255;

	return 16 + 36 * r + 6 * g + (rgb & 0xff) * 5 / 255;
}

static void print_pages(const struct picture *pic, const uint8_t *kind, unsigned int nr,
			bool colour)
{
	int last = -1;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (colour && kind[i] != last && kind[i] >= KIND_LARGE)
			printf("\033[38;5;%um", kind[i] == KIND_LARGE ? 15 :
			       colour_256(picture_colour(pic, kind[i])));
		else if (colour && kind[i] != last)
			printf("\033[0m");
		last = kind[i];
		putchar(letter_of_kind(pic, kind[i]));
	}
	puts(colour ? "\033[0m" : "");
}

static void print_legend(const struct picture *pic)
{
	static const unsigned int kinds[] = {
		KIND_FREE, KIND_ZERO, KIND_CACHED, KIND_LARGE, KIND_TINY, KIND_USED, KIND_OTHER,
	};
	int64_t by_letter[sizeof(small_letters)] = {};
	char name[PICTURE_NAME_LEN], bytes[BYTES_LEN], size[BYTES_LEN];
	unsigned int i;

	printf("\n  %-3s %10s %8s  %s\n", "", "pages", "bytes", "what");
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (pic->count[kinds[i]])
			printf("  %c   %10lld %8s  %s\n", letter_of_kind(pic, kinds[i]),
			       (long long)pic->count[kinds[i]],
			       format_bytes(bytes, pic->count[kinds[i]] * pic->page_size),
			       picture_name(pic, kinds[i], name));
	for (i = KIND_SMALL; i <= KIND_MAX; i++)
		if (pic->count[i])
			by_letter[strchr(small_letters, letter_of_size(pic->size[i])) -
				  small_letters] += pic->count[i];
	for (i = 0; small_letters[i]; i++)
		if (by_letter[i])
			printf("  %c   %10lld %8s  objects of up to %s\n", small_letters[i],
			       (long long)by_letter[i],
			       format_bytes(bytes, by_letter[i] * pic->page_size),
			       format_bytes(size, 8ll << i));
}

void picture_print(const struct picture *pic, unsigned int width, bool colour)
{
	const struct picture_chunk *before = NULL;
	char bytes[BYTES_LEN], line[BYTES_LEN];
	unsigned int last = 0, first;
	bool starred = false;
	size_t i;

	printf("heap %s: a character is a page of %s, a line %s; the number is that of its first page\n\n",
	       pic->heap, format_bytes(bytes, pic->page_size),
	       format_bytes(line, width * pic->page_size));
	for (i = 0; i < pic->nr; i++) {
		const struct picture_chunk *chunk = &pic->chunk[i];

		for (first = 0; first < CHUNK_PAGES; first += width) {
			bool same = before &&
				    !memcmp(before->kind + last, chunk->kind + first, width);

			if (same) {
				if (!starred)
					puts("         *");
				starred = true;
				continue;
			}
			starred = false;
			before = chunk;
			last = first;
			printf("%10lld ", (long long)chunk->page + first);
			print_pages(pic, chunk->kind + first, width, colour);
		}
	}
	print_legend(pic);
}
