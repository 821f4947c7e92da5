// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: what the module was told for the default heap.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "compat.h"
#include "harden.h"

static char *harden_words;
module_param_named(harden, harden_words, charp, 0444);
MODULE_PARM_DESC(harden, "what misuse the default heap looks for: redzone,poison,zero,quarantine,random,stacks or all (all but zero)");

/*
 * 1 MiB: a few thousand objects of the usual sizes, so that a stale pointer
 * that is used soon is found out, while a heap is not noticeably larger for it.
 */
static unsigned long harden_quarantine_kib = 1024;
module_param_named(quarantine, harden_quarantine_kib, ulong, 0444);
MODULE_PARM_DESC(quarantine, "KiB that the quarantine of a hardened heap keeps from reuse at most (1024)");

static const struct {
	const char *word;
	unsigned int flags;
} harden_known[] = {
	{ "redzone", GOALLOC_HARDEN_REDZONE },
	{ "poison", GOALLOC_HARDEN_POISON },
	{ "zero", GOALLOC_HARDEN_ZERO },
	{ "quarantine", GOALLOC_HARDEN_QUARANTINE },
	{ "random", GOALLOC_HARDEN_RANDOM },
	{ "stacks", GOALLOC_HARDEN_STACKS },
	{ "all", GOALLOC_HARDEN_ALL },
};

/**
 * harden_parse - flags of a list of words
 * @words: the words, with commas between
 * @flags: the flags
 *
 * Context: Process context.
 * Return: 0, or -EINVAL for a word that is none; that has been said.
 */
int harden_parse(const char *words, unsigned int *flags)
{
	unsigned int i;
	size_t len;

	for (*flags = 0; *words; words += len + (words[len] == ',')) {
		len = strcspn(words, ",");
		for (i = 0; i < ARRAY_SIZE(harden_known); i++)
			if (strlen(harden_known[i].word) == len &&
			    !memcmp(words, harden_known[i].word, len))
				break;
		if (i == ARRAY_SIZE(harden_known)) {
			pr_err("harden=: \"%.*s\" is not known; use any of redzone,poison,zero,quarantine,random,stacks, or all\n",
			       (int)min_t(size_t, len, 64), words);
			return -EINVAL;
		}
		*flags |= harden_known[i].flags;
	}
	return 0;
}
GOALLOC_EXPORT_KUNIT(harden_parse);

/**
 * harden_params - how the default heap is to be made
 * @attr: what to fill in
 *
 * Context: Process context.
 * Return: 0 or -EINVAL.
 */
int harden_params(struct goalloc_heap_attr *attr)
{
	if (harden_quarantine_kib > ULONG_MAX >> 10) {
		pr_err("quarantine=%lu: too large; give KiB\n", harden_quarantine_kib);
		return -EINVAL;
	}
	return harden_words ? harden_parse(harden_words, &attr->harden) : 0;
}

/* Bytes that a quarantine may keep if its heap does not say. */
size_t harden_quarantine_cap(void)
{
	return harden_quarantine_kib << 10;
}
