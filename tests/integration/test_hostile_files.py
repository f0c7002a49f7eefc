"""Do files that are made to do harm do none, and say what they are? Each goes through the real worker, in its confined process."""

import contextlib
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import docx
import numpy as np
import openpyxl
import pptx
import pytest
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas

from ingest.apart.limits import Limits
from ingest.apart.reading import ReadingApart
from ingest.archives import Archive, guard
from ingest.passages import cut
from ingest.readers import text_builder
from ingest.readers.pdf_tables import grids
from ingest.suggest import suggest
from tests.workshop import Workshop, open_workshop
from xuesi.core.domain import BlockKind, Job, JobState, OutlineEntry, VersionId
from xuesi.core.errors import NoText, TooMuchToRead, UnreadableDocument
from xuesi.core.ports import Reading

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB_TYPE = f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}<!ENTITY outside SYSTEM "file:///etc/passwd">]>'


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "var", max_unpacked_mb=50, read_memory_mb=400, page_timeout_s=60) as opened:
        yield opened


def worked(workshop: Workshop, content: bytes, name: str) -> Job:
    """The job of a file after the worker had it. What holds not even a tiny text that could be published fails or goes live; never anything else."""
    taken = workshop.accepted(content, name)
    workshop.work()
    job = workshop.job(taken)
    assert (job.state, job.stage) in {(JobState.FAILED, job.stage), (JobState.RUNNING, "publishing")}
    return job


def text_of(workshop: Workshop, job: Job) -> str:
    return workshop.files.text(workshop.catalogue.version_by_id(job.version_id))


def warnings_of(workshop: Workshop, job: Job) -> str:
    return " ".join(workshop.catalogue.version_by_id(job.version_id).quality["warnings"])


def a_docx(text: str = "正文在此。") -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    document.save(target := io.BytesIO())
    return target.getvalue()


def changed(archive: bytes, parts: dict[str, bytes]) -> bytes:
    """The archive with these parts added or replaced."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in source.namelist():
            if name not in parts:
                made.writestr(name, source.read(name))
        for name, content in parts.items():
            made.writestr(name, content)
    return target.getvalue()


def part(archive: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return source.read(name)


def test_an_office_file_that_unpacks_to_more_than_is_allowed_is_refused_by_its_size(workshop: Workshop) -> None:
    job = worked(workshop, changed(a_docx(), {"word/media/image1.bin": bytes(60_000_000)}), "bomb.docx")
    assert (job.state, job.error_code, job.attempts) == (JobState.FAILED, "too-much-to-read", 1)
    assert "unpacks to more than 50 MB" in job.error_detail


def test_an_office_file_packed_as_no_document_is_called_a_bomb(workshop: Workshop) -> None:
    job = worked(workshop, changed(a_docx(), {"word/media/image1.bin": bytes(40_000_000)}), "bomb.docx")
    assert job.error_code == "too-much-to-read"
    assert "decompression bomb" in job.error_detail


def test_a_member_that_lies_about_its_size_unpacks_no_further_than_it_said(tmp_path: Path) -> None:
    """The directory says 1,000 bytes, the stream holds 30 MB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packed.compress(bytes(30_000_000)) + packed.flush()
    name = b"x"
    sizes = struct.pack("<III", 0, len(stream), 1000)
    local = struct.pack("<IHHHHH", 0x04034B50, 20, 0, 8, 0, 0) + sizes + struct.pack("<HH", 1, 0) + name
    central = (
        struct.pack("<IHHHHHH", 0x02014B50, 20, 20, 0, 8, 0, 0)
        + sizes
        + struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, 0)
        + name
    )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), len(local) + len(stream), 0)
    place = tmp_path / "liar.zip"
    place.write_bytes(local + stream + central + end)
    # A check sum that does not fit what was cut off is told as BadZipFile.
    with (
        Archive(place, limit_bytes=10_000_000) as archive,
        archive.open("x") as member,
        contextlib.suppress(zipfile.BadZipFile),
    ):
        assert len(member.read()) <= 1000


def test_what_is_unpacked_counts_over_all_members_and_readings(tmp_path: Path) -> None:
    place = tmp_path / "many.zip"
    with zipfile.ZipFile(place, "w") as made:
        made.writestr("a", bytes(600_000))
        made.writestr("b", bytes(300_000))
    with Archive(place, limit_bytes=1_000_000) as archive:
        assert len(archive.read("a") + archive.read("b")) == 900_000
        with pytest.raises(TooMuchToRead, match="unpacks to more than 1 MB"):
            archive.read("a")


