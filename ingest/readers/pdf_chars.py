"""Which characters stand where on the pages of a PDF? PDFium's text layer, page by page, with a box for every character.

PDFium is not thread-safe and reads hostile files: this runs in a worker's process, one file at a time.
"""

import contextlib
import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from ingest.readers.pdf_doubled import drawn_once
from xuesi.core.errors import EncryptedDocument, UnreadableDocument
from xuesi.core.ports import Floats

_DEEPEST_FORM = 2
_MOST_PATHS = 4000  # of a page; one with more is a drawing, in which no table is looked for
_HYPHEN = 0x02  # what PDFium makes of a hyphen at the end of a line
_PASSWORD, _SECURITY = pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY


@dataclass(frozen=True, slots=True)
class PageChars:
    r"""The characters of a page in PDFium's reading order.

    `text` holds one code point for each row of `boxes` (n, 4), which are left, top, right, bottom in points from the top left of the page as
    it is shown; NaN for characters that PDFium put in between (spaces and the `\n` of line ends), which `generated` (n,) marks. `rules` (m, 4)
    are the straight lines that are drawn on the page, in the same points. `images` is the share of the page that pictures cover, in [0, 1].
    """

    text: str
    boxes: Floats
    generated: NDArray[np.bool_]
    width: float
    height: float
    label: str
    rules: Floats
    images: float


@contextlib.contextmanager
def open_pdf(source: Path | bytes, *, password: str | None) -> Iterator[Any]:
    """The open PDFium document. A file is read in pieces as they are needed, not as a whole.

    Raises:
        EncryptedDocument: If the password is missing or wrong, or the encryption is of a kind that PDFium does not know.
        UnreadableDocument: If PDFium cannot make sense of the file.
    """
    try:
        document = pypdfium2.PdfDocument(source, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise EncryptedDocument(
                "The PDF is encrypted, and the given password does not open it."
                if password
                else "The PDF is encrypted and opens only with a password.",
                hint="Give its password on the document's page or with --password-file (xuesi retry, xuesi add), or save a copy without one.",
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
        images, paths = _objects(page)
        rules = _as_shown(_drawn_lines(paths), box=box, rotation=rotation)
        boxes[generated] = np.nan
        width, height = page.get_size()
        label = document.get_page_label(index)
        covered = _covered(images, box)
    points, boxes, generated = _whole_code_points(points, boxes, generated)
    once = drawn_once(points, boxes, generated)
    if not once.all():
        points, boxes, generated = points[once], boxes[once], generated[once]
    text = points.tobytes().decode("utf-32-le")
    return PageChars(text, boxes, generated, float(width), float(height), label, rules, covered)


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


def _objects(page: Any) -> tuple[list[Any], list[Any]]:
    """The images and the paths of a page, those inside forms too; of too many only the first. On the C functions, as a page may have thousands."""
    images: list[Any] = []
    paths: list[Any] = []
    kept = {pdfium.FPDF_PAGEOBJ_IMAGE: images, pdfium.FPDF_PAGEOBJ_PATH: paths}

    def walk(holder: Any, count: Callable[..., int], get: Callable[..., Any], depth: int) -> None:
        for i in range(count(holder)):
            found = get(holder, i)
            kind = pdfium.FPDFPageObj_GetType(found)
            if kind in kept and len(kept[kind]) < _MOST_PATHS:
                kept[kind].append(found)
            elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth:
                walk(found, pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject, depth - 1)

    walk(page.raw, pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject, _DEEPEST_FORM)
    return images, paths


def _covered(images: Sequence[Any], box: tuple[float, float, float, float]) -> float:
    """The share of the page's box that images cover, on a grid of 64 by 64."""
    if not images:
        return 0.0
    left, bottom, right, top = box
    grid = np.zeros((64, 64), dtype=np.bool_)
    step = np.array([right - left, top - bottom]) / 64
    west, south, east, north = (ctypes.c_float() for _ in range(4))
    for image in images:
        if not pdfium.FPDFPageObj_GetBounds(image, west, south, east, north):
            continue  # an image without a size covers nothing
        across = np.clip([(west.value - left) / step[0], (east.value - left) / step[0]], 0, 64).round().astype(int)
        up = np.clip([(south.value - bottom) / step[1], (north.value - bottom) / step[1]], 0, 64).round().astype(int)
        grid[up[0] : up[1], across[0] : across[1]] = True
    return float(grid.mean())


def _drawn_lines(paths: Sequence[Any]) -> Floats:
    """The straight segments of all visible paths, (n, 4) left, top, right, bottom in PDF space."""
    ends: list[tuple[float, float, float, float]] = []
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    for drawing in paths:
        pdfium.FPDFPath_GetDrawMode(drawing, fill, stroke)
        if fill.value or stroke.value:
            ends.extend(_segments(drawing))
    lines = np.array(ends, dtype=np.float32).reshape(-1, 4)
    return np.stack([lines[:, [0, 2]].min(axis=1), lines[:, [1, 3]].max(axis=1), lines[:, [0, 2]].max(axis=1), lines[:, [1, 3]].min(axis=1)], axis=1)  # fmt: skip


def _segments(drawing: Any) -> Iterator[tuple[float, float, float, float]]:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(drawing, matrix):
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    start = at = (0.0, 0.0)
    for i in range(min(_MOST_PATHS, pdfium.FPDFPath_CountSegments(drawing))):
        segment = pdfium.FPDFPath_GetPathSegment(drawing, i)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
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
    points[points == _HYPHEN] = 0x2D
    return points, boxes, generated
