"""Which of the best passages answer the query best? A reranker reads each together with the query: the last ranking, the dearest, and off unless one is set.

Of a hit it changes the rank and not the score: a reranker's scores are on a scale of its own, which answers know nothing of.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from index.fuse import Fused
from xuesi.core.domain import RerankState
from xuesi.core.ports import LivePassage, Reranker
from xuesi.core.text import in_context

Shown = tuple[Fused, LivePassage]  # a candidate that may be shown
_AT_ONCE = 4  # pairs between two looks at the clock


class Reranking:
    """Ranks the best candidates anew, as many as the time allows. Safe to share among threads."""

    def __init__(
        self,
        reranker: Reranker,
        *,
        candidates: int,
        budget_ms: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`candidates` are scored at most, in about `budget_ms`; `clock` gives seconds."""
        self.candidates = candidates
        self._reranker = reranker
        self._budget_s = budget_ms / 1000
        self._clock = clock

    def ranked(self, query: str, shown: Sequence[Shown]) -> list[Shown]:
        """All of them: those that were scored by that score, ties in their order, and the others behind them, in their order.

        Pairs are scored best candidates first, a few at a time. More are begun only if there is time for what the slowest of those before took,
        so that the budget is overrun only where the first few, which are always scored, take longer.
        """
        texts = [_read(of) for _, of in shown[: self.candidates]]
        scores = self._scores(query, texts)
        states = [RerankState.OUT_OF_TIME] * (len(texts) - len(scores)) + [RerankState.NOT_ASKED] * len(shown)
        scored = [
            (replace(fused, rerank=score, rerank_state=RerankState.SCORED), of)
            for (fused, of), score in zip(shown, scores, strict=False)
        ]
        others = [
            (replace(fused, rerank_state=state), of)
            for (fused, of), state in zip(shown[len(scores) :], states, strict=False)
        ]
        return sorted(scored, key=lambda it: -(it[0].rerank or 0.0)) + others

    def _scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Of the first of the texts, at least of the first few."""
        scores: list[float] = []
        started, slowest_s = self._clock(), 0.0
        for i in range(0, len(texts), _AT_ONCE):
            begun = self._clock()
            if scores and begun - started + slowest_s > self._budget_s:
                break
            scores += self._reranker.score(query, texts[i : i + _AT_ONCE]).tolist()
            slowest_s = max(slowest_s, self._clock() - begun)
        return scores


def _read(of: LivePassage) -> str:
    """What the reranker reads: what was embedded, title and headings before the passage."""
    return in_context(of.document.title, of.passage.heading_path, of.passage.text)[0]
