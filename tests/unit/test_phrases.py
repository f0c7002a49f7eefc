"""Which wordings of a query belong together: in quotes, in book-title marks, or in the dictionary?"""

import time
from typing import TYPE_CHECKING, cast

import pytest

from index.phrases import Dictionary, phrases_of
from xuesi.core.domain import Phrase, PhraseSource

if TYPE_CHECKING:
    from xuesi.core.ports import Catalogue


class Kept:
    """The part of a catalogue that keeps the dictionary."""

    def __init__(self, *entries: str) -> None:
        self.kept, self.asked = list(entries), 0

    def dictionary(self) -> list[str]:
        self.asked += 1
        return self.kept

    def set_dictionary(self, entries: list[str]) -> None:
        self.kept = entries


def _dictionary(*entries: str) -> Dictionary:
    return Dictionary(cast("Catalogue", Kept(*entries)))


def _texts(query: str, *entries: str) -> list[tuple[str, PhraseSource]]:
    return [(it.text, it.source) for it in phrases_of(query, _dictionary(*entries))]


@pytest.mark.parametrize(
    "query",
    [
        "“学思想、强党性”是什么？",
        '"学思想、强党性"是什么？',
        "”学思想、强党性“是什么？",
        "＂学思想、强党性＂是什么？",
        "「学思想、强党性」是什么？",
        "『学思想、强党性』是什么？",
    ],
)
def test_what_stands_in_quotes_is_a_phrase(query: str) -> None:
    assert _texts(query) == [("学思想、强党性", PhraseSource.QUOTED)]


def test_a_title_is_a_phrase_with_the_quotes_in_it() -> None:
    assert _texts("《关于“三农”工作的意见》怎么说？") == [("关于“三农”工作的意见", PhraseSource.TITLE)]


@pytest.mark.parametrize("query", ["没有引号的问题", "只有半个“引号", "“”空的", "“！”没有字", "", f"“{'长' * 129}”"])
def test_what_is_no_phrase_is_none(query: str) -> None:
    assert _texts(query) == []


def test_a_phrase_counts_once_and_eight_at_most() -> None:
    assert len(_texts("“枫桥经验”和「楓橋經驗」", "枫桥经验")) == 1
    assert len(_texts("".join(f"“第{n}句”" for n in range(20)))) == 8


def test_entries_of_the_dictionary_are_phrases_wherever_a_query_has_them() -> None:
    entries = ("枫桥经验", "主题教育", "主题教育领导小组", "Fengqiao Experience")
    found = [
        text
        for text, _ in _texts("主题教育领导小组怎样学楓橋，經驗？ fengqiao experience, fengqiao experiences", *entries)
    ]
    assert found == ["主题教育领导小组", "枫桥经验", "Fengqiao Experience"]


def test_quoted_words_are_not_looked_up_in_the_dictionary_beside() -> None:
    assert _texts("“学习枫桥经验”枫桥“经验”", "枫桥经验") == [
        ("学习枫桥经验", PhraseSource.QUOTED),
        ("经验", PhraseSource.QUOTED),
    ]


def test_a_change_of_the_dictionary_takes_effect_at_once_and_is_read_once() -> None:
    kept = Kept()
    dictionary = Dictionary(cast("Catalogue", kept))
    assert phrases_of("枫桥经验是什么", dictionary) == ()
    dictionary.replace(["枫桥经验", "枫桥经验", "四下基层"])
    assert dictionary.entries() == ["枫桥经验", "四下基层"]
    for _ in range(3):
        assert phrases_of("枫桥经验是什么", dictionary) == (Phrase("枫桥经验", PhraseSource.DICTIONARY),)
    assert kept.asked == 3  # two were for the two states, one for `entries`


def test_a_full_dictionary_costs_no_time() -> None:
    dictionary = _dictionary(*(f"中{chr(0x4E00 + n % 5000)}{chr(0x5000 + n // 5000)}第{n}条" for n in range(10_000)))
    query = "中央关于中国中小企业中的第九千条" * 120
    phrases_of("先读一遍", dictionary)
    started = time.perf_counter()
    phrases_of(query, dictionary)
    assert time.perf_counter() - started < 0.1
