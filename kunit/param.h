/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's parameters, as user space sets them.
 */
#ifndef GOALLOC_PARAM_H
#define GOALLOC_PARAM_H

#include <linux/types.h>

int param_set(const char *name, const char *text);

#endif /* GOALLOC_PARAM_H */
