"""Can a person ask, check a citation and keep the library, in a real browser on the real program?"""

import io
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)

from tests.e2e.conftest import Program, data_folder

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "corpus" / "sample"
FILES = (
    "hunan-theme-education-news.html",
    "theme-education-organising-guide.pdf",
    "assessment-rules.docx",
    "sanxiang-story-slides.pptx",
    "discussion-material-guide.txt",
    "field-visit-notes.md",
)
ABOUT_PDF = "检验一份主题教育实施方案要问哪几个问题？"
ABOUT_NEWS = "基层检察官在调研中最关注什么问题？"
ABOUT_NOTHING = "火星上的火山有多高？"

pytestmark = pytest.mark.browser


@dataclass
class Site:
    """A served library, and the log of its server."""

    url: str
    log: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("browser")
    program = Program(data_folder(folder, model_dir))
    with program.serving() as url:
        for name in FILES:
            with (SAMPLE / name).open("rb") as file:
                httpx.post(f"{url}/api/v1/documents", files={"file": (name, file)}, timeout=120).raise_for_status()
        deadline = time.monotonic() + 600
        while (states := _states(url)) != {"live"}:
            assert "failed" not in states
            assert time.monotonic() < deadline, states
            time.sleep(0.3)
        yield Site(url, folder / "server.log")


