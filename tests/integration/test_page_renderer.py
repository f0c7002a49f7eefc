"""Pages are drawn by a process of its own that may die or hang without harm."""

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from api.render import PageRenderer, chinese_font
from tests.hostile import a_pdf_that_takes_hours
from xuesi.core.errors import PageNotFound, RendererUnavailable

SHARED = Path(__file__).parents[3] / "shared" / "data" / "parsers" / "files"
YELLOW = (255, 226, 110)


@pytest.fixture(scope="module")
def renderer() -> Iterator[PageRenderer]:
    drawing = PageRenderer(timeout_s=120, font=chinese_font())
    yield drawing
    drawing.close()


@pytest.fixture
def two_pages(tmp_path: Path) -> Path:
    path = tmp_path / "two.pdf"
    canvas = Canvas(str(path), pagesize=(200, 100))
    for number in (1, 2):
        canvas.setFillGray(0)
        canvas.rect(20 * number, 40, 10, 10, stroke=0, fill=1)
        canvas.showPage()
    canvas.save()
    return path


@pytest.fixture
def chinese(tmp_path: Path) -> Path:
    """A PDF that names STSong-Light and does not carry it."""
    path = tmp_path / "chinese.pdf"
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    canvas = Canvas(str(path), pagesize=(300, 100))
    canvas.setFont("STSong-Light", 20)
    canvas.drawString(20, 60, "学思用贯通，知信行统一")
    canvas.drawString(20, 20, "以学铸魂")
    canvas.save()
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    path = tmp_path / "endless.pdf"
    path.write_bytes(a_pdf_that_takes_hours())
    return path


