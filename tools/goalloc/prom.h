/* SPDX-License-Identifier: GPL-2.0-only */
/* A snapshot in Prometheus' text format. */
#ifndef GOALLOC_PROM_H
#define GOALLOC_PROM_H

#include "snapshot.h"

struct metric {
	const char *stat;	/* in vmstat, scavenger or pageheap, or a column */
	const char *name;	/* without "goalloc_"; NULL behind the last */
	bool counter;
	const char *help;
};

extern const struct metric prom_vmstat[], prom_classes[], prom_nodes[], prom_cpus[];
extern const struct metric prom_pageheap[], prom_scavenger[];
extern const struct metric prom_global[];	/* of all heaps: told once */

void prom_write(const struct snapshot *snap, FILE *out);

#endif /* GOALLOC_PROM_H */
