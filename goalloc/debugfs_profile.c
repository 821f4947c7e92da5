// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of the heap profile: stacks, and sites in the form of the kernel's
 * /proc/allocinfo.
 *
 * Stacks and places are only ever added while the files are there, so a reader can
 * keep his place in the list and go on from it. The numbers are copied, some rows
 * at a time, under profile_lock.
 */
#include <linux/debugfs.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/stackdepot.h>
#include <linux/string.h>

#include "compat.h"
#include "debugfs.h"
#include "debugfs_rows.h"
#include "heap.h"
#include "profile.h"

#if GOALLOC_PROFILE

#define PROFILE_BATCH 32

/* What the numbers are worth. */
static void profile_head(struct seq_file *m, struct goalloc_heap *heap, const char *name)
{
	struct profile *profile = smp_load_acquire(&heap->profile);
	unsigned long flags;
	u64 dropped = 0;

	profile_settle();
	if (profile) {
		raw_spin_lock_irqsave(&profile_lock, flags);
		dropped = profile->dropped;
		raw_spin_unlock_irqrestore(&profile_lock, flags);
	}
	seq_printf(m, "goalloc %s - version: 1.0\n", name);
	seq_printf(m, "# rate: %u bytes per sample\n", READ_ONCE(profile_rate));
	seq_printf(m, "# dropped: %llu samples that there was no room for\n", dropped);
	seq_printf(m, "# heap %s; objects and bytes are estimated from the samples\n", heap->name);
}

/* An address in code as text, which must not be a number. */
static const char *profile_symbol(char *buf, unsigned long addr)
{
	sprint_symbol(buf, addr);
	return strncmp(buf, "0x", 2) ? buf : "[unknown]";
}

static u64 profile_objects(const struct profile_sum *sum)
{
	return (sum->objects + (1 << 15)) >> 16;
}

/**
 * struct stacks_rows - a reader of stacks
 * @rows: how far it has come
 * @last: the last stack gathered, NULL for none
 * @row: copies of those gathered; @list and @node of no use
 */
struct stacks_rows {
	struct debugfs_rows rows;
	struct profile_stack *last;
	struct profile_stack row[PROFILE_BATCH];
};

static unsigned int stacks_fill(struct debugfs_rows *rows)
{
	struct stacks_rows *reader = container_of(rows, struct stacks_rows, rows);
	struct profile *profile = smp_load_acquire(&rows->heap->profile);
	struct profile_stack *stack;
	unsigned int nr = 0;
	unsigned long flags;

	if (!profile)
		return 0;
	raw_spin_lock_irqsave(&profile_lock, flags);
	if (rows->next)
		stack = list_next_entry(reader->last, list);
	else
		stack = list_first_entry(&profile->stacks, struct profile_stack, list);
	rows->next = 1;
	for (; nr < PROFILE_BATCH && !list_entry_is_head(stack, &profile->stacks, list);
	     stack = list_next_entry(stack, list)) {
		reader->row[nr++] = *stack;
		reader->last = stack;
	}
	/* An empty list has no last one. */
	if (!reader->last)
		rows->next = 0;
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	return nr;
}

static void stacks_head(struct seq_file *m, struct goalloc_heap *heap)
{
	profile_head(m, heap, "stacks");
	seq_puts(m, "# a line per stack, then a line per frame, the innermost first; samples are counts\n");
	seq_puts(m, "# stack id in_use_objects in_use_bytes total_objects total_bytes in_use_samples total_samples\n");
}

