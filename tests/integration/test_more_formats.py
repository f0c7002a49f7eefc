"""Spreadsheets, tables in text, Rich Text, e-books and OpenDocument texts are read as they are shown; each file is made here."""

import zipfile
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from ingest.formats import detect, open_reader
from ingest.pages_read import listening
from ingest.readers import csv as csv_reader
from ingest.readers import xlsx as xlsx_reader
from xuesi.core.errors import EncryptedDocument, NoText, UnreadableDocument, UnsupportedFormat
from xuesi.core.ports import Reading


def read(path: Path) -> Reading:
    reading = open_reader(detect(path, path.name)).read(path)
    assert reading.pages[0].span.start == 0
    assert reading.pages[-1].span.end == len(reading.text)
    return reading


def lines(reading: Reading) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.span.of(reading.text)) for block in reading.blocks]


# Spreadsheets --------------------------------------------------------------------------------------------------------


def test_a_spreadsheet_shows_every_sheet_as_people_read_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "调研安排"
    sheet.append(["2023年调研安排表"])
    sheet.append(["日期", "单位", "完成率", "金额", "时间"])
    sheet.append([date(2023, 4, 21), "宣传部", 0.853, 1234.5, time(14, 30)])
    sheet.append([datetime(2023, 5, 6, 9, 30), None, 1, 3, True])  # noqa: DTZ001 a spreadsheet has no zones
    sheet["A3"].number_format = 'yyyy"年"m"月"d"日"'
    sheet["C3"].number_format, sheet["D3"].number_format = "0.0%", "#,##0.00"
    hidden = book.create_sheet("底稿")
    hidden.sheet_state = "hidden"
    hidden["C5"] = "只在这里"
    book.create_sheet("Sheet3")
    book.properties.title = "调研表"
    book.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert [page.label for page in reading.pages] == ["调研安排", "底稿", "Sheet3"]
    shown = [line for _, _, line in lines(reading)]
    assert shown == [
        "调研安排",
        "2023年调研安排表",
        "日期 | 单位 | 完成率 | 金额 | 时间",
        "2023年4月21日 | 宣传部 | 85.3% | 1234.50 | 14:30",
        "2023-05-06 09:30 |  | 1 | 3 | TRUE",
        "底稿",
        "只在这里",
    ]
    assert {block.table for block in reading.blocks if block.table} == {1}
    assert reading.warnings == ("The sheet 底稿 is hidden; it is read all the same.",)
    assert reading.properties["title"] == "调研表"


def test_a_formula_gives_its_stored_value(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["合计", 42])
    book.save(tmp_path / "plain.xlsx")
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as source, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(b"<v>42</v>", b"<f>6*7</f><v>42</v>"))
    assert read(tmp_path / "a.xlsx").text == "合计 | 42"


def test_a_very_large_spreadsheet_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_reader, "_MOST_CELLS", 20)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("数据")
    for number in range(30):
        sheet.append([f"甲{number}", f"乙{number}"])
    book.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert "甲9 | 乙9" in reading.text
    assert "甲10" not in reading.text
    assert reading.warnings == ("Only the first 20 cells are read, up to the sheet 数据.",)


def test_reading_says_how_many_sheets_and_chapters_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("第一支部", "第二支部"):
        book.create_sheet(name).append(["单位", name])
    book.save(tmp_path / "a.xlsx")
    _book(tmp_path / "a.epub")
    for name, total in (("a.xlsx", 3), ("a.epub", 3)):
        said: list[tuple[int, int]] = []
        with listening(lambda done, total, said=said: said.append((done, total))):  # type: ignore[misc]
            read(tmp_path / name)
        assert said == [(done, total) for done in range(total + 1)]


# Tables in text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_in_any_encoding_with_any_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [["单位", "意见"], ["宣传部", f'"调研要深入{delimiter}\n要务实"'], ["组织部", "同意这个安排"], ["", ""]]
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))
    reading = read(path)
    mark = "" if delimiter == "\t" else delimiter
    assert lines(reading) == [
        ("table_row", 0, "单位 | 意见"),
        ("table_row", 0, f"宣传部 | 调研要深入{mark} 要务实"),
        ("table_row", 0, "组织部 | 同意这个安排"),
    ]