def test_a_directory_that_would_fill_the_memory_by_itself_is_refused_before_it_is_read(tmp_path: Path) -> None:
    place = tmp_path / "many.zip"
    place.write_bytes(
        b"PK\x03\x04" + bytes(17_000_000) + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 9, 9, 17_000_000, 4, 0)
    )
    with pytest.raises(TooMuchToRead, match="list of members"):
        guard(place, limit_bytes=10**9)


def test_a_cut_archive_is_damaged(tmp_path: Path) -> None:
    place = tmp_path / "cut.zip"
    place.write_bytes(a_docx()[:-500])
    with pytest.raises(UnreadableDocument):
        guard(place, limit_bytes=10**9)


def test_entities_of_an_office_file_are_not_expanded_and_fetch_nothing(workshop: Workshop) -> None:
    whole = a_docx("前&后")
    body = part(whole, "word/document.xml").decode()
    start = body.index("?>") + 2
    bomb = body[:start] + BOMB_TYPE + body[start:].replace("前&amp;后", "正文&l9;&outside;")
    job = worked(workshop, changed(whole, {"word/document.xml": bomb.encode()}), "laughs.docx")
    if job.state is not JobState.FAILED:
        text = text_of(workshop, job)
        assert "正文" in text
        assert "root:" not in text
        assert "lol" not in text


def test_entities_of_a_presentation_are_not_expanded(workshop: Workshop) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "要点"
    slide.placeholders[1].text = "前&后"
    presentation.save(target := io.BytesIO())
    body = part(target.getvalue(), "ppt/slides/slide1.xml").decode()
    start = body.index("?>") + 2
    bomb = body[:start] + BOMB_TYPE + body[start:].replace("前&amp;后", "正文&l9;&outside;")
    job = worked(workshop, changed(target.getvalue(), {"ppt/slides/slide1.xml": bomb.encode()}), "laughs.pptx")
    if job.state is not JobState.FAILED:
        assert "root:" not in text_of(workshop, job)
        assert "lol" not in text_of(workshop, job)


def test_an_svg_that_laughs_a_billion_times_in_a_web_page_does_no_harm(workshop: Workshop) -> None:
    page = f"<!DOCTYPE html [{BOMB_TYPE}]><html><body><p>正文在此，可以引用。</p><svg><text>&l9;&outside;</text></svg></body></html>"
    job = worked(workshop, page.encode(), "laughs.html")
    assert job.stage == "publishing"
    assert "正文在此" in text_of(workshop, job)
    assert "lollol" not in text_of(workshop, job)
    assert "root:" not in text_of(workshop, job)


def test_macros_are_named_and_ignored(workshop: Workshop) -> None:
    job = worked(workshop, changed(a_docx(), {"word/vbaProject.bin": b"\xd0\xcf\x11\xe0"}), "macros.docx")
    assert "The file holds macros, which are ignored." in warnings_of(workshop, job)


def test_what_would_be_fetched_from_outside_is_named_and_a_link_is_not(workshop: Workshop) -> None:
    whole = a_docx()
    name = "word/_rels/document.xml.rels"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    outside = (
        f'<Relationship Id="r98" Type="{kind}/attachedTemplate" Target="http://127.0.0.1:9/t.dotm" TargetMode="External"/>'
        f'<Relationship Id="r99" Type="{kind}/hyperlink" Target="http://example.org/" TargetMode="External"/></Relationships>'
    )
    rels = part(whole, name).decode().replace("</Relationships>", outside)
    told = warnings_of(workshop, worked(workshop, changed(whole, {name: rels.encode()}), "outside.docx"))
    assert "http://127.0.0.1:9/t.dotm" in told
    assert "not fetched" in told
    assert "example.org" not in told


@pytest.mark.parametrize(("kind", "key", "value"), [("JavaScript", "JS", "app.alert(1)"), ("Launch", "F", "/bin/sh")])
def test_scripts_of_a_pdf_are_named_and_not_run(workshop: Workshop, kind: str, key: str, value: str) -> None:
    target = io.BytesIO()
    canvas = Canvas(target)
    canvas.drawString(72, 700, "This text can be quoted, whatever the script says.")
    canvas.save()
    writer = PdfWriter(clone_from=io.BytesIO(target.getvalue()))
    writer._root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): NameObject(f"/{kind}"), NameObject(f"/{key}"): TextStringObject(value)}
    )
    writer.write(target := io.BytesIO())
    job = worked(workshop, target.getvalue(), "script.pdf")
    assert "scripts or actions, which are ignored" in warnings_of(workshop, job)


