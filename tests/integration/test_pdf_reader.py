"""PDF text stands where its boxes say, on turned and cropped pages too; what is drawn by PDFium is the judge."""

import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont
from pypdf.generic import RectangleObject
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.gate import unreadable
from ingest.readers.pdf import PdfReader
from xuesi.core.domain import PageHow
from xuesi.core.errors import EncryptedDocument, NoText, UnreadableDocument
from xuesi.core.ports import Reading

FONT = "STSong-Light"
WIDTH, HEIGHT = 595.0, 842.0


def drawn(*pages: list[tuple[float, float, float, str]]) -> bytes:
    """A PDF with each text at (x, y, size), y from the bottom."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT))
    canvas.setTitle("读书班手册")
    for number, page in enumerate(pages):
        for x, y, size, text in page:
            canvas.setFont(FONT if not text.isascii() else "Helvetica", size)
            canvas.drawString(x, y, text)
        canvas.bookmarkPage(f"p{number}")
        canvas.addOutlineEntry(f"第{number + 1}页", f"p{number}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def read(path: Path, data: bytes, password: str | None = None) -> Reading:
    path.write_bytes(data)
    return PdfReader().read(path, password=password)


def changed(
    data: bytes, *, rotation: int = 0, crop: tuple[float, float, float, float] | None = None, password: str = ""
) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    for page in writer.pages:
        if crop:
            page.cropbox = RectangleObject(crop)
        if rotation:
            page.rotate(rotation)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (50.0, 40.0, 550.0, 800.0)])
def test_a_word_stands_where_it_is_drawn(
    tmp_path: Path, rotation: int, crop: tuple[float, float, float, float] | None
) -> None:
    data = changed(drawn([(120, 700, 20, "Xuesi")]), rotation=rotation, crop=crop)
    reading = read(tmp_path / "a.pdf", data)
    assert reading.boxes is not None
    left, top = reading.boxes[:, :2].min(axis=0)
    right, bottom = reading.boxes[:, 2:].max(axis=0)

    scale = 4
    with pypdfium2.PdfDocument(data) as document:
        image = document[0].render(scale=scale).to_pil().convert("L")
    ink = np.argwhere(np.asarray(image) < 128) / scale
    (ink_top, ink_left), (ink_bottom, ink_right) = ink.min(axis=0), ink.max(axis=0)
    assert left - 1 <= ink_left <= left + 6
    assert right - 6 <= ink_right <= right + 1
    assert top - 1 <= ink_top <= top + 8
    assert bottom - 8 <= ink_bottom <= bottom + 1
    page = reading.pages[0]
    assert (page.width, page.height) == pytest.approx((image.width / scale, image.height / scale), abs=1)


def test_lines_of_a_paragraph_are_joined_and_headings_found_by_size(tmp_path: Path) -> None:
    first, second = "读书班是集中一段时间读原著、议问题、找方向的学习组织形", "式，它以读和议为主。"
    page: list[tuple[float, float, float, str]] = [
        (200, 780, 20, "读书班手册"),
        (72, 740, 14, "学习的方法"),
        (96, 710, 12, first),
        (72, 690, 12, second + "学员先自读，再互讲，把不懂的地方记下来。"),
        (96, 670, 12, "另起一段。"),
    ]
    reading = read(tmp_path / "a.pdf", drawn(page))
    assert [(b.kind.value, b.level, b.span.of(reading.text)) for b in reading.blocks] == [
        ("heading", 1, "读书班手册"),
        ("heading", 2, "学习的方法"),
        ("paragraph", 0, first + second + "学员先自读，再互讲，把不懂的地方记下来。"),
        ("paragraph", 0, "另起一段。"),
    ]
    assert reading.properties["title"] == "读书班手册"


def test_a_paragraph_goes_on_over_the_page_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    line = "把学习成果转化为工作举措是主题教育的要求各个支部都要认真落实"
    pages = [
        [(72.0, 740.0 - 20 * i, 12.0, line) for i in range(3)] + [(290.0, 20.0, 9.0, f"第 {number} 页")]
        for number in (1, 2, 3)
    ]
    pages[2][2] = (72.0, 700.0, 12.0, "最后一句。")
    reading = read(tmp_path / "a.pdf", drawn(*pages))
    assert reading.text == line * 8 + "最后一句。"
    assert len(reading.blocks) == 1
    assert [len(page.span) for page in reading.pages] == [3 * len(line), 3 * len(line), 2 * len(line) + 5]
    assert [(entry.title, entry.page, entry.level) for entry in reading.outline] == [
        ("第1页", 1, 1),
        ("第2页", 2, 1),
        ("第3页", 3, 1),
    ]
    assert reading.boxes is not None
    assert not np.isnan(reading.boxes).any()


def test_a_ruled_table_is_read_row_by_row_and_cells_on_two_lines_are_joined(tmp_path: Path) -> None:
    out = io.BytesIO()
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT))
    canvas.setFont(FONT, 12)
    canvas.drawString(72, 760, "下面的表说明一天怎样安排。")
    canvas.grid([72, 172, 372], [740, 710, 660, 630])
    for x, y, text in [
        (80, 720, "时段"),
        (180, 720, "内容"),
        (80, 690, "上午"),
        (180, 690, "自读原著并写下"),
        (180, 670, "批注和疑问"),
    ]:
        canvas.drawString(x, y, text)
    canvas.drawString(80, 640, "下午")
    canvas.drawString(180, 640, "研讨")
    canvas.drawString(72, 600, "表后另有说明。")
    canvas.save()
    reading = read(tmp_path / "a.pdf", out.getvalue())
    assert [(b.kind.value, b.table, b.span.of(reading.text)) for b in reading.blocks] == [
        ("paragraph", 0, "下面的表说明一天怎样安排。"),
        ("table_row", 1, "时段 | 内容"),
        ("table_row", 1, "上午 | 自读原著并写下批注和疑问"),
        ("table_row", 1, "下午 | 研讨"),
        ("paragraph", 0, "表后另有说明。"),
    ]
    assert reading.boxes is not None
    at = reading.text.index("研讨")
    assert reading.boxes[at, 0] == pytest.approx(180, abs=1)
    assert reading.boxes[at, 1] < HEIGHT - 640 < reading.boxes[at, 3]


def test_characters_beyond_the_basic_plane_are_one_code_point(tmp_path: Path) -> None:
    from ingest.readers.pdf_chars import _whole_code_points

    points = np.array([0x41, 0xD842, 0xDFB7, 0xD842], dtype=np.uint32)
    boxes = np.arange(16, dtype=np.float32).reshape(4, 4)
    whole, kept, _ = _whole_code_points(points, boxes, np.zeros(4, dtype=np.bool_))
    assert whole.tolist() == [0x41, 0x20BB7, 0xFFFD]
    assert kept[:, 0].tolist() == [0, 4, 12]


def test_an_encrypted_pdf_opens_with_its_password_only(tmp_path: Path) -> None:
    data = changed(drawn([(72, 700, 12, "Secret text of the group.")]), password="geheim")
    with pytest.raises(EncryptedDocument, match="opens only with a password"):
        read(tmp_path / "a.pdf", data)
    with pytest.raises(EncryptedDocument, match="given password does not open"):
        read(tmp_path / "a.pdf", data, password="falsch")
    assert read(tmp_path / "a.pdf", data, password="geheim").text == "Secret text of the group."


def test_a_truncated_pdf_is_repaired_or_refused(tmp_path: Path) -> None:
    data = drawn([(72, 700, 12, "Text of the group.")])
    with pytest.raises(UnreadableDocument, match="damaged or cut off"):
        read(tmp_path / "a.pdf", data[:300])
    assert read(tmp_path / "a.pdf", data[: data.rindex(b"startxref")]).text == "Text of the group."


def test_a_pdf_that_shows_no_text_is_refused_page_by_page(tmp_path: Path) -> None:
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.rect(100, 100, 200, 200, fill=1)
    canvas.showPage()
    canvas.save()
    with pytest.raises(NoText, match="Page 1: "):
        read(tmp_path / "a.pdf", out.getvalue())


def test_a_pdf_without_pages_is_refused(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(NoText, match="has no pages"):
        read(tmp_path / "a.pdf", out.getvalue())


def scanned(*lines: tuple[float, float, str], turns: int = 0) -> tuple[bytes, Image.Image]:
    """A PDF that holds nothing but the picture of an A4 page with a text at each (left, top) in points; and the picture, 2 pixels a point."""
    font = ImageFont.truetype(str(files("paperang_p2_fonts_cjk") / "fonts/wqy-microhei.ttc"), 24)
    picture = Image.new("L", (1190, 1684), 245)
    draw = ImageDraw.Draw(picture)
    for left, top, text in lines:
        draw.text((2 * left, 2 * top), text, font=font, fill=30)
    picture = picture.rotate(90 * turns, expand=True)
    out = io.BytesIO()
    picture.save(out, "PDF", resolution=144)
    return out.getvalue(), picture


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_scan_is_read_and_its_characters_stand_where_they_are_seen(tmp_path: Path, turns: int) -> None:
    first, second = "主题教育要坚持问题导向，深入基层调查研究。", "Members read the texts first."
    data, picture = scanned((60, 100, first), (60, 300, second), turns=turns)
    reading = read(tmp_path / "a.pdf", data)
    assert reading.text.split("\n") == [first, second]
    assert [(it.how, it.language) for it in reading.report] == [(PageHow.OCR, "zh")]
    assert reading.warnings == ("1 of 1 pages were read from their picture: 1.",)
    assert reading.boxes is not None
    ink = np.asarray(picture) < 128
    at = reading.text.index("调查")
    for left, top, right, bottom in (2 * reading.boxes[at : at + 2]).astype(int).tolist():
        assert ink[top:bottom, left:right].mean() > 0.05
        assert 14 <= right - left <= 44
        assert 14 <= bottom - top <= 44


def test_a_scan_in_two_columns_is_read_column_by_column(tmp_path: Path) -> None:
    left = [f"左栏第{n}行讲的是学习方法和安排" for n in "一二三四"]
    right = [f"右栏第{n}行讲的是调查研究的要求" for n in "一二三四"]
    lines = [(150.0, 60.0, "横跨两栏的标题说明全页的内容和读书班的安排")]
    lines += [(50.0, 120 + 30 * i, text) for i, text in enumerate(left)]
    lines += [(320.0, 120 + 30 * i, text) for i, text in enumerate(right)]
    reading = read(tmp_path / "a.pdf", scanned(*lines)[0])
    assert reading.text.replace("\n", "") == "".join([lines[0][2], *left, *right])


def test_letters_that_are_none_are_not_taken_for_text(tmp_path: Path) -> None:
    assert unreadable("主题教育要坚持问题导向。" * 5) == unreadable("Members read the texts first. " * 9) == 0
    assert unreadable("\ufffd\ue000主题") == 0.5
    assert unreadable("".join(chr(0x4E00 + 37 * n % 20900) for n in range(400))) == 1
    assert unreadable("brtk wxcv plmn sdfg " * 9) == 1
    assert unreadable("̽ଋҨǥƹ̽ୡȥဎഁୡࣧҨဌʾဎಱ̽ೌ" * 3) == 1
    assert unreadable("brtk wxcv") == 0  # too short to tell


def test_pages_without_text_are_named(tmp_path: Path) -> None:
    reading = read(tmp_path / "a.pdf", drawn([(72, 700, 12, "Only page with text.")], [], []))
    assert reading.warnings == ("2 of 3 pages hold no text and cannot be found: 2, 3.",)
    assert [len(page.span) for page in reading.pages] == [21, 0, 0]


def test_columns_of_a_scan_that_stand_close_are_not_read_across(tmp_path: Path) -> None:
    left = [f"左栏第{n}行讲的是学习方法和安排以及总结" for n in "一二三四五"]
    right = [f"右栏第{n}行讲的是调查研究的要求和安排" for n in "一二三四五"]
    lines = [(50.0, 120 + 25 * i, text) for i, text in enumerate(left)]
    lines += [(292.0, 120 + 25 * i, text) for i, text in enumerate(right)]
    assert read(tmp_path / "a.pdf", scanned(*lines)[0]).text.replace("\n", "") == "".join([*left, *right])


def test_a_scan_of_vertical_print_is_read_from_the_right(tmp_path: Path) -> None:
    columns = ["读书班要把学习和工作结合起来", "调查研究要到基层去听取意见", "问题要一件一件地改到位"]
    lines = [(400.0 - 40 * i, 100.0 + 15 * k, char) for i, text in enumerate(columns) for k, char in enumerate(text)]
    assert read(tmp_path / "a.pdf", scanned(*lines)[0]).text.replace("\n", "") == "".join(columns)
