"""What does a list lead-in bring, and where does a list begin without one?"""

import pytest

from answer.lists import items_after, opening_list
from xuesi.core.domain import Span
from xuesi.core.text import sentences


def brought(text: str, index: int = 0) -> list[str]:
    return [span.of(text) for span in items_after(index, sentences(text), lambda span: span.of(text))]


def opened(text: str) -> list[str]:
    return [span.of(text) for span in opening_list(sentences(text), lambda span: span.of(text))]


def test_a_sentence_before_a_first_item_leads_the_list_in() -> None:
    assert brought("修改分两步，次序不能倒。\n1. 先改观点。\n2. 再改文字。\n其他另说。") == [
        "1. 先改观点。",
        "2. 再改文字。",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "修改分两步。\n2. 再改文字。\n3. 最后校对。",
        "修改分两步。1. 先改观点。",
        "1. 先改观点。\n1. 先改文字。",
        "修改。\n没有列表。",
    ],
)
def test_a_sentence_before_anything_else_does_not(text: str) -> None:
    assert brought(text) == []


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("1. 先改观点。很重要。\n2. 再改文字。\n次序不能倒。", ["1. 先改观点。很重要。", "2. 再改文字。"]),
        ("全不全：有没有缺失\n准不准：是否一致\n请学员讨论。", ["全不全：有没有缺失", "准不准：是否一致"]),
        ("备注：\n请学员讨论。", []),
        ("1. 只有一条。\n其他另说。", []),
        ("先说一句。\n1. 一条。\n2. 两条。", []),
    ],
)
def test_a_passage_that_opens_with_a_list_is_seen(text: str, listed: list[str]) -> None:
    assert opened(text) == listed


def test_no_sentences_open_no_list() -> None:
    assert opening_list([], lambda _: "") == ()


def test_spans_of_items_lie_in_the_text() -> None:
    text = "要求如下：\n（一）学习。\n（二）调研。"
    assert items_after(0, sentences(text), lambda span: span.of(text)) == (Span(6, 12), Span(13, 19))
