"""Which characters of a PDF page follow each other on one line, and which way does the line run? Geometry alone, no vendor.

PDFium breaks lines where it thinks that they end. It joins words over a hyphen, though, and lines that are drawn turned; and it knows nothing of
columns of vertical print. Here a line goes on only as long as its characters stand beside each other, or above each other.
"""

import bisect
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.readers.pdf_chars import PageChars
from xuesi.core.ports import Floats

_ACROSS, _ALONG, _APART = (
    0,
    1,
    2,
)  # how a character stands to the one before it: beside it, above or below it, or neither
_RIGHT_TO_LEFT = (0x05, 0x06, 0x07, 0x08, 0xFB, 0xFC, 0xFD, 0xFE)  # blocks of Hebrew, Arabic and their forms
_LEAST_COLUMN = 3  # characters above each other; two may be chance


@dataclass(frozen=True, slots=True)
class Runs:
    """Where each line starts and ends, the line ends between them left out; and by the start of those that run down or up their quarter turns."""

    ranges: list[tuple[int, int]]
    turns: dict[int, int]


def runs(chars: PageChars) -> Runs:
    """The lines of a page as its characters make them; `turns` are against the clock, see `Line`."""
    points = np.frombuffer(chars.text.encode("utf-32-le"), dtype="<u4")
    ends = points == 0x0A
    begins = np.zeros(len(points), dtype=np.bool_)
    turns: dict[int, int] = {}
    upside_down = False
    shown = np.flatnonzero(~np.isnan(chars.boxes[:, 0]))
    if len(shown) > 1:
        boxes = chars.boxes[shown]
        stand = _stand(boxes[:-1], boxes[1:])
        ended = np.cumsum(ends)[shown]
        stand[ended[1:] > ended[:-1]] = _APART
        columns = _columns(stand)
        begin = (stand == _APART) | ((stand == _ALONG) & ~columns)
        begin |= np.diff(columns, prepend=False) & ~begin & ~np.concatenate([[True], begin[:-1]])
        across = (stand == _ACROSS) & ~begin
        upside_down = _go_left(boxes, across) and not np.isin(points >> 8, _RIGHT_TO_LEFT).any()
        if upside_down:  # PDFium goes through the pieces of a line from left to right all the same
            begin |= across & (boxes[1:, 0] > boxes[:-1, 2] + boxes[1:, 3] - boxes[1:, 1])
        begins[shown[1:]] = begin
        turns = _turns(boxes, shown, begin, columns)
    begins |= ends
    begins[:1] = True
    starts = np.flatnonzero(begins).tolist()
    if upside_down:
        turns = dict.fromkeys(starts, 2) | turns
    pairs = zip(starts, [*starts[1:], len(points)], strict=True)
    ranges = [
        (start + (chars.text[start] == "\n"), end) for start, end in pairs if end > start + (chars.text[start] == "\n")
    ]
    return Runs(ranges, {ranges[i][0]: turn for i, turn in _by_range(ranges, turns)})


def _by_range(ranges: list[tuple[int, int]], turns: dict[int, int]) -> list[tuple[int, int]]:
    firsts = [start for start, _ in ranges]
    return [(bisect.bisect_right(firsts, at) - 1, turn) for at, turn in turns.items()]


def _turns(
    boxes: Floats, shown: NDArray[np.int64], begin: NDArray[np.bool_], columns: NDArray[np.bool_]
) -> dict[int, int]:
    """By the place of a character in each column which way the column runs: 1 for down, 3 for up."""
    inside = np.flatnonzero(columns & ~begin)
    down = boxes[inside + 1, 1] > boxes[inside, 1]
    return {int(shown[i]): 1 if is_down else 3 for i, is_down in zip(inside, down.tolist(), strict=True)}


def _go_left(boxes: Floats, across: NDArray[np.bool_]) -> bool:
    """Whether most characters stand to the left of the one before them: the page is upside down."""
    inside = np.flatnonzero(across)
    left = np.count_nonzero(boxes[inside + 1, 0] < boxes[inside, 0])
    return len(inside) > 1 and bool(5 * left > 4 * len(inside))


def _stand(before: Floats, after: Floats) -> NDArray[np.int64]:
    """How each of n characters stands to the one before it."""
    low = np.maximum(before[:, :2], after[:, :2])
    high = np.minimum(before[:, 2:], after[:, 2:])
    common = high - low
    least = np.minimum(before[:, 2:] - before[:, :2], after[:, 2:] - after[:, :2])
    beside = common[:, 1] > 0.1 * least[:, 1]
    near = -common[:, 1] < 1.5 * least[:, 1]
    stacked = ~beside & (common[:, 0] > 0.3 * least[:, 0]) & near
    return np.where(beside, _ACROSS, np.where(stacked, _ALONG, _APART))


def _columns(stand: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each pair belongs to a column: to enough pairs in a row that stand above each other."""
    along = stand == _ALONG
    edges = np.flatnonzero(np.diff(np.concatenate([[False], along, [False]])))
    found = np.zeros(len(stand), dtype=np.bool_)
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        found[start:end] = end - start >= _LEAST_COLUMN - 1
    return found


def upright(boxes: Floats, turns: int, size: tuple[float, float]) -> Floats:
    """Boxes on a page of this width and height as they are after so many quarter turns against the clock."""
    left, top, right, bottom = boxes.T
    width, height = size
    match turns:
        case 1:
            sides = [top, width - right, bottom, width - left]
        case 2:
            sides = [width - right, height - bottom, width - left, height - top]
        case 3:
            sides = [height - bottom, left, height - top, right]
        case _:
            return boxes
    return np.stack(sides, axis=1).astype(np.float32)
