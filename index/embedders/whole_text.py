"""What do embedders share that give one vector a text and let nobody see their tokens?

Late interaction and stored sentence vectors need tokens; with these embedders, search and answers go without.
"""

from collections.abc import Sequence

import numpy as np

from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import Embedded, Floats

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


def passages_only(passages: Floats) -> Embedded:
    """What an embedder without sentence and token vectors gives for `passages`, (n, dimension)."""
    nothing = np.empty((0, passages.shape[1]), np.float32)
    return Embedded(passages=passages, sentences=(nothing,) * len(passages))


def _nonsense(model: str, what: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The embedding model {model} answered {what}.", hint="Check that its server runs an embedding model."
    )
