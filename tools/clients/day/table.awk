# SPDX-License-Identifier: GPL-2.0-only
#
# The tables of `make day` out of lines "row ALLOCATOR WORD ...": how long the jobs took,
# the same work on both, and how much memory there was; and a line "problem: ..." for each
# thing that is not as it must be.

function median(list,   n, i, j, v, t)
{
	n = split(list, v, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
			t = v[j]
			v[j] = v[j - 1]
			v[j - 1] = t
		}
	return n ? (v[int((n + 1) / 2)] + v[int((n + 2) / 2)]) / 2 : 0
}

function problem(text)
{
	print "problem: " text
}

function ratio(a, b)
{
	return a && b ? sprintf("%.2f", a / b) : "-"
}

# In MiB; "-" if there is none.
function mib(bytes)
{
	return bytes == "" ? "-" : sprintf("%.2f", bytes / 1048576)
}

{
	a = $2
	present[a] = 1
}

$3 == "job" {
	if (!($5 in known)) {
		known[$5] = 1
		job[++jobs] = $5
	}
	took[a, $5] = took[a, $5] " " $6
	times[a, $5]++
	ops[a, $5] += $7
	seconds[a, $5] += $6
	rounds[a] = $4
	done[a]++
}

$3 == "sample" {
	samples[a]++
	sum[a] += $5 * 1024
	if ($5 * 1024 > peak[a])
		peak[a] = $5 * 1024
	if (samples[a] == 1)
		first[a] = $5 * 1024
	held += $6
	metadata += $7
	live += $8
	if ($6 > most)
		most = $6
}

$3 == "cache" {
	if (!($5 in cached)) {
		cached[$5] = 1
		cache[++caches] = $5
	}
	# Only while there was work: $4 is a minute, or when it was.
	if ($4 ~ /^[1-9]/) {
		looked[a, $5]++
		objects[a, $5] += $6
		bytes[a, $5] += $7
	}
}

$3 == "failed" || $3 == "problem" || $3 == "failed-unit" {
	problem(a ": " $0)
}

$3 == "seconds" {
	worked[a] = $4
	cpu[a] = $6
}

$3 == "kmalloc" { count[$4] = $5 }
$3 == "unloaded" { left[$4] = $5 }
$3 == "top" && $4 ~ /^[1-9]/ && $5 > 20 { tops++ }
$3 == "idle" { idle[a, $4] = $5 }
# A boot that had to be done again begins anew.
$3 == "host-cpu" {
	if ($4 == 0) {
		cpu_first[a] = $5
		whole[a] = 0
	} else {
		whole[a] = $4
		cpu_last[a] = $5
	}
}
$3 == "fsck" { fsck[a] = $4 }
$3 == "system" { system_line[a] = $0; sub(/^row [^ ]+ system /, "", system_line[a]) }
$3 == "record" || $3 == "recorded" { recorded = recorded "  " substr($0, index($0, $4)) "\n" }

