"""Do the pages show what is there, whole and safely, in both languages, and refuse what they must, also without scripts?"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import httpx2
import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient
from reportlab.pdfgen.canvas import Canvas

from api.app import create_app
from api.fetch import Network
from api.pages.ask import matched
from api.render import PageRenderer
from tests.api_library import BASE, boxes_of, opened, read, work
from tests.drawn import drawn, encrypted_pdf
from xuesi.core.domain import (
    Document,
    DocumentId,
    Explanation,
    Hit,
    JobId,
    JobState,
    Kind,
    OutlineEntry,
    Passage,
    PassageId,
    Span,
    TermScore,
    VersionId,
)
from xuesi.core.errors import StoreUnavailable
from xuesi.core.ports import DocumentRow, Reading
from xuesi.services import Services

HTML = {"accept": "text/html", "accept-language": "zh-CN"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TEXT = f"第一节\n😀𠮷前文。\n引用的原话在这里。\n{HOSTILE}\n后文。"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with opened(tmp_path / "data", max_file_mb=1) as services:
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE, headers=HTML) as client:
        yield client


def soup(response: httpx2.Response) -> BeautifulSoup:
    assert response.headers["content-type"].startswith("text/html")
    page = BeautifulSoup(response.text, "html.parser")
    for template in page.select("template"):  # a browser shows nothing of it
        template.decompose()
    return page


def one(page: BeautifulSoup | Tag, selector: str) -> Tag:
    found = page.select(selector)
    assert len(found) == 1, f"{len(found)} of {selector}"
    return found[0]


def add(
    client: TestClient,
    services: Services,
    text: str = TEXT,
    *,
    name: str = "讲稿.txt",
    pages: int = 1,
    content: bytes | None = None,
) -> str:
    """A live document's id."""
    content = content or (_pdf() if name.endswith(".pdf") else text.encode())
    response = client.post("/library/add", files={"file": (name, content)}, follow_redirects=False)
    assert response.status_code == 303
    rows, _ = services.catalogue.rows(limit=1)
    boxes = boxes_of(text) if name.endswith(".pdf") else None
    read(services, rows[0].document.id, text=text, pages=pages, boxes=boxes)
    return rows[0].document.id


def _pdf() -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(300, 200))
    for _ in range(2):
        canvas.drawString(20, 150, "Hello")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def at(document: str, quote: str, *, text: str = TEXT, more: str = "") -> str:
    start = text.index(quote)
    return f"/documents/{document}/versions/1{more}?start={start}&end={start + len(quote)}"


# Every page ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_page_has_anything_that_its_content_security_policy_forbids(
    client: TestClient, services: Services, language: str
) -> None:
    document = add(client, services, name=f"{HOSTILE}.txt")
    quote = at(document, "引用的原话")
    paths = ["/", "/search", "/library", "/login", "/nowhere", "/errors/no-text", f"/documents/{document}", quote]
    paths += [f"/library/rows/{document}", quote.replace("?", "/excerpt?")]
    for path in paths:
        response = client.get(path, headers=HTML | {"accept-language": language})
        assert "script-src" in (policy := response.headers["content-security-policy"]) or "default-src 'self'" in policy
        assert "unsafe" not in policy
        page = soup(response)
        for tag in page.find_all(True):
            assert not [name for name in tag.attrs if name == "style" or name.startswith("on")], (path, tag)
            assert tag.name != "style"
            if tag.name == "script":
                assert tag.get("type") == "application/json" or str(tag["src"]).startswith("/static/"), (path, tag)
            for name in ("src", "href", "action"):
                assert urlsplit(str(tag.get(name, ""))).netloc == "", (path, tag)
            if tag.name == "img":
                assert tag.has_attr("alt"), (path, tag)


def test_the_first_page_with_all_it_loads_is_under_60_kb_over_the_wire(client: TestClient) -> None:
    response = client.get("/")
    page = soup(response)
    loaded = {str(tag["href"]) for tag in page.select("link")} | {str(tag["src"]) for tag in page.select("[src]")}
    folder = next(iter(loaded)).rsplit("/", 1)[0]
    loaded |= {f"{folder}/{name}" for name in ("events.js", "source.js", "words.js")}
    every = [response, *(client.get(path) for path in loaded)]
    assert sum(int(it.headers["content-length"]) for it in every) < 60_000


