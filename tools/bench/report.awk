# SPDX-License-Identifier: GPL-2.0-only
#
# Tables from the lines "<case>.<...> <value>" that the bench modules print.

$1 ~ /^harden\./ {
	split($1, k, ".")
	if (!(k[2] in hard_size)) {
		hard_size[k[2]] = 1
		hard_sizes[++nr_hard_sizes] = k[2]
	}
	if (!(k[3] in hard_row)) {
		hard_row[k[3]] = 1
		hard_rows[++nr_hard_rows] = k[3]
	}
	hard[k[2], k[3]] = $2
	next
}
$1 ~ /^growth\./ {
	split($1, k, ".")
	if (!(k[2] in growth_size)) {
		growth_size[k[2]] = 1
		growth_sizes[++nr_growth] = k[2]
	}
	growth[k[2], k[3]] = $2
	next
}
$1 ~ /^split\./ {
	split($1, k, ".")
	if (!((k[3]) in split_least) || $2 < split_least[k[3]])
		split_least[k[3]] = $2
	if ($2 > split_most[k[3]])
		split_most[k[3]] = $2
	next
}
$1 ~ /^pages\.cache_hit/ { hit = $2; next }
$1 ~ /^pages\./ {
	split($1, k, ".")
	row = k[2] "." k[4]
	if (!((k[2], k[4]) in seen)) {
		seen[k[2], k[4]] = 1
		rows[++nr_rows] = row
	}
	cell[row, k[3], k[5]] = $2
	next
}
{
	if (split($1, k, ".") != 4)
		next
	if (!(k[1] in known_case)) {
		known_case[k[1]] = 1
		cases[++nr_cases] = k[1]
	}
	if (!((k[1], k[2]) in known)) {
		known[k[1], k[2]] = 1
		sizes[k[1], ++nr_sizes[k[1]]] = k[2]
	}
	value[k[1], k[2], k[3], k[4]] = $2
}

# A figure, or a dash where there is none.
function figure(what, size, who, metric, width)
{
	if ((what, size, who, metric) in value)
		return sprintf(" %" width "d", value[what, size, who, metric])
	return sprintf(" %" width "s", "-")
}

# The mean where it says more than the median does, as of batches.
function main_metric(what, size)
{
	return ((what, size, "goalloc", "mean") in value) ? "mean" : "median"
}

# Whom goalloc is compared with.
function peer(what, size,   who, i, n)
{
	n = split("kmalloc kmem_cache alloc_pages", who, " ")
	for (i = 1; i <= n; i++)
		if ((what, size, who[i], "median") in value)
			return who[i]
	return ""
}

function case_row(what, size,   m, p, other, ratio)
{
	m = main_metric(what, size)
	p = peer(what, size)
	other = p == "alloc_pages" ? p : "kmem_cache"
	ratio = "-"
	if (p != "" && value[what, size, p, m])
		ratio = sprintf("%.2f", value[what, size, "goalloc", m] / value[what, size, p, m])
	printf "%-16s %7d%s%s%s %7s%s%s\n", what, size,
		figure(what, size, "goalloc", m, 9), figure(what, size, "kmalloc", m, 9),
		figure(what, size, other, m, 11), ratio,
		figure(what, size, "goalloc", "p99", 9), figure(what, size, p, "p99", 9)
}

# The last but one column is of alloc_pages() where pages are counted.
function case_head(other)
{
	printf "%-16s %7s %9s %9s %11s %7s %9s %9s\n", "case", "size", "goalloc",
		"kmalloc", other, "ratio", "p99 go", "p99 peer"
}

function heap(mib)
{
	if (mib >= 1048576)
		return mib / 1048576 " TiB"
	return mib >= 1024 ? mib / 1024 " GiB" : mib " MiB"
}

END {
	for (i = 1; i <= nr_cases; i++) {
		what = cases[i]
		other = peer(what, sizes[what, 1]) == "alloc_pages" ? "alloc_pages" : "kmem_cache"
		if (other != head)
			case_head(other)
		head = other
		for (s = 1; s <= nr_sizes[what]; s++)
			case_row(what, sizes[what, s])
	}
	if (nr_rows) {
		printf "\n%-8s %5s", "heap", "pages"
		for (p = 1; p <= 4; p++)
			printf "  %9s%% full", substr(" 10 50 90 99", p * 3 - 2, 3)
		printf "   (alloc / free, failed %%)\n"
		for (i = 1; i <= nr_rows; i++) {
			row = rows[i]
			split(row, k, ".")
			printf "%-8s %5d", heap(k[1]), k[2]
			for (p = 1; p <= 4; p++) {
				full = substr("10509099", p * 2 - 1, 2)
				printf "  %5d/%5s %2d", cell[row, full, "alloc"],
					((row, full, "free") in cell) ? cell[row, full, "free"] : "-",
					cell[row, full, "failed"]
			}
			printf "\n"
		}
		printf "a page out of a page cache: %d\n", hit
	}
	if (nr_growth) {
		printf "\n%-12s %9s %9s %9s   (instructions for a KiB in frames of 64 bytes)\n",
			"stack grows", "large", "moved", "segments"
		for (i = 1; i <= nr_growth; i++)
			printf "%-12s %9d %9d %9d\n", growth_sizes[i] " KiB",
				growth[growth_sizes[i], "ready"], growth[growth_sizes[i], "moved"],
				growth[growth_sizes[i], "segments"]
		printf "a call and its return, least and most by what is used before:"
		printf " moved %d %d, segments %d %d\n", split_least["moved"],
			split_most["moved"], split_least["segments"], split_most["segments"]
	}
	if (nr_hard_rows) {
		printf "\n%-12s", "hardened"
		for (s = 1; s <= nr_hard_sizes; s++)
			printf " %9s", hard_sizes[s] " B"
		printf "   (allocation and free)\n"
		for (i = 1; i <= nr_hard_rows; i++) {
			printf "%-12s", hard_rows[i]
			for (s = 1; s <= nr_hard_sizes; s++)
				printf " %9d", hard[hard_sizes[s], hard_rows[i]]
			printf "\n"
		}
	}
}
