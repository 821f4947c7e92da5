# SPDX-License-Identifier: GPL-2.0-only
#
# tables.awk - what the scripts that print tables of memory have in common.

# Something is not as it must be.
function problem(text) {
	print "problem: " text
	problems++
}

function mib(bytes) {
	return sprintf("%.2f", bytes / 1048576)
}

# How much more than @of @bytes are.
function over(bytes, of) {
	return of > 0 ? sprintf("%.1f%%", 100 * bytes / of - 100) : "-"
}
