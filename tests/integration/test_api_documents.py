"""Documents come in, are read, changed and removed over HTTP; whatever a file or a name does, nothing is lost and nothing breaks."""

import errno
import hashlib
import io
import json
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from api.app import create_app
from api.boxes import Box
from api.fetch import Network
from api.render import PageRenderer
from tests.api_library import BASE, PNG, boxes_of, opened, read, served
from xuesi.services import Services

API = "/api/v1"
TEXT = "# 读书班\n\n读书班每季度举办一次。\n\n学员先自学，再讨论。\n"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with opened(tmp_path / "数据 folder", max_file_mb=1) as services:
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE) as client:
        yield client


def add(client: TestClient, content: bytes | str = TEXT, *, name: str = "a.md", **metadata: object) -> Any:
    content = content.encode() if isinstance(content, str) else content
    return client.post(f"{API}/documents", files={"file": (name, content)}, data={"metadata": json.dumps(metadata)})


def added(client: TestClient, content: bytes | str = TEXT, *, name: str = "a.md", **metadata: object) -> str:
    response = add(client, content, name=name, **metadata)
    assert response.status_code == 202, response.text
    document_id: str = response.json()["documents"][0]["document"]["id"]
    return document_id


def pdf(lines: Sequence[str] = ("Hello",), *, pages: int = 1) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(300, 200))
    for _ in range(pages):
        for number, line in enumerate(lines):
            canvas.drawString(20, 150 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


# Coming in -----------------------------------------------------------------------------------------------------------


def test_file_is_taken_with_its_metadata_and_a_job_that_waits(client: TestClient) -> None:
    response = add(
        client, title="读书班办法", kind="regulation", issuer="某单位", published_on="2023-05-01", topics=["读书"]
    )
    (outcome,) = response.json()["documents"]
    document = outcome["document"]
    assert response.status_code == 202
    assert (document["title"], document["kind"], document["issuer"]) == ("读书班办法", "regulation", "某单位")
    assert (document["published_on"], document["topics"], document["state"]) == ("2023-05-01", ["读书"], "queued")
    assert outcome["version"] == 1
    assert (outcome["job"]["state"], outcome["job"]["version"]) == ("queued", 1)
    assert client.get(f"{API}/jobs/{outcome['job']['id']}").json()["document_id"] == document["id"]
    assert client.get(f"{API}/documents/{document['id']}").json()["job"]["id"] == outcome["job"]["id"]


def test_each_of_several_files_has_its_outcome_in_order(client: TestClient) -> None:
    known = added(client, "已经在库里的文件。")
    files = [
        ("file", ("new.md", "新的文件。".encode())),
        ("file", ("empty.md", b"")),
        ("file", ("known.md", "已经在库里的文件。".encode())),
        ("file", ("picture.gif", b"GIF89a" + bytes(50))),
        ("file", ("last.txt", "最后一个文件。".encode())),
    ]
    response = client.post(f"{API}/documents", files=files)
    outcomes = response.json()["documents"]
    assert response.status_code == 202
    assert "job" in outcomes[0]
    assert outcomes[1]["problem"]["code"] == "empty-file"
    assert (outcomes[2]["duplicate"], outcomes[2]["document"]["id"]) == (True, known)
    assert (outcomes[3]["problem"]["code"], outcomes[3]["problem"]["status"]) == ("unsupported-format", 415)
    assert outcomes[4]["document"]["file_name"] == "last.txt"
    assert [sorted(name for name, value in o.items() if value is not None) for o in outcomes[:2]] == [
        ["document", "file_name", "job", "version"],
        ["file_name", "problem"],
    ]


def test_each_file_in_a_zip_has_its_outcome_in_the_zip_s_place(client: TestClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("通知/一.md", "一份新的通知。")
        archive.writestr("通知/二.exe", b"MZ\0\0")
    files = [("file", ("材料.zip", packed.getvalue())), ("file", ("three.txt", "第三份材料。".encode()))]
    response = client.post(f"{API}/documents", files=files)
    assert response.status_code == 202
    outcomes = response.json()["documents"]
    assert [it["file_name"] for it in outcomes] == ["材料.zip/通知/一.md", "材料.zip/通知/二.exe", "three.txt"]
    assert outcomes[1]["problem"]["status"] == 415
    again = BeautifulSoup(client.post("/library/add", files=files).text, "html.parser")
    refused = [it.get_text(" ", strip=True) for it in again.select(".notice.bad strong")]
    assert [it.split(" · ")[0] for it in refused] == ["材料.zip/通知/一.md", "材料.zip/通知/二.exe", "three.txt"]
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    assert add(client, empty.getvalue(), name="leer.zip").json()["code"] == "empty-file"


def test_same_file_again_is_told_and_given_the_document_that_has_it(client: TestClient) -> None:
    first = added(client)
    response = add(client, name="under another name.md")
    assert response.status_code == 202
    assert response.json()["documents"][0]["document"]["id"] == first
    assert response.json()["documents"][0]["duplicate"] is True
    assert len(client.get(f"{API}/documents").json()["items"]) == 1


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (b"", "empty.md", 422, "empty-file"),
        (b"x" * 1_000_001, "large.txt", 413, "document-too-large"),
        (b"x" * 6_000_000, "far too large.txt", 413, "document-too-large"),
        (b"\x7fELF\x02\x01\x01" + bytes(50), "program.exe", 415, "unsupported-format"),
        (b"GIF89a" + bytes(50), "picture.pdf", 415, "unsupported-format"),
    ],
)
def test_single_refused_file_answers_its_problem(
    client: TestClient, content: bytes, name: str, status: int, code: str
) -> None:
    response = add(client, content, name=name)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert client.get(f"{API}/documents").json()["items"] == []


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.md", "..\\..\\windows.md", "长" * 296 + ".md", "📚学习📚.md", "tab\tand 'quote'.md", "-rf.md"],
)
def test_no_name_of_a_file_does_harm(client: TestClient, services: Services, name: str) -> None:
    document_id = added(client, name=name)
    shown = client.get(f"{API}/documents/{document_id}").json()
    assert "/" not in shown["file_name"]
    assert "\\" not in shown["file_name"]
    original = client.get(f"{API}/documents/{document_id}/versions/1/original")
    assert original.content == TEXT.encode()
    root = services.settings.data_dir
    assert [p for p in root.parent.rglob("*passwd*") if p.is_file()] == []


