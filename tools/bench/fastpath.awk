# SPDX-License-Identifier: GPL-2.0-only
#
# awk -v functions='goalloc gofree' -f fastpath.awk SYMBOLS JUMPS LISTING - count
# what is on the straight path of each function: "function instructions loads
# stores locked calls", or "function error <what>".
#
# The input is what objdump says of .text: its symbols (-t), the relocations of
# the section __jump_table (-r), the instructions with their relocations (-d -r).
#
# The path begins at the entry. At a conditional jump it goes on behind it: the
# compiler lays out the likely way like that. It follows other jumps and calls as
# far as they stay in the section; of a call to elsewhere it only counts that
# there is one. A static key is as the code has it, but for the settings
# init_on_alloc and init_on_free, which are off. It ends where the function
# returns.

BEGIN {
	off["init_on_alloc"] = off["init_on_free"] = 1
}

FNR == 1 { file++ }

function hex(s)
{
	sub(/^0x/, "", s)
	sub(/^0+/, "", s)
	return s == "" ? "0" : s
}

# Of a relocation: what its code goes to, an address in .text or a name.
function place(s)
{
	if (s ~ /^\.text[+]0x/) {
		sub(/^\.text[+]/, "", s)
		return "@" hex(s)
	}
	sub(/[-+]0x[0-9a-f]+$/, "", s)
	return s
}

file == 1 {
	if ($0 ~ /[ \t]F \.text[ \t]/)
		symbol[$NF] = hex($1)
	next
}

# Threes: the place in the code, where it may jump, and the key, in whose lowest
# bit it says whether it jumps while the key is off.
file == 2 {
	if ($2 !~ /^R_X86_64_/)
		next
	if (++nr % 3 == 1)
		site = place($3)
	else if (nr % 3 == 2)
		target = place($3)
	else if (site ~ /^@/ && off[place($3)]) {
		sub(/^@/, "", site)
		jumps[site] = $3 ~ /[13579bdf]$/
		to[site] = target
	}
	next
}

$2 ~ /^R_X86_64_/ {
	if (last != "")
		reloc[last] = place($3)
	next
}

/^ *[0-9a-f]+:\t/ {
	text = $0
	sub(/^ *[0-9a-f]+:\t/, "", text)
	sub(/[ \t]*#.*/, "", text)
	sub(/[ \t]+$/, "", text)
	addr = $1
	sub(/:$/, "", addr)
	addr = hex(addr)
	if (last != "")
		behind[last] = addr
	code[addr] = text
	last = addr
}

# The operands of an instruction, into op[1..]; commas in brackets divide none.
function operands(s, op,   i, c, depth, n)
{
	n = 0
	op[1] = ""
	if (s == "")
		return 0
	n = 1
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		depth += (c == "(") - (c == ")")
		if (c == "," && !depth)
			op[++n] = ""
		else
			op[n] = op[n] c
	}
	return n
}

function is_memory(o)
{
	return o ~ /\(/ || o ~ /%[c-gs]s:/ || o ~ /^-?0x[0-9a-f]+$/
}

# One instruction that is no jump: what it reads, writes and locks.
function account(name, rest, prefix,   op, n, i, dst, src)
{
	n = operands(rest, op)
	if (name ~ /^(nop|lea|endbr|prefetch|clflush)/ || name ~ /^xchg/ && !is_memory(rest))
		return
	if (name ~ /^push/) {
		stores++
		loads += is_memory(op[1])
		return
	}
	if (name ~ /^pop[lqw]?$/) {
		loads++
		stores += is_memory(op[1])
		return
	}
	dst = n && is_memory(op[n])
	src = 0
	for (i = 1; i < n; i++)
		src += is_memory(op[i])
	loads += src
	if (dst) {
		if (name ~ /^(cmp|test|bt|div|idiv|mul|imul)[bwlq]?$/ || n == 1 && name ~ /^v?fld/) {
			loads++
		} else {
			stores++
			if (name !~ /^(mov|set|v?mov|stos)/)
				loads++
		}
	}
	if (prefix ~ /lock/ || name ~ /^xchg/ && (dst || src))
		locked++
}

function walk(name,   addr, text, m, prefix, rest, target, depth, stack, steps)
{
	instructions = loads = stores = locked = calls = 0
	if (!(name in symbol))
		return "there is no such function"
	addr = symbol[name]
	depth = 0
	for (steps = 0; steps < 2000; steps++) {
		if (!(addr in code))
			return "the path leaves what can be followed at " addr
		text = code[addr]
		instructions++
		prefix = ""
		while (match(text, /^(lock|rep[a-z]*|data16|notrack|bnd|[c-gs]s)[ \t]+/)) {
			prefix = prefix " " substr(text, 1, RLENGTH)
			text = substr(text, RLENGTH + 1)
		}
		m = text
		sub(/[ \t].*/, "", m)
		rest = substr(text, length(m) + 1)
		sub(/^[ \t]+/, "", rest)
		sub(/[ \t]*<.*/, "", rest)
		target = (addr in reloc) ? reloc[addr] : "@" hex(rest)
		if (target in symbol)
			target = "@" symbol[target]
		if (jumps[addr]) {
			target = to[addr]
			m = "jmp"
		}
		if (m ~ /^ret/ || m == "jmp" && target == "__x86_return_thunk") {
			loads++
			if (!depth)
				return ""
			addr = stack[depth--]
		} else if (m == "jmp") {
			if (target !~ /^@/ || rest ~ /^\*/)
				return "the path leaves the module for " target
			addr = substr(target, 2)
		} else if (m ~ /^j/ || target == "__fentry__") {
			addr = behind[addr]
		} else if (m ~ /^call/) {
			calls++
			stores++
			# What is called elsewhere returns; its return is not seen.
			if (target ~ /^@/ && rest !~ /^\*/) {
				stack[++depth] = behind[addr]
				addr = substr(target, 2)
			} else {
				addr = behind[addr]
			}
		} else if (m ~ /^(ud2|int3|hlt)/) {
			return "the path ends in " m
		} else {
			account(m, rest, prefix)
			addr = behind[addr]
		}
	}
	return "the path does not end"
}

END {
	n = split(functions, name, " ")
	for (i = 1; i <= n; i++) {
		error = walk(name[i])
		if (error != "")
			print name[i], "error", error
		else
			print name[i], instructions, loads, stores, locked, calls
	}
}
