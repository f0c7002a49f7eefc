"""Spaces between the characters of spread Chinese go; those that a writer put stay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.lines import breaks_word, join, words_of
from ingest.spaces import stray_spaces


def closed_up(text: str) -> str:
    gone = set(stray_spaces(text))
    return "".join(char for i, char in enumerate(text) if i not in gone)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("关 于 红 军 作 战 的 原 则 … … １（ 一 九 三 七 年 ）", "关于红军作战的原则……１（一九三七年）"),
        ("同 各 方 接 洽 ABC 要 有 谦 逊 态 度", "同各方接洽 ABC 要有谦逊态度"),
        ("2 0 2 3 年 印 发 各 地", "2023年印发各地"),
        ("学习要求 ，按期完成 。", "学习要求，按期完成。"),
    ],
)
def test_spread_text_is_closed_up(text: str, closed: str) -> None:
    assert closed_up(text) == closed


@pytest.mark.parametrize(
    "text",
    [
        "目 录",
        "第一条 为了保护权利，制定本法。",
        "国务院总理 李克强",
        "学习 Python 3 语言",
        "自 2021 年 9 月 1 日起施行。",
        "A B C D E F G",
        "1 2 3 4 5 6 7",
        "张三　李四　王五　赵六　钱七",
    ],
)
def test_what_a_writer_put_apart_stays(text: str) -> None:
    assert closed_up(text) == text


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="学习的 a1，。（）\n\u3000…", max_size=60))
def test_only_spaces_go_and_once_is_enough(text: str) -> None:
    closed = closed_up(text)
    assert closed.replace(" ", "") == text.replace(" ", "")
    assert all(text[i] == " " for i in stray_spaces(text))


def test_the_text_itself_decides_whether_a_hyphen_belongs_to_a_word() -> None:
    written = words_of(["the multi-party talks", "a multiple choice", "x-"])
    assert not breaks_word("the multi-", "party system", written)
    assert breaks_word("the multi-", "ple choice", written)
    assert breaks_word("hyphen-", "ated", ())
    assert not breaks_word("well-", "known", ())
    assert not breaks_word("state-of-the-", "art", ())
    assert not breaks_word("2019-", "nCoV", ())
    assert join(["the hyphen-", "ated words"]) == "the hyphenated words"
