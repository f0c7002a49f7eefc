"""Which sentences of the best passages may answer the question? The first step of an answer.

The sentences and their vectors were made at ingest, so nothing is embedded here; a passage whose embedder gives no sentence
vectors is judged by its words alone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from answer import cues, lists
from answer.asked import Asked, Tokens, words_of
from xuesi.core import text as core_text
from xuesi.core.domain import Hit, Span, VersionId
from xuesi.core.ports import Floats, SearchResult, SentenceVectors

SentencesOf = Callable[[VersionId], SentenceVectors]

# Longest statement in code points; where words are spaced, 2.5 times as long.
LONGEST_CHARS = 120
_SPACED = 2.5

_PASSAGE = 0.8  # say of the score of the hit in that of its sentences
_CLOSENESS, _SHARE, _CUE, _PLACE = 0.2, 0.3, 0.03, 0.01
_QUESTION, _TABLE_HEAD, _HEADING = 0.15, 0.15, 0.1
_CONTEXT = 0.5
_CELLS = " | "  # stands between the cells of a row

_CLAUSE = re.compile(r"[^，,；;]+[，,；;]*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# What is left of a line of a table of contents, whose dots end it as a sentence.
_LEADER = re.compile(r"\s[.…·]$")
_LAST_PUNCTUATION = re.compile(r"[。！？!?；;.…：:][”’」』）》\"')\]]*$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence, or the clauses of a long one, that may become a statement.

    `span` lies in the version's text and names `text`. `cosine` is that of question and sentence in [-1, 1], `share` the part of the
    question that the sentence holds in [0, 1], `score` what candidates are ranked by. `items` are what a list lead-in brings, `favour` is the
    part of the search's score that says what is meant and not whether it answers.
    """

    hit: Hit
    span: Span
    text: str
    tokens: frozenset[str]
    cosine: float
    share: float
    score: float
    items: tuple[Span, ...] = ()
    favour: float = 0.0

    @property
    def plain_score(self) -> float:
        """The score without what the passage is favoured by: to have what is quoted, or to be named, is not to answer what is asked."""
        return self.score - _PASSAGE * self.favour


def gather(
    question: str, found: SearchResult, *, about: Asked, sentences_of: SentencesOf, tokens: Tokens, typical: Floats
) -> list[Evidence]:
    """Every sentence of the hits' passages as a candidate, best first; ties in order of rank and place.

    Args:
        question: As it was asked.
        found: What search gave for it.
        about: What the question is about.
        sentences_of: The stored sentences of a version.
        tokens: The lexical index's tokens of a text.
        typical: (dimension,), the mean vector of questions, as `answer.typical` says.
    """
    patterns = cues.wanted(question)
    read = [_sentences(hit, sentences_of(hit.passage.version_id)) for hit in found.hits]
    near = iter(_closeness(found.query.vector - typical, [vectors for _, vectors in read if vectors is not None]))
    candidates: list[Evidence] = []
    for hit, (worth, favour), (spans, vectors) in zip(found.hits, worths(found.hits), read, strict=True):
        cosines = [hit.explain.dense] * len(spans) if vectors is None else (vectors @ found.query.vector).tolist()
        closeness = [0.0] * len(spans) if vectors is None else [next(near) for _ in spans]
        named = words_of(" ".join(hit.passage.heading_path[-1:]), tokens=tokens)
        for index, span in enumerate(spans):
            if not core_text.has_words(_of(hit, span)):
                continue
            listed = _opening_list(index, spans, hit)
            brings = lists.items_after(index, spans, partial(_of, hit))
            whole = span if brings else _whole(index, spans, hit)
            shown = listed[0] if listed else _shown(whole, hit, about=about, tokens=tokens)
            words = _of(hit, shown)
            held = words_of(words, tokens=tokens)
            share = about.share(held)
            within = about.share(held | named) - share
            score = (
                _CLOSENESS * max(closeness[index : index + max(1, len(listed))])
                + _SHARE * (share + (within if listed else _CONTEXT * within))
                + _PASSAGE * worth
                + _CUE * cues.fit(words, patterns)
                - _PLACE * index / len(spans)  # a passage says first what it is about
                - _penalty(words, hit)
            )
            items = listed[1:] or (brings if shown == span else ())
            candidates.append(Evidence(hit, shown, words, held, cosines[index], share, score, items, favour))
    return sorted(candidates, key=lambda e: -e.score)


def worths(hits: Sequence[Hit]) -> list[tuple[float, float]]:
    """What the search's judgement of each hit comes to, in their order: the hits' scores, greatest first, each with the favour that is part of it.

    A reranker gives an order and no score on this scale, so its order is taken and the scores are dealt out anew; without one they stay as they are.
    """
    return sorted(((hit.score, hit.explain.favour) for hit in hits), reverse=True)


