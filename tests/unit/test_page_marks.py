"""A quoted span becomes one rectangle a line."""

import numpy as np
import pytest

from api.boxes import marks
from xuesi.core.domain import Page, Span

NOWHERE = (np.nan,) * 4


def _page(start: int, end: int) -> Page:
    return Page(number=1, span=Span(start, end), label="1", width=595.0, height=842.0)


def _line(count: int, *, left: float, top: float, size: float = 10.0) -> list[tuple[float, float, float, float]]:
    return [(left + i * size, top, left + (i + 1) * size, top + size) for i in range(count)]


def test_characters_of_a_line_are_one_rectangle_and_the_next_line_is_another() -> None:
    boxes = np.array([*_line(3, left=50, top=100), NOWHERE, *_line(2, left=50, top=120)], dtype=np.float32)
    assert marks(boxes, page=_page(0, 6), span=Span(0, 6)) == [(50, 100, 80, 110), (50, 120, 70, 130)]


def test_only_the_part_of_the_span_that_stands_on_the_page_is_marked() -> None:
    boxes = np.array(_line(10, left=0, top=0), dtype=np.float32)
    assert marks(boxes, page=_page(4, 10), span=Span(2, 6)) == [(40, 0, 60, 10)]
    assert marks(boxes, page=_page(4, 10), span=Span(0, 4)) == []


def test_a_full_stop_lower_than_its_line_stays_on_it() -> None:
    boxes = np.array([*_line(2, left=0, top=0), (20, 7, 22, 10)], dtype=np.float32)
    assert marks(boxes, page=_page(0, 3), span=Span(0, 3)) == [(0, 0, 22, 10)]


def test_columns_at_the_same_height_are_marked_apart() -> None:
    boxes = np.array([*_line(2, left=0, top=0), *_line(2, left=300, top=0)], dtype=np.float32)
    assert marks(boxes, page=_page(0, 4), span=Span(0, 4)) == [(0, 0, 20, 10), (300, 0, 320, 10)]


@pytest.mark.parametrize("boxes", [None, np.full((4, 4), np.nan, dtype=np.float32), np.zeros((4, 4), dtype=np.float32)])
def test_without_boxes_nothing_is_marked(boxes: np.ndarray | None) -> None:
    assert marks(boxes, page=_page(0, 4), span=Span(0, 4)) == []
