"""Search and answers over HTTP: the shapes of the contract, the order of a stream, and its end when the client goes."""

import json
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest
from fastapi.testclient import TestClient

from api import streams
from api.app import create_app
from tests.api_library import BASE, events, opened, served
from xuesi.core.domain import (
    NO_FILTERS,
    Answer,
    Citation,
    Document,
    DocumentId,
    Explanation,
    Filters,
    Hit,
    Kind,
    NamedDocument,
    Passage,
    PassageId,
    Period,
    Span,
    Statement,
    TermScore,
    Turn,
    Understood,
    VersionId,
)
from xuesi.core.errors import EmptyQuestion, ModelUnavailable
from xuesi.core.ports import AnswerEvent
from xuesi.services import Services

API = "/api/v1"
DOCUMENT = Document(DocumentId("d"), "办法", Kind.REGULATION, datetime.now(UTC), published_on=date(2023, 5, 1))
PASSAGE = Passage(PassageId("p"), VersionId("v"), 0, Span(10, 16), "每季度一次。", 2, 3, ("第一章",), 8)
HIT = Hit(1, 0.9, PASSAGE, DOCUMENT, 1, Explanation(0.8, 0.4, 0.3, (TermScore("季度", 1.5, 3.0),)))
CITATION = Citation(1, DOCUMENT.id, 1, DOCUMENT.title, DOCUMENT.published_on, 2, Span(10, 16), "每季度一次。")
SECOND = replace(CITATION, number=2, span=Span(20, 22), quote="学习")
STATEMENTS = (Statement("每季度一次。", (1,)), Statement("学习", (1, 2)))
ANSWER = Answer("answered", "extractive", 0.8, STATEMENTS, (CITATION, SECOND), (), 3.5)
EVENTS: tuple[AnswerEvent, ...] = (CITATION, STATEMENTS[0], SECOND, STATEMENTS[1], ANSWER)


class Scripted:
    """An answerer that says what it was told to, and remembers what it was asked and whether it was let go."""

    def __init__(self, *script: AnswerEvent | Exception, hold: threading.Event | None = None) -> None:
        self.script = script
        self.hold = hold
        self.asked: list[tuple[str, str, Filters, list[Turn]]] = []
        self.closed = threading.Event()
        self.without: list[str] = []

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
        without: Collection[str] = (),
    ) -> Iterator[AnswerEvent]:
        self.without = list(without)
        self.asked.append((question, mode, filters, list(conversation)))
        if self.script and isinstance(self.script[0], Exception):
            raise self.script[0]  # what is wrong with a question is said at once, as the answerers do
        return self._events()

    def _events(self) -> Iterator[AnswerEvent]:
        try:
            for number, event in enumerate(self.script):
                if isinstance(event, Exception):
                    raise event
                if number and self.hold:
                    self.hold.wait(10)
                yield event
        finally:
            self.closed.set()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("library")) as services:
        yield services


@pytest.fixture(scope="module")
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE) as client:
        yield client


def asking(services: Services, answerer: Scripted) -> TestClient:
    return TestClient(create_app(replace(services, answerer=answerer)), base_url=BASE)


def test_answer_has_the_shape_of_the_contract(services: Services) -> None:
    body = asking(services, Scripted(*EVENTS)).post(f"{API}/ask", json={"question": "多久一次？"}).json()
    assert body == {
        "status": "answered",
        "statements": [{"text": "每季度一次。", "citations": [1]}, {"text": "学习", "citations": [1, 2]}],
        "citations": [
            {
                "number": 1, "document_id": "d", "version": 1, "title": "办法", "published_on": "2023-05-01", "page": 2, "span": [10, 16],
                "quote": "每季度一次。", "url": "/documents/d/versions/1?start=10&end=16",
                "current": True, "superseded_by": None,
            },
            {
                "number": 2, "document_id": "d", "version": 1, "title": "办法", "published_on": "2023-05-01", "page": 2, "span": [20, 22],
                "quote": "学习", "url": "/documents/d/versions/1?start=20&end=22",
                "current": True, "superseded_by": None,
            },
        ],
        "nearest": [],
        "confidence": 0.8,
        "mode": "extractive",
        "phrases": [],
        "understood": {"question": None, "periods": [], "documents": []},
        "took_ms": 3.5,
        "withheld": 0,
        "withheld_statements": None,
        "fallback": None,
        "cut_short": None,
    }  # fmt: skip