def _opening_list(index: int, spans: Sequence[Span], hit: Hit) -> tuple[Span, ...]:
    """The list that the heading leads in, where the passage opens with one and this is its first sentence."""
    return lists.opening_list(spans, partial(_of, hit)) if index == 0 and hit.passage.heading_path else ()


def _closeness(asked: Floats, vectors: Sequence[Floats]) -> list[float]:
    """The cosine of what is particular to the question and what is particular to each sentence among all those found, in [-1, 1]."""
    if not vectors:
        return []
    every = np.concatenate(vectors)
    every -= every.mean(axis=0)
    lengths = np.linalg.norm(every, axis=1) * np.linalg.norm(asked)
    near: list[float] = (every @ asked / np.maximum(lengths, 1e-9)).tolist()
    return near


def _of(hit: Hit, span: Span) -> str:
    start = hit.passage.span.start
    return hit.passage.text[span.start - start : span.end - start]


def _sentences(hit: Hit, kept: SentenceVectors) -> tuple[list[Span], Floats | None]:
    """The passage's sentences in order with their vectors (sentences, dimension), or without where the embedder gave none."""
    rows = np.flatnonzero(kept.passages == hit.passage.ordinal)
    if len(rows) and len(kept.vectors) == len(kept.spans):
        return [Span(int(start), int(end)) for start, end in kept.spans[rows]], kept.vectors[rows].astype(np.float32)
    start = hit.passage.span.start
    return [Span(start + s.start, start + s.end) for s in core_text.sentences(hit.passage.text)], None


def longest_chars(text: str) -> int:
    """How long a statement in the script of this text may be, in code points."""
    spaced = len(_CJK.findall(text)) < len(text) / 5
    return round(LONGEST_CHARS * _SPACED) if spaced else LONGEST_CHARS


def _whole(index: int, spans: Sequence[Span], hit: Hit) -> Span:
    """The sentence that was cut after ；, of which this is a part: all of its parts on this line, if they are not too much for a statement."""
    first, last = index, index
    while first and _goes_on(spans[first - 1], spans[first], hit):
        first -= 1
    while last + 1 < len(spans) and _goes_on(spans[last], spans[last + 1], hit):
        last += 1
    whole = Span(spans[first].start, spans[last].end)
    return whole if len(whole) <= longest_chars(_of(hit, whole)) else spans[index]


def _goes_on(part: Span, after: Span, hit: Hit) -> bool:
    return _of(hit, part)[-1] in "；;" and "\n" not in _of(hit, Span(part.end, after.start))


def _shown(span: Span, hit: Hit, *, about: Asked, tokens: Tokens) -> Span:
    """The sentence, or of a long one the run of whole clauses that holds most of the question; the earliest of equals."""
    text = _of(hit, span)
    limit = longest_chars(text)
    if len(text) <= limit:
        return span
    clauses = [Span(m.start(), m.end()) for m in _CLAUSE.finditer(text)]
    held = [words_of(c.of(text), tokens=tokens) for c in clauses]
    best, best_share = Span(0, len(text)), -1.0
    for first, clause in enumerate(clauses):
        last = first
        while last + 1 < len(clauses) and clauses[last + 1].end - clause.start <= limit:
            last += 1
        worth = about.share(frozenset().union(*held[first : last + 1]))
        if worth > best_share:
            best, best_share = Span(clause.start, clauses[last].end), worth
        if last == len(clauses) - 1:
            break
    piece = best.of(text)
    start = best.start + len(piece) - len(piece.lstrip())
    end = best.start + len(piece.rstrip("，,；; \n\t")) if best.end < len(text) else best.end
    return Span(span.start + start, span.start + end)


def _penalty(words: str, hit: Hit) -> float:
    """What counts against a sentence: it asks instead of telling, or it is a heading, a title or the head of a table."""
    if words.rstrip("”\"'）)」』").endswith(("？", "?")):
        return _QUESTION
    bare = words.strip()
    if _CELLS in bare and _heads_a_table(bare, hit.passage.text.split("\n")):
        return _TABLE_HEAD
    if bare in hit.passage.heading_path or bare == hit.document.title or _LEADER.search(bare):
        return _HEADING
    short = len(bare) < longest_chars(bare) / 6
    return _HEADING if short and not _LAST_PUNCTUATION.search(bare) and not lists.is_item(bare) else 0.0


def _heads_a_table(row: str, lines: Sequence[str]) -> bool:
    """Whether it is the first of several rows of as many cells, three or more; of two, the first may well say something."""
    if row not in lines:
        return False
    at, cells = lines.index(row), row.count(_CELLS)
    before, after = lines[at - 1] if at else "", lines[at + 1] if at + 1 < len(lines) else ""
    return cells > 1 and before.count(_CELLS) != cells and after.count(_CELLS) == cells
