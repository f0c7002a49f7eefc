"""Headings and list items are found in texts that mark none."""

import pytest

from ingest.marks import ends_sentence, heading_text, is_article, is_lead_in, mark_of
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind


def found(*lines: str, kind: BlockKind = BlockKind.PARAGRAPH) -> list[tuple[str, int]]:
    """Kind and level of each line."""
    builder = TextBuilder()
    for line in lines:
        builder.add(kind, line)
    return [(block.kind.value, block.level) for block in builder.reading().blocks]


BODY = "调查研究是谋事之基、成事之道，没有调查就没有发言权，没有调查就没有决策权，这是长期实践得出的结论。"


def test_parts_chapters_and_sections_nest() -> None:
    assert found("第一编 总则", "第一章 基本规定", "第一节 目的", BODY, "第二节 原则", BODY, "第二章 附则", BODY) == [
        ("heading", 1),
        ("heading", 2),
        ("heading", 3),
        ("paragraph", 0),
        ("heading", 3),
        ("paragraph", 0),
        ("heading", 2),
        ("paragraph", 0),
    ]


def test_numbered_headings_of_a_report_nest() -> None:
    lines = (
        "一、工作回顾",
        "（一）理论学习",
        "1. 读原著",
        BODY,
        "2. 谈体会",
        BODY,
        "（二）调查研究",
        BODY,
        "二、工作打算",
        BODY,
    )
    levels = [level for kind, level in found(*lines) if kind == "heading"]
    assert levels == [1, 2, 3, 3, 2, 1]


def test_english_decimal_numbers_nest() -> None:
    text = "The method follows three steps, each of which is checked before the next one is taken."
    assert [
        level
        for kind, level in found("1. Method", "1.1 Steps", text, "1.2 Checks", text, "2. Results", text)
        if kind == "heading"
    ] == [1, 2, 2, 1]


def test_numbered_sentences_are_items_not_headings() -> None:
    lines = ("学员应当做好下列工作：", "（一）自学原著；", "（二）参加研讨；", "（三）形成材料。", BODY)
    assert [kind for kind, _ in found(*lines)] == ["paragraph", "list_item", "list_item", "list_item", "paragraph"]


def test_the_last_item_of_a_list_without_punctuation_is_no_heading() -> None:
    lines = (BODY, "（一）自学原著", "（二）参加研讨", "（三）形成材料", BODY)
    assert [kind for kind, _ in found(*lines)] == ["paragraph", "list_item", "list_item", "list_item", "paragraph"]


def test_a_table_of_contents_is_not_taken_for_headings() -> None:
    contents = ("目　录", "第一章 总则", "第二章 管理", "第一节 登记", "第三章 附则")
    text = ("第一章 总则", BODY, "第二章 管理", "第一节 登记", BODY, "第三章 附则", BODY)
    kinds = [kind for kind, _ in found(*contents, *text)]
    assert "heading" not in kinds[: len(contents)]
    assert kinds[len(contents) :] == ["heading", "paragraph", "heading", "heading", "paragraph", "heading", "paragraph"]


def test_contents_set_in_a_heading_style_are_not_taken_for_headings() -> None:
    builder = TextBuilder()
    for line in ("第一章 总则……1", "第二章 管理……2", "第一章 总 则", BODY, "第二章 管理", BODY):
        builder.add(BlockKind.PARAGRAPH if line == BODY else BlockKind.HEADING, line, level=0 if line == BODY else 1)
    assert [block.kind.value for block in builder.reading().blocks] == [
        "list_item",
        "list_item",
        "heading",
        "paragraph",
        "heading",
        "paragraph",
    ]


def test_the_title_and_short_lines_between_paragraphs_are_headings() -> None:
    assert found("关于读书班的通知", BODY, "学习的方法", BODY) == [
        ("heading", 1),
        ("paragraph", 0),
        ("heading", 2),
        ("paragraph", 0),
    ]


def test_an_article_is_a_paragraph_even_in_a_heading_style() -> None:
    line = "第一条 为了规范读书班的组织工作，根据有关规定，制定本办法。"
    assert found(line, BODY, kind=BlockKind.HEADING) == [("paragraph", 0), ("paragraph", 0)]


def test_sections_nest_under_chapters_that_the_file_sets_on_the_same_level() -> None:
    builder = TextBuilder()
    for line in ("第一章 总则", "第一节 目的", BODY, "第二节 原则", BODY, "第二章 附则", BODY):
        builder.add(BlockKind.PARAGRAPH if line == BODY else BlockKind.HEADING, line, level=0 if line == BODY else 2)
    assert [block.level for block in builder.reading().blocks] == [2, 3, 0, 3, 0, 2, 0]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("深入基层找问题，成果转化促发展：湖南的做法", "heading"),
        ("Going to the grassroots to find problems: turning research into measures", "heading"),
        ("同志们：", "paragraph"),
        ("会议由中央政治局主持。", "paragraph"),
    ],
)
def test_the_first_line_is_the_title_unless_it_is_a_sentence(line: str, kind: str) -> None:
    assert found(line, BODY)[0][0] == kind


@pytest.mark.parametrize(
    ("line", "article"),
    [
        ("第一条 为了规范学习", True),
        ("第二十三条之一　【处罚】", True),
        ("第一百二十条为了", True),
        ("第三条规定的情形", False),
        ("第三条、第四条规定", False),
        ("第一章 总则", False),
    ],
)
def test_articles_are_told_from_references_to_them(line: str, *, article: bool) -> None:
    assert is_article(line) is article


@pytest.mark.parametrize(
    ("line", "rank", "first"),
    [
        ("第一编 总则", 1, True),
        ("第十一章 附则", 3, False),
        ("一、回顾", 5, True),
        ("十一、展望", 5, False),
        ("（一）总体要求", 6, True),
        ("1.5万亿元的投资", None, None),
        ("1. 读原著", 7, True),
        ("2.1 Steps", 8, True),
        ("2.2 Steps", 8, False),
        ("2023年6月", None, None),
    ],
)
def test_numbers_are_ranked(line: str, rank: int | None, *, first: bool | None) -> None:
    mark = mark_of(line)
    assert (mark and mark.rank, mark and mark.first) == (rank, first)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("第一章 总　　则", "第一章 总则"),
        ("第一编\u2002\u2002总\u2002则", "第一编 总则"),
        ("附 则", "附则"),
        ("第二章 数据 安全", "第二章 数据 安全"),
        ("1.1  Three kinds  of asking", "1.1 Three kinds of asking"),
    ],
)
def test_a_heading_is_shown_without_stretching_spaces(line: str, shown: str) -> None:
    assert heading_text(line) == shown


def test_ends_and_lead_ins() -> None:
    assert ends_sentence("他说：“要读原著。”")
    assert not ends_sentence("学习的方法")
    assert is_lead_in("包括下列内容：")
    assert not is_lead_in("包括下列内容。")
