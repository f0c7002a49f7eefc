"""How does a source become a PDF with outline, page numbers, tables and an embedded subset of a Chinese font?"""

from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import textsplit
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Paragraph as Prose
from reportlab.platypus import Table as Grid
from reportlab.platypus.tableofcontents import TableOfContents

from corpus.blocks import Block, Heading, Items, Paragraph, Table
from corpus.manifest import Entry

FONT = "WenQuanYiMicroHei"
INK, ACCENT, RULE = HexColor("#1f2328"), HexColor("#1f4e79"), HexColor("#b8c4d0")
LONG_CHARS = 4000
# reportlab knows the Japanese marks that may not begin a line; these are the Chinese ones it lacks.
textsplit.ALL_CANNOT_START += "，；：？！”’》"
WIDTH, HEIGHT = A4
MARGIN = 26 * mm


def write_pdf(blocks: list[Block], entry: Entry, target: Path) -> None:
    """Lay the blocks out on A4; a long text gets a cover and contents."""
    pdfmetrics.registerFont(TTFont(FONT, str(files("paperang_p2_fonts_cjk") / "fonts/wqy-microhei.ttc")))
    long = sum(len(block.text) for block in blocks if isinstance(block, Paragraph)) >= LONG_CHARS
    styles = _styles(entry.language)
    story = _front(entry, styles, long=long)
    for block in blocks[1:]:
        story.extend(_flowables(block, styles))
    _Pages(target, entry, cover=long).multiBuild(story)


def _styles(language: str) -> dict[str, ParagraphStyle]:
    chinese = language == "zh"
    wrap: dict[str, Any] = {"wordWrap": "CJK"} if chinese else {}
    body = ParagraphStyle("body", fontName=FONT, fontSize=11.5, leading=20 if chinese else 17, textColor=INK, **wrap)
    body.spaceAfter = 6
    body.firstLineIndent = 23 if chinese else 0
    body.alignment = TA_JUSTIFY
    plain = {"parent": body, "firstLineIndent": 0, "alignment": 0}
    heading = {**plain, "textColor": ACCENT, "keepWithNext": 1}
    return {
        "body": body,
        "item": ParagraphStyle("item", **plain, leftIndent=23, bulletIndent=8),
        "cell": ParagraphStyle("cell", **{**plain, "spaceAfter": 0}, fontSize=10, leading=15),
        "title": ParagraphStyle("title", **heading, fontSize=22, leading=32, spaceAfter=8),
        "byline": ParagraphStyle("byline", **plain, fontSize=10.5, spaceAfter=14),
        "h2": ParagraphStyle("h2", **heading, fontSize=16, leading=24, spaceBefore=12, spaceAfter=8),
        "h3": ParagraphStyle("h3", **heading, fontSize=13, leading=20, spaceBefore=8, spaceAfter=4),
        "h4": ParagraphStyle("h4", **heading, fontSize=11.5, leading=18, spaceBefore=4, spaceAfter=2),
    }


def _front(entry: Entry, styles: dict[str, ParagraphStyle], *, long: bool) -> list[Flowable]:
    byline = f"{entry.issuer}　{entry.date.isoformat()}"
    title, line = Prose(escape(entry.title), styles["title"]), Prose(escape(byline), styles["byline"])
    if not long:
        return [title, line]
    title.style = ParagraphStyle("cover", parent=styles["title"], alignment=TA_CENTER, fontSize=28, leading=42)
    line.style = ParagraphStyle("cover-line", parent=styles["byline"], alignment=TA_CENTER, fontSize=13)
    contents = TableOfContents(dotsMinLevel=0)
    contents.levelStyles = [
        ParagraphStyle("toc1", parent=styles["byline"], fontSize=11, leading=16, spaceAfter=0, spaceBefore=2),
        ParagraphStyle("toc2", parent=styles["byline"], fontSize=9.5, leading=13, leftIndent=18, spaceAfter=0),
    ]
    word = Prose("目录" if entry.language == "zh" else "Contents", styles["title"])
    return [Spacer(1, 70 * mm), title, Spacer(1, 12 * mm), line, PageBreak(), word, contents, PageBreak()]


def _flowables(block: Block, styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    if isinstance(block, Heading):
        return [Prose(escape(block.text), styles[f"h{block.level}"])]
    if isinstance(block, Paragraph):
        return [Prose(escape(block.text), styles["body"])]
    if isinstance(block, Items):
        return [Prose(escape(line), styles["item"]) for line in block.labelled("•")]
    if isinstance(block, Table):
        return [_grid(block, styles["cell"]), Spacer(1, 10)]
    raise ValueError("speaker notes belong to slides only")


def _grid(table: Table, style: ParagraphStyle) -> Grid:
    cells = [[Prose(escape(cell), style) for cell in row] for row in table.rows]
    # Widths follow the longest cell of each column, within bounds, so that no column is a ribbon.
    weights = [min(max(6, *(len(row[c]) for row in table.rows)), 30) for c in range(len(table.rows[0]))]
    room = WIDTH - 2 * MARGIN
    grid = Grid(cells, colWidths=[room * weight / sum(weights) for weight in weights], repeatRows=1)
    grid.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, RULE),
                ("BACKGROUND", (0, 0), (-1, 0), HexColor("#e8eef4")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
        )
    )
    return grid


class _Pages(BaseDocTemplate):  # type: ignore[misc]  # reportlab carries no types
    """A4 pages with the title above, the page number below, and an outline entry for each heading."""

    def __init__(self, target: Path, entry: Entry, *, cover: bool) -> None:
        super().__init__(
            str(target),
            pagesize=A4,
            title=entry.title,
            author=entry.issuer,
            subject="、".join(entry.topics),
            creator="corpus.build",
            lang=entry.language,
            invariant=1,
        )
        self._entry, self._cover, self._bookmarks = entry, cover, 0
        frame = Frame(MARGIN, 24 * mm, WIDTH - 2 * MARGIN, HEIGHT - 52 * mm, leftPadding=0, rightPadding=0)
        self.addPageTemplates([PageTemplate("page", [frame], onPage=self._furniture)])

    def _furniture(self, canvas: Any, _document: Any) -> None:
        if self._cover and canvas.getPageNumber() == 1:
            return
        number = canvas.getPageNumber()
        canvas.setFont(FONT, 9)
        canvas.setFillColor(HexColor("#5b6570"))
        canvas.setStrokeColor(RULE)
        canvas.drawString(MARGIN, HEIGHT - 18 * mm, self._entry.title)
        canvas.line(MARGIN, HEIGHT - 20 * mm, WIDTH - MARGIN, HEIGHT - 20 * mm)
        label = f"第 {number} 页" if self._entry.language == "zh" else f"Page {number}"
        canvas.drawCentredString(WIDTH / 2, 14 * mm, label)

    def beforeDocument(self) -> None:  # noqa: N802  # reportlab's name
        self._bookmarks = 0

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802  # reportlab's name
        if not isinstance(flowable, Prose) or flowable.style.name not in {"h2", "h3"}:
            return
        self._bookmarks += 1
        level, key = int(flowable.style.name[1]) - 2, f"h{self._bookmarks}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(flowable.getPlainText(), key, level)
        self.notify("TOCEntry", (level, escape(flowable.getPlainText()), self.page, key))
