// SPDX-License-Identifier: GPL-2.0-only
/* Small drawings of text: sparklines and bars. */
#include <string.h>

#include "spark.h"

#define LEVELS 8

bool spark_unicode;

static const char *const blocks[LEVELS] = {
	"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█",
};

static const char *const letters[LEVELS] = { "_", ".", ",", "-", "=", "+", "*", "#" };

void spark_line(char *out, const double *values, size_t nr)
{
	double most = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		if (values[i] > most)
			most = values[i];
	*out = '\0';
	for (i = 0; i < nr; i++) {
		unsigned int level = 0;

		if (values[i] <= 0) {
			/* Nothing is not the same as little. */
			out = stpcpy(out, " ");
			continue;
		}
		level = values[i] / most * LEVELS;
		if (level >= LEVELS)
			level = LEVELS - 1;
		out = stpcpy(out, spark_unicode ? blocks[level] : letters[level]);
	}
}

void spark_bar(char *out, double share, unsigned int columns)
{
	unsigned int i, full;

	if (!(share > 0))
		share = 0;
	if (share > 1)
		share = 1;
	full = share * columns + 0.5;
	for (i = 0; i < columns; i++)
		out = stpcpy(out, i < full ? (spark_unicode ? "█" : "#") :
				  (spark_unicode ? "·" : "."));
	*out = '\0';
}
