"""Which passages are near a vector? Chroma in a folder, one of the two rankings that search fuses.

The folder belongs to one process, and to one client in it: a second client neither finds what the first added nor misses what it removed.
"""

import ctypes
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import chromadb
import numpy as np
from chromadb.config import Settings
from chromadb.errors import ChromaError

from index.vectors.tokens import TokenFile
from xuesi.core.domain import PassageId
from xuesi.core.errors import IndexCorrupt, IndexMismatch, StorageFull
from xuesi.core.ports import Bits, Floats

_COLLECTION = "passages"
# Measured at 50,000 passages: recall@50 above 0.99 at about the price of the defaults. The graph is written to disk every 1,000
# vectors; what came after is read again when the folder is opened, which costs a second for every few thousand.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 24, "sync_threshold": 1000}
_PAGE = 5000
_TOKENS = "tokens.db"
_M_PERTURB = -6  # glibc, malloc.h


def _clear_new_memory() -> None:
    """Have memory cleared when it is allocated, in this whole process.

    hnswlib writes the places of vectors to come as malloc gave them: words of documents, also of removed ones, would get into its files with
    whatever stood in that memory before. Only glibc can be told so.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_PERTURB, 0xFF)  # memory is filled with the complement of this


_clear_new_memory()


class ChromaIndex:
    """Implements `VectorIndex` in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open the index, or make an empty one. Nothing is sent anywhere.

        Raises:
            IndexCorrupt: If the folder holds something that is no such index, or a damaged one.
        """
        self._folder = folder
        with self._translated():
            folder.mkdir(parents=True, exist_ok=True)
            self._client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
            self._collection = self._client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
            )
            self._batch = self._client.get_max_batch_size()
            self._tokens = TokenFile(folder / _TOKENS)

    def close(self) -> None:
        """Let go of the folder; nothing else may be called afterwards."""
        self._client.close()
        self._tokens.close()

    def add(self, ids: Sequence[PassageId], vectors: Floats, tokens: Sequence[Bits] = ()) -> None:
        """Add or replace. `vectors` (n, dimension), unit norm; `tokens`, if any, n times (its tokens, bits / 8).

        Raises:
            IndexMismatch: If the index holds vectors of another dimension.
        """
        with self._translated():
            if tokens:  # before the vectors: whoever finds a passage finds its tokens
                self._tokens.put(ids, tokens)
            for i in range(0, len(ids), self._batch):
                self._collection.upsert(ids=list(ids[i : i + self._batch]), embeddings=vectors[i : i + self._batch])

    def remove(self, ids: Sequence[PassageId]) -> None:
        """Forget these; unknown ones are passed over."""
        with self._translated():
            for i in range(0, len(ids), self._batch):
                self._collection.delete(ids=list(ids[i : i + self._batch]))
            self._tokens.remove(ids)

    def query(self, vector: Floats, limit: int) -> list[tuple[PassageId, float]]:
        """The nearest by cosine, best first, with the cosine in [-1, 1], ties by id.

        Raises:
            IndexMismatch: If the index holds vectors of another dimension.
        """
        if limit < 1:  # Chroma refuses that
            return []
        with self._translated():
            found = self._collection.query(
                query_embeddings=np.asarray(vector, dtype=np.float32)[None], n_results=limit, include=["distances"]
            )
        nearest = [
            (PassageId(key), min(1.0, max(-1.0, 1.0 - distance)))
            for key, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]
        return sorted(nearest, key=lambda hit: (-hit[1], hit[0]))

    def get(self, ids: Sequence[PassageId]) -> dict[PassageId, Floats]:
        """The vectors of those that are there."""
        if not ids:  # Chroma takes an empty list for "all"
            return {}
        with self._translated():
            found = self._collection.get(ids=list(ids), include=["embeddings"])
        vectors = np.asarray(found["embeddings"], dtype=np.float32)
        return {PassageId(key): vector for key, vector in zip(found["ids"], vectors, strict=True)}

    def tokens(self, ids: Sequence[PassageId]) -> dict[PassageId, Bits]:
        """The tokens of those that came with some, (its tokens, bits / 8)."""
        with self._translated():
            return self._tokens.get(ids)

    def count(self) -> int:
        """How many are held."""
        with self._translated():
            return int(self._collection.count())

    def ids(self) -> Iterator[PassageId]:
        """All ids that are held, in no order."""
        with self._translated():
            for offset in range(0, self._collection.count(), _PAGE):
                yield from map(PassageId, self._collection.get(limit=_PAGE, offset=offset, include=[])["ids"])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (
            ChromaError,
            ValueError,
            OSError,
            AttributeError,
            sqlite3.Error,
        ) as error:  # AttributeError: Chroma's clean-up of a failed start
            said = str(error)
            if "dimension" in said:
                raise IndexMismatch(
                    f"The vector index in {self._folder} was made by another embedding model: {said}.",
                    hint="Embed the library anew with the present model: xuesi reindex --model NAME",
                ) from error
            if "disk is full" in said or "No space left" in said:
                raise StorageFull(f"There is no space left for the vector index in {self._folder}.") from error
            raise IndexCorrupt(
                f"The vector index in {self._folder} cannot be used: {said}",
                hint="Rebuild it from the catalogue: xuesi reindex",
                folder=str(self._folder),
            ) from error
