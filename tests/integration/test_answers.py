"""Does the program answer from real files with the real model, cite what stands there, and say when it knows nothing?"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from answer.pipeline import ExtractiveAnswerer
from eval.answers import answer_to
from eval.build import Built, build
from eval.dataset import Entry
from tests.fakes import HashEmbedder
from xuesi.core.domain import NO_FILTERS, Answer, Citation, Filters, Statement
from xuesi.core.errors import EmptyQuestion, InvalidInput, ModelUnavailable, QuestionTooLong
from xuesi.core.ports import AnswerEvent, Embedded, EmbedInput, Searcher, SearchResult
from xuesi.core.settings import Settings

SILO = "数据孤岛是指各部门分别建设系统，彼此的数据不能互通、不能共同使用的状况。"
CORPUS = (
    Entry(
        "silo",
        "数据共享报告",
        f"{SILO}\n它使同一份材料要填报多次。\n打破数据孤岛的办法如下：\n（一）统一编码和接口。\n（二）建立共享目录。\n（三）把查询留痕。\n报告由信息处编写。",
    ),
    Entry(
        "class",
        "读书班安排",
        "读书班于2023年6月5日在党校开班，为期五天。\n学员每天上午自学，下午研讨。\n结业时每人交一份研讨材料。",
    ),
    Entry("class-copy", "读书班简报", "简报第三期。\n读书班于2023年6月5日在党校开班，为期五天。\n学员反映收获很大。"),
    Entry("canteen", "食堂管理办法", "食堂每天供应三餐。\n剩饭剩菜应当分类投放。\n就餐人员应当排队取餐。"),
    Entry("fire", "消防须知", "办公楼每层设两个灭火器。\n消防通道不得堆放杂物。\n每年组织一次疏散演练。"),
)

ENGLISH = (
    Entry(
        "research",
        "Notes on grassroots research",
        "Grassroots research begins with a clear question.\nThe research team visits at least six villages and talks with forty households.\n"
        "Findings become measures only when somebody is named to carry them out.",
    ),
    Entry("canteen", "Canteen rules", "The canteen serves three meals a day.\nLeftovers go into separate bins."),
    Entry(
        "fire",
        "Fire safety",
        "There are two fire extinguishers on every floor.\nAn evacuation drill is held once a year.",
    ),
    Entry(
        "archive", "Archive rules", "Case files are bound within ten days.\nBorrowed files are returned within a month."
    ),
)


@pytest.fixture(scope="module")
def library(model_dir: Path) -> Iterator[Built]:
    with build(CORPUS, Settings(data_dir=model_dir.parents[1])) as built:
        assert len(built.entries) == len(CORPUS)
        yield built


def asked(library: Built, question: str) -> Answer:
    return answer_to(question, library.services.answerer)


def documents(library: Built, answer: Answer, statement: int = 0) -> set[str]:
    numbers = answer.statements[statement].citations
    return {library.entries[c.document_id] for c in answer.citations if c.number in numbers}


def test_a_definition_is_answered_by_the_defining_sentence(library: Built) -> None:
    answer = asked(library, "什么是数据孤岛？")
    assert answer.status == "answered"
    assert answer.statements[0].text == SILO
    assert documents(library, answer) == {"silo"}


def test_a_list_is_told_with_its_items_in_their_order(library: Built) -> None:
    told = [s.text for s in asked(library, "打破数据孤岛的办法有哪些？").statements]
    start = told.index("打破数据孤岛的办法如下：")
    assert "\n".join(told[start + 1 :]).startswith("（一）统一编码和接口。\n（二）建立共享目录。\n（三）把查询留痕。")


def test_the_same_sentence_in_two_documents_is_one_statement_with_two_citations(library: Built) -> None:
    answer = asked(library, "读书班是什么时候开班的？")
    assert answer.statements[0].text == "读书班于2023年6月5日在党校开班，为期五天。"
    assert documents(library, answer) == {"class", "class-copy"}
    assert len({statement.text for statement in answer.statements}) == len(answer.statements)


def test_an_english_question_is_answered_in_the_words_of_a_chinese_text(library: Built) -> None:
    answer = asked(library, "How many fire extinguishers are on each floor?")
    assert answer.statements[0].text == "办公楼每层设两个灭火器。"
    assert documents(library, answer) == {"fire"}


def test_a_chinese_question_is_answered_in_the_words_of_an_english_text(model_dir: Path) -> None:
    with build(ENGLISH, Settings(data_dir=model_dir.parents[1])) as built:
        answer = asked(built, "调研组走访了几个村庄？")
        assert "six villages" in answer.statements[0].text
        assert documents(built, answer) == {"research"}


@pytest.mark.parametrize(
    "question", ["量子计算机怎样纠错？", "How do I bake sourdough bread?", "哪一年发射了第一颗人造卫星？"]
)
def test_what_is_not_in_the_material_is_said_to_be_so(library: Built, question: str) -> None:
    answer = asked(library, question)
    assert (answer.status, answer.statements, answer.citations) == ("not_in_material", (), ())
    assert answer.confidence < 0.5
    assert answer.nearest


@pytest.mark.parametrize(
    "question", ["什么是数据孤岛？", "读书班多少天？", "How often is the evacuation drill?", "灭火器在哪里？"]
)
def test_every_citation_comes_before_its_statement_and_quotes_what_stands_there(library: Built, question: str) -> None:
    events = list(library.services.answerer.ask(question))
    seen: dict[int, Citation] = {}
    for event in events:
        if isinstance(event, Citation):
            seen[event.number] = event
        elif isinstance(event, Statement):
            assert event.citations
            assert all(number in seen for number in event.citations)
            assert seen[event.citations[0]].quote == event.text
    assert isinstance(events[-1], Answer)
    assert list(events[-1].citations) == list(seen.values())
    assert [c.number for c in seen.values()] == list(range(1, len(seen) + 1))
    for citation in seen.values():
        version = library.services.catalogue.version(citation.document_id, citation.version)
        assert citation.span.of(library.services.files.text(version)) == citation.quote
        assert citation.page == 1


def test_the_same_question_gets_the_same_answer(library: Built) -> None:
    one, two = (replace(asked(library, "读书班多少天？"), took_ms=0.0) for _ in range(2))
    assert one == two


def test_filters_hold_for_answers(library: Built) -> None:
    (fire,) = (document for document, entry in library.entries.items() if entry == "fire")
    *_, answer = library.services.answerer.ask("灭火器有几个？", filters=Filters(document_id=(fire,)))
    assert isinstance(answer, Answer)
    assert {c.document_id for c in answer.citations} == {fire}


def test_modes_without_a_model_server(library: Built) -> None:
    ask = library.services.answerer.ask
    assert isinstance([*ask("什么是数据孤岛？", mode="extractive")][-1], Answer)
    with pytest.raises(ModelUnavailable, match="extractive"):
        ask("什么是数据孤岛？", mode="generative")
    with pytest.raises(InvalidInput, match="no mode"):
        ask("什么是数据孤岛？", mode="creative")


def test_what_is_wrong_with_a_question_is_raised_before_any_event(library: Built) -> None:
    with pytest.raises(EmptyQuestion):
        library.services.answerer.ask("？！……")
    with pytest.raises(QuestionTooLong):
        library.services.answerer.ask("问" * 20_000)


class Altered:
    """A search whose hits were damaged: the wording of their passages is not that of the text any more."""

    def __init__(self, searcher: Searcher, document: str, *, wording: str, altered: str) -> None:
        self._searcher = searcher
        self._document = document
        self._wording, self._altered = wording, altered

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        filters: Filters = NO_FILTERS,
        strict: bool = True,
        without: Collection[str] = (),
    ) -> SearchResult:
        found = self._searcher.search(query, limit=limit, filters=filters, strict=strict, without=without)
        hits = tuple(
            replace(hit, passage=replace(hit.passage, text=hit.passage.text.replace(self._wording, self._altered)))
            if hit.document.id == self._document
            else hit
            for hit in found.hits
        )
        return replace(found, hits=hits)


def _on_altered(library: Built, *, wording: str, altered: str) -> tuple[str, ExtractiveAnswerer]:
    """The document "class", and an answerer that finds it damaged."""
    services = library.services
    (damaged,) = (document for document, entry in library.entries.items() if entry == "class")
    return damaged, ExtractiveAnswerer(
        Altered(services.searcher, damaged, wording=wording, altered=altered),
        catalogue=services.catalogue,
        files=services.files,
        tokens=services.indexes.tokens,
        threshold=0.0,
        max_statements=5,
        max_chars=2000,
    )


def test_a_citation_that_does_not_stand_in_its_source_is_withheld_and_logged(
    library: Built, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, answerer = _on_altered(library, wording="五天", altered="九天")
    with caplog.at_level(logging.ERROR):
        events: list[AnswerEvent] = list(answerer.ask("读书班开班多少天？"))
    said = [event.text for event in events if isinstance(event, Statement)]
    assert not any("九天" in text for text in said)
    assert any("五天" in text for text in said)
    assert "A citation was withheld" in caplog.text
    assert damaged in caplog.text
    assert "读书班开班多少天" not in caplog.text


def test_a_statement_is_told_in_the_words_of_a_place_that_holds(library: Built) -> None:
    damaged, answerer = _on_altered(library, wording="开班，为期", altered="开班,为期")
    answer = answer_to("读书班是什么时候开班的？", answerer)
    quotes = {citation.number: citation.quote for citation in answer.citations}
    assert damaged not in {citation.document_id for citation in answer.citations if "开班" in citation.quote}
    assert any("开班，为期五天" in statement.text for statement in answer.statements)
    assert all(statement.text == quotes[statement.citations[0]] for statement in answer.statements)


class WholePassages(HashEmbedder):
    """An embedder that gives no sentence vectors."""

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        made = super().embed_passages(inputs)
        return replace(made, sentences=tuple(sentences[:0] for sentences in made.sentences))


def test_the_words_alone_answer_where_the_embedder_has_no_sentence_vectors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without = WholePassages(dimension=16)
    monkeypatch.setattr("xuesi.wiring.open_model", lambda _settings: without)
    with build(CORPUS, Settings(data_dir=tmp_path, answer_threshold=0.0)) as built:
        version = built.services.catalogue.versions(next(iter(built.entries)))[0]
        assert len(built.services.files.sentences(version, without.fingerprint).vectors) == 0
        assert asked(built, "什么是数据孤岛？").statements[0].text == SILO


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Built]:
    """A library of this test alone, with an embedder that knows letters only."""
    monkeypatch.setattr("xuesi.wiring.open_model", lambda _settings: HashEmbedder(dimension=16))
    with build(CORPUS, Settings(data_dir=tmp_path, answer_threshold=0.0)) as built:
        yield built


def test_a_document_that_is_removed_while_it_is_asked_is_left_out(
    small: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = small.services
    (removed,) = (document for document, entry in small.entries.items() if entry == "silo")
    search = services.searcher.search

    def then_remove(
        query: str, *, limit: int, filters: Filters, strict: bool, without: Collection[str]
    ) -> SearchResult:
        found = search(query, limit=limit, filters=filters, strict=strict, without=without)
        assert removed in {hit.document.id for hit in found.hits}
        services.remove(removed)
        return found

    monkeypatch.setattr(services.searcher, "search", then_remove)
    answer = asked(small, "什么是数据孤岛？")
    assert removed not in {citation.document_id for citation in answer.citations}


def test_a_document_whose_text_goes_while_it_is_told_is_withheld(
    small: Built, caplog: pytest.LogCaptureFixture
) -> None:
    services = small.services
    (damaged,) = (document for document, entry in small.entries.items() if entry == "silo")
    events = services.answerer.ask("什么是数据孤岛？")
    services.files.remove(services.catalogue.versions(damaged)[0])
    *_, answer = events
    assert isinstance(answer, Answer)
    assert damaged not in {citation.document_id for citation in answer.citations}
    assert "A citation was withheld" in caplog.text


def test_lost_sentence_vectors_of_one_document_silence_nobody(small: Built, caplog: pytest.LogCaptureFixture) -> None:
    for lost in small.services.settings.data_dir.glob("files/*/*/vectors-*/sentences.npy"):
        lost.unlink()
    assert asked(small, "什么是数据孤岛？").statements[0].text == SILO
    assert "by its words only" in caplog.text
