/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frees that wait for an RCU grace period: inside the module.
 */
#ifndef GOALLOC_RCU_FREE_H
#define GOALLOC_RCU_FREE_H

#include <linux/types.h>

struct rcu_head;

int rcu_free_init(void);
void rcu_free_exit(void);
void rcu_free(struct rcu_head *head, const void *p, unsigned long caller);
void rcu_free_mightsleep(const void *p, unsigned long caller);
u64 rcu_free_waiting(void);

#endif /* GOALLOC_RCU_FREE_H */
