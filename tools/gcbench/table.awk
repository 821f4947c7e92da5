# SPDX-License-Identifier: GPL-2.0-only
#
# table.awk GUEST-OUTPUT - the tables of `make bench-gc`, and, in the directory out, the
# files that gcbench.gp draws. The input is what guest-main prints; planned is how many
# runs it was to make.

# Shell's method: values are many, and nearly in order.
function sort_values(v, n,   gap, i, j, x) {
	for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= n; i++) {
			x = v[i]
			for (j = i; j > gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap]
			v[j] = x
		}
}

# All values NAME of KEY, sorted, in sorted[]; how many.
function gather(key, name,   i, n) {
	n = count[key, name]
	delete sorted
	for (i = 1; i <= n; i++)
		sorted[i] = value[key, name, i]
	sort_values(sorted, n)
	return n
}

function add(name, x) { value[key, name, ++count[key, name]] = x }

function quantile(key, name, q,   n) {
	n = gather(key, name)
	return n ? sorted[int((n - 1) * q) + 1] : 0
}

function median(key, name) { return quantile(key, name, 0.5) }

function total(key, name,   i, sum) {
	for (i = 1; i <= count[key, name]; i++)
		sum += value[key, name, i]
	return sum
}

# Of the CPU time that there was, what collecting took; without idle CPUs' marking.
function share(key) {
	return 100 * total(key, "collector_ms") / (total(key, "ns") / 1e6 * cpus)
}

# How much was in use when marking ended, of what was to be.
function of_goal(key) {
	return total(key, "goal") ? 100 * total(key, "at_end") / total(key, "goal") : 0
}

function three(key, name) {
	return sprintf("%7.2f %7.2f %7.2f", quantile(key, name, 0.5),
		quantile(key, name, 0.99), quantile(key, name, 1))
}

function row(label, key, name,   from, held) {
	held = sprintf("%7s %7s %7s", "-", "-", "-")
	from = key
	sub(/table/, "held", from)
	if (count[from, "wait_max"])
		held = sprintf("%7.2f %7.2f %7.2f", median(from, "wait_p50") / 1e6,
			median(from, "wait_p99") / 1e6, median(from, "wait_max") / 1e6)
	printf "%-10s %-8s %6.2f %s %s %6.1f %6d %6.0f %7.1f\n", label, name,
		median(key, "ns") / 1e9, three(key, "stop_ms"), held, share(key),
		median(key, "cycles"), of_goal(key),
		quantile(key, "peak", 1) / 1048576
}

# The numbers of a line of Go's gctrace, which goalloc's is like.
function collection(   clock, cpu, stop, part, heap) {
	if (/\(forced\)/)
		return
	match($0, /: [0-9.+]+ ms clock/)
	clock = substr($0, RSTART + 2, RLENGTH - 11)
	split(clock, stop, "+")
	add("stop_ms", stop[1])
	add("stop_ms", stop[3])
	match($0, /clock, [0-9.+\/]+ ms cpu/)
	cpu = substr($0, RSTART + 7, RLENGTH - 14)
	split(cpu, part, "[+/]")
	# first stop + assists / the collector's / idle CPUs' + second stop
	add("collector_ms", part[1] + part[2] + part[3] + part[5])
	# megabytes when it began, when marking ended, found in use; the goal
	match($0, /cpu, [0-9]+->[0-9]+->[0-9]+ MB, [0-9]+ MB goal/)
	split(substr($0, RSTART + 5, RLENGTH - 5), heap, "->| MB, | ")
	add("at_end", heap[2])
	add("goal", heap[4])
}

function note_result(   i, pair) {
	for (i = 2; i <= NF; i++) {
		split($i, pair, "=")
		field[pair[1]] = pair[2]
		if (pair[1] ~ /^(ns|cycles|peak|wait_)/)
			add(pair[1], pair[2])
	}
	if (field["ok"] == 1)
		passed++
}

function percent_files(   i, n, who, names, key) {
	n = split("goalloc go", names, " ")
	for (who = 1; who <= n; who++)
		for (i = 1; i <= npercents; i++) {
			key = names[who] " trees " last_threads " " percents[i] " percent"
			print percents[i], median(key, "ns") / 1e9, share(key),
				quantile(key, "peak", 1) / 1048576 >(out "/percent-" names[who] ".dat")
		}
}

function percent_table(   i, a, b) {
	printf "\ntrees, %s threads, by percent (GOGC)\n", last_threads
	printf "%-8s %9s %7s %10s %7s %10s %7s\n", "percent", "time s", "Go", "CPU %", "Go",
		"peak MiB", "Go"
	for (i = 1; i <= npercents; i++) {
		a = "goalloc trees " last_threads " " percents[i] " percent"
		b = "go trees " last_threads " " percents[i] " percent"
		printf "%-8s %9.2f %7.2f %10.1f %7.1f %10.1f %7.1f\n", percents[i],
			median(a, "ns") / 1e9, median(b, "ns") / 1e9, share(a), share(b),
			quantile(a, "peak", 1) / 1048576, quantile(b, "peak", 1) / 1048576
	}
}

{ sub(/\r$/, "") }
/^@ failed/ { print "problem: " substr($0, 3) }
/^@ run / {
	section = "run"
	key = $3 " " $4 " " $5 " " $6 " " $7
	if ($7 == "table" && $3 == "goalloc" && !seen[key]++)
		kinds[++nkinds] = $4 " " $5
	if ($7 == "percent" && $3 == "goalloc") {
		percents[++npercents] = $6
		last_threads = $5
	}
	next
}
/^@ / { section = $2; who = $3; next }
section == "run" && /^result / { note_result() }
section == "run" && /^gc / { collection() }
section == "samples" && !/^#/ {
	# goalloc's clock is the kernel's own, and so is the trigger's.
	if (!(who in first))
		first[who] = $1
	printf "%.4f %.3f %.3f %.3f\n", ($1 - first[who]) / 1e9, $2 / 1048576, $3 / 1048576,
		$4 / 1048576 >(out "/" who ".dat")
}
section == "trigger" {
	if ($1 > first["goalloc"] / 1e9)
		printf "%.4f %.3f\n", $1 - first["goalloc"] / 1e9, $2 / 1048576 >(out "/trigger.dat")
}

END {
	printf "depth %d, %d CPUs, percent 100; rounds: %d\n\n", depth, cpus, rounds
	printf "%-10s %-8s %6s %-23s %-23s %6s %6s %6s %7s\n", "program,", "", "time",
		"  stops, ms", "  held up, ms", "coll.", "cycles", "% of", "peak"
	printf "%-10s %-8s %6s %7s %7s %7s %7s %7s %7s %6s %6s %6s %7s\n", "threads", "", "s",
		"p50", "p99", "max", "p50", "p99", "max", "CPU %", "", "goal", "MiB"
	for (i = 1; i <= nkinds; i++) {
		a = "goalloc " kinds[i] " 100 table"
		b = "go " kinds[i] " 100 table"
		row(kinds[i], a, "goalloc")
		row("", b, "Go")
		if (median(b, "ns"))
			printf "%-10s %-8s %6.2f %68s %7.2f\n", "", "ratio",
				median(a, "ns") / median(b, "ns"), "",
				quantile(a, "peak", 1) / quantile(b, "peak", 1)
	}
	percent_table()
	percent_files()
	printf "%d passed, %d failed\n", passed, planned - passed
	exit passed != planned
}