def test_pdf_without_an_extension_is_known_by_its_content(client: TestClient) -> None:
    document_id = added(client, pdf(), name="minutes")
    assert client.get(f"{API}/documents/{document_id}").json()["media_type"] == "application/pdf"


@pytest.mark.parametrize(
    ("metadata", "pointer"),
    [
        ('{"kind": "novel"}', "/metadata/kind"),
        ('{"published_on": "May"}', "/metadata/published_on"),
        ('{"titel": "x"}', "/metadata/titel"),
        ("[1]", "/metadata"),
        ("{", "/metadata"),
    ],
)
def test_faulty_metadata_is_refused_and_its_place_named(client: TestClient, metadata: str, pointer: str) -> None:
    response = client.post(f"{API}/documents", files={"file": ("a.md", b"x")}, data={"metadata": metadata})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_password_never_comes_back(client: TestClient) -> None:
    response = client.post(
        f"{API}/documents",
        files={"file": ("a.md", b"x")},
        data={"metadata": '{"password": ["geheim"], "titel": "geheim"}'},
    )
    assert response.status_code == 422
    assert "geheim" not in response.text
    assert "geheim" not in add(client, password="geheim").text


def test_request_without_a_file_is_refused(client: TestClient) -> None:
    response = client.post(f"{API}/documents", data={"metadata": "{}"})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/file")


