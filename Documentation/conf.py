# SPDX-License-Identifier: GPL-2.0-only
#
# How Sphinx makes the manual of the pages here; tools/doc runs it. Nothing is
# fetched, and all that is read is in this tree.

import pathlib
import re
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
root = here.parent
sys.path.insert(0, str(here))


def source_version():
    """The module's own version if it has one, else the commit, as goalloc(8) says it."""
    found = re.search(r'MODULE_VERSION\("([^"]+)"\)', (root / 'goalloc/main.c').read_text())
    if found:
        return found.group(1)
    try:
        return subprocess.run(['git', '-C', root, 'describe', '--always', '--dirty'],
                              check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


project = 'goalloc'
author = 'the goalloc authors'
project_copyright = 'the goalloc authors; GPL-2.0-only'
version = release = source_version()

extensions = ['kernel_doc', 'man_pages']
root_doc = 'index'
highlight_language = 'none'
smartquotes = False

# goalloc-7 is made of parts of the others, for the man page alone.
exclude_patterns = [] if tags.has('man') else ['goalloc-7.rst']  # noqa: F821

# Marks that parameters carry.
c_id_attributes = ['__user']

# What prototypes name and the kernel documents, and what is opaque to callers.
nitpick_ignore = [('c:identifier', name) for name in (
    'bool', 'gfp_t', 'goalloc_visitor', 'kmem_cache', 'list_lru', 'rcu_callback_t',
    'rcu_head', 'size_t', 'slab_flags_t', 'u64', 'va_list')]

html_theme = 'sphinx_rtd_theme'
html_theme_options = {'navigation_depth': 3, 'prev_next_buttons_location': 'both'}
html_title = 'goalloc ' + release
html_static_path = ['manual.css']
html_css_files = ['manual.css']
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False

man_pages = [('goalloc-7', 'goalloc', "the Go runtime's memory allocator for kernel code",
              '', 7)]