def test_the_files_of_the_look_are_packed_for_who_takes_them_so(client: TestClient) -> None:
    address = str(soup(client.get("/")).select("link[rel=stylesheet]")[0]["href"])
    packed, plain = (client.get(address, headers={"Accept-Encoding": how}) for how in ("gzip, br", "identity"))
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_files_of_the_look_are_kept_under_their_digest_and_not_under_another(client: TestClient) -> None:
    address = str(one(soup(client.get("/")), "link[rel=stylesheet]")["href"])
    assert "immutable" in client.get(address).headers["cache-control"]
    stale = re.sub(r"/static/\w+/", "/static/000000000000/", address)
    assert client.get(stale).headers["cache-control"] == "no-cache"
    assert client.get("/static/0/..%2fview.py").status_code == 404


def test_controls_have_names(client: TestClient, services: Services) -> None:
    document = add(client, services)
    for path in ("/", "/search", "/library", f"/documents/{document}"):
        page = soup(client.get(path))
        labelled = {str(label["for"]) for label in page.select("label[for]")}
        for control in page.select("input:not([type=hidden]), select, textarea"):
            assert control.get("aria-label") or control.get("id") in labelled, (path, control)
        for button in page.select("main button, main a"):
            empty = button.find_parent("template") is not None
            assert empty or button.get_text(strip=True) or button.get("aria-label"), (path, button)


def test_a_chosen_language_is_kept_and_leads_nowhere_else(client: TestClient) -> None:
    response = client.get("/library?q=%E5%AD%A6&lang=en", follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == "/library?q=%E5%AD%A6"
    assert one(soup(client.get("/library")), "h1").text == "Library"
    assert one(soup(client.get("/library?lang=xx")), "html")["lang"] == "en"


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "///elsewhere.example", "/%5Celsewhere.example/x"])
def test_no_address_leads_to_another_server(client: TestClient, path: str) -> None:
    moved = client.get(f"{BASE}{path}?lang=en", follow_redirects=False)
    assert moved.status_code == 303
    assert urljoin(BASE, moved.headers["location"]).startswith(f"{BASE}/")
    switch = one(soup(client.get(f"{BASE}{path}")), "#language")["href"]
    assert urljoin(BASE, str(switch).replace("\\", "/")).startswith(f"{BASE}/")


def test_an_error_is_a_page_in_the_readers_language(client: TestClient) -> None:
    response = client.get("/documents/0192aaaa-0000-7000-8000-000000000000")
    assert response.status_code == 404
    page = soup(response)
    assert one(page, "h1").text == "没有这份文件"
    assert response.headers["x-request-id"] in page.text


def test_search_marks_words_and_no_scattered_characters() -> None:
    text = "办事要实事求是。"
    passage = Passage(PassageId("p"), VersionId("v"), 0, Span(0, len(text)), text, 1, 1, (), 8)
    document = Document(DocumentId("d"), "办法", Kind.OTHER, datetime.now(UTC))
    terms = tuple(TermScore(term, 1.0, 1.0) for term in ("实事求是", "实事", "事", "是"))
    hit = Hit(1, 0.9, passage, document, 1, Explanation(0.8, 0.4, 0.3, terms))
    assert [piece.text for piece in matched(hit, "实事求是") if piece.marked] == ["实事求是"]
    alone = replace(hit, explain=Explanation(0.8, 0.4, 0.3, (TermScore("事", 1.0, 1.0),)))
    assert not any(piece.marked for piece in matched(alone, "实事求是"))
    assert [piece.text for piece in matched(alone, "事 ") if piece.marked] == ["事", "事"]


def test_what_is_to_be_corrected_is_in_sight(client: TestClient, services: Services) -> None:
    document = add(client, services)
    refused = client.post(
        f"/documents/{document}/edit", data={"title": "x", "kind": "other", "published_on": "2024-02-31"}
    )
    assert refused.status_code == 422
    assert "2024-02-31" in one(soup(refused), "main details[open]").text
    assert not soup(client.get("/documents/none")).select("main details[open]")


# Asking --------------------------------------------------------------------------------------------------------------


def test_an_empty_library_says_where_to_begin(client: TestClient) -> None:
    page = soup(client.get("/"))
    assert one(page, ".holds a")["href"] == "/library"
    assert not page.select(".examples")