def test_body_of_unknown_length_is_stopped_at_the_limit(client: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while sent < 50_000_000:
            sent += 100_000
            yield b"x" * 100_000

    response = client.post(
        f"{API}/documents", content=endless(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert (response.status_code, response.json()["code"]) == (413, "document-too-large")


def test_who_may_only_ask_may_not_fill_the_disk(client: TestClient) -> None:
    files = {"question": ("a.txt", b"x" * 4_500_000)}
    for path in ("/", "/search", "/login", f"{API}/ask"):
        assert client.post(path, files=files).status_code == 413


def test_full_disk_is_told_and_nothing_is_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(tempfile.SpooledTemporaryFile[bytes]):
        """As where the temporary folder lies on a full disk."""

        def write(self, s: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("starlette.formparsers.SpooledTemporaryFile", Full)
        response = add(client)
    assert (response.status_code, response.json()["code"]) == (503, "storage-full")
    assert client.get(f"{API}/documents").json()["items"] == []
    assert add(client).status_code == 202


@pytest.mark.parametrize("body", [b"--b\r\nbroken", b"", b"--b--\r\n"])
def test_broken_upload_is_the_callers_fault(client: TestClient, body: bytes) -> None:
    response = client.post(
        f"{API}/documents", content=body, headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_document_is_fetched_by_its_address(services: Services) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del port
        return ["10.0.0.1" if host == "inside.example" else "93.184.215.14"]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/old":
            return httpx.Response(302, headers={"location": "https://out.example/%E7%8F%AD.md#part"})
        if request.url.path == "/large.txt":
            return httpx.Response(200, stream=httpx.ByteStream(b"x" * 1_000_001))
        return httpx.Response(200, stream=httpx.ByteStream(TEXT.encode()), headers={"content-type": "text/markdown"})

    app = create_app(services, network=Network(resolve, httpx.MockTransport(answer)))
    with TestClient(app, base_url=BASE) as client:
        taken = client.post(
            f"{API}/documents/from-url", json={"url": "http://out.example/old", "metadata": {"kind": "news"}}
        )
        document_id = taken.json()["documents"][0]["document"]["id"]
        (version,) = client.get(f"{API}/documents/{document_id}/versions").json()["items"]
        page = BeautifulSoup(client.get(f"/documents/{document_id}").text, "html.parser")
        refused = client.post(f"{API}/documents/from-url", json={"url": "http://inside.example/a.md"})
        large = client.post(f"{API}/documents/from-url", json={"url": "http://out.example/large.txt"})
    (outcome,) = taken.json()["documents"]
    assert taken.status_code == 202
    assert (outcome["document"]["file_name"], outcome["document"]["kind"]) == ("班.md", "news")
    assert version["quality"]["origin"] == "https://out.example/%E7%8F%AD.md"
    assert page.select_one(f'.origin a[href="{version["quality"]["origin"]}"]') is not None
    assert (refused.status_code, refused.json()["code"]) == (422, "unsafe-url")
    assert (large.status_code, large.json()["code"]) == (413, "document-too-large")


# Being there ---------------------------------------------------------------------------------------------------------


def test_library_is_listed_in_parts_and_by_filters(client: TestClient, services: Services) -> None:
    ids = [
        added(client, f"文件{n}。", name=f"{n}.txt", title=f"第{n}号", kind="news" if n % 2 else "lecture")
        for n in range(5)
    ]
    read(services, ids[1], text="文件1。")
    first = client.get(f"{API}/documents", params={"limit": 2}).json()
    second = client.get(f"{API}/documents", params={"limit": 2, "cursor": first["next"]}).json()
    third = client.get(f"{API}/documents", params={"limit": 2, "cursor": second["next"]}).json()
    assert [d["id"] for part in (first, second, third) for d in part["items"]] == ids[::-1]
    assert third["next"] is None

    def found(**filters: str) -> list[str]:
        return [d["id"] for d in client.get(f"{API}/documents", params=filters).json()["items"]]

    assert found(kind="news") == [ids[3], ids[1]]
    assert found(q="第4号") == [ids[4]]
    assert found(state="live") == [ids[1]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "kind=novel", "state=sleeping"])
def test_impossible_list_parameters_are_refused(client: TestClient, query: str) -> None:
    response = client.get(f"{API}/documents?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == query.split("=", maxsplit=1)[0]


def test_document_is_changed_and_removed(client: TestClient) -> None:
    document_id = added(client, published_on="2023-01-02")
    changed = client.patch(
        f"{API}/documents/{document_id}", json={"title": "新名", "topics": "一", "published_on": None}
    )
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["topics"], changed.json()["published_on"]) == ("新名", ["一"], None)
    assert client.delete(f"{API}/documents/{document_id}").status_code == 204
    for path in ("", "/versions", "/versions/1/original", "/versions/1/text"):
        gone = client.get(f"{API}/documents/{document_id}{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "document-not-found")
    assert client.delete(f"{API}/documents/{document_id}").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"title": ""},
        {"title": " "},
        {"title": None},
        {"issuer": "a\0b"},
        {"topics": ["a\0b"]},
        {"kind": "novel"},
        {"id": "x"},
        {"published_on": "x"},
    ],
)
def test_impossible_change_is_refused(client: TestClient, change: dict[str, object]) -> None:
    document_id = added(client)
    before = client.get(f"{API}/documents/{document_id}").json()
    assert client.patch(f"{API}/documents/{document_id}", json=change).status_code == 422
    assert client.get(f"{API}/documents/{document_id}").json() == before


def test_new_version_takes_the_place_of_the_old_one_when_it_is_live(client: TestClient, services: Services) -> None:
    document_id = added(client, "第一版。甲。", name="a.txt")
    read(services, document_id, text="第一版。甲。")
    response = client.post(
        f"{API}/documents/{document_id}/versions", files={"file": ("b.txt", "第二版。甲。".encode())}
    )
    assert response.status_code == 202
    assert response.json()["documents"][0]["version"] == 2
    assert client.get(f"{API}/documents/{document_id}").json()["version"] == 1
    read(services, document_id, text="第二版。甲。")
    shown = client.get(f"{API}/documents/{document_id}").json()
    assert (shown["version"], shown["state"]) == (2, "live")
    versions = client.get(f"{API}/documents/{document_id}/versions").json()["items"]
    assert [(v["version"], v["state"]) for v in versions] == [(2, "live"), (1, "retired")]
    assert client.get(f"{API}/documents/{document_id}/versions/1/text").text == "第一版。甲。"

    changes = client.get(f"{API}/documents/{document_id}/versions/2/diff", params={"against": 1}).json()["changes"]
    assert [(c["op"], c["text"]) for c in changes] == [
        ("delete", "第一版。"),
        ("insert", "第二版。"),
        ("equal", "甲。"),
    ]
    assert changes[2]["span"] == [4, 6]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/documents/none", "document-not-found"),
        ("/documents/{id}/versions/2/text", "version-not-found"),
        ("/documents/{id}/versions/99999999999999999999/text", "version-not-found"),
        ("/documents/{id}/versions/1/diff?against=9", "version-not-found"),
        ("/documents/{id}/versions/1/pages/4.png", "page-not-found"),
        ("/passages/none", "passage-not-found"),
        ("/jobs/none", "job-not-found"),
        ("/nothing", "not-found"),
    ],
)
def test_what_is_not_there_is_not_found(client: TestClient, services: Services, path: str, code: str) -> None:
    document_id = added(client, pdf(), name="a.pdf")
    read(services, document_id, text="Hello")
    response = client.get(API + path.replace("{id}", document_id))
    assert (response.status_code, response.json()["code"]) == (404, code)


