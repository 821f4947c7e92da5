// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_palloc.c - libFuzzer makes up operations; the model judges.
 *
 * An input is a byte that picks the layout, and four bytes per operation.
 * `model --replay` takes the same files.
 */
#include <stdio.h>
#include <stdlib.h>
#include "model.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const char *wrong = NULL;
	struct model *m;
	size_t i;

	if (!size)
		return 0;
	m = model_new(data[0]);
	for (i = 1; i + sizeof(struct model_op) <= size && !wrong;
	     i += sizeof(struct model_op)) {
		struct model_op op;

		memcpy(&op, data + i, sizeof(op));
		wrong = model_step(m, &op);
	}
	if (!wrong)
		wrong = model_check_all(m, false);
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	model_delete(m);
	return 0;
}