END {
	n = split(allocators, want, " ")
	printf "A day's work on ext4, Debian %s, %s\n\n", kernel, system_line[want[1]]
	printf "%-8s", "job"
	for (i = 1; i <= n; i++)
		printf " | %-8s %5s %12s %14s", want[i], "times", "seconds each", "operations"
	print (n > 1 ? " | goalloc / kmalloc" : "")
	for (j = 1; j <= jobs; j++) {
		printf "%-8s", job[j]
		for (i = 1; i <= n; i++)
			printf " | %-8s %5d %12.2f %14d", "", times[want[i], job[j]],
				median(took[want[i], job[j]]), ops[want[i], job[j]]
		print (n > 1 ? " | " ratio(median(took["goalloc", job[j]]), median(took["kmalloc", job[j]])) : "")
		for (i = 1; i <= n; i++)
			all[want[i]] += median(took[want[i], job[j]])
	}
	printf "%-8s", "a round"
	for (i = 1; i <= n; i++)
		printf " | %-8s %5d %12.2f %14s", "", rounds[want[i]], all[want[i]], ""
	print (n > 1 ? " | " ratio(all["goalloc"], all["kmalloc"]) : "")

	printf "%-8s", "its CPU"
	for (i = 1; i <= n; i++) {
		w = want[i]
		each[w] = whole[w] ? (cpu_last[w] - cpu_first[w]) / whole[w] : 0
		printf " | %-8s %5d %12s %14s", "", whole[w], whole[w] ? sprintf("%.2f", each[w]) : "-", ""
	}
	print (n > 1 ? " | " ratio(each["goalloc"], each["kmalloc"]) : "")
	for (i = 1; i <= n; i++)
		printf "on %s: %d s of work, in which the guest counted %d s of CPU time\n",
			want[i], worked[want[i]], cpu[want[i]]
	print "seconds each: the median. Its CPU: seconds of the host\47s CPUs for a whole round; these"
	print "depend least on what else the host had to do."

	printf "\n%-44s", "memory of the kernel's allocators, MiB"
	for (i = 1; i <= n; i++)
		printf " %12s", want[i]
	print ""
	row("slab memory and goalloc's pages, begin", first)
	row("  the most", peak)
	for (i = 1; i <= n; i++)
		mean[want[i]] = samples[want[i]] ? sum[want[i]] / samples[want[i]] : ""
	row("  on average", mean)
	for (i = 1; i <= n; i++)
		rest[want[i]] = idle[want[i], "slab_kib"] * 1024
	row("  idle after the work, caches dropped", rest)

	print "\nobject caches of the file system, averages"
	printf "%-24s", "cache"
	for (i = 1; i <= n; i++)
		printf " | %-8s %9s %9s %11s", want[i], "objects", "KiB", "bytes each"
	print ""
	for (c = 1; c <= caches; c++) {
		printf "%-24s", cache[c]
		for (i = 1; i <= n; i++) {
			k = looked[want[i], cache[c]]
			if (k < 1) {
				printf " | %-8s %9s %9s %11s", "", "-", "-", "-"
				continue
			}
			o = objects[want[i], cache[c]] / k
			b = bytes[want[i], cache[c]] / k
			printf " | %-8s %9.0f %9.0f %11s", "", o, b / 1024,
				(o >= 100 ? sprintf("%.0f", b / o) : "-")
		}
		print ""
	}

	print "  of kmalloc\47s slabs, a CPU\47s own count as full: its objects are fewer than that"

	if ("goalloc" in present) {
		s = samples["goalloc"]
		if (s)
			printf "\ngoalloc: held %s MiB on average, %s the most (its own mark: %s), live %s, metadata %s\n",
				mib(held / s), mib(most), mib(count["peak_bytes"]), mib(live / s), mib(metadata / s)
		printf "  %.0f allocations, %.0f frees; of the kernel's own memory %d frees, to kmalloc() %d requests, strays %d, bad frees %d\n",
			count["allocs"], count["frees"], count["foreign_frees"],
			count["fallback_allocs"], count["stray_frees"], count["bad_frees"]
		printf "  unmounted and unloaded: %s objects live\n", left["live_objects"]
		printf "  goalloc top --once was run each minute that was not busy with it, %d times\n", tops
		# A minute lies between two, and each takes its time.
		if (tops < int(worked["goalloc"] / 75))
			problem("goalloc: goalloc top answered " tops + 0 " times")
		if (!(count["allocs"] > 0))
			problem("goalloc: nothing was allocated")
		if (left["live_objects"] != "0")
			problem("goalloc: live after unloading: " left["live_objects"])
		if (count["bad_frees"] + left["bad_frees"] > 0)
			problem("goalloc: bad frees")
	}
	if (recorded != "")
		printf "\nrecorded on kmalloc:\n%s", recorded
	for (i = 1; i <= n; i++) {
		if (!done[want[i]])
			problem(want[i] ": no job was done")
		if (fsck[want[i]] != "clean")
			problem(want[i] ": the file system is not clean")
	}
}

function row(name, values,   i)
{
	printf "%-44s", name
	for (i = 1; i <= n; i++)
		printf " %12s", mib(values[want[i]])
	print ""
}
