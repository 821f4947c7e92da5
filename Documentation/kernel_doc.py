# SPDX-License-Identifier: GPL-2.0-only
"""
The directive kernel-doc: what the kernel's script of that name makes of a
header's comments, as part of a page.

    .. kernel-doc:: goalloc/include/goalloc.h
       :functions: goalloc goalloc_node

It is written as in the kernel's own documentation. Without :functions: comes
all that the file has. The script is the one that $KERNEL_DOC names, or that
of Debian's package linux-kbuild-6.1.
"""

import os
import pathlib
import re
import subprocess

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = os.environ.get('KERNEL_DOC', '/usr/lib/linux-kbuild-6.1/scripts/kernel-doc')

# Attributes between type and name, which not every version of the script knows.
ATTRIBUTE = re.compile(r'\s*\b__(must_check|malloc|(?:al|real)loc_size\([0-9, ]+\))')
DOCUMENTED = re.compile(r'^ \* (go\w+) - ', re.MULTILINE)


def script_output(app, path, functions):
    """ReST for some functions of a header."""
    source = ATTRIBUTE.sub('', path.read_text())
    # The script wants a file.
    copy = pathlib.Path(app.doctreedir) / path.name
    copy.write_text(source)
    command = ['perl', SCRIPT, '-rst', '-sphinx-version', '5.3', '-Werror']
    for name in functions:
        command += ['-function', name]
    try:
        done = subprocess.run(command + [copy], capture_output=True, text=True)
    except OSError as err:
        raise ExtensionError(f'kernel-doc: {err}')
    if done.returncode or not done.stdout.strip():
        raise ExtensionError(f'{path}: {SCRIPT}: nothing for {functions}: {done.stderr}')
    return done.stdout, set(DOCUMENTED.findall(source))


def tidy(text, documented):
    """The script's lines, with what it leaves undone: all that is said of a
    function belongs to it, a paragraph that goes on is not indented, and names of
    functions are links."""
    section, nested = '', False
    for line in text.splitlines():
        if line.startswith('.. c:'):
            section, nested = '', False
            yield line
            continue
        # Newer versions of the script indent what follows the first sentence.
        if line == '.. container:: kernelindent':
            nested = True
            continue
        if nested:
            line = line.removeprefix('  ')
        if re.fullmatch(r'\*\*\w+\*\*:*', line):
            section = line
        if section in ('', '**Return**'):
            line = line.strip()
        if not line.startswith('``'):
            line = re.sub(r'\b(go\w+)\(\)', lambda m: f':c:func:`{m.group(1)}`'
                          if m.group(1) in documented else m.group(0), line)
        yield '   ' + line


class KernelDoc(SphinxDirective):
    required_arguments = 1
    option_spec = {'functions': directives.unchanged_required}

    def run(self):
        path = ROOT / self.arguments[0]
        self.env.note_dependency(str(path))
        functions = self.options.get('functions', '').split()
        text, documented = script_output(self.env.app, path, functions)
        lines = StringList(list(tidy(text, documented)), source=str(path))
        section = nodes.section()
        section.document = self.state.document
        nested_parse_with_titles(self.state, lines, section)
        return section.children


def setup(app):
    app.add_directive('kernel-doc', KernelDoc)
    return {'parallel_read_safe': False}
