# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of run
#
# Part of run: JSON, Prometheus, profiles, pictures and traces, read by others.

# JSON: by a schema, and back through diff, which must find nothing.
expect 'JSON is as its schema says' python3 - "$here/schema.json" "$tmp/b.json" <<'END'
import json, sys
import jsonschema
schema, text = (json.load(open(name)) for name in sys.argv[1:3])
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(text, schema)
broken = dict(text, heaps=[{"name": "x"}])
try:
    jsonschema.validate(broken, schema)
except jsonschema.ValidationError:
    sys.exit(0)
sys.exit("the schema takes a heap without vmstat")
END
expect 'JSON has the numbers of the files' python3 - "$data/b" "$tmp/b.json" <<'END'
import json, sys
heap = json.load(open(sys.argv[2]))["heaps"][0]
for line in open(sys.argv[1] + "/vmstat").readlines()[1:]:
    name, value = line.split()
    assert heap["vmstat"][name] == int(value), name
rows = [line.split() for line in open(sys.argv[1] + "/classes")]
cols = [row for row in rows if row[0].startswith("#")][-1]
cols = (cols[1:] if cols[0] == "#" else [cols[0][1:]] + cols[1:])
rows = [row for row in rows[1:] if not row[0].startswith("#")]
assert len(rows) == len(heap["classes"])
for row, got in zip(rows, heap["classes"]):
    assert [str(got[col]) for col in cols] == row, row
END
expect 'JSON comes back whole' cmp "$golden/stat-json" <("$OUT/json_round" "$tmp/stat-json.out")

# Prometheus.
expect 'prom is well formed' awk -f "$here/prom-lint.awk" "$tmp/all.prom"
sed '0,/^# TYPE/s/^# TYPE .*//' "$tmp/all.prom" >"$tmp/prom.bad"
expect 'the lint finds a metric without a type' \
	sh -c "! awk -f '$here/prom-lint.awk' '$tmp/prom.bad'"
sed 's/goalloc_allocs_total/goalloc_allocs/' "$tmp/all.prom" >"$tmp/prom.bad"
expect 'the lint finds a counter that is not called one' \
	sh -c "! awk -f '$here/prom-lint.awk' '$tmp/prom.bad'"
expect 'prom has every number of vmstat' python3 - "$data/b/vmstat" "$tmp/all.prom" <<'END'
import sys
text = open(sys.argv[2]).read()
for line in open(sys.argv[1]).readlines()[1:]:
    name, value = line.split()
    row = 'goalloc_ledger_bytes{heap="default",row="%s"}' % name[:-6]
    kind = 'goalloc_bad_frees_total{heap="default",kind="%s"}' % name[10:]
    assert any(start + " " + value + "\n" in text for start in
               ('goalloc_%s{heap="default"}' % name, 'goalloc_%s_total{heap="default"}' % name,
                row, kind)), name
END
echo old >"$tmp/node.prom"
"$bin" prom -R "$data/b" --textfile "$tmp/node.prom"
expect 'prom --textfile writes the same' cmp "$tmp/node.prom" "$tmp/all.prom"
expect 'prom --textfile leaves nothing else' \
	sh -c "[ \"\$(ls '$tmp' | grep -c '^node.prom')\" = 1 ]"

# The profile: decoded by protobuf-c, compared with the file it was made from.
"$bin" pprof -R "$data/b" -o "$tmp/heap.pb.gz"
"$OUT/pprof_decode" "$tmp/heap.pb.gz" >"$tmp/pprof.txt" 2>&1
if [ -n "$update" ]; then
	cp "$tmp/pprof.txt" "$golden/pprof"
fi
expect 'pprof says what it said before' diff "$golden/pprof" "$tmp/pprof.txt"
expect 'pprof has every stack and every frame' python3 "$here/pprof-compare" \
	"$data/b/stacks" "$tmp/pprof.txt"
"$bin" pprof -R "$data/b" >"$tmp/heap2.pb.gz"
expect 'the same profile is the same file' cmp "$tmp/heap.pb.gz" "$tmp/heap2.pb.gz"
if command -v go >/dev/null; then
	expect 'go tool pprof opens it' sh -c \
		"go tool pprof -top -sample_index=inuse_space '$tmp/heap.pb.gz' | grep -q flat"
fi

# Pictures.
"$bin" map -R "$data/b" -o "$tmp/heap.svg"
"$bin" map -R "$data/b" -o "$tmp/heap.png"
"$bin" flame -R "$data/b" -o "$tmp/flame.svg"
"$bin" flame -R "$data/b" -o "$tmp/flame.png"
for svg in heap flame; do
	expect "$svg.svg is XML" python3 -c \
		'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$tmp/$svg.svg"
	expect "$svg.png is PNG" sh -c "head -c 8 '$tmp/$svg.png' | od -An -c | grep -q 'P   N   G'"
done
expect 'every page of the heap is in the picture' python3 "$here/map-compare" \
	"$data/b/heapmap" "$tmp/heap.svg"

# Traces.
expect 'events become a trace that the replay takes' "$OUT/trace_test" "$tmp/test.goaltrc"
expect 'replay --check reads it' "$bin" replay --check "$tmp/test.goaltrc"
expect 'replay --check unpacks traces' sh -c "'$bin' replay --check \
	'$GOALLOC_ROOT/tools/replay/traces/mixed.goaltrc.zst' |
	grep -q '^trace mixed: 649241 records of 4 CPUs'"
