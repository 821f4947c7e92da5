# SPDX-License-Identifier: GPL-2.0-only
#
# A table from the lines "<case>.<size>.<allocator>.<metric> <picoseconds>" that
# goalloc_bench_time prints. Ratios are to kmalloc, or else to the kmem_cache.

{
	if (split($1, k, ".") != 4)
		next
	row = k[1] SUBSEP k[2]
	if (!(row in known)) {
		known[row] = 1
		rows[++n] = row
	}
	value[row, k[3], k[4]] = $2
}

# In nanoseconds, or a dash where there is none.
function ns(row, who, metric)
{
	if ((row, who, metric) in value)
		return sprintf("%.1f", value[row, who, metric] / 1000)
	return "-"
}

function ratio(row, metric,   peer)
{
	peer = ((row, "kmalloc", metric) in value) ? "kmalloc" : "kmem_cache"
	if (!value[row, peer, metric])
		return "-"
	return sprintf("%.2f", value[row, "goalloc", metric] / value[row, peer, metric])
}

END {
	printf "%-16s %7s %9s %9s %11s %7s %9s %9s %7s\n", "case", "size", "goalloc",
		"kmalloc", "kmem_cache", "ratio", "least go", "peer", "ratio"
	for (i = 1; i <= n; i++) {
		split(rows[i], k, SUBSEP)
		peer = ((rows[i], "kmalloc", "ps_min") in value) ? "kmalloc" : "kmem_cache"
		printf "%-16s %7d %9s %9s %11s %7s %9s %9s %7s\n", k[1], k[2],
			ns(rows[i], "goalloc", "ps_median"), ns(rows[i], "kmalloc", "ps_median"),
			ns(rows[i], "kmem_cache", "ps_median"), ratio(rows[i], "ps_median"),
			ns(rows[i], "goalloc", "ps_min"), ns(rows[i], peer, "ps_min"),
			ratio(rows[i], "ps_min")
	}
}