def test_question_without_evidence_is_no_error_and_shows_what_is_near(services: Services) -> None:
    answer = Answer("not_in_material", "extractive", 0.1, (), (), (HIT,), 2.0)
    response = asking(services, Scripted(answer)).post(f"{API}/ask", json={"question": "天气？"})
    assert response.status_code == 200
    assert response.json()["nearest"] == [
        {
            "rank": 1,
            "score": 0.9,
            "passage": {
                "id": "p", "text": "每季度一次。", "document_id": "d", "version": 1, "title": "办法", "kind": "regulation",
                "published_on": "2023-05-01", "pages": [2, 3], "span": [10, 16], "heading_path": ["第一章"],
                "url": "/documents/d/versions/1?start=10&end=16",
            },
            "explain": {"dense": 0.8, "coverage": 0.4, "late": 0.3, "phrases": 0.0, "preferred": 0.0,
                        "terms": [{"term": "季度", "score": 1.5, "idf": 3.0}], "rerank": None, "rerank_state": "off"},
            "current": True,
            "superseded_by": None,
        }
    ]  # fmt: skip


def test_what_is_asked_reaches_the_answerer(services: Services) -> None:
    answerer = Scripted(ANSWER)
    asked = {
        "question": "多久？",
        "mode": "extractive",
        "filters": {"kind": "news", "topic": ["a", "b"], "published_from": "2023-01-01", "as_of": "2024-01-01"},
        "conversation": [{"role": "user", "content": "读书班？"}],
    }
    assert asking(services, answerer).post(f"{API}/ask", json=asked).status_code == 200
    filters = Filters(kind=("news",), topic=("a", "b"), published_from=date(2023, 1, 1), as_of=date(2024, 1, 1))
    assert answerer.asked == [("多久？", "extractive", filters, [Turn("user", "读书班？")])]


UNDERSTOOD = Understood(
    "2023年《办法》多久一次？",
    (Period("2023年", date(2023, 1, 1), date(2023, 12, 31)), Period("2020年以来", date(2020, 1, 1), None)),
    (NamedDocument("《办法》", DOCUMENT.id, DOCUMENT.title, exactly=True),),
)
UNDERSTOOD_OUT = {
    "question": "2023年《办法》多久一次？",
    "periods": [
        {"text": "2023年", "from": "2023-01-01", "to": "2023-12-31"},
        {"text": "2020年以来", "from": "2020-01-01", "to": None},
    ],
    "documents": [{"text": "《办法》", "id": "d", "title": "办法"}],
}


def test_what_was_understood_is_told_and_can_be_taken_back(services: Services) -> None:
    answerer = Scripted(UNDERSTOOD, *EVENTS[:-1], replace(ANSWER, understood=UNDERSTOOD))
    asked = {"question": "2023年呢？", "without": ["2023年"]}
    assert asking(services, answerer).post(f"{API}/ask", json=asked).json()["understood"] == UNDERSTOOD_OUT
    assert answerer.without == ["2023年"]
    _, told = stream(services, answerer)
    assert (told[0][0], json.loads(told[0][1])) == ("understood", UNDERSTOOD_OUT)
    assert json.loads(told[-1][1])["understood"] == UNDERSTOOD_OUT


def test_a_search_tells_what_it_understood(client: TestClient) -> None:
    found = client.post(f"{API}/search", json={"query": "2023年5月3日 学习"}).json()
    day = {"text": "2023年5月3日", "from": "2023-05-03", "to": "2023-05-03"}
    assert found["understood"] == {"periods": [day], "documents": []}
    found = client.post(f"{API}/search", json={"query": "2023年5月3日 学习", "without": ["2023年5月3日"]}).json()
    assert found["understood"] == {"periods": [], "documents": []}


def test_a_follow_up_is_completed_from_the_conversation_of_the_caller(client: TestClient) -> None:
    turns = [{"role": "user", "content": "湖南2023年做了什么？"}, {"role": "assistant", "content": "学习。"}]
    answer = client.post(f"{API}/ask", json={"question": "那2024年呢？", "conversation": turns}).json()
    assert answer["understood"]["question"] == "湖南2024年做了什么？"
    assert [it["text"] for it in answer["understood"]["periods"]] == ["2024年"]
    assert client.post(f"{API}/ask", json={"question": "那2024年呢？"}).json()["understood"]["question"] is None


def stream(services: Services, answerer: Scripted) -> tuple[int, list[tuple[str, str]]]:
    with asking(services, answerer).stream(
        "POST", f"{API}/ask", json={"question": "多久？", "stream": True}
    ) as response:
        return response.status_code, list(events(response))  # type: ignore[arg-type] # the test client's response is alike


def test_stream_gives_each_citation_before_the_statement_that_uses_it_and_ends_with_the_whole(
    services: Services,
) -> None:
    status, told = stream(services, Scripted(*EVENTS))
    whole = asking(services, Scripted(*EVENTS)).post(f"{API}/ask", json={"question": "多久？"}).json()
    assert status == 200
    assert [name for name, _ in told] == ["citation", "statement", "citation", "statement", "done"]
    data = [json.loads(each) for _, each in told]
    assert (data[0], data[2]) == tuple(whole["citations"])
    assert data[1] == {"index": 0, "text": "每季度一次。", "citations": [1]}
    assert data[3]["index"] == 1
    assert data[4] == whole


