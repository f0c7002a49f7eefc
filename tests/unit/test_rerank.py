"""Are the best candidates ranked anew as far as the time allows, and the others left behind them?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from answer.evidence import worths
from index.fuse import Fused
from index.rerank import Reranking, Shown
from tests.answer_samples import a_hit
from xuesi.core.domain import RerankState, Version, VersionId, VersionState
from xuesi.core.ports import Floats, LivePassage


class Lengths:
    """A reranker of which each text takes `each_s` seconds on `clock`; scores follow from what the texts say after the title."""

    def __init__(self, *, each_s: float = 0.0) -> None:
        self.each_s = each_s
        self.now = 0.0
        self.asked: list[list[str]] = []

    def clock(self) -> float:
        return self.now

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        assert query == "问"
        self.asked.append(list(passages))
        self.now += self.each_s * len(passages)
        return np.array([float(text.split("\n")[-1]) for text in passages], np.float32)


def shown(*scores: float) -> list[Shown]:
    """Candidates in their order, which the reranker will give these scores."""
    found = []
    for place, score in enumerate(scores):
        hit = a_hit(str(score), ordinal=place, headings=("章",))
        fused = Fused(hit.passage.id, 1 - place / 100, 0.5, 0.5)
        found.append((fused, LivePassage(hit.passage, hit.document, _VERSION)))
    return found


_DOCUMENT = a_hit("x").document
_VERSION = Version(
    id=VersionId("v"),
    document_id=_DOCUMENT.id,
    number=1,
    sha256="",
    file_name="",
    media_type="",
    bytes=0,
    state=VersionState.LIVE,
    added_at=_DOCUMENT.created_at,
)


def ranked(reranker: Lengths, given: list[Shown], *, candidates: int = 20, budget_ms: float = 1000) -> list[Fused]:
    stage = Reranking(reranker, candidates=candidates, budget_ms=budget_ms, clock=reranker.clock)
    return [fused for fused, _ in stage.ranked("问", given)]


def test_the_candidates_take_the_order_of_their_scores_and_keep_their_own_score() -> None:
    given = shown(0.1, 0.9, 0.5)
    found = ranked(Lengths(), given)
    assert [it.rerank for it in found] == pytest.approx([0.9, 0.5, 0.1])
    assert [it.score for it in found] == [given[1][0].score, given[2][0].score, given[0][0].score]
    assert {it.rerank_state for it in found} == {RerankState.SCORED}


def test_the_reranker_reads_title_and_headings_before_the_passage() -> None:
    reranker = Lengths()
    ranked(reranker, shown(0.5))
    assert reranker.asked == [["题目\n章\n0.5"]]


def test_equal_scores_keep_their_order() -> None:
    given = shown(*[0.5] * 9)
    assert [it.id for it in ranked(Lengths(), given)] == [fused.id for fused, _ in given]


def test_no_more_are_scored_than_there_are_candidates_and_the_others_stay_behind_them() -> None:
    given = shown(-3.0, -2.0, -1.0, 9.0, 8.0)
    found = ranked(Lengths(), given, candidates=3)
    assert [it.rerank for it in found] == [-1.0, -2.0, -3.0, None, None]
    assert [it.id for it in found[3:]] == [fused.id for fused, _ in given[3:]]
    assert [it.rerank_state for it in found[2:]] == [RerankState.SCORED, RerankState.NOT_ASKED, RerankState.NOT_ASKED]


def test_when_the_time_is_up_the_best_were_scored_and_the_others_keep_their_order() -> None:
    given = shown(*range(14))
    reranker = Lengths(each_s=0.1)  # four take 0.4 s: a third time would end after 1.2 s
    found = ranked(reranker, given, candidates=12, budget_ms=1000)
    assert [len(asked) for asked in reranker.asked] == [4, 4]
    assert [it.rerank for it in found] == [7, 6, 5, 4, 3, 2, 1, 0, *[None] * 6]
    assert [it.id for it in found[8:]] == [fused.id for fused, _ in given[8:]]
    states = [it.rerank_state for it in found[8:]]
    assert states == [RerankState.OUT_OF_TIME] * 4 + [RerankState.NOT_ASKED] * 2


def test_the_best_few_are_scored_however_long_they_take() -> None:
    found = ranked(Lengths(each_s=60), shown(*range(9)), budget_ms=1)
    assert [it.rerank for it in found] == [3, 2, 1, 0, *[None] * 5]


def test_without_candidates_nobody_is_asked() -> None:
    reranker = Lengths()
    assert ranked(reranker, []) == []
    assert reranker.asked == []


def test_an_answer_takes_the_order_of_the_hits_and_the_scale_of_their_scores() -> None:
    hits = [a_hit("x", score=score) for score in (0.7, 0.9, 0.8)]
    assert [worth for worth, _ in worths(hits)] == [0.9, 0.8, 0.7]


def test_what_a_hit_is_favoured_by_goes_with_the_score_that_holds_it() -> None:
    plain, quoted = (a_hit("x", score=score) for score in (0.7, 0.9))
    quoted = replace(quoted, explain=replace(quoted.explain, phrases=0.2))
    assert worths([plain, quoted]) == [(0.9, 0.2), (0.7, 0.0)]
