"""What do the figures mean? Ranking metrics by ir-measures (MacAvaney et al. 2022, doi:10.1007/978-3-030-99739-7_38), and ours for answers."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, Success, nDCG

# A statement counts only up to here, or whole passages would win. Code points, after NFKC and without white space.
COUNTED_CHARS = 120
CURVE = 20  # documents as far as rankings are looked at
_TENTHS = 10

_MEASURES = {
    "ndcg@10": nDCG @ 10,
    "recall@5": R @ 5,
    "recall@20": R @ 20,
    "mrr@10": RR @ 10,
    "hit@1": Success @ 1,
}


def ranking(
    ranked: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """nDCG@10, recall@5, recall@20, MRR@10 and hit@1 of ranked documents, best first.

    nDCG takes the grade as gain and log2(rank + 1) as discount, as trec_eval does. A query without a hit counts as 0, one without a relevant
    document too.

    Returns:
        The means over the queries of `qrels`, and for each query its own figures.
    """
    each = _each(_MEASURES, ranked, qrels)
    return {name: _mean(row[name] for row in each.values()) for name in _MEASURES}, each


def recall_curve(ranked: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> list[float]:
    """Mean recall at 1, 2, … 20 documents over the queries of `qrels`."""
    depths = {str(depth): R @ depth for depth in range(1, CURVE + 1)}
    each = _each(depths, ranked, qrels)
    return [round(_mean(row[depth] for row in each.values()), 4) for depth in depths]


def _each(
    measures: Mapping[str, Any], ranked: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    judged = [ir_measures.Qrel(q, d, grade) for q, grades in qrels.items() for d, grade in grades.items()]
    # trec_eval orders equal scores its own way, so the rank itself is the score.
    run = [ir_measures.ScoredDoc(q, d, -float(rank)) for q, found in ranked.items() for rank, d in enumerate(found)]
    names = {str(measure): name for name, measure in measures.items()}
    each: dict[str, dict[str, float]] = {query: dict.fromkeys(measures, 0.0) for query in qrels}
    for metric in ir_measures.iter_calc(list(measures.values()), judged, run):
        each[metric.query_id][names[str(metric.measure)]] = float(metric.value)
    return each


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return float(np.mean(held)) if held else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The chance that a positive scores higher than a negative, ties half (Mann & Whitney 1947, doi:10.1214/aoms/1177730491).

    None where one side is empty.
    """
    if not positive or not negative:
        return None
    below = np.searchsorted(np.sort(negative), positive, side="left")
    not_above = np.searchsorted(np.sort(negative), positive, side="right")
    return float((below + not_above).sum() / 2 / len(positive) / len(negative))


def reliability(answerable: Sequence[float], absent: Sequence[float]) -> list[dict[str, float | int]]:
    """Does a confidence of 0.7 mean seven of ten? Questions by tenths of their confidence, empty tenths left out.

    Args:
        answerable: Confidence in [0, 1] of each question that the material answers.
        absent: The same of those that it does not answer.

    Returns:
        For each tenth `from`, `questions`, the mean `confidence` of its questions, and the share of them that is `answerable`.
    """
    told = np.array([*answerable, *absent])
    true = np.array([1.0] * len(answerable) + [0.0] * len(absent))
    tenth = np.minimum((told * _TENTHS).astype(int), _TENTHS - 1)
    return [
        {
            "from": t / _TENTHS,
            "questions": int((tenth == t).sum()),
            "confidence": round(float(told[tenth == t].mean()), 4),
            "answerable": round(float(true[tenth == t].mean()), 4),
        }
        for t in range(_TENTHS)
        if (tenth == t).any()
    ]


def calibration_error(tenths: Sequence[Mapping[str, float | int]]) -> float:
    """How far confidence is from truth on average over the questions, in [0, 1]: the expected calibration error of ten bins (Guo et al. 2017, arXiv:1706.04599)."""
    total = sum(it["questions"] for it in tenths)
    return sum(it["questions"] * abs(it["confidence"] - it["answerable"]) for it in tenths) / total if total else 0.0


def squeezed(text: str) -> str:
    """The text after NFKC and without white space, as answers are compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def says(statement: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers is part of the statement, as far as the statement counts."""
    counted = squeezed(statement)[:COUNTED_CHARS]
    return any(squeezed(answer) in counted for answer in answers if squeezed(answer))


def latency(took_ms: Sequence[float]) -> dict[str, float]:
    """The median and the 95th percentile in milliseconds; 0 where nothing was timed."""
    if not took_ms:
        return {"p50": 0.0, "p95": 0.0}
    p50, p95 = np.percentile(took_ms, (50, 95))
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
