/* SPDX-License-Identifier: GPL-2.0-only */
/* unit.h - property tests of the pure core, a function per part. */
#ifndef SIM_UNIT_H
#define SIM_UNIT_H

#include <stdio.h>
#include "sim.h"

/* Fail the running case, once, with a reason. */
#define EXPECT(cond, fmt, ...) do {				\
	if (!(cond) && !unit_failed) {				\
		sim_fail("%s: " fmt " (%s:%d)", unit_name,	\
			 ##__VA_ARGS__, __FILE__, __LINE__);	\
		unit_failed = true;				\
	}							\
} while (0)

extern const char *unit_name;
extern bool unit_failed;

struct unit_case {
	const char *name;
	void (*run)(void);
};

extern const struct unit_case unit_sizeclass[];
extern const struct unit_case unit_palloc[];
extern const struct unit_case unit_scavenge[];
extern const struct unit_case unit_span_bits[];
extern const struct unit_case unit_cache_cap[];
extern const struct unit_case unit_gc_pacer[];
extern const struct unit_case unit_gc_limiter[];

#endif /* SIM_UNIT_H */
