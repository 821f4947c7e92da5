/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structures of spans that are no more, for the next ones.
 */
#ifndef GOALLOC_SPARE_H
#define GOALLOC_SPARE_H

#include "central.h"

struct goalloc_span *spare_take(struct goalloc_central *central);
void spare_give(struct goalloc_central *central, struct goalloc_span *span);
bool spare_waits(void);
void spare_exit(void);

#endif /* GOALLOC_SPARE_H */
