# SPDX-License-Identifier: GPL-2.0-only
#
# bench.awk, after judge.awk - the tables of `make bench-replay`, one for each trace,
# and every result as an object of JSON in the file @json.

function ratio(a, b) {
	return b > 0 ? sprintf("%.2f", a / b) : "-"
}

function row(   name, sep) {
	if (r["trace"] != title[ntables]) {
		title[++ntables] = r["trace"]
		head[ntables] = r["records"] " records, " r["allocs"] " of them allocations, " \
			mib(r["trace_peak_bytes"]) " MiB live at the peak"
	}
	rows[ntables, ++nrows[ntables]] = sprintf("%-15s %8.0f %7d %7d %9d %7d %7d %8s %6s %6s %7s %8d",
		r["allocator"],
		(r["alloc_ticks"] + r["free_ticks"]) / (r["alloc_calls"] + r["free_calls"]),
		r["alloc_median"], r["alloc_p99"], r["alloc_max"], r["free_median"], r["free_p99"],
		mib(r["peak_held"]), ratio(r["peak_held"], r["peak_requested"]),
		ratio(r["end_held"], r["end_requested"]), mib(r["released_held"]),
		r["failures"] + r["refused"])

	printf "{" >json
	for (name in r) {
		printf "%s\"%s\": %s", sep, name,
			name ~ /^(trace|allocator)$/ ? "\"" r[name] "\"" : r[name] >json
		sep = ", "
	}
	print "}" >json
}

END {
	for (t = 1; t <= ntables; t++) {
		print ""
		print title[t] ": " head[t]
		print ""
		print "                 per op  ------ alloc ------     --- free ---   - at peak -- at end   freed not"
		print "allocator          mean  median     p99       max  median     p99  MiB held  ratio  ratio     MiB  served"
		for (i = 1; i <= nrows[t]; i++)
			print rows[t, i]
	}
	print ""
	print "ratio: held / requested; at end: the last objects are live; freed: MiB held when none is"
	print "pages not back after each replay and unloading (noise is up to " slack "): " came_back
}
