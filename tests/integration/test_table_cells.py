"""One table in every format that has cells over several rows and columns: each row says what belongs to it, each passage has the whole header."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from pptx.util import Cm
from reportlab.pdfgen.canvas import Canvas

from ingest.formats import detect, open_reader
from tests.drawn import FONT, check, drawn, passages
from xuesi.core.ports import Reading

BODY = [[f"第{n}支部", str(10 + n), str(20 + n), "按期完成，写明体会"] for n in range(1, 15)]
BODY[1][0] = BODY[0][0]
HEADER = ["支部 | 人数 | 人数 | 情况", "支部 | 男 | 女 | 情况"]
# Text, row, column, rows, columns.
CELLS = [("支部", 0, 0, 2, 1), ("人数", 0, 1, 1, 2), ("情况", 0, 3, 2, 1), ("男", 1, 1, 1, 1), ("女", 1, 2, 1, 1)]
CELLS += [
    (text, 2 + i, k, 2 if (i, k) == (0, 0) else 1, 1)
    for i, row in enumerate(BODY)
    for k, text in enumerate(row)
    if (i, k) != (1, 0)
]
HEIGHT, WIDTH = 2 + len(BODY), 4


def as_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for text, row, column, down, over in CELLS:
        sheet.cell(row + 1, column + 1, text)
        if (down, over) != (1, 1):
            sheet.merge_cells(start_row=row + 1, start_column=column + 1, end_row=row + down, end_column=column + over)
    book.save(path)


def as_docx(path: Path) -> None:
    made = docx.Document()
    table = made.add_table(HEIGHT, WIDTH)
    for text, row, column, down, over in CELLS:
        cell = table.cell(row, column).merge(table.cell(row + down - 1, column + over - 1))
        cell.text = text
    made.save(str(path))


def as_pptx(path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    table = slide.shapes.add_table(HEIGHT, WIDTH, Cm(1), Cm(1), Cm(20), Cm(15)).table
    for text, row, column, down, over in CELLS:
        table.cell(row, column).text = text
        if (down, over) != (1, 1):
            table.cell(row, column).merge(table.cell(row + down - 1, column + over - 1))
    made.save(str(path))


def as_html(path: Path) -> None:
    rows = [[it for it in CELLS if it[1] == row] for row in range(HEIGHT)]
    cells = [
        "".join(f"<td rowspan={down} colspan='{over}'>{text}</td>" for text, _, _, down, over in row) for row in rows
    ]
    told = "<p>下面的表说明各支部有多少人，学习完成得怎样，数字由支部自己统计并由办公室核对。</p>"
    table = f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
    path.write_text(f"<html><body><article>{told}{table}{told}</article></body></html>", encoding="utf-8")


def as_odt(path: Path) -> None:
    rows = ""
    for row in range(HEIGHT):
        rows += "<table:table-row>"
        for column in range(WIDTH):
            own = [it for it in CELLS if it[1:3] == (row, column)]
            for text, _, _, down, over in own:
                spans = f'table:number-rows-spanned="{down}" table:number-columns-spanned="{over}"'
                rows += f"<table:table-cell {spans}><text:p>{text}</text:p></table:table-cell>"
            rows += "" if own else "<table:covered-table-cell/>"
        rows += "</table:table-row>"
    name = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{part}="{name}:{part}:1.0"' for part in ("office", "text", "table"))
    body = f"<office:body><office:text><table:table>{rows}</table:table></office:text></office:body>"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", f"<office:document-content {spaces}>{body}</office:document-content>")


def as_pdf(path: Path) -> None:
    edges, step, top = [60, 160, 240, 320, 520], 24, 780

    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 12)
        for text, row, column, down, over in CELLS:
            left, right = edges[column], edges[column + over]
            canvas.rect(left, top - step * (row + down), right - left, step * down)
            canvas.drawString(left + 8, top - step * (row + down / 2) - 4, text)

    path.write_bytes(drawn([draw]))


MAKERS: dict[str, Callable[[Path], None]] = {
    "xlsx": as_xlsx,
    "docx": as_docx,
    "pptx": as_pptx,
    "html": as_html,
    "odt": as_odt,
    "pdf": as_pdf,
}


def read(path: Path) -> Reading:
    reading = open_reader(detect(path, path.name)).read(path)
    check(reading)
    return reading


def rows_of(reading: Reading) -> list[str]:
    return [block.span.of(reading.text) for block in reading.blocks if block.table]


@pytest.mark.parametrize("kind", MAKERS)
def test_merged_cells_are_said_in_their_places_and_a_header_of_two_rows_comes_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    MAKERS[kind](path)
    reading = read(path)
    assert rows_of(reading) == [*HEADER, *(" | ".join(row) for row in BODY)]
    later = [passage for passage in passages(reading, 120) if "第9支部" in passage.text or "第12支部" in passage.text]
    assert len(later) > 1
    assert all(passage.heading_path[-2:] == tuple(HEADER) for passage in later)


def test_a_form_says_each_cell_once(tmp_path: Path) -> None:
    made = docx.Document()
    table = made.add_table(3, 8)
    words = [["姓名", "张三", "性别", "男"], ["单位", "第一支部"], ["学习体会", "读原著要坚持"]]
    for row, (texts, width) in enumerate(zip(words, (2, 4, 4), strict=True)):
        for i, text in enumerate(texts):
            table.cell(row, i * width).merge(table.cell(row, (i + 1) * width - 1)).text = text
    made.save(str(tmp_path / "a.docx"))
    assert rows_of(read(tmp_path / "a.docx")) == [
        "姓名 | 张三 | 性别 | 男",
        "单位 | 第一支部",
        "学习体会 | 读原著要坚持",
    ]


def test_a_title_over_a_table_is_said_once_and_long_cells_are_not_said_again(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    long = "读原著要坚持，" * 30
    for row in (
        ["学习安排表"],
        ["时段", "内容", None],
        ["上午", "自读", "研讨"],
        ["下午", long],
        ["合计", None, "四小时"],
        ["周一", "学习", "研讨"],
        ["周二", "学习", "调研"],
    ):
        sheet.append(row)
    for area in ("A1:C1", "B2:C2", "B4:C4", "A5:B5"):
        sheet.merge_cells(area)
    book.save(tmp_path / "plain.xlsx")
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as source, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as target:
        for name in source.namelist():
            endless = b'<mergeCell ref="A9:XFD1048576"/><mergeCell ref="A5:B5"'
            target.writestr(name, source.read(name).replace(b'<mergeCell ref="A5:B5"', endless))
    assert read(tmp_path / "a.xlsx").text.split("\n") == [
        "学习安排表",
        "时段 | 内容 | 内容",
        "上午 | 自读 | 研讨",
        f"下午 | {long}",
        "合计 | 合计 | 四小时",
        "周一 | 学习 | 研讨",
        "周二 | 学习 | 调研",
    ]
