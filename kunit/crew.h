/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a piece of a test somewhere else: on several CPUs at once, or in an
 * interrupt. KUnit's asserts work in the test's own thread only, so what runs
 * here counts what is wrong and the test looks at the count.
 */
#ifndef GOALLOC_CREW_H
#define GOALLOC_CREW_H

#include <linux/kconfig.h>
#include <linux/preempt.h>
#include <linux/types.h>

/* Members of a crew for tests that want the guest's four CPUs busy. */
#define CREW_FULL 4

typedef void (*crew_member_t)(void *arg, unsigned int member);
typedef void (*crew_call_t)(void *arg);

/*
 * Must an allocation with GFP_ATOMIC succeed here, in a machine with memory? Not
 * in NMI, and not with preemption off on PREEMPT_RT, where no page can be taken.
 */
static inline bool crew_must_get(void)
{
	return !in_nmi() && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible());
}

void crew_stay(void);
int crew_run(unsigned int nr, crew_member_t fn, void *arg);

void crew_in_hardirq(crew_call_t fn, void *arg);
void crew_in_softirq(crew_call_t fn, void *arg);
void crew_as_nmi(crew_call_t fn, void *arg);

#endif /* GOALLOC_CREW_H */
