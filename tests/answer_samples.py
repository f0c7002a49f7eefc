"""Small material for tests of answers: hits over a text, as search gives them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from tests.fakes import HashEmbedder
from xuesi.core.domain import Document, DocumentId, Explanation, Hit, Kind, Passage, PassageId, Span, VersionId
from xuesi.core.ports import EmbeddedQuery, LexicalQuery, SearchResult, SentenceVectors

NO_SENTENCES = SentenceVectors(
    spans=np.zeros((0, 2), np.int32), passages=np.zeros(0, np.int32), vectors=np.zeros((0, 2), np.float16)
)


def a_hit(  # noqa: PLR0913 a sample says what its test is about
    text: str,
    *,
    rank: int = 1,
    score: float = 0.9,
    start: int = 0,
    ordinal: int = 0,
    document: str = "d",
    version: str = "v",
    title: str = "题目",
    headings: tuple[str, ...] = (),
) -> Hit:
    """A hit whose passage is `text`, standing at `start` of the version's text."""
    return Hit(
        rank=rank,
        score=score,
        passage=Passage(
            id=PassageId(f"{version}-{ordinal}"),
            version_id=VersionId(version),
            ordinal=ordinal,
            span=Span(start, start + len(text)),
            text=text,
            page_from=1,
            page_to=1,
            heading_path=headings,
        ),
        document=Document(
            id=DocumentId(document), title=title, kind=Kind.OTHER, created_at=datetime(2024, 1, 1, tzinfo=UTC)
        ),
        version=1,
        explain=Explanation(dense=score, coverage=0.5),
    )


def found(*hits: Hit, idf: Mapping[str, float] | None = None) -> SearchResult:
    """A search result; every token of `idf` is a token of the question."""
    weights = dict(idf or {})
    return SearchResult(
        hits=hits,
        query=EmbeddedQuery(vector=np.array([1.0, 0.0], np.float32)),
        lexical=LexicalQuery(idf=weights, ceiling=sum(weights.values()), passages=10**9),
        took_ms=1.0,
        embedder=HashEmbedder(),
    )


def letters(text: str) -> list[str]:
    """Single letters as tokens: enough to tell sentences apart."""
    return [c for c in text.lower() if c.isalnum()]
