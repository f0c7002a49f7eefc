"""Where on a page does a span stand? Boxes of its characters, joined to one rectangle a line."""

import numpy as np

from xuesi.core.domain import Page, Span
from xuesi.core.ports import Floats

Box = tuple[float, float, float, float]

# A gap wider than this many line heights begins a new rectangle: the next column or table cell.
_GAP_HEIGHTS = 3.0


def marks(boxes: Floats | None, *, page: Page, span: Span) -> list[Box]:
    """Rectangles (left, top, right, bottom in points from the page's top left) that cover the part of `span` on `page`, in reading order."""
    start, end = max(span.start, page.span.start), min(span.end, page.span.end)
    if boxes is None or start >= end:
        return []
    found = np.asarray(boxes[start:end], dtype=np.float64)
    found = found[~np.isnan(found).any(axis=1)]
    lines: list[Box] = []
    for left, top, right, bottom in found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])].tolist():
        box = (left, top, right, bottom)
        if lines and _continues(lines[-1], box):
            lines[-1] = _union(lines[-1], box)
        else:
            lines.append(box)
    return lines


def _continues(line: Box, box: Box) -> bool:
    """Whether the character stands on the line: half of the lower one's height in common, and no wide gap or jump back."""
    height = min(line[3] - line[1], box[3] - box[1])
    common = min(line[3], box[3]) - max(line[1], box[1])
    gap = max(box[0] - line[2], line[0] - box[2])
    return common >= height / 2 and gap <= _GAP_HEIGHTS * (line[3] - line[1])


def _union(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
