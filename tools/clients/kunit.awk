# SPDX-License-Identifier: GPL-2.0-only
#
# The table of tools/clients/kunit: out of lines "count SUITE WORD N" and the kernel's
# log, where each suite's results are between "goalloc-guest: begin ALLOCATOR SUITE" and
# "end". A case is a line "ok" or "not ok" four columns in; before them is how many there
# will be. failed: how much has gone wrong already; notes: what to say below the table.

$1 == "count" {
	count[$2, $3] = $4
	next
}

/^goalloc-guest: begin / {
	at = $3 " " $4
	next
}

/^goalloc-guest: end / {
	at = ""
	next
}

at == "" { next }

/^    1\.\.[0-9]+$/ {
	sub(/^    1\.\./, "")
	planned[at] += $0
}

/^    ok [0-9]+ .*# SKIP/ {
	skipped[at]++
	split($0, part, / # SKIP */)
	name = part[1]
	sub(/^    ok [0-9]+ /, "", name)
	why[at] = why[at] "  " at ": " name " skipped: " part[2] "\n"
	next
}

/^    ok [0-9]+ / { ok[at]++ }

/^    not ok [0-9]+ / {
	bad[at]++
	sub(/^    not ok [0-9]+ /, "")
	why[at] = why[at] "  " at ": " $0 " failed\n" said
	said = ""
}

# What a case says before it fails.
/^    # .*(EXPECTATION|ASSERTION) FAILED/ { said = said "    " $0 "\n" }
/^    (Expected|ok|[^ #].*) / && said != "" && !/^    (ok|not ok) / { said = said "    " $0 "\n" }
/^    ok / { said = "" }

END {
	printf "The kernel's tests of allocation\n%-9s %21s %21s %11s %5s %8s %5s %6s %4s\n", "",
		"-- cases on kmalloc -", "-- cases on goalloc -", "", "", "", "", "", ""
	printf "%-9s %6s %6s %7s %6s %6s %7s %11s %5s %8s %5s %6s %4s\n", "suite",
		"passed", "failed", "skipped", "passed", "failed", "skipped",
		"allocations", "live", "foreign", "zone", "stray", "bad"
	n = split(suites, suite, " ")
	for (i = 1; i <= n; i++) {
		s = suite[i]
		k = "kmalloc " s
		g = "goalloc " s
		printf "%-9s %6d %6d %7d %6d %6d %7d %11s %5s %8s %5s %6s %4s\n", s,
			ok[k], bad[k], skipped[k], ok[g], bad[g], skipped[g],
			count[s, "allocs"], count[s, "live_objects"], count[s, "foreign_frees"],
			count[s, "fallback_allocs"], count[s, "stray_frees"], count[s, "bad_frees"]
		passed += ok[g]
		failed += bad[g]
		if (planned[g] == 0 || planned[g] != ok[g] + bad[g] + skipped[g]) {
			failed++
			trouble = trouble "  " g ": " planned[g] + 0 " cases were to run\n"
		}
		if (count[s, "live_objects"] != 0 || count[s, "bad_frees"] != 0) {
			failed++
			trouble = trouble "  " g ": objects are live, or frees were refused\n"
		}
		if (count[s, "allocs"] == "") {
			failed++
			trouble = trouble "  " g ": was not run\n"
		}
		trouble = trouble why[k] why[g]
	}
	if (notes != "")
		print "\n" notes
	if (trouble != "")
		printf "\n%s", trouble
	printf "%d passed, %d failed\n", passed, failed
}
