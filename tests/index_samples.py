"""A small library for tests of the index: real SQLite, files, Chroma and tantivy, and an embedder whose vectors follow from the words."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from index.catalogue.catalogue import SqlCatalogue, open_catalogue
from index.catalogue.files import FileStore
from index.embedders.token_codes import TokenCoder, joined
from index.indexes import Indexes
from index.phrases import Dictionary
from index.pipeline import HybridSearcher
from index.publish import Publisher
from index.rerank import Reranking
from index.tokens import tokens
from xuesi.core.domain import (
    Document,
    DocumentId,
    Job,
    JobId,
    JobKind,
    JobState,
    Kind,
    Passage,
    PassageId,
    Span,
    Version,
    VersionId,
    VersionState,
)
from xuesi.core.ids import new_id
from xuesi.core.ports import Embedded, EmbeddedQuery, EmbedInput, Floats, Reranker, SentenceVectors

DIMENSION = 64
LATE_WEIGHT = 0.5
_CODER = TokenCoder(np.zeros(DIMENSION, np.float32))


class WordEmbedder:
    """Implements `Embedder` without a model: texts with common words are near each other, and the same text has the same vector everywhere."""

    fingerprint = "words-64"
    dimension = DIMENSION
    max_tokens = 512

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of the lexical index."""
        return [len(tokens(text)) for text in texts]

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        """One vector a text and one a token, no sentences."""
        none = np.zeros((0, DIMENSION), dtype=np.float32)
        vectors = np.stack([_vector(it.text) for it in inputs])
        return Embedded(vectors, tuple(none for _ in inputs), joined([_CODER.codes(_each(it.text)) for it in inputs]))

    def embed_query(self, text: str) -> EmbeddedQuery:
        """As a passage."""
        return EmbeddedQuery(_vector(text), _CODER.question(_each(text)))


def _each(text: str) -> Floats:
    return np.stack([_vector(token) for token in tokens(text)] or [_vector(text)])


def _vector(text: str) -> Floats:
    vector = np.full(DIMENSION, 0.01, dtype=np.float32)
    for token in tokens(text):
        vector[int.from_bytes(hashlib.sha256(token.encode()).digest()[:4]) % DIMENSION] += 1
    unit: Floats = vector / np.linalg.norm(vector)
    return unit