# Being read ----------------------------------------------------------------------------------------------------------


def test_text_is_cut_by_code_points(client: TestClient, services: Services) -> None:
    text = "学😀思\n用贯通。"
    document_id = added(client, text)
    read(services, document_id, text=text)
    url = f"{API}/documents/{document_id}/versions/1/text"
    whole = client.get(url)
    assert whole.text == text
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert client.get(url, params={"start": 1, "end": 3}).text == "😀思"
    assert client.get(url, params={"start": 5}).text == "贯通。"
    assert client.get(url, params={"end": 0}).text == ""
    assert client.get(url, params={"start": 8, "end": 8}).text == ""


@pytest.mark.parametrize("query", ["start=3&end=2", "start=-1", "end=9", "start=9", "start=x", "start=1.5"])
def test_range_outside_of_the_text_is_refused(client: TestClient, services: Services, query: str) -> None:
    document_id = added(client, "学😀思\n用贯通。")
    read(services, document_id, text="学😀思\n用贯通。")
    response = client.get(f"{API}/documents/{document_id}/versions/1/text?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
    assert client.get(f"{API}/documents/{document_id}/versions/1/pages/1.png?{query}").status_code in {404, 422}


def test_version_that_is_not_read_yet_has_no_text(client: TestClient) -> None:
    document_id = added(client)
    for part in ("text", "pages", "pages/1.png"):
        response = client.get(f"{API}/documents/{document_id}/versions/1/{part}")
        assert (response.status_code, response.json()["code"]) == (404, "version-not-found")
        assert "queued" in response.json()["detail"]


def test_original_is_saved_and_never_opened_in_the_site(client: TestClient) -> None:
    page = b"<!doctype html><title>x</title><p>text</p><script>alert(1)</script>"
    document_id = added(client, page, name='学习 "资料".html')
    response = client.get(f"{API}/documents/{document_id}/versions/1/original")
    assert response.content == page
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''%E5%AD%A6%E4%B9%A0" in response.headers["content-disposition"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("sandbox")


def test_pages_tell_what_a_reader_needs(client: TestClient, services: Services) -> None:
    document_id = added(client, pdf(pages=2), name="a.pdf")
    read(services, document_id, text="Hello\nHello\n", pages=2)
    shown = client.get(f"{API}/documents/{document_id}/versions/1/pages").json()
    assert shown["pages"][1] == {"number": 2, "label": "p2", "start": 6, "end": 12, "width": 300, "height": 200}
    assert shown["outline"] == [{"title": "第一节", "page": 1, "level": 1}]
    assert (shown["drawable"], shown["chars"]) == (True, 12)
    text_id = added(client)
    read(services, text_id, text=TEXT)
    assert client.get(f"{API}/documents/{text_id}/versions/1/pages").json()["drawable"] is False


def test_span_is_marked_on_the_page_image(client: TestClient, services: Services) -> None:
    document_id = added(client, pdf(), name="a.pdf")
    read(services, document_id, text="Hello\nagain", boxes=boxes_of("Hello\nagain"))
    url = f"{API}/documents/{document_id}/versions/1/pages/1.png"
    plain = client.get(url)
    marked = client.get(url, params={"start": 6, "end": 11, "scale": 1})
    assert plain.headers["content-type"] == "image/png"
    assert plain.content.startswith(PNG)
    assert Image.open(io.BytesIO(plain.content)).size == (600, 400)
    image = Image.open(io.BytesIO(marked.content)).convert("RGB")
    assert image.getpixel((67, 42)) == (255, 226, 110)
    assert image.getpixel((67, 22)) == (255, 255, 255)


@pytest.mark.parametrize(
    "address", [f"{API}/documents/{{}}/versions/1/pages/1.png", "/documents/{}/versions/1/excerpt"]
)
def test_question_is_answered_while_every_page_waits_for_a_slow_one(services: Services, address: str) -> None:
    """More requests for pages than the server has threads, all behind one that is not drawn."""
    go = threading.Event()

    class Slow(PageRenderer):
        def page_png(self, path: Path, *, page: int, scale: float, marks: Sequence[Box]) -> bytes:
            assert go.wait(60)
            return PNG

        def drawable(self, path: Path) -> bool:
            return go.wait(60)

    app = create_app(services, renderer=Slow(timeout_s=120, font=None))
    with served(app) as url, httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(max_connections=70)) as client:
        document_id = client.post(f"{API}/documents", files={"file": ("a.pdf", pdf())}).json()["documents"][0][
            "document"
        ]["id"]
        read(services, document_id, text="Hello")
        with ThreadPoolExecutor(60) as readers:
            waiting = [readers.submit(client.get, address.format(document_id)) for _ in range(60)]
            try:
                time.sleep(0.5)
                assert client.post(f"{API}/search", json={"query": "学习"}).status_code == 200
                assert not any(each.done() for each in waiting)
            finally:
                go.set()
            assert {each.result().status_code for each in waiting} == {200}