def test_examples_come_from_telling_headings_of_live_documents(client: TestClient, services: Services) -> None:
    document = add(client, services)
    assert not soup(client.get("/")).select(".examples")  # 第一节 says nothing
    version = services.catalogue.row(services.catalogue.rows(limit=1)[0][0].document.id).newest
    titles = ("讲稿", "第一章 总则", "二、怎样安排集体学习", "三、学完之后做什么？")
    outline = tuple(OutlineEntry(title, 1, 1) for title in titles)
    pages = tuple(services.catalogue.pages(version.id))
    services.files.put_reading(version, Reading(text=TEXT, pages=pages, blocks=(), outline=outline))
    button = one(soup(client.get("/")), ".examples button")
    assert button["value"] == "关于“怎样安排集体学习”，材料是怎么说的？"
    client.post(f"/library/{document}/remove")
    assert not soup(client.get("/")).select(".examples")


def test_a_question_without_words_is_refused_in_place(client: TestClient) -> None:
    response = client.post("/", data={"question": "？！"})
    assert response.status_code == 422
    assert "还没有写问题" in one(soup(response), "[role=alert]").text


def test_a_question_that_is_too_long_is_refused_and_kept_for_mending(client: TestClient) -> None:
    response = client.post("/", data={"question": "问" * 3000})
    assert response.status_code == 422
    page = soup(response)
    assert "问题太长" in one(page, "[role=alert]").text
    assert len(one(page, "textarea").text) == 3000


def test_what_an_empty_library_cannot_answer_is_said_plainly(client: TestClient) -> None:
    page = soup(client.post("/", data={"question": "读书班怎样举办？"}))
    assert "没有找到" in one(page, ".verdict").text
    assert one(page, "textarea").text == "读书班怎样举办？"


def sent(form: Tag, **more: str) -> dict[str, str | list[str]]:
    """What a browser without scripts sends of a form's hidden fields."""
    fields: dict[str, str | list[str]] = {}
    for tag in form.select("input[type=hidden]"):
        name, value = str(tag["name"]), str(tag.get("value", ""))
        fields[name] = [*fields.get(name, []), value] if name == "without" else value
    for name, value in more.items():
        fields[name] = [*fields.get(name, []), value] if name == "without" else value
    return fields


def test_a_follow_up_is_completed_from_what_the_page_takes_along_and_can_be_asked_by_itself(client: TestClient) -> None:
    first = soup(client.post("/", data={"question": "湖南2023年怎样举办读书班？"}))
    assert not first.select(".completed")
    second = soup(client.post("/", data=sent(one(first, "#ask"), question="那2024年呢？")))
    assert one(second, ".completed q").text == "湖南2024年怎样举办读书班？"
    assert one(second, "textarea").text == "那2024年呢？"
    literal = soup(client.post("/", data=sent(one(second, ".understood"), literal="1")))
    assert not literal.select(".completed")
    third = soup(client.post("/", data=sent(one(second, "#ask"), question="2025年呢？")))
    assert one(third, ".completed q").text == "湖南2025年怎样举办读书班？"
    without = soup(client.post("/", data=sent(one(third, ".understood"), without="2025年")))
    assert one(without, ".completed q").text == "湖南2025年怎样举办读书班？"
    assert not without.select(".chips")


def test_a_page_takes_the_last_turns_along_and_no_more(client: TestClient) -> None:
    page = soup(client.post("/", data={"question": "怎样举办读书班？"}))
    for _ in range(8):
        page = soup(client.post("/", data=sent(one(page, "#ask"), question="问" * 1900)))
    kept = json.loads(str(one(page, "#ask [name=conversation]")["value"]))
    assert len(kept) == 12
    assert {turn["role"] for turn in kept} == {"user", "assistant"}


@pytest.mark.parametrize(
    "sent_along",
    [
        "{",
        "[]",
        '[{"role": "system", "content": "x"}]',
        "null",
        '["x"]',
        '[{"role": "user", "content": "' + "x" * 30_000 + '"}]',
    ],
)
def test_a_conversation_that_no_page_sends_is_none(client: TestClient, sent_along: str) -> None:
    response = client.post("/", data={"question": "为什么？", "conversation": sent_along})
    assert response.status_code == 200
    assert not soup(response).select(".completed")


