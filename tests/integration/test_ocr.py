"""Are pictures of lines read as they were drawn, and is every character where it was drawn, whichever way the page lies?"""

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from api.render import chinese_font
from ingest.ocr.engine import Seen, see
from ingest.ocr.recogniser import Picture
from xuesi.core.ports import Floats

TEXT = (
    "坚持问题导向，把调查研究贯穿始终。",
    "第一步是听取意见，第二步是分类整理。",
    "2023年共走访12个村，形成报告3份。",
    "问题清单由专人保管，每月更新一次。",
    "Reading classes meet twice a month.",
)
_WIDTH, _SIZE, _LEFT, _TOP, _STEP = 1000, 40, 120, 150, 90


def page(*, turns: int = 0) -> tuple[Picture, list[Floats]]:
    """A page of TEXT, turned by quarters against the clock, and where its characters are before the turn, or after one quarter."""
    font_file = chinese_font()
    assert font_file
    font = ImageFont.truetype(str(font_file), _SIZE)
    image = Image.new("RGB", (_WIDTH, 800), "white")
    draw = ImageDraw.Draw(image)
    boxes = []
    for row, line in enumerate(TEXT):
        top = _TOP + row * _STEP
        draw.text((_LEFT, top), line, font=font, fill="black")
        edges = [_LEFT + draw.textlength(line[:i], font=font) for i in range(len(line) + 1)]
        boxes.append(np.array([[a, top, b, top + _SIZE * 1.2] for a, b in itertools.pairwise(edges)]))
    picture = np.ascontiguousarray(np.rot90(np.asarray(image)[:, :, ::-1], turns))
    if turns == 1:
        boxes = [np.stack([b[:, 1], _WIDTH - b[:, 2], b[:, 3], _WIDTH - b[:, 0]], axis=1) for b in boxes]
    return picture, boxes


def squeezed(lines: Iterable[str]) -> list[str]:
    return ["".join(line.split()) for line in lines]


def read(seen: Seen) -> list[str]:
    return squeezed(line.text for line in seen.lines)


@pytest.mark.parametrize("turns", [0, 1])
def test_characters_are_read_and_are_where_they_were_drawn(turns: int) -> None:
    picture, drawn = page(turns=turns)
    seen = see(picture)
    lines = sorted(seen.lines, key=lambda line: float(line.boxes[0, 1 if turns == 0 else 0]))
    assert squeezed(line.text for line in lines) == squeezed(TEXT)
    assert seen.doubtful == 0
    for line, boxes, text in zip(lines, drawn, TEXT, strict=True):
        if line.text != text:
            continue  # a space more or less; its letters were compared above
        middles = (line.boxes[:, :2] + line.boxes[:, 2:]) / 2
        expected = (boxes[:, :2] + boxes[:, 2:]) / 2
        assert np.abs(middles - expected).max() < _SIZE * 0.6
        assert line.score > 0.9


@pytest.mark.parametrize("turns", [2, 3])
def test_a_page_upside_down_or_on_its_side_is_read_upright(turns: int) -> None:
    picture, _ = page(turns=turns)
    seen = see(picture)
    assert seen.turns == 4 - turns
    assert sorted(read(seen)) == sorted(squeezed(TEXT))


def test_what_is_covered_is_not_read_again() -> None:
    picture, drawn = page()
    covered = np.zeros(picture.shape[:2], dtype=np.bool_)
    for boxes in drawn[:3]:
        left, top, right, bottom = boxes[0, 0], boxes[0, 1], boxes[-1, 2], boxes[0, 3]
        covered[int(top) : int(bottom), int(left) : int(right)] = True
    assert read(see(picture, covered=covered)) == squeezed(TEXT[3:])


def test_nothing_and_noise_give_no_line_that_counts() -> None:
    white = np.full((600, 800, 3), 255, dtype=np.uint8)
    assert see(white).lines == ()
    noise = np.random.default_rng(0).integers(0, 255, (600, 800, 3), dtype=np.uint8)
    assert see(noise).lines == ()