def _states(url: str) -> set[str]:
    return {item["state"] for item in httpx.get(f"{url}/api/v1/documents", timeout=120).json()["items"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "there is no Chromium on the path; on Debian: apt-get install chromium fonts-noto-cjk"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@dataclass
class Reader:
    """A person at the site; what the browser complains of is kept."""

    page: Page
    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        self.page.goto(self.url)
        self.page.get_by_role("textbox").fill(question)
        self.page.keyboard.press("Enter")


def _reader(browser: Browser, site: Site, **how: Any) -> Reader:
    context = browser.new_context(**({"locale": "zh-CN", "viewport": {"width": 1280, "height": 860}} | how))
    context.set_default_timeout(60_000)
    reader = Reader(context.new_page(), context, site.url)

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            reader.complaints.append(message.text)

    reader.page.on("console", heard)
    reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
    return reader


@pytest.fixture
def reader(browser: Browser, site: Site) -> Iterator[Reader]:
    reader = _reader(browser, site)
    yield reader
    reader.context.close()
    assert not reader.complaints


@pytest.fixture
def plain_reader(browser: Browser, site: Site) -> Iterator[Reader]:
    """A browser without scripts."""
    reader = _reader(browser, site, java_script_enabled=False)
    yield reader
    reader.context.close()
    assert not reader.complaints


def _bare(text: str) -> str:
    return "".join(text.split())


def _within(inner: dict[str, float], outer: dict[str, float]) -> bool:
    return inner["y"] >= outer["y"] - 1 and inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1


def _box(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box
    return {side: box[side] for side in ("x", "y", "width", "height")}


# Asking --------------------------------------------------------------------------------------------------------------


def test_statements_arrive_with_citations_and_sources(reader: Reader) -> None:
    reader.ask(ABOUT_NEWS)
    statements = reader.page.locator(".statement")
    expect(reader.page.locator(".sources")).to_be_visible()
    assert 1 <= statements.count() <= 5
    assert "考核评价" in statements.first.inner_text()
    numbers = set(reader.page.locator(".statement .cite").all_inner_texts())
    assert numbers == set(reader.page.locator(".sources .number").all_inner_texts())
    expect(reader.page.locator("#announce")).to_contain_text("回答完毕")
    expect(reader.page.locator("#answer")).not_to_have_attribute("aria-busy", "true")


def test_a_citation_opens_the_text_with_exactly_the_quote_marked_and_in_view(reader: Reader) -> None:
    reader.ask(ABOUT_NEWS)
    expect(reader.page.locator(".sources")).to_be_visible()
    quote = reader.page.locator(".sources q").first.text_content()
    reader.page.locator(".statement .cite").first.click()
    marks = reader.page.locator("#source mark")
    expect(marks.first).to_be_visible()
    assert quote
    assert _bare("".join(marks.all_text_contents())) == _bare(quote)
    expect(marks.first).to_be_in_viewport()
    assert _within(_box(marks.first), _box(reader.page.locator("#source .pane-body")))
    # The words themselves lie inside what is marked: their boxes against those of the mark, line by line.
    assert reader.page.evaluate(
        """(quote) => {
          const pane = document.querySelector("#source .text");
          const walker = document.createTreeWalker(pane, NodeFilter.SHOW_TEXT);
          const marked = [...pane.querySelectorAll("mark")].flatMap((m) => [...m.getClientRects()]);
          while (walker.nextNode()) {
            const at = walker.currentNode.data.indexOf(quote);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + quote.length);
            return [...range.getClientRects()].every((r) => marked.some((m) =>
              m.left <= r.left + 1 && m.right >= r.right - 1 && m.top <= r.top + 1 && m.bottom >= r.bottom - 1));
          }
          return false;
        }""",
        quote[:12],
    )


def test_the_mark_on_a_pdf_page_covers_the_quoted_words(reader: Reader, site: Site) -> None:
    """The place of the words comes from PDFium, asked here; the colour there from what the browser shows."""
    reader.ask(ABOUT_PDF)
    expect(reader.page.locator(".sources")).to_be_visible()
    source = reader.page.locator(".sources a").first
    quote, where = source.locator("q").text_content(), source.locator(".where").text_content()
    source.click()
    image = reader.page.locator("#source .sheet img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", value=True)
    found = re.search(r"第 (\d+) 页", where or "")
    assert found
    assert quote
    boxes, width = _character_boxes(SAMPLE / "theme-education-organising-guide.pdf", int(found.group(1)), quote[:10])
    shown = np.asarray(
        Image.open(io.BytesIO(httpx.get(site.url + str(image.get_attribute("src"))).content)).convert("RGB")
    )
    scale = shown.shape[1] / width
    assert all(_is_marked(shown, box, scale) for box in boxes)
    assert _marked_share(shown) < 0.2
    mark = reader.page.locator("#source #mark")
    expect(mark).to_be_in_viewport()
    assert _within(_box(mark), _box(reader.page.locator("#source .pane-body")))
    on_screen, page_box = _box(mark), _box(image)
    left, top, *_ = boxes[0]
    ratio = page_box["width"] / width
    assert on_screen["x"] == pytest.approx(page_box["x"] + left * ratio, abs=4)
    assert on_screen["y"] == pytest.approx(page_box["y"] + top * ratio, abs=6)


def _character_boxes(path: Path, page: int, words: str) -> tuple[list[tuple[float, float, float, float]], float]:
    """Left, top, right, bottom of each of the words' characters in points from the top left, and the page's width."""
    document = pdfium.PdfDocument(path)
    try:
        sheet = document[page - 1]
        text = sheet.get_textpage()
        found = text.search(words).get_next()
        assert found, f"{words} does not stand on page {page}"
        start, count = found
        width, height = sheet.get_size()
        boxes = [text.get_charbox(i) for i in range(start, start + count)]
    finally:
        document.close()
    return [(left, height - top, right, height - bottom) for left, bottom, right, top in boxes], width


def _is_marked(image: np.ndarray, box: tuple[float, float, float, float], scale: float) -> bool:
    left, top, right, bottom = (round(side * scale) for side in box)
    return _marked_share(image[top : bottom + 1, left : right + 1]) > 0.4


def _marked_share(pixels: np.ndarray) -> float:
    """Share of pixels with the mark's colour: much more red than blue."""
    return float(np.mean(pixels[..., 0].astype(int) - pixels[..., 2].astype(int) > 60))


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("新设考核指标要试行多久？", id="docx"),
        pytest.param("采访承办人时最重要的是哪一问？", id="pptx"),
        pytest.param("学习研讨材料写多长合适？", id="txt"),
        pytest.param("约请讲述人时事先告诉他什么？", id="md"),
    ],
)
def test_every_format_opens_at_the_quote(reader: Reader, question: str) -> None:
    reader.ask(question)
    expect(reader.page.locator(".sources")).to_be_visible()
    source = reader.page.locator(".sources a").first
    quote = source.locator("q").text_content() or ""
    source.click()
    marks = reader.page.locator("#source mark")
    expect(marks.first).to_be_visible()
    # The page sets the cells of a row and the entries of a list apart without these signs.
    assert _bare("".join(marks.all_text_contents())) == _bare(re.sub("[|•]", "", quote))
    assert _within(_box(marks.first), _box(reader.page.locator("#source .pane-body")))


def test_what_is_not_in_the_material_is_said_plainly_with_what_comes_nearest(reader: Reader) -> None:
    reader.ask(ABOUT_NOTHING)
    expect(reader.page.locator(".verdict")).to_have_text("资料库里没有找到这个问题的答案。")
    assert reader.page.locator(".hits li").count() >= 1
    reader.page.locator(".hits a").first.click()
    expect(reader.page.locator("#source")).to_be_visible()


def test_a_question_leaves_no_trace_in_addresses_or_the_log(reader: Reader, site: Site) -> None:
    addresses: list[str] = []
    reader.page.on("request", lambda request: addresses.append(request.url))
    reader.ask(ABOUT_NEWS)
    expect(reader.page.locator(".sources")).to_be_visible()
    traces = (ABOUT_NEWS, httpx.URL("/", params={"q": ABOUT_NEWS}).query.decode().removeprefix("q="))
    assert not [a for a in addresses if any(trace in a for trace in traces)]
    assert "/api/v1/ask" in site.log.read_text(encoding="utf-8")
    assert not any(trace in site.log.read_text(encoding="utf-8") for trace in traces)


def test_an_example_can_be_asked(reader: Reader) -> None:
    reader.page.goto(reader.url)
    example = reader.page.locator(".examples button").first
    question = example.inner_text()
    example.click()
    expect(reader.page.locator("#answer-body :is(.statements, .nothing)")).to_be_visible()
    expect(reader.page.get_by_role("textbox")).to_have_value(question)


def test_asking_and_checking_need_no_mouse(reader: Reader) -> None:
    reader.page.goto(reader.url)
    reader.page.keyboard.type(ABOUT_NEWS)  # the box has the focus
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".sources")).to_be_visible()
    for _ in ("the button", "as of a day", "the first citation"):
        reader.page.keyboard.press("Tab")
    expect(reader.page.locator(".statement .cite").first).to_be_focused()
    outline = reader.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#source mark").first).to_be_visible()
    reader.page.keyboard.press("Escape")
    expect(reader.page.locator("#source")).to_be_hidden()
    expect(reader.page.locator(".statement .cite").first).to_be_focused()


