"""What does a Markdown file say? The text as it reads when it is shown: without markers, targets of links, or comments."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from lxml.etree import ParserError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.encodings import decode
from ingest.lines import join
from ingest.marks import ends_sentence, opens_paragraph
from ingest.readers.html_walk import Walk, drop, parsed
from ingest.readers.labels import BULLET, labelled
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import canonical

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(\w[\w -]*):(.*)$", re.MULTILINE)
_NOT_READ = ("script", "style", "template", "svg")


class MarkdownReader:
    """CommonMark with tables. Items of lists have their numbers or bullets in the text; front matter becomes properties."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; a text is never encrypted."""
        del password
        decoded = decode(path.read_bytes())
        source = canonical(decoded.text)
        front = _FRONT_MATTER.match(source)
        builder = TextBuilder()
        parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
        _Walk(builder).walk(parser.parse(source[front.end() :] if front else source))
        properties = (
            {name.lower(): value.strip().strip("\"'") for name, value in _FIELD.findall(front.group(1))}
            if front
            else {}
        )
        return builder.reading(properties=properties, warnings=decoded.warnings)


class _Walk:
    """Where in the document's lists and tables the walk along its tokens stands."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._lists: list[int | None] = []  # next number of each open list; None for bullets
        self._label: str | None = None  # of the item whose first paragraph comes next
        self._heading = 0
        self._row: list[str] | None = None
        self._tables = 0

    def walk(self, tokens: Sequence[Token]) -> None:
        """Follow the tokens that say something; wrappers without a method of their own are passed over."""
        for token in tokens:
            step: Callable[[Token], None] | None = getattr(self, f"_{token.type}", None)
            if step is not None:
                step(token)

    def _heading_open(self, token: Token) -> None:
        self._heading = int(token.tag[1:])

    def _heading_close(self, _: Token) -> None:
        self._heading = 0

    def _bullet_list_open(self, _: Token) -> None:
        self._lists.append(None)

    def _ordered_list_open(self, token: Token) -> None:
        self._lists.append(int(token.attrs.get("start", 1)))

    def _list_close(self, _: Token) -> None:
        self._lists.pop()

    _bullet_list_close = _ordered_list_close = _list_close

    def _list_item_open(self, token: Token) -> None:
        number = self._lists[-1]
        self._label = BULLET if number is None else f"{number}{token.markup} "
        if number is not None:
            self._lists[-1] = number + 1

    def _list_item_close(self, _: Token) -> None:
        self._label = None  # of an item that says nothing

    def _table_open(self, _: Token) -> None:
        self._tables += 1

    def _tr_open(self, _: Token) -> None:
        self._row = []

    def _tr_close(self, _: Token) -> None:
        if self._row is not None and any(self._row):
            self._builder.add(BlockKind.TABLE_ROW, " | ".join(self._row), table=self._tables)
        self._row = None

    def _fence(self, token: Token) -> None:
        self._add((token.content,))

    _code_block = _fence

    def _html_block(self, token: Token) -> None:
        """HTML that stands for itself, its tables and lists too. Often it is but one tag, which says nothing."""
        try:
            root = parsed(token.content)
        except ParserError:
            return
        drop(root, _NOT_READ)
        if self._label is not None:
            self._add((" ".join(root.text_content().split()),))
            return
        walk = Walk(self._builder, tables=self._tables)
        walk.walk(root)
        self._tables = walk.tables

    def _inline(self, token: Token) -> None:
        lines = list(_shown_lines(token.children or []))
        if self._row is not None:
            self._row.append(join(lines))
        elif self._heading:
            self._builder.add(BlockKind.HEADING, join(lines), level=self._heading)
        elif self._label is not None:
            self._add((join(lines),))
        else:
            self._add(_paragraphs(lines))

    def _add(self, paragraphs: Iterable[str]) -> None:
        """Paragraphs; the first of an item with the item's number or bullet."""
        for paragraph in paragraphs:
            if self._label is not None and paragraph.strip():
                self._builder.add(BlockKind.LIST_ITEM, labelled(self._label, paragraph), level=len(self._lists))
                self._label = None
            else:
                self._builder.add(BlockKind.PARAGRAPH, paragraph)


def _shown_lines(children: Sequence[Token]) -> Iterator[str]:
    line = ""
    for child in children:
        if child.type in ("softbreak", "hardbreak") or (
            child.type == "html_inline" and child.content.startswith("<br")
        ):
            yield line.strip()
            line = ""
        elif child.type in ("text", "code_inline", "image"):
            line += child.content
    yield line.strip()


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """A line that ends a Chinese sentence or starts a number is not joined with its neighbour: many write a paragraph a line."""
    current: list[str] = []
    for line in lines:
        if current and (opens_paragraph(line) or (ends_sentence(current[-1]) and not current[-1].isascii())):
            yield join(current)
            current = []
        current.append(line)
    yield join(current)
