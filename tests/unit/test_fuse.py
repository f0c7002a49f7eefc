"""Does fusion rank as its formula says, in an order that repeats?"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fuse import Fused, fuse, with_late
from xuesi.core.domain import PassageId
from xuesi.core.errors import InvalidInput

_ids = st.integers(0, 30).map(lambda i: PassageId(f"p{i:02d}"))
_dense = st.dictionaries(_ids, st.floats(-1, 1))
_lexical = st.dictionaries(_ids, st.floats(0, 50))
A, B, C = PassageId("a"), PassageId("b"), PassageId("c")


def test_score_is_cosine_plus_weighted_coverage() -> None:
    assert fuse({A: 0.8, B: 0.9}, {A: 5.0, C: 10.0}, ceiling=10.0, weight=0.25) == [
        Fused(A, 0.8 + 0.125, 0.8, 0.5),
        Fused(B, 0.9, 0.9, 0.0),
        Fused(C, 0.25, 0.0, 1.0),
    ]


def test_words_that_the_corpus_lacks_leave_the_dense_order() -> None:
    near = {A: 0.70, B: 0.72}
    assert [f.id for f in fuse(near, {A: 1.0}, ceiling=2.0, weight=0.2)] == [A, B]
    assert [f.id for f in fuse(near, {A: 1.0}, ceiling=200.0, weight=0.2)] == [B, A]


def test_ties_are_ordered_by_id() -> None:
    assert [f.id for f in fuse({C: 0.5, A: 0.5, B: 0.5}, {}, ceiling=1.0, weight=1.0)] == [A, B, C]


@given(_dense, _lexical, st.floats(0.01, 100), st.floats(0, 5))
def test_every_candidate_appears_once_best_first(
    dense: dict[PassageId, float], lexical: dict[PassageId, float], ceiling: float, weight: float
) -> None:
    fused = fuse(dense, lexical, ceiling=ceiling, weight=weight)
    assert sorted(f.id for f in fused) == sorted({*dense, *lexical})
    assert fused == sorted(fused, key=lambda f: (-f.score, f.id))
    assert all(math.isclose(f.score, f.dense + weight * f.coverage) for f in fused)


@given(_dense, _lexical)
def test_without_weight_the_order_is_the_dense_one(
    dense: dict[PassageId, float], lexical: dict[PassageId, float]
) -> None:
    plain = fuse(dense, {}, ceiling=1.0, weight=0.0)
    assert [f.id for f in fuse(dense, {k: v for k, v in lexical.items() if k in dense}, ceiling=1.0, weight=0.0)] == [
        f.id for f in plain
    ]


@pytest.mark.parametrize(
    ("ceiling", "weight"), [(0.0, 0.2), (-1.0, 0.2), (math.nan, 0.2), (1.0, -0.1), (1.0, math.nan)]
)
def test_a_ceiling_or_weight_without_meaning_is_refused(ceiling: float, weight: float) -> None:
    with pytest.raises(InvalidInput):
        fuse({A: 0.5}, {A: 1.0}, ceiling=ceiling, weight=weight)


def test_late_interaction_ranks_the_first_anew_and_leaves_the_others_behind_them() -> None:
    ranked = [
        Fused(PassageId(name), score, score, 0.0) for name, score in (("a", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.6))
    ]
    late = {PassageId("a"): 0.1, PassageId("b"): 0.5, PassageId("c"): 0.3}
    found = with_late(ranked, late, weight=1.0)
    assert [(it.id, round(it.score, 3), it.late) for it in found] == [
        ("b", 1.3, 0.5),
        ("a", 1.0, 0.1),
        ("c", 1.0, 0.3),
        ("d", 0.6, 0.0),
    ]
