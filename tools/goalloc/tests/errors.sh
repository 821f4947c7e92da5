# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of run
#
# Part of run: every way to fail has its status and a sentence that helps.

says 'no command' 2 'a command is missing'
says 'an unknown command' 2 'no command "tops"' tops
says 'an unknown option' 2 'unrecognized option' stat --nonsense
says 'an unknown heap' 3 'no heap "lost"; there are: default keys packets' \
	stat -R "$data/b" --heap lost
says 'a heap that is a path' 2 'cannot be the name' stat -R "$data/b" --heap ../keys
says 'no directory' 3 'No such file' stat -R "$tmp/nowhere"
says 'a directory of something else' 6 'vmstat is not there' stat -R "$here"
if [ ! -d /sys/kernel/debug/goalloc ]; then
	rc=0
	"$bin" stat >"$tmp/none" 2>&1 || rc=$?
	expect "no module (3) or no debugfs (4): $rc" sh -c "case $rc in 3) grep -q 'modprobe goalloc' '$tmp/none' ;; 4) grep -q 'mount -t debugfs' '$tmp/none' ;; *) exit 1 ;; esac"
fi

sed 's/version: 1.0/version: 2.0/' "$data/b/vmstat" | damaged vmstat
says 'another major version' 6 'has version 2.0, this program knows 1.x' stat -R "$tmp/damaged"
sed 's/version: 1.0/version: 1.7/' "$data/b/vmstat" | damaged vmstat
expect 'another minor version is fine' "$bin" stat -R "$tmp/damaged"
sed '2a new_name 12' "$data/b/vmstat" | damaged vmstat
expect 'a name that is not known is fine' "$bin" stat -R "$tmp/damaged"
expect 'and is in the JSON' sh -c "'$bin' stat --json -R '$tmp/damaged' | grep -q '\"new_name\": 12'"
head -c 100 "$data/b/classes" | damaged classes
expect 'a file that ends in its comments is fine' "$bin" stat -R "$tmp/damaged"
sed '$s/^\( *[a-z0-9]* *[0-9-]*\).*/\1/' "$data/b/classes" | damaged classes
says 'a row that ends early' 6 'classes, line [0-9]+: 2 of' stat -R "$tmp/damaged"
damaged vmstat </dev/null
says 'an empty file' 6 'the file is empty' stat -R "$tmp/damaged"
sed 's/u[0-9][0-9]*/u9999/' "$data/b/heapmap" | damaged heapmap
says 'a heap map of too many pages' 6 'not one of 512 pages' map -R "$tmp/damaged"
rm -f "$tmp/damaged/stacks"
says 'a file that this module does not have' 6 'no file "stacks"' flame -R "$tmp/damaged"

# An identity that is false.
awk '$1 == "cached_bytes" { $2 += 48 } { print }' "$data/b/vmstat" | damaged vmstat
shown check-false 1 check -R "$tmp/damaged" --heap default
expect 'check --quiet says nothing' sh -c \
	"[ -z \"\$('$bin' check -q -R '$tmp/damaged' 2>&1)\" ]"

# A heap that is in use all the time: vmstat is another one each time it is read.
cp -r "$data/b" "$tmp/busy"
cp "$data/a/vmstat" "$tmp/busy.a"
cp "$data/b/vmstat" "$tmp/busy.b"
( for ((i = 0; i < 4000; i++)); do
	cp "$tmp/busy.a" "$tmp/busy.new" && mv "$tmp/busy.new" "$tmp/busy/vmstat"
	cp "$tmp/busy.b" "$tmp/busy.new" && mv "$tmp/busy.new" "$tmp/busy/vmstat"
done ) & busy=$!
rc=0
"$bin" check -R "$tmp/busy" --heap default >/dev/null 2>&1 || rc=$?
kill "$busy"
wait "$busy" 2>/dev/null
# Between two changes it may look quiet, and then the numbers are those of both.
expect "check of a heap in use ends with 0, 1 or 8, not $rc" \
	sh -c "case $rc in 0|1|8) ;; *) exit 1 ;; esac"

says 'no interval of 0' 2 'cannot be 0' stat -i 0
says 'a picture of no kind' 2 'ends in .svg or .png' map -R "$data/b" -o "$tmp/heap.jpg"
says 'a directory that is not there' 7 'cannot write' map -R "$data/b" -o "$tmp/no/heap.svg"
says 'no column of that name' 2 'no column "weight"' spans -R "$data/b" -s weight
says 'diff of one file' 2 'two files' diff "$tmp/a.json"
echo '{"format": "other"}' >"$tmp/other.json"
says 'diff of other JSON' 6 'not the output of goalloc stat' diff "$tmp/a.json" "$tmp/other.json"
sed 's/"version": "1.0"/"version": "3.0"/' "$tmp/a.json" >"$tmp/other.json"
says 'diff of a later version' 6 'has version 3.0' diff "$tmp/a.json" "$tmp/other.json"
says 'a trace that is none' 6 'no trace' replay --check "$data/b/vmstat"
says 'top without a terminal' 2 'no terminal: goalloc top --once' top -R "$data/b"
says 'no address' 2 '"xyz" is no address' which -R "$data/b" xyz

# which, with a core file of one piece of memory.
python3 - "$tmp/kcore" <<'END'
import struct, sys
phdr = struct.pack("<IIQQQQQQ", 1, 7, 0x1000, 0xffff888000001000, 0x1000, 1 << 30, 1 << 30, 4096)
text = struct.pack("<IIQQQQQQ", 1, 7, 0x1000, 0xffffffffc0000000, (1 << 64) - 1, 1 << 20, 1 << 20, 4096)
head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
open(sys.argv[1], "wb").write(head + phdr + text)
END
page=$(awk '$3 == 34 { print $1; exit }' "$data/b/spans")
address=$(printf '%x' "$((0xffff888000000000 + page * 8192 + 2568))")
shown which 0 which -R "$data/b" -k "$tmp/kcore" "$address"
shown which-not 1 which -R "$data/b" -k "$tmp/kcore" ffff888000001000
says 'which of a module' 1 'no address of the machine' which -R "$data/b" -k "$tmp/kcore" \
	ffffffffc0001000
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	cp -r "$data/b" "$tmp/closed"
	chmod 700 "$tmp/closed"
	rc=0
	text=$(cd / && setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$bin" stat -R "$tmp/closed" 2>&1) || rc=$?
	expect "no permission: status 5, not $rc, and advice" \
		sh -c "[ $rc = 5 ] && echo '$text' | grep -q 'run it as root'"
fi

expect 'completion offers what there is' "$here/completion" "$here/../bash-completion" "$bin" \
	"$data/b"
# Each command and each long option is in the manual.
for command in $("$bin" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	expect "the manual has $command" grep -qE "^\.SS $command( |\$)" "$here/../goalloc.8"
done
if command -v man >/dev/null; then
	expect 'the manual is well formed' sh -c \
		"[ -z \"\$(man -l --warnings '$here/../goalloc.8' 2>&1 >/dev/null)\" ]"
fi
