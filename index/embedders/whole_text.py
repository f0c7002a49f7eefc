"""What do embedders share that give one vector a text and let nobody see their tokens?

Late interaction and stored sentence vectors need tokens; with these embedders, search and answers go without.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import Embedded, EmbeddedQuery, EmbedInput, Floats

MAX_TOKENS = 512  # every common embedding model takes as many, and passages are cut to it
_BYTES_A_TOKEN = 3  # one Chinese character; English words have more, so the estimate errs on the safe side
_SPECIAL_TOKENS = 2
_MAX_BYTES = (MAX_TOKENS - _SPECIAL_TOKENS) * _BYTES_A_TOKEN


def estimate_tokens(text: str) -> int:
    """A cautious estimate of the text's tokens for a model whose tokenizer is unknown: a token for 3 bytes of UTF-8."""
    return -(-len(text.encode()) // _BYTES_A_TOKEN) + _SPECIAL_TOKENS


def fit(text: str) -> str:
    """Cut the text to MAX_TOKENS by the estimate, since a server may refuse longer ones, and empty ones too."""
    return text.encode()[:_MAX_BYTES].decode(errors="ignore") or " "


def checked(vectors: Sequence[Sequence[float]], *, texts: int, dimension: int | None, model: str) -> Floats:
    """The vectors as (texts, dimension) float32 of unit norm.

    Raises:
        ModelUnavailable: If they are not `texts` vectors of `dimension` finite numbers that are not all zero.
    """
    try:
        found: Floats = np.asarray(vectors, np.float32).reshape(len(vectors), -1)
    except (TypeError, ValueError) as exc:
        raise _nonsense(model, "vectors of unequal length, or no numbers") from exc
    if len(found) != texts:
        raise _nonsense(model, f"{len(found)} vectors for {texts} texts")
    if dimension is not None and found.shape[1] != dimension:
        raise _nonsense(model, f"vectors of {found.shape[1]} numbers instead of {dimension}")
    norms: Floats = np.linalg.norm(found, axis=1, keepdims=True)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise _nonsense(model, "a vector that is zero or not finite")
    unit: Floats = found / norms
    return unit


class WholeTextEmbedder(ABC):
    """An embedder of ours on a model that gives one vector a text. Each kind says how its model is asked.

    Args:
        kind: How the model is asked, the first word of the fingerprint.
        model: The model's name there.
        batch: Texts that it is given at once.

    Raises:
        ModelUnavailable: It does not answer, or answers nonsense; it is asked once at the start for the length of its vectors.
    """

    def __init__(self, *, kind: str, model: str, batch: int) -> None:
        self._kind = kind
        self._model = model
        self._batch = batch
        self._dimension = len(checked(self._vectors(["1"]), texts=1, dimension=None, model=model)[0])

    @property
    def fingerprint(self) -> str:
        """Names kind and model, not the place: a server may stand elsewhere tomorrow and serve the same model."""
        return f"{self._kind}:{self._model}-{self._dimension}"

    @property
    def dimension(self) -> int:
        """Length of every vector, as the model gave it first."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens by our estimate; longer ones are cut."""
        return MAX_TOKENS

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A cautious estimate: the model's tokenizer is not known here."""
        return [estimate_tokens(text) for text in texts]

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        """Vectors in the order of `inputs`; no sentence vectors and no tokens."""
        texts = [fit(item.text) for item in inputs]
        passages = np.empty((len(texts), self._dimension), np.float32)
        for start in range(0, len(texts), self._batch):
            part = texts[start : start + self._batch]
            passages[start : start + len(part)] = self._checked(self._vectors(part), texts=len(part))
        nothing = np.empty((0, self._dimension), np.float32)
        return Embedded(passages=passages, sentences=(nothing,) * len(passages))

    def embed_query(self, text: str) -> EmbeddedQuery:
        """The question's vector."""
        return EmbeddedQuery(vector=self._checked([self._query_vector(fit(text))], texts=1)[0])

    @abstractmethod
    def _vectors(self, texts: list[str]) -> list[list[float]]:
        """Ask the model for the vectors of passages."""

    @abstractmethod
    def _query_vector(self, text: str) -> list[float]:
        """Ask the model for the vector of a question."""

    def _checked(self, vectors: Sequence[Sequence[float]], *, texts: int) -> Floats:
        return checked(vectors, texts=texts, dimension=self._dimension, model=self._model)


def _nonsense(model: str, what: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The embedding model {model} answered {what}.", hint="Check that its server runs an embedding model."
    )