def test_what_is_preferred_is_shown_and_can_be_removed(client: TestClient, services: Services) -> None:
    add(client, services)
    title = services.catalogue.rows(limit=1)[0][0].document.title
    services.catalogue.update_document(
        services.catalogue.rows(limit=1)[0][0].document.id, {"title": "读书班工作办法（示例）"}
    )
    assert title
    for path, field in (("/", "question"), ("/search", "query")):
        asked = "2023年以来《读书班工作办法》、去年5月读书班怎么办？"
        page = soup(client.post(path, data={field: asked}))
        shown = [" ".join(chip.text.split()) for chip in page.select(".chips button")]
        assert shown[0] == "2023年以来 2023年1月1日起发布 ×"
        assert shown[2] == "《读书班工作办法》 读书班工作办法（示例） ×"
        fewer = soup(client.post(path, data=sent(one(page, ".understood"), without="2023年以来")))
        fewer = soup(client.post(path, data=sent(one(fewer, ".understood"), without="《读书班工作办法》")))
        assert [str(chip["value"]) for chip in fewer.select(".chips button")] == ["去年5月"]


def test_search_says_when_nothing_is_found(client: TestClient) -> None:
    assert one(soup(client.post("/search", data={"query": "<b>读书班</b>"})), ".verdict").text == "没有找到相近的段落。"


# Reading -------------------------------------------------------------------------------------------------------------


def test_the_marked_words_are_the_span_in_code_points(client: TestClient, services: Services) -> None:
    document = add(client, services)
    page = soup(client.get(at(document, "引用的原话")))
    assert one(page, "#mark").text == "引用的原话"
    assert one(page, "#mark").parent.text == "引用的原话在这里。"  # type: ignore[union-attr]
    assert one(page, ".text h2").text == "第一节"


def test_material_is_text_and_never_markup(client: TestClient, services: Services) -> None:
    document = add(client, services)
    page = soup(client.get(at(document, "前文", more="/excerpt")))
    assert HOSTILE in one(page, ".text").text
    assert not page.select("script, .text img")


@pytest.mark.parametrize("place", ["start=5", "start=9&end=3", "start=999999&end=1000000", "start=0&end=999999"])
def test_a_span_that_is_none_or_runs_over_still_opens_the_document(
    client: TestClient, services: Services, place: str
) -> None:
    document = add(client, services)
    response = client.get(f"/documents/{document}/versions/1?{place}")
    assert response.status_code == 200
    assert "后文" in response.text


def test_a_long_text_opens_in_part_at_the_span_and_leads_to_the_rest(client: TestClient, services: Services) -> None:
    text = "".join(f"第{n}条 办理借阅应当登记，按期归还。\n" for n in range(15_000))
    document = add(client, services, text)
    start = text.index("第9000条")
    response = client.get(f"/documents/{document}/versions/1?start={start}&end={start + 6}")
    assert len(response.content) < 150_000  # the whole text alone has a million bytes
    page = soup(response)
    assert one(page, "#mark").text == "第9000条"
    assert len(one(page, ".text").text) < 25_000
    seen, address = 0, f"/documents/{document}/versions/1"
    while address:
        page = soup(client.get(address))
        seen += len("".join(one(page, ".text").text.split()))
        following = page.select_one(".turn a[rel=next]")
        address = str(following["href"]) if following else ""
    assert seen == len("".join(text.split()))


def test_a_pdf_shows_the_page_with_the_mark_and_turns_its_pages(client: TestClient, services: Services) -> None:
    text = "First page words\nSecond page words"
    document = add(client, services, text, name="two.pdf", pages=2)
    page = soup(client.get(at(document, "Second", text=text)))
    image = str(one(page, ".sheet img")["src"])
    assert parse_qs(urlsplit(image).query) == {"start": ["17"], "end": ["23"]}
    assert urlsplit(image).path.endswith("/pages/2.png")
    assert client.get(image).headers["content-type"] == "image/png"
    place = one(page, "#mark")
    assert float(str(place["width"])) == pytest.approx(60, abs=1)
    assert page.select(".turn a[rel=prev]")
    assert not page.select(".turn a[rel=next]")
    other = soup(client.get(at(document, "Second", text=text) + "&view=text"))
    assert "".join(mark.text for mark in other.select("mark")) == "Second"


def test_a_pdf_whose_chinese_font_neither_it_nor_the_server_has_is_shown_as_text_with_the_quote_marked(
    services: Services,
) -> None:
    text = "主题教育读书班每期五天，由党委书记主持。"
    renderer = PageRenderer(timeout_s=120, font=None)
    with TestClient(create_app(services, renderer=renderer), base_url=BASE, headers=HTML) as client:
        fontless = drawn([(20, 150, 12, text)], size=(300, 200))
        document = add(client, services, text, name="读书班.pdf", content=fontless)
        address = at(document, "每期五天", text=text)
        for shown in (address, f"{address}&view=page", at(document, "每期五天", text=text, more="/excerpt")):
            page = soup(client.get(shown))
            assert not page.select(".sheet, img[src*='.png']"), shown
            assert "缺少字体" in one(page, ".notice").text
            assert one(page, ".text mark").text == "每期五天"
            assert one(page, ".text").get_text(strip=True) == text
        other = add(client, services, "Hello", name="two.pdf")  # it is not that nothing can be drawn
        page = soup(client.get(f"/documents/{other}/versions/1"))
        assert page.select(".sheet img")
        assert not page.select(".notice")


