/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/goalloc
 */
#ifndef GOALLOC_DEBUGFS_H
#define GOALLOC_DEBUGFS_H

struct goalloc_heap;
struct seq_file;

void debugfs_init(struct goalloc_heap *heap);
void debugfs_exit(void);
void debugfs_add_heap(struct goalloc_heap *heap);
void debugfs_remove_heap(struct goalloc_heap *heap);

void debugfs_show_stats(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_vmstat(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_classes(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_nodes(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_percpu(struct seq_file *m, struct goalloc_heap *heap);
void debugfs_show_scavenger(struct seq_file *m, struct goalloc_heap *heap);

#endif /* GOALLOC_DEBUGFS_H */
