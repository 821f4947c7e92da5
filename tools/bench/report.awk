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
	n = split($1, k, ".")
	if (n != 4)
		next
	key = k[1] "." k[2]
	if (!(key in known)) {
		known[key] = 1
		keys[++nr_keys] = key
	}
	value[key, k[3], k[4]] = $2
}

function heap(mib)
{
	if (mib >= 1048576)
		return mib / 1048576 " TiB"
	return mib >= 1024 ? mib / 1024 " GiB" : mib " MiB"
}

END {
	if (nr_keys) {
		printf "%-14s %6s %9s %9s %11s %7s %9s %9s\n", "case", "size",
			"goalloc", "kmalloc", "kmem_cache", "ratio",
			"p99 go", "p99 km"
		for (i = 1; i <= nr_keys; i++) {
			key = keys[i]
			m = ((key, "goalloc", "mean") in value) ? "mean" : "median"
			split(key, k, ".")
			km = value[key, "kmalloc", m]
			printf "%-14s %6d %9d %9d %11d %7.2f %9d %9d\n", k[1],
				k[2], value[key, "goalloc", m], km,
				value[key, "kmem_cache", m],
				km ? value[key, "goalloc", m] / km : 0,
				value[key, "goalloc", "p99"],
				value[key, "kmalloc", "p99"]
		}
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