def test_a_page_or_part_that_is_not_there_is_an_error(client: TestClient, services: Services) -> None:
    document = add(client, services)
    for place in ("page=9", "part=9"):
        assert client.get(f"/documents/{document}/versions/1?{place}").status_code == 404
    assert client.get(f"/documents/{document}/versions/7").status_code == 404


def test_a_version_that_is_not_read_yet_says_so(client: TestClient, services: Services) -> None:
    client.post("/library/add", files={"file": ("neu.txt", "内容".encode())})
    document = services.catalogue.rows(limit=1)[0][0].document.id
    assert "还没有读取完" in one(soup(client.get(f"/documents/{document}/versions/1")), ".notice").text


# Keeping the library -------------------------------------------------------------------------------------------------


def test_files_are_added_together_and_each_refusal_has_its_reason(client: TestClient, services: Services) -> None:
    files = [
        ("file", (name, content)) for name, content in (("a.txt", b"one"), ("b.txt", b""), ("c.exe", b"MZ\x90\x00"))
    ]
    response = client.post("/library/add", files=files)
    assert response.status_code in {415, 422}
    page = soup(response)
    reasons = " ".join(tag.text for tag in page.select("[role=alert]"))
    assert "b.txt · 文件是空的" in reasons
    assert "c.exe · 不支持这种文件格式" in reasons
    assert "已收下 1 份文件" in one(page, "p[role=status]").text
    assert len(services.catalogue.rows(limit=9)[0]) == 1


def test_a_document_is_added_by_its_address(services: Services) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del port
        return ["10.0.0.1" if host == "inside.example" else "93.184.215.14"]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(TEXT.encode()), headers={"content-type": "text/markdown"})

    app = create_app(services, network=Network(resolve, httpx.MockTransport(answer)))
    with TestClient(app, base_url=BASE, headers={"accept": "text/html", "accept-language": "zh-CN"}) as client:
        form = one(soup(client.get("/library")), "form[action='/library/add-from-url']")
        assert one(form, "input")["name"] == "url"
        added = soup(client.post("/library/add-from-url", data={"url": " https://out.example/notes.md "}))
        assert "已收下 1 份文件" in one(added, "p[role=status]").text
        (row,), _ = services.catalogue.rows(limit=9)
        assert row.newest.quality["origin"] == "https://out.example/notes.md"
        again = client.post("/library/add-from-url", data={"url": "https://out.example/notes.md"})
        assert one(soup(again), "[role=alert] a")["href"] == f"/documents/{row.document.id}"
        refused = client.post("/library/add-from-url", data={"url": "http://inside.example/a.md"})
        assert refused.status_code == 422
        assert "这个网址不能读取" in one(soup(refused), "[role=alert]").text
        headers = {"sec-fetch-site": "cross-site"}
        assert (
            client.post("/library/add-from-url", data={"url": "https://out.example/"}, headers=headers).status_code
            == 403
        )


def test_what_went_well_and_what_failed_differ_in_sign_and_role(client: TestClient, services: Services) -> None:
    add(client, services)
    files = [("file", ("b.txt", b"")), ("file", ("c.txt", b"three"))]
    page = soup(client.post("/library/add", files=files))
    assert one(page, ".notice[role=status]").name == "p"
    assert "bad" in one(page, "[role=alert]")["class"]
    look = client.get(str(one(page, "link[rel=stylesheet]")["href"])).text
    signs = [re.search(rf"^{re.escape(of)}::before {{ content: (\S+);", look, re.MULTILINE) for of in ('.notice[role="status"]', ".notice.bad")]  # fmt: skip
    assert [sign and sign[1] for sign in signs] == ['"✓"', '"!"']


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_formats_are_told_in_the_same_words_where_files_are_chosen_and_refused(
    client: TestClient, services: Services, language: str
) -> None:
    client.headers["accept-language"] = language
    document = add(client, services)
    page = soup(client.post("/library/add", files={"file": ("c.exe", b"MZ\x90\x00")}))
    told = re.search(r"PDF.*ZIP( of them)?", one(page, "#add-hint").text)
    assert told
    assert told[0] in one(page, "[role=alert]").text
    choosers = [one(p, "input[type=file]")["accept"] for p in (page, soup(client.get(f"/documents/{document}")))]
    assert choosers[0] == f"{choosers[1]},.zip"


