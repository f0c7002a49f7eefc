"""Parts that stand in for slow ones: they implement the ports, give the same result every time, and know nothing of language."""

import hashlib
import time
from collections.abc import Sequence

import numpy as np

from index.embedders.token_codes import TokenCoder, joined
from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import Embedded, EmbeddedQuery, EmbedInput, Floats


class HashEmbedder:
    """The port `Embedder`: a vector is a hash of the text, which is one token. Nothing is near anything but itself."""

    def __init__(
        self, *, dimension: int = 16, pause_s: float = 0.0, failures: int = 0, fingerprint: str = "hash"
    ) -> None:
        """Each call of `embed_passages` takes `pause_s`; the first `failures` of them fail as an absent model server does."""
        self._dimension = dimension
        self._pause_s = pause_s
        self._fingerprint = fingerprint
        self._coder = TokenCoder(np.zeros(dimension, np.float32))
        self.failures = failures
        self.calls = 0

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def max_tokens(self) -> int:
        return 512

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) * 2 // 3 + 4 for text in texts]

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        self.calls += 1
        time.sleep(self._pause_s)
        if self.failures > 0:
            self.failures -= 1
            raise ModelUnavailable("The model is away.")
        sentences = [self._vectors([span.of(it.text) for span in it.sentences]) for it in inputs]
        vectors = self._vectors([it.text for it in inputs])
        tokens = joined([self._coder.codes(vector[None]) for vector in vectors]) if inputs else None
        return Embedded(vectors, tuple(sentences), tokens)

    def embed_query(self, text: str) -> EmbeddedQuery:
        (vector,) = self._vectors([text])
        return EmbeddedQuery(vector, self._coder.question(vector[None]))

    def _vectors(self, texts: Sequence[str]) -> Floats:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for i, text in enumerate(texts):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            drawn = np.random.default_rng(seed).normal(size=self._dimension)
            vectors[i] = drawn / np.linalg.norm(drawn)
        return vectors
