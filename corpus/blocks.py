"""What is a source text made of? Markdown in, a flat list of blocks out, the same for every format built from it."""

from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title of the document."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of prose without line ends."""

    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list, numbered from 1 where ordered."""

    texts: tuple[str, ...]
    ordered: bool

    def labelled(self, bullet: str) -> Iterator[str]:
        """Yield each item behind its number, or behind the bullet where the list has no numbers."""
        for number, text in enumerate(self.texts, start=1):
            yield f"{number}. {text}" if self.ordered else f"{bullet} {text}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the header."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Notes:
    """What the lecturer says to the slide above; written as a block quotation."""

    text: str


Block = Heading | Paragraph | Items | Table | Notes


def parse(markdown: str) -> list[Block]:
    """Cut a source text into blocks.

    Raises:
        ValueError: If the text holds markup that the sources do not use, so that nothing is dropped in silence.
    """
    root = SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(markdown))
    return [_block(node) for node in root.children]


def _block(node: SyntaxTreeNode) -> Block:
    if node.type == "heading":
        return Heading(int(node.tag[1]), _text(node))
    if node.type == "paragraph":
        return Paragraph(_text(node))
    if node.type in {"bullet_list", "ordered_list"}:
        return Items(tuple(_text(item) for item in node.children), ordered=node.type == "ordered_list")
    if node.type == "table":
        rows = (row for part in node.children for row in part.children)
        return Table(tuple(tuple(_text(cell) for cell in row.children) for row in rows))
    if node.type == "blockquote":
        return Notes(_text(node))
    raise ValueError(f"markup {node.type!r} is not used in the sources; line {node.map}")


def _text(node: SyntaxTreeNode) -> str:
    inlines = [child.content for child in node.walk() if child.type == "inline"]
    text = "".join(inlines)
    if len(inlines) > 1 or "\n" in text:
        raise ValueError(f"a block of the sources is one line of plain text, this is not: {text[:40]!r}")
    return text
