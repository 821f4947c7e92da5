# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Booting a guest: an initramfs from busybox and a few files, QEMU around it,
# and what the guest says in the end. Source it after lib.sh.
#
# The first serial port carries the kernel's log and nothing else, because
# user space writing there would split the kernel's lines. The second one
# belongs to the guest's script. A guest has passed only if the last line on
# that second port is GUEST_PASS: a panic, a hang or a script that ends early
# cannot leave it there.

GUEST_PASS='goalloc-guest: pass'

# guest_initrd OUT MAIN [FILE[:NAME]...] - write the initramfs OUT. MAIN becomes
# /guest/main, run by /init with the second port as its output; its exit status
# is the verdict. Each FILE goes to /guest/NAME (default: its own name).
guest_initrd()
{
	local out=$1 main=$2 busybox dir spec
	shift 2

	busybox=$(command -v busybox) || die 'no busybox: install busybox-static'
	if ldd "$busybox" >/dev/null 2>&1; then
		die "$busybox is not static: install busybox-static"
	fi
	dir=$(mktemp -d)
	mkdir -p "$dir/bin" "$dir/guest" "$dir/proc" "$dir/sys" "$dir/dev" "$dir/tmp"
	cp "$busybox" "$dir/bin/busybox"
	ln -s busybox "$dir/bin/sh"
	cp "$GOALLOC_ROOT/tools/qemu/init" "$dir/init"
	cp "$main" "$dir/guest/main"
	chmod 755 "$dir/init" "$dir/guest/main"
	for spec; do
		case $spec in
		*:*)
			mkdir -p "$(dirname "$dir/guest/${spec#*:}")"
			cp "${spec%%:*}" "$dir/guest/${spec#*:}"
			;;
		*) cp "$spec" "$dir/guest/" ;;
		esac
	done
	( cd "$dir" && find . | LC_ALL=C sort |
		busybox cpio -o -H newc 2>/dev/null ) | gzip -1 >"$out"
	rm -rf "$dir"
}

# guest_accel KERNEL - print the accelerator that works here. KVM may be
# present and still unable to run anything, so it counts only if a guest
# really reaches its init. The answer is kept until the next boot of the host.
guest_accel()
{
	local kernel=$1 answer dir

	if [ -n "${GOALLOC_ACCEL-}" ]; then
		echo "$GOALLOC_ACCEL"
		return
	fi
	mkdir -p "$GOALLOC_CACHE"
	answer=$GOALLOC_CACHE/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -f "$answer" ]; then
		rm -f "$GOALLOC_CACHE"/accel-*
		dir=$(mktemp -d)
		printf '#!/bin/sh\nexit 0\n' >"$dir/main"
		guest_initrd "$dir/initrd" "$dir/main"
		if [ -r /dev/kvm ] && [ -w /dev/kvm ] &&
		   guest_qemu kvm 10 "$kernel" "$dir/initrd" "$dir" >/dev/null 2>&1 &&
		   guest_passed "$dir/guest.log"; then
			echo kvm >"$answer.tmp"
		else
			echo tcg,thread=multi >"$answer.tmp"
		fi
		rm -rf "$dir"
		mv "$answer.tmp" "$answer"
		say "guests run on $(cut -d, -f1 "$answer") here"
	fi
	cat "$answer"
}

# guest_passed LOG - was the pass line the very last thing on the second port?
guest_passed()
{
	[ "$(tr -d '\r' <"$1" 2>/dev/null | tail -n 1)" = "$GUEST_PASS" ]
}

