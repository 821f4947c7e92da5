# SPDX-License-Identifier: GPL-2.0-only
#
# The table of `make clients` out of lines "row ALLOCATOR CLIENT WORD VALUE...": a row
# per client, then what went wrong, then how many passed. A client passes if it did so
# on goalloc (on kmalloc, if that is all there was), left nothing, and neither goalloc
# nor the kernel complained. One that cannot be built is listed and not counted.

function kib(bytes)
{
	return bytes == "" ? "-" : sprintf("%.0f", bytes / 1024)
}

function shown(client, word)
{
	return (client, word) in value ? value[client, word] : "-"
}

{
	allocator = $2
	client = $3
	rest = $0
	sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ ?/, "", rest)
	if ($4 == "unbuilt")
		unbuilt[client] = rest
	else if ($4 == "passed" || $4 == "failed") {
		verdict[allocator, client] = $4
		reason[allocator, client] = rest
	} else if ($4 == "memory") {
		peak[allocator, client] = $5
		last[allocator, client] = $6
	} else if ($4 == "seconds")
		seconds[allocator, client] = $5
	else if ($4 == "warnings")
		warnings[allocator, client] = $5
	else if (allocator == "goalloc")
		value[client, $4] = $5
}

END {
	judged = allocators ~ /goalloc/ ? "goalloc" : "kmalloc"
	printf "Clients on goalloc, Debian %s; memory in KiB\n", kernel
	printf "%-11s %11s %8s %8s %8s %7s %6s %5s %4s %5s %5s %8s  %s\n", "client",
		"allocations", "held", "peak", "kmalloc", "live", "foreign", "zone",
		"stray", "bad", "warn", "seconds", "result"
	n = split(clients, name, " ")
	for (i = 1; i <= n; i++) {
		c = name[i]
		if (c in unbuilt) {
			printf "%-11s not built: %s\n", c, unbuilt[c]
			continue
		}
		why = ""
		if (verdict[judged, c] != "passed")
			why = why "; " (verdict[judged, c] == "" ? "was not run" : reason[judged, c])
		if (shown(c, "live_objects") != "-" && value[c, "live_objects"] != 0)
			why = why "; " value[c, "live_objects"] " objects live after it was unloaded"
		if (shown(c, "bad_frees") != "-" && value[c, "bad_frees"] != 0)
			why = why "; " value[c, "bad_frees"] " bad frees"
		if (warnings[judged, c] != 0)
			why = why "; the kernel complained, see build/clients/" judged "/" c ".log"
		if (judged == "goalloc" && value[c, "allocs"] == 0)
			why = why "; it allocated nothing"
		other = ""
		if (allocators ~ /kmalloc/ && judged != "kmalloc" && verdict["kmalloc", c] != "passed")
			other = " (on kmalloc as well: " reason["kmalloc", c] ")"
		printf "%-11s %11s %8s %8s %8s %7s %6s %5s %4s %5s %5s %8s  %s\n", c,
			shown(c, "allocs"), kib(value[c, "peak_held"]), kib(peak["goalloc", c]),
			kib(peak["kmalloc", c]), shown(c, "live_objects"),
			shown(c, "foreign_frees"), shown(c, "fallback_allocs"),
			shown(c, "stray_frees"), shown(c, "bad_frees"), warnings[judged, c],
			seconds[judged, c], why == "" ? "passed" : "FAILED"
		if (why == "")
			passed++
		else {
			failed++
			trouble = trouble "  " c ": " substr(why, 3) other "\n"
		}
	}
	print "\nheld: most that goalloc's heaps held; peak: the most that slab memory and goalloc"
	print "together rose by; kmalloc: the same for the same modules as they are. foreign:"
	print "memory of the kernel's that it freed; zone: requests left to kmalloc(); stray:"
	print "objects it left to the kernel to free, caught by stray_guard."
	if (trouble != "")
		printf "\n%s", trouble
	printf "%d passed, %d failed\n", passed, failed
}
