"""PDFs drawn for a test, and what the reader makes of them."""

import io
from collections.abc import Callable
from pathlib import Path

import pypdf
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.passages import cut
from ingest.readers.pdf import PdfReader
from xuesi.core.domain import VersionId
from xuesi.core.ports import Reading

FONT = "STSong-Light"
SIZE = (595.0, 842.0)
# A text at (x, y from the bottom, size), or what draws on the canvas itself.
Mark = tuple[float, float, float, str] | Callable[[Canvas], None]


def drawn(*pages: list[Mark], size: tuple[float, float] = SIZE, turned: int = 0) -> bytes:
    """A PDF with these pages."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size)
    for page in pages:
        for mark in page:
            if callable(mark):
                mark(canvas)
                continue
            x, y, points, text = mark
            canvas.setFont("Helvetica" if text.isascii() else FONT, points)
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    if not turned:
        return out.getvalue()
    writer = pypdf.PdfWriter(clone_from=out)
    for sheet in writer.pages:
        sheet.rotate(turned)
    turned_out = io.BytesIO()
    writer.write(turned_out)
    return turned_out.getvalue()


def down(x: float, y: float, text: str, size: float = 12) -> Callable[[Canvas], None]:
    """Draws a column of vertical print."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, size)
        for i, char in enumerate(text):
            canvas.drawString(x, y - 1.1 * size * i, char)

    return draw


def turned(x: float, y: float, text: str, angle: float, size: float = 12) -> Callable[[Canvas], None]:
    """Draws a line that is turned against the clock."""

    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(x, y)
        canvas.rotate(angle)
        canvas.setFont(FONT, size)
        canvas.drawString(0, 0, text)
        canvas.restoreState()

    return draw


def read(folder: Path, *pages: list[Mark], size: tuple[float, float] = SIZE, turned: int = 0) -> Reading:
    """What the reader makes of these pages; offsets, boxes and passages are checked on the way."""
    path = folder / "drawn.pdf"
    path.write_bytes(drawn(*pages, size=size, turned=turned))
    reading = PdfReader().read(path)
    check(reading)
    return reading


def check(reading: Reading) -> None:
    """Whether pages cover the text, blocks lie in it in order, every code point has its box, and passages are what they say."""
    assert reading.boxes is None or reading.boxes.shape == (len(reading.text), 4)
    ends = [0, *(page.span.end for page in reading.pages)]
    assert [page.span.start for page in reading.pages] == ends[:-1]
    assert ends[-1] == len(reading.text)
    at = 0
    for block in reading.blocks:
        assert at <= block.span.start < block.span.end
        at = block.span.end
    for passage in passages(reading):
        assert passage.text == reading.text[passage.span.start : passage.span.end]


def passages(reading: Reading, max_chars: int = 320) -> list:  # type: ignore[type-arg]
    """The passages, with a token for each character."""
    return cut(
        reading,
        VersionId("v"),
        max_chars=max_chars,
        count_tokens=lambda texts: [len(text) for text in texts],
        max_tokens=4 * max_chars,
        title="",
    )


def blocks(reading: Reading) -> list[tuple[str, str]]:
    """Kind and text of each block."""
    return [(block.kind.value, block.span.of(reading.text)) for block in reading.blocks]


def encrypted_pdf(password: str) -> bytes:
    """A document of the sample corpus that opens only with the password."""
    sample = Path(__file__).parents[1] / "corpus" / "sample" / "findings-to-measures.pdf"
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(sample))
    writer.encrypt(password, algorithm="AES-256")
    writer.write(target := io.BytesIO())
    return target.getvalue()
