"""What every answer has in common: problems, pages for errors, ids, figures, the log, the description."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.api_library import BASE, opened
from xuesi.cli.context import all_errors
from xuesi.core.domain import NO_FILTERS, Filters
from xuesi.core.errors import XuesiError
from xuesi.core.ports import SearchResult
from xuesi.services import Services

API = "/api/v1"
ALL = sorted(all_errors(), key=lambda kind: kind.code)
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Failing:
    """A searcher that fails as it is told."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        filters: Filters = NO_FILTERS,
        strict: bool = True,
        without: Collection[str] = (),
    ) -> SearchResult:
        raise self.error


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("library")) as services:
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE) as client:
        yield client


@pytest.mark.parametrize("kind", ALL, ids=[kind.code for kind in ALL])
def test_every_error_travels_as_a_problem_and_has_its_page(services: Services, kind: type[XuesiError]) -> None:
    app = create_app(replace(services, searcher=Failing(kind("What happened.", hint="What to do."))))
    client = TestClient(app, base_url=BASE)
    response = client.post(f"{API}/search", json={"query": "学习"})
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["status"], problem["instance"]) == (
        kind.code,
        response.status_code,
        f"{API}/search",
    )
    assert problem["request_id"] == response.headers["x-request-id"]
    assert ("retry-after" in response.headers) is kind.retryable
    described = app.openapi()["paths"][f"{API}/search"]["post"]["responses"]
    assert str(response.status_code) in described
    page = client.get(problem["type"], headers=BROWSER)
    assert page.status_code == 200
    assert kind.code in page.text


def test_unforeseen_failure_is_in_the_log_and_not_in_the_answer(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    client = TestClient(create_app(replace(services, searcher=Failing(ZeroDivisionError("secret")))), base_url=BASE)
    response = client.post(f"{API}/search", json={"query": "学习"})
    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert "secret" not in response.text
    (record,) = [r for r in caplog.records if r.name == "xuesi.api"]
    assert response.json()["request_id"] in record.getMessage()
    assert record.exc_info
    assert client.get(response.json()["type"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not-found"),
        ("PUT", f"{API}/documents", 405, "method-not-allowed"),
        ("GET", "/errors/none", 404, "not-found"),
    ],
)
def test_frameworks_own_errors_come_through_the_same_door(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.json()["code"], response.json()["status"]) == (status, code, status)
    page = client.request(method, path, headers=BROWSER)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["vary"] == "Accept"
    assert client.get(f"/errors/{code}").status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", f"{API}/documents"])
def test_head_is_answered_as_get_without_the_body(
    client: TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="xuesi")
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])
    assert get.content
    assert not head.content
    assert next(r.getMessage() for r in caplog.records if r.name == "xuesi.access").startswith(f"HEAD {path} 200 ")


def test_request_has_an_id_of_its_own_or_the_callers(client: TestClient) -> None:
    first, second = (client.get("/healthz").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert client.get("/healthz", headers={"X-Request-ID": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    assert (
        client.get("/healthz", headers={"X-Request-ID": "a b\tc<script>"}).headers["x-request-id"] != "a b\tc<script>"
    )


def test_log_says_what_was_called_and_not_what_was_asked(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="xuesi")
    client.post(f"{API}/search", json={"query": "geheimnis"})
    client.get(f"{API}/documents?q=geheimnis")
    lines = [r.getMessage() for r in caplog.records if r.name == "xuesi.access"]
    assert lines[0].startswith("POST /api/v1/search 200 ")
    assert lines[1].startswith("GET /api/v1/documents 200 ")
    assert not any("geheimnis" in record.getMessage() for record in caplog.records if record.name.startswith("xuesi"))


def test_no_address_writes_a_line_of_its_own_into_the_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="xuesi")
    client.get("/x%0A2026-01-01%20INFO%20forged")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "xuesi.access"]
    assert line.startswith("GET /x%0A2026-01-01%20INFO%20forged 404 ")


def test_polls_do_not_fill_the_log_but_a_mistaken_one_is_told(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="xuesi")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.get(path).status_code == 200
    assert client.post("/healthz").status_code == 405
    lines = [r.getMessage() for r in caplog.records if r.name == "xuesi.access"]
    assert [line.split(" ")[:3] for line in lines] == [["POST", "/healthz", "405"]]


def test_figures_count_requests_by_route_and_what_is_there(client: TestClient) -> None:
    client.post(f"{API}/documents", files={"file": ("a.txt", "文件。".encode())})
    for name in ("a", "b", "c"):
        client.get(f"{API}/documents/{name}")
    client.get("/nothing/one")
    figures = client.get("/metrics").text
    assert 'xuesi_requests_total{method="GET",route="/api/v1/documents/{document_id}",status="404"} 3.0' in figures
    assert 'route="unknown",status="404"' in figures
    assert "/nothing/one" not in figures
    assert "xuesi_documents 1.0" in figures
    assert "xuesi_live_passages 0.0" in figures
    assert 'xuesi_jobs{state="queued"} 1.0' in figures
    assert 'xuesi_jobs{state="failed"} 0.0' in figures


def test_two_applications_keep_their_figures_apart(services: Services) -> None:
    first, second = (TestClient(create_app(services), base_url=BASE) for _ in range(2))
    first.get("/healthz")
    assert 'route="/healthz"' not in second.get("/metrics").text


def test_server_is_ready_once_the_sample_is_live(client: TestClient, services: Services) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "reasons": []}
    taken = client.post(f"{API}/documents", files={"file": ("b.txt", "样本。".encode())}).json()
    job = taken["documents"][0]["job"]["id"]
    services.catalogue.set_fact("sample_jobs", f'["{job}"]')
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.json()["status"]) == (503, "not ready")
    assert len(waiting.json()["reasons"]) == 1
    assert client.get("/healthz").status_code == 200
    client.post(f"{API}/jobs/{job}/cancel")
    assert client.get("/readyz").status_code == 200


def test_description_needs_nothing_from_elsewhere(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert described["paths"][f"{API}/ask"]["post"]["responses"]["503"]["content"]["application/problem+json"]
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
