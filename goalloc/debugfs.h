/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/goalloc
 */
#ifndef GOALLOC_DEBUGFS_H
#define GOALLOC_DEBUGFS_H

#include <linux/fs.h>

struct dentry;
struct goalloc_heap;
struct goalloc_gc;
struct seq_file;

void debugfs_init(struct goalloc_heap *heap);
void debugfs_exit(void);
void debugfs_add_heap(struct goalloc_heap *heap);
void debugfs_remove_heap(struct goalloc_heap *heap);

void debugfs_show_stats(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_vmstat(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_classes(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_nodes(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_pageheap(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_heapmap(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_spans(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_stacks(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_sites(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_percpu(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_scavenger(struct seq_file *m, struct goalloc_heap *heap);

void debugfs_show_gc(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_gc_vmstat(struct seq_file *m, struct goalloc_gc *gc);
void debugfs_show_leaks(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_add_gc(struct goalloc_heap *heap);
void debugfs_add_shim(struct dentry *dir);
void debugfs_add_profile(struct dentry *dir, struct goalloc_heap *heap);

extern const struct file_operations debugfs_spans_fops;
extern const struct file_operations debugfs_heapmap_fops;
extern const struct file_operations debugfs_stacks_fops;
extern const struct file_operations debugfs_sites_fops;

#endif /* GOALLOC_DEBUGFS_H */