def an_endless_pdf() -> bytes:
    """A page tree of 30 levels, each of which has the next one ten times for a child: 10^30 pages in a few kilobytes."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    for level in range(30):
        child = b"%d 0 R " % (level + 3)
        parent = b"/Parent %d 0 R " % (level + 1) if level else b""
        objects.append(b"<< /Type /Pages %s/Count 1000000000 /Kids [%s] >>" % (parent, child * 10))
    objects.append(b"<< /Type /Page /Parent 31 0 R /MediaBox [0 0 9 9] >>")
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        size,
        table,
        size,
        len(out),
    )


def test_an_endless_pdf_ends(workshop: Workshop) -> None:
    job = worked(workshop, an_endless_pdf(), "endless.pdf")
    assert job.state is JobState.FAILED
    assert job.error_code in {"too-much-to-read", "unreadable-document", "no-text"}


def test_a_pdf_of_more_pages_than_are_allowed_says_so(tmp_path: Path) -> None:
    target = io.BytesIO()
    canvas = Canvas(target)
    for _ in range(12):
        canvas.drawString(72, 700, "A page.")
        canvas.showPage()
    canvas.save()
    with open_workshop(tmp_path / "var", max_pages=10) as workshop:
        job = worked(workshop, target.getvalue(), "long.pdf")
    assert job.error_code == "too-much-to-read"
    assert "12 pages; at most 10" in job.error_detail


def test_a_deeply_nested_page_is_refused_or_read_and_never_ends_the_worker(workshop: Workshop) -> None:
    job = worked(workshop, b"<html><body>" + b"<div>" * 100_000 + "正文。".encode(), "deep.html")
    assert job.error_code in {"", "unreadable-document", "no-text"}
    assert worked(workshop, "正常的文字。".encode(), "good.txt").stage == "publishing"


# Small files that ask for much. Before their guards each of these took minutes, hours, or gigabytes.

Apart = Callable[[bytes, str], Reading]


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Reads a file as the worker does, with one process to fork from for all of them."""
    folder = tmp_path_factory.mktemp("apart")
    limits = Limits(timeout_s=120, silence_s=120, memory_mb=600)
    with contextlib.closing(ReadingApart(folder / "reading", limits)) as reader:

        def read(content: bytes, name: str) -> Reading:
            (folder / "original").write_bytes(content)
            return reader.read(folder / "original", name, watch=lambda _done, _all: None)

        yield read


def count_chars(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comments.html", "<!---->" * 60 + "x"),
        ("dots.txt", "." * 300_000 + "x"),
        ("leader.txt", "第一章" + "…" * 300_000 + "x\n第一章\n正文。"),
        ("spaces.txt", "第一章" + " " * 300_000 + "x\n第一章\n正文。"),
        ("wrapped.txt", "\n".join(["a" * 30] * 10 + ["b" * 25 + " " + "b" * 25] * 20_000)),
        ("front.md", "---\na: b" + " " * 300_000 + "c\n---\n正文。"),
        ("scripts.html", "<html><body><p>正文。" + "甲<script></script>" * 40_000),
        ("titles.rtf", "{\\rtf1 text" + "{\\title " * 50_000 + "}"),
    ],
)
def test_text_that_is_searched_again_and_again_takes_no_longer_than_its_size(
    apart: Apart, name: str, content: str
) -> None:
    with contextlib.suppress(NoText, UnreadableDocument):
        reading = apart(content.encode(), name)
        assert cut(reading, VersionId("v"), max_chars=380, count_tokens=count_chars, max_tokens=512, title="")
        suggest(reading)


def a_docx_with(body: str, **parts: str) -> bytes:
    """A DOCX with this XML before its paragraph; `styles` and `numbering` are put at the end of those parts."""
    whole = a_docx()
    changes = {"word/document.xml": part(whole, "word/document.xml").replace(b"<w:body>", b"<w:body>" + body.encode())}
    for name, more in parts.items():
        place = f"word/{name}.xml"
        changes[place] = part(whole, place).replace(f"</w:{name}>".encode(), f"{more}</w:{name}>".encode())
    return changed(whole, changes)


