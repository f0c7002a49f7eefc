"""Which lines of a PDF make a paragraph, which a heading, and which are running heads? Geometry alone, no vendor."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.length import is_wide, length
from ingest.lines import joint
from ingest.marks import ends_sentence, is_lead_in, opens_paragraph
from ingest.readers.pdf_lines import Line
from xuesi.core.ports import Floats

_HEADING_RATIO = 1.08  # a heading's type is at least this much larger than the body's
_SAME_SIZE = 0.95
_MARGIN = 0.09  # of the page's height: where running heads and page numbers stand
_PAGE_NUMBER = re.compile(
    r"[-–—·\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／共,，]+\s*\d{1,4}\s*页?)?[-–—·\s]*|(?:page|p\.)\s*\d+(?:\s*(?:of|/)\s*\d+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together. `level` is 1 or more for a heading, else 0."""

    lines: tuple[Line, ...]
    level: int = 0

    @property
    def table(self) -> tuple[int, int] | None:
        """Page and number of the table that it is a row of."""
        return (self.lines[0].page, self.lines[0].table) if self.lines[0].table else None

    def parts(self) -> list[tuple[int, str, Floats]]:
        """Its text and boxes by page: (page, text, boxes); what joins two lines belongs to the page of the first."""
        parts: list[tuple[int, str, Floats]] = []
        for line in self.lines:
            if not parts:
                parts.append((line.page, line.text, line.boxes))
                continue
            page, text, boxes = parts[-1]
            glue = joint(text, line.text)
            joined = text + glue, np.concatenate([boxes, np.full((len(glue), 4), np.nan, dtype=np.float32)])
            if page == line.page:
                parts[-1] = page, joined[0] + line.text, np.concatenate([joined[1], line.boxes])
            else:
                parts[-1] = page, *joined
                parts.append((line.page, line.text, line.boxes))
        return parts


def without_running(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Line]]:
    """The lines of each page without page numbers, and without lines in the margins that come again on half of the pages."""
    seen = Counter(
        key
        for lines, height in zip(pages, heights, strict=True)
        for key in {_key(line) for line in lines if _in_margin(line, height)}
    )
    often = max(3, len(pages) // 2)
    return [
        [
            line
            for line in lines
            if not _in_margin(line, height)
            or not (seen[_key(line)] >= often or (len(pages) > 1 and _PAGE_NUMBER.fullmatch(line.text)))
        ]
        for lines, height in zip(pages, heights, strict=True)
    ]


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _in_margin(line: Line, height: float) -> bool:
    return line.bottom < _MARGIN * height or line.top > (1 - _MARGIN) * height


def paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[Paragraph]:
    """The paragraphs and headings of a document; a paragraph may go on over the end of a page."""
    lines = [line for page in pages for line in page]
    levels = _heading_levels(lines)
    edges = [edge for page in pages for edge in _right_edges(page)]
    lefts = [float(np.median([line.left for line in page])) if page else 0.0 for page in pages]
    current: list[int] = []
    for i, line in enumerate(lines):
        if current and not _goes_on(
            lines[i - 1], line, levels[i - 1], levels[i], edge=edges[i - 1], left=lefts[line.page]
        ):
            yield Paragraph(tuple(lines[k] for k in current), levels[current[0]])
            current = []
        current.append(i)
    if current:
        yield Paragraph(tuple(lines[k] for k in current), levels[current[0]])


def _right_edges(lines: Sequence[Line]) -> list[float]:
    """How far to the right the column of each line reaches."""
    lefts = np.array([line.left for line in lines])
    rights = np.array([line.right for line in lines])
    edges = []
    for line in lines:
        column = np.abs(lefts - line.left) < 4 * line.size + 1
        if column.sum() < 3:  # centred, or alone: measured against all that it lies above or below of
            column = (lefts <= line.right) & (rights >= line.left)
        edges.append(float(rights[column].max()))
    return edges


def _goes_on(before: Line, line: Line, level_before: int, level: int, *, edge: float, left: float) -> bool:
    """Whether `line` belongs to the paragraph that `before` is the last line of."""
    same_size = min(before.size, line.size) >= _SAME_SIZE * max(before.size, line.size) - 0.01
    near = before.page == line.page and -0.5 * line.size < line.top - before.bottom < 1.2 * line.size
    if line.table or before.table:
        return False
    if level or level_before:
        return level == level_before and same_size and near and not opens_paragraph(line.text)
    if before.page == line.page and _are_centred(before, line):
        return False
    full = edge - before.right < _first_word_width(line) + 0.7 * line.size
    if not full or is_lead_in(before.text):
        return False
    indented = 1.2 * line.size < line.left - min(left, before.left) < 5 * line.size
    if ends_sentence(before.text):
        return not indented and not opens_paragraph(line.text) and (near or before.page != line.page)
    return not (indented and opens_paragraph(line.text))


def _are_centred(before: Line, line: Line) -> bool:
    """Whether the lines have one middle but begin in different places; with an indented first line the middles differ."""
    apart = abs(before.left + before.right - line.left - line.right) / 2
    return apart < 0.4 * line.size and abs(before.left - line.left) > 1.5 * line.size


def _first_word_width(line: Line) -> float:
    if is_wide(line.text[0]):
        return 2 * line.size  # an ideograph, and a punctuation mark that may not start a line
    word = line.text.split(" ", 1)[0]
    boxes = line.boxes[: len(word)]
    return float(np.nanmax(boxes[:, 2]) - np.nanmin(boxes[:, 0])) if not np.isnan(boxes).all() else line.size


def _heading_levels(lines: Sequence[Line]) -> list[int]:
    """The level of each line that is set in larger type than the body and reads like a heading, else 0."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    large = [
        not line.table
        and line.size >= _HEADING_RATIO * body
        and length(line.text) <= 60
        and not ends_sentence(line.text)
        and any(c.isalpha() for c in line.text)
        for line in lines
    ]
    classes: list[float] = []
    for size in sorted({line.size for line, is_large in zip(lines, large, strict=True) if is_large}, reverse=True):
        if not classes or size < _SAME_SIZE * classes[-1]:
            classes.append(size)
    return [
        min(6, 1 + max(i for i, top in enumerate(classes) if line.size <= top)) if is_large else 0
        for line, is_large in zip(lines, large, strict=True)
    ]
