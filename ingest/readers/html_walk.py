"""How does a tree of HTML become blocks? Headings, lists, tables and paragraphs in their order; for web pages, e-books and HTML inside Markdown."""

import re
from typing import Any

import lxml.html
from lxml import etree

from ingest.readers.html_parts import is_of_site, is_over_others, write_out
from ingest.readers.html_tables import is_header
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Furniture, LeftOut

_BLOCKS = {"p", "div", "section", "article", "main", "blockquote", "quote", "pre", "code", "dd", "dt", "figcaption", "caption", "address", "body", "center", "fieldset"}  # fmt: skip


def parsed(text: str) -> Any:
    """The tree of a text, lists and cells written out; Chinese comes out right whatever encoding the text names.

    Raises ParserError if there is no element in it.
    """
    root = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8"))
    write_out(root)
    return root


def drop(root: Any, tags: tuple[str, ...]) -> None:
    """Take the elements with these tags out of the tree, but not what follows them."""
    etree.strip_elements(root, *tags, with_tail=False)  # its own drop_tree joins the texts around each anew


class Walk:
    """Follows a tree in HTML's or trafilatura's vocabulary (head, list, item, row, cell, lb), collecting inline text until a block ends."""

    def __init__(self, builder: TextBuilder, *, tables: int = 0, of_site: bool = False) -> None:
        """What is found is appended to `builder`, which has so many tables already; with `of_site` what belongs to a web site is left out."""
        self._builder = builder
        self._of_site = of_site
        self._among_others = False
        self._line: list[str] = []
        self._kind, self._level = BlockKind.PARAGRAPH, 0
        self._depth = 0
        self.tables = tables

    def walk(self, element: Any) -> None:
        """Append the element's blocks."""
        self._element(element)
        self._flush()

    def _element(self, element: Any) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        heading = re.fullmatch(r"h([1-6])", element.get("rend", "") if tag == "head" else tag)
        if tag in ("br", "lb"):
            self._break()
        elif tag == "table":
            self._flush()
            self._table(element)
        elif heading:
            self._block(element, BlockKind.HEADING, int(heading.group(1)))
        elif tag in ("ul", "ol", "list"):
            self._depth += 1
            self._inside(element, flush=True)
            self._depth -= 1
        elif tag in ("li", "item"):
            self._block(element, BlockKind.LIST_ITEM, max(1, self._depth))
        elif tag:
            self._inside(element, flush=tag in _BLOCKS)

    def _inside(self, element: Any, *, flush: bool) -> None:
        if flush:
            self._flush()
        self._say(element.text)
        for child in element:
            self._element(child)
            self._say(child.tail)
        if flush:
            self._flush()

    def _block(self, element: Any, kind: BlockKind, level: int) -> None:
        self._flush()
        self._kind, self._level = kind, level
        self._inside(element, flush=False)
        self._flush()
        self._kind, self._level = BlockKind.PARAGRAPH, 0

    def _say(self, text: str | None) -> None:
        shown = re.sub(r"\s+", " ", text or "")
        if not self._line or self._line[-1][-1].isspace():
            shown = shown.lstrip()
        if shown:
            self._line.append(shown)

    def _break(self) -> None:
        while self._line and not self._line[-1].strip():
            self._line.pop()
        if self._line:
            self._line[-1] = self._line[-1].rstrip()
        self._line.append("\n")

    def _flush(self) -> None:
        """End the block; what follows in the same element is a paragraph."""
        whole = "".join(self._line)
        self._line.clear()
        if not whole.strip():
            return
        for line in whole.split("\n") if self._kind is BlockKind.PARAGRAPH else [whole]:
            if self._of_site and line.strip() and self._is_of_site(line):
                self._builder.leave_out([LeftOut(Furniture.BOILERPLATE, " ".join(line.split()), (1,))])
            else:
                self._builder.add(self._kind, line, level=self._level)
        self._kind, self._level = BlockKind.PARAGRAPH, 0

    def _is_of_site(self, line: str) -> bool:
        """Whether it says so itself, or is in the list under a line that stands over other pages."""
        listed = self._among_others and self._kind is BlockKind.LIST_ITEM
        self._among_others = listed or is_over_others(line)
        return self._among_others or (self._kind is not BlockKind.HEADING and is_of_site(line))

    def _table(self, table: Any) -> None:
        rows = list(table.iter("tr", "row"))
        widths = [len(list(row.iterchildren("td", "th", "cell"))) for row in rows]
        if max(widths, default=0) < 2 or any(len(list(row.iter("table"))) for row in rows):  # a frame around text
            for cell in table.iter("td", "th", "cell"):
                if not any(True for _ in cell.iterancestors("td", "th", "cell")):
                    self._inside(cell, flush=True)
            return
        self.tables += 1
        for row in rows:
            cells = [" ".join("".join(cell.itertext()).split()) for cell in row.iterchildren("td", "th", "cell")]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                text = " | ".join(cells)
                self._builder.add(BlockKind.TABLE_ROW, text, table=self.tables, header=is_header(row))