def _asked_next(reader: Reader, question: str) -> None:
    reader.page.get_by_role("textbox").fill(question)
    reader.page.keyboard.press("Enter")


def test_a_follow_up_shows_the_whole_question_and_can_be_asked_by_itself(reader: Reader, site: Site) -> None:
    reader.ask("湖南省人民检察院主题教育有哪几项主要安排？")
    expect(reader.page.locator(".sources")).to_be_visible()
    _asked_next(reader, "那第二点呢？")
    whole = "湖南省人民检察院主题教育的第二项主要安排“深入基层开展调研”是什么？"
    expect(reader.page.locator(".completed q")).to_have_text(whole)
    expect(reader.page.locator(".statement").first).to_contain_text("深入基层开展调研")
    _asked_next(reader, "那2024年呢？")
    expect(reader.page.locator(".completed q")).to_contain_text("2024年湖南省人民检察院")
    expect(reader.page.locator(".chips button")).to_have_text(re.compile("2024年 2024年1月1日至2024年12月31日发布"))
    reader.page.locator(".chips button").click()
    expect(reader.page.locator(".chips")).to_have_count(0)
    expect(reader.page.locator(".completed q")).to_contain_text("2024年湖南省人民检察院")
    reader.page.get_by_role("button", name="只按原话回答").click()
    expect(reader.page.locator(".completed")).to_have_count(0)
    expect(reader.page.locator("#answer-body :is(.statements, .nothing)")).to_be_visible()
    reader.page.go_back()
    reader.page.go_back()
    expect(reader.page.locator(".chips button")).to_be_visible()
    reader.page.reload()
    expect(reader.page.locator(".completed q")).to_contain_text("2024年湖南省人民检察院")
    assert "第二点" not in site.log.read_text(encoding="utf-8")


