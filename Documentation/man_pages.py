# SPDX-License-Identifier: GPL-2.0-only
"""
What has to be different in man pages.

Tables become lists of terms: troff's tables break where pages would end, and are
hard to read on a narrow terminal. The first column is the term, the second says what
it is; of a third, its heading and what it says follow in parentheses. Tables of more
columns stay. Links to other pages say where these are.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


def term_and_text(row, heads):
    cells = [list(entry.children) for entry in row]
    item = nodes.definition_list_item()
    term = nodes.term()
    for paragraph in cells[0]:
        term += paragraph.children
    # A term that needs two lines in its cell is one here.
    definition = nodes.definition()
    definition += cells[1]
    for head, cell in zip(heads[2:], cells[2:]):
        text = ' '.join(part.astext() for part in cell)
        if text:
            definition[-1] += nodes.Text(f' ({head} {text})')
    item += [term, definition]
    return item


class ManPages(SphinxPostTransform):
    default_priority = 400
    builders = ('man',)

    def run(self, **kwargs):
        for table in list(self.document.findall(nodes.table)):
            group = table.next_node(nodes.tgroup)
            head = group.next_node(nodes.thead)
            if head is None or group['cols'] > 3:
                continue
            heads = [entry.astext() for entry in head[0]]
            terms = nodes.definition_list()
            terms += [term_and_text(row, heads) for row in group.next_node(nodes.tbody)]
            table.replace_self(terms)
        # What stands behind a term would begin its text.
        for mark in list(self.document.findall(nodes.classifier)):
            term = mark.parent[mark.parent.index(mark) - 1]
            mark.parent.remove(mark)
            term += nodes.Text(f' ({mark.astext()})')
        for link in list(self.document.findall(nodes.reference)):
            if link.get('internal'):
                link.replace_self(nodes.Text(f'"{link.astext()}" in the manual'))


def setup(app):
    app.add_post_transform(ManPages)
    return {'parallel_read_safe': True}
