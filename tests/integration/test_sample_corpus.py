"""Is the sample corpus what its manifest says, and does it hold the wording that its questions expect?"""

import json
import re
import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import docx
import pptx
import pypdfium2
import pytest
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"
DOCUMENTS: list[dict[str, Any]] = tomllib.loads((CORPUS / "manifest.toml").read_text(encoding="utf-8"))["document"]
BY_NAME = {Path(document["path"]).name: document for document in DOCUMENTS}
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "eval/questions/sample.jsonl").read_text(encoding="utf-8").splitlines()
]
ANSWERABLE = [question for question in QUESTIONS if not question.get("unanswerable")]
KINDS = {"study_text", "lecture", "research_report", "news", "regulation", "other"}


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def read_pdf(path: Path) -> str:
    pdf = pypdfium2.PdfDocument(path)
    try:
        pages = [pdf[number].get_textpage().get_text_bounded() for number in range(len(pdf))]
    finally:
        pdf.close()
    furniture = re.compile(rf"{re.escape(BY_NAME[path.name]['title'])}|第 \d+ 页|Page \d+")
    lines = [line for page in pages for line in page.splitlines()]
    return "\n".join([lines[0], *(line for line in lines if not furniture.fullmatch(line.strip()))])


def read_docx(path: Path) -> str:
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def read_pptx(path: Path) -> str:
    parts: list[str] = []
    for slide in pptx.Presentation(str(path)).slides:
        parts.extend(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
        tables = [shape.table for shape in slide.shapes if shape.has_table]
        parts.extend(cell.text for table in tables for row in table.rows for cell in row.cells)
        if slide.has_notes_slide:
            parts.append(slide.notes_slide.notes_text_frame.text)
    return "\n".join(parts)


def read(path: Path) -> str:
    readers = {".pdf": read_pdf, ".docx": read_docx, ".pptx": read_pptx}
    if path.suffix in readers:
        return readers[path.suffix](path)
    return path.read_bytes().decode(BY_NAME[path.name].get("encoding", "utf-8"))


def test_every_file_is_in_the_manifest_once_and_every_entry_has_its_files() -> None:
    assert len(BY_NAME) == len(DOCUMENTS)
    assert {document["path"] for document in DOCUMENTS} == {f"sample/{p.name}" for p in (CORPUS / "sample").iterdir()}
    assert {document["source"] for document in DOCUMENTS} == {
        f"sources/{p.name}" for p in (CORPUS / "sources").iterdir()
    }


def test_the_manifest_knows_every_field_of_every_document() -> None:
    for document in DOCUMENTS:
        assert document["kind"] in KINDS
        assert document["language"] in {"zh", "en"}
        assert document["title"]
        assert document["issuer"]
        assert document["topics"]
        assert document["licence"] == "CC-BY-4.0"
        assert document["date"].year >= 2023


def test_the_sample_has_every_format_that_is_read() -> None:
    assert {Path(name).suffix for name in BY_NAME} == {".pdf", ".docx", ".pptx", ".html", ".md", ".txt"}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_built_file_holds_all_of_its_source(name: str) -> None:
    source = (CORPUS / BY_NAME[name]["source"]).read_text(encoding="utf-8")
    # Markup stands between the clauses of the source, and page ends between those of the file.
    clauses = re.split(r"[\n|>#，。；：？！、.,;:?!]|^\s*(?:-|\d+\.) ", source, flags=re.MULTILINE)
    built = squeezed(read(CORPUS / "sample" / name)).replace("&quot;", '"').replace("&#x27;", "'")
    missing = [clause for clause in clauses if squeezed(clause).strip("-") not in built]
    assert missing == []


def test_the_gb18030_file_needs_gb18030_and_is_not_utf8() -> None:
    names = [name for name, document in BY_NAME.items() if document.get("encoding") == "gb18030"]
    assert names
    for name in names:
        data = (CORPUS / "sample" / name).read_bytes()
        assert BY_NAME[name]["title"] in data.decode("gb18030")
        for other in ("utf-8", "gbk"):
            with pytest.raises(UnicodeDecodeError):
                data.decode(other)


def test_the_utf16_file_begins_with_a_byte_order_mark() -> None:
    names = [name for name, document in BY_NAME.items() if document.get("encoding") == "utf-16"]
    assert names
    for name in names:
        assert (CORPUS / "sample" / name).read_bytes()[:2] in {b"\xff\xfe", b"\xfe\xff"}


def test_the_long_pdf_has_ten_pages_an_outline_and_an_embedded_font() -> None:
    pdf = PdfReader(CORPUS / "sample/theme-education-organising-guide.pdf")
    assert len(pdf.pages) >= 10
    chapters = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    assert chapters[0] == "第一章 总体把握"
    assert any(isinstance(entry, list) for entry in pdf.outline)
    resources: list[Any] = [page["/Resources"] for page in pdf.pages]
    fonts = [font.get_object() for resource in resources for font in resource["/Font"].values()]
    drawn = [font for font in fonts if "WenQuanYi" in font["/BaseFont"]]
    assert drawn
    assert all("/FontFile2" in font["/FontDescriptor"] and "/ToUnicode" in font for font in drawn)


def test_word_headings_are_styles_and_slides_have_notes_and_a_table() -> None:
    for name in BY_NAME:
        path = str(CORPUS / "sample" / name)
        if name.endswith(".docx"):
            assert any(p.style is not None and p.style.name == "Heading 1" for p in docx.Document(path).paragraphs)
        if name.endswith(".pptx"):
            slides = list(pptx.Presentation(path).slides)
            assert all(slide.has_notes_slide for slide in slides[1:])
            assert any(shape.has_table for slide in slides for shape in slide.shapes)


def test_there_are_enough_questions_in_both_languages_and_enough_without_an_answer() -> None:
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS) >= 40
    assert len(QUESTIONS) - len(ANSWERABLE) >= 8
    assert sum(question["language"] == "en" for question in QUESTIONS) >= len(QUESTIONS) / 3
    assert len({question["question"] for question in QUESTIONS}) == len(QUESTIONS)


def test_every_document_is_the_best_place_for_some_question() -> None:
    assert {question["document"] for question in ANSWERABLE} == set(BY_NAME)


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_the_expected_wording_stands_in_the_document(question: dict[str, Any]) -> None:
    for place in [question, *question.get("also", [])]:
        source = (CORPUS / BY_NAME[place["document"]]["source"]).read_text(encoding="utf-8")
        assert place["answer"] in source
        built = squeezed(read(CORPUS / "sample" / place["document"])).replace("&quot;", '"')
        assert squeezed(place["answer"]) in built


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    # A process of its own, as a person would run it; the fonts registered by one run must not shape the next.
    command = [sys.executable, "-m", "corpus.build", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    changed = [name for name in BY_NAME if (tmp_path / name).read_bytes() != (CORPUS / "sample" / name).read_bytes()]
    assert changed == []
