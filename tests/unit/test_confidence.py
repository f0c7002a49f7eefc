"""Does the confidence follow the evidence?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answer.confidence import FEATURES, confidence, features
from answer.evidence import Evidence
from tests.answer_samples import a_hit, found
from xuesi.core.domain import Explanation, Hit, TermScore

IDF = {"调": 2.0, "研": 2.0, "在": 1.0}


def a_rank(*scores: float) -> list[Evidence]:
    hit = a_hit("调研在基层。")
    return [
        Evidence(hit, hit.passage.span, hit.passage.text, frozenset(str(i)), 0.8, 0.5, score)
        for i, score in enumerate(scores)
    ]


def explained(hit: Hit, *, dense: float, terms: str) -> Hit:
    return replace(
        hit, explain=Explanation(dense=dense, coverage=0.5, terms=tuple(TermScore(t, 1.0, IDF[t]) for t in terms))
    )


def test_nothing_found_is_no_confidence() -> None:
    assert confidence("问", found(), []) == 0.0


def test_the_features_are_what_they_say() -> None:
    best = explained(a_hit("调研在基层。", score=0.9), dense=0.8, terms="调研")
    others = [explained(a_hit("调研在基层。", score=0.5), dense=0.7, terms="在") for _ in range(9)]
    values = dict(
        zip(
            FEATURES,
            features("调研在哪？", found(best, *others, idf=IDF), a_rank(1.0, 0.6, 0.4, 0.5, 0.5, 0.5)),
            strict=True,
        )
    )
    assert values == pytest.approx(
        {"dense": 0.8, "held": 0.8, "ahead": 0.4, "clear": 0.5, "foreign": 0.0, "foreign_dense": 0.0}
    )


def test_a_single_hit_is_neither_ahead_nor_behind() -> None:
    values = dict(zip(FEATURES, features("调研在哪？", found(a_hit("调研在基层。")), a_rank(1.0)), strict=True))
    assert 0 < values["clear"] < values["ahead"] < 0.2


def test_the_same_sentence_in_another_document_does_not_make_the_best_less_clear() -> None:
    ranked = a_rank(1.0, 0.5, 0.5, 0.5, 0.5, 0.5)
    result = found(a_hit("调研在基层。"))
    assert features("调研在哪？", result, [ranked[0], *ranked]) == features("调研在哪？", result, ranked)


def test_another_script_is_seen() -> None:
    hit = explained(a_hit("The study was made at the grassroots."), dense=0.8, terms="")
    values = dict(zip(FEATURES, features("调研在哪里进行？", found(hit, idf=IDF), a_rank(1.0)), strict=True))
    assert (values["foreign"], values["foreign_dense"]) == (1.0, 0.8)


@given(st.floats(0.7, 0.95), st.floats(0.7, 0.95), st.sets(st.sampled_from("调研在")))
def test_more_evidence_never_lessens_the_confidence(one: float, other: float, terms: set[str]) -> None:
    def sure(dense: float, held: str) -> float:
        return confidence(
            "调研在哪？", found(explained(a_hit("调研在基层。"), dense=dense, terms=held), idf=IDF), a_rank(1.0)
        )

    weak, strong = sorted((one, other))
    assert 0 <= sure(weak, "") <= sure(strong, "".join(terms)) <= 1


def test_in_a_small_library_the_words_it_lacks_do_not_outweigh_those_it_has() -> None:
    hit = explained(a_hit("借阅期限十五天。"), dense=0.9, terms="调研")
    large = found(hit, idf={**IDF, "在": 36.0})
    small = replace(large, lexical=replace(large.lexical, passages=2))
    held = FEATURES.index("held")
    assert features("问", large, a_rank(1.0))[held] == pytest.approx(0.1)
    assert features("问", small, a_rank(1.0))[held] > 0.6
