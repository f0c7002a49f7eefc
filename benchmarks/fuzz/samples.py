"""Which valid files does the fuzzer change? Small ones with much in them: some of the sample corpus, the others made here."""

import io
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import openpyxl
from PIL import Image, ImageDraw
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.formats import soffice

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "sample"
_ODF = " ".join(
    f'xmlns:{part}="urn:oasis:names:tc:opendocument:xmlns:{part}:1.0"'
    for part in ("office", "text", "table", "draw", "style")
)
_RTF = (
    r"{\rtf1\ansi\ansicpg936{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset134 SimSun;}}{\info{\title \u-29195?\u20070?}}"
    r"{\header page head}{\*\generator none}\f1 \'b5\'f7\'b2\'e9\'d1\'d0\'be\'bf\'ca\'c7\'c4\'b1\'ca\'c2\'d6\'ae\'bb\'f9\'a1\'a3\par"
    r"{\pict\wmetafile8 0100090000}{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}\bin4 abcd\f0 \u-10179?\u-8704?\par "
    r"\trowd\cellx1\cellx2 One\cell Two\cell\row\trowd A\cell B\cell\row{\footnote a note}\uc2\u25105 ab end.\par}"
)
_MARKDOWN = (
    '---\ntitle: 手册\n---\n# 一、总则\n\n要**深入**基层，`听取`[意见](http://example.org/a "b")。<br>\n\n> 引文\n> - 甲\n>   1. 乙\n\n'
    "| 时段 | 内容 |\n|---|:-:|\n| 上午 | 自读 |\n\n```text\ncode\n```\n<!-- x -->\n<table><tr><td>a</td></tr></table>\n\n标题\n===\n\n![图](a.png)\n"
)  # fmt: skip
_CSV = '单位,意见,日期\r\n宣传部,"调研要深入,\n要务实",2023-04-21\r\n组织部,"同意""这个""安排",\r\n,,\r\n'
_CHAPTER = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'


@cache
def samples(name: str) -> tuple[bytes, ...]:
    """Valid files of the format, as their extension names it."""
    made = MADE[name]() if name in MADE else []
    kept = [path.read_bytes() for path in sorted(CORPUS.glob(f"*.{name}"))]
    return (*made, *sorted(kept, key=len)[:3])


def _pdf() -> list[bytes]:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    canvas = Canvas(out := io.BytesIO(), pagesize=(300, 400))
    canvas.setTitle("手册")
    for page in range(2):
        canvas.setFont("STSong-Light", 11)
        for line in range(6):
            canvas.drawString(30, 350 - 18 * line, f"第{page}页第{line}行：要深入基层，听取意见。")
        canvas.setFont("Helvetica", 9)
        canvas.drawString(30, 30, f"Page {page + 1}")
        for y in (100, 130, 160):
            canvas.line(30, y, 250, y)
        for x in (30, 140, 250):
            canvas.line(x, 100, x, 160)
        canvas.drawString(40, 110, "cell a")
        canvas.drawString(150, 110, "cell b")
        canvas.bookmarkPage(f"p{page}")
        canvas.addOutlineEntry(f"第{page}页", f"p{page}", level=page)
        canvas.showPage()
    canvas.save()
    return [out.getvalue()]


def _xlsx() -> list[bytes]:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "调研安排"
    for row in (
        ["2023年调研安排表"],
        ["日期", "单位", "完成率"],
        [date(2023, 4, 21), "宣传部", 0.853],
        ["合计", None, 3],
    ):
        sheet.append(row)
    sheet["A3"].number_format, sheet["C3"].number_format = 'yyyy"年"m"月"d"日"', "0.0%"
    sheet.merge_cells("A1:C1")
    book.create_sheet("底稿")["C5"] = "=1+2"
    book.save(out := io.BytesIO())
    return [out.getvalue()]


def _epub() -> list[bytes]:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>学习读本</dc:title>'
        '<dc:creator>编写组</dc:creator></metadata><manifest><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="two" href="two.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="one"/><itemref idref="two"/></spine></package>'
    )
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="O/book.opf"/></rootfiles></container>',
        "O/book.opf": package,
        "O/one.xhtml": _CHAPTER.format(
            "<h1>第一章 总论</h1><p>正文<ruby>字<rt>zi</rt></ruby>。</p><ol><li>自学</li></ol>"
        ),
        "O/two.xhtml": _CHAPTER.format("<h2>方法</h2><table><tr><td>甲</td><td>乙</td></tr></table><p>第二章。</p>"),
    }
    return [_zipped(parts)]


