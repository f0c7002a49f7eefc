"""Who may change the library, from where, and what a browser is told to beware of."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.security import LOGIN_COOKIE, check_exposure
from index.catalogue import SqlCatalogue
from ingest.watch import WatchedFolder, Watcher
from tests.api_library import BASE, opened
from xuesi.core.errors import Misconfigured, StorageFull
from xuesi.core.settings import Settings

API = "/api/v1"
TOKEN = "学习 token-1234"
WRITES = [
    ("POST", "/documents"),
    ("POST", "/documents/from-url"),
    ("POST", "/documents/known"),
    ("POST", "/documents/accept"),
    ("PATCH", "/documents"),
    ("PATCH", "/documents/none"),
    ("DELETE", "/documents/none"),
    ("POST", "/documents/none/versions"),
    ("POST", "/documents/none/restore"),
    ("POST", "/near-duplicates/settle"),
    ("PUT", "/topics"),
    ("PUT", "/dictionary"),
    ("POST", "/jobs/none/cancel"),
    ("POST", "/jobs/none/retry"),
    ("POST", "/watched/look"),
    ("POST", "/reindex"),
    ("POST", "/embedding-model"),
    ("POST", "/embedding-model/cancel"),
    ("POST", "/embedding-model/drop-old"),
    ("POST", "/backup"),
    ("POST", "/doctor/repair"),
]


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with opened(tmp_path_factory.mktemp("open")) as services:
        yield create_app(services)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with opened(tmp_path_factory.mktemp("guarded"), admin_token=TOKEN) as services:
        yield create_app(services)


@pytest.fixture
def open_client(open_app: FastAPI) -> TestClient:
    """Of a server without a token."""
    return TestClient(open_app, base_url=BASE)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Of a server with a token."""
    return TestClient(app, base_url="http://kb.example", follow_redirects=False)


@pytest.mark.parametrize(
    ("host", "token"), [("127.0.0.1", None), ("::1", None), ("localhost", None), ("127.0.0.9", None), ("0.0.0.0", "t")]
)
def test_server_starts_where_only_this_machine_or_who_has_the_token_writes(host: str, token: str | None) -> None:
    check_exposure(Settings(host=host, admin_token=token))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "kb.example", ""])
@pytest.mark.parametrize("token", [None, ""])
def test_server_does_not_start_open_to_strangers_without_a_token(host: str, token: str | None) -> None:
    with pytest.raises(Misconfigured, match="admin_token") as caught:
        check_exposure(Settings(host=host, admin_token=token))
    assert "XUESI_ADMIN_TOKEN" in caught.value.hint


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_write_without_the_token_is_refused(client: TestClient, method: str, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
    ):
        response = client.request(method, API + path, headers={k.encode(): v.encode() for k, v in headers.items()})
        assert (response.status_code, response.json()["code"]) == (401, "token-required")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_write_with_the_token_gets_through(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, API + path, headers={b"Authorization": f"Bearer {TOKEN}".encode()})
    assert response.status_code not in {401, 403}


def test_every_write_of_the_interface_is_in_this_table(open_client: TestClient) -> None:
    paths = open_client.get("/api/openapi.json").json()["paths"]
    found = {
        (method.upper(), path.removeprefix(API).replace("{document_id}", "none").replace("{job_id}", "none"))
        for path, methods in paths.items()
        for method in methods
        if method != "get"
    }
    assert found == {*WRITES, ("POST", "/search"), ("POST", "/ask")}


@pytest.mark.parametrize("path", ["/documents", "/jobs", "/topics", "/dictionary"])
def test_reading_needs_no_token(client: TestClient, path: str) -> None:
    assert client.get(API + path).status_code == 200


@pytest.mark.parametrize("path", ["/trash", "/doctor", "/watched", "/embedding-model"])
def test_what_is_the_administrator_s_needs_the_token(client: TestClient, path: str) -> None:
    refused = client.get(API + path)
    assert (refused.status_code, refused.json()["code"]) == (401, "token-required")
    assert client.get(API + path, headers={b"Authorization": f"Bearer {TOKEN}".encode()}).status_code == 200


def test_the_library_page_shows_no_paths_to_strangers(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watcher, "folders", [WatchedFolder("/srv/share", reachable=True, files=1)])
    assert "/srv/share" not in client.get("/library").text
    client.post("/login", data={"token": TOKEN, "next": "/library"})
    assert "/srv/share" in client.get("/library").text


def test_what_tells_of_the_inside_of_the_server_is_the_administrator_s(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageFull("There is no space left in /srv/inside.")

    monkeypatch.setattr(SqlCatalogue, "rows", full)
    stranger = client.get(f"{API}/documents").json()
    token = {b"Authorization": f"Bearer {TOKEN}".encode()}
    administrator = client.get(f"{API}/documents", headers=token).json()
    assert stranger["code"] == administrator["code"] == "storage-full"
    assert "/srv/inside" not in stranger["detail"]
    assert "/srv/inside" in administrator["detail"]


@pytest.mark.parametrize(("path", "body"), [("/search", {"query": "学习"}), ("/ask", {"question": "学习"})])
def test_asking_needs_no_token(client: TestClient, path: str, body: dict[str, str]) -> None:
    assert client.post(API + path, json=body).status_code == 200


def test_login_gives_a_cookie_that_stands_for_the_token(client: TestClient) -> None:
    response = client.post("/login", data={"token": TOKEN, "next": "/library"})
    assert (response.status_code, response.headers["location"]) == (303, "/library")
    cookie = response.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert client.delete(f"{API}/documents/none").status_code == 404


def test_wrong_token_gives_no_cookie(client: TestClient) -> None:
    response = client.post("/login", data={"token": "wrong"})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    client.cookies.set(LOGIN_COOKIE, TOKEN.encode().hex())
    assert client.delete(f"{API}/documents/none").status_code == 401


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_login_leads_nowhere_else(client: TestClient, target: str) -> None:
    assert client.post("/login", data={"token": TOKEN, "next": target}).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": BASE},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
    ],
)
def test_page_of_another_site_changes_nothing(open_client: TestClient, headers: dict[str, str]) -> None:
    response = open_client.delete(f"{API}/documents/none", headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": BASE}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Sec-Fetch-Site": "none"}]
)
def test_own_page_and_program_get_through(open_client: TestClient, headers: dict[str, str]) -> None:
    assert open_client.delete(f"{API}/documents/none", headers=headers).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""])
def test_without_a_token_a_foreign_name_leads_nowhere(open_client: TestClient, host: str) -> None:
    for method, path in (("GET", "/documents"), ("DELETE", "/documents/none")):
        response = open_client.request(method, API + path, headers={"Host": host})
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST", "10.1.2.3:80"])
def test_without_a_token_own_names_and_addresses_do(open_client: TestClient, host: str) -> None:
    assert open_client.get(f"{API}/documents", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/documents", "/api/v1/nothing", "/healthz", "/api/openapi.json"])
def test_every_answer_tells_the_browser_to_be_careful(open_client: TestClient, path: str) -> None:
    headers: Any = open_client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
