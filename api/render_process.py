"""How is a page drawn without endangering the server? By this program, a process of its own that draws one page after another.

Run by api.render as a file: `render_process.py FONT TIMEOUT_S`, FONT empty where there is none. A request is a JSON line on standard input; the answer
a JSON line on standard output, followed by as many bytes as its `bytes` says. It imports nothing of Xuesi, writes no file and opens no connection.
"""

import ctypes
import io
import json
import math
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw

_MEMORY_BYTES = 2_000_000_000
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


def main() -> None:
    """Answer requests until standard input ends."""
    font, timeout_s = sys.argv[1], float(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    if font:
        _Fonts(Path(font).read_bytes()).setup()
    for line in sys.stdin.buffer:
        # Ends this process by its default action, even in PDFium's code and when the server is gone.
        signal.alarm(math.ceil(timeout_s) + 1)
        _answer(json.loads(line), answers, with_font=bool(font))
        signal.alarm(0)


def _answer(request: dict[str, Any], answers: BinaryIO, *, with_font: bool) -> None:
    png = b""
    try:
        document = pdfium.PdfDocument(request["path"])
        try:
            if request["do"] == "draw":
                png = _draw(document, request)
                header: dict[str, Any] = {"bytes": len(png)}
            else:
                header = {"drawable": with_font or not _lacks_fonts(document)}
        finally:
            document.close()
    except IndexError as error:
        header = {"error": "page", "detail": str(error)}
    except pdfium.PdfiumError as error:
        locked = error.err_code in {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}
        header = {"error": "locked" if locked else "damaged", "detail": str(error)}
    except (MemoryError, OSError, ValueError) as error:
        header = {"error": "damaged", "detail": repr(error)}
    answers.write(json.dumps(header).encode() + b"\n" + png)
    answers.flush()


def _draw(document: Any, request: dict[str, Any]) -> bytes:
    if not 1 <= request["page"] <= len(document):
        raise IndexError(f"the file has {len(document)} pages")
    page = document[request["page"] - 1]
    width, height = page.get_size()
    scale = min(request["scale"], math.sqrt(_MOST_PIXELS / max(width * height, 1.0)))
    image = page.render(scale=scale).to_pil().convert("RGB")
    if request["marks"]:
        image = _marked(image, request["marks"], scale)
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=4)
    return png.getvalue()


def _marked(image: Image.Image, marks: list[list[float]], scale: float) -> Image.Image:
    """The page as if drawn over with a marker: what is dark stays dark."""
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


if __name__ == "__main__":
    main()
