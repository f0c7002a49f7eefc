"""Which lines of a PDF make a paragraph, and which a heading? Geometry alone, no vendor."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ingest.length import is_wide, length
from ingest.lines import breaks_word, is_hyphenated, joint, words_of
from ingest.marks import ends_sentence, is_lead_in, opens_paragraph
from ingest.readers.pdf_lines import Line
from xuesi.core.ports import Floats

_HEADING_RATIO = 1.08  # a heading's type is at least this much larger than the body's
_SAME_SIZE = 0.95
_LEADER = re.compile(r"(?:…{2,}|[.·．]{3,}|(?:[.·．] ){3,}|\s{3,})\s*\d+$")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together. `level` is 1 or more for a heading, else 0; `first` is the number of its first line among all, from 0."""

    lines: tuple[Line, ...]
    level: int = 0
    first: int = 0

    @property
    def table(self) -> tuple[int, int] | None:
        """Page and number of the table that it is a row of."""
        return (self.lines[0].page, self.lines[0].table) if self.lines[0].table else None

    def parts(self) -> list[tuple[int, str, Floats]]:
        """Its text and boxes by page: (page, text, boxes); what joins two lines belongs to the page of the first."""
        parts: list[tuple[int, str, Floats]] = []
        tied = False
        for line in self.lines:
            tied, was_tied = line.tied, tied
            if not parts:
                parts.append((line.page, line.text, line.boxes))
                continue
            page, text, boxes = parts[-1]
            glue = "" if was_tied else joint(text, line.text)
            joined = text + glue, np.concatenate([boxes, np.full((len(glue), 4), np.nan, dtype=np.float32)])
            if page == line.page:
                parts[-1] = page, joined[0] + line.text, np.concatenate([joined[1], line.boxes])
            else:
                parts[-1] = page, *joined
                parts.append((line.page, line.text, line.boxes))
        return parts


def paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[Paragraph]:
    """The paragraphs and headings of a document; a paragraph may go on over the end of a page."""
    lines = [line for page in pages for line in page]
    levels = _heading_levels(lines)
    edges = [edge for page in pages for edge in _right_edges(page)]
    lefts = [float(np.median([line.left for line in page])) if page else 0.0 for page in pages]
    written = words_of(line.text for line in lines)
    current: list[int] = []
    for i, line in enumerate(lines):
        if current and not _goes_on(
            lines[i - 1],
            line,
            levels[i - 1],
            levels[i],
            edge=edges[i - 1],
            left=lefts[line.page],
            first=len(current) == 1,
        ):
            yield Paragraph(_tied([lines[k] for k in current], written), levels[current[0]], current[0])
            current = []
        current.append(i)
    if current:
        yield Paragraph(_tied([lines[k] for k in current], written), levels[current[0]], current[0])


def _tied(lines: Sequence[Line], written: Collection[str]) -> tuple[Line, ...]:
    """The lines without the hyphens that are there only because a line was full."""
    broken = [breaks_word(a.text, b.text, written) for a, b in pairwise(lines)]
    return tuple(
        replace(line, text=line.text[:-1], boxes=line.boxes[:-1], tied=True) if is_broken else line
        for line, is_broken in zip(lines, [*broken, False], strict=True)
    )


def _right_edges(lines: Sequence[Line]) -> list[float]:
    """How far to the right the column of each line reaches."""
    lefts = np.array([line.left for line in lines])
    rights = np.array([line.right for line in lines])
    parts = np.array(_parts(lines))
    edges = []
    for line, part in zip(lines, parts.tolist(), strict=True):
        column = (np.abs(lefts - line.left) < 4 * line.size + 1) & (parts == part)
        if column.sum() < 3:  # centred, or alone: measured against all that it lies above or below of
            column = (lefts <= line.right) & (rights >= line.left) & (parts == part)
        edges.append(float(rights[column].max()))
    return edges


def _parts(lines: Sequence[Line]) -> list[int]:
    """For each line the number of the box in which it stands, or minus that of the box beside which it does, else 0: each is as wide as its part."""
    parts = [line.frame for line in lines]
    for number in set(parts) - {0}:
        own = [line for line in lines if line.frame == number]
        top, bottom = min(line.top for line in own), max(line.bottom for line in own)
        for i, line in enumerate(lines):
            if not line.frame and top < (line.top + line.bottom) / 2 < bottom:
                parts[i] = -number
    return parts


def _goes_on(before: Line, line: Line, level_before: int, level: int, *, edge: float, left: float, first: bool) -> bool:
    """Whether `line` belongs to the paragraph that `before` is the last line of, and with `first` the only one so far."""
    if line.goes_on:
        return True
    same_size = min(before.size, line.size) >= _SAME_SIZE * max(before.size, line.size) - 0.01
    near = before.page == line.page and -0.5 * line.size < line.top - before.bottom < 1.2 * line.size
    if line.table or before.table or line.turns != before.turns or line.frame != before.frame:
        return False
    if level or level_before:
        return level == level_before and same_size and near and not opens_paragraph(line.text)
    if before.page == line.page and _are_centred(before, line):
        return False
    if _LEADER.search(before.text):  # an entry of a table of contents
        return False
    if is_hyphenated(before.text, line.text) and same_size:
        return True
    full = edge - before.right < _first_word_width(line) + 0.7 * line.size
    level_with = near and same_size and abs(line.left - before.left) < 0.5 * line.size
    cut_short = level_with and not first and before.text.endswith(("，", "、"))
    if not (full or cut_short) or is_lead_in(before.text):
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
    for line in [line for line in lines if not line.table] or lines:
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
