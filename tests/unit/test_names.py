"""What is a file called, and what is the title of what it holds?"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.names import clean_name, split_extension, title_of_name, title_of_reading
from xuesi.core.domain import Block, BlockKind, Page, Span
from xuesi.core.ports import Reading


@given(st.text(max_size=400))
def test_a_clean_name_is_short_one_line_without_folders_and_clean_again(given_: str) -> None:
    name = clean_name(given_)
    assert 1 <= len(name) <= 120
    assert name not in (".", "..")
    assert not set(name) & set("/\\\0\r\n")
    assert all(unicodedata.category(c) not in ("Cc", "Cs") for c in name)
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ("报告.pdf", "报告.pdf"),
        (" a b .pdf ", "a b .pdf"),
        ("/x/y/报告.pdf", "报告.pdf"),
        ("x/", "file"),
        ("...", "file"),
        (".profile", ".profile"),
        ("cod\u202excod.exe", "codxcod.exe"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_clean_names(given_: str, name: str) -> None:
    assert clean_name(given_) == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.tar.gz", ("a.tar", ".gz")),
        ("no extension", ("no extension", "")),
        (".profile", (".profile", "")),
        ("ends.", ("ends.", "")),
        ("1. 总则", ("1. 总则", "")),
        ("x.averyveryverylongextension", ("x.averyveryverylongextension", "")),
    ],
)
def test_extensions(name: str, parts: tuple[str, str]) -> None:
    assert split_extension(name) == parts


def test_a_long_name_keeps_beginning_end_and_extension() -> None:
    name = clean_name("起" + "中" * 300 + "止.docx")
    assert (name[0], name[-6:], len(name)) == ("起", "止.docx", 120)


@pytest.mark.parametrize(
    ("name", "title"),
    [("2023年_工作_报告.docx", "2023年 工作 报告"), ("手册", "手册"), ("---.pdf", "---.pdf"), ("a  b.txt", "a b")],
)
def test_titles_of_names(name: str, title: str) -> None:
    assert title_of_name(name) == title


def reading(*lines: tuple[BlockKind, str], level: int = 1, title: str = "") -> Reading:
    blocks, at = [], 0
    for kind, line in lines:
        blocks.append(Block(kind, Span(at, at + len(line)), level if kind is BlockKind.HEADING else 0))
        at += len(line) + 1
    text = "\n".join(line for _, line in lines)
    properties = {"title": title} if title else {}
    return Reading(text, (Page(1, Span(0, len(text)), "1"),), tuple(blocks), properties=properties)


HEADING, PARAGRAPH = BlockKind.HEADING, BlockKind.PARAGRAPH


def test_the_heading_with_which_a_text_begins_is_its_title() -> None:
    assert (
        title_of_reading(reading((HEADING, "调查研究 工作手册"), (PARAGRAPH, "正文。"), title="别的"))
        == "调查研究 工作手册"
    )


def test_white_space_in_a_title_is_closed_up() -> None:
    assert title_of_reading(reading((HEADING, "  Report\t of  work "))) == "Report of work"


@pytest.mark.parametrize(
    "first", ["第一章 总则", "一、为什么要调查研究", "1. Introduction", "（一）总体要求", "Chapter 1 Data"]
)
def test_a_numbered_heading_is_a_chapter_and_no_title(first: str) -> None:
    assert title_of_reading(reading((HEADING, first), (PARAGRAPH, "正文。"))) is None
    assert title_of_reading(reading((HEADING, first), title="工作手册")) == "工作手册"


def test_a_heading_further_down_or_of_lower_rank_is_no_title() -> None:
    assert title_of_reading(reading((PARAGRAPH, "正文。"), (HEADING, "手册"))) is None
    assert title_of_reading(reading((HEADING, "手册"), level=2)) is None


@pytest.mark.parametrize(
    "title",
    [
        "Microsoft Word - 通知.doc",
        "PowerPoint 演示文稿",
        "PowerPoint Presentation",
        "Untitled",
        "Document1",
        "文档1",
        "幻灯片 1",
        "无标题",
        "C:\\Users\\a\\b",
        "/tmp/print.pdf",
        "通知.docx",
        "layout.indd",
        "——",
        "x",
        "长" * 151,
        "",
    ],
)
def test_what_programs_write_as_title_is_none(title: str) -> None:
    assert title_of_reading(reading((PARAGRAPH, "正文。"), title=title)) is None


@pytest.mark.parametrize(
    "title", ["关于印发工作方案的通知", "Data Silos and Sharing", "2023年工作要点", "document control in offices"]
)
def test_a_real_title_among_the_properties_is_taken(title: str) -> None:
    assert title_of_reading(reading((PARAGRAPH, "正文。"), title=title)) == title
