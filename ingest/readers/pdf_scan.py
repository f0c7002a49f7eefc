"""What does the picture of a page say? The page drawn, read by OCR, and its lines put into the order and the points of a text layer's."""

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.length import is_wide
from ingest.lines import joint
from ingest.ocr.engine import Seen, SeenLine, see
from ingest.ocr.recogniser import Picture
from ingest.readers.pdf_chars import PageChars
from ingest.readers.pdf_columns import part
from ingest.readers.pdf_lines import Line
from ingest.readers.pdf_order import reading_order
from ingest.readers.pdf_runs import upright

_DETAIL = 2.14  # pixels a point: an A4 page comes to 1,800 pixels, enough for print of 8 points
_SIDES = (1400, 2600)  # least and most pixels of the longer side
_DARK, _INK = 160, 0.0002  # a page with a smaller share of darker pixels is blank
_GUTTER = 4  # lines with the same gap that make columns of their pieces
_SAME_LINE = 2.0  # line heights between two pieces of one line


@dataclass(frozen=True, slots=True)
class Scan:
    """Lines in reading order, how many were not sure enough, and whether there is any ink."""

    lines: tuple[Line, ...]
    doubtful: int
    is_blank: bool


def scan(document: Any, index: int, chars: PageChars, *, beside_text: bool = False) -> Scan:
    """Read the picture of a page (from 0); with `beside_text` only what its text layer does not cover."""
    longest = max(chars.width, chars.height, 1.0)
    scale = min(max(_DETAIL * longest, _SIDES[0]), _SIDES[1]) / longest
    with contextlib.closing(document.get_page(index)) as page, contextlib.closing(page.render(scale=scale)) as bitmap:
        picture = np.array(bitmap.to_numpy()[:, :, :3])
    covered = None
    if beside_text:
        covered = np.zeros(picture.shape[:2], dtype=np.bool_)
        for left, top, right, bottom in (chars.boxes[~np.isnan(chars.boxes[:, 0])] * scale).astype(int).tolist():
            covered[max(0, top) : bottom + 1, max(0, left) : right + 1] = True
    return scan_picture(picture, index, scale=scale, covered=covered)


def scan_picture(picture: Picture, page: int, *, scale: float, covered: NDArray[np.bool_] | None = None) -> Scan:
    """Read the picture of a page (from 0) that has `scale` pixels a point; `picture` and `covered` as in `see`."""
    if float((picture.min(axis=2) < _DARK).mean()) < _INK:
        return Scan((), 0, is_blank=True)
    seen = see(picture, covered=covered)
    size = picture.shape[1] / scale, picture.shape[0] / scale
    return Scan(tuple(_lines(seen, page, scale=scale, size=size)), seen.doubtful, is_blank=False)


def _lines(seen: Seen, page: int, *, scale: float, size: tuple[float, float]) -> list[Line]:
    pieces = [_line(line, page, turns=seen.turns, scale=scale, size=size) for line in seen.lines]
    pieces = _joined(sorted(pieces, key=lambda piece: piece.left))
    boxes = np.array([[it.left, it.top, it.right, it.bottom] for it in pieces], dtype=np.float32).reshape(-1, 4)
    return [pieces[i] for i in reading_order(boxes)]


def _line(seen: SeenLine, page: int, *, turns: int, scale: float, size: tuple[float, float]) -> Line:
    """The line as the layout sees it: its outline on the page turned upright, the boxes of its characters on the page as shown."""
    text = seen.text.strip()
    skipped = len(seen.text) - len(seen.text.lstrip())
    boxes = seen.boxes[skipped : skipped + len(text)] / np.float32(scale)
    sides = upright(boxes, turns, size)
    left, top = sides[:, :2].min(axis=0).tolist()
    right, bottom = sides[:, 2:].max(axis=0).tolist()
    wide = [i for i, char in enumerate(text) if is_wide(char)]
    type_size = (
        float(np.median((sides[:, 2] - sides[:, 0])[wide])) if 2 * len(wide) > len(text) else 0.75 * (bottom - top)
    )
    return Line(page, text, boxes, left, top, right, bottom, round(type_size, 1), turns=turns)


def _joined(pieces: list[Line]) -> list[Line]:
    """Pieces that stand on one line with a small gap between them as one line; `pieces` from left to right."""
    gutters = _gutters(pieces)
    lines: list[Line] = []
    for piece in (side for whole in pieces for side in _cut(whole, gutters)):
        for i, line in enumerate(lines):
            if _is_next(line, piece) and not any(_crosses(gap, line.right, piece.left) for gap in gutters):
                lines[i] = _with(line, piece)
                break
        else:
            lines.append(piece)
    return lines


def _is_next(line: Line, piece: Line) -> bool:
    """Whether the piece stands on the line's level, with a small gap between them."""
    height = piece.bottom - piece.top
    common = min(line.bottom, piece.bottom) - max(line.top, piece.top)
    return common > 0.6 * height and -height < piece.left - line.right < _SAME_LINE * min(height, line.size)


def _gutters(pieces: list[Line]) -> list[tuple[float, float]]:
    """The gaps that come again at the same place of several lines: what stands on either side is in two columns."""
    gaps = [
        (line.right, piece.left)
        for i, line in enumerate(pieces)
        for piece in pieces[i + 1 :]
        if _is_next(line, piece) and piece.left - line.right > 0.5 * piece.size
    ]
    return [gap for gap in gaps if sum(_crosses(gap, *other) for other in gaps) >= _GUTTER]


def _cut(piece: Line, gutters: list[tuple[float, float]]) -> list[Line]:
    """The piece, cut where it was read over a gutter: at a wide space."""
    for i, char in enumerate(piece.text):
        left, _, right, _ = piece.boxes[i].tolist()
        if char == " " and not piece.turns and any(_crosses(gap, left, right) for gap in gutters):
            return [part(piece, 0, i), *_cut(part(piece, i + 1, len(piece.text)), gutters)]
    return [piece]


def _crosses(gap: tuple[float, float], left: float, right: float) -> bool:
    """Whether the two have more than half of the narrower one in common."""
    return min(gap[1], right) - max(gap[0], left) > 0.5 * min(gap[1] - gap[0], right - left) > 0


def _with(line: Line, piece: Line) -> Line:
    glue = joint(line.text, piece.text)
    boxes = np.concatenate([line.boxes, np.full((len(glue), 4), np.nan, dtype=np.float32), piece.boxes])
    return Line(
        line.page,
        line.text + glue + piece.text,
        boxes,
        line.left,
        min(line.top, piece.top),
        max(line.right, piece.right),
        max(line.bottom, piece.bottom),
        line.size,
        turns=line.turns,
    )
