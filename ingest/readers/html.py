"""What does a web page say? Its main text by trafilatura, without navigation and scripts; headings, lists and tables stay."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lxml.html
import trafilatura

from ingest.encodings import decode
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.errors import UnreadableDocument, XuesiError
from xuesi.core.ports import Reading

_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_NOT_READ = ("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg", "iframe", "button", "select", "head", "title")  # fmt: skip
_BLOCKS = {"p", "div", "section", "article", "main", "blockquote", "quote", "pre", "code", "dd", "dt", "figcaption", "caption", "address", "body", "center", "fieldset"}  # fmt: skip
_LEAST_SHARE = 0.25  # of the page's text; where trafilatura keeps less, it took the wrong part for the main text


class HtmlReader:
    """HTML as files and fetched pages; one page. The encoding is told by byte order mark, by the file itself, or by its bytes."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; a web page is never encrypted."""
        del password
        data = path.read_bytes()
        declared = _DECLARED.search(data[:4096])
        decoded = decode(data, declared=declared.group(1).decode("ascii") if declared else "")
        with _html_errors():
            whole = _parsed(decoded.text)
            found = trafilatura.bare_extraction(
                _parsed(decoded.text),
                favor_recall=True,
                include_comments=False,
                include_formatting=True,
                with_metadata=True,
            )
            builder = TextBuilder()
            _Walk(builder).walk(_main_part(whole, getattr(found, "body", None)))
        facts = {"title": "title", "author": "author", "created": "date", "subject": "description", "site": "sitename"}
        properties = {name: str(getattr(found, fact, None) or "") for name, fact in facts.items()}
        if not properties["title"]:
            properties["title"] = " ".join(whole.findtext(".//title", "").split())
        return builder.reading(properties=properties, warnings=decoded.warnings)


@contextlib.contextmanager
def _html_errors() -> Iterator[None]:
    """Both parsers take almost anything; what they refuse (no element at all, nesting without end) is no web page."""
    try:
        yield
    except XuesiError:
        raise
    except Exception as error:
        raise UnreadableDocument(
            "The file cannot be read as a web page.", hint="Open it in a browser, save it anew, and add that."
        ) from error


def _parsed(text: str) -> Any:
    return lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8"))


def _main_part(whole: Any, main: Any) -> Any:
    """What trafilatura took for the main text, or all but the furniture of the page where that is too little."""
    for element in list(whole.iter(*_NOT_READ)):
        if element.getparent() is not None:
            element.drop_tree()
    if main is not None and _text_length(main) >= _LEAST_SHARE * _text_length(whole):
        return main
    return whole


def _text_length(element: Any) -> int:
    return sum(len(piece.strip()) for piece in element.itertext())


class _Walk:
    """Follows a tree in HTML's or trafilatura's vocabulary (head, list, item, row, cell, lb), collecting inline text until a block ends."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._line = ""
        self._kind, self._level = BlockKind.PARAGRAPH, 0
        self._depth = 0
        self._tables = 0

    def walk(self, element: Any) -> None:
        """Append the element's blocks."""
        self._element(element)
        self._flush()

    def _element(self, element: Any) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        heading = re.fullmatch(r"h([1-6])", element.get("rend", "") if tag == "head" else tag)
        if tag in ("br", "lb"):
            self._line = self._line.rstrip() + "\n"
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

    def _say(self, text: str | None) -> None:
        shown = re.sub(r"\s+", " ", text or "")
        self._line += shown.lstrip() if not self._line or self._line[-1].isspace() else shown

    def _flush(self) -> None:
        """End the block; what follows in the same element is a paragraph."""
        for line in self._line.split("\n") if self._kind is BlockKind.PARAGRAPH else [self._line]:
            self._builder.add(self._kind, line, level=self._level)
        self._line = ""
        if self._line == "":
            self._kind, self._level = BlockKind.PARAGRAPH, 0

    def _table(self, table: Any) -> None:
        rows = list(table.iter("tr", "row"))
        widths = [len(list(row.iterchildren("td", "th", "cell"))) for row in rows]
        if max(widths, default=0) < 2 or any(len(list(row.iter("table"))) for row in rows):  # a frame around text
            for cell in table.iter("td", "th", "cell"):
                if not any(True for _ in cell.iterancestors("td", "th", "cell")):
                    self._inside(cell, flush=True)
            return
        self._tables += 1
        for row in rows:
            cells = [" ".join("".join(cell.itertext()).split()) for cell in row.iterchildren("td", "th", "cell")]
            if any(cells):
                self._builder.add(BlockKind.TABLE_ROW, " | ".join(cells), table=self._tables)