def test_going_back_leads_to_the_question_before(reader: Reader) -> None:
    reader.ask(ABOUT_NEWS)
    expect(reader.page.locator(".sources")).to_be_visible()
    reader.page.get_by_role("textbox").fill(ABOUT_NOTHING)
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".verdict")).to_be_visible()
    reader.page.go_back()
    expect(reader.page.get_by_role("textbox")).to_have_value(ABOUT_NEWS)
    expect(reader.page.locator(".sources")).to_be_visible()
    reader.page.go_back()
    expect(reader.page.locator("#answer")).to_be_hidden()


def test_a_question_asked_over_another_is_the_one_that_is_answered(reader: Reader) -> None:
    """An answer that came in one piece is shown statement by statement; forty of them take four seconds."""

    def answer(route: Route) -> None:
        words = str(json.loads(route.request.post_data or "{}")["question"])
        told = [{"index": n, "text": words, "citations": []} for n in range(40 if words == "甲问" else 2)]
        done = {
            "status": "answered",
            "statements": told,
            "citations": [],
            "mode": "extractive",
            "confidence": 1,
            "took_ms": 1,
        }
        events = [f"event: statement\ndata: {json.dumps(one)}\n\n" for one in told]
        body = "".join([*events, f"event: done\ndata: {json.dumps(done)}\n\n"])
        route.fulfill(body=body, content_type="text/event-stream")

    reader.page.route("**/api/v1/ask", answer)
    reader.ask("甲问")
    expect(reader.page.locator(".statement").first).to_have_text("甲问")
    reader.page.get_by_role("textbox").fill("乙问")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".statement").first).to_have_text("乙问")
    reader.page.wait_for_timeout(500)  # four of the first one's statements
    assert reader.page.locator(".statement").all_inner_texts() == ["乙问", "乙问"]


def test_a_statement_is_shown_while_the_rest_of_the_answer_is_still_to_come(reader: Reader) -> None:
    asked = httpx.post(f"{reader.url}/api/v1/ask", json={"question": ABOUT_NEWS, "stream": True}, timeout=120)
    told = asked.raise_for_status().text
    first = told.index("\n\n", told.index("event: statement")) + 2
    assert "event: statement" in told[first:]
    reader.page.add_init_script(
        """
        const answer = new ReadableStream({ start: (stream) => { window.stream = stream; } });
        window.tell = (text) => window.stream.enqueue(new TextEncoder().encode(text));
        const fetched = window.fetch;
        window.fetch = (...what) => what[0] === "/api/v1/ask" ? Promise.resolve(new Response(answer)) : fetched(...what);
        """
    )
    reader.ask(ABOUT_NEWS)
    statements, answer = reader.page.locator(".statement"), reader.page.locator("#answer")
    expect(reader.page.locator("#answer .waiting")).to_be_visible()
    reader.page.evaluate("tell", told[:first])
    expect(statements.locator(".cite")).not_to_have_count(0)
    expect(statements).to_have_count(1)
    expect(answer).to_have_attribute("aria-busy", "true")
    expect(reader.page.locator(".sources, #answer .waiting")).to_have_count(0)
    reader.page.evaluate("tell", told[first:])
    expect(reader.page.locator(".sources")).to_be_visible()
    expect(statements).to_have_count(told.count("event: statement"))
    expect(answer).not_to_have_attribute("aria-busy", "true")


def test_the_language_can_be_switched_and_the_answer_stays(reader: Reader) -> None:
    reader.ask(ABOUT_NEWS)
    expect(reader.page.locator(".sources")).to_be_visible()
    reader.page.get_by_role("link", name="Switch to English").click()
    expect(reader.page.locator("html")).to_have_attribute("lang", "en")
    expect(reader.page.get_by_role("heading", name="Sources")).to_be_visible()
    reader.page.goto(f"{reader.url}/library")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("Library")
    reader.page.get_by_role("link", name="切换到中文").click()
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("资料库")
    assert "lang=" not in reader.page.url


