r"""How do the pieces that a reader finds become one text with exact offsets? Every reader appends to a TextBuilder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ingest.structure import recognise
from xuesi.core.domain import Block, BlockKind, OutlineEntry, Page, Span
from xuesi.core.errors import NoText
from xuesi.core.ports import Floats, Reading
from xuesi.core.text import canonical, has_words


class TextBuilder:
    r"""Canonical text, its pages and blocks as they grow. Pieces are separated by `\n`; a page ends after the separator of its last piece."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._boxes: list[Floats] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[tuple[int, str, float | None, float | None]] = []

    def start_page(
        self, label: str = "", *, width: float | None = None, height: float | None = None, inside_block: bool = False
    ) -> None:
        """What is added from here on stands on a new page. Without any call the text is one page.

        With `inside_block` the last block goes on there: the next call is `extend`.
        """
        if not inside_block:
            self._separate()
        self._pages.append((self._length if self._pages else 0, label, width, height))

    def add(self, kind: BlockKind, text: str, *, level: int = 0, table: int = 0, boxes: Floats | None = None) -> None:
        """Append a piece as a block; one without a visible character is passed over.

        Args:
            kind: What it is.
            text: As the file has it; made canonical and stripped here.
            level: As in `Block`.
            table: As in `Block`.
            boxes: (len(text), 4) as in `Reading.boxes`; `text` must then be canonical and stripped already, but for a space at its end
                where `extend` follows.
        """
        piece = canonical(text).strip() if boxes is None else text
        if not piece:
            return
        self._separate()
        start = self._length
        self._append(piece, boxes)
        self._blocks.append(Block(kind, Span(start, self._length), level=level, table=table))

    def extend(self, text: str, boxes: Floats | None = None) -> None:
        """Append canonical text to the last block, which must not end in white space then; `boxes` as in `add`."""
        self._append(text, boxes)
        last = self._blocks[-1]
        self._blocks[-1] = replace(last, span=Span(last.span.start, self._length))

    def reading(
        self,
        *,
        properties: Mapping[str, str] | None = None,
        outline: Sequence[OutlineEntry] = (),
        warnings: Sequence[str] = (),
        with_boxes: bool = False,
        hint: str = "Add a file that holds text.",
    ) -> Reading:
        """All that was added, its structure recognised. Without `outline`, the headings are it; without a title, the first heading at its start is.

        Raises:
            NoText: If nothing was added that has a letter or digit; `hint` says what to do.
        """
        text = "".join(self._parts)
        if not has_words(text):
            raise NoText("The file opens, but holds no text.", hint=hint)
        pages = self._page_list()
        blocks = recognise(text, self._blocks)
        known = {name: value for name, value in (properties or {}).items() if value}
        if not known.get("title") and blocks[0].kind is BlockKind.HEADING:
            known["title"] = " ".join(blocks[0].span.of(text).split())
        return Reading(
            text=text,
            pages=pages,
            blocks=blocks,
            boxes=np.concatenate(self._boxes) if with_boxes else None,
            outline=tuple(outline) or _headings(text, blocks, pages),
            properties=known,
            warnings=tuple(warnings),
        )

    def _separate(self) -> None:
        if self._parts and self._parts[-1] != "\n":
            self._append("\n")

    def _append(self, piece: str, boxes: Floats | None = None) -> None:
        if boxes is None:
            boxes = np.full((len(piece), 4), np.nan, dtype=np.float32)
        elif len(boxes) != len(piece) or canonical(piece) != piece:
            raise ValueError("boxes belong to canonical text, one to each of its code points")
        self._parts.append(piece)
        self._boxes.append(boxes)
        self._length += len(piece)

    def _page_list(self) -> tuple[Page, ...]:
        pages = self._pages or [(0, "", None, None)]
        ends = [*(page[0] for page in pages[1:]), self._length]
        return tuple(
            Page(number, Span(start, end), label, width, height)
            for number, ((start, label, width, height), end) in enumerate(zip(pages, ends, strict=True), start=1)
        )


def _headings(text: str, blocks: Sequence[Block], pages: Sequence[Page]) -> tuple[OutlineEntry, ...]:
    starts = [page.span.start for page in pages]
    return tuple(
        OutlineEntry(
            " ".join(block.span.of(text).split()),
            int(np.searchsorted(starts, block.span.start, side="right")),
            block.level,
        )
        for block in blocks
        if block.kind is BlockKind.HEADING
    )
