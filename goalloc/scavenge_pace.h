/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scavenge_pace.h - how much CPU releasing memory may cost.
 *
 * Integers only; a real number is a s64 with 40 fraction bits ("Q23.40").
 */
#ifndef GOALLOC_SCAVENGE_PACE_H
#define GOALLOC_SCAVENGE_PACE_H

#include "core_env.h"

#define SCAVENGE_Q_SHIFT	40
#define SCAVENGE_Q_ONE		((s64)BIT_ULL(SCAVENGE_Q_SHIFT))

/* The number @num / @den in Q23.40, for constants. */
#define SCAVENGE_Q(num, den) \
	((s64)(num) * SCAVENGE_Q_ONE / (s64)(den))

/**
 * struct scavenge_pi - a proportional-integral controller
 * @kp: proportional gain, Q23.40
 * @ti: integral time constant, in the unit of the period
 * @tt: reset time for winding back after saturation, same unit
 * @min: least output, Q23.40
 * @max: greatest output, Q23.40
 * @integral: accumulated error, Q23.40
 */
struct scavenge_pi {
	s64 kp;
	u64 ti;
	u64 tt;
	s64 min;
	s64 max;
	s64 integral;
};

bool scavenge_pi_next(struct scavenge_pi *pi, s64 input, s64 setpoint,
		      u64 period, s64 *output);

/**
 * struct scavenge_pace - the sleep between two slices of background work
 * @pi: controls @sleep_ratio
 * @sleep_ratio: time worked over time slept, Q23.40
 * @cooldown_ns: time left in which the controller is not consulted, after it
 *	failed
 * @target: share of the CPUs to aim at, Q23.40
 * @nr_cpus: CPUs that @target refers to
 *
 * Owned by the one background worker; no lock.
 */
struct scavenge_pace {
	struct scavenge_pi pi;
	s64 sleep_ratio;
	s64 cooldown_ns;
	s64 target;
	unsigned int nr_cpus;
};

/* Least length of a slice of work, for the arithmetic. */
#define SCAVENGE_MIN_WORK_NS	1000000ULL

/* Work at a time in the background. */
#define SCAVENGE_QUANTUM_BYTES	65536

void scavenge_pace_init(struct scavenge_pace *pace, unsigned int nr_cpus);
u64 scavenge_pace_sleep_ns(const struct scavenge_pace *pace, u64 worked_ns);
void scavenge_pace_slept(struct scavenge_pace *pace, u64 worked_ns,
			 u64 slept_ns);

#endif /* GOALLOC_SCAVENGE_PACE_H */
