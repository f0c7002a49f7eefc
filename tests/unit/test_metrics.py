"""Are the figures what their names say? Checked against the formulas written out here, and against figures of another library."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import auroc, calibration_error, latency, ranking, recall_curve, reliability, says

DOCS = [f"d{i}" for i in range(30)]
QRELS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]),
    st.dictionaries(st.sampled_from(DOCS), st.integers(0, 3), min_size=1),
    min_size=1,
)
RUNS = st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), st.lists(st.sampled_from(DOCS), unique=True))


def ndcg(found: list[str], grades: dict[str, int]) -> float:
    gain = sum(grades.get(d, 0) / math.log2(i + 2) for i, d in enumerate(found[:10]))
    ideal = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(grades.values(), reverse=True)[:10]))
    return gain / ideal if ideal else 0.0


def recall(found: list[str], grades: dict[str, int], at: int) -> float:
    right = {d for d, g in grades.items() if g > 0}
    return len(right & set(found[:at])) / len(right) if right else 0.0


def reciprocal_rank(found: list[str], grades: dict[str, int]) -> float:
    return next((1 / (i + 1) for i, d in enumerate(found[:10]) if grades.get(d, 0) > 0), 0.0)


@given(QRELS, RUNS)
def test_ranking_metrics_are_their_formulas(qrels: dict[str, dict[str, int]], run: dict[str, list[str]]) -> None:
    means, each = ranking(run, qrels)
    for query, grades in qrels.items():
        found = run.get(query, [])
        assert each[query]["ndcg@10"] == pytest.approx(ndcg(found, grades))
        assert each[query]["recall@5"] == pytest.approx(recall(found, grades, 5))
        assert each[query]["recall@20"] == pytest.approx(recall(found, grades, 20))
        assert each[query]["mrr@10"] == pytest.approx(reciprocal_rank(found, grades))
        assert each[query]["hit@1"] == float(bool(found) and grades.get(found[0], 0) > 0)
    for name, mean in means.items():
        assert mean == pytest.approx(sum(row[name] for row in each.values()) / len(qrels))


def test_ranking_metrics_are_those_of_ranx() -> None:
    qrels = {
        "a": {"d1": 3, "d2": 1, "d3": 0, "d9": 2},
        "b": {"d4": 1},
        "c": {"d5": 1, "d6": 1, "d7": 2},
        "d": {"d8": 1},
    }
    run = {
        "a": ["d2", "d3", "d1", "d8", "d5"],
        "b": ["d1", "d2", "d3", "d5", "d6", "d4"],
        "c": ["d7", "d1", "d5", "d2", "d3", "d4", "d8", "d9", "d10", "d6"],
        "d": ["d1", "d2"],
    }
    means, each = ranking(run, qrels)
    # What ranx 0.3.21 gives for ndcg@10, recall@5, recall@20, mrr@10 and hit_rate@1.
    of_ranx = {"ndcg@10": 0.443006, "recall@5": 0.333333, "recall@20": 0.666667, "mrr@10": 0.541667, "hit@1": 0.5}
    assert means == pytest.approx(of_ranx, abs=1e-6)
    assert [each[q]["ndcg@10"] for q in qrels] == pytest.approx([0.525005, 0.356207, 0.890810, 0.0], abs=1e-6)


@given(QRELS, RUNS)
def test_the_curve_is_recall_at_each_depth(qrels: dict[str, dict[str, int]], run: dict[str, list[str]]) -> None:
    curve = recall_curve(run, qrels)
    assert len(curve) == 20
    for depth, value in enumerate(curve, start=1):
        mean = sum(recall(run.get(q, []), grades, depth) for q, grades in qrels.items()) / len(qrels)
        assert value == pytest.approx(mean, abs=1e-4)


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_auroc_is_the_share_of_pairs_in_right_order(positive: list[int], negative: list[int]) -> None:
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    assert auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


def test_auroc_needs_both_sides() -> None:
    assert auroc([], [0.1]) is None
    assert auroc([0.1], []) is None


def test_reliability_sets_what_was_told_beside_what_was_true() -> None:
    tenths = reliability([0.95, 1.0, 0.15], [0.05, 0.91, 0.15])
    assert tenths == [
        {"from": 0.0, "questions": 1, "confidence": 0.05, "answerable": 0.0},
        {"from": 0.1, "questions": 2, "confidence": 0.15, "answerable": 0.5},
        {"from": 0.9, "questions": 3, "confidence": 0.9533, "answerable": 0.6667},
    ]
    assert calibration_error(tenths) == pytest.approx((0.05 + 2 * 0.35 + 3 * 0.28667) / 6, abs=1e-4)
    assert calibration_error(reliability([], [])) == 0.0


def test_an_answer_is_met_across_width_and_white_space() -> None:
    assert says("共有１３６ 次擒杀。", ["136 次"])
    assert not says("共有13次擒杀。", ["136次"])
    assert not says("任何话。", ["", "  "])


def test_a_statement_counts_only_up_to_120_characters() -> None:
    assert says("无" * 118 + "答案", ["答案"])
    assert not says("无" * 119 + "答案", ["答案"])


def test_latency_of_nothing_is_zero() -> None:
    assert latency([]) == {"p50": 0.0, "p95": 0.0}
    assert latency([1.0, 2.0, 3.0])["p50"] == 2.0