def test_a_list_that_counts_in_letters_from_two_billion_is_counted_in_figures(apart: Apart) -> None:
    numbering = (
        '<w:abstractNum w:abstractNumId="900"><w:lvl w:ilvl="0"><w:start w:val="2147483647"/><w:numFmt w:val="lowerLetter"/>'
        '<w:lvlText w:val="%1."/></w:lvl></w:abstractNum><w:num w:numId="900"><w:abstractNumId w:val="900"/></w:num>'
    )
    item = '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="900"/></w:numPr></w:pPr><w:r><w:t>深入基层</w:t></w:r></w:p>'
    reading = apart(a_docx_with(item, numbering=numbering), "list.docx")
    assert "2147483647. 深入基层" in reading.text


def test_styles_that_inherit_from_thousands_are_followed_some_way(apart: Apart) -> None:
    chain = "".join(
        f'<w:style w:type="paragraph" w:styleId="c{i}"><w:name w:val="c{i}"/><w:basedOn w:val="c{i + 1}"/></w:style>'
        for i in range(3_000)
    )
    body = '<w:p><w:pPr><w:pStyle w:val="c0"/></w:pPr><w:r><w:t>字</w:t></w:r></w:p>' * 500
    assert apart(a_docx_with(body, styles=chain), "styles.docx").text.count("字") == 500


def test_tables_nested_a_thousand_deep_are_refused(apart: Apart) -> None:
    body = "<w:tbl><w:tr><w:tc>" * 1_000 + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * 1_000
    with pytest.raises(UnreadableDocument, match="breaks its own format"):
        apart(a_docx_with(body), "deep.docx")


def test_relationships_that_never_end_are_looked_through_once(apart: Apart) -> None:
    reading = apart(changed(a_docx(), {"word/_rels/x.rels": b"<Relationship " * 140_000}), "rels.docx")
    assert reading.text == "正文在此。"


def test_relationships_that_are_damaged_cost_no_more_than_themselves(apart: Apart) -> None:
    content = bytes(range(256)) * 8
    whole = changed(a_docx(), {"more/_rels/x.rels": content})
    packed = zlib.compressobj(wbits=-15)
    at = whole.index((packed.compress(content) + packed.flush())[:40])
    assert apart(whole[:at] + b"\xff" * 40 + whole[at + 40 :], "damaged.docx").text == "正文在此。"


def test_a_presentation_that_shows_one_slide_fifty_thousand_times_has_too_many_pages(apart: Apart) -> None:
    presentation = pptx.Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[1]).shapes.title.text = "要点"
    presentation.save(target := io.BytesIO())
    name = "ppt/presentation.xml"
    body = part(target.getvalue(), name)
    one = body[body.index(b"<p:sldId ") : body.index(b"/>", body.index(b"<p:sldId ")) + 2]
    with pytest.raises(TooMuchToRead, match="50000 pages"):
        apart(changed(target.getvalue(), {name: body.replace(one, one * 50_000)}), "again.pptx")


def a_sheet(rows: str) -> bytes:
    """An XLSX whose only sheet has these rows."""
    book = openpyxl.Workbook()
    book.save(target := io.BytesIO())
    name = "xl/worksheets/sheet1.xml"
    body = part(target.getvalue(), name)
    return changed(target.getvalue(), {name: body.replace(b"</sheetData>", f"{rows}</sheetData>".encode())})


def test_a_spreadsheet_with_a_row_beyond_all_rows_ends(apart: Apart) -> None:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>合计</t></is></c></row><row r="99999999999"><c r="A99999999999"><v>2</v></c></row>'
    assert apart(a_sheet(rows), "rows.xlsx").text == "合计"


def test_a_spreadsheet_of_cells_in_the_last_column_is_cut_and_says_so(apart: Apart) -> None:
    rows = "".join(f'<row r="{i}"><c r="XFD{i}"><v>1</v></c></row>' for i in range(1, 5_000))
    reading = apart(a_sheet(rows), "columns.xlsx")
    assert "Only the first 500,000 cells are read" in " ".join(reading.warnings)


def test_a_spreadsheet_merged_over_all_its_cells_is_read(apart: Apart) -> None:
    whole = a_sheet('<row r="1"><c r="A1"><v>42</v></c></row>')
    name = "xl/worksheets/sheet1.xml"
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    reading = apart(changed(whole, {name: part(whole, name).replace(b"</sheetData>", merged)}), "merged.xlsx")
    assert reading.text == "42"


