# SPDX-License-Identifier: GPL-2.0-only
#
# prom-lint.awk - what promtool check metrics looks for, as far as it matters here:
# HELP and TYPE before the samples of a metric, all samples of one together, names
# and labels of the allowed form, each sample once, counters called _total and
# nothing else, values that are numbers.
function wrong(what)
{
	printf "line %d: %s: %s\n", NR, what, $0
	bad = 1
}

BEGIN { types = 0 }

/^# HELP / {
	name = $3
	if (name in helped)
		wrong("a second HELP")
	helped[name] = 1
	if (NF < 4 || $0 !~ /\.$/)
		wrong("a HELP that says nothing, or is no sentence")
	next
}

/^# TYPE / {
	name = $3
	if (name in type)
		wrong("a second TYPE")
	if (!(name in helped))
		wrong("TYPE without HELP before it")
	if ($4 != "counter" && $4 != "gauge")
		wrong("an unknown type")
	if (($4 == "counter") != (name ~ /_total$/))
		wrong("counters, and only they, are called _total")
	type[name] = $4
	current = name
	types++
	next
}

/^#/ { wrong("an unknown comment"); next }

/^$/ { wrong("an empty line"); next }

{
	if ($0 !~ /^[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[0-9]+$/) {
		wrong("not of the form name{label=\"value\"} number")
		next
	}
	name = $0
	sub(/[{ ].*/, "", name)
	if (!(name in type))
		wrong("a sample without a TYPE")
	else if (name != current)
		wrong("a sample that stands with another metric")
	series = $0
	sub(/ -?[0-9]+$/, "", series)
	if (series in seen)
		wrong("the same sample twice")
	seen[series] = 1
	if (type[name] == "counter" && $NF ~ /^-/)
		wrong("a counter below 0")
	samples[name]++
}

END {
	for (name in type)
		if (!samples[name]) {
			printf "%s: no samples\n", name
			bad = 1
		}
	if (types < 10) {
		printf "only %d metrics\n", types
		bad = 1
	}
	exit bad
}