def test_the_same_file_again_leads_to_the_one_that_is_there(client: TestClient, services: Services) -> None:
    document = add(client, services)
    page = soup(client.post("/library/add", files={"file": ("andere.txt", TEXT.encode())}))
    assert one(page, "[role=alert] a")["href"] == f"/documents/{document}"


def failed(client: TestClient, services: Services, code: str, detail: str) -> DocumentRow:
    """A document whose file failed for this reason."""
    client.post("/library/add", files={"file": ("x.txt", b"something")})
    row = services.catalogue.rows(limit=1)[0][0]
    assert row.job
    services.catalogue.finish_job(
        row.job.id, state=JobState.FAILED, now=row.job.updated_at, error_code=code, error_detail=detail
    )
    return row


def test_a_failed_document_shows_reason_and_what_helps(client: TestClient, services: Services) -> None:
    row = failed(client, services, "no-text", f"x.txt holds none. {HOSTILE}")
    page = soup(client.get("/library?state=failed"))
    assert "文件里没有文字" in one(page, ".reason").text
    detail = soup(client.get(f"/documents/{row.document.id}"))
    assert HOSTILE in one(detail, ".notice.bad").text
    assert not page.select("form[action^='/library/retry/']")
    assert one(page, ".actions a[href$='#replace']").text == "换一份文件"
    ways = [str(a["href"]) for a in detail.select(".notice.bad .tools a")]
    assert ways == ["#replace", "#remove"]
    assert one(detail, "#replace[open] form input[type=file]")
    assert "现行版本" not in detail.text
    form = one(detail, ".notice.bad form[action^='/library/retry/']")
    response = client.post(str(form["action"]), follow_redirects=False)
    assert response.headers["location"] == "/library?notice=retried"
    assert not soup(client.get("/library?state=failed")).select("#rows tr")


def test_what_may_pass_can_be_tried_again_from_its_line(client: TestClient, services: Services) -> None:
    failed(client, services, "parser-crashed", "The process died.")
    form = one(soup(client.get("/library")), "#rows form[action^='/library/retry/']")
    assert client.post(str(form["action"]), follow_redirects=False).headers["location"] == "/library?notice=retried"


def test_what_was_cancelled_can_be_tried_again_from_its_page(client: TestClient, services: Services) -> None:
    client.post("/library/add", files={"file": ("x.txt", b"something")})
    row = services.catalogue.rows(limit=1)[0][0]
    assert row.job
    assert client.post(f"/api/v1/jobs/{row.job.id}/cancel").json()["state"] == "cancelled"
    detail = soup(client.get(f"/documents/{row.document.id}"))
    assert "已取消" in one(detail, ".notice").text
    form = one(detail, ".notice form")
    assert client.post(str(form["action"]), follow_redirects=False).headers["location"] == "/library?notice=retried"
    assert services.catalogue.job(row.job.id).state is JobState.QUEUED


def test_a_replaced_document_says_which_version_answers_until_the_new_one_does(
    client: TestClient, services: Services
) -> None:
    document = add(client, services)
    address = f"/documents/{document}"
    replaced = client.post(f"{address}/replace", files={"file": ("新讲稿.txt", b"new")})
    assert "新版本已收下" in one(soup(replaced), "p[role=status]").text
    job = services.catalogue.row(DocumentId(document)).job
    assert job
    for page in (soup(replaced), soup(client.get(address))):
        assert one(page, ".where .state").text == "可提问"
        pending = one(page, "#pending")
        assert (pending["data-job"], one(pending, ".state").text) == (job.id, "排队中")
        assert "第 2 版" in pending.text
        assert "仍由第 1 版回答" in pending.text
        assert one(page, "script[type=module]")
    row = one(soup(client.get("/library")), "#rows tr")
    assert (one(row, ".state").text, one(row, ".still").text) == ("排队中", "仍由第 1 版回答。")
    services.catalogue.finish_job(
        job.id,
        state=JobState.FAILED,
        now=job.updated_at,
        error_code="unreadable-document",
        error_detail="It is damaged.",
    )
    page = soup(client.get(f"{address}?notice=replaced"))
    assert not page.select("#pending, p[role=status], script[type=module], .notice.bad a[href='#remove']")
    assert "仍由第 1 版回答" in one(page, ".notice.bad").text
    client.post(f"{address}/replace", files={"file": ("新讲稿.txt", b"another")})
    read(services, document, text=TEXT)
    page = soup(client.get(f"{address}?notice=replaced"))
    assert one(page, "p[role=status]").text == "已处理好，可以提问。"
    assert not page.select("#pending, .still")


