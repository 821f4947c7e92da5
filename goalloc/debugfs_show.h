/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in debugfs that are printed in one go.
 */
#ifndef GOALLOC_DEBUGFS_SHOW_H
#define GOALLOC_DEBUGFS_SHOW_H

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

/* Root may open whatever it likes, but has nothing to write here. */
static inline int debugfs_open(struct file *file, void *heap,
			       int (*show)(struct seq_file *m, void *v))
{
	return file->f_mode & FMODE_WRITE ? -EACCES : single_open(file, show, heap);
}

/* @name##_fops, of a file that debugfs_show_@name() prints. */
#define DEBUGFS_SHOW(name)						\
static int name##_show(struct seq_file *m, void *v)			\
{									\
	debugfs_show_##name(m, m->private);				\
	return 0;							\
}									\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return debugfs_open(file, inode->i_private, name##_show);	\
}									\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

#endif /* GOALLOC_DEBUGFS_SHOW_H */
