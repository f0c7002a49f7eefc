"""What does a picture say? Each of its pages read by OCR, with the place of every character on it; a long one in strips."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ingest.gate import text_report
from ingest.ocr.recogniser import Picture
from ingest.pages_read import page_read
from ingest.pictures import Pictures, open_pictures, points
from ingest.readers.paged import reading_of, refuse_textless
from ingest.readers.pdf_lines import Line
from ingest.readers.pdf_page import ReadPage, from_scan
from ingest.readers.pdf_scan import Scan, scan_picture
from xuesi.core.domain import PageHow
from xuesi.core.ports import Reading

# Pixels at which a page is read. The shorter side of a page of A4 comes to 1,840 at most: print of 8 points is then 22 high.
_SHORTER, _STRIP, _WIDEST, _LEAST = 1840, 2600, 3200, 1400
_MOST_ENLARGED = 2.0
_CUT_FROM = 0.75  # of a strip: in its last quarter the emptiest row is looked for


class ImageReader:
    """PNG, JPEG, TIFF, WebP and BMP."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; a picture is never encrypted."""
        del password
        with open_pictures(path) as pictures:
            pages = list(_pages(pictures))
        refuse_textless(pages, "the picture")
        return reading_of(pages, properties={}, told=(PageHow.LEFT_OUT, PageHow.BLANK))


def _pages(pictures: Pictures) -> Iterator[ReadPage]:
    page_read(0, len(pictures))
    for number in range(1, len(pictures) + 1):
        yield _page(pictures, number)
        page_read(number, len(pictures))


def _page(pictures: Pictures, number: int) -> ReadPage:
    width, height = pictures.size(number)
    wide, high = points((width, height))
    enlarged = _enlarged(width, height)
    size = max(1, round(width * enlarged)), max(1, round(height * enlarged))
    picture = np.asarray(pictures.page(number, size))[:, :, ::-1]
    seen = _seen(picture, number - 1, scale=size[0] / wide)
    lines, report = from_scan(seen, report=text_report(number, "", images=1.0))
    return ReadPage(lines, report, wide, high, "")


def _enlarged(width: int, height: int) -> float:
    """By how much a page is made larger, or smaller, to be read."""
    if max(width, height) < _LEAST:
        return min(_MOST_ENLARGED, _LEAST / max(width, height))
    return min(1.0, _SHORTER / min(width, height), _WIDEST / width)


def _seen(picture: Picture, page: int, *, scale: float) -> Scan:
    """The whole page; of a screenshot many times as long as wide, each strip in its turn."""
    scans = []
    for top, bottom in _strips(picture):
        strip = np.ascontiguousarray(picture[top:bottom])
        scans.append((top / scale, scan_picture(strip, page, scale=scale)))
    lines = tuple(_lower(line, by) for by, one in scans for line in one.lines)
    return Scan(lines, sum(one.doubtful for _, one in scans), all(one.is_blank for _, one in scans))


def _strips(picture: Picture) -> Iterator[tuple[int, int]]:
    top, height = 0, len(picture)
    while height - top > _STRIP:
        window = picture[top + int(_CUT_FROM * _STRIP) : top + _STRIP].astype(np.int16)
        unrest = np.abs(np.diff(window, axis=1)).max(axis=2).mean(axis=1)
        bottom = top + int(_CUT_FROM * _STRIP) + int(np.argmin(unrest)) + 1
        yield top, bottom
        top = bottom
    yield top, height


def _lower(line: Line, by: float) -> Line:
    """The line as far down the page as its strip begins."""
    if not by:
        return line
    moved = line.boxes + np.array([0, by, 0, by], dtype=np.float32)
    return Line(line.page, line.text, moved, line.left, line.top + by, line.right, line.bottom + by, line.size)
