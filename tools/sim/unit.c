// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit - property tests of the pure core.
 *
 * What the model and Go's vectors do not reach: size classes, span bitmaps,
 * pacing, bad input, memory that runs out, damaged summaries, address spaces
 * too large for a byte per page.
 */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"

const char *unit_name;
bool unit_failed;

int main(void)
{
	const struct unit_case *const suites[] = {
		unit_sizeclass, unit_palloc, unit_scavenge, unit_span_bits,
		unit_cache_cap, unit_gc_pacer, unit_gc_limiter,
	};
	const struct unit_case *c;
	size_t i;

	setlinebuf(stdout);
	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (c = suites[i]; c->run; c++) {
			unit_name = c->name;
			unit_failed = false;
			c->run();
			if (!unit_failed)
				sim_pass();
		}
	}
	return sim_result();
}
