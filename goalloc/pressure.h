/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Giving memory back when the kernel is short of it.
 */
#ifndef GOALLOC_PRESSURE_H
#define GOALLOC_PRESSURE_H

#include <linux/types.h>

/**
 * struct pressure_stats - what the kernel asked for and got
 * @scans: calls to give something back
 * @pages: pages of PAGE_SIZE given back in them
 * @drains: calls that had the CPUs' caches drained
 * @busy: calls that found the list of heaps locked and gave nothing
 * @ooms: times the kernel was about to kill a process
 * @oom_pages: pages of PAGE_SIZE given back then
 */
struct pressure_stats {
	u64 scans;
	u64 pages;
	u64 drains;
	u64 busy;
	u64 ooms;
	u64 oom_pages;
};

int pressure_init(void);
void pressure_exit(void);
void pressure_read(struct pressure_stats *st);
unsigned long pressure_available(int nid);
unsigned long pressure_relieve(int nid, unsigned long nr_pages);
unsigned long pressure_relieve_all(void);

#endif /* GOALLOC_PRESSURE_H */
