"""How do LlamaIndex's engines use our embedder, and we theirs?"""

import asyncio
from collections.abc import Sequence

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import PrivateAttr

from index.embedders.whole_text import MAX_TOKENS, checked, estimate_tokens, fit, passages_only
from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import Embedded, EmbeddedQuery, Embedder, EmbedInput, Floats


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


class LlamaIndexEmbedder:
    """Any LlamaIndex embedding as ours. Gives passages' vectors only.

    Args:
        embedding: The LlamaIndex embedding; asked once at the start for the length of its vectors.

    Raises:
        ModelUnavailable: It does not answer, or answers nonsense.
    """

    def __init__(self, embedding: BaseEmbedding) -> None:
        self._embedding = embedding
        self._name = f"{embedding.class_name()}:{embedding.model_name}"
        self._dimension = len(self._embed(["1"], dimension=None)[0])

    @property
    def fingerprint(self) -> str:
        """Names the class and its model."""
        return f"llama-index:{self._name}-{self._dimension}"

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens by our estimate; longer ones are cut."""
        return MAX_TOKENS

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A cautious estimate: the model's tokenizer is not known here."""
        return [estimate_tokens(text) for text in texts]

    def embed_passages(self, inputs: Sequence[EmbedInput], *, with_tokens: bool = False) -> Embedded:
        """Vectors in the order of `inputs`; no sentence vectors, and no token vectors even where asked for."""
        del with_tokens
        if not inputs:
            return passages_only(np.empty((0, self._dimension), np.float32))
        return passages_only(self._embed([fit(item.text) for item in inputs], dimension=self._dimension))

    def embed_query(self, text: str) -> EmbeddedQuery:
        """The question's vector."""
        try:
            vector = self._embedding.get_query_embedding(fit(text))
        except Exception as exc:
            raise self._error(exc) from exc
        return EmbeddedQuery(vector=checked([vector], texts=1, dimension=self._dimension, model=self._name)[0])

    def _embed(self, texts: list[str], *, dimension: int | None) -> Floats:
        try:
            vectors = self._embedding.get_text_embedding_batch(texts)
        except Exception as exc:  # every vendor behind LlamaIndex raises its own
            raise self._error(exc) from exc
        return checked(vectors, texts=len(texts), dimension=dimension, model=self._name)

    def _error(self, exc: Exception) -> ModelUnavailable:
        return ModelUnavailable(
            f"The embedding model {self._name} failed: {type(exc).__name__}: {exc}",
            hint="See its own settings and log.",
        )
