# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What `make run` and `make bench-replay` share. Source it after lib.sh, with $here
# the directory of the replay and $out that of the run.

# Pages by which the sum of count_pages (guest-main) may be off: a quiet guest
# is within 10 per CPU, and what goalloc holds in a replay is thousands.
# shellcheck disable=SC2034 # for whoever sources this
pages_slack=$((64 + 16 * ${SMP:-4}))

# replay_traces - check TRACE, or else the shipped traces: nothing else is worth the
# time if one is damaged. Sets files to unpacked copies in $out, bytes and records to the
# sums of all, peak and objects to the most bytes and objects that one has live.
replay_traces()
{
	local trace traces name file info file_records file_peak file_objects

	if [ -n "${TRACE-}" ]; then
		traces=("$TRACE")
	else
		traces=("$here"/traces/*.goaltrc.zst)
	fi
	# shellcheck disable=SC2154 # see above
	mkdir -p "$out"
	files=()
	bytes=0 records=0 peak=0 objects=0
	for trace in "${traces[@]}"; do
		name=$(basename "$trace")
		name=${name%.zst}
		name=${name%.goaltrc}
		file=$out/${#files[@]}-$name.goaltrc
		info=$("$here/trace-check" -o "$file" "$trace") ||
			die 'not run: the trace cannot be replayed'
		echo "$info"
		files+=("$file")
		read -r file_records file_peak file_objects < <(
			awk '/^trace / { n = $3 } /^peak: / { print n, $2, $5 }' <<<"$info")
		bytes=$((bytes + $(stat -c %s "$file")))
		records=$((records + file_records))
		peak=$((file_peak > peak ? file_peak : peak))
		objects=$((file_objects > objects ? file_objects : objects))
	done
}

# replay_progress PID - the kernel's log has the progress lines; show them as they
# come, while PID runs.
replay_progress()
{
	tail -n +1 -F -s 0.2 --pid="$1" "$out/console.log" 2>/dev/null |
		sed -u -n 's/^.*goalloc_replay: \(.* through .*%,.*\)/  \1/p' >&2
}
