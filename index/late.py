"""How well do the single words of a question fit the single words of a passage, by their meaning? Late interaction.

The idea is ColBERT's (Khattab & Zaharia 2020, doi:10.1145/3397271.3401075): each token of the question looks for the token of the passage
that is nearest to it. Here the vectors come from the forward pass that gives the passage's own vector, so that nothing needs training.
"""

from collections.abc import Sequence

import numpy as np

from xuesi.core.ports import Bits, Floats

# The eight signs of every byte, (256, 8): a row is copied for each byte, which is faster than taking the bits apart.
_SIGNS = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) - 0.5) * 2
_AT_ONCE = 256  # tokens whose signs still lie in the core's own cache when they are multiplied


def late_scores(question: Floats, codes: Sequence[Bits]) -> Floats:
    """Mean over the question's tokens of the greatest cosine with a token of the passage.

    Args:
        question: (question's tokens, bits) float32 of unit norm.
        codes: For each passage (its tokens, bits / 8) uint8, the signs of its token vectors.

    Returns:
        (passages,) float32 in [-1, 1]; 0 for a passage without a token, and for all if the question has none.
    """
    scores = np.zeros(len(codes), np.float32)
    lengths = np.array([len(its) for its in codes], np.int64)
    if not lengths.any() or not len(question):
        return scores
    tokens = np.concatenate([its for its in codes if len(its)])
    planes = question.T / np.float32(np.sqrt(question.shape[1]))
    cosines = np.empty((len(tokens), len(question)), np.float32)
    for i in range(0, len(tokens), _AT_ONCE):
        signs = _SIGNS.take(tokens[i : i + _AT_ONCE], axis=0).reshape(-1, len(planes))
        np.matmul(signs, planes, out=cosines[i : i + _AT_ONCE])
    having = lengths > 0
    starts = np.cumsum(lengths) - lengths
    scores[having] = np.maximum.reduceat(cosines, starts[having], axis=0).mean(axis=1)
    return scores
