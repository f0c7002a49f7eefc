"""What became of each sentence? Small texts by hand, any texts by property, and large ones within a bound of time."""

import time
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from xuesi.core.difference import Difference, How, compare
from xuesi.core.text import sentences

Told = tuple[str, str, str]


def told(old: str, new: str) -> list[Told]:
    """How, old and new sentence; a moved one at its place: where it stood, then where it stands."""
    return [_told(it, old, new) for it in compare(old, new) if it.how is not How.SAME]


def _told(it: Difference, old: str, new: str) -> Told:
    moved = it.how is How.MOVED
    left = it.old.of(old) if it.old and not (moved and it.here) else ""
    right = it.new.of(new) if it.new and not (moved and not it.here) else ""
    return it.how.value, left, right


def marked(old: str, new: str) -> tuple[list[str], list[str]]:
    (it,) = (it for it in compare(old, new) if it.how is How.CHANGED)
    return [mark.of(old) for mark in it.old_marks], [mark.of(new) for mark in it.new_marks]


def test_the_same_text_differs_in_nothing_and_white_space_makes_no_difference() -> None:
    text = "第一条 先读文件。\n第二条 再走访。"
    assert told(text, text) == []
    assert told(text, "第一条  先读文件。\n\n第二条 再走访。") == []
    assert compare("", "") == []


def test_added_removed_and_changed_sentences() -> None:
    old = "期限为十五天。周末不开放。损坏的照价赔偿。"
    new = "期限为三十天。损坏的照价赔偿。电子版不限册数。"
    assert told(old, new) == [
        ("changed", "期限为十五天。", "期限为三十天。"),
        ("removed", "周末不开放。", ""),
        ("added", "", "电子版不限册数。"),
    ]


def test_a_sentence_that_stands_elsewhere_was_moved() -> None:
    first, second, third = "集体学习每月一次，先读原文。", "走访以后三天之内写成报告。", "讨论放在下午，由组长主持。"
    old, new = first + second + third, second + third + first
    assert told(old, new) == [("moved", first, ""), ("moved", "", first)]


def test_changed_words_are_marked_in_chinese_by_characters_and_in_english_by_words() -> None:
    assert marked("借阅期限为十五天，期满可以续借一次。", "借阅期限为三十天，期满可以续借两次。") == (
        ["十五", "一"],
        ["三十", "两"],
    )
    assert marked("A reading class lasts five days.", "A reading class lasts seven long days.") == (
        ["five"],
        ["seven long"],
    )
    assert marked("每名读者可以借阅三册图书。", "每名读者可以借阅图书。") == (["三册"], [])


def test_between_two_changes_a_single_character_is_marked_too() -> None:
    assert marked("本办法由某市档案的局负责解释说明。", "本办法由某县图书的馆负责解释说明。") == (
        ["市档案的局"],
        ["县图书的馆"],
    )


def test_repeated_sentences_are_matched_in_their_order() -> None:
    old, new = "同意。" * 5, "同意。" * 3
    assert [it[0] for it in told(old, new)] == ["removed", "removed"]


@given(
    st.lists(
        st.sampled_from(["甲在学习。", "乙在走访。", "One goes.", "Two stay there.", "丙写报告，写得很长很长。"]),
        max_size=12,
    ),
    st.lists(
        st.sampled_from(["甲在学习。", "乙在走访！", "One goes.", "Two stay here.", "丙写报告，写得很长很短。"]),
        max_size=12,
    ),
)
@settings(deadline=None)
def test_every_sentence_of_both_texts_comes_once_and_in_order(old: list[str], new: list[str]) -> None:
    a, b = " ".join(old), " ".join(new)
    found = compare(a, b)
    left = [it.old for it in found if it.old and not (it.how is How.MOVED and it.here)]
    right = [it.new for it in found if it.new and not (it.how is How.MOVED and not it.here)]
    assert left == sentences(a)
    assert right == sentences(b)
    for it in found:
        for span, marks in ((it.old, it.old_marks), (it.new, it.new_marks)):
            assert all(span and span.start <= mark.start < mark.end <= span.end for mark in marks)
            assert all(one.end <= other.start for one, other in pairwise(marks))
        if it.how in (How.SAME, How.MOVED):
            assert it.old
            assert it.new
            assert it.old.of(a).split() == it.new.of(b).split()


def test_large_texts_without_anything_in_common_or_all_alike_take_no_long_time() -> None:
    """A guard against what grows with the square: 5,000 sentences compared each with each would take minutes."""
    alike = "甲乙丙丁在学习。戊己庚辛在走访。" * 2_500
    for old, new in (
        (alike, alike[8:] + "尾。"),
        (
            "".join(f"第{n}项工作由{n % 7}组完成。" for n in range(5_000)),
            "".join(f"{n}号文件在{n % 5}楼存放。" for n in range(5_000)),
        ),
    ):
        started = time.process_time()
        compare(old, new)
        assert time.process_time() - started < 60
