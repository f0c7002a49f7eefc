"""Is a question judged by what it is about, and not by how it asks?"""

import pytest

from answer.asked import Asked, asked, words_of
from index.tokens import tokens
from xuesi.core.ports import LexicalQuery


def about(question: str, *, passages: int = 10**9) -> Asked:
    idf = dict.fromkeys(tokens(question), 2.0)
    query = LexicalQuery(idf=idf, ceiling=sum(idf.values()), passages=passages)
    return asked(question, query, tokens=tokens)


@pytest.mark.parametrize(
    ("question", "kept", "gone"),
    [
        ("调研活动坚持向基层问哪三样东西？", {"调研", "基层"}, {"哪", "三样", "东西"}),
        ("读书班有哪几项安排？", {"读书班", "安排"}, {"哪", "几", "项"}),
        ("請問會議是什麼時候召開的？", {"会议", "召开"}, {"请问", "什么", "么"}),
        ("怎样防止考核走样？", {"防止", "考核"}, {"怎样", "怎"}),
        ("How many places did the reading class visit?", {"reading", "class", "visit"}, {"how", "many", "the", "did"}),
    ],
)
def test_words_that_only_ask_are_left_out(question: str, kept: set[str], gone: set[str]) -> None:
    held = set(about(question).idf)
    assert {word for text in kept for word in words_of(text, tokens=tokens)} <= held
    assert not gone & held


def test_a_question_of_nothing_but_asking_words_keeps_them() -> None:
    assert about("什么？").idf


def test_english_endings_do_not_keep_words_apart() -> None:
    text = words_of("Participants also visited two places and studied policies.", tokens=tokens)
    assert about("Which places did they visit?").share(text) > about("Which places did they skip?").share(text)
    assert words_of("study policy", tokens=tokens) <= text


def test_the_share_goes_from_nothing_to_all() -> None:
    question = about("基层调研怎么做？")
    assert question.share(frozenset()) == 0
    assert question.share(words_of("今年在基层调研，做得好", tokens=tokens)) == pytest.approx(1)


def test_in_a_small_library_the_words_it_lacks_do_not_outweigh_those_it_has() -> None:
    idf = {"调": 2.0, "研": 2.0, "在": 36.0}
    held = frozenset("调研")
    assert Asked(idf, passages=10**9).share(held) == pytest.approx(0.1)
    assert Asked(idf, passages=2).share(held) > 0.6


def test_a_question_without_words_is_held_by_nothing() -> None:
    assert Asked({}, passages=3).share(frozenset("调研")) == 0
