# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script under tools/ shares: where things are, how to speak.
# Source it; it sets no shell options and changes no directory.

# shellcheck disable=SC2034 # for whoever sources this
GOALLOC_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GOALLOC_CACHE=${GOALLOC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/goalloc}
GOALLOC_ME=${0##*/}
GOALLOC_JOBS=${GOALLOC_JOBS:-$(nproc)}

# Progress and errors go to stderr: stdout is for a script's answer.
say()
{
	printf '%s: %s\n' "$GOALLOC_ME" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# watch_log SECONDS LABEL LOG PID - until PID ends, say every SECONDS how far
# LOG is, so that a step of minutes does not look like a hang.
watch_log()
{
	local every=$1 label=$2 log=$3 pid=$4 t=0

	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		t=$((t + 1))
		if [ $((t % every)) -eq 0 ]; then
			say "$label: $t s, $(wc -l <"$log") steps"
		fi
	done
}

# logged SECONDS LABEL LOG COMMAND... - run COMMAND with its output in LOG,
# progress lines meanwhile; on failure show the end of LOG.
logged()
{
	local every=$1 label=$2 log=$3 pid rc=0
	shift 3

	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	watch_log "$every" "$label" "$log" "$pid"
	wait "$pid" || rc=$?
	if [ "$rc" -ne 0 ]; then
		say "$label: failed with status $rc; the end of $log:"
		tail -n 30 "$log" >&2
	fi
	return "$rc"
}

# lock NAME - hold a lock in the cache until this shell ends. Says so when it
# has to wait for someone else.
lock()
{
	mkdir -p "$GOALLOC_CACHE/lock"
	exec {GOALLOC_LOCK_FD}>"$GOALLOC_CACHE/lock/$1"
	if ! flock -n "$GOALLOC_LOCK_FD"; then
		say "waiting for another run that holds $1"
		flock "$GOALLOC_LOCK_FD"
	fi
}

# tree_version - print how git describes this tree; nothing if it has no history of
# its own
tree_version()
{
	[ ! -e "$GOALLOC_ROOT/.git" ] ||
		git -C "$GOALLOC_ROOT" describe --always --dirty 2>/dev/null || true
}

# kernel_names KDIR - print the release of the kernel that KDIR builds for, and
# the directory under build/ that has what was built for it. Debian's headers do
# not hold the full release, but /lib/modules does. Other trees may share a
# release and still differ: each gets a directory of its own.
kernel_names()
{
	local release

	case $1 in
	*/modules/*/build)
		release=$(basename "$(dirname "$1")")
		echo "$release $release"
		;;
	*)
		release=$(cat "$1/include/config/kernel.release") ||
			die "KDIR=$1 is not a built kernel"
		echo "$release $release-$(realpath "$1" | cksum | cut -d ' ' -f 1)"
		;;
	esac
}
