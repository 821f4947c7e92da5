/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verbs that are written to the control files.
 */
#ifndef GOALLOC_CONTROL_H
#define GOALLOC_CONTROL_H

struct dentry;
struct goalloc_heap;

int control_do(struct goalloc_heap *heap, char *text);
void control_add_file(struct dentry *dir, struct goalloc_heap *heap);

#endif /* GOALLOC_CONTROL_H */
