// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of many rows, gathered a batch at a time.
 *
 * Nothing is made for the whole file at once, and no lock is held while
 * something is printed: a batch of rows is copied under whatever lock guards
 * them, for a moment, and printed from the copy. So a large heap can be read
 * while it is used. What moves meanwhile may be in the file twice or not at all.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "compat.h"
#include "debugfs_rows.h"

static void debugfs_rows_rewind(struct debugfs_rows *rows)
{
	rows->pos = 1;
	rows->node = 0;
	rows->next = 0;
	rows->at = 0;
	rows->nr = rows->table->fill(rows);
}

/* To the next row; not called when there is none. */
static void debugfs_rows_advance(struct debugfs_rows *rows)
{
	rows->pos++;
	if (++rows->at < rows->nr)
		return;
	rows->at = 0;
	rows->nr = rows->table->fill(rows);
}

static void *debugfs_rows_start(struct seq_file *m, loff_t *pos)
{
	struct debugfs_rows *rows = m->private;

	if (!*pos) {
		rows->pos = 0;
		return SEQ_START_TOKEN;
	}
	/* Where the last read has ended, unless somebody jumps about. */
	if (*pos != rows->pos) {
		debugfs_rows_rewind(rows);
		while (rows->nr && rows->pos < *pos)
			debugfs_rows_advance(rows);
	}
	return rows->nr ? rows : NULL;
}

static void *debugfs_rows_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct debugfs_rows *rows = m->private;

	++*pos;
	if (v == SEQ_START_TOKEN)
		debugfs_rows_rewind(rows);
	else
		debugfs_rows_advance(rows);
	return rows->nr ? rows : NULL;
}

static void debugfs_rows_stop(struct seq_file *m, void *v)
{
}

static int debugfs_rows_show(struct seq_file *m, void *v)
{
	struct debugfs_rows *rows = m->private;

	if (v == SEQ_START_TOKEN)
		rows->table->head(m, rows->heap);
	else
		rows->table->show(m, rows, rows->at);
	return 0;
}

static const struct seq_operations debugfs_rows_ops = {
	.start = debugfs_rows_start,
	.next = debugfs_rows_next,
	.stop = debugfs_rows_stop,
	.show = debugfs_rows_show,
};

/**
 * debugfs_rows_open - open a file of rows
 * @inode: its inode, whose private data is the heap
 * @file: the file
 * @table: what is in it
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EACCES if it is to be written.
 */
int debugfs_rows_open(struct inode *inode, struct file *file,
		      const struct debugfs_table *table)
{
	struct debugfs_rows *rows;

	if (file->f_mode & FMODE_WRITE)
		return -EACCES;
	rows = __seq_open_private(file, &debugfs_rows_ops, table->bytes);
	if (!rows)
		return -ENOMEM;
	rows->table = table;
	rows->heap = inode->i_private;
	return 0;
}

/**
 * debugfs_rows_print - print all of a file, for tests
 * @m: where to print
 * @heap: the heap
 * @table: what is in the file
 *
 * Goes by the operations that seq_read() uses, and in its order.
 *
 * Context: Process context, may sleep.
 */
void debugfs_rows_print(struct seq_file *m, struct goalloc_heap *heap,
			const struct debugfs_table *table)
{
	struct debugfs_rows *rows = kzalloc(table->bytes, GFP_KERNEL);
	loff_t pos = 0;
	void *v;

	if (!rows)
		return;
	rows->table = table;
	rows->heap = heap;
	m->private = rows;
	v = debugfs_rows_start(m, &pos);
	while (v) {
		debugfs_rows_show(m, v);
		v = debugfs_rows_next(m, v, &pos);
		/* As if the reader's buffer were full after each row. */
		debugfs_rows_stop(m, v);
		v = debugfs_rows_start(m, &pos);
	}
	m->private = NULL;
	kfree(rows);
}
GOALLOC_EXPORT_KUNIT(debugfs_rows_print);