static void stacks_show(struct seq_file *m, const struct debugfs_rows *rows, unsigned int i)
{
	const struct stacks_rows *reader = container_of(rows, struct stacks_rows, rows);
	const struct profile_stack *stack = &reader->row[i];
	char text[KSYM_SYMBOL_LEN];
	unsigned long *entries;
	unsigned int nr, frame;

	seq_printf(m, "stack %u %llu %llu %llu %llu %llu %llu\n", stack->id,
		   profile_objects(&stack->in_use), stack->in_use.bytes,
		   profile_objects(&stack->total), stack->total.bytes,
		   stack->in_use.samples, stack->total.samples);
	nr = stack_depot_fetch(stack->handle, &entries);
	for (frame = 0; frame < nr; frame++)
		seq_printf(m, "\t%s\n", profile_symbol(text, entries[frame]));
}

static const struct debugfs_table stacks_table = {
	.bytes = sizeof(struct stacks_rows),
	.head = stacks_head,
	.fill = stacks_fill,
	.show = stacks_show,
};

DEBUGFS_ROWS(stacks, stacks_table);

/**
 * struct sites_rows - a reader of sites
 * @rows: how far it has come
 * @last: the last place gathered, NULL for none
 * @row: copies of those gathered; @list of no use
 */
struct sites_rows {
	struct debugfs_rows rows;
	struct profile_site *last;
	struct profile_site row[PROFILE_BATCH];
};

static unsigned int sites_fill(struct debugfs_rows *rows)
{
	struct sites_rows *reader = container_of(rows, struct sites_rows, rows);
	struct profile *profile = smp_load_acquire(&rows->heap->profile);
	struct profile_site *site;
	unsigned int nr = 0;
	unsigned long flags;

	if (!profile)
		return 0;
	raw_spin_lock_irqsave(&profile_lock, flags);
	if (rows->next)
		site = list_next_entry(reader->last, list);
	else
		site = list_first_entry(&profile->sites, struct profile_site, list);
	rows->next = 1;
	for (; nr < PROFILE_BATCH && !list_entry_is_head(site, &profile->sites, list);
	     site = list_next_entry(site, list)) {
		reader->row[nr++] = *site;
		reader->last = site;
	}
	/* An empty list has no last one. */
	if (!reader->last)
		rows->next = 0;
	raw_spin_unlock_irqrestore(&profile_lock, flags);
	return nr;
}

static void sites_head(struct seq_file *m, struct goalloc_heap *heap)
{
	profile_head(m, heap, "sites");
	seq_puts(m, "#     <size>  <calls> <place>; in use\n");
}

static void sites_show(struct seq_file *m, const struct debugfs_rows *rows, unsigned int i)
{
	const struct sites_rows *reader = container_of(rows, struct sites_rows, rows);
	const struct profile_site *site = &reader->row[i];
	char text[KSYM_SYMBOL_LEN];

	seq_printf(m, "%12lld %8llu %s\n", (s64)site->in_use.bytes,
		   profile_objects(&site->in_use), profile_symbol(text, site->addr));
}

static const struct debugfs_table sites_table = {
	.bytes = sizeof(struct sites_rows),
	.head = sites_head,
	.fill = sites_fill,
	.show = sites_show,
};

DEBUGFS_ROWS(sites, sites_table);

/**
 * debugfs_show_stacks - the whole file, for tests
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_stacks(struct seq_file *m, struct goalloc_heap *heap)
{
	debugfs_rows_print(m, heap, &stacks_table);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_stacks);

/**
 * debugfs_show_sites - the whole file, for tests
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_sites(struct seq_file *m, struct goalloc_heap *heap)
{
	debugfs_rows_print(m, heap, &sites_table);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_sites);

#endif /* GOALLOC_PROFILE */

/**
 * debugfs_add_profile - make the files of the profile
 * @dir: directory
 * @heap: its heap
 *
 * Where the kernel keeps no stacks there are none.
 *
 * Context: Process context.
 */
void debugfs_add_profile(struct dentry *dir, struct goalloc_heap *heap)
{
#if GOALLOC_PROFILE
	debugfs_create_file("stacks", 0444, dir, heap, &debugfs_stacks_fops);
	debugfs_create_file("sites", 0444, dir, heap, &debugfs_sites_fops);
#endif
}