def test_page_image_is_not_sent_twice(client: TestClient, services: Services) -> None:
    document_id = added(client, pdf(), name="a.pdf")
    read(services, document_id, text="Hello", boxes=boxes_of("Hello"))
    url = f"{API}/documents/{document_id}/versions/1/pages/1.png"
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    other = client.get(url, params={"start": 0, "end": 2}, headers={"If-None-Match": first.headers["etag"]})
    assert "private" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


@pytest.mark.parametrize("query", ["scale=0", "scale=9", "scale=nan", "start=0&end=99", "start=4&end=2"])
def test_impossible_page_image_is_refused(client: TestClient, services: Services, query: str) -> None:
    document_id = added(client, pdf(), name="a.pdf")
    read(services, document_id, text="Hello")
    assert client.get(f"{API}/documents/{document_id}/versions/1/pages/1.png?{query}").status_code == 422


def test_format_without_page_images_says_so(client: TestClient, services: Services) -> None:
    document_id = added(client)
    read(services, document_id, text=TEXT)
    response = client.get(f"{API}/documents/{document_id}/versions/1/pages/1.png")
    assert (response.status_code, response.json()["code"]) == (404, "page-not-found")
    assert "text" in response.json()["hint"]


def test_passage_is_shown_with_its_place(client: TestClient, services: Services) -> None:
    document_id = added(client, published_on="2023-05-01")
    version = read(services, document_id, text=TEXT)
    passage = services.catalogue.passages(version.id)[0]
    shown = client.get(f"{API}/passages/{passage.id}").json()
    assert shown["text"] == TEXT
    assert (shown["document_id"], shown["version"], shown["pages"], shown["span"]) == (
        document_id,
        1,
        [1, 1],
        [0, len(TEXT)],
    )
    assert (date.fromisoformat(shown["published_on"]), shown["heading_path"]) == (date(2023, 5, 1), ["第一节"])
    assert shown["url"] == f"/documents/{document_id}/versions/1?start=0&end={len(TEXT)}"