def test_an_encrypted_file_is_opened_with_the_password_that_its_page_asks_for(
    client: TestClient, services: Services
) -> None:
    client.post("/library/add", files={"file": ("内部.pdf", encrypted_pdf("对的 right"))})
    work(services)
    link = next(a for a in one(soup(client.get("/library")), "#rows tr").select(".actions a") if a.text == "输入密码")
    for password, state in (("猜的", "failed"), ("对的 right", "live")):
        form = one(soup(client.get(str(link["href"]))), "form[action^='/library/retry/']")
        assert one(form, "input[type=password]")["name"] == "password"
        client.post(str(form["action"]), data={"password": password})
        work(services)
        assert services.catalogue.rows(limit=1)[0][0].newest.state == state
    assert not list((services.settings.data_dir / "secrets").iterdir())


def test_a_retry_counts_though_no_worker_can_be_woken(services: Services) -> None:
    class Away:
        def wake(self, job_id: JobId) -> None:
            raise StoreUnavailable("The queue does not answer.")

    with TestClient(create_app(replace(services, queue=Away())), base_url=BASE, headers=HTML) as client:
        client.post("/library/add", files={"file": ("x.txt", b"something")})
        row = services.catalogue.rows(limit=1)[0][0]
        assert row.job
        services.catalogue.finish_job(row.job.id, state=JobState.CANCELLED, now=row.job.updated_at)
        response = client.post(f"/library/retry/{row.job.id}", follow_redirects=False)
    assert response.headers["location"] == "/library?notice=retried"
    assert services.catalogue.job(row.job.id).state is JobState.QUEUED


def test_a_removed_document_is_gone_from_every_page(client: TestClient, services: Services) -> None:
    document = add(client, services)
    page = soup(client.post(f"/library/{document}/remove"))
    assert "已移除" in one(page, "p[role=status]").text
    assert not page.select("#rows tr")
    for path in (f"/documents/{document}", f"/documents/{document}/versions/1", f"/library/rows/{document}"):
        assert client.get(path).status_code == 404


def test_metadata_are_saved_from_the_form(client: TestClient, services: Services) -> None:
    document = add(client, services)
    fields = {
        "title": " 新题 ",
        "kind": "lecture",
        "issuer": "办公室",
        "published_on": "2024-05-06",
        "topics": "学习，调研、 党课",
    }
    assert client.post(f"/documents/{document}/edit", data=fields, follow_redirects=False).status_code == 303
    saved = services.catalogue.rows(limit=1)[0][0].document
    assert (saved.title, saved.kind, saved.issuer) == ("新题", "lecture", "办公室")
    assert saved.topics == ("学习", "调研", "党课")
    assert str(saved.published_on) == "2024-05-06"
    assert client.post(f"/documents/{document}/edit", data=fields | {"published_on": "morgen"}).status_code == 422
    assert client.post(f"/documents/{document}/edit", data=fields | {"title": " "}).status_code == 422


def test_pages_that_belong_to_the_library_say_so(client: TestClient, services: Services) -> None:
    document = add(client, services)
    places = {
        "/library": "page",
        "/trash": "true",
        "/topics": "true",
        "/dictionary": "true",
        f"/documents/{document}": "true",
    }
    for path, current in places.items():
        assert one(soup(client.get(path)), ".top nav a[aria-current]").attrs == {
            "href": "/library",
            "aria-current": current,
        }
    assert one(soup(client.get("/search")), ".top nav a[aria-current]")["href"] == "/search"


def test_the_line_that_counts_can_be_asked_for_anew(client: TestClient, services: Services) -> None:
    document = add(client, services)
    assert one(soup(client.get("/library")), "#count").select("span")[0].text == "共 1 份文件可供提问"
    line = client.get("/library/count")
    assert str(one(soup(line), "#count")) == str(one(soup(client.get("/library")), "#count"))
    client.post(f"/library/{document}/remove")
    counted = one(soup(client.get("/library/count")), "#count")
    assert [span.text for span in counted.select("span")] == ["共 0 份文件可供提问", "已移除：1", "主题清单", "词典"]