def test_the_browser_chooses_the_language_at_first(browser: Browser, site: Site) -> None:
    english = _reader(browser, site, locale="en-GB")
    english.page.goto(site.url)
    expect(english.page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    english.context.close()


@pytest.mark.parametrize(
    ("path", "width"),
    [("/", 360), ("/search", 360), ("/library", 360), ("/library", 800), ("/login", 360), ("/nowhere", 360)],
)
def test_nothing_runs_over_the_edge_of_a_small_screen(browser: Browser, site: Site, path: str, width: int) -> None:
    small = _reader(browser, site, viewport={"width": width, "height": 740})
    small.page.goto(site.url + path)
    assert small.page.evaluate("document.documentElement.scrollWidth") <= width
    small.context.close()


def test_on_a_phone_the_source_opens_below_the_answer(browser: Browser, site: Site) -> None:
    phone = _reader(browser, site, viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    phone.ask(ABOUT_NEWS)
    expect(phone.page.locator(".sources")).to_be_visible()
    phone.page.locator(".statement .cite").first.click()
    expect(phone.page.locator("#source mark").first).to_be_in_viewport()
    below = _box(phone.page.locator("#source"))["y"] > _box(phone.page.locator(".statements"))["y"]
    assert below
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    phone.context.close()


# Keeping the library -------------------------------------------------------------------------------------------------


def _add(reader: Reader, name: str, content: bytes) -> None:
    reader.page.locator("#files").set_input_files(FilePayload(name=name, mimeType="text/plain", buffer=content))


def test_a_file_is_added_with_progress_and_can_be_removed(reader: Reader) -> None:
    reader.page.goto(f"{reader.url}/library")
    counted = int(re.sub(r"\D", "", reader.page.locator("#count span").first.inner_text()))
    text = "\n\n".join(f"第{n}条 图书室每周开放{n}天，由值班员负责登记。" for n in range(1, 60))
    _add(reader, "图书室管理.txt", text.encode())
    row = reader.page.locator("#rows tr", has_text="图书室管理")
    upload = reader.page.locator(".upload", has_text="图书室管理.txt")
    expect(upload.locator("progress")).to_be_visible()
    expect(row).to_be_visible()
    expect(row.locator(".state")).to_have_text("可提问", timeout=300_000)
    expect(upload).to_have_count(0)
    expect(reader.page.locator("#announce")).to_contain_text("可以提问了")
    expect(reader.page.locator("#count")).to_contain_text(f"共 {counted + 1} 份")

    row.get_by_role("link", name="移除").click()
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_contain_text("移除《图书室管理》？")
    expect(dialog).to_contain_text("可以恢复")
    dialog.get_by_role("button", name="取消").click()
    expect(row).to_be_visible()
    row.get_by_role("link", name="移除").click()
    dialog.get_by_role("button", name="移除").click()
    expect(reader.page.get_by_role("status").filter(has_text="已移除。")).to_be_visible()
    expect(reader.page.locator("#rows tr", has_text="图书室管理")).to_have_count(0)


def test_a_row_follows_its_job_also_while_somebody_stands_on_it(reader: Reader) -> None:
    jobs = httpx.get(f"{reader.url}/api/v1/jobs", timeout=120).json()["items"]
    job = next(one for one in jobs if one["state"] == "done")
    reader.page.route("**/api/v1/jobs/events", lambda route: route.fulfill(
        body=f"event: job\ndata: {json.dumps(job)}\n\n", content_type="text/event-stream"))  # fmt: skip
    # As it stood before the job was done.
    reader.page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
        const row = document.querySelector('tr[data-job="JOB"]');
        row.querySelector(".state").textContent = "读取中";
        row.querySelector(".state").after(document.createElement("progress"));
        row.querySelector(".actions a").focus();
    })""".replace("JOB", job["id"])
    )
    reader.page.goto(f"{reader.url}/library")
    row = reader.page.locator(f'tr[data-job="{job["id"]}"]')
    expect(row.locator(".state")).to_have_text("可提问", timeout=60_000)
    expect(row.locator("progress")).to_have_count(0)
    expect(row.locator(".actions a").first).to_be_focused()


def test_a_broken_file_says_why_it_failed(reader: Reader) -> None:
    whole = (SAMPLE / "findings-to-measures.pdf").read_bytes()
    reader.page.goto(f"{reader.url}/library")
    _add(reader, "残缺.pdf", whole[:2000])
    row = reader.page.locator("#rows tr", has_text="残缺")
    expect(row.locator(".state")).to_have_text("失败", timeout=300_000)
    expect(row.locator(".reason")).to_contain_text("文件无法读取")
    upload = reader.page.locator(".upload", has_text="残缺.pdf")
    expect(upload).to_contain_text("完整的文件")
    upload.get_by_role("button", name="知道了").click()
    expect(upload).to_have_count(0)
    row.get_by_role("link", name="换一份文件").click()
    expect(reader.page.get_by_label("选择新版本的文件")).to_be_visible()
    reader.page.get_by_role("button", name="重试").click()
    expect(reader.page.get_by_role("status").filter(has_text="已重新排队")).to_be_visible()
    expect(row.locator(".state")).to_have_text("失败", timeout=300_000)


def test_a_row_whose_job_ends_before_the_page_follows_it_is_brought_up_to_date(reader: Reader) -> None:
    def follow_late(route: Route) -> None:
        deadline = time.monotonic() + 300
        while any(
            httpx.get(f"{reader.url}/api/v1/jobs", params={"state": state}, timeout=120).json()["items"]
            for state in ("queued", "running")
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        route.continue_()

    reader.page.goto(f"{reader.url}/library")
    _add(reader, "半份.pdf", (SAMPLE / "findings-to-measures.pdf").read_bytes()[:1500])
    row = reader.page.locator("#rows tr", has_text="半份")
    expect(row.locator(".state")).to_have_text("失败", timeout=300_000)
    reader.page.route("**/api/v1/jobs/events", follow_late)
    row.get_by_role("link", name="详情").click()
    reader.page.get_by_role("button", name="重试").click()
    expect(reader.page.get_by_role("status").filter(has_text="已重新排队")).to_be_visible()
    expect(row.locator(".state")).to_have_text("失败", timeout=300_000)


def test_a_refused_file_and_one_that_is_there_already_are_told_apart(reader: Reader) -> None:
    reader.page.goto(f"{reader.url}/library")
    _add(reader, "程序.exe", b"MZ\x90\x00")
    expect(reader.page.locator(".upload", has_text="程序.exe")).to_contain_text("不支持这种文件格式")
    _add(reader, "同一份.md", (SAMPLE / "field-visit-notes.md").read_bytes())
    again = reader.page.locator(".upload", has_text="同一份.md")
    expect(again).to_contain_text("资料库里已经有同样的文件")
    again.get_by_role("link", name="看这份文件").click()
    expect(reader.page.get_by_role("heading", level=1)).to_be_visible()
    # A refusal is an answer of the server, which the browser notes as an error of loading.
    assert [c for c in reader.complaints if "415" not in c] == []
    reader.complaints.clear()


def test_each_file_in_a_zip_has_its_own_line(reader: Reader) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("通知/值班安排.txt", "阅览室的值班安排。\n\n每周一由第一支部值班。")
        archive.writestr("通知/安装.exe", b"MZ\x90\x00")
    reader.page.goto(f"{reader.url}/library")
    _add(reader, "打包材料.zip", packed.getvalue())
    refused = reader.page.locator(".upload", has_text="打包材料.zip/通知/安装.exe")
    expect(refused).to_contain_text("不支持这种文件格式")
    row = reader.page.locator("#rows tr", has_text="值班安排")
    expect(row.locator(".state")).to_have_text("可提问", timeout=300_000)
    expect(reader.page.locator(".upload")).to_have_count(1)


def test_files_can_be_dropped_anywhere(reader: Reader) -> None:
    reader.page.goto(f"{reader.url}/library")
    dropped = reader.page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["拖放进来的通知：周五下午集中学习。"], "拖放通知.txt", { type: "text/plain" }));
          return data;
        }"""
    )
    reader.page.dispatch_event("main", "dragenter", {"dataTransfer": dropped})
    expect(reader.page.locator("#drop")).to_be_visible()
    reader.page.dispatch_event("main", "drop", {"dataTransfer": dropped})
    expect(reader.page.locator("#drop")).to_be_hidden()
    expect(reader.page.locator("#rows tr", has_text="拖放通知").locator(".state")).to_have_text(
        "可提问", timeout=300_000
    )


