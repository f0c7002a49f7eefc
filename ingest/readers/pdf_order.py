"""In which order are lines read that a page shows side by side? Geometry alone, no vendor.

Source: the two rules of Breuel 2003, "High performance document layout analysis": of two lines that share a part of the page's width the upper one
comes first; a line wholly to the left of another comes first unless a line between them reaches over both. Lines that the rules leave open come
from top to bottom.
"""

import numpy as np
from numpy.typing import NDArray

from xuesi.core.ports import Floats

_MOST_LINES = 600  # of a page; with more it is a drawing, and they come from top to bottom
_TOUCH = 1.0  # points by which neighbours may overlap


def reading_order(boxes: Floats) -> list[int]:
    """The places of the lines, (n, 4) left, top, right, bottom in points, in the order in which they are read."""
    if len(boxes) > _MOST_LINES or len(boxes) < 2:
        return np.lexsort((boxes[:, 0], boxes[:, 1])).tolist() if len(boxes) else []
    before = _before(boxes)
    waiting = before.sum(axis=0)
    left = np.ones(len(boxes), dtype=np.bool_)
    rank = boxes[:, 1] + 0.001 * boxes[:, 0]
    order: list[int] = []
    while left.any():
        ready = left & (waiting == 0)
        if not ready.any():
            ready = left  # the rules contradict each other here
        chosen = int(np.where(ready, rank, np.inf).argmin())
        order.append(chosen)
        left[chosen] = False
        waiting = waiting - before[chosen]
    return order


def _before(boxes: Floats) -> NDArray[np.bool_]:
    """(n, n): whether line i comes before line j by one of the rules."""
    left, right = boxes[:, 0], boxes[:, 2]
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    shares = (left[:, None] < right[None, :] - _TOUCH) & (left[None, :] < right[:, None] - _TOUCH)
    above = middle[:, None] < middle[None, :]
    beside = ~shares & (left[:, None] < left[None, :])
    over = (shares & (middle[None, :] > middle[:, None])).astype(np.float32)  # k lies lower than i and shares with it
    under = (shares & (middle[None, :] < middle[:, None])).astype(np.float32)
    between = over @ under.T > 0  # a line lower than i and higher than j reaches over both
    beside &= ~(between | between.T)
    found: NDArray[np.bool_] = (shares & above) | beside
    np.fill_diagonal(found, val=False)
    return found
