"""Does the confidence follow the evidence?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answer import confidence as weighing
from answer.asked import Asked
from answer.confidence import FEATURES
from answer.evidence import Evidence
from tests.answer_samples import a_hit, found, letters
from xuesi.core.domain import Explanation, Hit
from xuesi.core.ports import SearchResult

IDF = {"调": 2.0, "研": 2.0, "在": 1.0}


def about(idf: dict[str, float]) -> Asked:
    return Asked(idf, passages=10**9)


def features(
    question: str, result: SearchResult, ranked: list[Evidence], *, idf: dict[str, float] | None = None
) -> dict[str, float]:
    values = weighing.features(question, result, ranked, about=about(idf or {}), tokens=letters)
    return dict(zip(FEATURES, values, strict=True))


def a_rank(*scores: float, text: str = "调研在基层。") -> list[Evidence]:
    hit = a_hit(text)
    return [
        Evidence(hit, hit.passage.span, hit.passage.text, frozenset(str(i)), 0.8, 0.5, score)
        for i, score in enumerate(scores)
    ]


def dense(hit: Hit, value: float) -> Hit:
    return replace(hit, explain=Explanation(dense=value, coverage=0.5))


def test_nothing_found_is_no_confidence() -> None:
    assert weighing.confidence("问", found(), [], about=about({}), tokens=letters) == 0.0


def test_the_features_are_what_they_say() -> None:
    best = dense(a_hit("调研很好。", score=0.9), 0.8)
    others = [dense(a_hit("在。", score=0.5), 0.7) for _ in range(9)]
    values = features("调研在哪？", found(best, *others), a_rank(1.0, 0.6, 0.4, 0.5, 0.5, 0.5), idf=IDF)
    assert values["dense"] == pytest.approx(0.8)
    assert values["held"] == pytest.approx(0.8)
    assert values["ahead"] == pytest.approx(0.4)
    assert values["clear"] == pytest.approx(0.5)
    assert values["foreign"] == values["foreign_dense"] == 0.0


def test_what_is_given_for_a_phrase_makes_no_answer_surer() -> None:
    plain = [dense(a_hit("调研很好。", score=score), 0.8) for score in (0.9, 0.8, 0.7, 0.6)]
    quoted = replace(plain[2], score=1.2, explain=replace(plain[2].explain, phrases=0.5))
    ranked = a_rank(1.0, 0.6, 0.5)
    preferred = replace(ranked[1], hit=quoted, score=0.6 + 0.8 * 0.5, favour=0.5)
    without = features("调研在哪？", found(*plain), ranked)
    assert features("调研在哪？", found(quoted, plain[0], plain[1], plain[3]), [preferred, ranked[0], ranked[2]]) == (
        pytest.approx(without)
    )


def test_the_title_and_the_headings_of_a_passage_count_as_held() -> None:
    hit = a_hit("在基层。", title="调", headings=("研",))
    assert features("调研在哪？", found(hit), a_rank(1.0), idf=IDF)["held"] == pytest.approx(1.0)


def test_a_single_hit_is_neither_ahead_nor_behind() -> None:
    values = features("调研在哪？", found(a_hit("调研在基层。")), a_rank(1.0))
    assert 0 < values["clear"] < values["ahead"] < 0.2


def test_the_same_sentence_in_another_document_does_not_make_the_best_less_clear() -> None:
    ranked = a_rank(1.0, 0.5, 0.5, 0.5, 0.5, 0.5)
    result = found(a_hit("调研在基层。"))
    assert features("调研在哪？", result, [ranked[0], *ranked]) == features("调研在哪？", result, ranked)


def test_another_script_is_seen() -> None:
    hit = dense(a_hit("The study was made at the grassroots."), 0.8)
    values = features("调研在哪里进行？", found(hit), a_rank(1.0))
    assert (values["foreign"], values["foreign_dense"]) == (1.0, 0.8)


def test_the_dots_of_a_table_of_contents_are_no_other_script() -> None:
    hit = a_hit("调研的方法 . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . 7")
    assert features("调研在哪里进行？", found(hit), a_rank(1.0))["foreign"] == 0.0


@given(st.floats(0.7, 0.95), st.floats(0.7, 0.95), st.sets(st.sampled_from("调研在")))
def test_more_evidence_never_lessens_the_confidence(one: float, other: float, terms: set[str]) -> None:
    def sure(value: float, held: str) -> float:
        result = found(dense(a_hit(f"好。{held}", title="好"), value))
        return weighing.confidence("调研在哪？", result, a_rank(1.0), about=about(IDF), tokens=letters)

    weak, strong = sorted((one, other))
    assert 0 <= sure(weak, "") <= sure(strong, "".join(terms)) <= 1
