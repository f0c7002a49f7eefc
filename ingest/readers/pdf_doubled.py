"""Which characters of a PDF page are drawn a second time in the same place, to look bold or as a layer over the text? They are read once.

PDFium passes over doubles that are drawn one right after the other; those of a layer that comes later it gives as text. Two equal characters are
one if they lie nearer to each other than the narrowest letters of a line ever do, and if those beside them are one too: single ones may be
the letters of a ligature, which have one box, or of other words that lie over them.
"""

import numpy as np
from numpy.typing import NDArray

from xuesi.core.ports import Floats

_NEAR = 0.15  # of the type size; the narrowest letters follow each other at 0.2 or more
_LAGS = 3  # characters that may lie between two doubles in one cell of the grid
_LEAST = 3  # doubles that follow each other
_STEP = 2  # from one to the next: with a layer 1, where each is followed by its double 2


def drawn_once(points: NDArray[np.uint32], boxes: Floats, generated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which characters are kept, (n,): of doubles the first, and what PDFium put in after one only if it is kept."""
    keep = np.ones(len(points), dtype=np.bool_)
    shown = np.flatnonzero(~generated & ~np.isnan(boxes[:, 0]) & (points > 0x20))
    if len(shown) < _LEAST:
        return keep
    left, top, right, bottom = np.ascontiguousarray(boxes[shown].T)
    signs = points[shown].astype(np.int64)
    places = np.stack([left, top]) / np.maximum(np.maximum(right - left, bottom - top), 1.0)
    if not _has_double(signs, places):
        return keep
    first = np.arange(len(shown))
    for across in (0.0, _NEAR):
        for down in (0.0, _NEAR):
            first = np.minimum(first, _firsts(signs, places, np.array([[across], [down]])))
    keep[shown[_in_runs(first, signs)]] = False
    last = np.maximum.accumulate(np.where(generated, 0, np.arange(len(points))))  # the character before what was put in
    return keep & keep[last]


def _has_double(signs: NDArray[np.int64], places: Floats) -> bool:
    """Whether two equal characters lie in one small cell; quick, since most pages have none."""
    keys = np.sort(_keys(signs, places / _NEAR))
    return int(np.count_nonzero(keys[1:] == keys[:-1])) >= _LEAST - 1


def _firsts(signs: NDArray[np.int64], places: Floats, shift: Floats) -> NDArray[np.int64]:
    """For each character the first that it is a double of, or itself, in one cell of a grid shifted by so much; what is near is so in one of four."""
    keys = _keys(signs, (places + shift) / (2 * _NEAR))
    order = np.argsort(keys, kind="stable")
    keys, places = keys[order], places[:, order]
    first = np.arange(len(order))
    for lag in range(1, _LAGS + 1):
        near = (keys[lag:] == keys[:-lag]) & (np.abs(places[:, lag:] - places[:, :-lag]) < _NEAR).all(axis=0)
        first[order[lag:][near]] = order[:-lag][near]
    return first


def _in_runs(first: NDArray[np.int64], signs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The doubles that enough others stand beside, just as those stand that they are doubles of; dots that lead to a page number are none."""
    doubles = np.flatnonzero(first < np.arange(len(first)))
    steps, theirs = np.diff(doubles), np.diff(first[doubles])
    breaks = np.flatnonzero((steps != theirs) | (steps > _STEP)) + 1
    runs = np.split(doubles, breaks)
    return np.concatenate([run for run in runs if len(run) >= _LEAST and np.ptp(signs[run])] or [doubles[:0]])


def _keys(signs: NDArray[np.int64], cells: Floats) -> NDArray[np.int64]:
    """A number for each character and its cell, equal where both are."""
    columns, rows = np.floor(cells).astype(np.int64) & 0x1FFFFF
    keys: NDArray[np.int64] = (signs << 42) | (columns << 21) | rows
    return keys
