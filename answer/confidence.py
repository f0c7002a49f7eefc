"""How sure is it that the material answers the question? A calibrated figure from what was found, by logistic regression.

The features are made so that they mean the same in a library of twenty documents and of thousands, where all documents are about one thing
or each about another, and whether question and text share a script or not: where they do not, the words cannot speak.
"""

import math
import re
from collections.abc import Sequence

from answer.evidence import Evidence
from xuesi.core.domain import Hit
from xuesi.core.ports import LexicalQuery, SearchResult

# As printed by: python -m eval.fit_confidence --dataset cmrc2018 --dataset drcd --dataset xquad_zh --dataset xquad_zh2en
# Another embedding model has cosines of another range: fit anew, or set answer_threshold to what it gives.
FEATURES = ("dense", "held", "ahead", "clear", "foreign", "foreign_dense")
_BIAS = -11.18
_WEIGHTS = (7.07, 6.92, 16.53, 8.37, -1.03, 7.94)

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_BEST = 5
# With fewer hits or sentences than this there is too little to be ahead of; what is missing counts as neither for nor against: the values
# between those of questions with and without an answer, in one script and across scripts.
_HITS, _SENTENCES = 10, 6
_NEUTRAL = ((0.10, 0.06), (0.03, 0.016))
# In so many passages idf and the mere number of tokens have the same say in what a passage holds of the question: idf that are counted
# from a handful of passages give nearly all weight to the words that the library lacks, the question's own turns of phrase among them.
_FEW_PASSAGES = 50


def confidence(question: str, found: SearchResult, ranked: Sequence[Evidence]) -> float:
    """The probability in [0, 1] that the material holds the answer; 0 where nothing was found."""
    if not found.hits or not ranked:
        return 0.0
    values = features(question, found, ranked)
    return 1 / (1 + math.exp(-_BIAS - sum(w * v for w, v in zip(_WEIGHTS, values, strict=True))))


def features(question: str, found: SearchResult, ranked: Sequence[Evidence]) -> tuple[float, ...]:
    """What is known of an answer before it is given, in the order of `FEATURES`; of at least one hit and one sentence.

    dense: greatest cosine of question and passage. held: greatest share of the question that one of the best passages holds with its title and
    headings, in [0, 1]. ahead: how far the best hit's score is above the mean of the second half of the hits, which several
    passages that say the same do not lessen. clear: how far the best sentence's score is above the mean of the next five that say something else. Both are drawn
    towards a neutral value where there is little to compare, as in a single short document.
    foreign: 1 where question and best passage are of different scripts, else 0; foreign_dense: dense there, else 0.
    """
    hits = found.hits
    dense = max(hit.explain.dense for hit in hits)
    foreign = _is_cjk(question) != _is_cjk(hits[0].passage.text)
    by_hits, by_sentences = _NEUTRAL[foreign]
    others = [evidence.score for evidence in ranked if evidence.tokens != ranked[0].tokens]
    scores = [ranked[0].score, *others[: _SENTENCES - 1]]
    return (
        dense,
        max(_held(hit, found.lexical) for hit in hits[:_BEST]),
        _lead([hit.score for hit in hits], others=len(hits) // 2, full=_HITS, neutral=by_hits),
        _lead(scores, others=1, full=_SENTENCES, neutral=by_sentences),
        float(foreign),
        foreign * dense,
    )


def _lead(scores: Sequence[float], *, others: int, full: int, neutral: float) -> float:
    """How far the first score is above the mean of those from `others` on, drawn towards `neutral` as far as `full` scores are not there."""
    compared = scores[max(1, others) :]
    if not compared:
        return neutral
    known = min(1.0, (len(scores) - 1) / (full - 1))
    return known * (scores[0] - sum(compared) / len(compared)) + (1 - known) * neutral


def _held(hit: Hit, query: LexicalQuery) -> float:
    """The share of the question that the passage holds: of its idf, and in a small library also of its tokens."""
    if query.ceiling <= 0:
        return 0.0
    of_idf = min(1.0, sum(term.idf for term in hit.explain.terms) / query.ceiling)
    of_tokens = len(hit.explain.terms) / len(query.idf)
    known = query.passages / (query.passages + _FEW_PASSAGES)
    return known * of_idf + (1 - known) * of_tokens


def _is_cjk(text: str) -> bool:
    return len(_CJK.findall(text)) > len(text) / 5
