"""Which text of a PDF page stands in a box of its own beside the running text, and where is it read? From the lines drawn on the page.

Such a box is a rectangle with at least two lines in it and two lines of other text at its side, and no line runs through its sides; boxes among boxes
are a drawing and are left alone.
What stands in one is no part of the sentences beside it: it is read where a sentence ends.
"""

import numpy as np
from numpy.typing import NDArray

from xuesi.core.ports import Floats

_TOUCH = 2.0  # points between ends of rules that are meant to meet
_MOST_RULES = 100  # a page with more is a drawing or full of tables
_LEAST_CHARS = 8  # in a box, and beside it


def framed(rules: Floats, boxes: Floats, free: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each character the number of the box in which it stands, from 1; else 0. `free` (n,) are those that stand in no table."""
    owners = np.zeros(len(boxes), dtype=np.int64)
    found = _rectangles(rules) if 4 <= len(rules) <= _MOST_RULES else []
    if not found:
        return owners
    x, y = boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1)
    inside = [free & (left < x) & (x < right) & (top < y) & (y < bottom) for left, top, right, bottom in found]
    boxed = np.logical_or.reduce(inside)
    for (_, top, _, bottom), own in zip(found, inside, strict=True):
        beside = free & ~boxed & (top < y) & (y < bottom)
        is_less = np.count_nonzero(own) < np.count_nonzero(free & ~boxed)
        has_lines = _has_lines(boxes[own]) and _has_lines(boxes[beside])
        if is_less and has_lines and not owners[own].any() and not _is_crossed(boxes, own):
            owners[own] = owners.max() + 1
    return owners


def _has_lines(boxes: Floats) -> bool:
    """Whether these characters make at least two lines."""
    if len(boxes) < _LEAST_CHARS:
        return False
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    return bool(np.ptp(middles) > 0.8 * np.median(boxes[:, 3] - boxes[:, 1]))


def _is_crossed(boxes: Floats, own: NDArray[np.bool_]) -> bool:
    """Whether a line runs on over a side of the box in which the characters `own` stand."""
    shown = ~np.isnan(boxes[:, 0])
    before, after = boxes[shown][:-1], boxes[shown][1:]
    height = np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    level = np.minimum(before[:, 3], after[:, 3]) - np.maximum(before[:, 1], after[:, 1]) > 0.5 * height
    near = np.maximum(before[:, 0], after[:, 0]) - np.minimum(before[:, 2], after[:, 2]) < height
    return bool((np.diff(own[shown]) & level & near).any())


def _rectangles(rules: Floats) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of what four of the lines close, the largest first."""
    width, height = rules[:, 2] - rules[:, 0], rules[:, 3] - rules[:, 1]
    across = rules[(height <= _TOUCH) & (width > 2 * _TOUCH)]
    down = rules[(width <= _TOUCH) & (height > 2 * _TOUCH)]
    if len(across) < 2 or len(down) < 2:
        return []
    left, top, right = across[:, :3].T
    below = (np.abs(left[:, None] - left) + np.abs(right[:, None] - right) < _TOUCH) & (top > top[:, None] + 2 * _TOUCH)
    bottom = np.where(below, top, np.inf).min(axis=1)  # the next one only: what has more rules within is a table
    sides = (np.abs(down[:, 1] - top[:, None]) < _TOUCH) & (np.abs(down[:, 3] - bottom[:, None]) < _TOUCH)
    closed = [(sides & (np.abs(down[:, 0] - x[:, None]) < _TOUCH)).any(axis=1) for x in (left, right)]
    found = np.stack([left, top, right, bottom], axis=1)[closed[0] & closed[1]]
    return [tuple(box) for box in sorted(found.tolist(), key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))]
