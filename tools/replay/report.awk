# SPDX-License-Identifier: GPL-2.0-only
#
# report.awk -v slack=PAGES -v kver=RELEASE GUEST-OUTPUT - the table of a run,
# and a line "problem: ..." for each thing that is not as it must be. The input
# is what guest-main prints.

function problem(text) {
	print "problem: " text
	problems++
}

function mib(bytes) {
	return sprintf("%.2f", bytes / 1048576)
}

function percent(bytes, of) {
	return of > 0 ? sprintf("%.1f%%", 100 * bytes / of - 100) : "-"
}

function want(what, value, wanted) {
	if (value "" != wanted "")
		problem(who ": " what " is " value ", not " wanted)
}

# A replay is over: r[] is its result.
function judge_result(   name) {
	who = r["trace"] " through " r["allocator"]
	want("operations", r["allocs"] + r["frees"], r["records"])
	for (name in r) {
		if (name !~ /^(failures|.*_errors)$/)
			continue
		# Only newer kernels promise what goalloc promises here.
		if (name == "align_errors" && r["allocator"] != "goalloc" && kver ~ /^6\.1\./)
			continue
		want(name, r[name], 0)
	}
	if (!r["failures"]) {
		want("peak_requested", r["peak_requested"], r["trace_peak_bytes"])
		want("end_requested", r["end_requested"], r["trace_end_bytes"])
	}
	want("released_objects", r["released_objects"], 0)
	if (r["peak_held"] <= 0 || r["peak_allocated"] < r["peak_requested"])
		problem(who ": the account cannot be true: " r["peak_held"] " bytes held, " \
			r["peak_allocated"] " allocated, " r["peak_requested"] " requested")
	nresults++
	rows[nresults] = sprintf("%-12s%-11s %9s %9s %9s %7s %9s %10d %8d %8d %8.1f",
		substr(r["trace"], 1, 11), r["allocator"], mib(r["peak_requested"]),
		mib(r["peak_allocated"]), mib(r["peak_held"]),
		percent(r["peak_allocated"], r["peak_requested"]),
		percent(r["peak_held"], r["peak_requested"]),
		r["allocs"] + r["frees"], r["failures"], r["pattern_errors"],
		r["run_ns"] / 1e9)
}

function judge_pages(   kept) {
	kept = before["free"] + before["owned"] - after["free"] - after["owned"]
	if (kept > slack)
		problem(who ": " kept " pages did not come back after unloading")
	if (nresults > 1)
		came_back = came_back ", "
	came_back = came_back sprintf("%d", kept)
}

/^@ / {
	section = $2
	if (section == "pages")
		when = $3
	if (section == "begin")
		begun++
	if (section == "failed")
		problem("in the guest: " substr($0, length("@ failed ") + 1))
	if (section == "result")
		split("", r)
	if (section == "end")
		ended = 1
	next
}
section == "result" {
	r[$1] = $2
	if ($1 == "released_taken")
		judge_result()
}
section == "pages" && when == "before" { before[$1] = $2 }
section == "pages" && when == "after" {
	after[$1] = $2
	if ($1 == "owned")
		judge_pages()
}

END {
	print "                                   MiB at peak           class     heap                       pattern"
	print "trace       allocator  requested allocated      held   waste  overhead operations failures   errors  seconds"
	for (i = 1; i <= nresults; i++)
		print rows[i]
	print ""
	print "peak: the moment with most bytes requested, the same for all; all threads stand still then"
	print "waste: allocated / requested - 1; overhead: held / requested - 1, metadata included"
	print "kmem_cache: as kmalloc, but a cache of the exact size for what was a kmem_cache's when recorded"
	print "pages not back after each replay and unloading (noise up to " slack "): " came_back
	if (!ended)
		problem("the guest did not come to its end")
	if (nresults != begun || !nresults)
		problem(begun + 0 " replays were begun, " nresults + 0 " have a result")
}
