# SPDX-License-Identifier: GPL-2.0-only
"""The day's work of Python: compile modules, write and read JSON, and thousands of small
files with attributes and links. Any difference ends it. Prints how many operations."""

import compileall
import hashlib
import json
import os
import shutil
import sys

FILES = 2000


def compile_all(work, library):
    """Compile a part of the library, and import something of it from there."""
    names = ["json", "email", "http", "logging", "unittest"]
    for name in names:
        shutil.copytree(os.path.join(library, name), os.path.join(work, name),
                        ignore=shutil.ignore_patterns("__pycache__"))
    for name in names:
        assert compileall.compile_dir(os.path.join(work, name), quiet=1)
    compiled = sum(file.endswith(".pyc") for name in names
                   for _, _, files in os.walk(os.path.join(work, name)) for file in files)
    assert compiled > 50, compiled
    return compiled


def write_json(work):
    """A document of some MiB, written, read, and equal."""
    rows = [{"id": i, "name": f"row {i}", "values": [i * k % 97 for k in range(12)]}
            for i in range(8000)]
    path = os.path.join(work, "rows.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == rows
    return len(rows)


def content(i):
    """The same for the same i, up to 5 KB."""
    return hashlib.sha256(str(i).encode()).digest() * (1 + i * 37 % 160)


def small_files(work):
    """Write, link, rename, read, remove."""
    base = os.path.join(work, "files")
    for i in range(FILES):
        directory = os.path.join(base, f"{i % 40:02}")
        if i < 40:
            os.makedirs(directory)
        path = os.path.join(directory, f"file-{i:05}")
        with open(path, "wb") as file:
            file.write(content(i))
        if i % 4 == 0:
            os.setxattr(path, "user.number", str(i).encode())
        if i % 5 == 0:
            os.symlink(path, path + ".soft")
        if i % 7 == 0:
            os.link(path, path + ".hard")
        if i % 3 == 0:
            os.rename(path, path + ".moved")
    done = 0
    for i in range(FILES):
        path = os.path.join(base, f"{i % 40:02}", f"file-{i:05}")
        if i % 7 == 0:
            assert os.stat(path + ".hard").st_nlink == 2
        if i % 5 == 0:
            assert os.path.exists(path + ".soft") == (i % 3 != 0)
        if i % 3 == 0:
            path += ".moved"
        with open(path, "rb") as file:
            assert file.read() == content(i), path
        if i % 4 == 0:
            assert os.getxattr(path, "user.number") == str(i).encode()
        done += 1
    left = sum(len(files) for _, _, files in os.walk(base))
    assert left == FILES + len(range(0, FILES, 5)) + len(range(0, FILES, 7)), left
    return done


def main():
    """job.py DIRECTORY LIBRARY"""
    work, library = sys.argv[1:]
    print(compile_all(work, library) + write_json(work) + small_files(work))


main()
