"""Do the words of a sentence come with what they are, and numbers with their value and unit, in whatever characters?"""

import pytest

from index.words import words
from xuesi.core.ports import WordKind


def numbers(text: str) -> list[tuple[str, str]]:
    return [(word.text, word.unit) for word in words(text) if word.kind is WordKind.NUMBER]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("二〇二三年六月五日", [("2023", "年"), ("6", "月"), ("5", "日")]),
        ("2023年６月5日", [("2023", "年"), ("6", "月"), ("5", "日")]),
        ("四十户农民、六個村莊", [("40", "户"), ("6", "个")]),
        ("增长百分之十五和15.5%", [("15", "%"), ("15.5", "%")]),
        ("约1.5万人，126万亿元", [("15000", "人"), ("126000000000000", "元")]),
        ("一般干部十分重视统一思想，千方百计做好三农工作，一些人", []),
        ("最低-5℃，2001-2005年", [("-5", ""), ("2001", ""), ("2005", "年")]),
        ("1,234 points in twelve games", [("1234", ""), ("12", "")]),
    ],
)
def test_numbers_have_their_value_and_unit(text: str, found: list[tuple[str, str]]) -> None:
    assert numbers(text) == found


def test_names_nouns_and_verbs_are_told_apart() -> None:
    kinds = {word.text: word.kind for word in words("張建國在上海担任农民代表，Helen visited the villages")}
    assert kinds["张建国"] == kinds["上海"] == kinds["helen"] == WordKind.NAME
    assert kinds["农民"] == WordKind.NOUN
    assert kinds["担任"] == kinds["visit"] == WordKind.ACT
    assert kinds["在"] == kinds["the"] == WordKind.FUNCTION
    assert kinds[","] == WordKind.BREAK


def test_may_and_march_are_names_of_months_with_a_capital_only() -> None:
    def kinds(text: str) -> dict[str, WordKind]:
        return {word.text: word.kind for word in words(text)}

    assert kinds("They may march in May and March.") == kinds("They may march in may and march.") | {
        "may": WordKind.NAME,
        "march": WordKind.NAME,
    }
    assert kinds("they may march")["may"] == WordKind.FUNCTION
    assert kinds("they may march")["march"] == WordKind.ACT
