"""How does a source become a Word document or a set of slides, with real styles, tables, lists and speaker notes?"""

import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pptx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from pptx.dml.color import RGBColor as SlideColour
from pptx.util import Emu
from pptx.util import Pt as SlidePt

from corpus.blocks import Block, Heading, Items, Notes, Paragraph, Table
from corpus.manifest import Entry

ACCENT = RGBColor(0x1F, 0x4E, 0x79)
SLIDE_FONT = "Microsoft YaHei"


def write_docx(blocks: list[Block], entry: Entry, target: Path) -> None:
    """Write the title, a byline and the blocks, with Word's own heading, list and table styles."""
    document = docx.Document()
    _word_styles(document, chinese=entry.language == "zh")
    document.add_paragraph(entry.title, style="Title")
    document.add_paragraph(f"{entry.issuer}　{entry.date.isoformat()}", style="Subtitle")
    for block in blocks[1:]:
        if isinstance(block, Heading):
            document.add_heading(block.text, level=block.level - 1)
        elif isinstance(block, Paragraph):
            document.add_paragraph(block.text)
        elif isinstance(block, Items):
            for text in block.texts:
                document.add_paragraph(text, style="List Number" if block.ordered else "List Bullet")
        elif isinstance(block, Table):
            _word_table(document, block)
        else:
            raise ValueError("speaker notes belong to slides only")  # noqa: TRY004  # the source is wrong, not the caller
    _pages(document)
    _save(document, entry, target)


def _word_styles(document: Any, *, chinese: bool) -> None:
    document.styles["Title"].font.size = Pt(22)
    document.styles["Normal"].paragraph_format.space_after = Pt(8)
    document.styles["Normal"].paragraph_format.line_spacing = 1.5
    names = ["Normal", "Title", "Subtitle", "Heading 1", "Heading 2", "Heading 3", "List Bullet", "List Number"]
    for name in names:
        style = document.styles[name]
        body = name in {"Normal", "List Bullet", "List Number"}
        style.font.name = "Calibri"
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        # Word takes a theme font before a named one: Chinese would come out in the reader's default without this.
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), "宋体" if body else "黑体")
        if chinese:
            fonts.set(qn("w:hint"), "eastAsia")  # curly quotes belong to both scripts; the hint makes them full width
        if not body:
            style.font.color.rgb = ACCENT
            style.font.italic = False


def _word_table(document: Any, block: Table) -> None:
    table = document.add_table(rows=0, cols=len(block.rows[0]), style="Light Grid Accent 1")
    for row in block.rows:
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text
            cell.paragraphs[0].paragraph_format.space_after = Pt(2)
    header = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(header)  # noqa: SLF001  # python-docx has no call for a repeated header row
    document.add_paragraph()


def _pages(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    line = section.footer.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = line.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        part.text = text
        run._r.append(part)  # noqa: SLF001  # python-docx has no call for fields


def write_pptx(blocks: list[Block], entry: Entry, target: Path) -> None:
    """Write a title slide and one slide for each second-level heading; block quotations become speaker notes."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    slide.shapes.title.text = entry.title
    slide.placeholders[1].text = f"{entry.issuer}\n{entry.date.isoformat()}"
    starts = [at for at, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2]
    for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True):
        _slide(deck, blocks[start:end])
    for slide in deck.slides:
        _slide_fonts(slide)
    _save(deck, entry, target)


def _slide(deck: Any, blocks: list[Block]) -> None:
    table = next((block for block in blocks if isinstance(block, Table)), None)
    slide = deck.slides.add_slide(deck.slide_layouts[5 if table else 1])
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Heading):
            slide.shapes.title.text = block.text
        elif isinstance(block, Notes):
            slide.notes_slide.notes_text_frame.text = block.text
        elif isinstance(block, Items):
            lines.extend(block.texts)
        elif isinstance(block, Paragraph):
            lines.append(block.text)
    if table:
        _slide_table(slide, table)
        if lines:
            raise ValueError(f"a slide with a table holds nothing else but notes: {lines[0][:40]!r}")
    else:
        slide.placeholders[1].text = "\n".join(lines)


def _slide_table(slide: Any, block: Table) -> None:
    place = Emu(457200), Emu(1500000), Emu(8229600), Emu(560000 * len(block.rows))
    table = slide.shapes.add_table(len(block.rows), len(block.rows[0]), *place).table
    for at, row in enumerate(block.rows):
        for column, text in enumerate(row):
            table.cell(at, column).text = text


def _slide_fonts(slide: Any) -> None:
    for shape in slide.shapes:
        if shape.has_table:
            cells = [cell for row in shape.table.rows for cell in row.cells]
            for cell in cells:
                _dress(cell.text_frame, size_pt=16)
        elif shape == slide.shapes.title:
            _dress(shape.text_frame, size_pt=32, colour=ACCENT)
        elif shape.has_text_frame:
            _dress(shape.text_frame, size_pt=24)


def _dress(frame: Any, *, size_pt: int, colour: RGBColor | None = None) -> None:
    for paragraph in frame.paragraphs:
        paragraph.space_after = SlidePt(size_pt // 3)
        for run in paragraph.runs:
            run.font.name, run.font.size = SLIDE_FONT, SlidePt(size_pt)
            if colour is not None:
                run.font.bold, run.font.color.rgb = True, SlideColour(*colour)
            properties = run._r.get_or_add_rPr()  # noqa: SLF001  # python-pptx sets the Latin font only
            properties.append(properties.makeelement(qn("a:ea"), {"typeface": SLIDE_FONT}))


def _save(document: Any, entry: Entry, target: Path) -> None:
    """Save with the entry's date everywhere a clock would show, so that the same source gives the same bytes."""
    day = datetime(entry.date.year, entry.date.month, entry.date.day, tzinfo=UTC).replace(tzinfo=None)
    properties = document.core_properties
    properties.title, properties.author, properties.last_modified_by = entry.title, entry.issuer, entry.issuer
    properties.subject, properties.language, properties.comments = "、".join(entry.topics), entry.language, ""
    properties.created, properties.modified = day, day
    buffer = BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as written, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in written.namelist():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            fixed.writestr(member, written.read(name))
