"""Which characters of a PDF page stand in which cell of a ruled table? From the lines drawn on the page; geometry alone, no vendor.

A cell begins at the nearest rule above and to the left of a character, so cells that span rows or columns come out whole. Tables without
vertical rules are not found here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xuesi.core.ports import Floats

_TOLERANCE = 2.0  # points between ends of rules that are meant to meet
_MOST_RULES = 4000  # a page with more is a drawing


@dataclass(frozen=True, slots=True)
class Grid:
    """The rules of one table in points: `across` (n, 3) of y, left, right and `down` (m, 3) of x, top, bottom."""

    across: Floats
    down: Floats

    def cells(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        """Row and column, (k, 2) from 0, of the cell in which each of k points lies; -1 outside the table."""
        row = _last_before(self.across, at=y, along=x)
        column = _last_before(self.down, at=x, along=y)
        left = self.down[:, 0].min()
        column[(column < 0) & (x >= left)] = 0  # a piece of the leftmost rule is missing
        outside = (
            (x > self.across[:, 2].max() + _TOLERANCE)
            | (y > self.down[:, 2].max() + _TOLERANCE)
            | (x < min(left, self.across[:, 1].min()) - _TOLERANCE)
            | (row < 0)
        )
        cells = np.stack(
            [row, column + 1], axis=1
        )  # before the leftmost rule is a column too: tables may be open at their sides
        cells[outside | np.isnan(x)] = -1
        return cells

    def spans(self) -> dict[tuple[int, int], tuple[int, int]]:
        """For each cell of several places, by the row and column where it begins, over how many rows and columns it goes."""
        rows, columns = _levels(self.across[:, 0]), _levels(self.down[:, 0])
        left = min(float(columns[0]), float(self.across[:, 1].min()))
        edges = np.array([left, *columns, max(float(columns[-1]), float(self.across[:, 2].max()))])
        y, x = (rows[:-1] + rows[1:]) / 2, (edges[:-1] + edges[1:]) / 2
        found = self.cells(np.tile(x, len(y)).astype(np.float32), np.repeat(y, len(x)).astype(np.float32))
        places = [(row, column) for row in range(len(y)) for column in range(len(x))]
        wide = (np.diff(edges) > _TOLERANCE).tolist()
        spans: dict[tuple[int, int], tuple[int, int]] = {}
        for (row, column), (top, first) in zip(places, found.tolist(), strict=True):
            if wide[column] and 0 <= top <= row and first <= column and (top, first) != (row, column):
                down, over = spans.get((top, first), (1, 1))
                spans[top, first] = max(down, row - top + 1), max(over, column - first + 1)
        return spans


def grids(rules: Floats) -> list[Grid]:
    """The tables that the rules of a page make: what is connected and has at least two rows and two columns.

    Args:
        rules: (n, 4) left, top, right, bottom of straight horizontal and vertical lines.
    """
    if not 6 <= len(rules) <= _MOST_RULES:
        return []
    width, height = rules[:, 2] - rules[:, 0], rules[:, 3] - rules[:, 1]
    across = rules[(height <= _TOLERANCE) & (width > 2 * _TOLERANCE)][:, [1, 0, 2]]
    down = rules[(width <= _TOLERANCE) & (height > 2 * _TOLERANCE)][:, [0, 1, 3]]
    label_across, label_down = _connected(across, down)
    found = []
    for label in np.unique(label_across):
        grid = Grid(across[label_across == label], down[label_down == label])
        if len(_levels(grid.across[:, 0])) > 2 and len(_levels(grid.down[:, 0])) > 2:
            found.append(grid)
    return found


def _connected(across: Floats, down: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each rule; those that meet, directly or through others, have the same."""
    meet = (
        (across[:, None, 1] - _TOLERANCE <= down[None, :, 0])
        & (down[None, :, 0] <= across[:, None, 2] + _TOLERANCE)
        & (down[None, :, 1] - _TOLERANCE <= across[:, None, 0])
        & (across[:, None, 0] <= down[None, :, 2] + _TOLERANCE)
    )
    label_across, label_down = np.full(len(across), -1), np.full(len(down), -1)
    for number in range(len(across)):
        new = np.array([number] if label_across[number] < 0 else [], dtype=np.int64)
        while len(new):  # every rule is new once, so that a long chain of them costs no more than a table
            label_across[new] = number
            below = np.flatnonzero(meet[new].any(axis=0) & (label_down < 0))
            label_down[below] = number
            new = np.flatnonzero(meet[:, below].any(axis=1) & (label_across < 0))
    return label_across, label_down


def _levels(positions: Floats) -> Floats:
    """The positions in order, those within the tolerance of the one before left out."""
    ordered = np.sort(positions)
    return ordered[np.diff(ordered, prepend=-np.inf) > _TOLERANCE]


def _last_before(rules: Floats, *, at: Floats, along: Floats) -> NDArray[np.int64]:
    """For each point the number of the level of the last rule that lies before `at` and reaches over `along`; -1 for none."""
    levels = _levels(rules[:, 0])
    number = np.searchsorted(levels, rules[:, 0] + _TOLERANCE / 2, side="right") - 1
    reaches = (rules[None, :, 1] - _TOLERANCE <= along[:, None]) & (along[:, None] <= rules[None, :, 2] + _TOLERANCE)
    before = reaches & (rules[None, :, 0] <= at[:, None])
    found: NDArray[np.int64] = np.where(before, number[None, :], -1).max(axis=1, initial=-1)
    return found
