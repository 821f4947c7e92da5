/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pattern that an object carries while it is live.
 *
 * Each 8-byte word is made of the object's address, the record that allocated
 * it and the word's offset, so no two live objects and no two lives of the
 * same memory look alike: an object that was handed out twice, moved or
 * overwritten by the allocator shows. Objects up to PATTERN_WHOLE bytes are
 * filled completely, of larger ones the first and the last PATTERN_EDGE bytes
 * and a word in every PATTERN_STRIDE bytes between.
 */
#ifndef REPLAY_PATTERN_H
#define REPLAY_PATTERN_H

#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#define PATTERN_WHOLE	256
#define PATTERN_EDGE	64
#define PATTERN_STRIDE	256

static inline u64 pattern_word(const void *p, u32 record, size_t offset)
{
	u64 x = (u64)(unsigned long)p + offset;

	/* Odd multipliers: a change of either input changes the word. */
	x = (x ^ ((u64)record << 32 | record)) * 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

/* Fill, or with @check compare. Return false at the first difference. */
static inline bool pattern_range(void *p, size_t from, size_t to, u32 record,
				 bool check)
{
	size_t at, len;

	for (at = from; at < to; at += len) {
		u64 word = pattern_word(p, record, at);

		len = min_t(size_t, to - at, sizeof(word));
		if (!check)
			memcpy(p + at, &word, len);
		else if (memcmp(p + at, &word, len))
			return false;
	}
	return true;
}

static inline bool pattern_walk(void *p, size_t size, u32 record, bool check)
{
	size_t at;

	if (size <= PATTERN_WHOLE)
		return pattern_range(p, 0, size, record, check);
	if (!pattern_range(p, 0, PATTERN_EDGE, record, check) ||
	    !pattern_range(p, size - PATTERN_EDGE, size, record, check))
		return false;
	for (at = PATTERN_STRIDE; at < size - PATTERN_EDGE - sizeof(u64); at += PATTERN_STRIDE) {
		if (!pattern_range(p, at, at + sizeof(u64), record, check))
			return false;
	}
	return true;
}

static inline void pattern_fill(void *p, size_t size, u32 record)
{
	pattern_walk(p, size, record, false);
}

static inline bool pattern_is_good(void *p, size_t size, u32 record)
{
	return pattern_walk(p, size, record, true);
}

#endif /* REPLAY_PATTERN_H */
