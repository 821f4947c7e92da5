/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the torture modules have in common: for how long, from which seed, who disturbs
 * them meanwhile, and where the verdict is.
 */
#ifndef GOALLOC_TORTURE_SESSION_H
#define GOALLOC_TORTURE_SESSION_H

#include <linux/types.h>

extern unsigned int session_secs;
extern unsigned long session_seed;
extern bool session_pressure;
extern unsigned int session_errors;
extern unsigned long session_operations;

int session_wait(void (*progress)(unsigned int at));
bool session_rest(void);

#endif /* GOALLOC_TORTURE_SESSION_H */