def test_a_very_long_table_is_cut_at_a_line_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "_MOST_BYTES", 1_000)
    path = tmp_path / "a.csv"
    path.write_text("序号,内容\n" + "".join(f"{n},调查研究的记录\n" for n in range(100)), encoding="utf-8")
    reading = read(path)
    assert reading.text.split("\n")[-1].endswith("调查研究的记录")
    assert "\ufffd" not in reading.text
    assert len(reading.warnings) == 1


def test_a_quotation_mark_that_nothing_closes_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('甲,乙\n"丙,丁\n' + "戊,己\n" * 40_000, encoding="utf-8")
    assert read(path).text.count("戊 | 己") == 40_000


# Rich Text -----------------------------------------------------------------------------------------------------------


def _hex(text: str) -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode("gbk"))


def _units(text: str) -> str:
    wide = text.encode("utf-16-le")
    units = (int.from_bytes(wide[i : i + 2], "little", signed=True) for i in range(0, len(wide), 2))
    return "".join(f"\\u{unit}?" for unit in units)


def test_rich_text_in_code_pages_and_in_unicode(tmp_path: Path) -> None:
    path = tmp_path / "a.rtf"
    path.write_text(
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset134 SimSun;}}"
        r"{\info{\title " + _units("读书班手册") + r"}}{\header page head}\f1 " + _hex("调查研究是谋事之基。") + r"\par "
        r"\f0 " + _units("成事之道😀。") + r"\par \trowd\cellx1\cellx2 " + _units("上午") + r"\cell "
        + _units("自读") + r"\cell\row\trowd A\cell B\cell\row end.\par}",
        encoding="ascii",
    )  # fmt: skip
    reading = read(path)
    assert lines(reading) == [
        ("paragraph", 0, "调查研究是谋事之基。"),
        ("paragraph", 0, "成事之道😀。"),
        ("table_row", 0, "上午 | 自读"),
        ("table_row", 0, "A | B"),
        ("paragraph", 0, "end."),
    ]
    assert reading.properties == {"title": "读书班手册"}


# E-books -------------------------------------------------------------------------------------------------------------


def _book(path: Path, *, encryption: str = "") -> Path:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>学习读本</dc:title>'
        "<dc:creator>编写组</dc:creator></metadata><manifest>"
        '<item id="two" href="text/%E4%BA%8C.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="cover"/><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/></spine></package>'
    )
    chapter = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        )
        archive.writestr("OEBPS/book.opf", opf)
        archive.writestr("OEBPS/cover.xhtml", chapter.format('<img src="c.jpg"/>'))
        archive.writestr(
            "OEBPS/text/one.xhtml", chapter.format("<h1>第一章 总论</h1><p>第一章的正文。</p><ol><li>自学</li></ol>")
        )
        archive.writestr("OEBPS/text/二.xhtml", chapter.format("<h1>第二章 方法</h1><p>第二章的正文。</p>"))
        if encryption:
            archive.writestr("META-INF/encryption.xml", f'<e><EncryptionMethod Algorithm="{encryption}"/></e>')
    return path  # fmt: skip


def test_a_book_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    reading = read(_book(tmp_path / "a.epub", encryption="http://www.idpf.org/2008/embedding"))
    assert [page.span.of(reading.text) for page in reading.pages] == [
        "第一章 总论\n第一章的正文。\n1. 自学\n",
        "第二章 方法\n第二章的正文。",
    ]
    assert [entry.title for entry in reading.outline] == ["第一章 总论", "第二章 方法"]
    assert (reading.properties["title"], reading.properties["author"]) == ("学习读本", "编写组")


def test_a_locked_book_is_said_to_be_locked(tmp_path: Path) -> None:
    with pytest.raises(EncryptedDocument, match="DRM"):
        read(_book(tmp_path / "a.epub", encryption="http://www.w3.org/2001/04/xmlenc#aes128-cbc"))


# OpenDocument --------------------------------------------------------------------------------------------------------

_ODF = " ".join(f'xmlns:{part}="urn:oasis:names:tc:opendocument:xmlns:{part}:1.0"' for part in ("office", "text", "table", "draw", "style"))  # fmt: skip


