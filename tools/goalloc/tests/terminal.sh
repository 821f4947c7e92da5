# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of run
#
# Part of run: top in a terminal of 80 columns and 24 lines, as somebody types.

tmux=(tmux -L "goalloc-test-$$" -f /dev/null)
screen=$tmp/screen

look()
{
	"${tmux[@]}" capture-pane -p >"$screen"
}

# wait_for PATTERN - look until the screen has it, for 10 seconds at most.
wait_for()
{
	local i

	for ((i = 0; i < 100; i++)); do
		look || break
		! grep -qE -- "$1" "$screen" || return 0
		sleep 0.1
	done
	cat "$screen" "$tmp/top.err" 2>/dev/null
	return 1
}

# typed KEY PATTERN - press a key, and then the screen has to show it.
typed()
{
	"${tmux[@]}" send-keys "$1"
	wait_for "$2"
}

if ! command -v tmux >/dev/null; then
	echo 'no tmux: top is not looked at'
	return
fi

ln -sfn "$data/a" "$tmp/moving"
"${tmux[@]}" new-session -d -x 80 -y 24 \
	"$bin top -R $tmp/moving -d 0.5 2>$tmp/top.err; echo ended with \$?; sleep 300"
expect 'top shows classes first' wait_for '>BYTES'
ln -sfn "$data/b" "$tmp/moving.new"
mv -T "$tmp/moving.new" "$tmp/moving"
expect 'a change shows' wait_for '^held 18M '
expect 'and its rate' wait_for 'allocs/s .*[^ ]'
expect 'no line is longer than the terminal, none is lost' sh -c \
	"[ \"\$(wc -l <'$screen')\" -eq 24 ] && [ \"\$(wc -L <'$screen')\" -le 80 ]"
expect 'ledger' typed 1 '^LEDGER'
expect 'the ledger adds up' wait_for 'the rows add up to what is held'
expect 'CPUs' typed 3 'ALLOWED'
expect 'page heap' typed 4 'SEARCH PAGE'
expect 'free runs' wait_for '^ +8-15 +[0-9]+'
expect 'call sites' typed 5 'record_do'
expect 'no collector' typed Tab 'the heap is no collected one'
expect 'Tab goes on' typed Tab 'LEDGER'
expect 'classes again' typed 2 '>BYTES'
expect 'sorted by the next column' typed '>' '>ALLOC/s'
expect 'and the one before' typed '<' '>BYTES'
expect 'the other way round' typed r '\^BYTES'
typed r '>BYTES' >/dev/null
expect 'rows below' typed NPage '^ 17 '
expect 'the titles stay' grep -q '>BYTES' "$screen"
typed Home '^ 34 ' >/dev/null
expect 'help' typed h 'the next heap'
expect 'any key ends it' typed x '>BYTES'
expect 'the next heap' typed n 'goalloc keys'
expect 'and the next' typed n 'goalloc packets'
expect 'and the first again' typed n 'goalloc default'
expect 'pause' typed p 'PAUSED'
expect 'all panes' typed a 'LEDGER'
"${tmux[@]}" resize-window -x 132 -y 50
expect 'a larger terminal' sh -c "sleep 1; true"
expect 'has more panes' wait_for '^ CLASS'
"${tmux[@]}" resize-window -x 40 -y 8
expect 'a very small one does no harm' sh -c "sleep 1; true"
look
expect 'and is not overrun' sh -c "[ \"\$(wc -L <'$screen')\" -le 40 ]"
"${tmux[@]}" resize-window -x 80 -y 24
expect 'q ends it' typed q 'ended with 0'

# The module goes away meanwhile: the terminal is given back, the reason is said.
cp -r "$data/b" "$tmp/leaving"
"${tmux[@]}" respawn-pane -k "$bin top -R $tmp/leaving -d 0.3; echo ended with \$?; sleep 30"
expect 'top again' wait_for '>BYTES'
rm -rf "$tmp/leaving"
expect 'ends with a word when the module goes' wait_for 'ended with 3'
expect 'which is readable' grep -q 'goalloc: .*leaving' "$screen"

# A serial console: no UTF-8, no colours.
"${tmux[@]}" respawn-pane -k \
	"LC_ALL=C TERM=vt100 $bin top -R $tmp/moving -d 0.3; echo ended with \$?; sleep 30"
expect 'vt100 without UTF-8' wait_for '>BYTES'
"${tmux[@]}" send-keys 1
expect 'bars of ASCII' wait_for '#####\.\.\.'
expect 'q ends it there, too' typed q 'ended with 0'
"${tmux[@]}" kill-server
