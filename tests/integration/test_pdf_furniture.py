"""What a PDF repeats at its edges or lays over its pages is left out and named; what only looks like it stays."""

import io
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.readers.pdf import PdfReader
from xuesi.core.ports import Furniture, Reading

FONT = "STSong-Light"
Text = tuple[float, float, float, str]


def read(path: Path, *pages: list[Text], over: str = "") -> Reading:
    """Each text at (x, y, size), y from the bottom of an A4 page; `over` is laid across every page, turned and light."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    for page in pages:
        if over:
            canvas.saveState()
            canvas.translate(180, 300)
            canvas.rotate(45)
            canvas.setFillGray(0.8)
            canvas.setFont(FONT, 50)
            canvas.drawString(0, 0, over)
            canvas.restoreState()
        for x, y, size, text in page:
            canvas.setFont(FONT, size)
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    (path / "a.pdf").write_bytes(out.getvalue())
    return PdfReader().read(path / "a.pdf")


def body(number: int, lines: int = 5) -> list[Text]:
    return [(72, 700 - 20 * i, 12, f"第{number}次学习讨论了第{i}个问题，大家都说得很实在。") for i in range(lines)]


def left_out(reading: Reading) -> dict[Furniture, list[str]]:
    found: dict[Furniture, list[str]] = {}
    for it in reading.left_out:
        found.setdefault(it.what, []).append(it.text)
    return found


def test_heads_of_left_and_right_pages_are_left_out(tmp_path: Path) -> None:
    heads = ["主题教育读书班手册", "湖南省调研资料"]
    reading = read(tmp_path, *([(200, 790, 9, heads[n % 2]), *body(n)] for n in range(6)))
    assert left_out(reading) == {Furniture.RUNNING_HEAD: heads}
    assert [it.pages for it in reading.left_out] == [(1, 3, 5), (2, 4, 6)]
    assert not any(head in reading.text for head in heads)
    assert reading.text.count("大家都说得很实在。") == 30


@pytest.mark.parametrize(
    "form", ["第 {0} 页 共 4 页", "第{0}页共4页", "- {0} -", "— {0} —", "{0}/4", "Page {0} of 4", "{0}"]
)
def test_page_numbers_of_many_forms_are_left_out(tmp_path: Path, form: str) -> None:
    reading = read(tmp_path, *([*body(n), (280, 30, 9, form.format(n))] for n in range(1, 5)))
    assert list(left_out(reading)) == [Furniture.PAGE_NUMBER]
    assert reading.left_out[0].pages == (1, 2, 3, 4)
    assert reading.text.endswith("大家都说得很实在。")


def test_roman_page_numbers_are_left_out(tmp_path: Path) -> None:
    reading = read(tmp_path, *([*body(n), (280, 30, 9, roman)] for n, roman in enumerate(["iii", "iv", "v"])))
    assert [it.text for it in reading.left_out] == ["iii"]


def test_numbers_that_do_not_count_with_the_pages_stay(tmp_path: Path) -> None:
    reading = read(tmp_path, *([*body(n), (280, 30, 12, value)] for n, value in enumerate(["2019", "312", "47"])))
    assert reading.left_out == ()
    assert "2019" in reading.text


def test_a_watermark_is_left_out_and_does_not_break_sentences(tmp_path: Path) -> None:
    pages = [body(n, 30) for n in range(3)]
    reading = read(tmp_path, *pages, over="内部资料")
    assert left_out(reading) == {Furniture.WATERMARK: ["内部资料"]}
    assert reading.text == read(tmp_path, *pages).text


def test_a_sentence_that_each_page_begins_with_stays(tmp_path: Path) -> None:
    pages = [[(72, 740, 12, "各位代表！"), *[(x, y + 20, size, t) for x, y, size, t in body(n)]] for n in range(4)]
    assert read(tmp_path, *pages).text.count("各位代表！") == 4


def test_words_that_come_again_inside_the_page_stay(tmp_path: Path) -> None:
    reading = read(tmp_path, *([*body(n), (72, 400, 12, "姓名："), (72, 380, 12, f"学员{n}")] for n in range(4)))
    assert reading.left_out == ()
    assert reading.text.count("姓名：") == 4


def test_a_title_that_stands_once_stays(tmp_path: Path) -> None:
    reading = read(tmp_path, [(200, 790, 20, "读书班手册"), *body(0)], body(1), body(2))
    assert reading.text.startswith("读书班手册\n")
    assert reading.left_out == ()
