"""How do the rankings become one? The last step before hits are checked against the catalogue and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xuesi.core.domain import PassageId, RerankState
from xuesi.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate with its score and what it is made of.

    score = dense + weight * coverage + late_weight * late + phrases + preferred, as far as these are known. `rerank` is no part of it.
    """

    id: PassageId
    score: float
    dense: float
    coverage: float
    late: float = 0.0
    phrases: float = 0.0
    preferred: float = 0.0
    rerank: float | None = None
    rerank_state: RerankState = RerankState.OFF


def fuse(
    dense: Mapping[PassageId, float], lexical: Mapping[PassageId, float], *, ceiling: float, weight: float
) -> list[Fused]:
    """Rank passages by cosine similarity plus how much of the query's lexical weight they cover.

    score(p) = dense(p) + weight * lexical(p) / ceiling, a missing term counting as 0.

    Args:
        dense: Cosine similarity of each candidate, in [-1, 1].
        lexical: BM25 score of each candidate, >= 0.
        ceiling: Sum of the idf of all query tokens, > 0, those the corpus lacks included, so that a query whose words the
            corpus does not know leaves the dense order as it is.
        weight: Say of the lexical side, >= 0.

    Returns:
        Candidates best first, ties by id, so that runs repeat exactly.

    Raises:
        InvalidInput: If ceiling is not positive or weight is negative.

    Source: measured against reciprocal rank fusion (Cormack et al. 2009, doi:10.1145/1571941.1572114), which gives a lexical ranking the
        same say when no word of the query occurs in the corpus. BM25 as in Robertson & Zaragoza 2009, doi:10.1561/1500000019.
    """
    if not ceiling > 0:
        raise InvalidInput(f"The ceiling of the lexical score must be positive, not {ceiling}.")
    if not weight >= 0:
        raise InvalidInput(f"The lexical weight must not be negative: {weight}.")
    fused = []
    for passage_id in {**dense, **lexical}:
        cosine = dense.get(passage_id, 0.0)
        coverage = lexical.get(passage_id, 0.0) / ceiling
        fused.append(Fused(passage_id, cosine + weight * coverage, cosine, coverage))
    return sorted(fused, key=lambda f: (-f.score, f.id))


def with_phrases(ranked: Sequence[Fused], given: Mapping[PassageId, float]) -> list[Fused]:
    """A ranking, ranked anew with what is given to each, >= 0, for the phrases that it has; best first, ties by id."""
    anew = [replace(it, score=it.score + given[it.id], phrases=given[it.id]) if it.id in given else it for it in ranked]
    return sorted(anew, key=lambda f: (-f.score, f.id))


def with_late(ranked: Sequence[Fused], late: Mapping[PassageId, float], *, weight: float) -> list[Fused]:
    """The first of a ranking, ranked anew with what their single tokens say; the others stay behind them, in their order.

    Args:
        ranked: Candidates best first.
        late: Late interaction of the first of them, in [-1, 1].
        weight: Its say, >= 0.

    Returns:
        All of them; those in `late` best first, ties by id.
    """
    first = [replace(it, score=it.score + weight * late[it.id], late=late[it.id]) for it in ranked if it.id in late]
    return [*sorted(first, key=lambda f: (-f.score, f.id)), *(it for it in ranked if it.id not in late)]
