"""How sure is it that the material answers the question? A calibrated figure from what was found, by logistic regression.

The features are absolute, so that they mean the same in a library of twenty documents and of thousands, and whether question and text
share a language: where they do not, the words cannot speak and the cosine has to.
"""

import math
import re
from collections.abc import Sequence

from answer.evidence import Evidence
from xuesi.core.domain import Hit

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")

# python -m eval.fit_confidence --dataset DIR... prints these.
_BIAS = -40.0
_WEIGHTS = (30.0, 2.0, 15.0, 3.0, 5.0, 1.0)

FEATURES = ("dense", "coverage", "sentence", "share", "margin", "foreign")


def features(question: str, hits: Sequence[Hit], ranked: Sequence[Evidence]) -> tuple[float, ...]:
    """What is known of an answer before it is given, in the order of `FEATURES`.

    dense: greatest cosine of question and passage. coverage: greatest coverage of a passage, at most 1. sentence: greatest cosine of a
    sentence. share: greatest share of the question's idf in one sentence. margin: how far the best hit is above the mean of the
    others. foreign: 1 where question and best passage are of different scripts, and the words cannot meet.
    """
    others = [hit.score for hit in hits[1:]]
    return (
        max(hit.explain.dense for hit in hits),
        min(1.0, max(hit.explain.coverage for hit in hits)),
        max(e.cosine for e in ranked),
        max(e.share for e in ranked),
        hits[0].score - sum(others) / len(others) if others else 0.0,
        float(_is_cjk(question) != _is_cjk(hits[0].passage.text)),
    )


def confidence(question: str, hits: Sequence[Hit], ranked: Sequence[Evidence]) -> float:
    """The probability in [0, 1] that the material holds the answer; 0 where nothing was found."""
    if not hits or not ranked:
        return 0.0
    values = features(question, hits, ranked)
    return 1 / (1 + math.exp(-_BIAS - sum(w * v for w, v in zip(_WEIGHTS, values, strict=True))))


def _is_cjk(text: str) -> bool:
    return len(_CJK.findall(text)) > len(text) / 5
