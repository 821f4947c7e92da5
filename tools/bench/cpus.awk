# SPDX-License-Identifier: GPL-2.0-only
#
# A table from build/bench/cpus-N.txt: time beside kmalloc(), and what goalloc's
# centrals had to do.

FNR == 1 {
	n = FILENAME
	gsub(/.*cpus-|\.txt$/, "", n)
	cpus[++nr_cpus] = n
}
{
	split($1, k, ".")
	what = k[1] "." k[2]
	if (!(what in known)) {
		known[what] = 1
		cases[++nr_cases] = what
	}
	value[n, what, k[3] "." k[4]] = $2
}

function has(n, what)
{
	return (n, what, "goalloc.ps_median") in value
}

# Nanoseconds, from picoseconds.
function ns(n, what, who)
{
	return value[n, what, who ".ps_median"] / 1000
}

# For 1,000 operations, from a million.
function often(n, what, event)
{
	return value[n, what, "goalloc." event "_per_million"] / 1000
}

END {
	for (i = 2; i <= nr_cpus; i++)
		for (j = i; j > 1 && cpus[j] + 0 < cpus[j - 1] + 0; j--) {
			n = cpus[j]
			cpus[j] = cpus[j - 1]
			cpus[j - 1] = n
		}
	printf "%-14s %4s %11s %11s %6s  %8s %9s %8s %8s\n", "case", "CPUs", "goalloc ns",
		"kmalloc ns", "ratio", "locks", "contended", "refills", "flushes"
	for (c = 1; c <= nr_cases; c++)
		for (i = 1; i <= nr_cpus; i++) {
			n = cpus[i]
			what = cases[c]
			if (!has(n, what))
				continue
			printf "%-14s %4d %11.1f %11.1f %6.2f  %8.2f %9.2f %8.2f %8.2f\n",
				what, n, ns(n, what, "goalloc"), ns(n, what, "kmalloc"),
				ns(n, what, "goalloc") / ns(n, what, "kmalloc"),
				often(n, what, "locks"), often(n, what, "contended"),
				often(n, what, "refills"), often(n, what, "flushes")
			rows++
		}
	print "time is of one CPU for an allocation and a free; locks and visits are for 1,000 of them"
	if (!rows) {
		print "there are no figures"
		exit 1
	}
}
