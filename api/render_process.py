"""How is a page drawn without endangering the server? By a confined process a page, which this module is the work of (see `ingest.apart`).

A page of a PDF is drawn by PDFium; of a picture, the page is the picture itself, decoded and written anew.
"""

import contextlib
import ctypes
import json
import math
from pathlib import Path
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw

from ingest.formats import is_pdf
from ingest.pictures import Pictures, open_pictures, points
from xuesi.core.errors import XuesiError

OUTPUTS = ("header.json", "page.png")
_with_font = False
_MOST_PIXELS = 24_000_000  # an A4 page at 7 pixels a point; larger ones are drawn smaller
_MARK, _EDGE = (255, 226, 110), (217, 154, 0)
_PAGES_LOOKED_AT = 50

# Windows character sets (FXFONT_*_CHARSET) of Japanese, Korean and Chinese.
_CJK_CHARSETS = frozenset({128, 129, 130, 134, 136})
_WHOLE_COLLECTION = 0x74746366  # "ttcf": PDFium asks for the whole file of a font collection under this table name
_OURS = 1


class _Fonts(pdfium.PdfSysfontBase):  # type: ignore[misc] # pypdfium2 has no types
    """Gives PDFium our font for every Chinese, Japanese or Korean one that a file names but does not carry.

    Also where the system has fonts: a page must look the same on every machine.
    """

    def __init__(self, font: bytes) -> None:
        super().__init__()
        self._font = font

    def MapFont(self, _: Any, weight: int, italic: int, charset: int, pitch: int, face: Any, exact: Any) -> Any:  # noqa: N802 the callback of fpdf_sysfontinfo.h
        if charset in _CJK_CHARSETS:
            return _OURS
        return super().MapFont(_, weight, italic, charset, pitch, face, exact)

    def GetFontData(self, _: Any, font: int, table: int, buffer: Any, size: int) -> int:  # noqa: N802
        if font != _OURS:
            return int(super().GetFontData(_, font, table, buffer, size))
        if table != _WHOLE_COLLECTION:
            return 0
        if size >= len(self._font):
            ctypes.memmove(buffer, self._font, len(self._font))
        return len(self._font)

    def GetFaceName(self, _: Any, font: int, buffer: Any, size: int) -> int:  # noqa: N802
        return 0 if font == _OURS else int(super().GetFaceName(_, font, buffer, size))

    def GetFontCharset(self, _: Any, font: int) -> int:  # noqa: N802
        return 134 if font == _OURS else int(super().GetFontCharset(_, font))

    def DeleteFont(self, _: Any, font: int) -> None:  # noqa: N802
        if font != _OURS:
            super().DeleteFont(_, font)


def prepare(font: str) -> None:
    """Give PDFium our font, if there is one. Before any file is opened, and so in all processes that are forked."""
    global _with_font  # noqa: PLW0603 a fork has no other way to know
    _with_font = bool(font)
    if font:
        _Fonts(Path(font).read_bytes()).setup()


def load(name: str) -> None:
    """Nothing more than this module is needed."""


def work(request: dict[str, Any], outputs: dict[str, BinaryIO], limits: Any, tell: Any) -> None:
    """Draw a page, or look whether pages can be drawn; a header in JSON says how it went."""
    del limits, tell
    header: dict[str, Any] = {}
    path = Path(request["path"])
    try:
        image = None
        if is_pdf(path):
            with contextlib.closing(pdfium.PdfDocument(path)) as document:
                if request["do"] == "draw":
                    image = _drawn(document, request)
                else:
                    header = {"drawable": _with_font or not _lacks_fonts(document)}
        else:
            with open_pictures(path) as pictures:
                if request["do"] == "draw":
                    image = _shown(pictures, request)
                else:
                    header = {"drawable": len(pictures) > 0}
        if image is not None:
            image.save(outputs["page.png"], "PNG", compress_level=4)
    except IndexError as error:
        header = {"error": "page", "detail": str(error)}
    except pdfium.PdfiumError as error:
        locked = error.err_code in {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}
        header = {"error": "locked" if locked else "damaged", "detail": str(error)}
    except XuesiError as error:
        header = {"error": "damaged", "detail": error.detail}
    except (MemoryError, OSError, ValueError) as error:
        header = {"error": "damaged", "detail": repr(error)}
    outputs["header.json"].write(json.dumps(header).encode())


def _drawn(document: Any, request: dict[str, Any]) -> Image.Image:
    if not 1 <= request["page"] <= len(document):
        raise IndexError(f"the file has {len(document)} pages")
    page = document[request["page"] - 1]
    scale = _scale(page.get_size(), request)
    return _marked(page.render(scale=scale).to_pil().convert("RGB"), request["marks"], scale)


def _shown(pictures: Pictures, request: dict[str, Any]) -> Image.Image:
    width, height = points(pictures.size(request["page"]))
    scale = _scale((width, height), request)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _marked(pictures.page(request["page"], size), request["marks"], scale)


def _scale(size: tuple[float, float], request: dict[str, Any]) -> float:
    """Pixels a point, fewer than asked for where the page is huge."""
    return min(float(request["scale"]), math.sqrt(_MOST_PIXELS / max(size[0] * size[1], 1.0)))


def _marked(image: Image.Image, marks: list[list[float]], scale: float) -> Image.Image:
    """The page as if drawn over with a marker: what is dark stays dark."""
    if not marks:
        return image
    layer = Image.new("RGB", image.size, (255, 255, 255))
    draw = ImageDraw.Draw(layer)
    for left, top, right, bottom in marks:
        box = (left * scale - 1, top * scale - 1, right * scale + 1, bottom * scale + 1)
        draw.rectangle(box, fill=_MARK)
        draw.line((box[0], box[3], box[2], box[3]), fill=_EDGE, width=max(1, round(scale)))
    return ImageChops.multiply(image, layer)


def _lacks_fonts(document: Any) -> bool:
    """Whether Chinese, Japanese or Korean text stands in a font that the file does not carry. The first pages tell for the rest."""
    for number in range(min(len(document), _PAGES_LOOKED_AT)):
        page = document[number]
        text = page.get_textpage()
        for item in page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_TEXT,)):
            font = pdfium_c.FPDFTextObj_GetFont(item.raw)
            if font and pdfium_c.FPDFFont_GetIsEmbedded(font) == 0 and _is_cjk(_text(item, text)):
                return True
    return False


def _text(item: Any, page: Any) -> str:
    size = pdfium_c.FPDFTextObj_GetText(item.raw, page.raw, None, 0)
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    pdfium_c.FPDFTextObj_GetText(item.raw, page.raw, buffer, size)
    return bytes(buffer).decode("utf-16-le", errors="ignore")


def _is_cjk(text: str) -> bool:
    return any("\u2e80" <= c <= "\ud7ff" or "\uf900" <= c <= "\ufaff" for c in text)
