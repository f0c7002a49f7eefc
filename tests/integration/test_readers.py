"""What a file says is read exactly, in every format; each file is made here."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import docx
import pptx
import pytest
from docx.enum.text import WD_BREAK
from pptx.util import Inches

from ingest.formats import detect, open_reader
from ingest.passages import cut
from xuesi.core.domain import VersionId
from xuesi.core.errors import EmptyFile, NoText, UnreadableDocument, UnsupportedFormat
from xuesi.core.ports import Reading

BODY = "读书班是集中一段时间读原著、议问题、找方向的学习组织形式。它以读和议为主，不同于一般的培训。"


def read(path: Path) -> Reading:
    reading = open_reader(detect(path, path.name)).read(path)
    check(reading)
    return reading


def check(reading: Reading) -> None:
    """What holds for every reading, and for the passages cut from it."""
    assert reading.pages[0].span.start == 0
    assert reading.pages[-1].span.end == len(reading.text)
    for before, after in zip(reading.pages, reading.pages[1:], strict=False):
        assert (before.number + 1, before.span.end) == (after.number, after.span.start)
    for one, other in zip(reading.blocks, reading.blocks[1:], strict=False):
        assert one.span.end < other.span.start
    for block in reading.blocks:
        shown = block.span.of(reading.text)
        assert shown == shown.strip() != ""
    assert reading.boxes is None or reading.boxes.shape == (len(reading.text), 4)
    assert not set(reading.text) & set("\r\f\v\0\ufeff")

    def count(texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    for passage in cut(reading, VersionId("v"), max_chars=380, count_tokens=count, max_tokens=4000, title=""):
        assert passage.text == reading.text[passage.span.start : passage.span.end] == passage.text.strip()


def lines(reading: Reading) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.span.of(reading.text)) for block in reading.blocks]


# Plain text and Markdown ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030", "big5"])
def test_plain_text_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"讀書班通知\r\n\r\n　　{BODY_HANT}\r\n".encode(encoding))
    reading = read(path)
    assert reading.text == f"讀書班通知\n{BODY_HANT}"
    assert reading.properties["title"] == "讀書班通知"


BODY_HANT = "調查研究要深入基層，聽取群眾意見，把情況摸清，把問題找準，把對策提實，形成可以落實的材料。"


def test_lines_broken_at_a_fixed_width_are_joined(tmp_path: Path) -> None:
    chinese = BODY * 8
    path = tmp_path / "a.txt"
    path.write_text("\n".join(chinese[i : i + 30] for i in range(0, len(chinese), 30)), encoding="utf-8")
    assert read(path).text.replace("\n", "") == chinese
    assert read(path).text.count("\n") < 4  # a line that is full and ends a sentence may be a paragraph's end

    english = "Every study group reads the text before they all discuss what it says. " * 12
    wrapped, line = [], ""
    for word in english.split():
        if len(line) + len(word) > 68:
            wrapped.append(line)
            line = ""
        line = f"{line} {word}".strip()
    path.write_text("\n".join([*wrapped, line, "", "A new paragraph.", ""]), encoding="utf-8")
    assert read(path).text == f"{english.strip()}\nA new paragraph."


def test_markdown_reads_as_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(
        "---\ntitle: 读书班手册\ndate: 2023-06-16\n---\n# 手册\n\n<!-- 不显示 -->\n**读书班**以*读*为主，见[指南](http://example.org)。\n\n"
        "## 步骤\n\n1. 自学\n2. 研讨\n   - 发言\n\n| 时段 | 内容 |\n|---|---|\n| 上午 | `自读` |\n",
        encoding="utf-8",
    )
    reading = read(path)
    assert lines(reading) == [
        ("heading", 1, "手册"),
        ("paragraph", 0, "读书班以读为主，见指南。"),
        ("heading", 2, "步骤"),
        ("list_item", 1, "1. 自学"),
        ("list_item", 1, "2. 研讨"),
        ("list_item", 2, "• 发言"),
        ("table_row", 0, "时段 | 内容"),
        ("table_row", 0, "上午 | 自读"),
    ]
    assert reading.properties == {"title": "读书班手册", "date": "2023-06-16"}
    assert [(entry.title, entry.level) for entry in reading.outline] == [("手册", 1), ("步骤", 2)]


def test_items_of_markdown_lists_read_as_items(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(
        "读书班要做到：\n\n- 先自学\n* 再研讨\n\n  研讨要有记录。\n\n3) 交流\n4) 总结\n\n- 第三条 学员应当参加。\n- （一）按时\n- [ ] 未完成\n-\n\n"
        "末段不是列表。\n\n1. ```\n   make\n   ```\n\n   再运行。\n",
        encoding="utf-8",
    )
    reading = read(path)
    assert lines(reading) == [
        ("paragraph", 0, "读书班要做到："),
        ("list_item", 1, "• 先自学"),
        ("list_item", 1, "• 再研讨"),
        ("paragraph", 0, "研讨要有记录。"),
        ("list_item", 1, "3) 交流"),
        ("list_item", 1, "4) 总结"),
        ("list_item", 1, "第三条 学员应当参加。"),
        ("list_item", 1, "（一）按时"),
        ("list_item", 1, "• [ ] 未完成"),
        ("paragraph", 0, "末段不是列表。"),
        ("list_item", 1, "1. make"),
        ("paragraph", 0, "再运行。"),
    ]


def test_a_bulleted_list_stays_with_its_lead_in_and_is_quoted_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    items = [f"第{n}组先到第{n}社区走访，记录群众反映的问题，不作评论。" for n in "甲乙丙"]
    listed = "".join(f"- {item}\n" for item in items)
    path.write_text(f"# 走访\n\n{BODY}\n\n{BODY}\n\n分组安排如下：\n\n{listed}\n{BODY}\n", encoding="utf-8")
    passages = cut(
        read(path), VersionId("v"), max_chars=160, count_tokens=lambda t: [len(x) for x in t], max_tokens=512, title=""
    )
    (found,) = [p for p in passages if "分组安排如下" in p.text]
    assert "\n".join(["分组安排如下：", *(f"• {item}" for item in items)]) in found.text


@pytest.mark.parametrize(
    "html",
    [
        '<div align="center">\n\n甲。\n\n</div>',
        "<br>\n\n甲。",
        "<!DOCTYPE html>\n\n甲。",
        '<?xml version="1.0" encoding="utf-8"?>\n\n甲。',
        "<![CDATA[x]]>\n\n甲。",
        "<script>\nalert(1)\n</script>\n\n甲。",
        "<style>\np {}\n</style>\n\n甲。",
        "<p>甲。</p>",
    ],
)
def test_html_inside_markdown_is_read_as_it_is_shown(tmp_path: Path, html: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(f"# 标题\n\n{html}\n\n乙。\n", encoding="utf-8")
    assert read(path).text == "标题\n甲。\n乙。"


def test_a_table_in_html_inside_markdown_keeps_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    table = "<table><tr><th>时段</th><th>内容</th></tr><tr><td>上午</td><td>自读</td></tr></table>"
    path.write_text(f"| 甲 | 乙 |\n|---|---|\n| 1 | 2 |\n\n{table}\n\n- 一项\n\n  <p>其中一段</p>\n", encoding="utf-8")
    reading = read(path)
    assert [block.span.of(reading.text) for block in reading.blocks] == [
        "甲 | 乙",
        "1 | 2",
        "时段 | 内容",
        "上午 | 自读",
        "• 一项",
        "其中一段",
    ]
    assert [block.table for block in reading.blocks] == [1, 1, 2, 2, 0, 0]


def test_markdown_in_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(f"# 标题\n\n{BODY}\n".encode("gb18030"))
    assert read(path).text == f"标题\n{BODY}"


# HTML ----------------------------------------------------------------------------------------------------------------

PAGE = (
    "<html><head><meta charset='{charset}'><title>站点 - 读书班</title><script>var x = '不读';</script></head><body>"
    "<nav><a href='/'>首页</a></nav><article><h1>读书班通知</h1>"
    "<p>{body}</p><h2>安排</h2><ul><li>自学原著</li><li>小组研讨</li></ul>"
    "<table><tr><th>时段</th><th>内容</th></tr><tr><td>上午</td><td>自读</td></tr></table><p>{body}</p></article>"
    "<footer>版权所有</footer></body></html>"
)


@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "utf-16"])
def test_a_web_page_without_its_furniture(tmp_path: Path, charset: str) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(PAGE.format(charset=charset, body=BODY).encode(charset))
    reading = read(path)
    assert lines(reading) == [
        ("heading", 1, "读书班通知"),
        ("paragraph", 0, BODY),
        ("heading", 2, "安排"),
        ("list_item", 1, "• 自学原著"),
        ("list_item", 1, "• 小组研讨"),
        ("table_row", 0, "时段 | 内容"),
        ("table_row", 0, "上午 | 自读"),
        ("paragraph", 0, BODY),
    ]
    assert reading.properties["title"] == "读书班通知"


# Word ----------------------------------------------------------------------------------------------------------------


def test_a_word_document_with_headings_lists_tables_and_pages(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "读书班手册"
    document.add_heading("第一章 总则", 1)
    document.add_paragraph(BODY)
    document.add_paragraph("自学原著", style="List Number")
    document.add_paragraph("小组研讨", style="List Number")
    document.add_paragraph("发观察卡", style="List Bullet")
    table = document.add_table(3, 2)
    for row, cells in zip(table.rows, [("时段", "内容"), ("上午", "自读"), ("", "批注")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    broken = document.add_paragraph("前一页的话")
    broken.add_run().add_break(WD_BREAK.PAGE)
    broken.add_run("后一页的话。")
    document.save(str(tmp_path / "a.docx"))
    reading = read(tmp_path / "a.docx")
    assert lines(reading) == [
        ("heading", 1, "第一章 总则"),
        ("paragraph", 0, BODY),
        ("list_item", 1, "1. 自学原著"),
        ("list_item", 1, "2. 小组研讨"),
        ("list_item", 1, "• 发观察卡"),
        ("table_row", 0, "时段 | 内容"),
        ("table_row", 0, "上午 | 自读"),
        ("table_row", 0, "上午 | 批注"),
        ("paragraph", 0, "前一页的话后一页的话。"),
    ]
    assert [page.span.of(reading.text)[-5:] for page in reading.pages] == ["前一页的话", "一页的话。"]
    assert reading.properties["title"] == "读书班手册"


WORD_XML = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{body}</w:body></w:document>'
)


def word_file(path: Path, body: str) -> Path:
    """A DOCX whose body is the given XML."""
    plain = io.BytesIO()
    docx.Document().save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, WORD_XML.format(body=body).encode() if name == "word/document.xml" else content)
    return path


def test_text_boxes_once_and_deleted_text_never(tmp_path: Path) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>框里的话</w:t></w:r></w:p></w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>正文</w:t></w:r><w:del><w:r><w:delText>删去</w:delText></w:r></w:del><w:ins><w:r><w:t>加上</w:t></w:r></w:ins>"
        f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>控件里的话</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    assert read(word_file(tmp_path / "a.docx", body)).text == "正文加上\n框里的话\n控件里的话"


# PowerPoint ----------------------------------------------------------------------------------------------------------


def test_slides_with_title_levels_table_group_and_notes(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "读书班"
    frame = slide.placeholders[1].text_frame
    frame.text = "自学"
    item = frame.add_paragraph()
    item.text, item.level = "批注", 1
    slide.notes_slide.notes_text_frame.text = "这里停一下。"
    second = deck.slides.add_slide(deck.slide_layouts[6])
    table = second.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "上午", "自读"
    second.shapes.add_group_shape().shapes.add_textbox(0, 0, Inches(2), Inches(1)).text_frame.text = "组合里的话。"
    deck.save(str(tmp_path / "a.pptx"))
    reading = read(tmp_path / "a.pptx")
    assert lines(reading) == [
        ("heading", 1, "读书班"),
        ("list_item", 1, "• 自学"),
        ("list_item", 2, "• 批注"),
        ("note", 0, "备注："),
        ("note", 0, "这里停一下。"),
        ("table_row", 0, "上午 | 自读"),
        ("paragraph", 0, "组合里的话。"),
    ]
    assert [page.label for page in reading.pages] == ["1", "2"]
    assert reading.pages[1].span.of(reading.text) == "上午 | 自读\n组合里的话。"


# What cannot be read -------------------------------------------------------------------------------------------------


def zipped(name: str, content: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("a.txt", b"", EmptyFile, "no content"),
        ("a.pdf", b"no PDF at all", UnsupportedFormat, "named like a PDF"),
        ("a.docx", zipped("a.txt"), UnsupportedFormat, "no document"),
        ("a.docx", b"PK\x03\x04 cut off", UnreadableDocument, "cut off"),
        ("a.docx", zipped("[Content_Types].xml", b"wordprocessingml.document.main"), UnreadableDocument, "DOCX"),
        ("a.txt", b"GIF89a" + bytes(50), UnsupportedFormat, "a GIF image"),
        ("a.bin", bytes(range(256)), UnsupportedFormat, "PDF, DOCX, PPTX, XLSX"),
        ("a.xml", b"<?xml version='1.0'?><a/>", UnsupportedFormat, "XML"),
        ("a.txt", " \n——\n".encode(), NoText, "no text"),
        ("a.html", b"<html><body><script>1</script></body></html>", NoText, "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: bytes, error: type[Exception], says: str
) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    with pytest.raises(error, match=says):
        open_reader(detect(path, name)).read(path)


def test_broken_xml_inside_a_word_document(tmp_path: Path) -> None:
    path = word_file(tmp_path / "a.docx", "<w:p>")
    with pytest.raises(UnreadableDocument, match="breaks its own format"):
        read(path)


def test_a_presentation_without_slides(tmp_path: Path) -> None:
    pptx.Presentation().save(str(tmp_path / "a.pptx"))
    with pytest.raises(NoText):
        read(tmp_path / "a.pptx")


@pytest.mark.parametrize(
    ("name", "content", "reader"),
    [
        ("通知.pdf.txt", b"%PDF-1.7\n", "pdf"),
        ("page.txt", b"<!DOCTYPE html><html><body>x</body></html>", "html"),
        ("README", "没有扩展名的文本".encode(), "txt"),
        ("a.MD", b"# x", "markdown"),
        ("emoji😀.txt", "文本".encode("utf-16"), "txt"),
    ],
)
def test_the_content_decides_the_format(tmp_path: Path, name: str, content: bytes, reader: str) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    assert detect(path, name).reader == reader