@dataclass(frozen=True)
class Library:
    """The opened parts, and short ways to do with them what the worker does."""

    catalogue: SqlCatalogue
    files: FileStore
    indexes: Indexes
    publisher: Publisher
    embedder: WordEmbedder
    dictionary: Dictionary

    @cached_property
    def searcher(self) -> HybridSearcher:
        """One without a reranker."""
        return self._searcher_with(None)

    def hand_over(
        self, title: str, texts: Sequence[str], *, document_id: DocumentId | None = None, **facts: Any
    ) -> Version:
        """Add a document, or a version of one, as the worker leaves it to the publisher."""
        now = datetime.now(UTC)
        data: bytes = facts.pop("data", new_id().encode())
        with self.files.put_original(io.BytesIO(data), limit_bytes=1000, wanted=lambda _: True) as stored:
            pass
        version = Version(
            id=VersionId(new_id()),
            document_id=document_id or DocumentId(new_id()),
            number=1,
            sha256=stored.sha256,
            file_name="a.txt",
            media_type="text/plain",
            bytes=len(data),
            state=VersionState.QUEUED,
            added_at=now,
        )
        job = self._job(version, JobKind.INGEST)
        if document_id is None:
            document = Document(
                id=version.document_id, title=title, kind=facts.pop("kind", Kind.OTHER), created_at=now, **facts
            )
            self.catalogue.add_document(document, version, job)
        else:
            version = self.catalogue.add_version(version, job)
        passages, start = [], 0
        for ordinal, text in enumerate(texts):
            span = Span(start, start + len(text))
            passages.append(Passage(PassageId(new_id()), version.id, ordinal, span, text, 1, 1))
            start += len(text) + 1
        self.catalogue.save_reading(version.id, pages=[], passages=passages, chars=start, quality={})
        self.embed(version)
        self._claim(job)
        assert self.catalogue.hand_over(job.id, now=now, attempt=1)
        return self.catalogue.version_by_id(version.id)

    def embed(self, version: Version, *, fingerprint: str = "words-64") -> None:
        """Keep the vectors of the version's passages, and none of another model."""
        title = self.catalogue.document(version.document_id).title
        passages = self.catalogue.passages(version.id)
        made = self.embedder.embed_passages([EmbedInput(f"{title}\n{it.text}") for it in passages])
        none = SentenceVectors(
            np.zeros((0, 2), dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros((0, DIMENSION), dtype=np.float16)
        )
        self.files.put_vectors(
            version, fingerprint=fingerprint, title=title, passages=made.passages, sentences=none, tokens=made.tokens
        )
        self.files.drop_vectors(version, keep={fingerprint})

    def embed_anew(self, version: Version) -> Job:
        """Embed a live version again, as after a change of its title, and leave it to the publisher."""
        job = self._job(version, JobKind.EMBED)
        self.catalogue.add_job(job)
        self._claim(job)
        self.embed(version)
        assert self.catalogue.hand_over(job.id, now=datetime.now(UTC), attempt=1)
        return job

    def publish(self, title: str, texts: Sequence[str], **facts: Any) -> Version:
        """Add a document and make it live."""
        version = self.hand_over(title, texts, **facts)
        self.publisher.step()
        return self.catalogue.version_by_id(version.id)

    def found(self, query: str, **options: Any) -> list[str]:
        """The texts of the hits."""
        return [hit.passage.text for hit in self.searcher.search(query, **options).hits]

    def reranked(self, reranker: Reranker, *, candidates: int) -> HybridSearcher:
        """A searcher of this library that has a reranker."""
        return self._searcher_with(Reranking(reranker, candidates=candidates, budget_ms=60_000))

    def _searcher_with(self, reranking: Reranking | None) -> HybridSearcher:
        """A searcher of this library."""
        return HybridSearcher(
            embedders={self.embedder.fingerprint: self.embedder},
            indexes=self.indexes,
            catalogue=self.catalogue,
            files=self.files,
            dictionary=self.dictionary,
            weight=0.25,
            late_weight=LATE_WEIGHT,
            candidates=10,
            max_chars=2000,
            reranking=reranking,
        )

    def _job(self, version: Version, kind: JobKind) -> Job:
        now = datetime.now(UTC)
        return Job(
            id=JobId(new_id()),
            kind=kind,
            document_id=version.document_id,
            version_id=version.id,
            state=JobState.QUEUED,
            created_at=now,
            updated_at=now,
        )

    def _claim(self, job: Job) -> None:
        now = datetime.now(UTC)
        assert self.catalogue.claim_job(job.id, now=now, lease_until=now)


@contextmanager
def open_library(folder: Path, *, replace_damaged: bool = False) -> Iterator[Library]:
    """Open a library in the folder, as the server does."""
    with open_catalogue(f"sqlite:///{folder / 'catalogue.db'}") as catalogue:
        files, embedder = FileStore(folder / "files"), WordEmbedder()
        indexes = Indexes(
            folder, catalogue=catalogue, fingerprint=embedder.fingerprint, replace_damaged=replace_damaged
        )
        try:
            dictionary = Dictionary(catalogue)
            yield Library(
                catalogue=catalogue,
                files=files,
                indexes=indexes,
                publisher=Publisher(catalogue=catalogue, files=files, indexes=indexes),
                embedder=embedder,
                dictionary=dictionary,
            )
        finally:
            indexes.close()


def day(text: str) -> date:
    """A date from YYYY-MM-DD."""
    return date.fromisoformat(text)