def test_stream_is_an_event_stream_that_nobody_keeps(services: Services) -> None:
    response = asking(services, Scripted(*EVENTS)).post(f"{API}/ask", json={"question": "多久？", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-request-id"]


def test_failure_in_the_middle_of_a_stream_is_its_last_event(services: Services) -> None:
    _, told = stream(services, Scripted(CITATION, ModelUnavailable("The model went away.")))
    assert [name for name, _ in told] == ["citation", "error"]
    problem = json.loads(told[-1][1])
    assert (problem["code"], problem["status"], problem["detail"]) == ("model-unavailable", 503, "The model went away.")


def test_unforeseen_failure_in_a_stream_tells_no_secret(services: Services) -> None:
    _, told = stream(services, Scripted(CITATION, RuntimeError("secret")))
    assert json.loads(told[-1][1])["code"] == "internal-error"
    assert "secret" not in told[-1][1]


def test_question_that_cannot_be_asked_is_refused_before_a_stream_begins(services: Services) -> None:
    client = asking(services, Scripted(EmptyQuestion("There is nothing to answer.")))
    for streamed in (True, False):
        response = client.post(f"{API}/ask", json={"question": " ", "stream": streamed})
        assert (response.status_code, response.json()["code"]) == (422, "empty-question")


def test_client_that_goes_ends_the_work(services: Services) -> None:
    hold = threading.Event()
    answerer = Scripted(*EVENTS, hold=hold)
    app = create_app(replace(services, answerer=answerer))
    with served(app) as url, httpx.Client(base_url=url) as client:
        with client.stream("POST", f"{API}/ask", json={"question": "多久？", "stream": True}) as response:
            assert next(events(response))[0] == "citation"
            assert not answerer.closed.is_set()
        hold.set()
        assert answerer.closed.wait(5)


def test_stream_that_waits_is_kept_alive(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_S", 0.05)
    hold = threading.Event()
    app = create_app(replace(services, answerer=Scripted(*EVENTS, hold=hold)))
    with (
        served(app) as url,
        httpx.stream("POST", f"{url}{API}/ask", json={"question": "多久？", "stream": True}) as response,
    ):
        told = events(response)
        assert next(told)[0] == "citation"
        assert next(told) == ("", ": ping")
        hold.set()
        assert [name for name, _ in told if name][-1] == "done"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"question": 1},
        {"question": "a", "mode": "magic"},
        {"question": "a", "filter": {}},
        {"question": "a", "filters": {"kind": "novel"}},
        {"question": "a", "filters": {"published_from": "2023-13-01"}},
        {"question": "a", "conversation": [{"role": "system", "content": "x"}]},
        {"question": "a\ud800"},
        {"question": "a", "filters": {"issuer": "\udfff"}},
        {"question": "a", "without": "2023年"},
        {"question": "a", "without": ["x"] * 101},
        {"question": "a", "conversation": [{"role": "user", "content": "x" * 20_001}]},
        {"question": "a", "conversation": [{"role": "user", "content": "x"}] * 101},
        {"question": "a", "filters": {"document_id": ["x"] * 1001}},
    ],
)
def test_question_in_another_shape_is_refused(client: TestClient, asked: dict[str, object]) -> None:
    body = json.dumps(asked)  # halves of characters as \\ud800, as any client may write them
    response = client.post(f"{API}/ask", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
    assert response.json()["errors"]
    assert "Value error" not in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"null"])
def test_body_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post(f"{API}/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_body_that_is_no_json_is_called_so(client: TestClient) -> None:
    response = client.post(f"{API}/ask", content=b'{"question": ', headers={"content-type": "application/json"})
    assert response.json()["detail"].startswith("The request: it is not JSON (")
    assert response.json()["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("", "empty-question"),
        (" \n", "empty-question"),
        ("？！。", "empty-question"),
        ("学" * 20_000, "question-too-long"),
    ],
)
def test_question_with_nothing_or_too_much_in_it_is_refused(client: TestClient, question: str, code: str) -> None:
    for path, body in (("/ask", {"question": question}), ("/search", {"query": question})):
        response = client.post(API + path, json=body)
        assert (response.status_code, response.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    "query",
    ["'; DROP TABLE document; --", 'title:"x" AND (a OR', "NEAR/3 *", "مرحبا بالعالم", "ру́сский", "\u0000a", "🙂a"],
)
def test_no_query_breaks_the_search(client: TestClient, query: str) -> None:
    response = client.post(f"{API}/search", json={"query": query})
    assert (response.status_code, response.json()["hits"]) == (200, [])


@pytest.mark.parametrize("limit", [0, 101, -1, "many", 1.5])
def test_limit_is_between_1_and_100(client: TestClient, limit: object) -> None:
    response = client.post(f"{API}/search", json={"query": "学习", "limit": limit})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/limit")
