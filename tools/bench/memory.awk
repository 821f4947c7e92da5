# SPDX-License-Identifier: GPL-2.0-only
#
# memory.awk GUEST-OUTPUT - the tables of `make bench-memory`. The input is what
# memory-main prints.

# What the project has set itself.
function judge(   who) {
	for (who = 1; who <= nresults; who++)
		if (name[who] == "boot" && allocator[who] == "goalloc" &&
		    r[who, "peak_held"] > 1.2 * r[who, "peak_requested"])
			problem("more than 20% over what is requested at the peak of the boot trace")
	if (!reused || reused > 10)
		problem("64 KiB blocks: " reused "% are held over what is used")
	if (!middle || held[last] > 1.1 * middle)
		problem("producer and consumer: more than a tenth more is held after twice the time")
	if (!ended)
		problem("the guest did not come to its end")
}

function table(   when, i, n, who) {
	n = split("peak end", when, " ")
	printf "%-8s %-11s %-5s %10s %10s %10s %8s %9s\n", "trace", "allocator", "when",
		"requested", "allocated", "held MiB", "waste", "overhead"
	for (who = 1; who <= nresults; who++)
		for (i = 1; i <= n; i++)
			printf "%-8s %-11s %-5s %10s %10s %10s %8s %9s\n", name[who],
				allocator[who], when[i],
				mib(r[who, when[i] "_requested"]),
				mib(r[who, when[i] "_allocated"]),
				mib(r[who, when[i] "_held"]),
				over(r[who, when[i] "_allocated"], r[who, when[i] "_requested"]),
				over(r[who, when[i] "_held"], r[who, when[i] "_requested"])
}

function bytes_of(   trace, i, n, row) {
	n = split("live rounding cached central tail page_cache free metadata", row, " ")
	printf "\n%-10s", "at the end"
	for (i = 1; i <= n; i++)
		printf " %10s", row[i]
	printf "  KiB\n"
	for (trace = 0; trace <= ntraces; trace++) {
		printf "%-10s", trace ? traces[trace] : "nothing"
		for (i = 1; i <= n; i++)
			printf " %10.0f", v[trace, row[i] "_bytes"] / 1024
		printf "\n"
	}
}

/^@ / {
	section = $2
	if (section == "end")
		ended = 1
	if (section == "result") {
		nresults++
		name[nresults] = $3
		allocator[nresults] = $4
	}
	if (section == "vmstat")
		traces[++ntraces] = $3
	next
}
section == "result" { r[nresults, $1] = $2 }
section == "empty" { v[0, $1] = $2 }
section == "vmstat" { v[ntraces, $1] = $2 }
section == "rows" && $1 == "half" { half[++nhalf] = substr($0, 6) }
section == "rows" && /^half goalloc +64 KiB +and 16 MiB/ { reused = $(NF - 1) + 0 }
section == "rows" && $1 == "pair" {
	if ($3 == 1 || $3 == 5 || $3 % 10 == 0)
		pair[++npair] = substr($0, 6)
	held[$3] = $7
	last = $3
}

END {
	table()
	bytes_of()
	print ""
	for (i = 1; i <= nhalf; i++)
		print half[i]
	print ""
	for (i = 1; i <= npair; i++)
		print pair[i]
	middle = held[int(last / 2)]
	if (middle)
		printf "in the second half: %+.1f%%\n", 100 * held[last] / middle - 100
	judge()
	exit problems != 0
}
