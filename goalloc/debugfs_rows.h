/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of many rows, gathered a batch at a time.
 */
#ifndef GOALLOC_DEBUGFS_ROWS_H
#define GOALLOC_DEBUGFS_ROWS_H

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/types.h>

struct debugfs_rows;
struct goalloc_heap;

/**
 * struct debugfs_table - a file of many rows
 * @bytes: size of what the file has per reader; begins with struct debugfs_rows
 * @head: print what comes before the rows
 * @fill: gather the next rows; returns how many, 0 when there are no more
 * @show: print row @i of those gathered
 *
 * Called in process context with no lock held. @fill goes by @rows->node and
 * @rows->next, which are 0 at the beginning and its own business.
 */
struct debugfs_table {
	size_t bytes;
	void (*head)(struct seq_file *m, struct goalloc_heap *heap);
	unsigned int (*fill)(struct debugfs_rows *rows);
	void (*show)(struct seq_file *m, const struct debugfs_rows *rows, unsigned int i);
};

/**
 * struct debugfs_rows - how far a reader has come
 * @table: the file
 * @heap: the heap; stays as long as the file can be read
 * @pos: position in the file of row @at; 0 is the head
 * @nr: rows gathered
 * @at: of these the one that is next
 * @node: number of the node that is next, for @fill
 * @next: what is next there, for @fill
 *
 * No lock: a file has one reader at a time, see seq_read().
 */
struct debugfs_rows {
	const struct debugfs_table *table;
	struct goalloc_heap *heap;
	loff_t pos;
	unsigned int nr;
	unsigned int at;
	int node;
	u64 next;
};

int debugfs_rows_open(struct inode *inode, struct file *file,
		      const struct debugfs_table *table);
void debugfs_rows_print(struct seq_file *m, struct goalloc_heap *heap,
			const struct debugfs_table *table);

/* The operations of a file of rows, for debugfs_create_file(). */
#define DEBUGFS_ROWS(name, table)					\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return debugfs_rows_open(inode, file, &(table));		\
}									\
const struct file_operations debugfs_##name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.llseek = seq_lseek,						\
	.release = seq_release_private,					\
}

#endif /* GOALLOC_DEBUGFS_ROWS_H */
