"""Which numbers at the margin of a PDF page count its lines? They are none of the text. Geometry alone, no vendor."""

import re
from collections.abc import Sequence

import numpy as np

from ingest.length import length
from ingest.readers.pdf_columns import pieces
from ingest.readers.pdf_lines import Line

_NUMBER = re.compile(r"\d{1,4}")
_MAYBE = re.compile(r"\s*\d{1,4}(?:\s|$)|.*\s\d{1,4}\s*$", re.DOTALL)
_LEAST, _LEAST_OF_ALL = 4, 8  # numbers on a page that count each fifth line or so, and each line
_STEPS = (5, 10)  # besides each line; other steps are those of page numbers and of tables
_APART = 0.6  # type sizes between number and text
_UNEVEN = 0.2  # by which the steps between the numbers may differ
_LONG = 10.0  # Chinese characters in most lines that are counted one by one; shorter ones may be rows of a table


def without_line_numbers(lines: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """The lines of a page without the numbers that count them, and these numbers."""
    maybe = [i for i, line in enumerate(lines) if not line.table and not line.turns and _MAYBE.match(line.text)]
    if len(maybe) < _LEAST:
        return list(lines), []
    cut = [pieces(line, _APART) if i in set(maybe) else [line] for i, line in enumerate(lines)]
    for side in (0, -1):
        numbers = [several[side] for several in cut if _NUMBER.fullmatch(several[side].text.strip())]
        rest = [p for several in cut for p in several if not any(p is number for number in numbers)]
        if _stand_outside(numbers, rest, left=side == 0) and _count(numbers, rest):
            gone = {id(number) for number in numbers}
            return _without(lines, cut, gone), [number.text.strip() for number in numbers]
    return list(lines), []


def _without(lines: Sequence[Line], cut: Sequence[Sequence[Line]], gone: set[int]) -> list[Line]:
    kept: list[Line] = []
    for line, several in zip(lines, cut, strict=True):
        left = [piece for piece in several if id(piece) not in gone]
        kept.extend([line] if len(left) == len(several) else left)
    return kept


def _stand_outside(numbers: Sequence[Line], rest: Sequence[Line], *, left: bool) -> bool:
    if len(numbers) < _LEAST or not rest:
        return False
    if left:
        return max(number.right for number in numbers) < min(line.left for line in rest)
    return min(number.left for number in numbers) > max(line.right for line in rest)


def _count(numbers: Sequence[Line], rest: Sequence[Line]) -> bool:
    """Whether the numbers go up by one step, at even distances; where they count each line, the lines must be running text."""
    ordered = sorted(numbers, key=lambda number: number.top)
    steps = np.diff([int(number.text) for number in ordered])
    ways = np.diff([number.top for number in ordered])
    even = bool((np.abs(ways - np.median(ways)) <= _UNEVEN * np.median(ways)).all())
    if not even or steps[0] < 1 or not (steps == steps[0]).all():
        return False
    long = sum(length(line.text) >= _LONG for line in rest)
    if steps[0] > 1:
        return steps[0] in _STEPS and len(rest) >= 3 * len(numbers)
    return len(numbers) >= _LEAST_OF_ALL and 3 * long >= 2 * len(rest)
