"""Are a model's sentences and their marks read the same, however the pieces come?"""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answer.written import Endless, written

TEXT = (
    "会议每季度召开一次。[2]第二句话[1]。第三句【1，2】；还有一半［3］。\n- 第四句没有标记。\n[1] 行首的标记。"
    "Text in English.[1] Then e.g. 3.5 more. [2][3] **Bold** words [1-3]."
)
SENTENCES = [
    ("会议每季度召开一次。", (2,)),
    ("第二句话。", (1,)),
    ("第三句；还有一半。", (1, 2, 3)),
    ("第四句没有标记。", ()),
    ("行首的标记。", (1,)),
    ("Text in English.", (1,)),
    ("Then e.g. 3.5 more.", (2, 3)),
    ("Bold words.", (1, 2, 3)),
]


def told(*pieces: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(w.text, w.numbers) for w in written(pieces)]


def test_marks_before_and_behind_the_full_stop_belong_to_the_sentence() -> None:
    assert told(TEXT) == SENTENCES


@given(st.lists(st.integers(0, len(TEXT)), max_size=40))
def test_the_same_text_gives_the_same_sentences_however_it_is_cut(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(TEXT)]
    assert told(*(TEXT[a:b] for a, b in itertools.pairwise(ends))) == SENTENCES


def test_a_sentence_is_given_as_soon_as_no_mark_of_it_can_follow() -> None:
    read: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("第一句。", "[1", "]", "第", "二句。"):
            read.append(piece)
            yield piece

    assert next(written(pieces())).numbers == (1,)
    assert read[-1] == "第"


@pytest.mark.parametrize("text", ["", "\n\n", "……", "[1][2]", "***"])
def test_what_has_no_words_is_no_sentence(text: str) -> None:
    assert told(text) == []


def test_what_a_model_thinks_aloud_is_left_out() -> None:
    assert told("<think>第一，用户问", "食堂。[1]</think>", "食堂每天供应三餐。[1]") == [("食堂每天供应三餐。", (1,))]
    assert told("<think>没有说完") == []
    pieces = iter(("<think>想", "好了。</think>", "第一句。[1]", "第二句", "没有完"))
    assert next(written(pieces)).text == "第一句。"
    assert list(pieces) == ["没有完"]


def test_brackets_that_hold_no_number_are_words() -> None:
    assert told("国办发[2023]15号[注]印发。[1]") == [("国办发[2023]15号[注]印发。", (1,))]


def test_a_sentence_without_an_end_is_given_up() -> None:
    sentences = written(["第一句。[1]", *["哈哈"] * 400])
    assert next(sentences).text == "第一句。"
    with pytest.raises(Endless):
        next(sentences)
