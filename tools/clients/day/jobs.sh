# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The jobs of a day's work. Each runs in an empty directory, is the same every time,
# ends with a failure (the caller has set -e) if anything is not as it has to be, and says with did()
# how many operations it did. Source it.

# shellcheck disable=SC2103,SC2164 # set -e

# shellcheck disable=SC2034 # for whoever sources this
JOBS_ALL='git sqlite tar python stress fio'

# Files to work with, the same each time: part of what Python comes with.
library=/usr/lib/python3.11

did()
{
	echo "$1" >/run/day/ops
}

# A history of 12 commits over some hundred files, cloned, packed, checked.
job_git()
{
	local i files

	git init -q -b main a
	cd a
	git config user.name day
	git config user.email day@localhost
	cp -r "$library"/{asyncio,email,json,http,xml,logging,importlib} .
	git add .
	git commit -q -m 'the beginning'
	for i in {1..10}; do
		for file in email/*.py; do
			echo "# change $i" >>"$file"
		done
		git mv "json/tool.py" "json/tool-$i.py"
		git commit -q -a -m "change $i"
		git mv "json/tool-$i.py" "json/tool.py"
	done
	git commit -q -a -m 'the end'
	git checkout -q -b side HEAD~5
	git rm -q -r xml
	git commit -q -m 'without xml'
	git checkout -q main
	cd ..
	git clone -q --no-hardlinks a b
	[ "$(git -C b rev-list --count HEAD)" -eq 12 ]
	git -C a gc -q --prune=now
	git -C a fsck --full --strict
	git -C b fsck --full --strict
	diff -r --exclude=.git a b
	[ "$(git -C b rev-parse HEAD)" = "$(git -C a rev-parse main)" ]
	[ -z "$(git -C a status --porcelain)" ]
	files=$(git -C a ls-files | wc -l)
	did $((14 + files))
}

# A table of 20,000 rows in 40 transactions and 100 small ones, indexed, changed, checked.
job_sqlite()
{
	{
		echo 'PRAGMA synchronous=FULL;'
		echo 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, body BLOB);'
		for i in {0..39}; do
			echo "WITH RECURSIVE c(x) AS (VALUES($((i * 500))) UNION ALL SELECT x + 1 FROM c LIMIT 500)
			INSERT INTO t SELECT x, 'row ' || x, x * 7919 % 10007, zeroblob(x % 200) FROM c;"
		done
		echo 'CREATE INDEX by_n ON t (n, name);'
		for i in {1..100}; do
			echo "UPDATE t SET body = zeroblob(3000), n = -$i WHERE id = $((i * 150));"
		done
		echo 'DELETE FROM t WHERE id % 10 = 3;'
		echo 'VACUUM;'
	} >work.sql
	sqlite3 day.db <work.sql
	[ "$(sqlite3 day.db 'PRAGMA integrity_check')" = ok ]
	[ "$(sqlite3 day.db 'SELECT count(*), sum(id), min(n) FROM t')" = '18000|179994000|-100' ]
	[ "$(sqlite3 day.db 'SELECT count(*) FROM t INDEXED BY by_n WHERE n < 0')" -eq 100 ]
	sqlite3 day.db .dump | sqlite3 copy.db
	[ "$(sqlite3 copy.db .dump | sha256sum)" = "$(sqlite3 day.db .dump | sha256sum)" ]
	did $((40 + 100 + 20000))
}

# Pack a directory, unpack it twice, compare.
job_tar()
{
	local files

	tar -C "$library" --exclude=__pycache__ --exclude=lib-dynload -cf all.tar .
	mkdir a b
	tar -C a -xf all.tar
	tar -C a --compare -f all.tar
	tar -C a -czf again.tar.gz .
	tar -C b -xzf again.tar.gz
	diff -r a b
	sync -f a
	files=$(find a b -type f | wc -l)
	[ "$files" -gt 800 ]
	did "$files"
}

job_python()
{
	python3 /run/day/job.py "$PWD" "$library" >count
	cat count
	did "$(cat count)"
}

# Bounded numbers of operations of stress-ng, which checks what it does. It counts in its
# own way; that each stressor came to its end is what matters.
job_stress()
{
	local args=() name ops n=0

	while read -r name ops; do
		args+=("--$name" 1 "--$name-ops" "$ops")
		n=$((n + 1))
	done <<-'END'
	dir 2000
	dentry 2048
	rename 1500
	symlink 1
	link 2
	fallocate 8
	END
	stress-ng --temp-path "$PWD" --verify --metrics --timeout 100 --fallocate-bytes 8M \
		"${args[@]}" >stress.log 2>&1 || { cat stress.log; return 1; }
	cat stress.log
	awk -v n="$n" '
	{
		for (i = 1; i < NF; i++)
			if ($i == "metrc:" && $(i + 3) ~ /^[0-9]+$/) {
				stressors++
				sum += $(i + 3)
				if ($(i + 4) >= 99)
					late = 1
			}
	}
	END { print stressors == n && !late ? sum : "not all stressors came to their end" }' \
		stress.log >count
	did "$(cat count)"
}

# Random writes, through the cache and past it, each block read back and compared.
job_fio()
{
	cat >day.fio <<-'END'
	[global]
	size=24m
	directory=.
	verify=crc32c
	verify_fatal=1
	randseed=1
	[cached]
	rw=randwrite
	bsrange=1k-32k
	bs_unaligned=0
	end_fsync=1
	[direct]
	stonewall
	rw=randrw
	rwmixread=30
	bs=4k
	size=8m
	direct=1
	ioengine=libaio
	iodepth=8
	END
	fio --output-format=json --output=fio.json day.fio
	python3 - >count <<-'END'
	import json
	jobs = json.load(open('fio.json'))['jobs']
	assert len(jobs) == 2
	assert not any(j['error'] for j in jobs), jobs
	# Everything that was written was read for comparison.
	assert jobs[0]['read']['io_bytes'] >= 24 << 20, jobs[0]['read']
	print(sum(j[d]['total_ios'] for j in jobs for d in ('read', 'write')))
	END
	did "$(cat count)"
}