# guest_tsc - print what tells the guest the speed of its time stamp counter, or
# nothing where that cannot be known (see tsc_khz.c). Kept until the next boot.
guest_tsc()
{
	local answer bin

	answer=$GOALLOC_CACHE/tsc-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -s "$answer" ]; then
		mkdir -p "$GOALLOC_CACHE"
		rm -f "$GOALLOC_CACHE"/tsc-*
		bin=$(mktemp)
		if gcc -O2 -o "$bin" "$GOALLOC_ROOT/tools/qemu/tsc_khz.c" 2>/dev/null &&
		   "$bin" >"$bin.khz"; then
			mv "$bin.khz" "$answer"
		fi
		rm -f "$bin" "$bin.khz"
	fi
	[ ! -s "$answer" ] || echo "tsc_early_khz=$(cat "$answer")"
}

# guest_args ACCEL KERNEL INITRD [APPEND...] - set the array GUEST_ARGS to
# QEMU's arguments, all but the serial ports. SMP and MEM from the environment.
guest_args()
{
	local accel=$1 kernel=$2 initrd=$3 smp=${SMP:-4}
	shift 3

	# sockets=: without ACPI only sockets show in the MP table. tsc=: else an
	# SMP guest falls back to a 4 ms clock. The watchdogs get more time than
	# usual because the guest's CPUs may share one real one, and the kernel is
	# not to wonder whether the timer works: on a busy host it decides wrongly.
	# KCSAN looks at nothing before a guest's script switches it on: booting has
	# races of its own.
	GUEST_ARGS=(-accel "$accel"
		-smp "$smp,sockets=$smp,cores=1,threads=1" -m "${MEM:-1G}"
		-nodefaults -nographic -no-reboot
		-kernel "$kernel" -initrd "$initrd" -append "console=ttyS0 \
quiet loglevel=7 log_buf_len=4M printk.devkmsg=on tsc=reliable numa=fake=2 \
oops=panic panic=-1 watchdog_thresh=30 sysctl.kernel.hung_task_timeout_secs=300 rcupdate.rcu_cpu_stall_timeout=60 \
no_timer_check kcsan.early_enable=0 $(guest_tsc) $*")
}

# A kernel that has not started its first program by then never will.
GUEST_BOOT_SECONDS=${GUEST_BOOT_SECONDS:-240}

# guest_booted LOG - did the kernel get as far as a program of ours?
guest_booted()
{
	grep -aq 'Run /init as init process' "$1" 2>/dev/null
}

# guest_qemu ACCEL SECONDS KERNEL INITRD DIR [APPEND...] - one boot, at most
# SECONDS long; leaves DIR/console.log and DIR/guest.log. Fails with 124 when
# time ran out.
guest_qemu()
{
	local accel=$1 seconds=$2 kernel=$3 initrd=$4 dir=$5 pid end
	shift 5

	: >"$dir/guest.log"
	guest_args "$accel" "$kernel" "$initrd" "$@"
	# shellcheck disable=SC2086 # more arguments for QEMU, split at blanks
	timeout -k 5 "$seconds" qemu-system-x86_64 "${GUEST_ARGS[@]}" ${GUEST_EXTRA-} \
		-serial "file:$dir/console.log" -serial "file:$dir/guest.log" \
		</dev/null >"$dir/qemu.log" 2>&1 &
	pid=$!
	end=$((SECONDS + GUEST_BOOT_SECONDS))
	while kill -0 "$pid" 2>/dev/null && ! guest_booted "$dir/console.log"; do
		if [ "$SECONDS" -ge "$end" ]; then
			kill "$pid"
			wait "$pid" || true
			return 124
		fi
		sleep 0.5
	done
	wait "$pid"
}

# guest_uml SECONDS KERNEL INITRD DIR [APPEND...] - guest_qemu() for a kernel that
# is a program, user-mode Linux. It is run on one of the host's CPUs, and so are the
# processes that it makes for those of its own.
guest_uml()
{
	local seconds=$1 kernel=$2 initrd=$3 dir=$4 cpu
	shift 4

	cpu=$(taskset -cp "$BASHPID" | sed -n 's/.*[ ,-]//p')
	: >"$dir/guest.log"
	taskset -c "$cpu" timeout -k 5 "$seconds" "$kernel" "mem=${MEM:-512M}" \
		"initrd=$initrd" noreboot "uml_dir=$dir/" con=null con0=null,fd:1 \
		ssl=null ssl1=null,fd:3 console=tty0 quiet loglevel=7 oops=panic panic=-1 \
		"$@" </dev/null >"$dir/console.log" 2>"$dir/qemu.log" 3>>"$dir/guest.log"
}

