/* SPDX-License-Identifier: GPL-2.0-only */
/* A snapshot in Prometheus' text format. */
#ifndef GOALLOC_PROM_H
#define GOALLOC_PROM_H

#include "snapshot.h"

void prom_write(const struct snapshot *snap, FILE *out);

#endif /* GOALLOC_PROM_H */