def test_metadata_are_edited_and_a_document_is_replaced(reader: Reader, tmp_path: Path) -> None:
    first, second = tmp_path / "值班表.txt", tmp_path / "新值班表.txt"
    first.write_text("值班安排：周一由甲组负责。", encoding="utf-8")
    second.write_text("值班安排：周一由乙组负责，周二由丙组负责。", encoding="utf-8")
    reader.page.goto(f"{reader.url}/library")
    reader.page.locator("#files").set_input_files(first)
    row = reader.page.locator("#rows tr", has_text="值班表")
    expect(row.locator(".state")).to_have_text("可提问", timeout=300_000)
    row.get_by_role("link", name="详情").click()
    reader.page.get_by_text("修改信息").click()
    reader.page.get_by_label("来源", exact=True).fill("办公室")
    reader.page.get_by_label("主题").fill("值班，学习")
    reader.page.get_by_role("button", name="保存").click()
    expect(reader.page.get_by_role("status").filter(has_text="已保存")).to_be_visible()
    expect(reader.page.locator(".facts-list")).to_contain_text("值班、学习")
    reader.page.get_by_text("换成新版本").click()
    reader.page.get_by_label("选择新版本的文件").set_input_files(second)
    reader.page.get_by_role("button", name="上传新版本").click()
    # The page follows by itself.
    expect(reader.page.get_by_role("status").filter(has_text="已处理好")).to_be_visible(timeout=300_000)
    expect(reader.page.locator("#pending")).to_have_count(0)
    versions = reader.page.locator("tbody").first.locator("tr")
    expect(versions).to_have_count(2)
    expect(versions.filter(has_text="第 2 版").locator(".state")).to_have_text("可提问")
    reader.page.get_by_role("link", name="第 1 版").click()
    expect(reader.page.locator(".notice")).to_contain_text("这不是现行版本")
    reader.page.get_by_role("link", name="看现行版本").click()
    expect(reader.page.locator(".text")).to_contain_text("丙组")


