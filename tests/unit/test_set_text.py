"""Is a text set whole, and exactly the quoted span marked?"""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from api.marks import Piece, SetBlock, found_words, heading_levels, parts, pieces, set_part
from xuesi.core.domain import OutlineEntry, Page, Span

_TEXTS = st.text(alphabet="甲乙丙丁 |\n-•a𠮷😀", max_size=200)


def _page(text: str) -> Page:
    return Page(1, Span(0, len(text)), "")


def _blocks(text: str, mark: Span | None = None, outline: tuple[OutlineEntry, ...] = ()) -> tuple[SetBlock, ...]:
    [page] = set_part(text, [_page(text)], part=Span(0, len(text)), mark=mark, headings=heading_levels(outline))
    return page.blocks


def _marked(blocks: tuple[SetBlock, ...]) -> str:
    return "".join(p.text for b in blocks for row in b.rows for cell in row for p in cell if p.marked)


def test_the_mark_counts_code_points_beyond_the_basic_plane() -> None:
    text = "😀𠮷前文。引用的原话。后文。"
    start = text.index("引用")
    assert _marked(_blocks(text, Span(start, start + 6))) == "引用的原话。"


def test_a_mark_over_lines_and_cells_is_cut_at_their_borders() -> None:
    text = "步骤 | 要点\n提问题 | 用一句话说清\n下一段"
    blocks = _blocks(text, Span(text.index("要点"), text.index("用一句") + 3))
    assert [b.kind for b in blocks] == ["table", "paragraph"]
    assert _marked(blocks) == "要点提问题用一句"


def test_headings_come_from_the_outline_of_the_same_page_only() -> None:
    outline = (OutlineEntry("一、 问题的提出", 1, 2), OutlineEntry("二、成因", 2, 2))
    blocks = _blocks("一、问题的提出\n二、成因\n正文", outline=outline)
    assert [(b.kind, b.level) for b in blocks] == [("heading", 2), ("paragraph", 0), ("paragraph", 0)]


def test_rows_of_another_width_begin_another_table() -> None:
    blocks = _blocks("a | b\nc | d\ne | f | g")
    assert [len(b.rows) for b in blocks] == [2, 1]


def test_bulleted_lines_become_one_list_without_their_bullets() -> None:
    [block] = _blocks("- 全不全\n• 准不准")
    assert block.kind == "list"
    assert [row[0][0].text for row in block.rows] == ["全不全", "准不准"]


@given(_TEXTS, st.integers(0, 200), st.integers(0, 200))
def test_pieces_hold_the_whole_span_and_mark_the_overlap(text: str, a: int, b: int) -> None:
    span = Span(0, len(text))
    mark = Span(min(a, b), max(a, b))
    found = pieces(text, span, [mark])
    assert "".join(p.text for p in found) == text
    assert "".join(p.text for p in found if p.marked) == mark.of(text)
    assert all(p.text for p in found)


@given(_TEXTS)
def test_no_visible_character_is_lost_but_bullets_and_separators(text: str) -> None:
    out = "".join(
        p.text
        for page in set_part(text, [_page(text)], part=Span(0, len(text)), mark=None, headings={})
        for b in page.blocks
        for row in b.rows
        for cell in row
        for p in cell
    )
    keep = str.maketrans("", "", " \n|-•")
    assert out.translate(keep) == text.translate(keep)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.integers(5, 40))
def test_parts_cover_the_text_and_keep_to_the_limit(lengths: list[int], limit: int) -> None:
    text, pages = "", []
    for number, length in enumerate(lengths, start=1):
        start = len(text)
        text += ("字" * 7 + "\n") * (length // 8) + "字" * (length % 8)
        pages.append(Page(number, Span(start, len(text)), ""))
    cut = parts(text, pages, limit=limit)
    assert cut[0].start == 0
    assert cut[-1].end == len(text)
    assert all(a.end == b.start for a, b in pairwise(cut))
    assert all(len(part) <= limit for part in cut)


def test_parts_prefer_the_borders_of_pages() -> None:
    text = "一" * 30
    pages = [Page(n, Span(10 * (n - 1), 10 * n), "") for n in (1, 2, 3)]
    assert parts(text, pages, limit=20) == [Span(0, 20), Span(20, 30)]


def test_found_words_are_marked_in_any_width_and_case() -> None:
    assert found_words("ＤＡＴＡ silo，数据孤岛", ["data", "数据"]) == (
        Piece("ＤＡＴＡ", marked=True),
        Piece(" silo，"),
        Piece("数据", marked=True),
        Piece("孤岛"),
    )


def test_a_latin_word_is_not_marked_inside_another() -> None:
    assert found_words("cataloguing a cat", ["cat"]) == (Piece("cataloguing a "), Piece("cat", marked=True))
