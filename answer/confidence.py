"""How sure is it that the material answers the question? A calibrated figure from what was found, by logistic regression.

The features are made so that they mean the same in a library of twenty documents and of thousands, where all documents are about one thing
or each about another, and whether question and text share a script or not: where they do not, the words cannot speak.
"""

import math
import re
from collections.abc import Sequence

from answer import cues
from answer.asked import Asked, Tokens, words_of
from answer.evidence import Evidence
from xuesi.core.domain import Hit
from xuesi.core.ports import SearchResult

# Fitted as eval.fit_confidence does, on 300 documents each of xquad_zh, xquad_zh2en, xquad_en, drcd and cmrc2018, 300 questions of a kind.
# Another embedding model has cosines of another range: fit anew, or set answer_threshold to what it gives.
FEATURES = ("dense", "held", "ahead", "clear", "foreign", "foreign_dense", "lacks")
_BIAS = -10.28
_WEIGHTS = (5.25, 5.80, 13.16, 8.13, 0.19, 6.47, -1.81)

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_BEST = 5
# Among so many of the best sentences a date or a number that is asked for must stand.
_SAID = 3
# With fewer hits or sentences than this there is too little to be ahead of; what is missing counts as neither for nor against: the values
# between those of questions with and without an answer, in one script and across scripts.
_HITS, _SENTENCES = 10, 6
_NEUTRAL = ((0.10, 0.06), (0.03, 0.016))


def confidence(
    question: str, found: SearchResult, ranked: Sequence[Evidence], *, about: Asked, tokens: Tokens
) -> float:
    """The probability in [0, 1] that the material holds the answer; 0 where nothing was found."""
    if not found.hits or not ranked:
        return 0.0
    values = features(question, found, ranked, about=about, tokens=tokens)
    return 1 / (1 + math.exp(-_BIAS - sum(w * v for w, v in zip(_WEIGHTS, values, strict=True))))


def features(
    question: str, found: SearchResult, ranked: Sequence[Evidence], *, about: Asked, tokens: Tokens
) -> tuple[float, ...]:
    """What is known of an answer before it is given, in the order of `FEATURES`; of at least one hit and one sentence.

    dense: greatest cosine of question and passage. held: greatest share of the question that one of the best passages holds with its title and
    headings, in [0, 1]. ahead: how far the best hit's score is above the mean of the second half of the hits, which several
    passages that say the same do not lessen. clear: how far the best sentence's score is above the mean of the next five that say something else. Both leave
    out what is given for phrases, and are drawn towards a neutral value where there is little to compare, as in a single short document.
    foreign: 1 where question and best passage are of different scripts, else 0; foreign_dense: dense there, else 0.
    lacks: 1 where the question asks for a date or a number that the best sentences do not have, else 0.
    """
    hits = found.hits
    plain = sorted((hit.score - hit.explain.favour for hit in hits), reverse=True)
    dense = max(hit.explain.dense for hit in hits)
    foreign = _is_cjk(question) != _is_cjk(hits[0].passage.text)
    by_hits, by_sentences = _NEUTRAL[foreign]
    by_score = sorted(ranked, key=lambda evidence: -evidence.plain_score)
    others = [evidence.plain_score for evidence in by_score if evidence.tokens != by_score[0].tokens]
    scores = [by_score[0].plain_score, *others[: _SENTENCES - 1]]
    return (
        dense,
        max(about.share(_words(hit, tokens)) for hit in hits[:_BEST]),
        _lead(plain, others=len(hits) // 2, full=_HITS, neutral=by_hits),
        _lead(scores, others=1, full=_SENTENCES, neutral=by_sentences),
        float(foreign),
        foreign * dense,
        float(cues.lacks(question, [evidence.text for evidence in ranked[:_SAID]])),
    )


def _lead(scores: Sequence[float], *, others: int, full: int, neutral: float) -> float:
    """How far the first score is above the mean of those from `others` on, drawn towards `neutral` as far as `full` scores are not there."""
    compared = scores[max(1, others) :]
    if not compared:
        return neutral
    known = min(1.0, (len(scores) - 1) / (full - 1))
    return known * (scores[0] - sum(compared) / len(compared)) + (1 - known) * neutral


def _words(hit: Hit, tokens: Tokens) -> frozenset[str]:
    return words_of("\n".join((hit.document.title, *hit.passage.heading_path, hit.passage.text)), tokens=tokens)


def _is_cjk(text: str) -> bool:
    """Whether more than a fifth of its letters are of a script that is written without spaces."""
    return 5 * len(_CJK.findall(text)) > sum(c.isalpha() for c in text)
