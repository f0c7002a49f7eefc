"""Which sentences are taken from the hits, and in which order?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answer.asked import Asked, asked
from answer.evidence import LONGEST_CHARS, Evidence, gather
from tests.answer_samples import NO_SENTENCES, a_hit, found, letters
from xuesi.core.domain import Hit
from xuesi.core.ports import SearchResult, SentenceVectors

NOTHING = np.zeros(2, np.float32)


def gathered(result: SearchResult, question: str = "问") -> list[Evidence]:
    about = asked(question, result.lexical, tokens=letters)
    return gather(question, result, about=about, sentences_of=lambda _: NO_SENTENCES, tokens=letters, typical=NOTHING)


def best(text: str, *, idf: dict[str, float], question: str = "问", hit: Hit | None = None) -> Evidence:
    return gathered(found(hit or a_hit(text), idf=idf), question)[0]


def test_the_sentence_with_the_words_of_the_question_comes_first() -> None:
    assert best("天气很好。调研发现问题。大家吃饭。", idf={"调": 2.0, "研": 2.0}).text == "调研发现问题。"


def test_the_stored_vector_of_a_sentence_speaks_for_it() -> None:
    hit = a_hit("甲说明。乙说明。", start=7)
    kept = SentenceVectors(
        spans=np.array([[7, 11], [11, 15], [0, 7]], np.int32),
        passages=np.array([0, 0, 3], np.int32),
        vectors=np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], np.float16),
    )
    nothing = Asked({}, passages=1)
    ranked = gather("问", found(hit), about=nothing, sentences_of=lambda _: kept, tokens=letters, typical=NOTHING)
    assert [(e.text, e.cosine) for e in ranked] == [("乙说明。", 1.0), ("甲说明。", 0.0)]


def test_a_date_is_preferred_when_the_question_asks_for_one() -> None:
    text = "会议由院长主持召开。会议于2023年6月召开。"
    assert best(text, idf={"会": 1.0, "议": 1.0}, question="会议是什么时候召开的？").text == "会议于2023年6月召开。"


def test_a_question_in_the_text_is_no_answer() -> None:
    assert best("什么是调研？调研就是下去看。", idf={"调": 1.0, "研": 1.0}).text == "调研就是下去看。"


def test_a_heading_in_the_text_is_no_answer() -> None:
    hit = a_hit("调研的方法\n调研要走到基层去看。", headings=("调研的方法",))
    assert best("", idf={"调": 1.0, "研": 1.0}, hit=hit).text == "调研要走到基层去看。"


def test_the_head_of_a_table_is_no_answer() -> None:
    text = "形态 | 感受 | 原因\n不能通 | 形态不一 | 标准不一\n不愿给 | 要不到 | 怕担责"
    idf = {"形态": 3.0}
    assert best(text, idf=idf, question="数据孤岛有哪些形态？").text == "不能通 | 形态不一 | 标准不一"
    pairs = "形态 | 感受\n不能通 | 形态不一"
    assert best(pairs, idf=idf, question="数据孤岛有哪些形态？").text == "形态 | 感受"


def test_a_line_of_a_table_of_contents_is_no_answer() -> None:
    assert (
        best("调研的方法 . . . . 7\n调研要走到基层去。", idf={"调": 1.0, "研": 1.0, "方": 0.1}).text
        == "调研要走到基层去。"
    )


def test_what_holds_no_letter_is_no_sentence() -> None:
    assert [e.text for e in gathered(found(a_hit("……\n调研。\n。。")))] == ["调研。"]


def test_of_a_long_sentence_the_clauses_that_meet_the_question_are_taken() -> None:
    filler = "，".join("一二三四五六七八九" for _ in range(14))
    shown = best(f"{filler}，调研的重点是数据，{filler}。", idf={"调": 1.0, "研": 1.0})
    assert "调研的重点是数据" in shown.text
    assert len(shown.text) <= LONGEST_CHARS
    assert shown.text[-1] not in "，；"


def test_an_english_sentence_is_not_cut_where_a_chinese_one_would_be() -> None:
    sentence = "The study found, after long months of work, that the reading class helps most " * 3 + "in the end."
    assert best(sentence, idf={"t": 1.0}).text == sentence


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("要求如下：\n（一）学习。\n（二）调研。\n其他事项另行通知。", ["（一）学习。", "（二）调研。"]),
        ("要求如下：\n1. 学习。要认真。\n2. 调研。", ["1. 学习。要认真。", "2. 调研。"]),
        ("要求如下：\n学习\n调研", ["学习", "调研"]),
        ("要求有三：一是学习；二是调研；三是总结。以上执行。", ["二是调研；", "三是总结。"]),
        ("院长指出：学习要认真。要坚持。", []),
        ("要求如下：", []),
    ],
)
def test_a_list_lead_in_brings_its_items(text: str, items: list[str]) -> None:
    lead = next(e for e in gathered(found(a_hit(text, start=3))) if e.span.start == 3)
    assert [text[i.start - 3 : i.end - 3] for i in lead.items] == items


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("好。一是定制度；二是问民意；三是补短板。完。", "一是定制度；二是问民意；三是补短板。"),
        ("一是定制度；\n二是问民意；\n三是补短板。", "二是问民意；"),
        (f"一是{'定' * LONGEST_CHARS}；二是问民意；三是补短板。", "二是问民意；"),
    ],
)
def test_part_of_a_sentence_brings_the_rest_unless_it_is_a_line_or_too_long(text: str, shown: str) -> None:
    assert best(text, idf={"问": 1.0, "民": 1.0, "意": 1.0}, question="问民意").text == shown


@given(st.text(alphabet="甲乙，；：。？\n a1（一）", min_size=1, max_size=400), st.integers(0, 50))
def test_every_candidate_is_the_text_at_its_span(text: str, start: int) -> None:
    for e in gathered(found(a_hit(text, start=start), idf={"甲": 1.0})):
        assert e.text == text[e.span.start - start : e.span.end - start] != ""
        assert all(0 <= i.start - start < i.end - start <= len(text) for i in e.items)
        assert 0 <= e.share <= 1


def test_a_heading_that_asks_for_a_list_brings_the_list_that_follows_it() -> None:
    text = "1. 先改观点。\n2. 再改文字。\n次序不能倒过来。"
    hit = a_hit(text, headings=("修改的步骤",))
    lead = best("", idf={"修": 2.0, "改": 2.0, "步": 2.0, "骤": 2.0}, hit=hit)
    assert (lead.text, [i.of(text) for i in lead.items]) == ("1. 先改观点。", ["2. 再改文字。"])


def test_a_sentence_stands_under_its_heading() -> None:
    under = a_hit("还去了书院。", headings=("读书班的参观",), version="a")
    elsewhere = a_hit("还去了书院。", headings=("其他",), version="b")
    ranked = gathered(found(elsewhere, under, idf={"参": 1.0, "观": 1.0, "书": 1.0}))
    assert ranked[0].hit is under


def test_of_sentences_that_say_as_much_that_which_stands_earlier_in_its_passage_comes_first() -> None:
    late, early = a_hit("天气很好。调研发现问题。", version="a"), a_hit("调研查明原因。天气很好。", version="b")
    ranked = gathered(found(late, early, idf={"调": 1.0, "研": 1.0}))
    assert [e.hit for e in ranked[:2]] == [early, late]


def test_of_sentences_that_say_as_much_that_of_the_better_passage_comes_first() -> None:
    worse = a_hit("调研发现问题。", score=0.6, version="a")
    better = a_hit("调研查明原因。", score=0.7, version="b")
    ranked = gathered(found(better, worse, idf={"调": 1.0, "研": 1.0}))
    assert [e.hit for e in ranked] == [better, worse]
    assert ranked[0].share == ranked[1].share
    assert ranked[0].score - ranked[1].score == pytest.approx(0.8 * 0.1)


def test_where_a_reranker_put_a_passage_first_its_sentence_comes_first() -> None:
    first, second = a_hit("调研发现问题。", score=0.6, version="a"), a_hit("调研查明原因。", score=0.7, version="b")
    ranked = gathered(found(first, second, idf={"调": 1.0, "研": 1.0}))
    assert [e.hit for e in ranked] == [first, second]
    assert ranked[0].score - ranked[1].score == pytest.approx(0.8 * 0.1)
