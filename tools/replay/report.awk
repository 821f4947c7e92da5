# SPDX-License-Identifier: GPL-2.0-only
#
# report.awk, after judge.awk - the table of `make run`.

function row() {
	rows[nresults] = sprintf("%-9s %-10s %9s %9s %7s %6s %8s %9s %8s %10d %8d %7d %7.1f",
		substr(r["trace"], 1, 9), r["allocator"], mib(r["peak_requested"]),
		mib(r["peak_allocated"]), mib(r["peak_held"]),
		over(r["peak_allocated"], r["peak_requested"]),
		over(r["peak_held"], r["peak_requested"]),
		mib(r["max_held"]), mib(r["released_held"]),
		r["allocs"] + r["frees"], r["failures"], r["pattern_errors"],
		r["run_ns"] / 1e9)
	if (r["allocator"] == "goalloc" && v["live_bytes"] > 0 && ncpus > 0)
		cost[++ncosts] = sprintf("%s, at the end of it: %.3f bytes of metadata for a byte in use, " \
			"%.1f KiB of free objects cached for each CPU that used any", r["trace"],
			v["metadata_bytes"] / v["live_bytes"], v["cached_bytes"] / ncpus / 1024)
	split("", cpus)
	ncpus = 0
}

# CPUs with a cache.
section == "percpu" && $2 == "task" && !($1 in cpus) {
	cpus[$1] = 1
	ncpus++
}

END {
	print "                     ------- MiB at peak -------                  - MiB held at -                     pattern"
	print "trace     allocator  requested allocated    held  waste overhead      most  the end operations failures  errors seconds"
	for (i = 1; i <= nresults; i++)
		print rows[i]
	print ""
	for (i = 1; i <= ncosts; i++)
		print cost[i]
	print ""
	print "at peak: when most bytes are requested, the same record for all; every thread stands still"
	print "waste: allocated / requested - 1; overhead: held / requested - 1, metadata included"
	print "the end: all objects are freed, the allocator is still loaded"
	print "kmem_cache: as kmalloc, but a cache of the exact size for each record that was from a kmem_cache"
	print "pages not back after each replay and unloading (noise is up to " slack "): " came_back
}
