# SPDX-License-Identifier: GPL-2.0-only
#
# judge.awk -v slack=PAGES -v kver=RELEASE GUEST-OUTPUT - a line "problem: ..." for
# each thing that is not as it must be. The input is what guest-main prints. A
# second program, report.awk or bench.awk, makes a table of the results: its row()
# is called for each.

BEGIN {
	# Bytes by which two accounts of a heap may differ: pages of slabs that
	# goalloc's metadata shares, what the rest of the system does meanwhile.
	accounts_slack = 1048576
}

function want(what, value, wanted) {
	if (value "" != wanted "")
		problem(who ": " what " is " value ", not " wanted)
}

# v[] is goalloc's vmstat, read while the trace's last objects were live, r[] the
# replay's own account of the same moment.
function judge_ledger(   name) {
	want("vmstat: the sum of what is held", v["live_bytes"] + v["rounding_bytes"] + \
		v["cached_bytes"] + v["central_bytes"] + v["tail_bytes"] + \
		v["page_cache_bytes"] + v["free_bytes"], v["held_bytes"])
	want("vmstat: grown less released", v["grown_bytes"] - v["released_bytes"], v["held_bytes"])
	want("vmstat: live_objects", v["live_objects"], r["end_objects"])
	# The trace also frees what could not be allocated.
	if (!r["failures"]) {
		want("vmstat: allocs", v["allocs"], r["allocs"] - r["empty_allocs"])
		want("vmstat: frees", v["frees"], r["frees"] - r["empty_frees"])
	}
	for (name in v) {
		if (name ~ /^bad_frees_/)
			want("vmstat: " name, v[name], 0)
	}
}

# A replay is over: r[] is its result.
function judge_result(   name, base, differ) {
	who = r["trace"] " through " r["allocator"]
	want("operations", r["allocs"] + r["frees"], r["records"])
	for (name in r) {
		if (name !~ /^(failures|.*_errors)$/)
			continue
		# Only newer kernels promise what goalloc promises here.
		if (name == "align_errors" && r["allocator"] ~ /^(kmalloc|kmem_cache)$/ && kver ~ /^6\.1\./)
			continue
		want(name, r[name], 0)
	}
	# vmalloc() is not for callers that may not sleep, the others are.
	if (r["allocator"] != "vmalloc")
		want("refused", r["refused"], 0)
	else if (r["refused"] < r["trace_atomic_allocs"] || r["refused"] >= r["allocs"])
		problem(who ": refused " r["refused"] " of " r["allocs"] " allocations, " \
			r["trace_atomic_allocs"] " may not sleep")
	if (!r["failures"] && !r["refused"]) {
		want("peak_requested", r["peak_requested"], r["trace_peak_bytes"])
		want("end_requested", r["end_requested"], r["trace_end_bytes"])
	}
	want("released_objects", r["released_objects"], 0)
	if (r["peak_held"] <= 0 || r["peak_allocated"] < r["peak_requested"])
		problem(who ": the account cannot be true: " r["peak_held"] " bytes held, " \
			r["peak_allocated"] " allocated, " r["peak_requested"] " requested")
	# Two accounts of one thing: what the allocator says that it holds, less
	# what it held before, and what the buddy allocator lacks since then.
	base = r["allocator"] == "goalloc" ? r["base_held"] : 0
	differ = r["peak_held"] - base - r["peak_taken"]
	if (differ > accounts_slack || -differ > accounts_slack)
		problem(who ": holds " r["peak_held"] - base " bytes at peak by its own account, " \
			r["peak_taken"] " by the buddy allocator's")
	if (r["allocator"] == "goalloc")
		judge_ledger()
	nresults++
	row()
}

function judge_pages(   kept) {
	kept = before["free"] + before["owned"] - after["free"] - after["owned"]
	# The kernel keeps the page tables of what once was mapped by vmalloc().
	if (kept > slack && r["allocator"] != "vmalloc")
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
	if (section == "vmstat")
		split("", v)
	if (section == "end")
		ended = 1
	next
}
section == "vmstat" { v[$1] = $2 }
section == "stats" && /^ *held = live/ && !/: holds$/ {
	problem("stats says that an identity does not hold: " $0)
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
	if (!ended)
		problem("the guest did not come to its end")
	if (nresults != begun || !nresults)
		problem(begun + 0 " replays were begun, " nresults + 0 " have a result")
}