def test_filters_and_pages_of_the_library(client: TestClient, services: Services) -> None:
    files = [("file", (f"文件{n:02}.txt", f"内容{n}".encode())) for n in range(53)]
    assert client.post("/library/add", files=files, follow_redirects=False).status_code == 303
    page = soup(client.get("/library"))
    assert len(page.select("#rows tr")) == 50
    rest = soup(client.get(str(one(page, "a[rel=next]")["href"])))
    assert len(rest.select("#rows tr")) == 3
    assert len(soup(client.get("/library?q=文件07")).select("#rows tr")) == 1
    assert "没有符合条件的文件" in soup(client.get("/library?kind=news")).text
    assert client.get("/library?kind=nonsense&state=<b>").status_code == 200
    assert services.catalogue.counts()["documents"] == 53


@pytest.mark.parametrize("path", ["/library/add", "/library/x/remove", "/library/retry/x", "/documents/x/edit"])
def test_forms_of_other_sites_are_refused(client: TestClient, path: str) -> None:
    response = client.post(path, headers=HTML | {"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"})
    assert response.status_code == 403
    assert "没有权限" in one(soup(response), "h1").text


def test_with_a_token_reading_is_open_and_writing_asks_to_sign_in(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "data", admin_token="open sesame") as services,
        TestClient(create_app(services), base_url="https://xuesi.example", headers=HTML) as client,
    ):
        assert one(soup(client.get("/")), "a[href^='/login']").text == "登录"
        assert client.post("/", data={"question": "读书班？"}).status_code == 200
        refused = client.post("/library/add", files={"file": ("a.txt", b"one")})
        assert refused.status_code == 401
        assert one(soup(refused), "main a[href='/login']")
        asked = one(soup(client.get("/library?q=%E5%AD%A6")), ".top a[href^='/login']")["href"]
        assert parse_qs(urlsplit(str(asked)).query)["next"] == ["/library?q=%E5%AD%A6"]
        again = client.post("/login", data={"token": "guess", "next": "/library?q=a"})
        assert one(soup(again), "input[name=next]")["value"] == "/library?q=a"
        wrong = client.post("/login", data={"token": "guess"})
        assert wrong.status_code == 401
        assert "令牌不对" in one(soup(wrong), "[role=alert]").text
        right = client.post("/login", data={"token": "open sesame", "next": "/library"}, follow_redirects=False)
        assert right.headers["location"] == "/library"
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "open sesame" not in cookie
        assert client.post("/library/add", files={"file": ("a.txt", b"one")}, follow_redirects=False).status_code == 303
        document = services.catalogue.rows(limit=1)[0][0].document.id
        paths = ("/library", f"/documents/{document}", f"/library/rows/{document}")
        writes = "form[method=post], [data-remove]"
        assert [bool(soup(client.get(path)).select(writes)) for path in paths] == [True, True, True]
        kept = dict(client.cookies)
        client.cookies.clear()
        assert [bool(soup(client.get(path)).select(writes)) for path in paths] == [False, False, False]
        assert one(soup(client.get("/library")), ".notice a[href^='/login']").text == "登录"
        client.cookies.update(kept)
        assert not soup(client.get("/")).select("a[href^='/login']")


def test_who_is_signed_in_can_sign_out(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "data", admin_token="open sesame") as services,
        TestClient(create_app(services), base_url=BASE, headers=HTML) as client,
    ):
        assert not soup(client.get("/")).select("form[action='/logout']")
        client.post("/login", data={"token": "open sesame"})
        assert "已登录" in one(soup(client.get("/login")), ".lead").text
        form = one(soup(client.get("/library")), "form[action='/logout']")
        assert (form["method"], form.text.strip()) == ("post", "退出登录")
        foreign = client.post("/logout", headers=HTML | {"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403
        assert client.cookies
        page = soup(client.post("/logout"))
        assert not client.cookies
        assert one(page, "a[href^='/login']").text == "登录"
        assert not page.select("form[action='/logout']")
        assert client.post("/logout", follow_redirects=False).status_code == 303
        assert client.post("/library/add", files={"file": ("a.txt", b"one")}).status_code == 401


def test_where_there_is_no_token_there_is_nothing_to_sign_out_of(client: TestClient) -> None:
    assert not soup(client.get("/library")).select("form[action='/logout']")
