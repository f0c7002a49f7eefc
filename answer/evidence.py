"""Which sentences of the best passages may answer the question? The first step of an answer.

The sentences and their vectors were made at ingest, so nothing is embedded here; a passage whose embedder gives no sentence
vectors is judged by its words alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from answer import cues
from xuesi.core import text as core_text
from xuesi.core.domain import Hit, Span, VersionId
from xuesi.core.ports import Floats, SearchResult, SentenceVectors

Tokens = Callable[[str], list[str]]
SentencesOf = Callable[[VersionId], SentenceVectors]

# Longest statement in code points; where words are spaced, 2.5 times as long.
LONGEST_CHARS = 120
_SPACED = 2.5

_CLOSENESS, _SHARE, _PASSAGE, _CUE = 0.2, 0.4, 0.8, 0.03
_QUESTION, _HEADING = 0.15, 0.1

_CLAUSE = re.compile(r"[^，,；;]+[，,；;]*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_ITEM = re.compile(
    r"(?:[（(]?[一二三四五六七八九十]+[）)、.．]|第[一二三四五六七八九十]+[，、项条]?|[一二三四五六七八九十]是"
    r"|[（(]?\d{1,2}[）)、.．](?!\d)|[①-⑳•·●○◆■\-–—*])\s*"
)  # fmt: skip
_LAST_PUNCTUATION = re.compile(r"[。！？!?；;.…：:][”’」』）》\"')\]]*$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence, or the clauses of a long one, that may become a statement.

    `span` lies in the version's text and names `text`. `cosine` is that of question and sentence in [-1, 1], `share` the part of the
    question's idf that the sentence holds in [0, 1], `score` what candidates are ranked by. `items` are what a list lead-in brings.
    """

    hit: Hit
    span: Span
    text: str
    tokens: frozenset[str]
    cosine: float
    share: float
    score: float
    items: tuple[Span, ...] = ()


def gather(
    question: str, found: SearchResult, *, sentences_of: SentencesOf, tokens: Tokens, typical: Floats
) -> list[Evidence]:
    """Every sentence of the hits' passages as a candidate, best first; ties in order of rank and place.

    Args:
        question: As it was asked.
        found: What search gave for it.
        sentences_of: The stored sentences of a version.
        tokens: The lexical index's tokens of a text.
        typical: (dimension,), the mean vector of questions, as `answer.typical` says.
    """
    patterns = cues.wanted(question)
    share = _share_of(found)
    read = [_sentences(hit, sentences_of(hit.passage.version_id)) for hit in found.hits]
    near = iter(_closeness(found.query.vector - typical, [vectors for _, vectors in read if vectors is not None]))
    candidates: list[Evidence] = []
    for hit, (spans, vectors) in zip(found.hits, read, strict=True):
        cosines = [hit.explain.dense] * len(spans) if vectors is None else (vectors @ found.query.vector).tolist()
        for index, (span, cosine) in enumerate(zip(spans, cosines, strict=True)):
            shown = _shown(span, hit, share=share, tokens=tokens)
            words = _of(hit, shown)
            held = frozenset(tokens(words))
            score = (
                _CLOSENESS * (0.0 if vectors is None else next(near))
                + _SHARE * share(held)
                + _PASSAGE * hit.score
                + _CUE * cues.fit(words, patterns)
                - _penalty(words, hit)
            )
            items = _items(index, spans, hit) if shown == span else ()
            candidates.append(Evidence(hit, shown, words, held, cosine, share(held), score, items))
    return sorted(candidates, key=lambda e: -e.score)


def _closeness(asked: Floats, vectors: Sequence[Floats]) -> list[float]:
    """The cosine of what is particular to the question and what is particular to each sentence among all those found, in [-1, 1]."""
    if not vectors:
        return []
    every = np.concatenate(vectors)
    every -= every.mean(axis=0)
    lengths = np.linalg.norm(every, axis=1) * np.linalg.norm(asked)
    near: list[float] = (every @ asked / np.maximum(lengths, 1e-9)).tolist()
    return near


def _share_of(found: SearchResult) -> Callable[[frozenset[str]], float]:
    idf: Mapping[str, float] = found.lexical.idf
    total = sum(idf.values())
    return lambda held: sum(weight for token, weight in idf.items() if token in held) / total if total else 0.0


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


def _shown(span: Span, hit: Hit, *, share: Callable[[frozenset[str]], float], tokens: Tokens) -> Span:
    """The sentence, or of a long one the run of whole clauses that holds most of the question; the earliest of equals."""
    text = _of(hit, span)
    limit = longest_chars(text)
    if len(text) <= limit:
        return span
    clauses = [Span(m.start(), m.end()) for m in _CLAUSE.finditer(text)]
    held = [frozenset(tokens(c.of(text))) for c in clauses]
    best, best_share = Span(0, len(text)), -1.0
    for first, clause in enumerate(clauses):
        last = first
        while last + 1 < len(clauses) and clauses[last + 1].end - clause.start <= limit:
            last += 1
        worth = share(frozenset().union(*held[first : last + 1]))
        if worth > best_share:
            best, best_share = Span(clause.start, clauses[last].end), worth
        if last == len(clauses) - 1:
            break
    piece = best.of(text)
    start = best.start + len(piece) - len(piece.lstrip())
    end = best.start + len(piece.rstrip("，,；; \n\t")) if best.end < len(text) else best.end
    return Span(span.start + start, span.start + end)


def _penalty(words: str, hit: Hit) -> float:
    """What counts against a sentence: it asks instead of telling, or it is a heading or title."""
    if words.rstrip("”\"'）)」』").endswith(("？", "?")):
        return _QUESTION
    bare = words.strip()
    if bare in hit.passage.heading_path or bare == hit.document.title:
        return _HEADING
    short = len(bare) < longest_chars(bare) / 6
    return _HEADING if short and not _LAST_PUNCTUATION.search(bare) and not _ITEM.match(bare) else 0.0


def _items(index: int, spans: Sequence[Span], hit: Hit) -> tuple[Span, ...]:
    """What a list lead-in brings: of one that ends its line the lines of the list, of one that begins a series (：…；) the rest of the series."""
    words = _of(hit, spans[index])
    after = spans[index + 1 :]
    if words[-1] in "：:":
        return _listed_lines(after, hit)
    if words[-1] not in "；;" or not ("：" in words or ":" in words):
        return ()
    end = next((i for i, span in enumerate(after, 1) if _of(hit, span)[-1] not in "；;"), len(after))
    return tuple(after[:end])


def _listed_lines(after: Sequence[Span], hit: Hit) -> tuple[Span, ...]:
    """The lines that follow, each with all its sentences; marked as items are, up to the first that is not."""
    lines: list[Span] = []
    for span in after:
        if lines and "\n" not in _of(hit, Span(lines[-1].end, span.start)):
            lines[-1] = Span(lines[-1].start, span.end)
        else:
            lines.append(span)
    marked = [_ITEM.match(_of(hit, line)) is not None for line in lines]
    if not any(marked[:1]):
        return tuple(lines)
    return tuple(lines[: next((i for i, m in enumerate(marked) if not m), len(lines))])