def _image(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _dark(image: Image.Image) -> int:
    return sum(image.convert("L").histogram()[:100])


def test_each_page_is_drawn_at_the_scale_asked_for(renderer: PageRenderer, two_pages: Path) -> None:
    first = _image(renderer.page_png(two_pages, page=1, scale=2, marks=[]))
    second = _image(renderer.page_png(two_pages, page=2, scale=1, marks=[]))
    assert (first.size, second.size) == ((400, 200), (200, 100))
    assert first.getpixel((50, 110)) == (0, 0, 0)
    assert second.getpixel((45, 55)) == (0, 0, 0)
    assert second.getpixel((25, 55)) == (255, 255, 255)


def test_mark_lies_where_its_box_is_and_leaves_what_is_printed_readable(
    renderer: PageRenderer, two_pages: Path
) -> None:
    image = _image(renderer.page_png(two_pages, page=1, scale=2, marks=[(10, 45, 40, 65)]))
    assert image.getpixel((30, 120)) == YELLOW
    assert image.getpixel((50, 110)) == (0, 0, 0)
    assert image.getpixel((100, 120)) == (255, 255, 255)
    assert image.getpixel((30, 80)) == (255, 255, 255)


@pytest.mark.parametrize("page", [0, -1, 3])
def test_page_that_is_not_there_is_not_found(renderer: PageRenderer, two_pages: Path, page: int) -> None:
    with pytest.raises(PageNotFound, match="2 pages"):
        renderer.page_png(two_pages, page=page, scale=1, marks=[])


def test_page_of_a_giant_is_drawn_smaller(renderer: PageRenderer, tmp_path: Path) -> None:
    path = tmp_path / "giant.pdf"
    canvas = Canvas(str(path), pagesize=(14_400, 14_400))
    canvas.showPage()
    canvas.save()
    width, height = _image(renderer.page_png(path, page=1, scale=4, marks=[])).size
    assert width * height <= 24_100_000


def test_chinese_text_whose_font_is_not_embedded_is_drawn(renderer: PageRenderer, chinese: Path) -> None:
    assert b"STSong" in chinese.read_bytes()
    assert b"/FontFile" not in chinese.read_bytes()
    image = _image(renderer.page_png(chinese, page=1, scale=2, marks=[]))
    first, second = image.crop((0, 40, 600, 100)), image.crop((0, 120, 600, 180))
    # 11 and 4 characters of 40 by 40 pixels, each inked to about a fifth
    assert _dark(first) > 11 * 150
    assert 4 * 150 < _dark(second) < _dark(first) * 0.6
    assert renderer.drawable(chinese)


def test_letters_are_the_ones_meant_and_not_boxes(renderer: PageRenderer, tmp_path: Path) -> None:
    """一 is a single stroke and 學 has sixteen: a placeholder for both would be equal."""
    inks = []
    for letter in ("一", "學"):
        path = tmp_path / f"{ord(letter)}.pdf"
        canvas = Canvas(str(path), pagesize=(60, 60))
        pdfmetrics.registerFont(UnicodeCIDFont("MSung-Light"))
        canvas.setFont("MSung-Light", 40)
        canvas.drawString(10, 10, letter)
        canvas.save()
        inks.append(_dark(_image(renderer.page_png(path, page=1, scale=2, marks=[]))))
    assert 0 < inks[0] * 3 < inks[1]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared PDFs are not here")
@pytest.mark.parametrize("name", ["pdf.js__noembed-identity-2.pdf", "pdf.js__noembed-sjis.pdf"])
def test_foreign_pdf_without_fonts_is_drawn(renderer: PageRenderer, name: str) -> None:
    assert _dark(_image(renderer.page_png(SHARED / name, page=1, scale=2, marks=[]))) > 5 * 150


def test_without_the_font_such_a_file_is_not_called_drawable_but_others_are(chinese: Path, two_pages: Path) -> None:
    renderer = PageRenderer(timeout_s=120, font=None)
    try:
        assert not renderer.drawable(chinese)
        assert renderer.drawable(two_pages)
        assert renderer.page_png(chinese, page=1, scale=1, marks=[])
    finally:
        renderer.close()


def test_encrypted_file_has_no_drawn_pages(renderer: PageRenderer, two_pages: Path, tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=two_pages)
    writer.encrypt("word", algorithm="AES-256")
    path = tmp_path / "locked.pdf"
    writer.write(path)
    with pytest.raises(PageNotFound, match="encrypted"):
        renderer.page_png(path, page=1, scale=1, marks=[])
    assert not renderer.drawable(path)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nnonsense", b"\x00" * 5000])
def test_damaged_file_is_told_and_the_next_page_comes(
    renderer: PageRenderer, two_pages: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "damaged.pdf"
    path.write_bytes(content)
    with pytest.raises(RendererUnavailable):
        renderer.page_png(path, page=1, scale=1, marks=[])
    assert not renderer.drawable(path)
    assert renderer.page_png(two_pages, page=1, scale=1, marks=[])


def test_missing_file_is_told(renderer: PageRenderer, tmp_path: Path) -> None:
    with pytest.raises(RendererUnavailable):
        renderer.page_png(tmp_path / "none.pdf", page=1, scale=1, marks=[])


def test_page_that_takes_too_long_is_stopped_and_the_next_one_comes(endless: Path, two_pages: Path) -> None:
    renderer = PageRenderer(timeout_s=2, font=None)
    try:
        began = time.monotonic()
        with pytest.raises(RendererUnavailable, match="longer than 2 s"):
            renderer.page_png(endless, page=1, scale=1, marks=[])
        assert time.monotonic() - began < 60
        assert renderer.page_png(two_pages, page=1, scale=1, marks=[])
    finally:
        renderer.close()


def test_process_killed_while_idle_is_replaced_unnoticed(renderer: PageRenderer, two_pages: Path) -> None:
    renderer.page_png(two_pages, page=1, scale=1, marks=[])
    zygote = renderer._apart._zygote
    assert zygote
    os.kill(zygote.pid, signal.SIGKILL)
    zygote.wait()
    assert renderer.page_png(two_pages, page=2, scale=1, marks=[])


def test_process_killed_while_drawing_is_an_error_and_the_next_call_works(endless: Path, two_pages: Path) -> None:
    renderer = PageRenderer(timeout_s=120, font=None)
    renderer.page_png(two_pages, page=1, scale=1, marks=[])
    zygote = renderer._apart._zygote
    assert zygote
    killer = threading.Timer(0.7, os.kill, (zygote.pid, signal.SIGKILL))
    killer.start()
    try:
        with pytest.raises(RendererUnavailable, match="ended the process"):
            renderer.page_png(endless, page=1, scale=1, marks=[])
        assert renderer.page_png(two_pages, page=1, scale=1, marks=[])
    finally:
        killer.join()
        renderer.close()


def test_process_ends_with_its_server(two_pages: Path) -> None:
    renderer = PageRenderer(timeout_s=5, font=None)
    renderer.page_png(two_pages, page=1, scale=1, marks=[])
    zygote, lines = renderer._apart._zygote, renderer._apart._lines
    assert zygote
    assert lines
    lines.close()
    assert zygote.wait(5) == 0
    renderer.close()


def test_font_is_the_one_we_know() -> None:
    assert chinese_font() is not None