def test_files_that_are_there_need_not_be_sent(client: TestClient) -> None:
    sent = client.post(f"{API}/documents", files={"file": ("a.md", TEXT)}).json()["documents"][0]["document"]
    sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
    answer = client.post(f"{API}/documents/known", json={"sha256": [sha256, "0" * 64]})
    assert answer.json() == {"known": {sha256: sent["id"]}}
    assert client.post(f"{API}/documents/known", json={"sha256": ["no hash"]}).status_code == 422


def test_removed_document_waits_in_the_trash_and_comes_back(client: TestClient, services: Services) -> None:
    document = add(client).json()["documents"][0]["document"]
    read(services, document["id"], text=TEXT)
    assert client.delete(f"{API}/documents/{document['id']}").status_code == 204
    assert client.get(f"{API}/documents/{document['id']}").status_code == 404
    (waiting,) = client.get(f"{API}/trash").json()["items"]
    assert (waiting["id"], waiting["title"]) == (document["id"], document["title"])
    assert waiting["purge_after"] > waiting["deleted_at"]
    restored = client.post(f"{API}/documents/{document['id']}/restore")
    assert restored.json()["version"] == 1
    assert client.get(f"{API}/trash").json() == {"items": [], "next": None}
    assert client.post(f"{API}/documents/{document['id']}/restore").status_code == 404


def test_lists_beside_the_library_come_in_parts_too(client: TestClient, services: Services) -> None:
    def whole(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        asked: dict[str, Any] = {"limit": 1}
        while True:
            part = client.get(f"{API}{path}", params=asked).json()
            assert len(part["items"]) <= 1
            found += part["items"]
            if part["next"] is None:
                return found
            asked["cursor"] = part["next"]

    topics = [{"name": name, "description": ""} for name in ("整改", "读书班", "调研")]
    assert client.put(f"{API}/topics", json={"items": topics}).json() == {"items": topics, "next": None}
    assert whole("/topics") == topics
    entries = [{"text": text} for text in ("党建引领", "枫桥经验", "浦江经验")]
    assert client.put(f"{API}/dictionary", json={"items": entries}).json() == {"items": entries, "next": None}
    assert whole("/dictionary") == entries
    kept = added(client, "第一版。甲。", name="a.txt")
    client.post(f"{API}/documents/{kept}/versions", files={"file": ("b.txt", "第二版。甲。".encode())})
    assert [it["version"] for it in whole(f"/documents/{kept}/versions")] == [2, 1]
    gone = [added(client, f"第{i}份。", name=f"{i}.txt") for i in range(3)]
    for document_id in gone:
        client.delete(f"{API}/documents/{document_id}")
    assert [it["id"] for it in whole("/trash")] == gone
    for path in ("/topics", "/dictionary", "/trash", "/near-duplicates", f"/documents/{kept}/versions", "/watched"):
        assert client.get(f"{API}{path}", params={"limit": 0}).status_code == 422
        assert client.get(f"{API}{path}").json()["next"] is None
    refused = client.get(f"{API}/trash", params={"cursor": "nonsense"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/cursor")


def test_removed_document_is_purged_at_once_where_that_is_asked(client: TestClient, services: Services) -> None:
    document = add(client).json()["documents"][0]["document"]
    sha256 = read(services, document["id"], text=TEXT).sha256
    client.delete(f"{API}/documents/{document['id']}")
    assert client.delete(f"{API}/documents/{document['id']}?now=true").status_code == 204
    assert client.get(f"{API}/trash").json()["items"] == []
    waited = time.monotonic() + 120
    while services.catalogue.has_original(sha256):
        assert time.monotonic() < waited
        time.sleep(0.05)
    assert client.delete(f"{API}/documents/{document['id']}?now=true").status_code == 404


def test_same_file_added_meanwhile_keeps_a_removed_document_from_coming_back(
    client: TestClient, services: Services
) -> None:
    document = add(client).json()["documents"][0]["document"]
    read(services, document["id"], text=TEXT)
    client.delete(f"{API}/documents/{document['id']}")
    other = add(client).json()["documents"][0]["document"]
    refused = client.post(f"{API}/documents/{document['id']}/restore")
    assert (refused.status_code, refused.json()["document_id"]) == (409, other["id"])