def _odt() -> list[bytes]:
    body = (
        '<text:h text:outline-level="1">第一章 总则</text:h><text:p>前一句<text:note><text:note-citation>1</text:note-citation>'
        '<text:note-body><text:p>见原著。</text:p></text:note-body></text:note>，后<text:s text:c="2"/>一句。</text:p>'
        '<text:list text:style-name="L1"><text:list-item><text:p>自学</text:p><text:list><text:list-item text:start-value="3"><text:p>批读</text:p>'
        "</text:list-item></text:list></text:list-item></text:list><table:table><table:table-header-rows><table:table-row><table:table-cell>"
        "<text:p>时段</text:p></table:table-cell><table:table-cell><text:p>内容</text:p></table:table-cell></table:table-row></table:table-header-rows>"
        '<table:table-row><table:covered-table-cell/><table:table-cell table:number-columns-repeated="3"><text:p>自读</text:p></table:table-cell>'
        "</table:table-row></table:table><text:p><draw:frame><draw:text-box><text:p>框里的话</text:p></draw:text-box></draw:frame></text:p>"
        "<text:soft-page-break/><text:p>第二页的话。</text:p>"
    )
    styles = (
        '<office:automatic-styles><text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" '
        'style:num-suffix="." text:start-value="2"/></text:list-style></office:automatic-styles>'
    )
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": "<m/>",
        "content.xml": f"<office:document-content {_ODF}>{styles}<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        "meta.xml": f"<office:document-meta {_ODF}><office:meta/></office:document-meta>",
    }
    return [_zipped(parts)]


def _eml() -> list[bytes]:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "关于调研的通知", "办公室 <office@example.org>", "all@example.org"
    mail["Date"] = "Fri, 21 Apr 2023 09:30:00 +0800"
    mail.set_content("各单位：\n请按时报送材料。\n> 引文\n")
    mail.add_alternative("<html><body><p>请按时报送<b>材料</b>。</p></body></html>", subtype="html")
    mail.add_attachment(_CSV.encode(), maintype="text", subtype="csv", filename="附件.csv")
    return [mail.as_bytes(), mail.as_bytes(policy=mail.policy.clone(cte_type="8bit", linesep="\r\n"))]


def _picture(form: str) -> list[bytes]:
    picture = Image.new("RGB", (400, 120), "white")
    ImageDraw.Draw(picture).text((10, 40), f"Read the original {form}", fill="black", font_size=28)
    picture.save(out := io.BytesIO(), form)
    return [out.getvalue()]


def _tiff() -> list[bytes]:
    (plain,) = _picture("TIFF")
    picture = Image.open(io.BytesIO(plain))
    pages = []
    for compression in ("tiff_lzw", "jpeg"):
        picture.save(out := io.BytesIO(), "TIFF", compression=compression, save_all=True, append_images=[picture])
        pages.append(out.getvalue())
    return [plain, *pages]


def _doc() -> list[bytes]:
    """A text of the sample corpus, saved by LibreOffice."""
    if soffice() is None:
        raise SystemExit("There is no LibreOffice here to make a DOC.")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "a.docx"
        source.write_bytes(samples("docx")[1])
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        command = [str(soffice()), "--headless", profile, "--convert-to", "doc", "--outdir", folder, str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        return [source.with_suffix(".doc").read_bytes()]


def _zip() -> list[bytes]:
    plain = _zipped({"手册/读本.md": _MARKDOWN, "意见.csv": _CSV, "empty.txt": ""})
    with zipfile.ZipFile(out := io.BytesIO(), "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("inner.zip", plain)
        archive.writestr(zipfile.ZipInfo("../a.txt"), _MARKDOWN, zipfile.ZIP_BZIP2)
        archive.writestr("b.txt", _MARKDOWN, zipfile.ZIP_STORED)
    return [plain, out.getvalue()]


def _zipped(parts: dict[str, str]) -> bytes:
    with zipfile.ZipFile(out := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


MADE: dict[str, Callable[[], list[bytes]]] = {
    "pdf": _pdf,
    "docx": list,
    "pptx": list,
    "xlsx": _xlsx,
    "eml": _eml,
    "png": lambda: _picture("PNG"),
    "jpg": lambda: _picture("JPEG"),
    "webp": lambda: _picture("WEBP"),
    "bmp": lambda: _picture("BMP"),
    "tiff": _tiff,
    "doc": _doc,
    "zip": _zip,
    "odt": _odt,
    "epub": _epub,
    "rtf": lambda: [_RTF.encode("ascii")],
    "html": list,
    "md": lambda: [_MARKDOWN.encode()],
    "csv": lambda: [_CSV.encode(), _CSV.replace(",", "\t").encode("utf-16")],
    "txt": lambda: [_MARKDOWN.encode("gb18030")],
}
