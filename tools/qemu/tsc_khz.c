// SPDX-License-Identifier: GPL-2.0-only
/*
 * Print the frequency of this machine's time stamp counter in kHz.
 *
 * A guest kernel measures it against an emulated timer and gives up when the
 * host is busy; its clock then runs at a third of its speed, or stands still
 * for milliseconds. Told the answer, it does not measure. Here a busy host does
 * no harm: what counts is that counter and clock are read at the same moment,
 * so of many pairs of readings the closest are taken.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct reading {
	uint64_t tsc;
	int64_t ns;
};

static struct reading read_both(void)
{
	uint64_t best = UINT64_MAX;
	struct reading r = { 0, 0 };

	for (int i = 0; i < 100; i++) {
		struct timespec ts;
		uint64_t before, after;

		before = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		after = __rdtsc();
		if (after - before < best) {
			best = after - before;
			r.tsc = before + best / 2;
			r.ns = ts.tv_sec * 1000000000LL + ts.tv_nsec;
		}
	}
	return r;
}

int main(void)
{
	const struct timespec pause = { 0, 50000000 };
	struct reading a, b;

	a = read_both();
	nanosleep(&pause, NULL);
	b = read_both();
	if (b.tsc <= a.tsc || b.ns <= a.ns)
		return 1;
	printf("%.0f\n", (double)(b.tsc - a.tsc) * 1e6 / (double)(b.ns - a.ns));
	return 0;
}
