r"""How do the pieces that a reader finds become one text with exact offsets? Every reader appends to a TextBuilder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ingest.gate import text_reports
from ingest.spaces import stray_spaces
from ingest.structure import recognise
from xuesi.core.domain import Block, BlockKind, OutlineEntry, Page, PageReport, Span
from xuesi.core.errors import NoText, TooMuchToRead
from xuesi.core.ports import Floats, LeftOut, Reading
from xuesi.core.text import canonical, has_words

_MOST_CHARS = 50_000_000  # two hundred books; a small file can ask for any number by naming one long text many times
_MOST_WARNINGS, _LONGEST_WORDS = 200, 2_000


class TextBuilder:
    r"""Canonical text, its pages and blocks as they grow. Pieces are separated by `\n`; a page ends after the separator of its last piece."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._boxes: list[Floats | None] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[tuple[int, str, float | None, float | None]] = []
        self._left_out: list[LeftOut] = []

    def start_page(
        self, label: str = "", *, width: float | None = None, height: float | None = None, inside_block: bool = False
    ) -> None:
        """What is added from here on stands on a new page. Without any call the text is one page.

        With `inside_block` the last block goes on there: the next call is `extend`.
        """
        if not inside_block:
            self._separate()
        self._pages.append((self._length if self._pages else 0, label, width, height))

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        table: int = 0,
        header: bool = False,
        boxes: Floats | None = None,
    ) -> None:
        """Append a piece as a block; one without a visible character is passed over.

        Args:
            kind: What it is.
            text: As the file has it; made canonical and stripped here.
            level: As in `Block`.
            table: As in `Block`.
            header: As in `Block`.
            boxes: (len(text), 4) as in `Reading.boxes`; `text` must then be canonical and stripped already, but for a space at its end
                where `extend` follows.
        """
        piece, boxes = _without_stray_spaces(canonical(text).strip() if boxes is None else text, boxes)
        if not piece:
            return
        self._separate()
        start = self._length
        self._append(piece, boxes)
        self._blocks.append(Block(kind, Span(start, self._length), level=level, table=table, header=header))

    def extend(self, text: str, boxes: Floats | None = None) -> None:
        """Append canonical text to the last block, which must not end in white space then; `boxes` as in `add`."""
        self._append(*_without_stray_spaces(text, boxes))
        last = self._blocks[-1]
        self._blocks[-1] = replace(last, span=Span(last.span.start, self._length))

    def leave_out(self, furniture: Iterable[LeftOut]) -> None:
        """Say what was not added because it is none of the text."""
        self._left_out.extend(furniture)

    def reading(
        self,
        *,
        properties: Mapping[str, str] | None = None,
        outline: Sequence[OutlineEntry] = (),
        warnings: Sequence[str] = (),
        report: Sequence[PageReport] = (),
        with_boxes: bool = False,
        hint: str = "Add a file that holds text.",
    ) -> Reading:
        """All that was added, its structure recognised.

        Without `outline`, the headings are it; without a title, the first heading at its start is; without `report`, each page is judged by its text.

        Raises:
            NoText: If nothing was added that has a letter or digit; `hint` says what to do.
        """
        text = "".join(self._parts)
        if not has_words(text):
            raise NoText("The file opens, but holds no text.", hint=hint)
        pages = self._page_list()
        blocks = recognise(text, self._blocks)
        known = {name: canonical(value)[:_LONGEST_WORDS] for name, value in (properties or {}).items() if value}
        if not known.get("title") and blocks[0].kind is BlockKind.HEADING:
            known["title"] = " ".join(blocks[0].span.of(text).split())
        return Reading(
            text=text,
            pages=pages,
            blocks=blocks,
            boxes=self._all_boxes() if with_boxes else None,
            # A damaged PDF has more pages for who reads its bookmarks than for who reads its text.
            outline=tuple(it for it in outline if it.page <= len(pages)) or _headings(text, blocks, pages),
            properties=known,
            warnings=tuple(warning[:_LONGEST_WORDS] for warning in warnings[:_MOST_WARNINGS]),
            left_out=tuple(self._left_out),
            report=tuple(report) or text_reports(text, pages),
        )

    def _separate(self) -> None:
        if self._parts and self._parts[-1] != "\n":
            self._append("\n")

    def _append(self, piece: str, boxes: Floats | None = None) -> None:
        if boxes is not None and (len(boxes) != len(piece) or canonical(piece) != piece):
            raise ValueError("boxes belong to canonical text, one to each of its code points")
        self._parts.append(piece)
        self._boxes.append(boxes)
        self._length += len(piece)
        if self._length > _MOST_CHARS:
            raise TooMuchToRead(
                f"The file holds more than {_MOST_CHARS:,} characters of text.", hint="Split it.", limit="output"
            )

    def _all_boxes(self) -> Floats:
        pairs = zip(self._parts, self._boxes, strict=True)
        return np.concatenate(
            [np.full((len(part), 4), np.nan, np.float32) if boxes is None else boxes for part, boxes in pairs]
        )

    def _page_list(self) -> tuple[Page, ...]:
        pages = self._pages or [(0, "", None, None)]
        ends = [*(page[0] for page in pages[1:]), self._length]
        return tuple(
            Page(number, Span(start, end), label, width, height)
            for number, ((start, label, width, height), end) in enumerate(zip(pages, ends, strict=True), start=1)
        )


def _without_stray_spaces(text: str, boxes: Floats | None) -> tuple[str, Floats | None]:
    stray = stray_spaces(text)
    if not stray:
        return text, boxes
    gone = frozenset(stray)
    kept = "".join(char for i, char in enumerate(text) if i not in gone)
    return kept, None if boxes is None else np.delete(boxes, stray, axis=0)


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
