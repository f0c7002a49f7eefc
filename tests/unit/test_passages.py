"""Passages are exact, in order, complete and within bounds, whatever the text; and they follow the structure where there is one."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.length import length
from ingest.passages import cut
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind, Passage, VersionId
from xuesi.core.ports import Reading
from xuesi.core.text import canonical, has_words, in_context

VERSION = VersionId("version")
Piece = tuple[BlockKind, str, int]


def count_chars(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def reading_of(*pages: Sequence[Piece]) -> Reading:
    builder = TextBuilder()
    for page in pages:
        builder.start_page()
        for kind, text, level in page:
            builder.add(kind, text, level=level, table=int(kind is BlockKind.TABLE_ROW))
    return builder.reading()


def passages_of(reading: Reading, *, max_chars: int = 380, max_tokens: int = 10_000, title: str = "") -> list[Passage]:
    return cut(reading, VERSION, max_chars=max_chars, count_tokens=count_chars, max_tokens=max_tokens, title=title)


def plain(*lines: str) -> Reading:
    return reading_of([(BlockKind.PARAGRAPH, line, 0) for line in lines])


_ALPHABET = "学习调研实事求是问题整改，、；：。！？“”（）第一二章条 \n\tabcAB.,;1 9\u3000𠮷é"
_texts = st.one_of(
    st.text(alphabet=_ALPHABET, max_size=300),
    st.builds(
        lambda head, body: head + body,
        st.sampled_from(["第一条 ", "（一）", "一、", "1. ", "——", "包括："]),
        st.text(_ALPHABET),
    ),
)
_pieces = st.tuples(st.sampled_from(list(BlockKind)), _texts, st.integers(1, 9))
_pages = st.lists(st.lists(_pieces, max_size=12), min_size=1, max_size=4).filter(
    lambda pages: any(has_words(text) for page in pages for _, text, _ in page)
)


@settings(max_examples=300, deadline=None)
@given(_pages, st.integers(100, 400), st.integers(60, 600))
def test_passages_are_exact_ordered_complete_and_inside_one_section(
    pages: list[list[Piece]], max_chars: int, max_tokens: int
) -> None:
    reading = reading_of(*pages)
    passages = passages_of(reading, max_chars=max_chars, max_tokens=max_tokens)
    for ordinal, passage in enumerate(passages):
        assert passage.ordinal == ordinal
        assert passage.text == passage.span.of(reading.text) == passage.text.strip() != ""
        assert length(passage.text) <= max_chars
        first, last = reading.pages[passage.page_from - 1], reading.pages[passage.page_to - 1]
        assert first.span.start <= passage.span.start < first.span.end
        assert last.span.start < passage.span.end <= last.span.end
        assert passage.tokens == len(in_context("", passage.heading_path, passage.text)[0])
        assert passage.tokens <= max_tokens
    for before, after in itertools.pairwise(passages):
        assert before.span.end <= after.span.start
    held = [False] * len(reading.text)
    for passage in passages:
        held[passage.span.start : passage.span.end] = [True] * len(passage.span)
    for block in reading.blocks:
        inside = [held[i] for i in range(block.span.start, block.span.end) if not reading.text[i].isspace()]
        if block.kind is BlockKind.HEADING:
            assert len(set(inside)) == 1  # wholly a passage's, or none's
        else:
            assert all(inside)
    for passage in passages:
        kinds = {block.kind is BlockKind.HEADING for block in reading.blocks if block.span.overlaps(passage.span)}
        assert len(kinds) == 1


_sentences = st.builds(
    lambda clauses, end: "，".join("研" * size for size in clauses) + end,
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
    st.sampled_from("。！？；"),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(_sentences, min_size=1, max_size=8), min_size=1, max_size=5), st.integers(100, 400))
def test_only_a_sentence_longer_than_a_passage_may_be_is_cut(paragraphs: list[list[str]], max_chars: int) -> None:
    reading = plain(*("".join(paragraph) for paragraph in paragraphs))
    passages = passages_of(reading, max_chars=max_chars)
    places = {place for passage in passages for place in (passage.span.start, passage.span.end)}
    end = 0
    for sentence in itertools.chain(*paragraphs):
        start = reading.text.index(sentence, end)
        end = start + len(sentence)
        assert length(sentence) > max_chars or not places & set(range(start + 1, end))


@pytest.mark.parametrize("together", [1, 3, 5, 100])
def test_the_passages_of_long_chinese_sections_are_neither_scraps_nor_over_long(together: int) -> None:
    sentences = [
        "调查研究要深入基层，听取群众意见，把情况摸清、把问题找准、把对策提实。",
        "先读原文，再谈体会。",
        "读书班的学员分成八个小组，每个小组推选一名组长，负责收集疑问、安排研讨、整理纪要，并在结业前提交一份调研报告。",
        "案件质量评价既看数量，也看质量。",
        "数据在各个系统里标准不一，同一个对象有好几个编号，汇总以前必须先把口径统一起来。",
    ]
    pieces: list[Piece] = []
    for section, size in enumerate((30, 47, 64, 81), start=1):
        pieces.append((BlockKind.HEADING, f"第{section}部分的标题", 1))
        text = [sentences[(section + number * number) % len(sentences)] for number in range(size)]
        paragraphs = ["".join(text[at : at + together]) for at in range(0, size, together)]
        pieces += [(BlockKind.PARAGRAPH, paragraph, 0) for paragraph in paragraphs]
    sections = itertools.groupby(passages_of(reading_of(pieces)), key=lambda passage: passage.heading_path)
    sizes = [[len(passage.text) for passage in passages] for _, passages in sections]
    assert len(sizes) == 4
    for section_sizes in sizes:
        assert len(section_sizes) > 2
        assert min(section_sizes[:-1]) >= 180
        assert max(section_sizes) <= 380


@settings(max_examples=100, deadline=None)
@given(_pages)
def test_structure_changes_kinds_and_levels_only(pages: list[list[Piece]]) -> None:
    reading = reading_of(*pages)
    given_kinds = [kind for page in pages for kind, text, _ in page if canonical(text).strip()]
    assert len(reading.blocks) == len(given_kinds)
    for given_kind, block in zip(given_kinds, reading.blocks, strict=True):
        if given_kind in (BlockKind.TABLE_ROW, BlockKind.NOTE):
            assert block.kind is given_kind
        else:
            assert block.kind in (BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM)
        assert block.kind is not BlockKind.HEADING or 1 <= block.level <= 9


def test_a_text_a_little_over_one_passage_is_cut_in_even_pieces() -> None:
    sentence = "调查研究要深入基层，听取群众意见，把情况摸清、把问题找准、把对策提实。"
    passages = passages_of(plain(sentence * (500 // len(sentence))))
    assert len(passages) == 2
    assert min(len(p.text) for p in passages) >= 0.85 * max(len(p.text) for p in passages)


def test_a_text_that_fits_is_one_passage() -> None:
    assert len(passages_of(plain("先读原文，再谈体会。" * 15, "最后写出材料。" * 10))) == 1


def test_an_over_long_sentence_is_cut_after_a_comma() -> None:
    passages = passages_of(plain("把学习成果转化为工作举措，" * 60))
    assert len(passages) > 1
    assert all(p.text.endswith("，") for p in passages)


def test_a_text_without_any_punctuation_is_cut_all_the_same() -> None:
    passages = passages_of(plain("学" * 1000))
    assert "".join(p.text for p in passages) == "学" * 1000


def test_a_lead_in_goes_with_its_items() -> None:
    before = "读书班分三个阶段推进。" * 31
    items = ["（一）自学原著，写下疑问；", "（二）小组研讨，回答疑问；", "（三）交流体会，形成材料。"]
    passages = passages_of(plain(before, "读书班的学员应当做好下列工作：", *items))
    assert len(passages) == 2
    assert passages[-1].text.endswith("\n".join(["读书班的学员应当做好下列工作：", *items]))


def test_an_article_is_not_torn_apart_and_long_articles_stand_alone() -> None:
    articles = [f"第{n}条 " + "有关单位应当按照规定办理移送手续。" * 12 for n in "一二三"]
    assert [p.text for p in passages_of(plain(*articles))] == articles


def test_short_articles_share_a_passage() -> None:
    articles = [f"第{n}条 本办法所称资料包括文字和图像。" for n in "一二三四"]
    assert [p.text for p in passages_of(plain(*articles))] == ["\n".join(articles)]


def test_rows_of_a_table_stay_whole() -> None:
    rows = [f"第{n}组 | 读原著，写批注，谈体会。讲得清、说得明。 | 研讨纪要" for n in range(40)]
    passages = passages_of(reading_of([(BlockKind.TABLE_ROW, row, 0) for row in rows]))
    assert len(passages) > 1
    assert [line for p in passages for line in p.text.split("\n")] == rows


def test_a_passage_has_the_headings_above_it() -> None:
    reading = plain(
        "第一章 总　　则", "第一节 目的", "为了规范学习，制定本办法。", "第二章 附 则", "本办法自发布之日起施行。"
    )
    assert [p.heading_path for p in passages_of(reading)] == [
        ("第一章 总则", "第一节 目的"),
        ("第二章 附则",),
    ]


def test_a_heading_with_nothing_under_it_can_be_found() -> None:
    heading = BlockKind.HEADING
    reading = reading_of(
        [(heading, "一、问题", 1), (heading, "数据不通", 2), (heading, "标准不一", 2)],
        [(heading, "二、对策", 1), (BlockKind.PARAGRAPH, "统一标准，打通数据。", 0)],
    )
    assert [(p.heading_path, p.text) for p in passages_of(reading)] == [
        (("一、问题",), "数据不通\n标准不一"),
        (("二、对策",), "统一标准，打通数据。"),
    ]


def test_english_passages_have_between_80_and_160_words() -> None:
    sentence = "Every study group reads the original text first and then discusses what it means for their daily work. "
    words = [len(p.text.split()) for p in passages_of(plain(sentence * 60))]
    assert min(words) >= 80
    assert max(words) <= 160


def test_a_path_that_leaves_no_room_loses_its_uppermost_headings() -> None:
    heading = BlockKind.HEADING
    pieces: list[Piece] = [
        (heading, "总" * 60, 1),
        (heading, "分" * 60, 2),
        (BlockKind.PARAGRAPH, "先读原文。" * 60, 0),
    ]
    passages = passages_of(reading_of(pieces), max_tokens=150)
    assert all(p.tokens <= 150 for p in passages)
    assert all(p.heading_path[-1:] == ("分" * 60,) for p in passages)


@pytest.mark.parametrize("size", [20_000, 40_000])
def test_the_number_of_steps_grows_with_the_text_only(size: int) -> None:
    counted = 0

    def count(texts: Sequence[str]) -> list[int]:
        nonlocal counted
        counted += len(texts)
        return count_chars(texts)

    reading = plain(*["短。"] * (size // 2))
    passages = cut(reading, VERSION, max_chars=380, count_tokens=count, max_tokens=512, title="")
    assert counted == len(passages) <= size // 150


def test_rows_that_stand_without_their_header_have_it_in_their_path() -> None:
    rows = ["单位 | 问题 | 措施", *(f"第{n}支部 | 学习时间不够 | 每周三下午集中读两小时" for n in range(30))]
    reading = reading_of([(BlockKind.HEADING, "问题清单", 1), *((BlockKind.TABLE_ROW, row, 0) for row in rows)])
    first, *others = passages_of(reading, max_chars=200)
    assert first.text.startswith(rows[0])
    assert first.heading_path == ("问题清单",)
    assert others
    assert {passage.heading_path for passage in others} == {("问题清单", rows[0])}


def test_a_long_first_row_is_no_header_and_a_tight_model_drops_it_last() -> None:
    long = [" | ".join(["这一格写了许多字"] * 30), *(f"第{n}行 | 值" for n in range(40))]
    reading = reading_of([(BlockKind.TABLE_ROW, row, 0) for row in long])
    assert {passage.heading_path for passage in passages_of(reading, max_chars=300)} == {()}
    short = ["单位 | 问题 | 措施", *(f"第{n}支部 | 学习时间不够 | 每周三下午" for n in range(30))]
    reading = reading_of([(BlockKind.HEADING, "标题" * 20, 1), *((BlockKind.TABLE_ROW, row, 0) for row in short)])
    passages = passages_of(reading, max_chars=200, max_tokens=60)
    assert all(passage.tokens <= 60 for passage in passages)
    assert passages[-1].heading_path == (short[0],)