def test_what_is_done_with_a_removed_document_stands_on_one_line(reader: Reader) -> None:
    files = {"file": ("要移除的通知.txt", "要移除的通知。".encode())}
    taken = httpx.post(f"{reader.url}/api/v1/documents", files=files, timeout=120).json()["documents"][0]
    httpx.delete(f"{reader.url}/api/v1/documents/{taken['document']['id']}", timeout=120).raise_for_status()
    for width in (1200, 390):
        reader.page.set_viewport_size({"width": width, "height": 800})
        reader.page.goto(f"{reader.url}/trash")
        row = reader.page.locator("tbody tr", has_text="要移除的通知")
        restore, purge = (_box(row.locator(what)) for what in ("button:has-text('恢复')", "summary"))
        assert restore["y"] + restore["height"] / 2 == pytest.approx(purge["y"] + purge["height"] / 2, abs=2)


def test_a_document_s_page_follows_its_job_and_keeps_what_is_being_written(reader: Reader) -> None:
    def states() -> list[dict[str, Any]]:
        return [
            job | {"state": "running", "stage": "reading", "done": 3, "total": 9, "elapsed_s": 5.0, "eta_s": 10.0},
            job | {"state": "done"},
        ][: 1 if going_on else 2]

    def tell(route: Route) -> None:
        body = "retry: 200\n\n" + "".join(f"event: job\ndata: {json.dumps(told)}\n\n" for told in states())
        route.fulfill(body=body, content_type="text/event-stream")

    going_on = True
    long = "\n\n".join(f"第{n}条 跟随处理的通知，本条编号{n}，由登记员保存{n}天。" for n in range(1, 400))
    files = {"file": ("跟随.txt", long.encode())}
    taken = httpx.post(f"{reader.url}/api/v1/documents", files=files, timeout=120).json()["documents"][0]
    document, job = taken["document"]["id"], taken["job"]
    reader.page.route("**/api/v1/jobs/events", tell)
    reader.page.route(f"**/api/v1/jobs/{job['id']}", lambda route: route.fulfill(json=states()[-1]))
    reader.page.goto(f"{reader.url}/documents/{document}")
    pending = reader.page.locator("#pending")
    expect(pending.locator(".state")).to_have_text("读取中")
    expect(pending.locator(".pace")).to_have_text("3/9 · 已用 0:05 · 约剩 0:10")
    reader.page.get_by_text("修改信息").click()
    reader.page.get_by_label("来源", exact=True).fill("办公室")
    going_on = False
    expect(pending).to_contain_text("处理已结束")
    expect(reader.page.get_by_label("来源", exact=True)).to_have_value("办公室")
    assert (
        pending.get_by_role("link", name="重新载入").get_attribute("href") == f"/documents/{document}?notice=replaced"
    )
    httpx.delete(f"{reader.url}/api/v1/documents/{document}", timeout=120).raise_for_status()


