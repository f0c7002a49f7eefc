"""Does the search find what is there, and only what may be shown?"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from index.fuse import Fused
from tests.index_samples import LATE_WEIGHT, Library, WordEmbedder, day, open_library
from xuesi.core.domain import Filters, Kind, RerankState
from xuesi.core.errors import EmptyQuestion, InvalidInput, QuestionTooLong
from xuesi.core.ports import EmbeddedQuery, Floats


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """400 documents that all speak of reading classes, in which single ones are to be found."""
    with open_library(tmp_path_factory.mktemp("large")) as library:
        for i in range(400):
            kind = Kind.LECTURE if i % 100 == 7 else Kind.NEWS if i % 2 else Kind.OTHER
            issuer = "研究室" if i == 399 else ""
            library.hand_over(f"通报{i}", [f"读书班开班第{i}天。", "学员认真学习。"], kind=kind, issuer=issuer)
        while library.publisher.step():
            pass
        yield library


def test_an_empty_library_has_no_hits(library: Library) -> None:
    result = library.searcher.search("读书班")
    assert result.hits == ()
    assert result.lexical.ceiling > 0


@pytest.mark.parametrize("query", ["", "  \n", "？！……", "\ufeff", "———"])
def test_a_query_without_words_is_refused(library: Library, query: str) -> None:
    with pytest.raises(EmptyQuestion):
        library.searcher.search(query)


def test_a_query_over_the_limit_is_refused(library: Library) -> None:
    with pytest.raises(QuestionTooLong, match="2001"):
        library.searcher.search("学" * 2001)


def test_a_limit_below_one_is_refused(library: Library) -> None:
    with pytest.raises(InvalidInput):
        library.searcher.search("学习", limit=0)


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "title:学习",
        "学习 AND (",
        "学习 OR '; DROP TABLE passage; --",
        "*学习*",
        "学习~2",
        "[1 TO 2] 学习",
        "学习\ud800",
    ],
)
def test_no_query_is_taken_for_a_language(library: Library, query: str) -> None:
    library.publish("甲", ["学习要入心。"])
    if query != '"':
        assert library.found(query) == ["学习要入心。"]
    else:
        with pytest.raises(EmptyQuestion):
            library.found(query)


def test_scores_are_explained_and_add_up(library: Library) -> None:
    library.publish("甲", ["调查研究要深入基层。", "学习要入心。", "整改要到位。"])
    result = library.searcher.search("怎样做好调查研究？")
    best = result.hits[0]
    assert best.passage.text == "调查研究要深入基层。"
    assert [hit.rank for hit in result.hits] == [1, 2, 3]
    for hit in result.hits:
        explain = hit.explain
        assert hit.score == pytest.approx(explain.dense + 0.25 * explain.coverage + LATE_WEIGHT * explain.late)
        assert sum(t.score for t in hit.explain.terms) / result.lexical.ceiling == pytest.approx(hit.explain.coverage)
    assert {term.term for term in best.explain.terms} >= {"调查", "研究"}


def test_single_tokens_decide_between_passages_that_are_equally_near(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["甲乙丙丁。", "学习要入心。"]
    library.publish("题", texts)
    alike = [Fused(it, 0.5, 0.5, 0.0) for it in sorted(library.indexes.vectors.ids())]
    monkeypatch.setattr("index.pipeline.fuse", lambda *_, **__: alike)
    for text in texts:
        hits = library.searcher.search(text).hits
        assert hits[0].passage.text == text
        assert hits[0].explain.late > hits[1].explain.late + 0.2


def test_an_embedder_that_shows_no_tokens_goes_without(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = library.embedder.embed_query
    monkeypatch.setattr(WordEmbedder, "embed_query", lambda _, text: EmbeddedQuery(asked(text).vector))
    library.publish("甲", ["调查研究要深入基层。", "学习要入心。"])
    hits = library.searcher.search("调查研究").hits
    assert hits[0].passage.text == "调查研究要深入基层。"
    assert {hit.explain.late for hit in hits} == {0.0}


class Counting:
    """A reranker to whom a text is the better the more often it says 整改."""

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        del query
        return np.array([text.count("整改") for text in passages], np.float32)


def test_a_reranker_orders_the_best_and_leaves_their_scores(library: Library) -> None:
    texts = ["调查研究要深入基层。", "调查研究要重整改。", "调查研究后整改要整改到位。", "学习要入心。"]
    library.publish("甲", texts)
    plain = library.searcher.search("调查研究要深入基层").hits
    assert plain[0].passage.text == texts[0]
    assert {(hit.explain.rerank, hit.explain.rerank_state) for hit in plain} == {(None, RerankState.OFF)}

    hits = library.reranked(Counting(), candidates=3).search("调查研究要深入基层").hits
    assert [hit.passage.text for hit in hits] == [texts[2], texts[1], texts[0], texts[3]]
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert [hit.explain.rerank for hit in hits] == [2.0, 1.0, 0.0, None]
    assert [hit.explain.rerank_state for hit in hits] == [*[RerankState.SCORED] * 3, RerankState.NOT_ASKED]
    assert {hit.passage.id: hit.score for hit in hits} == {hit.passage.id: hit.score for hit in plain}


def test_a_reranker_brings_up_what_lay_below_the_limit_and_brings_no_more_than_that(library: Library) -> None:
    library.publish("甲", [*(f"调查研究第{i}讲。" for i in range(8)), "整改要到位。"])
    assert "整改要到位。" not in library.found("调查研究", limit=3)
    hits = library.reranked(Counting(), candidates=20).search("调查研究", limit=3).hits
    assert len(hits) == 3
    assert hits[0].passage.text == "整改要到位。"


def test_a_reranker_sees_what_may_be_shown_and_nothing_else(library: Library) -> None:
    library.publish("甲", ["调查研究要深入基层。"])
    gone = library.publish("乙", ["整改整改整改。"])
    library.catalogue.delete_document(gone.document_id, at=datetime.now(UTC), purge_after=datetime.now(UTC))
    seen: list[str] = []

    class Watching(Counting):
        def score(self, query: str, passages: Sequence[str]) -> Floats:
            seen.extend(passages)
            return super().score(query, passages)

    library.reranked(Watching(), candidates=20).search("整改")
    assert seen == ["甲\n调查研究要深入基层。"]


def test_traditional_full_width_and_upper_case_find_the_same(library: Library) -> None:
    library.publish("甲", ["加强ＧＤＰ统计督导。", "学习要入心。"])
    for query in ("gdp統計督導", "ＧＤＰ统计督导", "GDP 统计督导"):
        hit = library.searcher.search(query).hits[0]
        assert hit.passage.text == "加强ＧＤＰ统计督导。"
        assert hit.explain.coverage > 0.5


def test_a_single_character_is_found(library: Library) -> None:
    library.publish("甲", ["加强党的建设。", "学习要入心。"])
    assert library.searcher.search("党").hits[0].passage.text == "加强党的建设。"
    assert library.searcher.search("党").hits[0].explain.coverage > 0


def test_equal_passages_of_two_documents_are_both_found_in_a_fixed_order(library: Library) -> None:
    library.publish("甲", ["同样的一段话。"])
    library.publish("甲", ["同样的一段话。"])
    found = [[hit.passage.id for hit in library.searcher.search("同样的一段话").hits] for _ in range(5)]
    assert len(found[0]) == 2
    assert all(ids == found[0] for ids in found)


def test_hits_hidden_by_many_dead_ones_are_still_found(library: Library) -> None:
    library.publish("主题教育", ["主题教育读书班其实只开一次。"])
    for _ in range(60):
        dead = library.hand_over("主题教育读书班", ["主题教育读书班开班。"])
        library.publisher.step()
        library.catalogue.delete_document(dead.document_id, at=datetime.now(UTC))
    assert library.found("主题教育读书班开班", limit=1) == ["主题教育读书班其实只开一次。"]


@pytest.mark.parametrize("limit", [1, 10, 25])
def test_a_filter_that_leaves_one_document_finds_it(large: Library, limit: int) -> None:
    hits = large.searcher.search("开班 学习", limit=limit, filters=Filters(issuer=("研究室",))).hits
    assert {hit.document.issuer for hit in hits} == {"研究室"}
    assert len(hits) == min(limit, 2)


@pytest.mark.parametrize(("kind", "documents"), [("lecture", 4), ("news", 196), ("other", 200)])
def test_hits_are_those_of_the_filter_whether_few_or_many_match(large: Library, kind: str, documents: int) -> None:
    filters = Filters(kind=(kind,))
    assert large.catalogue.extent(filters) == (documents, 2 * documents)
    hits = large.searcher.search("读书班开班第7天", limit=5, filters=filters).hits
    assert len(hits) == 5
    assert {hit.document.kind for hit in hits} == {Kind(kind)}


def test_filtered_hits_are_scored_as_they_are_without_the_filter(large: Library) -> None:
    everything = {hit.passage.id: hit for hit in large.searcher.search("读书班开班第107天", limit=100).hits}
    for kind in Kind.LECTURE, Kind.NEWS:
        filters = Filters(kind=(kind,))
        hits = large.searcher.search("读书班开班第107天", limit=4, filters=filters).hits
        common = [hit for hit in hits if hit.passage.id in everything]
        assert common
        for hit in common:
            assert hit.score == pytest.approx(everything[hit.passage.id].score, abs=1e-5)


def test_a_filter_that_nothing_fits_has_no_hits(large: Library) -> None:
    assert large.searcher.search("读书班", filters=Filters(topic=("没有",))).hits == ()


def test_dates_and_the_day_in_force_choose_among_documents(library: Library) -> None:
    library.publish("旧", ["旧的规定。"], published_on=day("2020-01-01"))
    library.publish("新", ["新的规定。"], published_on=day("2023-06-01"))
    assert library.found("规定", filters=Filters(published_from=day("2023-01-01"))) == ["新的规定。"]
    assert library.found("规定", filters=Filters(published_to=day("2022-12-31"))) == ["旧的规定。"]
    assert library.found("规定", filters=Filters(as_of=day("2021-01-01"))) == ["旧的规定。"]


def test_searches_at_the_same_time_give_what_they_give_alone(large: Library) -> None:
    queries = [f"读书班开班第{i}天" for i in range(40)]
    alone = [large.found(query) for query in queries]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(large.found, queries)) == alone


def test_a_long_question_is_answered(large: Library) -> None:
    long = "".join(chr(0x4E00 + i) for i in range(1990)) + "读书班"
    assert len(large.found(long)) == 10


def test_llama_index_gets_the_same_hits(library: Library) -> None:
    from llama_index.core.schema import MetadataMode, QueryBundle

    from index.retriever import XuesiRetriever

    version = library.publish("甲", ["调查研究要深入基层。", "学习要入心。"])
    retriever = XuesiRetriever(library.searcher, limit=1)
    nodes = retriever.retrieve("调查研究")
    assert [node.text for node in nodes] == ["调查研究要深入基层。"]
    assert nodes[0].score == library.searcher.search("调查研究").hits[0].score
    assert nodes[0].metadata == {
        "document_id": version.document_id,
        "version": 1,
        "title": "甲",
        "pages": [1, 1],
        "span": [0, 10],
        "heading_path": [],
    }
    assert "span" not in nodes[0].node.get_content(metadata_mode=MetadataMode.LLM)
    assert asyncio.run(retriever.aretrieve(QueryBundle("调查研究")))[0].node_id == nodes[0].node_id
    both = XuesiRetriever(library.searcher, limit=5).retrieve("“调查研究”和学习")
    assert len(both) == 2, "a question that quotes a word loses no other passage"


def test_documents_of_the_period_that_the_question_names_come_first_and_no_other_is_lost(library: Library) -> None:
    for year in (2021, 2022, 2023):
        library.publish("通知", ["读书班五月开班。"], published_on=day(f"{year}-05-01"))
    library.publish("通知", ["读书班五月开班。"])
    found = library.searcher.search("2022年读书班什么时候开班？")
    (period,) = found.understood.periods
    assert (period.text, period.first, period.last) == ("2022年", day("2022-01-01"), day("2022-12-31"))
    assert len(found.hits) == 4
    assert found.hits[0].document.published_on == day("2022-05-01")
    assert [hit.explain.preferred > 0 for hit in found.hits] == [True, False, False, False]


def test_relative_days_are_counted_from_the_day_that_is_asked_as_of(library: Library) -> None:
    library.publish("通知", ["读书班五月开班。"], published_on=day("2021-05-01"))
    found = library.searcher.search("去年读书班什么时候开班？", filters=Filters(as_of=day("2022-03-01")))
    assert [period.first for period in found.understood.periods] == [day("2021-01-01")]
    assert found.hits[0].explain.preferred > 0


def test_passages_of_a_document_that_is_named_exactly_come_first_though_others_fit_as_well(library: Library) -> None:
    library.publish("读书班", ["读书班里请假有规定。"] * 30)
    library.publish("用餐办法（试行）", ["排队。", "请假要报备。"])
    question = "《用餐办法》里请假有什么规定？"
    found = library.searcher.search(question, limit=5)
    (named,) = found.understood.documents
    assert (named.text, named.title, named.exactly) == ("《用餐办法》", "用餐办法（试行）", True)
    titles = [hit.document.title for hit in found.hits]
    assert titles.count("用餐办法（试行）") == 2
    assert titles.count("读书班") == 3
    literal = library.searcher.search(question, limit=5, without=["《用餐办法》"])
    assert not literal.understood
    assert [hit.document.title for hit in literal.hits].count("用餐办法（试行）") == 1


def test_what_is_preferred_is_part_of_the_score(library: Library) -> None:
    library.publish("基层调研工作方案", ["调研要深入。"], published_on=day("2023-05-01"))
    (hit,) = library.searcher.search("2023年基层调研工作方案怎么说？").hits
    explain = hit.explain
    assert explain.preferred > 0
    total = explain.dense + 0.25 * explain.coverage + LATE_WEIGHT * explain.late + explain.preferred
    assert hit.score == pytest.approx(total)


def test_only_what_may_be_shown_is_named(library: Library) -> None:
    version = library.publish("基层调研工作方案", ["调研要深入。"], kind=Kind.NEWS)
    question = "《基层调研工作方案》怎么说？"
    assert library.searcher.search(question).understood.documents
    assert not library.searcher.search(question, filters=Filters(kind=("lecture",))).understood
    library.catalogue.delete_document(version.document_id, at=datetime.now(UTC))
    assert not library.searcher.search(question).understood


def test_a_title_with_wildcards_in_it_names_nothing_but_itself(library: Library) -> None:
    library.publish("%%%%%%_____", ["文字。"])
    library.publish("100%完成任务的办法", ["文字。"])
    assert not library.searcher.search("怎样完成任务？").understood
    assert [it.title for it in library.searcher.search("《100%完成任务的办法》").understood.documents] == [
        "100%完成任务的办法"
    ]
