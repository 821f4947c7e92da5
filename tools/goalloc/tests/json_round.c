// SPDX-License-Identifier: GPL-2.0-only
/* json_round FILE - read goalloc stat --json's output and write it again. */
#include "json.h"

struct options options = { .root = "." };

int main(int argc, char **argv)
{
	struct snapshot snap;

	if (argc != 2)
		return 2;
	json_read(&snap, argv[1]);
	json_write(&snap, stdout);
	snapshot_free(&snap);
	return 0;
}