# Without scripts -----------------------------------------------------------------------------------------------------


def test_asking_works_without_scripts(plain_reader: Reader) -> None:
    plain_reader.page.goto(plain_reader.url)
    plain_reader.page.get_by_role("textbox").fill(ABOUT_NEWS)
    plain_reader.page.get_by_role("button", name="提问", exact=True).click()
    expect(plain_reader.page.locator(".statement").first).to_contain_text("考核评价")
    assert plain_reader.page.url.rstrip("/") == plain_reader.url
    quote = plain_reader.page.locator(".sources q").first.text_content() or ""
    plain_reader.page.locator(".statement .cite").first.click()
    mark = plain_reader.page.locator("mark").first
    expect(mark).to_be_in_viewport()
    assert _bare("".join(plain_reader.page.locator("mark").all_text_contents())) == _bare(quote)


def test_a_follow_up_is_completed_without_scripts(plain_reader: Reader) -> None:
    page = plain_reader.page
    page.goto(plain_reader.url)
    for question in ("湖南省人民检察院主题教育有哪几项主要安排？", "那2024年呢？"):
        page.get_by_role("textbox").fill(question)
        page.get_by_role("button", name="提问", exact=True).click()
    expect(page.locator(".completed q")).to_have_text("2024年湖南省人民检察院主题教育有哪几项主要安排？")
    page.get_by_role("button", name="不再优先采用").click()
    expect(page.locator(".chips")).to_have_count(0)
    page.get_by_role("button", name="只按原话回答").click()
    expect(page.locator(".completed")).to_have_count(0)
    expect(page.get_by_role("textbox")).to_have_value("那2024年呢？")


def test_a_pdf_is_read_without_scripts(plain_reader: Reader) -> None:
    plain_reader.page.goto(plain_reader.url)
    plain_reader.page.get_by_role("textbox").fill(ABOUT_PDF)
    plain_reader.page.get_by_role("button", name="提问", exact=True).click()
    plain_reader.page.locator(".sources a").first.click()
    expect(plain_reader.page.locator(".sheet img")).to_be_visible()
    expect(plain_reader.page.locator("#mark")).to_be_in_viewport()
    plain_reader.page.get_by_role("link", name="下一页").first.click()
    expect(plain_reader.page.locator(".turn").first).to_contain_text("共 12 页")
    plain_reader.page.get_by_role("link", name="文字").click()
    expect(plain_reader.page.locator(".text")).to_be_visible()


def test_the_library_is_kept_without_scripts(plain_reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "无脚本通知.txt"
    file.write_text("没有脚本也能添加的通知。", encoding="utf-8")
    page = plain_reader.page
    page.goto(f"{plain_reader.url}/library")
    page.get_by_label("选择要添加的文件").set_input_files(file)
    page.get_by_role("button", name="上传").click()
    expect(page.get_by_role("status").filter(has_text="已收下 1 份文件")).to_be_visible()
    row = page.locator("#rows tr", has_text="无脚本通知")
    row.get_by_role("link", name="移除").click()
    page.get_by_text("移除这份文件").click()
    page.get_by_role("button", name="移除").click()
    expect(page.get_by_role("status").filter(has_text="已移除。")).to_be_visible()
    expect(page.locator("#rows tr", has_text="无脚本通知")).to_have_count(0)


def test_searching_marks_the_words_that_match(plain_reader: Reader) -> None:
    page = plain_reader.page
    page.goto(f"{plain_reader.url}/search")
    page.get_by_role("searchbox").fill("考核评价")
    page.get_by_role("button", name="查找").click()
    expect(page.locator(".hits mark").first).to_be_visible()
    assert set("".join(page.locator(".hits mark").all_text_contents())) <= set("考核评价")
    page.locator(".hits a").first.click()
    expect(page.locator("mark, #mark").first).to_be_in_viewport()