def _odt(
    path: Path, body: str, *, manifest: str = "<m/>", media_type: str = "application/vnd.oasis.opendocument.text"
) -> Path:
    styles = (
        '<office:automatic-styles><text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" '
        'style:num-suffix="."/><text:list-level-style-bullet text:level="2"/></text:list-style></office:automatic-styles>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", media_type)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content {_ODF}>{styles}<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        )
    return path  # fmt: skip


def test_an_open_document_with_headings_lists_tables_and_notes(tmp_path: Path) -> None:
    body = (
        '<text:tracked-changes><text:p>删去的话</text:p></text:tracked-changes><text:h text:outline-level="1">第一章 总则</text:h>'
        '<text:p>前一句<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>见原著。</text:p></text:note-body></text:note>'
        '，后<text:s text:c="2"/>一句。<office:annotation><text:p>批注</text:p></office:annotation></text:p>'
        '<text:list text:style-name="L1"><text:list-item><text:p>自学</text:p><text:list><text:list-item><text:p>批读</text:p></text:list-item></text:list>'
        "</text:list-item><text:list-item><text:p>研讨</text:p></text:list-item></text:list>"
        '<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>时段</text:p></table:table-cell><table:table-cell><text:p>内容</text:p></table:table-cell></table:table-row></table:table-header-rows>'
        '<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>上午</text:p></table:table-cell><table:table-cell><text:p>自读</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        '<table:table-row><table:covered-table-cell/><table:table-cell><text:p>研讨</text:p></table:table-cell></table:table-row></table:table>'
        "<text:p><draw:frame><draw:text-box><text:p>框里的话</text:p></draw:text-box></draw:frame></text:p>"
        "<text:soft-page-break/><text:p>第二页的话。</text:p>"
    )  # fmt: skip
    reading = read(_odt(tmp_path / "a.odt", body))
    assert lines(reading) == [
        ("heading", 1, "第一章 总则"),
        ("paragraph", 0, "前一句，后  一句。"),
        ("note", 0, "[1] 见原著。"),
        ("list_item", 1, "1. 自学"),
        ("list_item", 2, "• 批读"),
        ("list_item", 1, "2. 研讨"),
        ("table_row", 0, "时段 | 内容"),
        ("table_row", 0, "上午 | 自读"),
        ("table_row", 0, "上午 | 研讨"),
        ("paragraph", 0, "框里的话"),
        ("paragraph", 0, "第二页的话。"),
    ]
    assert [page.span.of(reading.text).split("\n")[-2:] for page in reading.pages] == [
        ["框里的话", ""],
        ["第二页的话。"],
    ]


def test_open_documents_that_are_locked_or_no_texts(tmp_path: Path) -> None:
    with pytest.raises(EncryptedDocument, match="password"):
        read(_odt(tmp_path / "a.odt", "<text:p>x</text:p>", manifest="<m><encryption-data/></m>"))
    with pytest.raises(UnsupportedFormat, match="spreadsheet"):
        read(_odt(tmp_path / "a.ods", "", media_type="application/vnd.oasis.opendocument.spreadsheet"))


# What is broken ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "part", "says"), [("a.xlsx", "xl/workbook.xml", "XLSX"), ("a.epub", "OEBPS/book.opf", "EPUB"), ("a.odt", "content.xml", "ODT")])  # fmt: skip
def test_a_package_that_lacks_a_part_says_so(tmp_path: Path, name: str, part: str, says: str) -> None:
    whole = tmp_path / "whole"
    if says == "XLSX":
        openpyxl.Workbook().save(whole)
    elif says == "EPUB":
        _book(whole)
    else:
        _odt(whole, "<text:p>x</text:p>")
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / name, "w") as target:
        for kept in source.namelist():
            if kept != part:
                target.writestr(kept, source.read(kept))
    with pytest.raises(UnreadableDocument, match=says):
        read(tmp_path / name)


@pytest.mark.parametrize("content", [b"{\\rtf1 }", b"{\\rtf1\\ansi\\par\\par}"])
def test_rich_text_without_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.rtf").write_bytes(content)
    with pytest.raises(NoText):
        read(tmp_path / "a.rtf")


def test_rich_text_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.rtf").write_bytes(b"{\\rtf1\\uc x}")
    with pytest.raises(UnreadableDocument, match="RTF"):
        read(tmp_path / "a.rtf")
