"""Which characters stand where on the pages of a PDF? PDFium's text layer, page by page, with a box for every character.

PDFium is not thread-safe and reads hostile files: this runs in a worker's process, one file at a time.
"""

import contextlib
import ctypes
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from xuesi.core.errors import EncryptedDocument, UnreadableDocument
from xuesi.core.ports import Floats

_MOST_PATHS = 4000  # of a page; one with more is a drawing, in which no table is looked for
_PASSWORD, _SECURITY = pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY


@dataclass(frozen=True, slots=True)
class PageChars:
    r"""The characters of a page in PDFium's reading order.

    `text` holds one code point for each row of `boxes` (n, 4), which are left, top, right, bottom in points from the top left of the page as
    it is shown; NaN for characters that PDFium put in between (spaces and the `\n` of line ends), which `generated` (n,) marks. `rules` (m, 4)
    are the straight lines that are drawn on the page, in the same points.
    """

    text: str
    boxes: Floats
    generated: NDArray[np.bool_]
    width: float
    height: float
    label: str
    rules: Floats


@contextlib.contextmanager
def open_pdf(data: bytes, *, password: str | None) -> Iterator[Any]:
    """The open PDFium document.

    Raises:
        EncryptedDocument: If the password is missing or wrong, or the encryption is of a kind that PDFium does not know.
        UnreadableDocument: If PDFium cannot make sense of the file.
    """
    try:
        document = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise EncryptedDocument(
                "The PDF is encrypted, and the given password does not open it."
                if password
                else "The PDF is encrypted and opens only with a password.",
                hint="Add the file again with its password, or save a copy without one.",
            ) from error
        if error.err_code == _SECURITY:
            raise EncryptedDocument(
                "The PDF is encrypted in a way that is not supported.",
                hint="Save a copy without encryption and add that.",
            ) from error
        raise UnreadableDocument(
            "The file is damaged or cut off: it cannot be opened as a PDF.", hint="Get the file anew from its source."
        ) from error
    try:
        yield document
    finally:
        document.close()


def is_drawn(document: Any, index: int) -> bool:
    """Whether the page (from 0) shows images or drawings, so that a page without text may be a scan."""
    with contextlib.closing(document.get_page(index)) as page:
        return bool(pdfium.FPDFPage_CountObjects(page.raw) > 0)


def page_chars(document: Any, index: int) -> PageChars:
    """The characters of one page; `index` from 0.

    Raises:
        UnreadableDocument: If the page cannot be loaded.
    """
    try:
        page = document.get_page(index)
    except pypdfium2.PdfiumError as error:
        raise UnreadableDocument(
            f"Page {index + 1} of the PDF is damaged.", hint="Get the file anew from its source."
        ) from error
    with contextlib.closing(page):
        textpage = page.get_textpage()
        with contextlib.closing(textpage):
            points, rects, generated = _raw_chars(textpage)
        box, rotation = page.get_bbox(), page.get_rotation()
        boxes = _as_shown(rects, box=box, rotation=rotation)
        rules = _as_shown(_drawn_lines(page), box=box, rotation=rotation)
        boxes[generated] = np.nan
        width, height = page.get_size()
        label = document.get_page_label(index)
    points, boxes, generated = _whole_code_points(points, boxes, generated)
    text = points.tobytes().decode("utf-32-le")
    return PageChars(text, boxes, generated, float(width), float(height), label, rules)


def _raw_chars(textpage: Any) -> tuple[NDArray[np.uint32], Floats, NDArray[np.bool_]]:
    """Code units, loose boxes (left, top, right, bottom in PDF space) and whether PDFium generated them.

    One call a character and fact, straight on the C functions with memory laid out beforehand: the wrapper's methods are ten times slower.
    """
    count = max(0, textpage.count_chars())
    handle = textpage.raw
    get_unicode, get_box, is_generated = (
        pdfium.FPDFText_GetUnicode,
        pdfium.FPDFText_GetLooseCharBox,
        pdfium.FPDFText_IsGenerated,
    )
    points = np.fromiter((get_unicode(handle, i) for i in range(count)), dtype=np.uint32, count=count)
    rects = np.full((count, 4), np.nan, dtype=np.float32)  # FS_RECTF: left, top, right, bottom as C floats
    place, address = pdfium.FS_RECTF.from_address, rects.ctypes.data
    for i in range(count):
        get_box(handle, i, ctypes.byref(place(address + 16 * i)))
    generated = np.zeros(count, dtype=np.bool_)
    for i in np.flatnonzero(np.isin(points, (0x0A, 0x0D, 0x20))).tolist():
        generated[i] = is_generated(handle, i) == 1
    return points, rects, generated


def _drawn_lines(page: Any) -> Floats:
    """The straight segments of all visible paths, (n, 4) left, top, right, bottom in PDF space; of too many only the first."""
    ends: list[tuple[float, float, float, float]] = []
    for drawing in itertools.islice(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=3), _MOST_PATHS):
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(drawing.raw, fill, stroke)
        if fill.value or stroke.value:
            ends.extend(_segments(drawing))
    lines = np.array(ends, dtype=np.float32).reshape(-1, 4)
    return np.stack([lines[:, [0, 2]].min(axis=1), lines[:, [1, 3]].max(axis=1), lines[:, [0, 2]].max(axis=1), lines[:, [1, 3]].min(axis=1)], axis=1)  # fmt: skip


def _segments(drawing: Any) -> Iterator[tuple[float, float, float, float]]:
    matrix = drawing.get_matrix()
    x, y = ctypes.c_float(), ctypes.c_float()
    start = at = (0.0, 0.0)
    for i in range(min(_MOST_PATHS, pdfium.FPDFPath_CountSegments(drawing.raw))):
        segment = pdfium.FPDFPath_GetPathSegment(drawing.raw, i)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        point = matrix.on_point(x.value, y.value)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield (*at, *point)
        at = point
        if pdfium.FPDFPathSegment_GetClose(segment):
            yield (*at, *start)
            at = start


def _as_shown(rects: Floats, *, box: tuple[float, float, float, float], rotation: int) -> Floats:
    """From PDF space (origin bottom left, before rotation) to points from the top left of the page as shown."""
    left, bottom, right, top = box
    x = rects[:, [0, 2]]
    y = rects[:, [1, 3]]
    match rotation:
        case 90:
            across, down = y - bottom, x - left
        case 180:
            across, down = right - x, y - bottom
        case 270:
            across, down = top - y, right - x
        case _:
            across, down = x - left, top - y
    shown = np.stack([across.min(axis=1), down.min(axis=1), across.max(axis=1), down.max(axis=1)], axis=1)
    return shown.astype(np.float32)


def _whole_code_points(
    points: NDArray[np.uint32], boxes: Floats, generated: NDArray[np.bool_]
) -> tuple[NDArray[np.uint32], Floats, NDArray[np.bool_]]:
    """Surrogate pairs made one code point; lone surrogates and what no text may hold made U+FFFD."""
    points = points.copy()
    high = (points >= 0xD800) & (points < 0xDC00)
    low = (points >= 0xDC00) & (points < 0xE000)
    pair = np.flatnonzero(high[:-1] & low[1:])
    points[pair] = 0x10000 + ((points[pair] - 0xD800) << 10) + (points[pair + 1] - 0xDC00)
    keep = np.ones(len(points), dtype=np.bool_)
    keep[pair + 1] = False
    points, boxes, generated = points[keep], boxes[keep], generated[keep]
    points[((points >= 0xD800) & (points < 0xE000)) | (points > 0x10FFFF)] = 0xFFFD
    return points, boxes, generated