def an_odt(body: str) -> bytes:
    """An OpenDocument text with this body."""
    names = " ".join(f'xmlns:{it}="urn:oasis:names:tc:opendocument:xmlns:{it}:1.0"' for it in ("office", "text", "table", "drawing"))  # fmt: skip
    with zipfile.ZipFile(target := io.BytesIO(), "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        made.writestr("META-INF/manifest.xml", "<m/>")
        made.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body><office:text>{body}</office:text></office:body></office:document-content>",
        )
    return target.getvalue()


def test_text_boxes_inside_each_other_are_said_once(apart: Apart) -> None:
    """Each box said what is in it and the one around it again: forty of them would have been said 2^40 times."""
    body = (
        "<text:p><drawing:frame><drawing:text-box>" * 40
        + "<text:p>框里的话</text:p>"
        + "</drawing:text-box></drawing:frame></text:p>" * 40
    )
    assert apart(an_odt(body), "boxes.odt").text == "框里的话"


def test_cells_and_rows_that_repeat_without_end_are_repeated_some_times(apart: Apart) -> None:
    cells = '<table:table-cell table:number-columns-repeated="16384"><text:p>字</text:p></table:table-cell>' * 100
    rows = f'<table:table-row table:number-rows-repeated="1048576">{cells}</table:table-row>'
    reading = apart(an_odt(f"<table:table>{rows}</table:table>"), "repeated.odt")
    assert len(reading.text) < 30_000


def test_a_book_that_names_one_chapter_again_and_again_has_it_once(apart: Apart) -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>'
        "</manifest><spine>" + '<itemref idref="one"/>' * 100_000 + "</spine></package>"
    )
    with zipfile.ZipFile(target := io.BytesIO(), "w") as made:
        made.writestr("mimetype", "application/epub+zip")
        made.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>',
        )
        made.writestr("book.opf", package)
        made.writestr("one.xhtml", "<html><body><p>第一章的正文。</p></body></html>")
    assert apart(target.getvalue(), "again.epub").text == "第一章的正文。"


def test_a_mail_whose_charset_and_file_name_are_none_is_read(apart: Apart) -> None:
    mail = (
        "From: a@example.org\nTo: b@example.org\nSubject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain; charset*=u%00tf''utf-8\n\n正文。\n"
        "--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename*=u\0tf'en'%E9%99%84.csv\n\na,b\n--b--\n"
    )
    text = apart(mail.encode(), "mail.eml").text
    assert "正文。" in text
    assert "附件：" in text


def test_a_file_that_says_one_long_text_many_times_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_builder, "_MOST_CHARS", 1_000)
    builder = text_builder.TextBuilder()
    for _ in range(9):
        builder.add(BlockKind.PARAGRAPH, "字" * 100)
    with pytest.raises(TooMuchToRead, match="more than 1,000 characters"):
        builder.add(BlockKind.PARAGRAPH, "字" * 100)


def test_bookmarks_that_lead_beyond_the_last_page_are_left_out() -> None:
    builder = text_builder.TextBuilder()
    builder.add(BlockKind.PARAGRAPH, "正文。")
    reading = builder.reading(outline=[OutlineEntry("一", 1, 1), OutlineEntry("二", 2, 1)])
    assert reading.outline == (OutlineEntry("一", 1, 1),)


def test_what_a_file_says_of_itself_is_cut_and_cleaned() -> None:
    builder = text_builder.TextBuilder()
    builder.add(BlockKind.PARAGRAPH, "正文。")
    reading = builder.reading(properties={"title": "题\0目" + "长" * 100_000}, warnings=["w" * 100_000] * 5_000)
    assert reading.properties["title"].startswith("题目长")
    assert len(reading.properties["title"]) == len(reading.warnings[0]) == 2_000
    assert len(reading.warnings) == 200


def test_rules_that_hang_together_in_a_long_chain_take_no_longer_than_a_table() -> None:
    """A staircase of 2,000 rules: each was found to belong to the first only after those before it."""
    steps = np.arange(1_000, dtype=np.float32)
    across = np.stack([steps * 10, steps * 10, steps * 10 + 10, steps * 10], axis=1)
    down = np.stack([steps * 10 + 10, steps * 10, steps * 10 + 10, steps * 10 + 10], axis=1)
    started = time.process_time()
    found = grids(np.concatenate([across, down]))
    assert len(found) == 1
    assert time.process_time() - started < 30
