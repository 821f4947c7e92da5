// SPDX-License-Identifier: GPL-2.0-only
/*
 * scavenge_pace.c - how long to sleep between two slices of releasing memory.
 *
 * Background work may take 1% of the CPUs.  How much it takes per page is not
 * known beforehand, so the ratio of working to sleeping is controlled: after
 * each sleep the fraction of CPU time really used is compared with 1%, and a
 * PI controller (proportional to the error now, plus the errors summed up)
 * gives the next ratio.
 *
 * Go computes this in floating point, which the kernel does not have.  Here
 * real numbers are s64 with 40 fraction bits: +-8 million in steps of 10^-12.
 * The fractions, ratios (0.001 to 1000) and gains involved are well inside that,
 * and the outputs agree with those of a floating-point version to 1 part in
 * 10^4, or 10^-6 if that is more.
 * A product that does not fit takes the place of Go's infinities: the
 * controller forgets its past, and the caller falls back to the least ratio
 * for some seconds.
 *
 * No state but what the structs hold; no lock.
 */
#include "scavenge_pace.h"

/* Work may take this much of all CPUs. */
#define CPU_TARGET	SCAVENGE_Q(1, 100)

/* How long not to trust the controller after it failed. */
#define COOLDOWN_NS	5000000000LL

#define RATIO_MIN	SCAVENGE_Q(1, 1000)
#define RATIO_MAX	SCAVENGE_Q(1000, 1)

/* a * num / den of an unsigned number; false if it does not fit. */
static bool q_scale(u64 a, u64 num, u64 den, u64 *out)
{
	/* The quotient has at most one bit more than this. */
	if (fls64(a) + fls64(num) - fls64(den) > 61)
		return false;
	*out = mul_u64_u64_div_u64(a, num, den);
	return true;
}

/* a * b, rounded to the nearest; false if it does not fit. */
static bool q_mul(u64 a, s64 b, s64 *out)
{
	u64 mag = b < 0 ? -(u64)b : (u64)b;

	if (fls64(a) + fls64(mag) > 62 + SCAVENGE_Q_SHIFT)
		return false;
	mag = (mul_u64_u64_shr(a, mag, SCAVENGE_Q_SHIFT - 1) + 1) >> 1;
	*out = b < 0 ? -(s64)mag : (s64)mag;
	return true;
}

/**
 * scavenge_pi_next() - one step of the controller
 * @pi: the controller
 * @input: what was measured, Q23.40
 * @setpoint: what it should be, Q23.40
 * @period: time since the last step, in the unit of @pi's times
 * @output: where to store the new output, Q23.40, from @pi's min to max
 *
 * While the output is at a limit, the sum of errors is wound back towards what
 * the limit allows, so that it does not run away.
 *
 * Context: Any.
 * Return: true, or false if the numbers got out of hand: then the output is the
 * least and the controller begins anew.
 */
bool scavenge_pi_next(struct scavenge_pi *pi, s64 input, s64 setpoint,
		      u64 period, s64 *output)
{
	s64 error, prop, raw, windup, change, back;
	u64 gain, reset;

	if (check_sub_overflow(setpoint, input, &error) ||
	    !q_mul(pi->kp, error, &prop) ||
	    check_add_overflow(prop, pi->integral, &raw))
		goto fail;
	*output = clamp(raw, pi->min, pi->max);

	if (!q_scale(pi->kp, period, pi->ti, &gain) ||
	    !q_mul(gain, error, &change) ||
	    check_sub_overflow(*output, raw, &windup) ||
	    !q_scale(SCAVENGE_Q_ONE, period, pi->tt, &reset) ||
	    !q_mul(reset, windup, &back) ||
	    check_add_overflow(change, back, &change) ||
	    check_add_overflow(pi->integral, change, &pi->integral))
		goto fail;
	return true;

fail:
	pi->integral = 0;
	*output = pi->min;
	return false;
}
GOALLOC_EXPORT_KUNIT(scavenge_pi_next);

/**
 * scavenge_pace_init() - begin with the least ratio of work
 * @pace: the pace
 * @nr_cpus: CPUs the 1% refers to
 *
 * Context: Any.
 */
void scavenge_pace_init(struct scavenge_pace *pace, unsigned int nr_cpus)
{
	*pace = (struct scavenge_pace){
		.pi = {
			.kp = SCAVENGE_Q(3375, 10000),
			.ti = 3200000,
			.tt = 1000000000,
			.min = RATIO_MIN,
			.max = RATIO_MAX,
		},
		.sleep_ratio = RATIO_MIN,
		.target = CPU_TARGET,
		.nr_cpus = nr_cpus,
	};
}
GOALLOC_EXPORT_KUNIT(scavenge_pace_init);

/**
 * scavenge_pace_sleep_ns() - how long to sleep now
 * @pace: the pace
 * @worked_ns: length of the slice of work just done
 *
 * Context: Any.
 * Return: nanoseconds.
 */
u64 scavenge_pace_sleep_ns(const struct scavenge_pace *pace, u64 worked_ns)
{
	worked_ns = max(worked_ns, SCAVENGE_MIN_WORK_NS);
	return mul_u64_u64_div_u64(worked_ns, SCAVENGE_Q_ONE,
				   pace->sleep_ratio);
}
GOALLOC_EXPORT_KUNIT(scavenge_pace_sleep_ns);

/**
 * scavenge_pace_slept() - learn from how it went
 * @pace: the pace
 * @worked_ns: length of the slice of work
 * @slept_ns: how long the sleep after it really was
 *
 * Context: Any.
 */
void scavenge_pace_slept(struct scavenge_pace *pace, u64 worked_ns,
			 u64 slept_ns)
{
	u64 period, fraction;

	worked_ns = max(worked_ns, SCAVENGE_MIN_WORK_NS);
	period = worked_ns + slept_ns;
	if (pace->cooldown_ns > 0) {
		if (period < (u64)pace->cooldown_ns) {
			pace->cooldown_ns -= period;
			return;
		}
		pace->cooldown_ns = 0;
		return;
	}
	fraction = mul_u64_u64_div_u64(worked_ns, SCAVENGE_Q_ONE, period);
	fraction = div_u64(fraction, pace->nr_cpus);
	if (!scavenge_pi_next(&pace->pi, fraction, pace->target, period,
			      &pace->sleep_ratio)) {
		pace->sleep_ratio = RATIO_MIN;
		pace->cooldown_ns = COOLDOWN_NS;
	}
}
GOALLOC_EXPORT_KUNIT(scavenge_pace_slept);
