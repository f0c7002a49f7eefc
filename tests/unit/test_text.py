"""Is text made comparable, cut into sentences and given its context, with everything where it was?"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xuesi.core.text import canonical, counted, has_words, in_context, normalise, sentences


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("春天播种。夏天耕耘！秋天呢？收获；", ["春天播种。", "夏天耕耘！", "秋天呢？", "收获；"]),
        ("他说：“开始吧。”（完）", ["他说：“开始吧。”", "（完）"]),
        ("第一行\n第二行\n\n第三行", ["第一行", "第二行", "第三行"]),
        ("It began in 2023. It ended in 2024. Then 12.5 m were left.", ["It began in 2023.", "It ended in 2024.", "Then 12.5 m were left."]),
        ("1. First item. 2. Second item.", ["1. First item.", "2. Second item."]),
        ("(12. The twelfth", ["(12. The twelfth"]),
        ("Dr. Wang met J. Smith at 3 p.m. in St. Paul. He left.", ["Dr. Wang met J. Smith at 3 p.m. in St. Paul.", "He left."]),
        ("No. 5 is here. See Fig. 3 there.", ["No. 5 is here.", "See Fig. 3 there."]),
        ("  。  \n", ["。"]),
        ("", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_would_end_them(text: str, found: list[str]) -> None:
    assert [span.of(text) for span in sentences(text)] == found


@given(st.text(alphabet='春。！？；…”）\n .!?)"aB1Dr,', max_size=60))
def test_sentences_hold_every_visible_character_once_and_in_order(text: str) -> None:
    spans = sentences(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)
    inside = {i for span in spans for i in range(span.start, span.end)}
    assert {i for i, char in enumerate(text) if not char.isspace()} <= inside


@given(st.text(max_size=60))
def test_normalised_text_leads_back_to_where_it_came_from(text: str) -> None:
    folded, origin = normalise(text)
    assert len(folded) == len(origin)
    assert origin == sorted(origin)
    assert all(0 <= place < len(text) for place in origin)


def test_full_width_and_compatible_forms_are_folded() -> None:
    assert normalise("Ａ１㎡ﬁ")[0] == "a1m2fi"
    assert normalise("Ａ㎡ﬁ")[1] == [0, 1, 1, 2, 2]


@given(st.text(max_size=60))
def test_canonical_text_is_canonical(text: str) -> None:
    kept = canonical(text)
    assert canonical(kept) == kept
    assert not set(kept) & set("\r\0\ufeff\u200b\u2028\x85")
    kept.encode()


def test_line_ends_of_all_kinds_are_line_ends() -> None:
    assert canonical("\ufeffa\r\nb\rc\u2028d\x85e\vf\x00") == "a\nb\nc\nd\ne\nf"


def test_a_passage_stands_at_the_end_of_its_context() -> None:
    joined, start = in_context("题", ("题", "第一章"), "正文")
    assert (joined, joined[start:]) == ("题\n第一章\n正文", "正文")
    assert in_context("", (), "正文") == ("正文", 0)


@pytest.mark.parametrize(("text", "there"), [("？！", False), ("二", True), ("½", True), ("_ - ", False), ("é", True)])
def test_words_are_letters_or_digits(text: str, there: bool) -> None:
    assert has_words(text) is there


def test_a_number_has_its_noun() -> None:
    assert [counted(n, "document") for n in (0, 1, 2)] == ["0 documents", "1 document", "2 documents"]
    assert counted(2, "entry", "entries") == "2 entries"