# guest_run [-f] [-u] [-t SECONDS] KERNEL INITRD DIR [APPEND...] - boot and judge by
# the guest's own word: 0 only if it passed. -f shows the second port as it
# comes; -u: KERNEL is user-mode Linux. The kernel's log is left in DIR/console.log
# for tools/qemu/judge.
#
# QEMU's emulation may run a breakpoint that the kernel had put into its own code
# for a moment while it changed a static key, on another CPU, after it is gone.
# The kernel then dies of "Oops: int3" wherever it is, most often while booting.
# That says nothing about goalloc, so such a guest is booted again, with a word;
# so is one whose timers the kernel found wrong while it booted on a busy host, and
# one that ended, or did not go on, before anything of ours had run.
guest_run()
{
	local try rc dir
	local -a args=("$@")

	for try in 1 2 3; do
		rc=0
		guest_run_once "${args[@]}" || rc=$?
		[ "$rc" -ne 0 ] || return 0
		dir=$GUEST_DIR
		if [ "$try" -eq 3 ]; then
			break
		elif grep -aq 'APIC timer disabled due to verification' "$dir/console.log"; then
			say 'emulator: the timers of this boot do not work; booting again'
			continue
		elif ! guest_booted "$dir/console.log"; then
			say 'emulator: the kernel did not get to its first program; booting again'
			continue
		elif ! grep -aq 'Oops: int3' "$dir/console.log"; then
			break
		fi
		cp "$dir/console.log" "$dir/console.int3-$try.log"
		say "emulator: a stale breakpoint killed the guest (kept as console.int3-$try.log); booting again"
	done
	return "$rc"
}

guest_run_once()
{
	local seconds=120 follow="" uml="" accel pid rc=0 OPTIND=1 opt

	while getopts fut: opt; do
		case $opt in
		f) follow=1 ;;
		u) uml=1 ;;
		t) seconds=$OPTARG ;;
		*) return 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	GUEST_DIR=$3
	rm -f "$3/console.log" "$3/guest.log"
	local what=qemu
	if [ -n "$uml" ]; then
		what='user-mode Linux'
		guest_uml "$seconds" "$@" &
	else
		command -v qemu-system-x86_64 >/dev/null ||
			die 'no qemu-system-x86_64: install qemu-system-x86'
		accel=$(guest_accel "$1")
		guest_qemu "$accel" "$seconds" "$@" &
	fi
	pid=$!
	if [ -n "$follow" ]; then
		: >>"$3/guest.log"
		tail -n +1 -f --pid="$pid" -s 0.2 "$3/guest.log" |
			grep --line-buffered -vxE "$GUEST_PASS.?" || true
	fi
	wait "$pid" || rc=$?
	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		say "the guest did not end within $seconds s; its last words:"
	elif [ "$rc" -ne 0 ]; then
		say "$what failed with status $rc:"
		cat "$3/qemu.log" >&2
		return 1
	elif guest_passed "$3/guest.log"; then
		return 0
	elif grep -q '^goalloc-guest: fail' "$3/guest.log"; then
		say 'the guest says that it failed:'
		tail -n 20 "$3/guest.log" | tr -d '\r' | sed 's/^/  | /' >&2
		return 1
	else
		say 'the guest ended without a verdict; its last words:'
	fi
	{
		tail -n 10 "$3/console.log" | cut -c 1-160
		echo '-- second port:'
		tail -n 10 "$3/guest.log"
	} | tr -d '\r' | sed 's/^/  | /' >&2
	return 1
}
