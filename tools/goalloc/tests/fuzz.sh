# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of run
#
# Part of run: libFuzzer, for some seconds, from the recorded files.

corpus=$tmp/corpus
mkdir -p "$corpus"
# The first byte says which parser it is for.
seed()
{
	{ printf '%b' "$1"; cat "$2"; } >"$corpus/$3"
}
for name in classes spans heapmap nodes percpu; do
	head -n 40 "$data/b/$name" >"$tmp/seed"
	seed '\0' "$tmp/seed" "$name"
done
seed '\01' "$data/b/vmstat" vmstat
seed '\02' "$data/b/pageheap" pageheap
seed '\03' "$data/b/stacks" stacks
seed '\04' "$data/b/sites" sites
head -c 1500 "$tmp/b.json" >"$tmp/seed"
seed '\05' "$tmp/seed" json-broken
python3 - "$tmp/b.json" >"$tmp/seed" <<'END'
import json, sys
text = json.load(open(sys.argv[1]))
for heap in text["heaps"]:
    for name, rows in heap.items():
        if isinstance(rows, list):
            heap[name] = rows[:2]
text["heaps"] = text["heaps"][:2]
print(json.dumps(text))
END
seed '\05' "$tmp/seed" json
expect 'the fuzzer builds' make -C "$here/.." "$OUT/fuzz_parse" OUT="$OUT"
expect "${FUZZ_SECS:-8} s of damaged files" "$OUT/fuzz_parse" -max_total_time="${FUZZ_SECS:-8}" \
	-max_len=16384 -rss_limit_mb=1024 -artifact_prefix="$tmp/" -verbosity=1 "$corpus"
[ -s "$tmp/expect.log" ] && grep -aE '^Done|^stat::number' "$tmp/expect.log"
