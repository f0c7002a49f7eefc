"""How do LlamaIndex's engines use our embedder, and we theirs?"""

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import PrivateAttr

from index.embedders.whole_text import WholeTextEmbedder
from xuesi.core.errors import Misconfigured, ModelUnavailable
from xuesi.core.ports import Embedder, EmbedInput


class XuesiEmbedding(BaseEmbedding):
    """Our embedder as LlamaIndex's: questions and passages each with their own prefix.

    Args:
        embedder: Any embedder of ours.
    """

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.fingerprint)
        self._embedder = embedder

    @classmethod
    def class_name(cls) -> str:
        """Name under which LlamaIndex serialises it."""
        return "XuesiEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return list(map(float, self._embedder.embed_query(query).vector))

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors = self._embedder.embed_passages([EmbedInput(text=text) for text in texts]).passages
        rows: list[list[float]] = vectors.tolist()
        return rows

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


class LlamaIndexEmbedder(WholeTextEmbedder):
    """Any LlamaIndex embedding as ours. Gives passages' vectors only.

    Args:
        embedding: The LlamaIndex embedding.

    Raises:
        ModelUnavailable: It does not answer, or answers nonsense.
    """

    def __init__(self, embedding: BaseEmbedding) -> None:
        self._embedding = embedding
        name = f"{embedding.class_name()}:{embedding.model_name}"
        super().__init__(kind="llama-index", model=name, batch=embedding.embed_batch_size)

    def _vectors(self, texts: list[str]) -> list[list[float]]:
        with self._translated():
            return self._embedding.get_text_embedding_batch(texts)

    def _query_vector(self, text: str) -> list[float]:
        with self._translated():
            return self._embedding.get_query_embedding(text)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as exc:  # every vendor behind LlamaIndex raises its own
            raise ModelUnavailable(
                f"The embedding model {self._model} failed: {type(exc).__name__}: {exc}",
                hint="See its own settings and log.",
            ) from exc


def named_embedder(named: str) -> LlamaIndexEmbedder:
    """The embedder for `MODULE:NAME`, where NAME() in MODULE gives a LlamaIndex embedding. Raises Misconfigured if it does not."""
    module, _, name = named.partition(":")
    try:
        embedding = getattr(importlib.import_module(module), name)()
    except Exception as exc:  # it is somebody else's code
        raise _no_embedding(named, f"{type(exc).__name__}: {exc}") from exc
    if not isinstance(embedding, BaseEmbedding):
        raise _no_embedding(named, f"it gives a {type(embedding).__name__}")
    return LlamaIndexEmbedder(embedding)


def _no_embedding(named: str, why: str) -> Misconfigured:
    return Misconfigured(
        f"No LlamaIndex embedding comes of {named}: {why}.",
        hint="Write llama-index:MODULE:NAME, where NAME is a class or function of MODULE that takes no argument; MODULE's folder must be in PYTHONPATH.",
    )
