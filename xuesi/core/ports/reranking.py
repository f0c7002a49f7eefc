"""How well does a passage answer a query, read together with it?"""

from collections.abc import Sequence
from typing import Protocol

from xuesi.core.ports.arrays import Floats


class Reranker(Protocol):
    """Scores pairs of a query and a passage. Nothing of it is kept, so it may be another one at the next start."""

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        """How well each passage answers the query, (passages,) float32 in their order; higher is better.

        The scale is the model's own: [0, 1] where it ends in a sigmoid, any finite number elsewhere. Only scores of one query compare. A pair
        over the model's limit is cut, its longer side first.
        """
        ...
